# shellcheck shell=bash
# What every script here shares: messages, which server to use and as whom, where servers may live, and how a private
# one is made, started and stopped. Sourced, never run.
#
# A private server listens on a Unix socket only, in a directory that only its owner (and root) can enter. That
# directory is the guard: whoever can reach the socket is trusted.

set -euo pipefail
umask 022
ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
LOCAL=$ROOT/.local

# What the caller's environment says about servers and languages concerns other clusters.
unset PGHOST PGHOSTADDR PGPORT PGDATABASE PGUSER PGPASSWORD PGPASSFILE PGSERVICE PGOPTIONS PGDATA PGCLUSTER PGTZ \
	PGDATESTYLE PGCLIENTENCODING PGSSLMODE PGAPPNAME MAKEFLAGS MAKELEVEL MAKEOVERRIDES DESTDIR CDPATH
export LC_ALL=C.UTF-8

say() { printf '%s\n' "$*"; }
die() { printf '%s: %s\n' "$(basename "$0")" "$*" >&2; exit 1; }

# as_server COMMAND...: runs it as the user that owns the servers, in /. A server refuses to run as root, so that user
# is postgres for root and oneself otherwise. as_server_in DIR COMMAND...: the same in DIR.
if [ "$(id -u)" = 0 ]; then
	SERVER_USER=postgres
	as_server() {
		(cd / && exec setpriv --reuid=postgres --regid=postgres --init-groups -- \
			env HOME=/ USER=postgres LOGNAME=postgres "$@")
	}
else
	SERVER_USER=$(id -un)
	as_server() { (cd / && exec "$@"); }
fi
# shellcheck disable=SC2016 # for the inner shell
as_server_in() { as_server sh -c 'cd "$1" && shift && exec "$@"' sh "$@"; }

# PostgreSQL's major version: the one of PG_CONFIG if set, else the newest with development files, else the newest
# server on the machine, else the one that this release of Debian packages. Empty if none of them says.
pg_major() {
	local dir found=
	if [ -n "${PG_CONFIG:-}" ]; then
		"$PG_CONFIG" --version | sed -E 's/^[^0-9]*([0-9]+).*/\1/'
		return
	fi
	for dir in $(printf '%s\n' /usr/include/postgresql/*/server | sort -V); do
		[ ! -e "$dir/postgres.h" ] || found=$(basename "$(dirname "$dir")")
	done
	[ -n "$found" ] || for dir in $(printf '%s\n' /usr/lib/postgresql/*/bin | sort -V); do
		[ ! -x "$dir/postgres" ] || found=$(basename "$(dirname "$dir")")
	done
	[ -n "$found" ] || found=$(apt-cache depends postgresql 2>/dev/null | sed -nE 's/.*Depends: postgresql-([0-9]+)$/\1/p' | head -n 1)
	say "$found"
}

# use_server: settles PG_MAJOR, PG_CONFIG and the server's folders, once the packages are there.
use_server() {
	PG_MAJOR=$(pg_major)
	[ -n "${PG_CONFIG:-}" ] || PG_CONFIG=/usr/lib/postgresql/$PG_MAJOR/bin/pg_config
	[ -x "$PG_CONFIG" ] || die "no PostgreSQL server found: run scripts/setup.sh, or set PG_CONFIG"
	export PG_CONFIG
	BINDIR=$("$PG_CONFIG" --bindir)
	PKGLIBDIR=$("$PG_CONFIG" --pkglibdir)
	# shellcheck disable=SC2034 # for the scripts that source this file
	PGXS_SRC=$(dirname "$("$PG_CONFIG" --pgxs)")/..
}

