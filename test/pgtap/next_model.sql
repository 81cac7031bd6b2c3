-- Another model for a collection that has one: it is made beside, and takes its place when it is complete.
\ir files.psql
BEGIN;
SELECT plan(30);

CREATE ROLE reader;
CREATE ROLE stranger;
GRANT vectorizer_reader TO reader;
SELECT pg_temp.put(format('%s/%s.txt', :'files', i), format('Report %s: the %s of %s were %s in %s.', i,
	(ARRAY['apples', 'pears', 'plums', 'figs'])[1 + i % 4], (ARRAY['Spain', 'France', 'Italy'])[1 + i % 3],
	(ARRAY['ripe', 'sour', 'sold', 'shipped', 'eaten'])[1 + i % 5], 1900 + i))
FROM generate_series(1, 40) i;
SELECT vectorizer.add_project('reports', :'files', dimension => 16);
SELECT vectorizer.sync('reports');
GRANT SELECT ON vectorizer_data.reports TO stranger;
CREATE INDEX ON vectorizer_data.reports (path);
CREATE VIEW texts AS SELECT path, content FROM vectorizer_data.reports;
ALTER TABLE vectorizer_data.reports ENABLE ROW LEVEL SECURITY;
CREATE POLICY no_figs ON vectorizer_data.reports FOR SELECT USING (content NOT LIKE '%figs%');

-- Said, and not done yet
SELECT vectorizer.alter_collection('reports', dimension => 12);
SELECT results_eq($$SELECT dimension, next_model, model_generation, state FROM vectorizer.collections$$, $$VALUES (16, 'lsa', 1, 'ready')$$, 'what is in force stays');
SELECT is((SELECT count(*) FROM vectorizer.search('reports', 'ripe pears', 5, 'vector')), 5::bigint, 'and finds');
SELECT is((SELECT setting FROM jsonb_each_text(vectorizer.settings_of(vectorizer.collection_named('reports'))) s (key, setting) WHERE key = 'dimension'), '12', 'what is wanted shows');
SELECT lives_ok($$SELECT vectorizer.alter_collection('reports', dimension => 12)$$, 'said twice');
SELECT is((SELECT updated_at FROM vectorizer.collection), (SELECT created_at FROM vectorizer.collection), 'changes nothing, also within a transaction');
SELECT vectorizer.alter_collection('reports', dimension => 16);
SELECT results_eq($$SELECT dimension, next_model FROM vectorizer.collections$$, $$VALUES (16, NULL::text)$$, 'it can be taken back');
SELECT hasnt_column('vectorizer_data', 'reports', 'next_embedding', 'with its columns');
SELECT hasnt_index('vectorizer_data', 'reports', 'reports:next_new', 'and index');

