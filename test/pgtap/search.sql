-- search(): arguments, modes, filters, and what it shows to whom.
\ir files.psql
BEGIN;
SELECT plan(54);

SELECT pg_temp.put(:'files' || '/sea/whale.txt', 'The whale is the largest animal of the ocean and breathes air.');
SELECT pg_temp.put(:'files' || '/sea/shark.txt', 'The shark is a fish of the ocean with many teeth.');
SELECT pg_temp.put(:'files' || '/land/wolf.html', '<title>Wolves</title><h1>Wolf</h1><p>The wolf hunts deer in packs.</p>');
SELECT pg_temp.put(:'files' || '/land/deer.txt', 'The deer eats grass and flees from the wolf.');
SELECT vectorizer.add_project('zoo', :'files', collections => '[
	{"name": "zoo.sea", "include": ["sea/**"]}, {"name": "zoo.land", "include": ["land/**"]}]');
SELECT vectorizer.sync('zoo');

SELECT is((SELECT path FROM vectorizer.search('zoo.sea', 'whale', 1)), 'sea/whale.txt', 'a path is relative to the root');
SELECT is((SELECT collection FROM vectorizer.search('zoo.sea, zoo.land', 'wolf', 1)), 'zoo.land', 'a comma list');
SELECT is((SELECT collection FROM vectorizer.search('zoo.*', 'shark', 1)), 'zoo.sea', 'a pattern');
SELECT is((SELECT count(*) FROM vectorizer.search('zoo.*,zoo.sea', 'ocean wolf')), 4::bigint, 'no chunk is found twice');
SELECT is((SELECT snippet FROM vectorizer.search('zoo.sea', 'teeth', 1)),
	'shark is a fish of the ocean with many **teeth**', 'the snippet marks words');
SELECT is((SELECT metadata ->> 'title' FROM vectorizer.search('zoo.land', 'hunts', 1)), 'Wolves', 'metadata');
SELECT is((SELECT path FROM vectorizer.search('zoo.land', 'hunting in a pack', 1)), 'land/wolf.html', 'words are stemmed');
SELECT is((SELECT path FROM vectorizer.search('zoo.land', 'what do deer, zebra and xylophone eat?', 1)), 'land/deer.txt',
	'a question needs not match in every word');

SELECT ok((SELECT vector_rank = 1 AND text_rank = 1 AND score = 1 FROM vectorizer.search('zoo.sea', 'whale', 1)),
	'first in both lists is 1');
SELECT ok((SELECT bool_and(text_rank IS NULL AND vector_rank IS NOT NULL) FROM vectorizer.search('zoo.sea', 'whale', 5, 'vector')),
	'mode vector');
SELECT ok((SELECT bool_and(vector_rank IS NULL AND text_rank IS NOT NULL) FROM vectorizer.search('zoo.sea', 'whale', 5, 'text')),
	'mode text');
SELECT is((SELECT count(*) FROM vectorizer.search('zoo.sea', 'whale', 5, 'text')), 1::bigint, 'text alone finds matches alone');
SELECT is((SELECT count(*) FROM vectorizer.search('zoo.*', 'wolf', filter => '{"title": "Wolves"}')), 1::bigint, 'a filter');
SELECT is_empty('SELECT * FROM vectorizer.search(''zoo.*'', ''wolf'', filter => ''{"title": "Cats"}'')', 'that nothing passes');
SELECT is((SELECT count(*) FROM vectorizer.search('zoo.*', 'ocean wolf', 2)), 2::bigint, 'k');
SELECT is((SELECT count(*) FROM vectorizer.search('zoo.sea', 'whale', min_score => 0.9)), 1::bigint, 'min_score');
SELECT is_empty('SELECT * FROM vectorizer.search(''zoo.sea'', ''qwertyuiop'')', 'unknown words find nothing');
SELECT is_empty('SELECT * FROM vectorizer.search(''zoo.sea'', ''the of and'')', 'nor do stop words');
SELECT is_empty('SELECT * FROM vectorizer.search(''zoo.sea'', '''')', 'nor an empty query');
SELECT lives_ok('SELECT * FROM vectorizer.search(''zoo.sea'', E''it''''s "a" \\ & | ! ( :* <-> test'')', 'no query is a syntax error');
SELECT is(vectorizer.embed('qwertyuiop', 'zoo.sea'), NULL, 'a text of unknown words has no embedding');

