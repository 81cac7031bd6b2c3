#!/bin/bash
# nDCG@10 of vectorizer.search() in its three modes on the Cranfield collection (1,400 abstracts, 225 queries), through a
# project of one .txt file an abstract, on a private server. How it is counted: README.md beside this file.
#
# usage: bench/cranfield.sh DATA         folder with cran.all.1400.xz, cran.qry and cranqrel; an abstract is a chunk
#        bench/cranfield.sh DATA 1200    abstracts are cut into chunks of so many characters
#        bench/cranfield.sh DATA dimensions   and of embeddings of other dimensions
#        bench/cranfield.sh DATA split   and of abstracts that lie in several collections, which are searched together
#        bench/cranfield.sh DATA drift   and of a model that has learnt from a half of them, or a little more
# shellcheck source-path=SCRIPTDIR source=../scripts/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../scripts/lib.sh"

[ $# = 1 ] || [ $# = 2 ] || die "which folder holds cran.all.1400.xz, cran.qry and cranqrel?"
MORE=
SIZE=${2:-20000}
case $SIZE in split | drift | dimensions)
	MORE=$SIZE
	SIZE=20000
esac
DATA=$(cd "$1" && pwd -P)
use_server
build /dev/null all > /dev/null
stage_build > /dev/null
SERVER=$(home)/cranfield
trap 'server_remove "$SERVER"' EXIT
own_dir "$SERVER"
server_start "$SERVER" <<< "vectorizer.allowed_roots = $(quote_path "$SERVER")"
sql() { server_psql "$SERVER" postgres -At "$@"; }
unix_lines() { tr -d '\r'; }  # some copies have others

# Of each document the part after .W, which begins with its title.
as_server mkdir "$SERVER/docs"
# shellcheck disable=SC2016 # awk's own
xz -dc "$DATA/cran.all.1400.xz" | unix_lines | as_server_in "$SERVER/docs" awk '
	/^\.I / { close(file); file = sprintf("%04d.txt", $2); body = 0; next }
	/^\.[ABTW]$/ { body = /[TW]/; next }
	body { print > file }'
sql -c 'CREATE EXTENSION vectorizer' -c 'CREATE TABLE query (id serial, words text)' \
	-c 'CREATE TABLE judgement (query int, document int, grade int)'
# Judgements count the queries from 1 in the order of the file.
unix_lines < "$DATA/cran.qry" | awk '/^\.I / { if (words) print words; words = ""; next } /^\.W$/ { next } { words = words " " $0 } END { print words }' |
	tr -s '\\ ' ' ' | sql -c 'COPY query (words) FROM STDIN'
unix_lines < "$DATA/cranqrel" | awk 'NF >= 3 { grade[$1 "\t" $2] = $3 } END { for (pair in grade) print pair "\t" grade[pair] }' |
	sql -c 'COPY judgement FROM STDIN'
sql -c "SELECT vectorizer.pause('cranfield') FROM vectorizer.add_project('cranfield', '$SERVER/docs', chunk_size => $SIZE, chunk_overlap => $((SIZE / 8)))" \
	-c "SELECT files || ' files, ' || chunks || ' chunks' FROM vectorizer.sync('cranfield')"

sql <<-'SQL'
	CREATE FUNCTION ndcg(collections text, mode text) RETURNS numeric LANGUAGE sql AS $$
		WITH hit AS (
			SELECT q.id AS query, s.path, min(s.rank) AS rank
			FROM query q, LATERAL (SELECT path, row_number() OVER () AS rank
				FROM vectorizer.search(collections, q.words, 60, mode)) s
			GROUP BY 1, 2
		), gained AS (
			SELECT query, lpad(document::text, 4, '0') || '.txt' AS path, (2 ^ (5 - grade))::int - 1 AS gain
			FROM judgement WHERE grade BETWEEN 1 AND 4
		), found AS (
			SELECT query, sum(coalesce(gain, 0) / log(2, place + 1)) AS dcg
			FROM (SELECT query, path, row_number() OVER (PARTITION BY query ORDER BY rank) AS place FROM hit) h
			LEFT JOIN gained USING (query, path) WHERE place <= 10 GROUP BY 1
		), ideal AS (
			SELECT query, sum(gain / log(2, place + 1)) AS dcg
			FROM (SELECT query, gain, row_number() OVER (PARTITION BY query ORDER BY gain DESC) AS place FROM gained) g
			WHERE place <= 10 GROUP BY 1
		)
		SELECT round(avg(coalesce(f.dcg, 0) / i.dcg), 4) FROM ideal i LEFT JOIN found f USING (query)
	$$;
