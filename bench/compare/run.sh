#!/bin/bash
# Compares hnsw with pgvector (in sibling databases of one PostgreSQL 17 server) and with hnswlib in a process. What it
# measures and what it leaves behind: bench/README.md. Needs root, debootstrap, and for the largest set 16 GB of memory
# and 30 GB of disk.
#
# usage: bench/compare/run.sh [--data DIR] [--work DIR] [--again] [--systems NAME,NAME]
#        [--variants NAME,NAME] [--latencies] [--quick] [STAGE[:SET,SET...]...]
#        --data     folder with sentences300 and fashion784; without it the generated sets alone can be had
#        --work     where sets, server, results.csv and report/ are (default .local/compare)
#        --again    measures again what has been measured for this version of the code
#        --systems  vectorizer, pgvector, or both (the default)
#        --variants  of a stage's measurements those with these names in results.csv ("one worker,k 10")
#        --latencies  keeps every single latency in a file: ef, client, query, microseconds
#        --quick    one pass and few values of ef, into quick.csv and quick/: to try something
# Without a stage: all of them. SERVERS_DIR and MIRROR: as in test/servers/run.sh. TIMING_LOCK: a file that is locked
# while a time is taken, for machines on which others measure, too.
# shellcheck source-path=SCRIPTDIR source=../../test/servers/folder.sh
set -euo pipefail
umask 022
. "$(dirname "${BASH_SOURCE[0]}")/../../test/servers/folder.sh"

data=
work=
words=()
while [ $# -gt 0 ]; do
	case $1 in
		--data) data=$2; shift 2 ;;
		--work) work=$2; shift 2 ;;
		--help | -h) sed -n 's/^# \?//; 2,16p' "$0"; exit ;;
		*) words+=("$1"); shift ;;
	esac
done

folder_open trixie
work=${work:-$checkout/.local/compare}
mkdir -p "$work"
attach /srv/compare --bind "$work"
if [ -n "$data" ]; then
	attach /srv/data --bind "$data"
fi
copy_checkout /srv/compared
inside /srv/compared/scripts/setup.sh check

# Two checkouts are the same version when what the extension is built from is the same.
sources=(src sql Makefile vectorizer.control)
version=$(cd "$checkout" && find "${sources[@]}" -type f -print0 | LC_ALL=C sort -z | xargs -0 sha256sum | sha256sum | head -c 10)
commit=$(git -c safe.directory="$checkout" -C "$checkout" describe --always --dirty)

lock=()
if [ -n "${TIMING_LOCK:-}" ]; then
	exec 9> "$TIMING_LOCK"
	lock=(TIMING_LOCK_FD=9)
fi
# In the background and waited for, so that a signal to this script is passed on before the folder is closed.
"${inside[@]}" env WORK=/srv/compare CODE_VERSION="$version" CODE_COMMIT="$commit" "${lock[@]}" \
	/srv/compared/bench/compare/inside.sh --data /srv/data "${words[@]}" &
trap 'kill "$!"; wait "$!"; exit 143' INT TERM HUP
wait "$!"
