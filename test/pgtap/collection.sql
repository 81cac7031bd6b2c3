-- Collections: names, the table's columns, the guard on it.
\ir files.psql
BEGIN;
SELECT plan(29);

SELECT pg_temp.put(:'files' || '/a.txt', 'Lighthouses warn ships of rocks.');
SELECT is(vectorizer.add_project('docs', :'files'), '{docs}', 'a project has one collection, of its name');
SELECT vectorizer.sync('docs');

SELECT columns_are('vectorizer_data', 'docs', ARRAY['id', 'file_id', 'path', 'ordinal', 'content', 'content_hash',
	'heading', 'start_line', 'end_line', 'byte_begin', 'byte_end', 'n_lexemes', 'metadata', 'tsv', 'model_generation',
	'embedding', 'created_at', 'updated_at']);
SELECT col_type_is('vectorizer_data', 'docs', 'embedding', 'vector(200)', 'the embedding has the model''s dimensions');
SELECT is((SELECT attstorage FROM pg_attribute WHERE attrelid = 'vectorizer_data.docs'::regclass AND attname = 'embedding'),
	'm', 'and stays in line');
SELECT table_owner_is('vectorizer_data', 'docs', 'vectorizer_admin', 'vectorizer_admin owns the table');
SELECT index_is_type('vectorizer_data', 'docs', 'docs:tsv', 'gin');
SELECT is((SELECT content FROM vectorizer_data.docs), 'Lighthouses warn ships of rocks.', 'the file''s text is there');
SELECT is((SELECT content_hash FROM vectorizer_data.docs), sha256('Lighthouses warn ships of rocks.'), 'with its hash');
SELECT is((SELECT vector_dims(embedding) FROM vectorizer_data.docs), 200, 'and its embedding');

-- The guard
SELECT throws_ok('INSERT INTO vectorizer_data.docs (path, ordinal, content, content_hash, tsv) VALUES (''x'', 0, '''', '''', '''')',
	'VZ001', 'collection "docs" is filled from its files and is read-only', 'no INSERT, not even by a superuser');
SELECT throws_ok('UPDATE vectorizer_data.docs SET content = ''forged''', 'VZ001', NULL, 'no UPDATE');
SELECT throws_ok('DELETE FROM vectorizer_data.docs', 'VZ001', NULL, 'no DELETE');
SELECT throws_ok('TRUNCATE vectorizer_data.docs', 'VZ001', NULL, 'no TRUNCATE');
SELECT throws_ok('MERGE INTO vectorizer_data.docs d USING (SELECT 1 AS id) s ON d.id = s.id WHEN MATCHED THEN DELETE',
	'VZ001', NULL, 'no MERGE');
SELECT is((SELECT count(*) FROM vectorizer_data.docs), 1::bigint, 'and nothing changed');

-- Names
SELECT lives_ok(format('SELECT vectorizer.add_collection(%L, %L)', 'docs', name), name || ' is a name')
	FROM unnest('{projects.gateway.code,A_b-1,_docs,docs_tsv}'::text[]) name;
SELECT lives_ok(format('SELECT vectorizer.add_collection(%L, %L)', 'docs', repeat('n', 50)), 'fifty bytes are a name');
SELECT throws_ok(format('SELECT vectorizer.add_collection(%L, %L)', 'docs', repeat('n', 51)),
	'42622', format('collection name "%s" is too long', repeat('n', 51)), 'fifty-one are not');
SELECT throws_ok(format('SELECT vectorizer.add_collection(%L, %L)', 'docs', name),
	'42602', format('invalid collection name "%s"', name), format('"%s" is not', name))
	FROM unnest('{"",a b,a..b,.a,a.,a/b,a:b,naïve}'::text[]) name;

SELECT * FROM finish();
ROLLBACK;
