#!/bin/bash
# Runs make check on another PostgreSQL than this machine's: in a folder with a small Debian of its own, made by
# debootstrap on first use and kept. Needs root, debootstrap and about 2 GB.
#
# usage: test/servers/run.sh 17            Debian trixie, with pgvector beside us
#        test/servers/run.sh 18            Debian sid
#        test/servers/run.sh 18 STAGE...   some stages of scripts/check.sh only
#
# SERVERS_DIR holds the folders trixie and sid (default .local/servers); MIRROR is where Debian comes from.
# shellcheck source-path=SCRIPTDIR source=folder.sh
set -euo pipefail
umask 022
. "$(dirname "${BASH_SOURCE[0]}")/folder.sh"

case ${1:-} in
	17) suite=trixie extra=postgresql-17-pgvector ;;
	18) suite=sid extra= ;;
	*) sed -n 's/^# \?//; 2,9p' "$0" >&2; exit 2 ;;
esac
major=$1
shift
folder_open "$suite"

echo "== copying the checkout"
copy_checkout /srv/vectorizer

echo "== packages for PostgreSQL $major"
inside /srv/vectorizer/scripts/setup.sh check
if [ -n "$extra" ] && ! inside dpkg-query -W "$extra" > /dev/null 2>&1; then
	inside apt-get -q -y -o Dpkg::Use-Pty=0 install --no-install-recommends "$extra"
fi

echo "== the check on PostgreSQL $major ($suite)"
inside /srv/vectorizer/scripts/check.sh "$@"
