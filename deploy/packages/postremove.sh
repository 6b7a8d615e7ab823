#!/bin/sh
set -e
if [ -d /run/systemd/system ]; then
	systemctl daemon-reload || true
fi
# What init wrote and the database stay until Debian's package is purged; RPM knows no such thing.
if [ "${1:-}" = purge ]; then
	rm -rf /etc/matrix-registration-bot /var/lib/matrix-registration-bot /var/lib/private/matrix-registration-bot
	echo "A homeserver that still names the registration of matrix-registration-bot does not start any more."
fi
