#!/bin/bash
# What vectorizer.search() takes over PostgreSQL's manual, which make quickstart indexes: milliseconds by mode, and of the first
# search of a session.
#
# usage: bench/search.sh [BEFORE]     BEFORE: a checkout of another version, measured in turn with this one
# Environment: PASSES (5), SESSIONS (11).
# shellcheck source-path=SCRIPTDIR source=../scripts/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../scripts/lib.sh"

use_server
checkouts=(${1:+"$(cd "$1" && pwd -P)"} "$ROOT")
OUT=$LOCAL/search-bench
mkdir -p "$OUT"
for checkout in "${checkouts[@]}"; do
	make -C "$checkout" -s quickstart > "$OUT/quickstart.log" 2>&1 || die "make quickstart failed in $checkout: $OUT/quickstart.log"
done

# ask CHECKOUT PSQL_ARGUMENT...: what it prints, unaligned
ask() {
	local dsn
	dsn=$(make -C "$1" -s dsn)
	shift
	as_server "$BINDIR/psql" -X -q -At -v ON_ERROR_STOP=1 -d "$dsn" "$@"
}

measure() {
	cat <<-SQL
		SET client_min_messages = warning;
		CREATE TEMP TABLE question (id serial, question text);
		COPY question (question) FROM STDIN;
	SQL
	cat "$ROOT/bench/questions/manual.txt"
	cat <<-SQL
		\\.
		CREATE TEMP TABLE taken (mode text, pass integer, ms float8);
		DO \$\$
		DECLARE
			mode text;
			question text;
			started timestamptz;
		BEGIN
			FOR pass IN 0 .. ${PASSES:-5} LOOP
				FOREACH mode IN ARRAY '{vector,text,hybrid}'::text[] LOOP
					FOR question IN SELECT q.question FROM question q ORDER BY q.id LOOP
						started := clock_timestamp();
						PERFORM * FROM vectorizer.search('manual', question, mode => mode);
						INSERT INTO taken VALUES (mode, pass, extract(epoch FROM clock_timestamp() - started) * 1000);
					END LOOP;
				END LOOP;
			END LOOP;
		END \$\$;
		SELECT format('%s: mean %s ms, median %s', mode, round(avg(ms)::numeric, 2), round(percentile_cont(0.5) WITHIN GROUP (ORDER BY ms)::numeric, 2))
		FROM taken WHERE pass > 0 GROUP BY mode ORDER BY array_position('{vector,text,hybrid}', mode);
	SQL
}

first_search() {
	local i
	for ((i = 0; i < ${SESSIONS:-11}; i++)); do
		ask "$1" -c 'SELECT 1' -c '\timing on' -c "SELECT path FROM vectorizer.search('manual', 'how do I set up streaming replication')" |
			sed -n 's/^Time: \([0-9.]*\) ms.*/\1/p'
	done | sort -n | awk '{ all[NR] = $1 } END { printf "first of a session: median %s ms\n", all[int((NR + 1) / 2)] }'
}

for checkout in "${checkouts[@]}"; do
	say "== $(git -c safe.directory='*' -C "$checkout" describe --always --dirty 2>/dev/null || say "$checkout")"
	ask "$checkout" -c 'VACUUM ANALYZE vectorizer_data.manual'  # as autovacuum does some time after the last change
	measure > "$OUT/measure.sql"
	ask "$checkout" -f - < "$OUT/measure.sql"
	first_search "$checkout"
done
