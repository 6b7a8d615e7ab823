#!/bin/sh
set -e
if [ -d /run/systemd/system ]; then
	systemctl daemon-reload || true
	# After an upgrade; a bot that does not run is not started. One that can't start says
	# why in its log, and the package is installed all the same.
	systemctl try-restart matrix-registration-bot.service || true
fi
if [ ! -e /etc/matrix-registration-bot/config.yaml ]; then
	echo "Now run: matrix-registration-bot init --dir /etc/matrix-registration-bot (see its man page)"
fi
