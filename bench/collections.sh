#!/bin/bash
# A thousand collections on a private server, half of them filled from files of fifty projects, half dynamic: how long listing,
# finding and the tree take, and how busy a watcher with nothing to do is.
#
# usage: bench/collections.sh [SECONDS]     of idling that are measured, 60 by default
# shellcheck source-path=SCRIPTDIR source=../scripts/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../scripts/lib.sh"

IDLE=${1:-60}
use_server
build /dev/null all > /dev/null
stage_build > /dev/null
SERVER=$(home)/collections
trap 'server_remove "$SERVER"' EXIT
own_dir "$SERVER"
server_start "$SERVER" <<-CONF
	shared_preload_libraries = vectorizer
	max_locks_per_transaction = 1024
	vectorizer.allowed_roots = $(quote_path "$SERVER")
CONF
sql() { server_psql "$SERVER" postgres -At "$@"; }

say "== 50 projects of 10 collections, 500 dynamic collections"
as_server_in "$SERVER" sh -c 'for p in $(seq 50); do for c in $(seq 10); do
	mkdir -p files/p$p/c$c; for f in 1 2 3; do echo "File $f of part $c of project $p is about subject $(((p * c + f) % 17))." > files/p$p/c$c/f$f.md; done
done; done'
sql -c 'CREATE EXTENSION vectorizer' -c "
	SELECT count(*) FROM generate_series(1, 50) p, LATERAL vectorizer.add_project('team' || p % 7 || '.p' || p, '$SERVER/files/p' || p,
		dimension => 32, collections => (SELECT jsonb_agg(jsonb_build_object('name', format('team%s.p%s.c%s', p % 7, p, c), 'include', jsonb_build_array(format('c%s/**', c)),
			'description', 'part ' || c, 'tags', jsonb_build_array('t' || c))) FROM generate_series(1, 10) c))"
for from in 1 101 201 301 401; do
	sql -c "SELECT count(vectorizer.create_collection(format('people.d%s.notes%s', i % 10, i), dimension => 32)) FROM generate_series($from, $from + 99) i" > /dev/null
	sql -c "DO \$\$ BEGIN FOR i IN $from .. $from + 99 LOOP
		EXECUTE format('INSERT INTO vectorizer_data.%I (content) SELECT ''note '' || j || '' of subject '' || j %% 7 FROM generate_series(1, 5) j', format('people.d%s.notes%s', i % 10, i));
	END LOOP; END \$\$"
done
begun=$SECONDS
until [ "$(sql -c "SELECT count(*) FILTER (WHERE state = 'ready' AND chunks > 0) FROM vectorizer.collections")" = 1000 ]; do
	[ $((SECONDS - begun)) -lt 900 ] || die "the watcher is not done after 15 minutes"
	sleep 1
done
say "all trained and indexed after $((SECONDS - begun)) s"

# Median of 21, in milliseconds, in one session.
timed() {
	sql -c "SET client_min_messages = notice" -c "DO \$\$
		DECLARE took float8[]; begun timestamptz; n bigint;
		BEGIN
			FOR i IN 1 .. 21 LOOP
				begun := clock_timestamp();
				EXECUTE \$q\$SELECT count(x::text) FROM ($2) x\$q\$ INTO n;
				took := took || extract(epoch FROM clock_timestamp() - begun) * 1000;
			END LOOP;
			RAISE NOTICE '% rows, % ms', n, (SELECT round((percentile_cont(0.5) WITHIN GROUP (ORDER BY t))::numeric, 1) FROM unnest(took) t);
		END \$\$" 2>&1 | sed -n "s/.*NOTICE: */$1: /p"
}
timed list 'SELECT x.* FROM vectorizer.collections x OFFSET 0'
timed "find by tag" "SELECT f.* FROM vectorizer.find_collections(tags => '{t3}') f OFFSET 0"
timed "find by text" "SELECT f.* FROM vectorizer.find_collections(text => 'part 7') f OFFSET 0"
timed "find by namespace" "SELECT f.* FROM vectorizer.find_collections(namespace => 'people.d3') f OFFSET 0"
timed tree 'SELECT t.* FROM vectorizer.namespace_tree() t OFFSET 0'

pid=$(sql -c "SELECT pid FROM pg_stat_activity WHERE backend_type = 'vectorizer watcher'")
ticks() { awk '{ print $14 + $15 }' "/proc/$pid/stat"; }
before=$(ticks)
sleep "$IDLE"
say "the idle watcher: $(awk -v t=$(($(ticks) - before)) -v hz="$(getconf CLK_TCK)" -v s="$IDLE" 'BEGIN { printf "%.2f", 100 * t / hz / s }')% of a core over $IDLE s," \
	"$(awk '/^Private/ { sum += $2 } END { printf "%d MB private", sum / 1024 }' "/proc/$pid/smaps_rollup")"