SELECT throws_ok('SELECT * FROM vectorizer.search(''zoo.see'', ''x'')', '42704', 'collection "zoo.see" does not exist', 'unknown collection');
SELECT is(vectorizer.names_like('zoo.see'), 'Perhaps you meant "zoo.sea".', 'with a hint');
SELECT throws_ok('SELECT * FROM vectorizer.search(''zoo.sea'', ''x'', 0)', '22023', 'k must be between 1 and 1000, not 0', 'k too small');
SELECT throws_ok('SELECT * FROM vectorizer.search(''zoo.sea'', ''x'', 1001)', '22023', 'k must be between 1 and 1000, not 1001', 'k too large');
SELECT throws_ok('SELECT * FROM vectorizer.search(''zoo.sea'', ''x'', mode => ''magic'')', '22023', 'unknown search mode "magic"', 'mode');
SELECT throws_ok('SELECT * FROM vectorizer.search(''zoo.sea'', ''x'', filter => ''[1]'')', '22023', 'the filter must be a JSON object, not [1]', 'filter');
SELECT throws_ok('SELECT * FROM vectorizer.search(''zoo.sea'', null)', '22004', 'the query cannot be null', 'null query');

CREATE ROLE visitor;
GRANT vectorizer_reader TO visitor;
DO $$
BEGIN
	EXECUTE format('GRANT ALL ON ALL TABLES IN SCHEMA %1$s TO PUBLIC; GRANT ALL ON ALL SEQUENCES IN SCHEMA %1$s TO PUBLIC',
		pg_my_temp_schema()::regnamespace);
END
$$;
ALTER TABLE vectorizer_data."zoo.land" ENABLE ROW LEVEL SECURITY;
CREATE POLICY tame ON vectorizer_data."zoo.land" FOR SELECT TO visitor USING (path NOT LIKE '%wolf%');
SET ROLE visitor;
SELECT results_eq('SELECT path FROM vectorizer.search(''zoo.land'', ''wolf deer'')', '{land/deer.txt}'::text[],
	'row-level security holds in search');
RESET ROLE;
SELECT is((SELECT count(*) FROM vectorizer.search('zoo.land', 'wolf deer')), 2::bigint, 'of those it is for');

-- Queries that are no questions
SELECT is_empty(format('SELECT * FROM vectorizer.search(''zoo.*'', %L)', query), format('"%s" finds nothing', query))
	FROM unnest('{"","the of and",!&|()<->:*''}'::text[]) query;
SELECT is((SELECT path FROM vectorizer.search('zoo.*', (SELECT string_agg('w' || i, ' ') FROM generate_series(1, 20000) i) || ' shark', 1)),
	'sea/shark.txt', 'the words that are known count first in a query of twenty thousand');
