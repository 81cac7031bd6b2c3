-- Ways to more rights than one has, that were open once or look as if they might be.
\ir files.psql
BEGIN;
SELECT plan(25);

CREATE ROLE w;
CREATE ROLE adm;
GRANT vectorizer_writer TO w;
GRANT vectorizer_admin, pg_read_server_files TO adm;
CREATE SCHEMA w AUTHORIZATION w;
CREATE SCHEMA adm AUTHORIZATION adm;
GRANT USAGE ON SCHEMA adm TO PUBLIC;
DO $$
BEGIN
	EXECUTE format('GRANT ALL ON ALL TABLES IN SCHEMA %1$s TO PUBLIC; GRANT ALL ON ALL SEQUENCES IN SCHEMA %1$s TO PUBLIC',
		pg_my_temp_schema()::regnamespace);
END
$$;
CREATE TABLE public.taken (by text);
GRANT INSERT ON public.taken TO PUBLIC;
CREATE FUNCTION public.take() RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
	INSERT INTO public.taken VALUES (current_user);
	RETURN true;
END
$$;

-- Options that become SQL
SET ROLE w;
SELECT throws_ok($$SELECT vectorizer.create_collection('x', dimension => 8, index_options => '{"quantization": "auto); ALTER ROLE w SUPERUSER; --"}')$$,
	'22023', NULL, 'an option is no SQL');
SELECT throws_ok($$SELECT vectorizer.create_collection('x', dimension => 8, index_options => '{"quantization": "tiny"}')$$, '22023', NULL, 'an option has values');
SELECT throws_ok($$SELECT vectorizer.create_collection('x', dimension => 8, index_options => '{"ef_search": 1.5}')$$,
	'22023', 'index option "ef_search" must be a whole number, not 1.5', 'of a kind');
SELECT lives_ok($$SELECT vectorizer.create_collection('x', dimension => 8, index_options => '{"ef_search": 200.0, "quantization": "scalar", "bits": 8}')$$, 'these are');
SELECT lives_ok($$SELECT * FROM vectorizer.search('x', 'anything')$$, 'and searches understand them');
SELECT vectorizer.drop_collection('x');

-- Operators of one's own
CREATE FUNCTION w.equal(a text, b text) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
	INSERT INTO public.taken VALUES (current_user);
	RETURN a OPERATOR(pg_catalog.=) b;
END
$$;
CREATE OPERATOR w.= (LEFTARG = text, RIGHTARG = text, FUNCTION = w.equal);
CREATE FUNCTION w.unequal(a text, b text) RETURNS boolean LANGUAGE sql AS 'SELECT w.equal(a, b) IS NOT TRUE';
CREATE OPERATOR w.<> (LEFTARG = text, RIGHTARG = text, FUNCTION = w.unequal);
SET search_path = w, pg_catalog, public;
SELECT vectorizer.create_collection('mine', dimension => 8);
INSERT INTO vectorizer_data.mine (content) VALUES ('one'), ('two');
SELECT vectorizer.refresh_collection('mine');
INSERT INTO vectorizer_data.mine (content) VALUES ('two and one');
SELECT count(*) FROM vectorizer.search('mine', 'one');
SELECT count(vectorizer.embed('one', 'mine'));
RESET search_path;
RESET ROLE;
SELECT is_empty('SELECT FROM public.taken WHERE by <> ''w''', 'operators of a caller run with his rights alone');
TRUNCATE public.taken;

-- Things hung on a table
SELECT pg_temp.put(:'files' || '/a.txt', 'One text about boats.');
SET ROLE adm;
SELECT vectorizer.add_project('p', :'files', dimension => 16);
SELECT vectorizer.sync('p');
CREATE FUNCTION adm.look(v vector) RETURNS boolean LANGUAGE sql AS 'SELECT public.take()';
ALTER TABLE vectorizer_data.p ADD CONSTRAINT looks CHECK (adm.look(embedding));
RESET ROLE;
TRUNCATE public.taken;
SET ROLE adm;
SELECT vectorizer.alter_collection('p', text_config => 'simple', model_options => '{"k1": 3}');
SELECT vectorizer.sync('p');
ALTER TABLE vectorizer_data.p DROP CONSTRAINT looks;
SELECT vectorizer.alter_collection('p', dimension => 8);
SELECT vectorizer.sync('p');
RESET ROLE;
SELECT isnt_empty('SELECT FROM public.taken', 'a constraint is checked');
SELECT is_empty('SELECT FROM public.taken WHERE by <> ''vectorizer_admin''', 'with the rights of the table''s owner');
SELECT is((SELECT attstorage::text FROM pg_attribute WHERE attrelid = 'vectorizer_data.p'::regclass AND attname = 'embedding'), 'm', 'an embedding stays in its row');
SELECT is((SELECT state FROM vectorizer.collections WHERE name = 'p'), 'ready', 'and the collection is as it was asked to be');
SELECT throws_ok($$SELECT vectorizer.alter_collection('p', dimension => 16, index_options => '{"m": 50, "ef_construction": 10}')$$, '22023', NULL,
	'an index that cannot be is refused at once');
TRUNCATE public.taken;
CREATE RULE counted AS ON INSERT TO vectorizer_data.mine DO ALSO SELECT public.take();
SET ROLE w;
SELECT vectorizer.refresh_collection('mine');
RESET ROLE;
SELECT is_empty('SELECT FROM public.taken WHERE by NOT IN (''vectorizer_admin'', ''w'')', 'nor do rules run with more');

