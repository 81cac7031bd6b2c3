-- Endpoints as SQL objects: what may be said of one, what collections make of it. What asking them does is test/t/028_endpoints.pl.
\ir files.psql
BEGIN;
SELECT plan(29);

CREATE FUNCTION pg_temp.refused(options jsonb) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	PERFORM vectorizer.add_endpoint('e', 'http://127.0.0.1:9/v1/embeddings', 'm', 8, options => options);
	RETURN 'taken';
EXCEPTION WHEN OTHERS THEN
	RETURN SQLSTATE || ' ' || SQLERRM;
END
$$;
SELECT is(pg_temp.refused('[]'), '22023 the options of an endpoint are a JSON object, not []', 'options are an object');
SELECT is(pg_temp.refused('{"batch": 3}'), '22023 unknown option "batch" of an endpoint', 'of known keys');
SELECT is(pg_temp.refused('{"max_batch": "3"}'), '22023 option "max_batch" of an endpoint is a number, not "3"', 'with values of their type');
SELECT is(pg_temp.refused('{"max_batch": 0}'), '22023 option "max_batch" of an endpoint is between 1 and 2048, not 0', 'within bounds');
SELECT is(pg_temp.refused('{"max_batch": 1.5}'), '22023 option "max_batch" of an endpoint is between 1 and 2048, not 1.5', 'and whole');
SELECT is(pg_temp.refused('{"query_prefix": "a\u0001b"}'), '22023 the prefix of an endpoint is not plain text', 'prefixes are plain text');
SELECT is(pg_temp.refused('{}'), '42501 the origin of endpoint "e" is not among vectorizer.allowed_endpoints', 'no origin is allowed unless somebody has said so');
SELECT throws_ok($$SELECT vectorizer.add_endpoint('e', 'file:///etc/passwd', 'm', 8)$$, '22023', 'the URL of an endpoint is neither http:// nor https://', 'other schemes');
SELECT throws_ok($$SELECT vectorizer.add_endpoint('e', 'http://user:secret@host/v1', 'm', 8)$$, '22023', 'the URL of an endpoint holds credentials', 'a key in the URL');
SELECT throws_ok($$SELECT vectorizer.add_endpoint('e', 'http://host/v1', '', 8)$$, '22023', 'the model of an endpoint is missing', 'no model');
SELECT throws_ok($$SELECT vectorizer.add_endpoint('e', 'http://host/v1', 'm', 0)$$, '22023', 'the dimension of an endpoint is out of range', 'no dimension');
SELECT throws_ok($$SELECT vectorizer.add_endpoint('e', NULL, 'm', 8)$$, '22004', NULL, 'no URL');
SELECT throws_ok($$SELECT vectorizer.add_endpoint('lsa', 'http://127.0.0.1:9/v1', 'm', 8)$$, '42501', NULL, 'a name that is taken comes after what may not be');
SELECT throws_ok($$SELECT vectorizer.add_endpoint('an endpoint', 'http://host/v1', 'm', 8)$$, '42602', NULL, 'a name that none is');
SELECT throws_ok($$SELECT vectorizer.alter_endpoint('none.such')$$, '42704', 'endpoint "none.such" does not exist', 'altering none');
SELECT throws_ok($$SET vectorizer.embed_timeout = 1$$, '22023', NULL, 'a time-out of nothing');

-- A row that was restored: nobody may ask it here, and all else works
INSERT INTO vectorizer.endpoint (name, url, model, dimension, key_file, owner) VALUES ('remote', 'http://127.0.0.1:9/v1/embeddings', 'm', 8, '/nowhere', 'nobody');
SELECT results_eq($$SELECT kind, dimension, state FROM vectorizer.models WHERE name = 'remote'$$, $$VALUES ('http', 8, 'new')$$, 'it is a model');
SELECT throws_ok($$SELECT vectorizer.create_collection('x', dimension => 9, model => 'remote')$$, '22023', 'model "remote" has 8 dimensions, not 9', 'whose dimension counts');
SELECT throws_ok($$SELECT vectorizer.create_collection('remote')$$, '42710', 'there is a model "remote" already', 'and whose name is taken');
SELECT vectorizer.load_workspace('{projects: [{name: p, path: ., collections: [{name: q, embedding: {model: remote}}, {name: r, embedding: {model: remote, k1: 2}}]}]}', :'files');
SELECT results_eq($$SELECT name, model, dimension FROM vectorizer.collections ORDER BY 1$$, $$VALUES ('q', 'remote', 8), ('r', 'remote', 8)$$, 'workspace files name it');
SELECT is_empty(format('SELECT FROM vectorizer.load_workspace(vectorizer.export_workspace(), %L)', :'files'), 'and so do those that are exported');
SELECT vectorizer.drop_project('p');
SELECT vectorizer.create_collection('notes', model => 'remote');
INSERT INTO vectorizer_data.notes (content) VALUES ('The whale sings.'), ('The wolf howls.');
SELECT vectorizer.refresh_collection('notes');
SELECT results_eq($$SELECT count(*), count(embedding), max(model_generation) FROM vectorizer_data.notes$$, $$VALUES (2::bigint, 0::bigint, 0)$$, 'rows wait');
SELECT is((SELECT model_state FROM vectorizer.collections WHERE name = 'notes'), 'ready', 'words are weighed all the same');
SELECT is((SELECT content FROM vectorizer.search('notes', 'whales', 1, 'text')), 'The whale sings.', 'and find');
SELECT throws_ok($$INSERT INTO vectorizer_data.notes (content, embedding) VALUES ('x', '[1,2,3,4,5,6,7,8]')$$, 'VZ002', NULL, 'embeddings are not given');
SELECT has_index('vectorizer_data', 'notes', 'notes:embedding', 'the index is there from the start');
SELECT throws_ok($$SELECT vectorizer.drop_model('remote')$$, '2BP01', 'model "remote" is used by collections', 'it stays while it is used');
SELECT vectorizer.drop_collection('notes');
SELECT lives_ok($$SELECT vectorizer.drop_model('remote')$$, 'and goes');
SELECT is_empty($$SELECT FROM vectorizer.models WHERE name = 'remote'$$, 'for good');

SELECT * FROM finish();
ROLLBACK;
