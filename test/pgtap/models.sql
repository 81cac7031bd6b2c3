-- Embedding models that are imported: vectors of words from a file.
\ir files.psql
BEGIN;
SELECT plan(32);

SELECT pg_temp.put(:'files' || '/words.txt', E'the 0.5 0.5 0.5 0.5\ncar 1 0.1 0 0\nautomobile 0.9 0.2 0 0\ncars 5 5 5 5\nbanana 0 0 1 0.1\nfruit 0 0.1 0.9 0\ndoctor 0 1 0 0.2\nnew york 1 1 1 1\n');
SELECT pg_temp.put(:'files' || '/broken.txt', E'car 1 2\nbus 1\n');
SELECT pg_temp.put(:'files' || '/strange.txt', E'the 1 2\nof 3 4\n');

SELECT is(vectorizer.import_model('tiny', :'files' || '/words.txt'), 5::bigint, 'lexemes, not stop words, nor two words at once');
SELECT results_eq($$SELECT kind, dimension, tokens, text_config, collections FROM vectorizer.models WHERE name = 'tiny'$$,
	$$VALUES ('static', 4, 5::bigint, 'pg_catalog.english', 0::bigint)$$, 'are a model');
SELECT is((SELECT embedding::text FROM vectorizer.token WHERE lexeme = 'car'), '[1,0.1,0,0]', 'the first token of a lexeme counts');
SELECT ok((SELECT a <=> b < 0.05 FROM (SELECT vectorizer.embed('the automobile', 'tiny') AS a, vectorizer.embed('two cars', 'tiny') AS b) x), 'texts are near that say the like');
SELECT is(vectorizer.embed('zebra', 'tiny'), NULL, 'or unknown');

SELECT vectorizer.create_collection('shop', model => 'tiny');
SELECT is((SELECT dimension FROM vectorizer.collections WHERE name = 'shop'), 4, 'a collection has the dimension of its model');
INSERT INTO vectorizer_data.shop (content) VALUES ('Our cars are red.'), ('A banana a day.'), ('Ask your doctor.');
SELECT vectorizer.refresh_collection('shop');
SELECT is((SELECT count(*) FROM vectorizer_data.shop WHERE embedding IS NOT NULL AND model_generation = 1), 3::bigint, 'rows are embedded');
SELECT is((SELECT content FROM vectorizer.search('shop', 'automobile', 1, 'vector')), 'Our cars are red.', 'a word that no row has finds its like');
SELECT is((SELECT content FROM vectorizer.search('shop', 'some fruit', 1)), 'A banana a day.', 'by meaning alone');
SELECT is((SELECT content FROM vectorizer.search('shop', 'doctor', 1, 'text')), 'Ask your doctor.', 'words find, too');
INSERT INTO vectorizer_data.shop (content) VALUES ('Fruit and automobiles.');
SELECT ok((SELECT embedding = vectorizer.embed(content, 'shop') FROM vectorizer_data.shop WHERE content LIKE 'Fruit%'), 'a later row knows words that came after the training');
INSERT INTO vectorizer_data.shop (content) SELECT 'Banana ' || i FROM generate_series(1, 10) i;
SELECT vectorizer.refresh_collection('shop');
SELECT results_eq($$SELECT model_generation, count(*) FROM vectorizer_data.shop GROUP BY 1$$, $$VALUES (2, 14::bigint)$$, 'weights are learnt anew');
SELECT is((SELECT m.kind FROM vectorizer.model m JOIN vectorizer.collection c ON c.id = m.collection_id WHERE c.name = 'shop'), 'static', 'and vectors are not');

-- Collections of files, and another model for one that exists
SELECT pg_temp.put(:'files' || '/docs/a.txt', 'The car stands in the street.');
SELECT pg_temp.put(:'files' || '/docs/b.txt', 'Bananas are yellow.');
SELECT vectorizer.add_project('docs', :'files' || '/docs', dimension => 16);
SELECT vectorizer.sync('docs');
SELECT is_empty($$SELECT FROM vectorizer.search('docs', 'automobile', 1)$$, 'without it');
SELECT vectorizer.alter_collection('docs', model => 'tiny');
SELECT results_eq($$SELECT model, next_model, dimension, state FROM vectorizer.collections WHERE name = 'docs'$$, $$VALUES ('lsa', 'tiny', 16, 'ready')$$, 'another model for a collection');
SELECT is((SELECT path FROM vectorizer.search('docs', 'street', 1, 'vector')), 'a.txt', 'meanwhile the old one finds');
SELECT throws_ok($$SELECT vectorizer.drop_model('tiny')$$, '2BP01', NULL, 'and the new one is in use');
SELECT vectorizer.sync('docs');
SELECT is((SELECT path FROM vectorizer.search('docs', 'automobile', 1)), 'a.txt', 'with it');
SELECT is((SELECT collections FROM vectorizer.models WHERE name = 'tiny'), 2::bigint, 'two use it');
SELECT is_empty($$SELECT plan FROM vectorizer.explain_search('shop, docs', 'automobile', mode => 'vector') WHERE plan LIKE '%bm25%'$$,
	'similarities by one model compare, and need no words to do so');
SELECT results_eq($$SELECT score FROM vectorizer.search('shop, docs', 'automobile street', 20)$$,
	$$SELECT 11.0 / 2 * (coalesce(1.0::float8 / (10 + vector_rank), 0) + coalesce(1.0::float8 / (10 + text_rank), 0)) FROM vectorizer.search('shop, docs', 'automobile street', 20)$$,
	'ranks are fused');

-- What cannot be
SELECT throws_ok($$SELECT vectorizer.drop_model('tiny')$$, '2BP01', 'model "tiny" is used by collections', 'a model in use stays');
SELECT throws_ok(format('SELECT vectorizer.import_model(''tiny'', %L)', :'files' || '/words.txt'), '42710', 'there is a model "tiny" already', 'a name twice');
SELECT throws_ok(format('SELECT vectorizer.import_model(''lsa'', %L)', :'files' || '/words.txt'), '42710', NULL, 'a built-in name');
SELECT throws_ok(format('SELECT vectorizer.import_model(''bad'', %L)', :'files' || '/broken.txt'), '22023', 'line 2: "bus" where the 1. of 2 numbers should be', 'a broken file');
SELECT throws_ok(format('SELECT vectorizer.import_model(''bad'', %L)', :'files' || '/strange.txt'), '22023', NULL, 'nothing but stop words');
SELECT throws_ok(format('SELECT vectorizer.import_model(''bad'', %L)', :'files' || '/none.txt'), '58030', NULL, 'no file');
SELECT throws_ok($$SELECT vectorizer.import_model('bad', '/etc/passwd')$$, '42501', NULL, 'a file elsewhere');
SELECT throws_ok($$SELECT vectorizer.create_collection('x', dimension => 8, model => 'tiny')$$, '22023', 'model "tiny" has 4 dimensions, not 8', 'another dimension');
SELECT throws_ok($$SELECT vectorizer.create_collection('x', model => 'tiny', text_config => 'simple')$$, '22023', NULL, 'another text search configuration');
SELECT vectorizer.drop_collection('shop'), vectorizer.drop_project('docs');
SELECT lives_ok($$SELECT vectorizer.drop_model('tiny')$$, 'a model that is not used goes');
SELECT is((SELECT count(*) FROM vectorizer.token), 0::bigint, 'with its tokens');

SELECT * FROM finish();
ROLLBACK;