-- Settings that outlive what runs as the owner
TRUNCATE public.taken;
SET ROLE adm;
CREATE FUNCTION adm.equal(a bigint, b bigint) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
	INSERT INTO public.taken VALUES ('operator ' || current_user);
	RETURN a OPERATOR(pg_catalog.=) b;
END
$$;
CREATE OPERATOR adm.= (LEFTARG = bigint, RIGHTARG = bigint, FUNCTION = adm.equal);
CREATE FUNCTION adm.set_path(v vector) RETURNS boolean LANGUAGE sql AS $$ SELECT set_config('search_path', 'adm, pg_catalog', false) IS NOT NULL $$;
GRANT EXECUTE ON FUNCTION adm.set_path(vector) TO PUBLIC;
ALTER TABLE vectorizer_data.p ADD CONSTRAINT sets CHECK (adm.set_path(embedding));
SET search_path = public;
SELECT vectorizer.reindex('p'), vectorizer.alter_collection('p', text_config => 'english');
SELECT vectorizer.sync('p');
SELECT is(current_setting('search_path'), 'public', 'what a constraint sets is unset again');
RESET search_path;
RESET ROLE;
SELECT is_empty('SELECT FROM public.taken WHERE by LIKE ''operator%''', 'and nobody else looks there for operators');

-- Columns of other types, rows without what they must have, policies for owners
SELECT vectorizer.create_collection('odd', dimension => 8);
INSERT INTO vectorizer_data.odd (content) VALUES ('one oak'), ('two oaks');
SELECT vectorizer.refresh_collection('odd');
SAVEPOINT before;
ALTER TABLE vectorizer_data.odd ALTER COLUMN heading TYPE bigint USING NULL;
SELECT throws_ok('INSERT INTO vectorizer_data.odd (content, heading) VALUES (''x'', 4096)', '42804', 'column "heading" of collection "odd" must be of type text',
	'a column of another type is not taken for text');
ROLLBACK TO before;
ALTER TABLE vectorizer_data.odd ALTER COLUMN tsv DROP NOT NULL, DISABLE TRIGGER "~embed_row";
UPDATE vectorizer_data.odd SET tsv = NULL, model_generation = 0;
SELECT throws_ok('SELECT vectorizer.refresh_collection(''odd'')', '22004', 'column "tsv" of collection "odd" is null in a row', 'nor is what is not there');
ROLLBACK TO before;
ALTER TABLE vectorizer_data.odd ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY few ON vectorizer_data.odd USING (content LIKE 'one%');
INSERT INTO vectorizer_data.odd (id, content) SELECT -9223372036854775807 - 1 + i, 'more oaks ' || i FROM generate_series(0, 5) i;
SELECT is(vectorizer.refresh_collection('odd'), 8::bigint, 'a policy hides no row from its model');
SELECT results_eq('SELECT model_generation, count(*) FROM vectorizer_data.odd GROUP BY 1', $$VALUES (2, 8::bigint)$$, 'nor does the least id');
SELECT throws_ok('SELECT vectorizer.rename_collection(''odd'', ''mine'')', '42710', 'collection "mine" already exists', 'a name is one collection''s');
SELECT throws_ok('SELECT vectorizer.rename_collection(''odd'', ''lsa'')', '42710', 'there is a model "lsa" already', 'or one model''s');

-- A trigger of one's own that changes what a row says
CREATE FUNCTION public.tidy() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	NEW.content := replace(NEW.content, 'secret', 'public');
	RETURN NEW;
END
$$;
CREATE TRIGGER tidy BEFORE INSERT OR UPDATE ON vectorizer_data.mine FOR EACH ROW EXECUTE FUNCTION public.tidy();
INSERT INTO vectorizer_data.mine (content) VALUES ('a secret word');
SELECT results_eq($$SELECT content, content_hash, tsv FROM vectorizer_data.mine WHERE content LIKE '%word'$$,
	$$SELECT 'a public word', sha256('a public word'), to_tsvector('english', 'a public word')$$, 'embeddings follow what triggers make of a row');
SELECT ok((SELECT embedding IS NOT DISTINCT FROM vectorizer.embed(content, 'mine') FROM vectorizer_data.mine WHERE content LIKE '%word'), 'really');

-- Rows before all others, and transactions that see the past
INSERT INTO vectorizer_data.mine (id, content) VALUES (0, 'one at nought'), (-5, 'one before');
INSERT INTO vectorizer_data.mine (content) SELECT 'one more ' || i FROM generate_series(1, 20) i;
SELECT vectorizer.refresh_collection('mine');
SELECT results_eq('SELECT DISTINCT model_generation FROM vectorizer_data.mine', '{2}'::int[], 'whatever its id, a row is embedded anew');
SELECT vectorizer.drop_collection('mine'), vectorizer.drop_collection('odd'), vectorizer.drop_project('p');
SELECT is((SELECT rolsuper FROM pg_roles WHERE rolname = 'w'), false, 'nobody has become more');
SELECT is((SELECT rolsuper FROM pg_roles WHERE rolname = 'adm'), false, 'than he was');

SELECT * FROM finish();
ROLLBACK;
