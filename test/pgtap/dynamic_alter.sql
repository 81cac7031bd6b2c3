-- Another model, language, metric or index for a dynamic collection; what its rows say, and what was hung on its table, stays.
BEGIN;
SELECT plan(50);

CREATE FUNCTION pg_temp.stale(collection text) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
	stale bigint;
BEGIN
	EXECUTE format('SELECT count(*) FROM vectorizer_data.%1$I WHERE embedding IS DISTINCT FROM vectorizer.embed(content, %1$L)', collection) INTO stale;
	RETURN stale;
END
$$;
SELECT vectorizer.create_collection('notes', dimension => 16, model_options => '{"k1": 1.2}', index_options => '{"m": 16, "ef_search": 100}');
SELECT results_eq($$SELECT model_options, index_options FROM vectorizer.collections$$, $$VALUES ('{}'::jsonb, '{"ef_search": 100}'::jsonb)$$, 'what is so by itself is not kept');
INSERT INTO vectorizer_data.notes (content, metadata) SELECT format('Report %s: the %s of %s were %s.', i,
	(ARRAY['apples', 'pears', 'plums', 'figs'])[1 + i % 4], (ARRAY['Spain', 'France', 'Italy'])[1 + i % 3],
	(ARRAY['ripe', 'sour', 'sold', 'shipped', 'eaten'])[1 + i % 5]), jsonb_build_object('n', i)
FROM generate_series(1, 40) i;
SELECT vectorizer.refresh_collection('notes');
CREATE VIEW texts AS SELECT id, content, metadata FROM vectorizer_data.notes;
CREATE TEMP TABLE before AS SELECT * FROM texts;

-- Said, and not done yet
SELECT vectorizer.alter_collection('notes', dimension => 12, metric => 'l2');
SELECT results_eq($$SELECT dimension, metric, next_model, state FROM vectorizer.collections$$, $$VALUES (16, 'cosine', 'lsa', 'ready')$$, 'what is in force stays');
SELECT is((SELECT count(*) FROM vectorizer.search('notes', 'ripe pears', 5, 'vector')), 5::bigint, 'and finds');
INSERT INTO vectorizer_data.notes (content) VALUES ('The quinces of Greece are late.');
UPDATE vectorizer_data.notes SET content = 'Report 1: the pears of France were lost.' WHERE metadata @> '{"n": 1}';
SELECT is(pg_temp.stale('notes'), 0::bigint, 'rows get the embedding in force as they are written');
SELECT is((SELECT count(*) FROM vectorizer_data.notes WHERE next_generation = 0 AND next_embedding IS NULL), 41::bigint, 'and wait for the next one');
INSERT INTO vectorizer_data.notes (content, next_embedding, next_generation) VALUES ('x', '[1,2,3,4,5,6,7,8,9,10,11,12]', 1);
SELECT is((SELECT count(*) FROM vectorizer_data.notes WHERE next_generation <> 0), 0::bigint, 'which nobody gives them');
DELETE FROM vectorizer_data.notes WHERE content = 'x';
SELECT vectorizer.alter_collection('notes', dimension => 16, metric => 'cosine');
SELECT hasnt_column('vectorizer_data', 'notes', 'next_embedding', 'it can be taken back');
SELECT is((SELECT next_model FROM vectorizer.collections), NULL, 'altogether');

-- Done
SELECT vectorizer.alter_collection('notes', dimension => 12, metric => 'l2', index_options => '{"m": 8}');
SELECT is(vectorizer.refresh_collection('notes'), 41::bigint, 'refreshed');
SELECT results_eq($$SELECT dimension, metric, next_model, model_generation, state FROM vectorizer.collections$$, $$VALUES (12, 'l2', NULL::text, 2, 'ready')$$, 'another dimension and metric');
SELECT is(pg_temp.stale('notes'), 0::bigint, 'for all rows');
SELECT results_eq($$SELECT DISTINCT model_generation, vector_dims(embedding) FROM vectorizer_data.notes WHERE embedding IS NOT NULL$$, $$VALUES (2, 12)$$, 'of one generation');
SELECT is((SELECT string_agg(indexname, ' ' ORDER BY indexname) FROM pg_indexes WHERE tablename = 'notes'), 'notes:embedding notes:new notes:pkey notes:tsv', 'with its indexes');
SELECT matches(pg_get_indexdef('vectorizer_data."notes:embedding"'::regclass), 'vector_l2_ops\) WITH \(m=''8''\)', 'of its options');
INSERT INTO vectorizer_data.notes (content) VALUES ('The quinces of Italy are late, too.');
SELECT is(pg_temp.stale('notes'), 0::bigint, 'later rows are embedded as they come');
SELECT is((SELECT count(*) FROM texts t JOIN before b USING (id, content, metadata)), 39::bigint, 'what rows say, and views of it, stay');

