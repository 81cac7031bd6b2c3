#!/bin/bash
# nDCG@10 of vectorizer.search() in its three modes on the Cranfield collection (1,400 abstracts, 225 queries), through a
# project of one .txt file an abstract, on a private server. How it is counted: README.md beside this file.
#
# usage: bench/cranfield.sh DATA         folder with cran.all.1400.xz, cran.qry and cranqrel; an abstract is a chunk
#        bench/cranfield.sh DATA 1200    abstracts are cut into chunks of so many characters
# shellcheck source-path=SCRIPTDIR source=../scripts/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../scripts/lib.sh"

[ $# = 1 ] || [ $# = 2 ] || die "which folder holds cran.all.1400.xz, cran.qry and cranqrel?"
SIZE=${2:-20000}
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

for mode in text vector hybrid; do
	sql -v mode="$mode" <<-'SQL'
		WITH hit AS (
			SELECT q.id AS query, split_part(s.path, '.', 1)::int AS document, min(s.rank) AS rank
			FROM query q, LATERAL (SELECT path, row_number() OVER () AS rank
				FROM vectorizer.search('cranfield', q.words, 60, :'mode')) s
			GROUP BY 1, 2
		), gained AS (
			SELECT query, document, (2 ^ (5 - grade))::int - 1 AS gain FROM judgement WHERE grade BETWEEN 1 AND 4
		), found AS (
			SELECT query, sum(coalesce(gain, 0) / log(2, place + 1)) AS dcg
			FROM (SELECT query, document, row_number() OVER (PARTITION BY query ORDER BY rank) AS place FROM hit) h
			LEFT JOIN gained USING (query, document) WHERE place <= 10 GROUP BY 1
		), ideal AS (
			SELECT query, sum(gain / log(2, place + 1)) AS dcg
			FROM (SELECT query, gain, row_number() OVER (PARTITION BY query ORDER BY gain DESC) AS place FROM gained) g
			WHERE place <= 10 GROUP BY 1
		)
		SELECT format('%s nDCG@10 %s', :'mode', round(avg(coalesce(f.dcg, 0) / i.dcg), 4))
		FROM ideal i LEFT JOIN found f USING (query);
	SQL
done
