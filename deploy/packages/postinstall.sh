#!/bin/sh
set -e
if [ -d /run/systemd/system ]; then
	systemctl daemon-reload
	# After an upgrade; a bot that does not run is not started.
	systemctl try-restart matrix-registration-bot.service
fi
if [ ! -e /etc/matrix-registration-bot/config.yaml ]; then
	echo "Now run: matrix-registration-bot init --dir /etc/matrix-registration-bot (see its man page)"
fi