# home: the folder that servers live in: .local/ of the checkout, or a scratch folder that .local/scratch remembers
# when the server's user cannot get into the checkout (a clone below /root, say).
home() {
	local scratch
	mkdir -p "$LOCAL" || die "cannot create $LOCAL: was it made by another user?"
	if as_server test -x "$LOCAL" 2>/dev/null; then
		say "$LOCAL"
		return
	fi
	scratch=$(cat "$LOCAL/scratch" 2>/dev/null || true)
	if [ -z "$scratch" ] || [ "$(stat -c %U "$scratch" 2>/dev/null)" != "$SERVER_USER" ]; then
		scratch=$(as_server mktemp -d /tmp/vectorizer-XXXXXX)
		say "$scratch" > "$LOCAL/scratch"
	fi
	say "$scratch"
}

# own_dir DIR: makes DIR as a private folder of the server's user, below a folder that may belong to somebody else.
own_dir() {
	if [ ! -d "$1" ]; then
		mkdir -m 700 "$1"
		[ "$(id -un)" = "$SERVER_USER" ] || chown "$SERVER_USER:" "$1"
	fi
	as_server test -w "$1" || die "$1 belongs to $(stat -c %U "$1"), not to $SERVER_USER: remove it, or run as the user who made it"
}

# put FROM TO [ENTRY...]: copies entries of folder FROM (all of it by default) into folder TO, as the server's user.
put() {
	local from=$1 to=$2
	shift 2
	as_server mkdir -p "$to"
	tar -C "$from" -cf - "${@:-.}" | as_server tar -C "$to" --no-same-owner --no-same-permissions -xf -
}

# build LOG TARGET...: compiles, shows how far it is, keeps the compiler's words in LOG.
build() {
	local log=$1 total
	shift
	set -- make -C "$ROOT" --no-print-directory PG_CONFIG="$PG_CONFIG" "$@"
	total=$("$@" -n | grep -c -- ' -c -o ' || true)
	if ! "$@" -j "$(nproc)" 2>&1 | tee "$log" | compiling "$total"; then
		tail -n 60 "$log" | sed 's/^/   | /'
		return 1
	fi
}

compiling() {
	local line done=0
	while read -r line; do
		if [[ $line =~ \ -c\ -o\ [^\ ]+\ ([^\ ]+) ]]; then
			done=$((done + 1))
			progress "compiling $done of $1: ${BASH_REMATCH[1]}" "$((done * 10 / $1))"
		fi
	done
	progress_end
}

# progress TEXT STEP: shows TEXT on one line of a terminal that is written over; elsewhere a line whenever STEP changes.
progress() {
	if [ -t 1 ]; then
		printf '\r\033[K   %.110s' "$1"
	elif [ "${progress_step:-}" != "$2" ]; then
		say "   $1"
	fi
	progress_step=$2
}
progress_end() {
	if [ -t 1 ] && [ -n "${progress_step:-}" ]; then
		printf '\r\033[K'
	fi
	progress_step=
}

# stage_build: puts what was built under build/stage, as "make install" would into the system.
stage_build() {
	rm -rf "$ROOT/build/stage"
	make -C "$ROOT" --no-print-directory -s PG_CONFIG="$PG_CONFIG" DESTDIR=build/stage install
}

# manual: the folder with the server's HTML manual. Where dpkg is told to leave documentation out (slim container
# images), it is a copy that quickstart.sh unpacked.
manual() {
	local dir=/usr/share/doc/postgresql-doc-$PG_MAJOR/html
	[ -e "$dir/index.html" ] || dir=$(home)/manual/html
	say "$dir"
}

