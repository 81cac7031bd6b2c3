# shellcheck shell=bash
# A small Debian in a folder, made by debootstrap on first use and kept, and a way to run commands in it. Sourced, never run;
# needs root. What is mounted is unmounted when the script ends.

die() { printf '%s: %s\n' "$(basename "$0")" "$*" >&2; exit 1; }

# folder_open SUITE: makes or opens the folder of that release; sets root to it. SERVERS_DIR holds the folders (default
# .local/servers); MIRROR is where Debian comes from (default: where this machine's own packages come from).
folder_open() {
	local suite=$1 mirror servers
	[ "$(id -u)" = 0 ] || die "needs root: debootstrap, mounts and chroot"
	checkout=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd -P)
	servers=${SERVERS_DIR:-$checkout/.local/servers}
	root=$servers/$suite
	inside=(chroot "$root" env -i HOME=/root PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive)
	# shellcheck disable=SC2016 # $(REPO_URI) is a word of apt, not of the shell
	mirror=${MIRROR:-$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 'Component: main' | head -n 1)}

	# A folder is complete when debootstrap has ended.
	if [ ! -e "$root/etc/debian_version" ] || [ -d "$root/debootstrap" ]; then
		command -v debootstrap > /dev/null || die "debootstrap is missing: apt-get install debootstrap"
		echo "== debootstrap $suite into $root"
		mkdir -p "$servers"
		rm -rf --one-file-system "$root"
		debootstrap --variant=minbase --include=ca-certificates,make "$suite" "$root" ${mirror:+"$mirror"}
	fi

	mounted=()
	trap folder_close EXIT
	trap 'exit 130' INT
	trap 'exit 143' TERM HUP
	attach /proc -t proc proc
	attach /dev -t tmpfs -o mode=755 tmpfs
	for device in null zero full random urandom tty; do
		cp -a "/dev/$device" "$root/dev/"
	done
	ln -s /proc/self/fd "$root/dev/fd"
	ln -s /proc/self/fd/0 "$root/dev/stdin"
	ln -s /proc/self/fd/1 "$root/dev/stdout"
	ln -s /proc/self/fd/2 "$root/dev/stderr"
	attach /dev/shm -t tmpfs -o mode=1777 tmpfs

	cp /etc/resolv.conf "$root/etc/resolv.conf"
	# A folder may be older than the lists it was made from.
	echo 'Acquire::Check-Valid-Until "false";' > "$root/etc/apt/apt.conf.d/check-valid-until"
	printf '#!/bin/sh\nexit 101\n' > "$root/usr/sbin/policy-rc.d"
	chmod +x "$root/usr/sbin/policy-rc.d"
}

folder_close() {
	local i
	for ((i = ${#mounted[@]} - 1; i >= 0; i--)); do
		umount "${mounted[i]}" || umount -l "${mounted[i]}"
	done
}

# attach TARGET MOUNT_ARGUMENT...: TARGET is a path inside.
attach() {
	local target=$root$1
	shift
	mkdir -p "$target"
	! mountpoint -q "$target" || die "$target is mounted: does another run use this folder?"
	mount "$@" "$target"
	mounted+=("$target")
}

inside() { "${inside[@]}" "$@"; }

# copy_checkout TARGET: what is tracked (or new and not ignored) goes to that folder inside; what was built there stays.
copy_checkout() {
	local copy=$root$1
	mkdir -p "$copy"
	find "$copy" -mindepth 1 -maxdepth 1 ! -name build ! -name .local -exec rm -rf {} +
	# shellcheck disable=SC2016 # for the inner shell
	git -c safe.directory="$checkout" -C "$checkout" ls-files -z --cached --others --exclude-standard |
		(cd "$checkout" && xargs -0 -I{} sh -c '[ ! -e "$1" ] || printf "%s\0" "$1"' sh {}) |
		tar -C "$checkout" --null -T - -cf - | tar -C "$copy" --no-same-owner -xf -
}
