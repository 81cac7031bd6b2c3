-- Dynamic collections: rows that users write, what follows from them, who may do what.
BEGIN;
SELECT plan(61);

SELECT vectorizer.create_collection('notes', dimension => 16, description => 'what people said', tags => '{talk}');
SELECT results_eq($$SELECT kind, state, model, dimension, metric, owner::regrole::oid, project, include FROM vectorizer.collections WHERE name = 'notes'$$,
	$$SELECT 'dynamic', 'new', 'lsa', 16, 'cosine', current_user::regrole::oid, NULL::text, NULL::text[]$$, 'a new collection');
SELECT is((SELECT tags FROM vectorizer.find_collections(text => 'people')), '{talk,small}', 'can be found by what it is about');

INSERT INTO vectorizer_data.notes (content, metadata) VALUES
	('The whale is the largest animal of the ocean.', '{"by": "anna"}'),
	('The shark is a fish of the ocean with many teeth.', '{"by": "ben"}'),
	('The wolf hunts deer in packs.', '{"by": "ben"}'),
	('Deer eat grass and flee from the wolf.', '{}');
SELECT is((SELECT array_agg(n_lexemes ORDER BY id) FROM vectorizer_data.notes), '{4,5,4,5}', 'lexemes are counted');
SELECT is((SELECT content_hash FROM vectorizer_data.notes LIMIT 1), sha256('The whale is the largest animal of the ocean.'), 'content is hashed');
SELECT is((SELECT content FROM vectorizer.search('notes', 'teeth', 1)), 'The shark is a fish of the ocean with many teeth.', 'found by words at once');
SELECT is((SELECT count(*) FROM vectorizer_data.notes WHERE embedding IS NULL AND model_generation = 0), 4::bigint, 'there is no model yet');

SELECT is(vectorizer.refresh_collection('notes'), 4::bigint, 'refreshed: four rows');
SELECT is((SELECT count(*) FROM vectorizer_data.notes WHERE embedding IS NOT NULL AND model_generation = 1), 4::bigint, 'which have embeddings now');
SELECT results_eq($$SELECT state, chunks FROM vectorizer.collections WHERE name = 'notes'$$, $$VALUES ('ready', 4::bigint)$$, 'and are counted');
SELECT has_index('vectorizer_data', 'notes', 'notes:embedding', 'there is a vector index');
SELECT is((SELECT vector_rank FROM vectorizer.search('notes', 'ocean whale', 1)), 1, 'found by meaning');
SELECT is((SELECT count(*) FROM vectorizer.search('notes', 'wolf ocean', filter => '{"by": "ben"}')), 2::bigint, 'and by metadata');

INSERT INTO vectorizer_data.notes (content, heading) VALUES ('It has teeth.', 'Whale');
SELECT ok((SELECT embedding = vectorizer.embed(E'Whale\n\nIt has teeth.', 'notes') FROM vectorizer_data.notes WHERE heading = 'Whale'),
	'a later row is embedded as it comes, under its heading');
SELECT is((SELECT n_lexemes FROM vectorizer_data.notes WHERE heading = 'Whale'), 2, 'which counts for words, too');
UPDATE vectorizer_data.notes SET content = 'It has no teeth but hunts deer.' WHERE heading = 'Whale';
SELECT ok((SELECT embedding = vectorizer.embed(E'Whale\n\nIt has no teeth but hunts deer.', 'notes') FROM vectorizer_data.notes WHERE heading = 'Whale'),
	'an embedding follows its content');
SELECT ok((SELECT updated_at >= created_at FROM vectorizer_data.notes WHERE heading = 'Whale'), 'times are kept');

CREATE TEMP TABLE before AS SELECT embedding::text AS e, tsv, content_hash FROM vectorizer_data.notes WHERE heading = 'Whale';
UPDATE vectorizer_data.notes SET metadata = '{"by": "carla"}', tsv = '''nonsense''', n_lexemes = 99, content_hash = '', model_generation = 7
	WHERE heading = 'Whale';
SELECT results_eq($$SELECT n.embedding::text, n.tsv, n.content_hash FROM vectorizer_data.notes n WHERE heading = 'Whale'$$, 'SELECT * FROM before',
	'what follows from the content cannot be written');