SQL
for mode in text vector hybrid; do
	sql -c "SELECT '$mode nDCG@10 ' || ndcg('cranfield', '$mode')"
done
if [ "$MORE" = dimensions ]; then
	say "| dimension | vector | hybrid |"
	say "|---|---|---|"
	for dimension in 25 50 100 150 200 300 400 600; do
		sql -v dimension="$dimension" <<-'SQL'
			SELECT vectorizer.alter_collection('cranfield', dimension => :dimension) \g /dev/null
			SELECT vectorizer.sync('cranfield') \g /dev/null
			SELECT format('| %s | %s | %s |', dimension, ndcg('cranfield', 'vector'), ndcg('cranfield', 'hybrid'))
			FROM vectorizer.collections WHERE next_model IS NULL;
		SQL
	done
fi
if [ "$MORE" = drift ]; then
	# A model is trained anew once there are twice as many chunks: this is as far as it gets from them. First in the order of the file
	# (whose abstracts are by topic, more or less), then in no order.
	for order in path 'md5(path)'; do
		for share in 50.1 75 100; do
			sql -v order="$order" -v share="$share" <<-'SQL'
				SELECT vectorizer.create_collection('drift') \g /dev/null
				CREATE TEMP TABLE abstract AS SELECT path, content, row_number() OVER (ORDER BY :order) AS place, count(*) OVER () AS of FROM vectorizer_data.cranfield;
				INSERT INTO vectorizer_data.drift (path, content) SELECT path, content FROM abstract WHERE place <= of * :share / 100 ORDER BY place;
				SELECT vectorizer.refresh_collection('drift') \g /dev/null
				INSERT INTO vectorizer_data.drift (path, content) SELECT path, content FROM abstract WHERE place > of * :share / 100 ORDER BY place;
				SELECT vectorizer.refresh_collection('drift') \g /dev/null
				SELECT format('learnt from %s %% by %s (drift %s): text %s vector %s hybrid %s', :share, :'order',
					(SELECT round(drift::numeric, 2) FROM vectorizer.collections WHERE name = 'drift'),
					ndcg('drift', 'text'), ndcg('drift', 'vector'), ndcg('drift', 'hybrid'));
				SELECT vectorizer.drop_collection('drift') \g /dev/null
			SQL
		done
	done
fi
[ "$MORE" = split ] || exit 0

