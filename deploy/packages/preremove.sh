#!/bin/sh
set -e
# "remove" is Debian's word, 0 that of RPM; an upgrade goes on running until it is done.
case ${1:-} in
remove | 0)
	if [ -d /run/systemd/system ]; then
		systemctl disable --now matrix-registration-bot.service || true
	fi
	;;
esac
