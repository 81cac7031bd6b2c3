#!/bin/bash
# Eight clients insert, update, delete, search and vacuum one indexed table at once; then the server and all its processes are
# killed and started again, five times over. Fails unless, every time: nobody met an error or a deadlock, index_check finds no
# fault, a scan through the index gives exactly the table's rows, and recall is within .02 of a new index's.
#
# usage: bench/stress.sh [MINUTES [ROUNDS [DATA]]]
#        MINUTES  a round, 10 by default; ROUNDS 5 by default
#        DATA     folder with base.fvecs.xz (or bvecs) and query.fvecs.xz, cosine distance; test/data/sentences300 by default
# Environment: OPTIONS of the index ("m = 16, ef_construction = 64"), PG_CONFIG.
# shellcheck source-path=SCRIPTDIR source=../scripts/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../scripts/lib.sh"

MINUTES=${1:-10}
ROUNDS=${2:-5}
DATA=$(cd "${3:-$ROOT/test/data/sentences300}" && pwd -P)
OPTIONS=${OPTIONS:-m = 16, ef_construction = 64}

sql() { server_psql "$SERVER" postgres -At "$@"; }
failed=0
fail() {
	say "FAILED: $*"
	failed=$((failed + 1))
}

# load TABLE TYPE FILE: fills a new table (id, v).
load() {
	local file
	sql -c "CREATE TABLE $1 (id integer PRIMARY KEY, v $2)"
	for file in "$DATA/$3".?vecs.xz; do
		file=${file%.xz}
		xz -dc "$file.xz" | perl "$ROOT/test/data/vecs.pl" "${file##*.}" | sql -c "COPY $1 FROM STDIN (FORMAT binary)"
	done
}

start() {
	server_start "$SERVER" <<-'CONF'
		shared_buffers = 256MB
		max_wal_size = 2GB
		max_connections = 40
		autovacuum = off
		checkpoint_timeout = 1min
	CONF
}

# Stopped first, the postmaster starts no further child while we look for those it has.
kill_all() {
	local postmaster children pid
	postmaster=$(as_server head -n 1 "$SERVER/data/postmaster.pid")
	as_server kill -STOP "$postmaster"
	children=$(ps -o pid= --ppid "$postmaster")
	# shellcheck disable=SC2086 # a list of numbers
	as_server kill -KILL $children "$postmaster"
	for pid in $children $postmaster; do
		while kill -0 "$pid" 2> /dev/null; do sleep 0.1; done
	done
}

# clients NAME COUNT PGBENCH_ARGUMENT...: starts pgbench in the background, for longer than the round.
clients() {
	local name=$1 count=$2
	shift 2
	as_server "$BINDIR/pgbench" -h "$SOCKET" -U postgres -n -c "$count" -j 2 -T $((MINUTES * 60 + 600)) "$@" postgres \
		> "$LOCAL/stress/$name.log" 2>&1 &
}

# round_of_work: the mix, ended by the kill.
round_of_work() {
	clients mix 7 -f "$WORK/insert.sql@30" -f "$WORK/delete.sql@25" -f "$WORK/update.sql@15" -f "$WORK/search.sql@20" \
		-f "$WORK/rollback.sql@5" -f "$WORK/cursor.sql@5"
	clients vacuum 1 -f "$WORK/vacuum.sql"
	sleep $((MINUTES * 60))
	[ "$(jobs -pr | wc -l)" = 2 ] || fail "clients gave up: $(tail -n 3 "$LOCAL"/stress/*.log)"
	kill_all
	wait
}

# recall: recall@10 at the default ef_search, by distance, of 200 queries; through the index or by looking at all rows.
recall() {
	sql <<-'SQL' | tail -n 1
		SELECT to_char(avg((SELECT count(*) FROM nearest(q.v, true) AS d WHERE d <= (SELECT max(e) FROM nearest(q.v, false) AS e))) / 10, '0.0000')
		FROM (SELECT v FROM query ORDER BY id LIMIT 200) AS q
	SQL
}

# verify NAME: what must hold after every restart.
verify() {
	local found
	if ! found=$(sql -c "SELECT format('%s nodes, %s rows, %s tombstones, %s unreachable', nodes, heap_rows, tombstones, unreachable) FROM vectorizer.index_check('rows_v')" 2>&1); then
		fail "$1: index_check: $found"
	fi
	found="${found##*$'\n'}, recall$(recall)"
	[ "$(sql -q <<-'SQL' | tail -n 1
		SET enable_seqscan = off;
		SET enable_sort = off;
		SET vectorizer.iterative_scan = relaxed_order;
		BEGIN ISOLATION LEVEL REPEATABLE READ;
		CREATE TEMP TABLE scanned AS SELECT id FROM rows ORDER BY v <=> (SELECT v FROM query LIMIT 1);
		SET LOCAL enable_indexscan = off;
		SET LOCAL enable_seqscan = on;
		SELECT (SELECT count(*) FROM scanned) = (SELECT count(*) FROM rows)
			AND NOT EXISTS (SELECT id FROM rows EXCEPT SELECT id FROM scanned)
		SQL
	)" = t ] || fail "$1: the scan does not give exactly the table's rows"
	say "$1: $found; $(sql -c "SELECT count(*) || ' rows in the table, index of ' || pg_size_pretty(pg_relation_size('rows_v')) FROM rows")"
}