SELECT is((SELECT metadata ->> 'by' FROM vectorizer_data.notes WHERE heading = 'Whale' AND n_lexemes < 9 AND model_generation = 1), 'carla', 'metadata can');
SELECT throws_ok($$INSERT INTO vectorizer_data.notes (content, embedding) SELECT 'x', embedding FROM vectorizer_data.notes LIMIT 1$$,
	'VZ002', 'the embeddings of collection "notes" are made by its model', 'nor can an embedding');
SELECT throws_ok($$UPDATE vectorizer_data.notes SET embedding = embedding * embedding$$, 'VZ002', NULL, 'nor be changed');
SELECT lives_ok($$UPDATE vectorizer_data.notes SET embedding = embedding$$, 'writing the same is no change');
SELECT throws_ok($$INSERT INTO vectorizer_data.notes (content) VALUES (NULL)$$, '23502', NULL, 'content must be');
INSERT INTO vectorizer_data.notes (content) VALUES ('');
INSERT INTO vectorizer_data.notes (content) VALUES ('qwertyuiop asdfghjkl');
SELECT is((SELECT count(*) FROM vectorizer_data.notes WHERE embedding IS NULL AND model_generation = 1), 2::bigint,
	'a text without a known word has no embedding');
SELECT is((SELECT text_rank FROM vectorizer.search('notes', 'qwertyuiop', 1)), 1, 'and is found by words');

INSERT INTO vectorizer_data.notes (content) SELECT 'A deer of number ' || i || ' eats ' || repeat('grass ', i % 3 + 1) FROM generate_series(1, 20) i;
SELECT is(vectorizer.refresh_collection('notes'), 27::bigint, 'a collection that has grown');
SELECT is((SELECT model_generation FROM vectorizer.collections WHERE name = 'notes'), 2, 'is trained anew');
SELECT is((SELECT count(*) FROM vectorizer_data.notes WHERE model_generation <> 2), 0::bigint, 'and all rows with it');
SELECT ok((SELECT embedding = vectorizer.embed(content, 'notes') FROM vectorizer_data.notes WHERE content LIKE 'The whale%'), 'embedded anew');
SELECT is((SELECT count(DISTINCT generation) FROM vectorizer.lexeme l JOIN vectorizer.collection c ON c.id = l.collection_id WHERE c.name = 'notes'),
	1::bigint, 'the old generation is gone');

-- Embeddings of one's own
SELECT vectorizer.create_collection('mine', dimension => 3, metric => 'l2', model => 'none', index_options => '{"m": 8, "ef_construction": 40, "ef_search": 200}');
SELECT is((SELECT state FROM vectorizer.collections WHERE name = 'mine'), 'ready', 'a collection without a model is ready');
SELECT matches(pg_get_indexdef('vectorizer_data."mine:embedding"'::regclass), 'hnsw \(embedding vector_l2_ops\) WITH \(m=''8'', ef_construction=''40''\)',
	'its index is as asked for');
INSERT INTO vectorizer_data.mine (content, embedding) VALUES ('red cars', '[1,0,0]'), ('green trees', '[0,1,0]'), ('blue seas', '[0,0,1]');
UPDATE vectorizer_data.mine SET content = 'red apples' WHERE content = 'red cars';
SELECT is((SELECT embedding::text FROM vectorizer_data.mine WHERE content = 'red apples'), '[1,0,0]', 'an embedding of one''s own stays');
SELECT is((SELECT content FROM vectorizer_data.mine ORDER BY embedding <-> '[0,.1,.9]' LIMIT 1), 'blue seas', 'nearest by SQL');
SELECT is(vectorizer.refresh_collection('mine'), 3::bigint, 'refreshed');
SELECT is((SELECT content FROM vectorizer.search('mine', 'an apple', 1)), 'red apples', 'words are stemmed and weighed');
SELECT ok((SELECT count(*) = 6 AND bool_and(embedding IS NULL) FROM vectorizer.lexeme l JOIN vectorizer.collection c ON c.id = l.collection_id WHERE c.name = 'mine'),
	'by the collection''s own statistics');
SELECT is(vectorizer.embed('red', 'mine'), NULL, 'a text has no embedding there');
SELECT throws_ok($$INSERT INTO vectorizer_data.mine (content, embedding) VALUES ('x', '[1,2]')$$, '22000', 'expected 3 dimensions, not 2', 'dimensions');

SELECT ok((SELECT bool_or(plan LIKE '%notes:embedding%') AND bool_or(plan LIKE '%notes:tsv%')
	FROM (SELECT set_config('enable_seqscan', 'off', true), set_config('enable_sort', 'off', true)) s, vectorizer.explain_search('notes', 'deer wolf')),
	'explain_search shows both indexes');
