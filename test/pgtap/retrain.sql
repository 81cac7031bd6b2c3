-- A collection that has grown by a quarter: its next model, in force for all chunks at once.
\ir files.psql
BEGIN;
SELECT plan(18);

CREATE FUNCTION pg_temp.put_many(files text, first integer, last integer) RETURNS void LANGUAGE sql AS $$
	SELECT pg_temp.put(format('%s/%s.txt', files, i), format('Report %s: the %s of %s were %s in %s.', i,
		(ARRAY['apples', 'pears', 'plums', 'figs'])[1 + i % 4], (ARRAY['Spain', 'France', 'Italy'])[1 + i % 3],
		(ARRAY['ripe', 'sour', 'sold', 'shipped', 'eaten'])[1 + i % 5], 1900 + i))
	FROM generate_series(first, last) i
$$;
SELECT pg_temp.put_many(:'files', 1, 30);
SELECT vectorizer.add_project('reports', :'files', dimension => 16);
SELECT vectorizer.sync('reports');
SELECT is((SELECT model_generation FROM vectorizer.collections), 1, 'the first model');

SELECT pg_temp.put_many(:'files', 31, 37);
SELECT vectorizer.sync('reports');
SELECT is((SELECT model_generation FROM vectorizer.collections), 1, 'still in force with a little less than a quarter more');
SELECT is((SELECT round(drift::numeric, 3) FROM vectorizer.collections), 0.189, 'which shows as drift');
SELECT is((SELECT embedding FROM vectorizer_data.reports WHERE path = '37.txt'),
	(SELECT vectorizer.embed(content, 'reports') FROM vectorizer_data.reports WHERE path = '37.txt'), 'later chunks are folded in');

-- A search under way while the next model comes into force
DECLARE under_way CURSOR FOR SELECT (vectorizer.parse_query('reports', 'pears of Italy' || left('', i))).embedding
	FROM generate_series(1, 2) i;
FETCH under_way \gset before_

SELECT pg_temp.put_many(:'files', 38, 38);
SELECT results_eq('SELECT added, chunks FROM vectorizer.sync(''reports'')', 'VALUES (1::bigint, 38::bigint)', 'a quarter more');
SELECT is((SELECT model_generation FROM vectorizer.collections), 2, 'have the next model');
SELECT is((SELECT model_state FROM vectorizer.collections), 'ready', 'which is ready');
SELECT is((SELECT n_chunks FROM vectorizer.model), 38::bigint, 'was trained on all of them');
SELECT is((SELECT count(DISTINCT generation) FROM vectorizer.lexeme), 1::bigint, 'and the rows of the first are gone');
SELECT is((SELECT count(*) FROM vectorizer_data.reports WHERE model_generation <> 2 OR embedding IS NULL), 0::bigint,
	'all chunks have its embeddings');
SELECT is((SELECT count(*) FROM vectorizer_data.reports r
		   WHERE vectorizer.embed(r.content, 'reports') <-> r.embedding > 1e-6), 0::bigint, 'which are those of their texts');
FETCH under_way \gset after_
SELECT is(:'after_embedding'::vector, :'before_embedding'::vector, 'a query under way keeps the model of the rows that it sees');
CLOSE under_way;

SELECT is((SELECT path FROM vectorizer.search('reports', (SELECT content FROM vectorizer_data.reports WHERE path = '17.txt'), 1)),
	'17.txt', 'search finds');
SET LOCAL enable_seqscan = off;
SET LOCAL enable_sort = off;
SELECT is((SELECT path FROM vectorizer.search('reports', (SELECT content FROM vectorizer_data.reports WHERE path = '33.txt'), 1, 'vector')),
	'33.txt', 'by the vector index too');
SELECT is((SELECT count(*) FROM vectorizer.search('reports', 'fruit of the year 1917', 60, 'vector')), 38::bigint, 'every row once');
SELECT lives_ok('SELECT vectorizer.index_check(''vectorizer_data."reports:embedding"'')', 'which is sound');
RESET enable_seqscan;

SELECT pg_temp.put(:'files' || '/39.txt', 'Quinces came last.');
SELECT vectorizer.sync('reports');
SELECT is((SELECT model_generation FROM vectorizer_data.reports WHERE path = '39.txt'), 2, 'what comes later is folded into the new model');
SELECT results_eq('SELECT added, changed, deleted FROM vectorizer.sync(''reports'')', 'VALUES (0::bigint, 0::bigint, 0::bigint)',
	'and all is quiet');

SELECT * FROM finish();
ROLLBACK;