# Collections of the same abstracts, several ways: SPLIT.0, SPLIT.1, ...
sql <<-'SQL'
	CREATE TABLE part (split text, path text, n bigint);
	CREATE TABLE shuffled AS SELECT path, row_number() OVER (ORDER BY md5(path)) - 1 AS place, count(*) OVER () AS of FROM vectorizer_data.cranfield;
	INSERT INTO part SELECT 'random' || n, path, place % n FROM shuffled, unnest('{2,4,8}'::int[]) n;
	INSERT INTO part SELECT 'unequal3', path, CASE WHEN place < 0.8 * of THEN 0 WHEN place < 0.95 * of THEN 1 ELSE 2 END FROM shuffled;
	INSERT INTO part SELECT 'unequal8', path, least(7, floor(-log(2, (place + 0.5) / of))) FROM shuffled;  -- each half of the one before

	-- By topic: k-means on the embeddings of all, from abstracts far from each other.
	CREATE FUNCTION by_topic(topics int) RETURNS SETOF part LANGUAGE plpgsql AS $$
	BEGIN
		CREATE TEMP TABLE centre AS SELECT 0 AS n, embedding AS at FROM vectorizer_data.cranfield ORDER BY path LIMIT 1;
		FOR i IN 1 .. topics - 1 LOOP
			INSERT INTO centre SELECT i, d.embedding FROM vectorizer_data.cranfield d WHERE d.embedding IS NOT NULL
				ORDER BY (SELECT min(d.embedding <=> c.at) FROM centre c) DESC, d.path LIMIT 1;
		END LOOP;
		FOR i IN 1 .. 20 LOOP
			CREATE TEMP TABLE moved AS
				SELECT c.n, l2_normalize(avg(d.embedding ORDER BY d.path)) AS at
				FROM vectorizer_data.cranfield d, LATERAL (SELECT n FROM centre ORDER BY at <=> d.embedding, n LIMIT 1) c
				WHERE d.embedding IS NOT NULL GROUP BY 1;
			DROP TABLE centre;
			ALTER TABLE moved RENAME TO centre;
		END LOOP;
		RETURN QUERY SELECT 'topics' || topics, d.path, c.n::bigint
			FROM vectorizer_data.cranfield d, LATERAL (SELECT n FROM centre ORDER BY at <=> d.embedding, n LIMIT 1) c;
		DROP TABLE centre;
	END $$;
	INSERT INTO part SELECT p.* FROM unnest('{2,4,8}'::int[]) n, by_topic(n) p;

	DO $$
	DECLARE
		made record;
	BEGIN
		FOR made IN SELECT split, n, format('%s.%s', split, n) AS name FROM part GROUP BY 1, 2 ORDER BY 1, 2 LOOP
			PERFORM vectorizer.create_collection(made.name);
			EXECUTE format('INSERT INTO vectorizer_data.%I (path, content, metadata)
				SELECT path, content, metadata FROM vectorizer_data.cranfield JOIN part USING (path)
				WHERE split = $1 AND n = $2 ORDER BY path', made.name) USING made.split, made.n;
			PERFORM vectorizer.refresh_collection(made.name);
		END LOOP;
	END $$;
SQL
# Beside them what answers none of the queries: these pages, which are few, and the server's manual.
put "$ROOT/docs" "$SERVER/pages"
sql -qc "SELECT FROM vectorizer.add_project('pages', '$SERVER/pages')" -c "SELECT FROM vectorizer.sync('pages')"
if [ -e "$(manual)/index.html" ]; then
	put "$(manual)" "$SERVER/manual"
	sql -qc "SELECT FROM vectorizer.add_project('manual', '$SERVER/manual')" -c "SELECT FROM vectorizer.sync('manual')"
fi
sql <<-'SQL'
	SELECT format('%s: %s', split, string_agg(abstracts::text, ', ' ORDER BY n))
	FROM (SELECT split, n, count(*) AS abstracts FROM part GROUP BY 1, 2) p GROUP BY split ORDER BY split;
	SELECT format('%s: %s chunks', name, chunks) FROM vectorizer.collections WHERE name IN ('pages', 'manual') ORDER BY name;
SQL
say "| collections | text | vector | hybrid |"
say "|---|---|---|---|"
for collections in random2.'*' random4.'*' random8.'*' unequal3.'*' unequal8.'*' topics2.'*' topics4.'*' topics8.'*' \
	'cranfield, pages' 'cranfield, pages, manual' 'random4.*, pages, manual' 'topics4.*, pages, manual'; do
	case $collections in *manual) [ -e "$(manual)/index.html" ] || continue ;; esac
	sql -v of="$collections" <<-'SQL'
		SELECT format('| %s | %s | %s | %s |', :'of', ndcg(:'of', 'text'), ndcg(:'of', 'vector'), ndcg(:'of', 'hybrid'));
	SQL
done
