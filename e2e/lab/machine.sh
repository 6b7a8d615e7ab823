# Starts a systemd in namespaces of its own, on an overlay over this machine's root.
# machine.sh FOLDER SHARED...: a folder to mount things in, and folders that are the same inside.
set -eu
folder=$1
shift
case ${stage:-} in
'')
	# The cgroups of all that systemd starts are below this one; see machine.go.
	mount --make-rprivate /
	mkdir "$folder/cgroup"
	mount -t cgroup2 cgroup2 "$folder/cgroup"
	mkdir "$folder/cgroup/$(basename "$folder")"
	echo $$ >"$folder/cgroup/$(basename "$folder")/cgroup.procs"
	stage=inside exec unshare --mount --pid --fork --kill-child --uts --ipc --cgroup sh "$0" "$folder" "$@"
	;;
inside)
	mount -t tmpfs tmpfs "$folder"
	mkdir "$folder/changes" "$folder/work" "$folder/root"
	mount -t overlay overlay -o "lowerdir=/,upperdir=$folder/changes,workdir=$folder/work" "$folder/root"
	cd "$folder/root"
	mount -t proc proc proc
	mount --bind proc/sys proc/sys
	mount -o remount,bind,ro proc/sys # the kernel is this machine's
	mount -t sysfs -o ro sysfs sys
	mount -t cgroup2 cgroup2 sys/fs/cgroup
	mount --rbind /dev dev
	mount -t tmpfs -o mode=755 tmpfs run
	mount -t tmpfs -o mode=1777 tmpfs tmp
	for shared; do
		mkdir -p ".$shared"
		mount --bind "$shared" ".$shared"
	done
	echo >etc/fstab
	for unit in systemd-modules-load.service sys-kernel-debug.mount sys-kernel-tracing.mount sys-fs-fuse-connections.mount; do
		ln -s /dev/null "etc/systemd/system/$unit"
	done
	mkdir lab-old
	pivot_root . lab-old
	umount -l /lab-old
	rmdir /lab-old
	mount --make-rshared /
	hostname machine.test
	exec env -i container=lab PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
		/lib/systemd/systemd --system --unit=sysinit.target --show-status=0 --log-target=null
	;;
esac