SELECT set_config('enable_seqscan', 'on', true), set_config('enable_sort', 'on', true);
SELECT ok((SELECT bool_or(plan LIKE '%actual time%') FROM vectorizer.explain_search('mine', 'apple', run => true)), 'with times');
SELECT is(current_setting('vectorizer.ef_search'), '40', 'a collection''s ef_search is back');

-- What cannot be
SELECT throws_ok($$SELECT vectorizer.create_collection('notes')$$, '42710', 'collection "notes" already exists', 'a name twice');
SELECT throws_ok($$SELECT vectorizer.create_collection('a b')$$, '42602', NULL, 'a bad name');
SELECT throws_ok($$SELECT vectorizer.create_collection('x', dimension => 0)$$, '22023', 'dimension must be between 8 and 2000, not 0', 'no dimensions');
SELECT throws_ok($$SELECT vectorizer.create_collection('x', metric => 'hamming')$$, '22023', 'unknown metric "hamming"', 'an unknown metric');
SELECT throws_ok($$SELECT vectorizer.create_collection('x', model => 'gpt')$$, '22023', 'unknown embedding model "gpt"', 'an unknown model');
SELECT throws_ok($$SELECT vectorizer.create_collection('x', model_options => '{"k2": 1}')$$, '22023', 'unknown model option "k2"', 'an unknown option');
SELECT throws_ok($$SELECT vectorizer.create_collection('x', index_options => '{"m": 8, "ef_construction": 10}')$$, '22023',
	'ef_construction must be greater than or equal to 2 * m', 'an index that cannot be shows at once');
SELECT throws_ok($$SELECT vectorizer.alter_collection('notes', chunk_size => 100)$$, '55000', 'collection "notes" is not filled from files', 'nothing to cut');

-- Who may
CREATE ROLE writer_a;
CREATE ROLE writer_b;
CREATE ROLE reader;
CREATE ROLE outsider;
GRANT vectorizer_writer TO writer_a, writer_b;
GRANT vectorizer_reader TO reader;
DO $$
BEGIN
	EXECUTE format('GRANT ALL ON ALL TABLES IN SCHEMA %1$s TO PUBLIC; GRANT ALL ON ALL SEQUENCES IN SCHEMA %1$s TO PUBLIC',
		pg_my_temp_schema()::regnamespace);
END
$$;
SET ROLE writer_a;
SELECT lives_ok($$SELECT vectorizer.create_collection('a.own', dimension => 8)$$, 'a writer creates a collection');
SELECT lives_ok($$INSERT INTO vectorizer_data."a.own" (content) VALUES ('mine alone')$$, 'and writes it');
SELECT lives_ok($$SELECT vectorizer.refresh_collection('a.own')$$, 'and refreshes it');
SET ROLE writer_b;
SELECT lives_ok($$INSERT INTO vectorizer_data."a.own" (content) VALUES ('of another')$$, 'another writer writes it, too');
SELECT ok((SELECT embedding IS NULL AND model_generation = 1 FROM vectorizer_data."a.own" WHERE content = 'of another'), 'by the model that he cannot read');
SELECT throws_ok($$SELECT vectorizer.drop_collection('a.own')$$, '42501', 'must be owner of collection "a.own"', 'but cannot drop it');
SET ROLE reader;
SELECT is((SELECT count(*) FROM vectorizer.search('a.own', 'mine')), 1::bigint, 'a reader searches it');
SELECT throws_ok($$INSERT INTO vectorizer_data."a.own" (content) VALUES ('x')$$, '42501', NULL, 'and does not write it');
SET ROLE outsider;
SELECT throws_ok($$SELECT * FROM vectorizer.search('a.own', 'mine')$$, '42501', 'permission denied for collection "a.own"', 'an outsider does not');
SET ROLE writer_a;
SELECT vectorizer.rename_collection('a.own', 'a.renamed');
SELECT is((SELECT count(*) FROM vectorizer.search('a.renamed', 'mine')), 1::bigint, 'renamed by its owner');
SELECT lives_ok($$INSERT INTO vectorizer_data."a.renamed" (content) VALUES ('after')$$, 'it can be written');
SELECT lives_ok($$SELECT vectorizer.drop_collection('a.renamed')$$, 'and dropped');
RESET ROLE;

SELECT * FROM finish();
ROLLBACK;