-- Another language: other words, and other embeddings of them
SELECT is((SELECT count(*) FROM vectorizer_data.notes WHERE tsv @@ 'the'::tsquery), 0::bigint, 'stop words are no words');
SELECT vectorizer.alter_collection('notes', text_config => 'simple');
SELECT is((SELECT count(*) FROM vectorizer_data.notes WHERE tsv @@ 'the'::tsquery), 42::bigint, 'by another configuration they are');
SELECT is((SELECT count(*) FROM vectorizer_data.notes WHERE n_lexemes <> (SELECT sum(cardinality(positions)) FROM unnest(tsv))), 0::bigint, 'counted');
SELECT is((SELECT state FROM vectorizer.collections), 'new', 'the model is to be trained');
INSERT INTO vectorizer_data.notes (content) VALUES ('Medlars, the rarest of all.');
SELECT is((SELECT content FROM vectorizer.search('notes', 'medlars the', 1)), 'Medlars, the rarest of all.', 'meanwhile words find');
SELECT vectorizer.refresh_collection('notes');
SELECT is((SELECT state FROM vectorizer.collections), 'ready', 'and then it has been');
SELECT is(pg_temp.stale('notes'), 0::bigint, 'for all rows');
UPDATE vectorizer_data.notes SET tsv = NULL;
SELECT is(pg_temp.stale('notes'), 0::bigint, 'words can be made anew by hand');

-- Embeddings of one's own
SELECT vectorizer.create_collection('mine', dimension => 8, model => 'none');
INSERT INTO vectorizer_data.mine (content, embedding) SELECT 'the apples of year ' || i, ARRAY[i, 1, 2, 3, 4, 5, 6, 7]::real[]::vector(8) FROM generate_series(1, 20) i;
SELECT vectorizer.refresh_collection('mine');
CREATE TEMP TABLE mine_before AS SELECT id, embedding::text AS e FROM vectorizer_data.mine;
SELECT vectorizer.alter_collection('mine', metric => 'ip', text_config => 'simple', model_options => '{"b": 0.5}');
SELECT vectorizer.refresh_collection('mine');
SELECT is((SELECT count(*) FROM vectorizer_data.mine m JOIN mine_before b ON b.id = m.id AND b.e = m.embedding::text), 20::bigint, 'stay, whatever else changes');
SELECT matches(pg_get_indexdef('vectorizer_data."mine:embedding"'::regclass), 'vector_ip_ops', 'also their metric');
SELECT is((SELECT text_rank FROM vectorizer.search('mine', 'the 7', 1, 'text')), 1, 'or words');
SELECT throws_ok($$SELECT vectorizer.alter_collection('mine', dimension => 9)$$, '55000', 'collection "mine" cannot change to other embeddings of your own', 'other dimensions they cannot have');
SELECT throws_ok($$SELECT vectorizer.alter_collection('notes', model => 'none')$$, '55000', 'collection "notes" cannot change to other embeddings of your own', 'nor can one change to them');
SELECT vectorizer.alter_collection('mine', model => 'lsa', dimension => 8);
SELECT lives_ok($$INSERT INTO vectorizer_data.mine (content, embedding) VALUES ('the pears of year 1', '[8,7,6,5,4,3,2,1]')$$, 'while a model embeds they are given still');
SELECT vectorizer.refresh_collection('mine');
SELECT results_eq($$SELECT model, metric, next_model, state FROM vectorizer.collections WHERE name = 'mine'$$, $$VALUES ('lsa', 'ip', NULL::text, 'ready')$$, 'then the model takes over');
SELECT is(pg_temp.stale('mine'), 0::bigint, 'for all rows');
SELECT throws_ok($$INSERT INTO vectorizer_data.mine (content, embedding) VALUES ('x', '[8,7,6,5,4,3,2,1]')$$, 'VZ002', NULL, 'and they are given no more');

