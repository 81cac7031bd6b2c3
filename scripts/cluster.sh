#!/bin/bash
# The quickstart's private cluster, which lives in .local/cluster (or a scratch folder: see home in lib.sh).
#
# usage: cluster.sh start     make it if it is not there, start it, create the database and the extension
#        cluster.sh stop      stop it
#        cluster.sh status    say whether it runs, and where
#        cluster.sh dsn       print the connection string of its database
#        cluster.sh log       print the end of the server's log
#        cluster.sh destroy   stop it and remove it with its data
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

use_server
DATABASE=vectorizer
EXTVERSION=$(sed -nE "s/^default_version = '(.*)'/\1/p" "$ROOT/vectorizer.control")
SERVER=$(home)/cluster

start() {
	[ -d "$ROOT/build/stage" ] || { build "$LOCAL/build.log" all && stage_build > "$LOCAL/stage.log"; }
	own_dir "$SERVER"
	server_start "$SERVER" <<-CONF
		cluster_name = 'vectorizer quickstart'
		vectorizer.allowed_roots = $(quote_path "$(manual)")
	CONF
	local role
	role=$(id -un)
	server_psql "$SERVER" postgres -v role="$role" -v database="$DATABASE" <<-'SQL'
		SELECT format('CREATE ROLE %I SUPERUSER LOGIN', :'role')
		WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = :'role') \gexec
		SELECT format('CREATE DATABASE %I', :'database')
		WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = :'database') \gexec
	SQL
	create_extension
}

# Between releases there are no upgrade scripts: a database made from other SQL than today's is only reported.
create_extension() {
	local sum made
	sum=$(sha256sum < "$ROOT/build/stage$("$PG_CONFIG" --sharedir)/extension/vectorizer--$EXTVERSION.sql")
	made=$(as_server cat "$SERVER/extension.sum" 2> /dev/null || true)
	if [ -z "$made" ]; then
		server_psql "$SERVER" "$DATABASE" <<< 'CREATE EXTENSION IF NOT EXISTS vectorizer'
		say "$sum" | as_server tee "$SERVER/extension.sum" > /dev/null
	elif [ "$made" != "$sum" ]; then
		say "   this cluster's database was made by another build's SQL; for a new one: scripts/cluster.sh destroy" >&2
	fi
}

exists() { as_server test -e "$SERVER/data/PG_VERSION" 2>/dev/null; }

# The string is printed even where nothing runs: an empty one would lead psql to some other server.
dsn() {
	local host=$SERVER/socket
	! exists || host=$(socket_dir "$SERVER")
	host=${host//\\/\\\\}
	say "host='${host//\'/\\\'}' port=5432 dbname=$DATABASE user=postgres"
	server_running "$SERVER" || die "the quickstart's cluster is not running: make quickstart"
}

case ${1:-} in
	start) start ;;
	stop)
		if exists && server_running "$SERVER"; then
			server_stop "$SERVER"
			say "stopped"
		else
			say "it was not running"
		fi
		;;
	status)
		exists || { say "there is no cluster yet: make quickstart"; exit 1; }
		server_running "$SERVER" || { say "stopped: $SERVER"; exit 1; }
		say "running: $SERVER (socket in $(socket_dir "$SERVER"))"
		;;
	dsn) dsn ;;
	log) as_server tail -n "${2:-50}" "$SERVER/log" ;;
	destroy) server_remove "$SERVER" ;;
	*) sed -n 's/^# \?//; 2,9p' "$0" >&2; exit 2 ;;
esac