-- Done
SELECT vectorizer.alter_collection('reports', dimension => 12, metric => 'l2', model_options => '{"k1": 2}', index_options => '{"m": 8}');
SELECT pg_temp.put(:'files' || '/late.txt', 'Report 41: the figs of Italy, late.');
SELECT vectorizer.sync('reports');
SELECT results_eq($$SELECT dimension, metric, next_model, model_generation, state FROM vectorizer.collections$$, $$VALUES (12, 'l2', NULL::text, 2, 'ready')$$, 'another dimension, metric and weighting');
RESET ROLE;
SELECT results_eq($$SELECT DISTINCT model_generation, vector_dims(embedding) FROM vectorizer_data.reports$$, $$VALUES (2, 12)$$, 'for all rows');
SELECT is((SELECT count(*) FROM vectorizer_data.reports WHERE embedding IS DISTINCT FROM vectorizer.embed(content, 'reports')), 0::bigint, 'each that of its text');
SELECT col_type_is('vectorizer_data', 'reports', 'embedding', 'vector(12)', 'in a column of its type');
SELECT is((SELECT attstorage FROM pg_attribute WHERE attrelid = 'vectorizer_data.reports'::regclass AND attname = 'embedding'), 'm', 'beside the text, in its page');
SELECT is((SELECT indexdef FROM pg_indexes WHERE indexname = 'reports:embedding'), 'CREATE INDEX "reports:embedding" ON vectorizer_data.reports USING hnsw (embedding vector_l2_ops) WITH (m=''8'')', 'and an index of its options');
SELECT is((SELECT string_agg(indexname, ' ' ORDER BY indexname) FROM pg_indexes WHERE tablename = 'reports'), 'reports:embedding reports:file reports:pkey reports:tsv reports_path_idx', 'no other is left, and those of users stay');
SELECT is((SELECT count(*) FROM vectorizer.model), 1::bigint, 'of the old model nothing is left');
SELECT is((SELECT count(DISTINCT generation) FROM vectorizer.lexeme), 1::bigint, 'nor of its lexemes');
SELECT is((SELECT count(*) FROM texts), 41::bigint, 'views stay');
SELECT ok(has_table_privilege('stranger', 'vectorizer_data.reports', 'SELECT'), 'so do privileges');
SET ROLE reader;
SELECT is((SELECT count(*) FROM vectorizer.search('reports', 'figs', 100)) > 0, true, 'a search');
SELECT is((SELECT count(*) FROM vectorizer.search('reports', 'figs', 100) WHERE content LIKE '%figs%'), 0::bigint, 'and policies');
RESET ROLE;
SELECT is((SELECT reports FROM (SELECT nodes AS reports FROM vectorizer.index_check('vectorizer_data."reports:embedding"')) c), 41::bigint, 'the index is sound');

-- Changed on the way
SELECT vectorizer.alter_collection('reports', dimension => 20);
SELECT vectorizer.alter_collection('reports', dimension => 24);
SELECT vectorizer.rename_collection('reports', 'papers');
SELECT vectorizer.alter_collection('papers', chunk_size => 500, chunk_overlap => 10);
SELECT vectorizer.sync('reports');
SELECT results_eq($$SELECT name, dimension, chunk_size, next_model, state FROM vectorizer.collections$$, $$VALUES ('papers', 24, 500, NULL::text, 'ready')$$, 'other wishes and another name, on the way');
SELECT vectorizer.alter_collection('papers', dimension => 20);
SELECT vectorizer.alter_collection('papers', text_config => 'simple');
SELECT results_eq($$SELECT dimension, next_model, state FROM vectorizer.collections$$, $$VALUES (20, NULL::text, 'new')$$, 'with other lexemes all is made in place');
SELECT vectorizer.sync('reports');
SELECT results_eq($$SELECT DISTINCT vector_dims(embedding) FROM vectorizer_data.papers$$, $$VALUES (20)$$, 'and complete after a pass');

-- A dump numbers columns anew
UPDATE vectorizer.collection SET embedding_column = 1;
SELECT is((SELECT count(*) FROM vectorizer.search('papers', 'pears', 5, 'vector')), 5::bigint, 'another number is of a dump');
SELECT vectorizer.pause('reports'), vectorizer.resume('reports');
SELECT is((SELECT embedding_column FROM vectorizer.collection), (SELECT attnum FROM pg_attribute WHERE attrelid = 'vectorizer_data.papers'::regclass AND attname = 'embedding'), 'and put right when the project is resumed');

-- Privileges of single columns
GRANT SELECT (path, embedding) ON vectorizer_data.papers TO stranger;
SELECT vectorizer.alter_collection('papers', dimension => 12);
SELECT vectorizer.sync('reports');
SELECT ok(has_column_privilege('stranger', 'vectorizer_data.papers', 'embedding', 'SELECT'), 'privileges of columns come along');
SELECT vectorizer.alter_collection('papers', dimension => 20);
SELECT vectorizer.sync('reports');

-- A view in the way
CREATE VIEW vectors AS SELECT path, embedding FROM vectorizer_data.papers;
SELECT throws_ok($$SELECT vectorizer.alter_collection('papers', dimension => 16)$$, '2BP01', NULL, 'a view of the embeddings is in the way');
SELECT results_eq($$SELECT dimension, next_model, state FROM vectorizer.collections$$, $$VALUES (20, NULL::text, 'ready')$$, 'and nothing has changed');

SELECT * FROM finish();
ROLLBACK;