-- An endpoint's embeddings do not depend on words
INSERT INTO vectorizer.endpoint (name, url, model, dimension, owner) VALUES ('remote', 'http://127.0.0.1:9/v1/embeddings', 'm', 8, 'nobody');
SELECT vectorizer.create_collection('far', model => 'remote');
INSERT INTO vectorizer_data.far (content) VALUES ('the apples'), ('the pears');
SELECT vectorizer.refresh_collection('far');
ALTER TABLE vectorizer_data.far DISABLE TRIGGER "~embed_row";
UPDATE vectorizer_data.far SET embedding = ('[1,2,3,4,5,6,7,' || id || ']')::vector, model_generation = 1 WHERE content = 'the pears';
ALTER TABLE vectorizer_data.far ENABLE TRIGGER "~embed_row";
SELECT vectorizer.alter_collection('far', text_config => 'simple', model_options => '{"k1": 2}');
SELECT results_eq($$SELECT content, embedding IS NOT NULL, model_generation, tsv::text FROM vectorizer_data.far ORDER BY id$$,
	$$VALUES ('the apples', false, 0, '''apples'':2 ''the'':1'), ('the pears', true, 1, '''pears'':2 ''the'':1')$$, 'what an endpoint has embedded stays, words are made anew');

-- Empty, and errors
SELECT vectorizer.create_collection('empty');
SELECT vectorizer.alter_collection('empty', dimension => 32, text_config => 'german');
SELECT results_eq($$SELECT dimension, text_config, next_model FROM vectorizer.collections WHERE name = 'empty'$$, $$VALUES (32, 'pg_catalog.german', NULL::text)$$, 'without rows there is nothing to wait for');
SELECT is((SELECT format_type(atttypid, atttypmod) FROM pg_attribute WHERE attrelid = 'vectorizer_data.empty'::regclass AND attname = 'embedding'), 'vector(32)', 'in its column');
SELECT throws_ok($$SELECT vectorizer.alter_collection('notes', model => 'gpt')$$, '22023', 'unknown embedding model "gpt"', 'an unknown model');
SELECT throws_ok($$SELECT vectorizer.alter_collection('notes', index_options => '{"m": 50, "ef_construction": 10}', dimension => 20)$$, '22023', NULL, 'an index that cannot be');
SELECT throws_ok($$SELECT vectorizer.alter_collection('notes', include => '{*.md}')$$, '55000', 'collection "notes" is not filled from files', 'files');
SELECT vectorizer.create_collection('bound', dimension => 8);
ALTER TABLE vectorizer_data.bound ADD COLUMN sku text, ADD CONSTRAINT embedded_skus CHECK (embedding IS NULL OR length(sku) < 9);
SELECT throws_ok($$SELECT vectorizer.alter_collection('bound', dimension => 12)$$, '2BP01', 'other embeddings of collection "bound" would take with them what binds its rows', 'a constraint is in the way');
ALTER TABLE vectorizer_data.bound DROP CONSTRAINT embedded_skus;
CREATE UNIQUE INDEX ON vectorizer_data.bound (sku) WHERE embedding IS NOT NULL;
SELECT throws_ok($$SELECT vectorizer.alter_collection('bound', dimension => 12)$$, '2BP01', NULL, 'so is a unique index');
DROP INDEX vectorizer_data.bound_sku_idx;
CREATE INDEX by_norm ON vectorizer_data.bound (vector_norm(embedding));
GRANT SELECT (embedding), UPDATE (sku) ON vectorizer_data.bound TO PUBLIC;
SELECT lives_ok($$SELECT vectorizer.alter_collection('bound', dimension => 12)$$, 'another index goes');
SELECT is((SELECT array_agg(attname || attacl::text ORDER BY attname) FROM pg_attribute WHERE attrelid = 'vectorizer_data.bound'::regclass AND attacl IS NOT NULL AND NOT attisdropped), '{"embedding{=r/vectorizer_admin}","sku{=w/vectorizer_admin}"}', 'privileges on columns stay');
SELECT hasnt_index('vectorizer_data', 'bound', 'by_norm', 'with a warning');
INSERT INTO vectorizer_data.bound (content) VALUES ('the apples'), ('the pears');
SELECT vectorizer.refresh_collection('bound');
SELECT is((SELECT vector_dims(embedding) FROM vectorizer.search('bound', 'apples', 1, 'vector') s JOIN vectorizer_data.bound b USING (content)), 12, 'what comes then is found');

-- Taken back, and given before anybody has looked
SELECT vectorizer.alter_collection('bound', model => 'remote');
SELECT vectorizer.alter_collection('bound', model => 'lsa');
SELECT results_eq($$SELECT dimension, next_model FROM vectorizer.collections WHERE name = 'bound'$$, $$VALUES (12, NULL::text)$$, 'the model in force has the dimension in force');
SELECT vectorizer.create_collection('young', dimension => 8, model => 'none');
INSERT INTO vectorizer_data.young (content, embedding) VALUES ('the apples', '[1,2,3,4,5,6,7,8]');
SELECT vectorizer.alter_collection('young', model => 'remote');
SELECT is((SELECT count(embedding) FROM vectorizer_data.young), 1::bigint, 'embeddings of one''s own stay until others are there');
SELECT vectorizer.alter_collection('young', model => 'none');
SELECT results_eq($$SELECT model, next_model FROM vectorizer.collections WHERE name = 'young'$$, $$VALUES ('none', NULL::text)$$, 'or are not to be');

SELECT vectorizer.create_collection('gone');
DROP TABLE vectorizer_data.gone;
SELECT lives_ok($$SELECT vectorizer.drop_collection('gone')$$, 'a collection whose table is gone can be dropped');

CREATE VIEW vectors AS SELECT id, embedding FROM vectorizer_data.notes;
SELECT throws_ok($$SELECT vectorizer.alter_collection('notes', dimension => 20)$$, '2BP01', NULL, 'a view of the embeddings is in the way');

SELECT * FROM finish();
ROLLBACK;
