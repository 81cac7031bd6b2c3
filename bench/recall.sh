#!/bin/bash
# Recall, latency, build time and size of hnsw indexes of every code, on a private server, as a Markdown table on standard
# output. What the columns mean and where data comes from: README.md beside this file.
#
# usage: bench/recall.sh [DATA [SET[:METRIC]...]]
#        DATA    folder with a folder per set: base.fvecs.xz (or bvecs), query.fvecs.xz, groundtruth.ivecs.xz; test/data by
#                default, which holds subsets of 10,000 rows
#        SET     a folder in it, all by default; METRIC is l2, ip, cosine or l1: known for the sets of test/data
# Environment: CODES ("none 8 4"), ORDERS ("before after"), EF ("20 40 80 160 320"), PG_CONFIG.
# shellcheck source-path=SCRIPTDIR source=../scripts/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../scripts/lib.sh"

DATA=$(cd "${1:-$ROOT/test/data}" && pwd -P)
shift || true
# shellcheck disable=SC2046 # a list of names
[ $# -gt 0 ] || set -- $(cd "$DATA" && for set in */base.?vecs.xz; do say "${set%/*}"; done)
read -ra CODES <<< "${CODES:-none 8 4}"
read -ra ORDERS <<< "${ORDERS:-before after}"
read -ra EF <<< "${EF:-20 40 80 160 320}"

declare -A operator=([l2]='<->' [ip]='<#>' [cosine]='<=>' [l1]='<+>')
declare -A metric_of=([fashion784]=l2 [sentences300]=cosine)
declare -A options=([none]='quantization = none' [8]='quantization = scalar, bits = 8' [4]='quantization = scalar, bits = 4')

note() { printf '%(%H:%M:%S)T %s\n' -1 "$*" >&2; }
sql() { server_psql "$SERVER" postgres -At "$@"; }
seconds() { awk -v from="$1" -v to="$EPOCHREALTIME" 'BEGIN { printf "%.1f", to - from }'; }

# load TABLE TYPE SET FILE: fills a new table (id, v) from whichever of the formats the file is in.
load() {
	local file
	for file in "$DATA/$3/$4".?vecs.xz; do
		sql -c "CREATE TABLE $1 (id integer, v $2)"
		file=${file%.xz}
		xz -dc "$file.xz" | perl "$ROOT/test/data/vecs.pl" "${file##*.}" |
			sql -c "COPY $1 FROM STDIN (FORMAT binary)"
	done
}

# measure TABLE CODE ORDER SECONDS: prints the row of one index.
measure() {
	local ef bytes found
	sql <<-SQL
		VACUUM ANALYZE $1;
		CREATE OR REPLACE FUNCTION probe(query vector) RETURNS integer[] LANGUAGE plpgsql AS \$\$
		BEGIN
			RETURN ARRAY(SELECT id FROM $1 ORDER BY v ${operator[$metric]} query LIMIT 10);
		END \$\$;
	SQL
	sql -c "SET enable_seqscan = off" -c "EXPLAIN SELECT id FROM $1 ORDER BY v ${operator[$metric]} (SELECT v FROM query LIMIT 1) LIMIT 10" |
		grep -q 'Index Scan using measured on' || die "the index is not used"
	bytes=$(sql -c "SELECT pg_relation_size('measured')")
	[ "$2" != none ] || fp32_bytes=$bytes
	printf '| %s | %s | %s | %s | %.1f | %s |' "$set" "$2" "$3" "$4" \
		"$(awk "BEGIN { print $bytes / 1048576 }")" \
		"$([ -z "${fp32_bytes:-}" ] || awk "BEGIN { printf \"%.2f\", $bytes / $fp32_bytes }")"
	for ef in "${EF[0]}" "${EF[@]}"; do  # the first once more: to warm up
		found=$(sql -c "SET enable_seqscan = off" -c "SET plan_cache_mode = force_generic_plan" \
			-c "SET vectorizer.ef_search = $ef" -c "SELECT format('%s / %s', to_char(recall, '0.0000'), round(ms, 2)) FROM recall()")
		[ -z "${warm:-}" ] || printf ' %s |' "${found# }"
		warm=yes
	done
	warm=
	printf '\n'
}

say "   building" >&2
use_server
mkdir -p "$LOCAL"
build "$LOCAL/bench-build.log" all >&2
stage_build > /dev/null
SERVER=$(home)/bench
trap 'server_remove "$SERVER"' EXIT
own_dir "$SERVER"
server_start "$SERVER" <<-'CONF'
	shared_buffers = 1GB
	maintenance_work_mem = 1GB
	max_wal_size = 8GB
	autovacuum = off
	jit = off
CONF
sql <<-'SQL'
	CREATE EXTENSION vectorizer;
	CREATE FUNCTION recall(OUT recall numeric, OUT ms numeric) LANGUAGE plpgsql AS $$
	DECLARE
		started timestamptz;
		found integer[];
		ask record;
		queries integer := 0;
		hits integer := 0;
		spent numeric := 0;
	BEGIN
		FOR ask IN SELECT query.v, truth.v[1:10] AS nearest FROM query JOIN truth USING (id) LOOP
			started := clock_timestamp();
			found := probe(ask.v);
			spent := spent + extract(epoch FROM clock_timestamp() - started) * 1000;
			queries := queries + 1;
			hits := hits + (SELECT count(*) FROM unnest(found) AS id WHERE id = ANY (ask.nearest));
		END LOOP;
		recall := hits / (10.0 * queries);
		ms := spent / queries;
	END $$;
SQL

printf '| set | code | rows loaded | build, s | MB | to fp32 |'
printf ' ef %s: recall@10 / ms |' "${EF[@]}"
printf '\n|---|---|---|---|---|---|'
for _ in "${EF[@]}"; do printf -- '---|'; done
printf '\n'
for named in "$@"; do
	set=${named%:*}
	metric=${metric_of[$set]:-}
	[ "$named" = "$set" ] || metric=${named#*:}
	[ -n "${operator[$metric]:-}" ] || die "which metric is $set for? say $set:l2, $set:ip, $set:cosine or $set:l1"
	note "$set: loading"
	sql -c 'SET client_min_messages = warning' -c 'DROP TABLE IF EXISTS base, query, truth'
	dimensions=$({ xz -dc "$DATA/$set"/base.?vecs.xz 2> /dev/null || true; } | od -An -td4 -N4 | tr -d ' ')
	load base "vector($dimensions)" "$set" base
	load query vector "$set" query
	load truth 'integer[]' "$set" groundtruth
	for order in "${ORDERS[@]}"; do
		fp32_bytes=
		for code in "${CODES[@]}"; do
			note "$set: $code, rows loaded $order CREATE INDEX"
			create="USING hnsw (v vector_${metric}_ops) WITH (m = 16, ef_construction = 64, ${options[$code]})"
			started=$EPOCHREALTIME
			if [ "$order" = before ]; then
				sql -c "CREATE INDEX measured ON base $create"
				measure base "$code" "$order" "$(seconds "$started")"
				sql -c 'DROP INDEX measured'
			else
				sql -c "CREATE TABLE later (id integer, v vector($dimensions))" -c "CREATE INDEX measured ON later $create" \
					-c 'INSERT INTO later SELECT * FROM base ORDER BY id'
				measure later "$code" "$order" "$(seconds "$started")"
				sql -c 'DROP TABLE later'
			fi
		done
	done
done
