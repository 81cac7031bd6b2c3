#!/bin/bash
# Two versions of the extension against each other, in turn: the same table and the same index, in a server for each.
#
# usage: bench/pair.sh BEFORE DATA [SET...]
#        BEFORE  a commit, or a folder with a checkout; AFTER is this checkout
#        DATA    folder with sentences300 and fashion784; gauss384 and other sets of bench/compare are generated
#        SET     sentences300 by default
# Environment: EF ("80 160"), K (10), PASSES (7), BUILDS (0: pairs of builds to time), WORKERS (0: of a build), INSERTS (0: pairs of runs
# that insert the last tenth of the set), KEEP (set: the servers stay), PG_CONFIG.
#
# Prints, in microseconds a query, the medians and the least of the passes and the ratio of after to before, and whether
# the answers are the same. The index is built by BEFORE. Both must read the same index format.
# shellcheck source-path=SCRIPTDIR source=../scripts/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../scripts/lib.sh"

[ $# -ge 2 ] || { sed -n 's/^# \?//; 2,13p' "$0" >&2; exit 2; }
before=$1
DATA=$(cd "$2" && pwd -P)
shift 2
[ $# -gt 0 ] || set -- sentences300
PASSES=${PASSES:-7} K=${K:-10} BUILDS=${BUILDS:-0} INSERTS=${INSERTS:-0}
values=$(tr ' ' ',' <<< "${EF:-80 160}")
SIDES=(before after)

note() { printf '%(%H:%M:%S)T %s\n' -1 "$*" >&2; }
use_server
WORK=$(home)/pair
own_dir "$WORK"
PROGRAMS=$WORK/programs
OUT=$WORK/out
mkdir -p "$OUT"
trap '[ -n "${KEEP:-}" ] || for side in "${SIDES[@]}"; do server_remove "$WORK/$side"; done' EXIT

note "building"
if [ ! -d "$before" ]; then
	[ -d "$WORK/source" ] || git -C "$ROOT" worktree add --force -q --detach "$WORK/source" "$before"
	git -C "$WORK/source" checkout -q --detach "$before"
	before=$WORK/source
fi
for source in "$before" "$ROOT"; do
	make -C "$source" -s -j "$(nproc)" PG_CONFIG="$PG_CONFIG" all > "$OUT/build.log" 2>&1 || die "the build of $source failed: $OUT/build.log"
	rm -rf "$source/build/stage"
	make -C "$source" -s PG_CONFIG="$PG_CONFIG" DESTDIR=build/stage install > /dev/null
done
make -C "$ROOT/bench/compare" -s OUT="$PROGRAMS" "$PROGRAMS"/{search,write,generate,truth}

source_of() { [ "$1" = before ] && say "$before" || say "$ROOT"; }
sql() {
	local side=$1
	shift
	server_psql "$WORK/$side" postgres -At "$@"
}
where() { say "host=$(socket_dir "$WORK/$1") user=postgres dbname=postgres"; }
# start SIDE SHARED_BUFFERS
start() {
	own_dir "$WORK/$1"
	server_start "$WORK/$1" "$(source_of "$1")/build/stage" <<-CONF
		shared_buffers = ${BUFFERS:-3GB}
		maintenance_work_mem = 2GB
		max_wal_size = 32GB
		checkpoint_timeout = 1h
		autovacuum = off
		jit = off
		max_parallel_maintenance_workers = ${WORKERS:-0}
	CONF
}
# fact SET NAME: what bench/compare knows of it
fact() {
	(cd "$ROOT/bench/compare" && python3 -B -c "import sys; from harness.sets import SETS; print(getattr(SETS[sys.argv[1]], sys.argv[2]))" "$@")
}
prepare() {
	(cd "$ROOT/bench/compare" && python3 -B -c "import sys; from harness.sets import SETS, Files; Files(SETS[sys.argv[1]], *sys.argv[2:]).prepare()" \
		"$1" "$WORK" "$DATA" "$PROGRAMS")
}
# median FILE COLUMN LABEL, least FILE COLUMN LABEL
column() { awk -F '\t' -v label="$3" -v column="$2" '$1 == label { print $column }' "$1" | sort -n; }
median() { column "$@" | awk '{ a[NR] = $1 } END { print a[int((NR + 1) / 2)] }'; }
least() { column "$@" | head -n 1; }
ratio() { awk -v a="$1" -v b="$2" 'BEGIN { printf "%.3f", b / a }'; }
seconds() { awk -v from="$1" -v to="$EPOCHREALTIME" 'BEGIN { printf "%.2f", to - from }'; }

# row SET WHAT LABEL FIGURE: of the column FIGURE (mean, p50, p95) of both sides' files
row() {
	local b=$OUT/$1.before a=$OUT/$1.after
	printf '| %s | %s | %s | %s | %s | %s | %s | %s | %s |\n' "$1" "$2" "$(median "$b" 2 "$3")" \
		"$(median "$b" "$4" "$3")" "$(median "$a" "$4" "$3")" "$(ratio "$(median "$b" "$4" "$3")" "$(median "$a" "$4" "$3")")" \
		"$(least "$b" "$4" "$3")" "$(least "$a" "$4" "$3")" "$(ratio "$(least "$b" "$4" "$3")" "$(least "$a" "$4" "$3")")"
}

for set in "$@"; do
	prepare "$set"
	files=$WORK/sets/$set
	rows=$(($(stat -c %s "$files/base.fvecs") / (4 * ($(od -An -td4 -N4 "$files/base.fvecs") + 1))))
	opclass=vector_$(fact "$set" metric)_ops
	operator=$([ "$(fact "$set" metric)" = cosine ] && say '<=>' || say '<->')
	note "$set: loading and building, by the version before"
	start before
	if [ "$(sql before -c "SELECT obj_description(to_regclass('$set'))")" != ready ]; then
		sql before -c 'CREATE EXTENSION IF NOT EXISTS vectorizer' -c 'CREATE EXTENSION IF NOT EXISTS pg_prewarm'
		sql before -c "SET client_min_messages = warning" -c "DROP TABLE IF EXISTS $set" \
			-c "CREATE TABLE $set (id integer, v vector($(od -An -td4 -N4 "$files/base.fvecs" | tr -d ' ')))"
		"$PROGRAMS/write" where="$(where before)" table="$set" base="$files/base.fvecs"
		sql before -c "VACUUM ANALYZE $set" -c "CREATE INDEX ${set}_hnsw ON $set USING hnsw (v $opclass) WITH (m = 16, ef_construction = 64)" \
			-c "COMMENT ON TABLE $set IS 'ready'"
		server_stop "$WORK/before"
		if [ -d "$WORK/after/data" ]; then server_stop "$WORK/after"; fi
		as_server rm -rf "$WORK/after/data"
		own_dir "$WORK/after"
		as_server cp -a "$WORK/before/data" "$WORK/after/data"
		start before
	fi
	start after
	for side in "${SIDES[@]}"; do
		: > "$OUT/$set.$side"
		rm -f "$OUT/$set.$side.answers"
		sql "$side" -c "SELECT sum(pg_prewarm(oid)) FROM (SELECT oid FROM pg_class WHERE relname IN ('$set', '${set}_hnsw')
			UNION ALL SELECT reltoastrelid FROM pg_class WHERE relname = '$set' AND reltoastrelid <> 0) AS parts" > /dev/null
	done
	for ((pass = 1; pass <= PASSES; pass++)); do
		note "$set: searches, pass $pass of $PASSES"
		for side in "${SIDES[@]}"; do
			answers=
			[ "$pass" -gt 1 ] || answers=$OUT/$set.$side.answers
			"$PROGRAMS/search" where="$(where "$side")" sql="SELECT id FROM $set ORDER BY v $operator \$1 LIMIT $K" \
				session='SET plan_cache_mode = force_generic_plan; SET enable_seqscan = off' queries="$files/query.fvecs" \
				truth="$files/truth.ivecs" k="$K" setting=vectorizer.ef_search values="$values" answers="$answers" >> "$OUT/$set.$side"
		done
	done
	for ((pass = 1; pass <= BUILDS; pass++)); do
		note "$set: builds, pair $pass of $BUILDS"
		for side in "${SIDES[@]}"; do
			sql "$side" -c "DROP INDEX IF EXISTS again" -c CHECKPOINT
			from=$EPOCHREALTIME
			sql "$side" -c "CREATE INDEX again ON $set USING hnsw (v $opclass) WITH (m = 16, ef_construction = 64)"
			taken=$(seconds "$from")
			sql "$side" -c "BEGIN" -c "DROP INDEX ${set}_hnsw" -c "ALTER INDEX again RENAME TO ${set}_hnsw" -c COMMIT
			recall=$("$PROGRAMS/search" where="$(where "$side")" sql="SELECT id FROM $set ORDER BY v $operator \$1 LIMIT $K" \
				session='SET plan_cache_mode = force_generic_plan; SET enable_seqscan = off' queries="$files/query.fvecs" \
				truth="$files/truth.ivecs" k="$K" setting=vectorizer.ef_search values=80 | awk -F '\t' '$1 == 80 { print $2 }')
			printf 'build\t%s\t%s\n' "$recall" "$taken" >> "$OUT/$set.$side"
		done
	done
	if [ "$INSERTS" -gt 0 ]; then
		for side in "${SIDES[@]}"; do
			sql "$side" -c "DROP INDEX ${set}_hnsw" -c "COMMENT ON TABLE $set IS NULL" -c "DELETE FROM $set WHERE id >= $((rows * 9 / 10))" \
				-c "VACUUM $set" -c "CREATE INDEX ${set}_hnsw ON $set USING hnsw (v $opclass) WITH (m = 16, ef_construction = 64)"
		done
		for ((pass = 1; pass <= INSERTS; pass++)); do
			note "$set: inserts, pair $pass of $INSERTS"
			for side in "${SIDES[@]}"; do
				sql "$side" -c CHECKPOINT
				"$PROGRAMS/write" where="$(where "$side")" table="$set" base="$files/base.fvecs" from=$((rows * 9 / 10 + (pass - 1) * rows / 10 / INSERTS)) \
					to=$((rows * 9 / 10 + pass * rows / 10 / INSERTS)) rows_a_transaction=100 >> "$OUT/$set.$side"
			done
		done
	fi
done

printf '| set | what | recall@%s | before, median | after | ratio | before, least | after | ratio |\n|---|---|---|---|---|---|---|---|---|\n' "$K"
for set in "$@"; do
	for ef in ${EF:-80 160}; do
		row "$set" "ef $ef, mean, us" "$ef" 3
		row "$set" "ef $ef, p95, us" "$ef" 5
	done
	[ "$BUILDS" = 0 ] || row "$set" "build, s" build 3
	[ "$INSERTS" = 0 ] || row "$set" "insert, us a row" insert 3
	if cmp -s "$OUT/$set.before.answers" "$OUT/$set.after.answers"; then
		say "$set: the same answers, $(wc -l < "$OUT/$set.before.answers") lists"
	else
		say "$set: $(cmp -l "$OUT/$set.before.answers" "$OUT/$set.after.answers" | wc -l) bytes of the answers differ"
	fi
done
