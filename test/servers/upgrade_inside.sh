#!/bin/bash
# The part of upgrade.sh that runs inside the folder: builds for both servers, fills a cluster of 15, upgrades it, and looks whether all is
# there and goes on.
set -euo pipefail

HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd -P)
WORK=/srv/upgrade
PORT=5615

say() { printf '%s\n' "$*"; }
as_postgres() { (cd "$WORK" && setpriv --reuid=postgres --regid=postgres --clear-groups env HOME="$WORK" "$@"); }
sql() { as_postgres psql -X -q -At -v ON_ERROR_STOP=1 -h "$WORK" -p "$PORT" -d library "$@"; }
start() { as_postgres "/usr/lib/postgresql/$1/bin/pg_ctl" -w -s -D "$WORK/$1" -l "$WORK/$1.log" start; }
stop() { as_postgres "/usr/lib/postgresql/$1/bin/pg_ctl" -w -s -D "$WORK/$1" -m fast stop; }

remove() {
	for major in 15 17; do
		[ ! -e "$WORK/$major/postmaster.pid" ] || stop "$major" || true
		make -s -C "$HERE" PG_CONFIG="/usr/lib/postgresql/$major/bin/pg_config" uninstall > /dev/null 2>&1 || true
	done
}
trap remove EXIT

for major in 15 17; do
	say "== building for $major"
	make -s -C "$HERE" -j2 PG_CONFIG="/usr/lib/postgresql/$major/bin/pg_config" install > "/tmp/build-$major.log" 2>&1 ||
		{ tail -n 20 "/tmp/build-$major.log"; exit 1; }
done

say "== a cluster of 15"
rm -rf "$WORK"
install -d -o postgres -g postgres "$WORK" "$WORK/files"
for major in 15 17; do
	as_postgres "/usr/lib/postgresql/$major/bin/initdb" -D "$WORK/$major" -E UTF8 --locale=C.UTF-8 -A trust > /dev/null
	cat >> "$WORK/$major/postgresql.conf" <<-CONF
		port = $PORT
		listen_addresses = ''
		unix_socket_directories = '$WORK'
		shared_preload_libraries = 'vectorizer'
		vectorizer.allowed_roots = '$WORK/files'
	CONF
done
as_postgres sh -c 'for i in $(seq 40); do mkdir -p files/sea; echo "The whale number $i sings in the ocean." > files/sea/$i.txt; done'
start 15
as_postgres createdb -h "$WORK" -p "$PORT" library
sql <<-SQL
	CREATE EXTENSION vectorizer;
	CREATE ROLE ann;
	GRANT vectorizer_writer TO ann;
	SELECT vectorizer.load_workspace(E'workspace: sea\nprojects:\n  - name: sea\n    path: .\n    collections: [{name: sea.docs, include: ["sea/**"], dimension: 16}]\n', '$WORK/files');
	SET ROLE ann;
	SELECT vectorizer.create_collection('notes', dimension => 16);
	INSERT INTO vectorizer_data.notes (content) SELECT 'The oak ' || i || ' drops ' || i % 7 || ' leaves' FROM generate_series(1, 60) i;
	SELECT vectorizer.refresh_collection('notes');
	RESET ROLE;
	SELECT vectorizer.grant_namespace('sea', 'ann');
	CREATE VIEW whales AS SELECT id, content, embedding FROM vectorizer_data."sea.docs";
	CREATE TABLE mine (id int PRIMARY KEY, v vector(3));
	INSERT INTO mine SELECT i, ARRAY[i, i % 7, 1]::real[]::vector FROM generate_series(1, 500) i;
	CREATE INDEX mine_v ON mine USING hnsw (v vector_l2_ops) WITH (m = 8);
SQL
sql -c "SELECT vectorizer.sync('sea')" > /dev/null

state() {
	sql <<-'SQL'
		SELECT md5(string_agg(to_jsonb(t)::text, ',' ORDER BY id)) FROM vectorizer_data."sea.docs" t;
		SELECT md5(string_agg(to_jsonb(t)::text, ',' ORDER BY id)) FROM vectorizer_data.notes t;
		SELECT md5(string_agg(to_jsonb(l)::text, ',' ORDER BY collection_id, lexeme)) FROM vectorizer.lexeme l;
		SELECT name, kind, owner, chunks, files, tags, model_generation FROM vectorizer.collections ORDER BY name;
		SELECT collection, path, content, round(score::numeric, 4) FROM vectorizer.search('*', 'the whale drops leaves', 20);
		SELECT namespace, role, privilege FROM vectorizer.namespace_grants;
		SELECT id FROM mine ORDER BY v <-> '[50.2,3.1,1]' LIMIT 5;
		SELECT count(embedding) FROM whales;
		SELECT nodes, heap_rows FROM vectorizer.index_check('mine_v');
		SELECT nodes, heap_rows FROM vectorizer.index_check('vectorizer_data."sea.docs:embedding"');
	SQL
}
before=$(state)
stop 15

say "== pg_upgrade"
as_postgres /usr/lib/postgresql/17/bin/pg_upgrade -b /usr/lib/postgresql/15/bin -B /usr/lib/postgresql/17/bin \
	-d "$WORK/15" -D "$WORK/17" -s "$WORK" "$@" | tail -n 12
start 17

passed=0
expect() {
	if [ "$2" = "$3" ]; then
		passed=$((passed + 1))
		say "ok: $1"
	else
		say "not ok: $1" "have: $2" "want: $3"
		exit 1
	fi
}
expect "everything is as it was" "$(state)" "$before"
expect "the project waits" "$(sql -c "SELECT state FROM vectorizer.projects")" restored
sql -c "SET ROLE ann; INSERT INTO vectorizer_data.notes (content) VALUES ('The oak of the whale drops leaves')"
expect "a new row is embedded" "$(sql -c "SELECT embedding = vectorizer.embed(content, 'notes') FROM vectorizer_data.notes WHERE content LIKE '%whale%'")" t
sql -c "SELECT vectorizer.resume('sea')" > /dev/null
as_postgres sh -c 'echo "A squid squirts ink." > files/sea/squid.txt; rm files/sea/1.txt'
for _ in $(seq 100); do
	found=$(sql -c "SELECT count(*) FILTER (WHERE path LIKE '%squid%'), count(*) FILTER (WHERE path = 'sea/1.txt') FROM vectorizer_data.\"sea.docs\"")
	[ "$found" != '1|0' ] || break
	sleep 0.1
done
expect "it watches after resume()" "$found" '1|0'
expect "indexes are sound" "$(sql -c "SELECT count(*) FROM vectorizer.index_check('vectorizer_data.\"sea.docs:embedding\"')")" 1
stop 17
say "$passed passed, 0 failed"
