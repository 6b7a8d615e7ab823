#!/bin/sh
set -e
# What init wrote and the database stay.
if [ -d /run/systemd/system ]; then
	systemctl daemon-reload
fi