# quote_path PATH: as one entry of a setting that is a list of directories.
quote_path() {
	local path=${1//\"/\"\"}
	say "'\"${path//\'/\'\'}\"'"
}

# server_conf STAGE: the settings by which a server finds the extension in the folder STAGE and preloads it. Up to
# PostgreSQL 17 that is Debian's extension_destdir, which goes before the paths of control files, scripts and what names
# $libdir; from 18 on extension_control_path. A bare library name, as a background worker has it, is looked up in
# dynamic_library_path alone.
server_conf() {
	local stage=${1//\'/\'\'}
	if [ "$PG_MAJOR" -ge 18 ]; then
		say "extension_control_path = '$stage$("$PG_CONFIG" --sharedir):\$system'"
	else
		say "extension_destdir = '$stage'"
	fi
	say "dynamic_library_path = '$stage$PKGLIBDIR:\$libdir'"
	say "shared_preload_libraries = 'vectorizer'"
}

# socket_dir SERVER: where that server's socket is. A socket's path holds at most 107 bytes: a server in a deep folder
# has its socket in a scratch folder, which its file socket_dir remembers.
socket_dir() {
	local dir=$1/socket
	if [ "${#dir}" -gt 85 ]; then
		dir=$(as_server cat "$1/socket_dir" 2>/dev/null || true)
		if [ -z "$dir" ] || [ "$(stat -c %U "$dir" 2>/dev/null)" != "$SERVER_USER" ]; then
			dir=$(as_server mktemp -d /tmp/vectorizer-XXXXXX)
			say "$dir" | as_server tee "$1/socket_dir" > /dev/null
		fi
	fi
	say "$dir"
}

server_running() { as_server "$BINDIR/pg_ctl" -D "$1/data" status > /dev/null 2>&1; }

# server_start SERVER [STAGED]: makes the server in the folder SERVER (own_dir made it) if it is not there yet, stages the
# extension, writes what standard input holds of further settings, and starts it. A server that runs with the same
# settings and the same extension is left alone.
server_start() {
	local server=$1 staged=${2:-$ROOT/build/stage} socket settings sum stale=
	settings=$(cat)
	if ! as_server test -e "$server/data/PG_VERSION"; then
		as_server rm -rf "$server/data"
		as_server "$BINDIR/initdb" -D "$server/data" -U postgres -A trust -E UTF8 --locale=C.UTF-8 --lc-messages=C \
			-T english --no-instructions > "${SERVER_LOG:-/dev/null}"
		say "include 'vectorizer.conf'" | as_server tee -a "$server/data/postgresql.conf" > /dev/null
	fi
	[ "$(as_server cat "$server/data/PG_VERSION")" = "$PG_MAJOR" ] ||
		die "$server was made by another major version of PostgreSQL than $PG_MAJOR: remove it"
	socket=$(socket_dir "$server")
	as_server mkdir -p -m 700 "$socket"
	settings=$(
		server_conf "$server/stage"
		say "port = 5432"
		say "listen_addresses = ''"
		say "unix_socket_directories = $(quote_path "$socket")"
		say "$settings"
	)
	[ "$settings" = "$(as_server cat "$server/data/vectorizer.conf" 2>/dev/null)" ] || stale=settings
	sum=$(cd "$staged" && find . -type f -exec sha256sum {} + | sort)
	[ "$sum" = "$(as_server cat "$server/stage.sum" 2>/dev/null)" ] || stale=stage
	if server_running "$server"; then
		[ -n "$stale" ] || return 0
		server_stop "$server"
	fi
	as_server rm -rf "$server/stage"
	put "$staged" "$server/stage"
	say "$sum" | as_server tee "$server/stage.sum" > /dev/null
	say "$settings" | as_server tee "$server/data/vectorizer.conf" > /dev/null
	as_server "$BINDIR/pg_ctl" -D "$server/data" -l "$server/log" -w -s start < /dev/null > /dev/null || {
		as_server tail -n 20 "$server/log" >&2
		die "the server in $server did not start"
	}
}

# server_stop SERVER [MODE]
server_stop() {
	if server_running "$1"; then
		as_server "$BINDIR/pg_ctl" -D "$1/data" -m "${2:-fast}" -w -s stop
	fi
}

# server_remove SERVER: stops it and removes all that was its own.
server_remove() {
	if [ -d "$1" ]; then
		server_stop "$1" immediate
		as_server rm -rf "$(socket_dir "$1")"
		rm -rf "$1"
	fi
}

# server_psql SERVER DATABASE PSQL_ARGUMENT...
server_psql() {
	local server=$1 database=$2
	shift 2
	as_server "$BINDIR/psql" -X -q -v ON_ERROR_STOP=1 -h "$(socket_dir "$server")" -U postgres -d "$database" "$@"
}
