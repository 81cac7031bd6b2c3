#!/bin/bash
# Runs make check on another PostgreSQL than this machine's: in a folder with a small Debian of its own, made by
# debootstrap on first use and kept. Needs root, debootstrap and about 2 GB.
#
# usage: test/servers/run.sh 17            Debian trixie, with pgvector beside us
#        test/servers/run.sh 18            Debian sid
#        test/servers/run.sh 18 STAGE...   some stages of scripts/check.sh only
#
# SERVERS_DIR holds the folders trixie and sid (default .local/servers); MIRROR is where Debian comes from.
set -euo pipefail
umask 022

die() { printf 'run.sh: %s\n' "$*" >&2; exit 1; }

case ${1:-} in
	17) suite=trixie extra=postgresql-17-pgvector ;;
	18) suite=sid extra= ;;
	*) sed -n 's/^# \?//; 2,9p' "$0" >&2; exit 2 ;;
esac
major=$1
shift
[ "$(id -u)" = 0 ] || die "needs root: debootstrap, mounts and chroot (sudo $0 $major)"

checkout=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd -P)
servers=${SERVERS_DIR:-$checkout/.local/servers}
root=$servers/$suite
# The mirror that this machine's own packages come from.
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
unmount() {
	local i
	for ((i = ${#mounted[@]} - 1; i >= 0; i--)); do
		umount "${mounted[i]}" || umount -l "${mounted[i]}"
	done
}
trap unmount EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

# attach TARGET MOUNT_ARGUMENT...
attach() {
	local target=$root$1
	shift
	mkdir -p "$target"
	! mountpoint -q "$target" || die "$target is mounted: does another run use this folder?"
	mount "$@" "$target"
	mounted+=("$target")
}
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

inside() { chroot "$root" env -i HOME=/root PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive "$@"; }

cp /etc/resolv.conf "$root/etc/resolv.conf"
# A folder may be older than the lists it was made from.
echo 'Acquire::Check-Valid-Until "false";' > "$root/etc/apt/apt.conf.d/check-valid-until"
printf '#!/bin/sh\nexit 101\n' > "$root/usr/sbin/policy-rc.d"
chmod +x "$root/usr/sbin/policy-rc.d"

echo "== copying the checkout"
copy=$root/srv/vectorizer
mkdir -p "$copy"
# what is built stays, what is tracked (or new and not ignored) is what the checkout has
find "$copy" -mindepth 1 -maxdepth 1 ! -name build ! -name .local -exec rm -rf {} +
# shellcheck disable=SC2016 # for the inner shell
git -c safe.directory="$checkout" -C "$checkout" ls-files -z --cached --others --exclude-standard |
	(cd "$checkout" && xargs -0 -I{} sh -c '[ ! -e "$1" ] || printf "%s\0" "$1"' sh {}) |
	tar -C "$checkout" --null -T - -cf - | tar -C "$copy" --no-same-owner -xf -

echo "== packages for PostgreSQL $major"
inside /srv/vectorizer/scripts/setup.sh check
if [ -n "$extra" ] && ! inside dpkg-query -W "$extra" > /dev/null 2>&1; then
	inside apt-get -q -y -o Dpkg::Use-Pty=0 install --no-install-recommends "$extra"
fi

echo "== the check on PostgreSQL $major ($suite)"
inside /srv/vectorizer/scripts/check.sh "$@"
