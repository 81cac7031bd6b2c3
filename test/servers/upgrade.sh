#!/bin/bash
# pg_upgrade from PostgreSQL 15 to 17 with everything that vectorizer keeps in a cluster: in the folder with Debian trixie, into which
# bookworm's 15 is installed beside 17. It is the recipe, too: docs/operations.md tells it in words.
#
# usage: test/servers/upgrade.sh [--link]     --link: pg_upgrade links files instead of copying them
#
# SERVERS_DIR and MIRROR as in run.sh.
# shellcheck source-path=SCRIPTDIR source=folder.sh
set -euo pipefail
umask 022
. "$(dirname "${BASH_SOURCE[0]}")/folder.sh"

[ "${1:-}" = --link ] || [ $# = 0 ] || { sed -n 's/^# \?//; 2,6p' "$0" >&2; exit 2; }
folder_open trixie
echo "== copying the checkout"
copy_checkout /srv/upgraded
echo "== packages: 17 of trixie, 15 of bookworm"
inside /srv/upgraded/scripts/setup.sh check
list=$root/etc/apt/sources.list.d/bookworm.list
if ! inside dpkg-query -W postgresql-server-dev-15 > /dev/null 2>&1; then
	# shellcheck disable=SC2016 # words of apt
	mirror=${MIRROR:-$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 'Component: main' | head -n 1)}
	echo "deb $mirror bookworm main" > "$list"
	inside apt-get -q update
	inside apt-get -q -y -o Dpkg::Use-Pty=0 install --no-install-recommends postgresql-15 postgresql-server-dev-15
fi
inside /srv/upgraded/test/servers/upgrade_inside.sh "$@"