"$ROOT/scripts/setup.sh" check > /dev/null
use_server
mkdir -p "$LOCAL/stress"
build "$LOCAL/stress/build.log" all
stage_build > "$LOCAL/stress/stage.log" 2>&1
SERVER=$(home)/stress_server
server_remove "$SERVER"
trap 'server_remove "$SERVER"' EXIT
own_dir "$SERVER"
start
SOCKET=$(socket_dir "$SERVER")
WORK=$SERVER/work
as_server mkdir -p "$WORK"
script() { as_server tee "$WORK/$1.sql" > /dev/null; }

sql -c 'CREATE EXTENSION vectorizer'
dimensions=$({ xz -dc "$DATA"/base.?vecs.xz 2> /dev/null || true; } | od -An -td4 -N4 | tr -d ' ')
load base "vector($dimensions)" base
load query vector query
sql <<-SQL
	CREATE TABLE rows (id bigserial PRIMARY KEY, source integer, v vector($dimensions)) WITH (fillfactor = 80);
	INSERT INTO rows (source, v) SELECT id, v FROM base;
	CREATE INDEX rows_source ON rows (source);
	CREATE INDEX rows_v ON rows USING hnsw (v vector_cosine_ops) WITH ($OPTIONS);
	CREATE FUNCTION nearest(query vector, indexed boolean) RETURNS SETOF float8 LANGUAGE plpgsql AS \$\$
	BEGIN
		PERFORM set_config('enable_indexscan', indexed::text, true), set_config('enable_seqscan', (NOT indexed)::text, true);
		RETURN QUERY EXECUTE 'SELECT v <=> \$1 FROM rows ORDER BY v <=> \$1 LIMIT 10' USING query;
	END \$\$;
	ANALYZE;
SQL
most=$(sql -c 'SELECT max(id) FROM base')
any="\\set n random(0, $most)
\\set m random(0, $most)"
script insert <<< "$any
INSERT INTO rows (source, v) SELECT id, v FROM base WHERE id BETWEEN :n AND :n + 3;"
script delete <<< "$any
DELETE FROM rows WHERE id = ANY (ARRAY(SELECT id FROM rows WHERE source BETWEEN :n AND :n + 4 FOR UPDATE SKIP LOCKED));"
script update <<< "$any
UPDATE rows SET source = base.id, v = base.v FROM base
WHERE base.id = :m AND rows.id = (SELECT id FROM rows WHERE source >= :n ORDER BY source LIMIT 1 FOR UPDATE SKIP LOCKED);"
search="SELECT v FROM base WHERE id = :n"
script search <<< "$any
SET enable_seqscan = off;
SELECT 1 / (count(*) = 10)::integer FROM (SELECT id FROM rows ORDER BY v <=> ($search) LIMIT 10) AS s;"
script rollback <<< "$any
BEGIN;
INSERT INTO rows (source, v) SELECT id, v FROM base WHERE id BETWEEN :n AND :n + 3;
ROLLBACK;"
script cursor <<< "$any
SET enable_seqscan = off;
BEGIN;
DECLARE c CURSOR FOR SELECT id FROM rows ORDER BY v <=> ($search);
FETCH 20 FROM c;
\\sleep 300 ms
FETCH 100 FROM c;
COMMIT;"
script vacuum <<< "VACUUM rows;
\\sleep 200 ms"

say "$(date +%T) $MINUTES minutes, $ROUNDS times, on $(basename "$DATA"), WITH ($OPTIONS)"
verify "at the beginning"
for round in $(seq "$ROUNDS"); do
	size=$(as_server stat -c %s "$SERVER/log")
	round_of_work
	as_server tail -c "+$((size + 1))" "$SERVER/log" | grep -E 'ERROR|PANIC|TRAP|deadlock|signal' > "$LOCAL/stress/errors.log" &&
		fail "round $round: $(sort "$LOCAL/stress/errors.log" | cut -c 1-200 | head -n 5)"
	start
	verify "$(date +%T) round $round"
done
before=$(recall)
sql -c 'REINDEX INDEX rows_v'
after=$(recall)
say "recall$before, in a new index$after"
awk "BEGIN { exit !($before >= $after - .02) }" || fail "recall was not kept"
sql -c 'VACUUM rows'
verify "after a vacuum"
[ "$failed" = 0 ] || die "$failed failures"
say "all held"