SELECT throws_ok('SELECT * FROM vectorizer.search('''', ''whale'')', '22023', 'no collection is named', 'no collection');

-- Several collections: what is said in all rows of one is worth little, though it is rare in another, whose model knows next to nothing
-- of the query and so finds a row that is like all it knows.
SELECT vectorizer.create_collection('several.wild', dimension => 16), vectorizer.create_collection('several.cards', dimension => 16);
INSERT INTO vectorizer_data."several.wild" (content)
	SELECT format('The wolf %s in %s, %s.', (ARRAY['hunting', 'sleeping', 'howling', 'running'])[i % 4 + 1],
		(ARRAY['a forest', 'the mountains', 'some valley', 'the snow', 'the night'])[i % 5 + 1], (ARRAY['alone', 'with its pack', 'near a river'])[i % 3 + 1])
	FROM generate_series(1, 40) i;
INSERT INTO vectorizer_data."several.cards" (content)
	SELECT format('Shuffle the cards and deal %s of them to %s.', (ARRAY['four', 'six', 'seven'])[i % 3 + 1], (ARRAY['each player', 'the dealer', 'everybody'])[i % 7 % 3 + 1])
	FROM generate_series(1, 39) i UNION ALL VALUES ('The wolf is a card without a colour.');
SELECT vectorizer.refresh_collection('several.wild'), vectorizer.refresh_collection('several.cards');
SELECT is((SELECT collection FROM vectorizer.search('several.*', 'wolf hunting', 1, mode)), 'several.wild', format('the best of several collections, mode %s', mode))
	FROM unnest('{text,vector,hybrid}'::text[]) mode;
SELECT results_eq($$SELECT vector_rank FROM vectorizer.search('several.*', 'wolf hunting', 10, 'vector')$$, 'SELECT generate_series(1, 10)',
	'in mode vector they come in the order of that rank');
SELECT ok((SELECT bool_and(text_rank IS NULL AND score BETWEEN 0 AND 1) FROM vectorizer.search('several.*', 'wolf hunting', 10, 'vector')),
	'and the score is the similarity');
SELECT results_eq($$SELECT id, text_rank FROM vectorizer.search('several.*', 'hunting', 10, 'text')$$,
	$$SELECT id, text_rank FROM vectorizer.search('several.wild', 'hunting', 10, 'text')$$, 'a collection without the word changes nothing');

-- The text leg looks at those rows only that can be among the best: they are the best of all that hold a word.
SELECT vectorizer.create_collection('words', model => 'none');
SELECT setseed(0.5);
INSERT INTO vectorizer_data.words (content, metadata)
	SELECT string_agg('w' || (60 * power(random(), 3))::integer, ' '), jsonb_build_object('part', i % 3)
	FROM generate_series(1, 3000) i, generate_series(1, 3 + i % 15) j GROUP BY i;
SELECT vectorizer.refresh_collection('words');
CREATE FUNCTION pg_temp.by_all_weights(query text, k integer, filter jsonb DEFAULT '{}') RETURNS TABLE (id bigint, weight float8) LANGUAGE sql AS $$
	SELECT w.id, vectorizer.bm25(w.tsv, w.n_lexemes, p.lexemes, p.idf, p.average_length, p.k1, p.b) AS weight
	FROM vectorizer.parse_query('words', query, 'text') p, vectorizer_data.words w
	WHERE w.tsv @@ p.terms AND w.metadata @> filter ORDER BY weight DESC, w.id LIMIT k
$$;
SELECT results_eq(format('SELECT id, score FROM vectorizer.search(%L, %L, %s, %L)', 'words', query, k, 'text'),
	format('SELECT * FROM pg_temp.by_all_weights(%L, %s)', query, k), format('the best %s by words of "%s"', k, query))
	FROM (VALUES ('w60 w59 w1 w0', 10), ('w60 w0', 300), ('w0 w1 w2 w3', 10), ('w30 w1', 60), ('w0', 10), ('w99 w0', 10), ('w60 w40 w20 w10 w5 w0', 30)) AS v (query, k);
SELECT results_eq($$SELECT id, score FROM vectorizer.search('words', 'w60 w30 w0', 10, 'text', '{"part": 1}')$$,
	$$SELECT * FROM pg_temp.by_all_weights('w60 w30 w0', 10, '{"part": 1}')$$, 'and of those that a filter lets through');

-- bm25() takes the weights of each call, also where they are variables.
CREATE FUNCTION pg_temp.weights() RETURNS SETOF float8 LANGUAGE plpgsql AS $$
DECLARE
	lexemes text[];
	idf float8[];
	weight float8;
BEGIN
	FOREACH lexemes SLICE 1 IN ARRAY '{{a},{b},{a}}'::text[] LOOP
		idf := ARRAY[CASE lexemes[1] WHEN 'a' THEN 2 ELSE 3 END];
		weight := vectorizer.bm25('a:1'::tsvector, 1, lexemes, idf, 1.0);
		RETURN NEXT weight;
	END LOOP;
END
$$;
SELECT results_eq('SELECT * FROM pg_temp.weights()', '{2,0,2}'::float8[], 'weights of each call');

-- Plans that are kept follow the settings that choose between plans.
SET LOCAL enable_seqscan = off;
SET LOCAL enable_sort = off;
CREATE TEMP TABLE found AS SELECT count(*) FROM vectorizer.search('several.wild', 'wolf in a forest', mode => 'vector');
CREATE TEMP TABLE last_search AS SELECT l.index::text AS index, l::text AS said FROM vectorizer.last_search() l;
SELECT is((SELECT index FROM last_search), 'vectorizer_data."several.wild:embedding"', 'by the index');
SET LOCAL enable_seqscan = on;
SET LOCAL enable_sort = on;
SET LOCAL enable_indexscan = off;
TRUNCATE found;
INSERT INTO found SELECT count(*) FROM vectorizer.search('several.wild', 'hunting in the snow', mode => 'vector');
SELECT is((SELECT format('%s rows, %s', count, l) FROM found, vectorizer.last_search() l), (SELECT format('10 rows, %s', said) FROM last_search), 'and without it');
RESET enable_indexscan;

-- Snippets are the server's own.
SELECT is_empty($$
	SELECT s.snippet, h.headline FROM vectorizer.search('zoo.*, several.*, words', 'the wolf''s teeth, w60 or w3 hunting', 500) s
		JOIN vectorizer.collection c ON c.name = s.collection,
		LATERAL vectorizer.parse_query(s.collection, 'the wolf''s teeth, w60 or w3 hunting', 'text') p,
		LATERAL ts_headline(c.text_config::regconfig, s.content, p.terms,
			'MaxFragments=2, MaxWords=30, MinWords=12, FragmentDelimiter=" ... ", StartSel=**, StopSel=**') AS h (headline)
	WHERE s.snippet IS DISTINCT FROM h.headline$$, 'what ts_headline makes of a text');
ALTER TEXT SEARCH CONFIGURATION english ALTER MAPPING FOR asciiword WITH simple;
SELECT ok((SELECT count(*) FROM vectorizer.search('several.wild', 'wolf sleeping', 40, 'vector') WHERE snippet LIKE '%**sleeping**%') > 0,
	'a configuration that changes is followed');

SELECT * FROM finish();
ROLLBACK;
