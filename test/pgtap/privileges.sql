-- An outsider, a reader, a writer, an owner and an administrator, each trying everything.
\ir files.psql
BEGIN;
SELECT plan(6);

SELECT pg_temp.put(:'files' || '/a.txt', 'A secret about submarines.');
CREATE ROLE outsider;
CREATE ROLE reader;
CREATE ROLE writer;
CREATE ROLE owner;
CREATE ROLE admin;
GRANT vectorizer_reader TO reader;
GRANT vectorizer_writer TO writer, owner;
GRANT vectorizer_admin, pg_read_server_files TO admin;
SET ROLE admin;
SELECT vectorizer.add_project('p', :'files', collections => '[{"name": "files"}]', dimension => 16);
SELECT vectorizer.sync('p');
RESET ROLE;
INSERT INTO vectorizer.endpoint (name, url, model, dimension, owner) VALUES ('remote', 'http://localhost/v1', 'm', 8, 'admin');
SET ROLE owner;
SELECT vectorizer.create_collection('rows', dimension => 16);
INSERT INTO vectorizer_data.rows (content) VALUES ('A note about submarines.');
RESET ROLE;

CREATE FUNCTION pg_temp.attempt(who text, statement text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE format('SET LOCAL ROLE %I', who);
	BEGIN
		EXECUTE statement;
		RAISE SQLSTATE 'ZZ999' USING MESSAGE = 'done, and undone';
	EXCEPTION
		WHEN SQLSTATE 'ZZ999' THEN RETURN 'yes';
		WHEN OTHERS THEN RETURN CASE SQLSTATE WHEN '42501' THEN '-' ELSE SQLSTATE END;
	END;
END
$$;
CREATE TEMP TABLE attempts (statement text, n int GENERATED ALWAYS AS IDENTITY, outsider text, reader text, writer text, owner text, admin text);
INSERT INTO attempts (statement, outsider, reader, writer, owner, admin) VALUES
	('SELECT FROM vectorizer_data.files',                                            '-',   'yes', 'yes', 'yes', 'yes'),
	('SELECT FROM vectorizer_data.rows',                                             '-',   'yes', 'yes', 'yes', 'yes'),
	('INSERT INTO vectorizer_data.files (content) VALUES (''x'')',                   '-',   '-',   '-',   '-',   'VZ001'),
	('UPDATE vectorizer_data.files SET content = ''x''',                             '-',   '-',   '-',   '-',   'VZ001'),
	('DELETE FROM vectorizer_data.files',                                            '-',   '-',   '-',   '-',   'VZ001'),
	('TRUNCATE vectorizer_data.files',                                               '-',   '-',   '-',   '-',   'VZ001'),
	('MERGE INTO vectorizer_data.files f USING (SELECT 1) s ON true WHEN MATCHED THEN DELETE', '-', '-', '-', '-', 'VZ001'),
	('INSERT INTO vectorizer_data.rows (content) VALUES (''x'')',                    '-',   '-',   'yes', 'yes', 'yes'),
	('UPDATE vectorizer_data.rows SET content = ''x''',                              '-',   '-',   'yes', 'yes', 'yes'),
	('DELETE FROM vectorizer_data.rows',                                             '-',   '-',   'yes', 'yes', 'yes'),
	('TRUNCATE vectorizer_data.rows',                                                '-',   '-',   '-',   'yes', 'yes'),
	('ALTER TABLE vectorizer_data.rows ADD COLUMN x int',                            '-',   '-',   '-',   '-',   'yes'),
	('ALTER TABLE vectorizer_data.rows DISABLE TRIGGER "~embed_row"',               '-',   '-',   '-',   '-',   'yes'),
	('DROP TABLE vectorizer_data.rows',                                              '-',   '-',   '-',   '-',   'yes'),
	('CREATE INDEX ON vectorizer_data.files (path)',                                 '-',   '-',   '-',   '-',   'yes'),
	('CREATE POLICY p ON vectorizer_data.files USING (false)',                       '-',   '-',   '-',   '-',   'yes'),
	('CREATE TABLE vectorizer_data.x ()',                                            '-',   '-',   '-',   '-',   'yes'),
	('CREATE TABLE vectorizer.x ()',                                                 '-',   '-',   '-',   '-',   '-'),
	('SELECT FROM vectorizer.project',                                               '-',   '-',   '-',   '-',   '-'),
	('SELECT FROM vectorizer.lexeme',                                                '-',   '-',   '-',   '-',   '-'),
	('UPDATE vectorizer.collection SET owner = current_user',                        '-',   '-',   '-',   '-',   '-'),
	('DELETE FROM vectorizer.file',                                                  '-',   '-',   '-',   '-',   '-'),
	('SELECT FROM vectorizer.collections, vectorizer.files, vectorizer.projects, vectorizer.activity', 'yes', 'yes', 'yes', 'yes', 'yes'),
	('SELECT FROM vectorizer.search(''files'', ''submarine'')',                      '-',   'yes', 'yes', 'yes', 'yes'),
	('SELECT FROM vectorizer.explain_search(''rows'', ''submarine'', run => true)',  '-',   'yes', 'yes', 'yes', 'yes'),
	('SELECT vectorizer.embed(''submarine'', ''files'')',                            '-',   'yes', 'yes', 'yes', 'yes'),
	('SELECT vectorizer.collection_size(''files'')',                                 '-',   'yes', 'yes', 'yes', 'yes'),
	('SELECT vectorizer.namespace_tree()',                                           'yes', 'yes', 'yes', 'yes', 'yes'),
	('SELECT vectorizer.create_collection(''more'')',                                '-',   '-',   'yes', 'yes', 'yes'),
	('SELECT vectorizer.refresh_collection(''rows'')',                               '-',   '-',   '-',   'yes', 'yes'),
	('SELECT vectorizer.describe_collection(''rows'', ''x'')',                       '-',   '-',   '-',   'yes', 'yes'),
	('SELECT vectorizer.rename_collection(''rows'', ''lines'')',                     '-',   '-',   '-',   'yes', 'yes'),
	('SELECT vectorizer.alter_collection(''rows'', dimension => 24)',                 '-',   '-',   '-',   'yes', 'yes'),
	('SELECT vectorizer.drop_collection(''rows'')',                                  '-',   '-',   '-',   'yes', 'yes'),
	('SELECT vectorizer.describe_collection(''files'', ''x'')',                      '-',   '-',   '-',   '-',   'yes'),
	('SELECT vectorizer.rename_collection(''files'', ''papers'')',                   '-',   '-',   '-',   '-',   'yes'),
	('SELECT vectorizer.drop_collection(''files'')',                                 '-',   '-',   '-',   '-',   'yes'),
	('SELECT vectorizer.alter_collection(''files'', chunk_size => 400)',             '-',   '-',   '-',   '-',   'yes'),
	('SELECT vectorizer.add_collection(''p'', ''more'')',                            '-',   '-',   '-',   '-',   'yes'),
	('SELECT vectorizer.alter_project(''p'', debounce => ''1 s'')',                  '-',   '-',   '-',   '-',   'yes'),
	('SELECT vectorizer.pause(''p''), vectorizer.resume(''p''), vectorizer.reindex(''p''), vectorizer.confirm_deletions(''p'')', '-', '-', '-', '-', 'yes'),
	('SELECT vectorizer.drop_project(''p'')',                                        '-',   '-',   '-',   '-',   'yes'),
	('SELECT vectorizer.sync(''p'')',                                                '-',   '-',   '-',   '-',   'yes'),
	('SELECT vectorizer.grant_namespace(''files'', ''outsider'')',                     '-',   '-',   '-',   '-',   'yes'),
	('SELECT vectorizer.export_workspace()',                                         '-',   '-',   '-',   '-',   'yes'),
	('SELECT vectorizer.load_workspace(''projects: [{name: q, path: /etc}]'')',      '-',   '-',   '-',   '-',   '-'),
	('SELECT vectorizer.load_workspace_file(''/etc/passwd'')',                       '-',   '-',   '-',   '-',   '-'),
	('SELECT vectorizer.add_project(''q'', ''/etc'')',                               '-',   '-',   '-',   '-',   '-'),
	('SELECT vectorizer.preview_patterns(''/etc'')',                                 '-',   '-',   '-',   '-',   '-'),
	('SELECT vectorizer.suggest_collections(''/etc'')',                              '-',   '-',   '-',   '-',   '-'),
	('SELECT vectorizer.add_endpoint(''e'', ''http://localhost/v1'', ''m'', 8)',       '-',   '-',   '-',   '-',   '-'),
	('SELECT vectorizer.alter_endpoint(''remote'', ''http://localhost/v1'')',        '-',   '-',   '-',   '-',   '-'),
	('SELECT FROM vectorizer.endpoints',                                             '-',   '-',   '-',   '-',   'yes'),
	('SELECT url FROM vectorizer.endpoint',                                          '-',   '-',   '-',   '-',   '-'),
	('SELECT FROM vectorizer.models, vectorizer.refused_rows',                       'yes', 'yes', 'yes', 'yes', 'yes'),
	('SELECT vectorizer.drop_model(''remote'')',                                     '-',   '-',   '-',   '-',   'yes'),
	('SELECT vectorizer.wake_embedder()',                                            '-',   '-',   '-',   '-',   '-'),
	('SET vectorizer.allowed_endpoints = ''http://localhost''',                      '55P02', '55P02', '55P02', '55P02', '55P02'),
	('SELECT vectorizer.validate_workspace(''x'')',                                  'yes', 'yes', 'yes', 'yes', 'yes'),
	('SET vectorizer.allowed_roots = ''/''',                                         '55P02', '55P02', '55P02', '55P02', '55P02'),
	('ALTER SYSTEM SET vectorizer.allowed_roots = ''/''',                            '25001', '25001', '25001', '25001', '25001'),
	('DROP EXTENSION vectorizer CASCADE',                                            '-',   '-',   '-',   '-',   '-');
CREATE TEMP TABLE outcome AS
	SELECT a.n, a.statement, who.name, pg_temp.attempt(who.name, a.statement) AS happens, to_jsonb(a) ->> who.name AS should
	FROM attempts a, unnest('{outsider,reader,writer,owner,admin}'::text[]) who(name);
RESET ROLE;
SELECT is_empty('SELECT name, statement, happens, should FROM outcome WHERE happens IS DISTINCT FROM should ORDER BY n, name', 'everybody may do what his role says, and nothing else');

-- Of the functions themselves
SELECT is_empty($$
	SELECT p.oid::regprocedure, r.name FROM pg_proc p, unnest('{public,vectorizer_reader,vectorizer_writer,vectorizer_admin}'::text[]) r(name)
	WHERE p.pronamespace = 'vectorizer'::regnamespace AND p.prosecdef AND has_function_privilege(r.name, p.oid, 'EXECUTE')$$,
	'nobody calls a function with the rights of its owner');
SELECT is_empty($$
	SELECT p.oid::regprocedure FROM pg_proc p
	WHERE p.pronamespace = 'vectorizer'::regnamespace AND p.prolang <> (SELECT oid FROM pg_language WHERE lanname = 'c')
		AND NOT coalesce(p.proconfig @> '{"search_path=pg_catalog, pg_temp"}', false)$$, 'every function pins its search_path');
SELECT results_eq($$
	SELECT p.proname::text COLLATE "C" FROM pg_proc p WHERE p.pronamespace = 'vectorizer'::regnamespace AND has_function_privilege('vectorizer_writer', p.oid, 'EXECUTE')
		AND NOT has_function_privilege('public', p.oid, 'EXECUTE') ORDER BY 1$$,
	$$SELECT unnest('{alter_collection,ask_endpoint,create_collection,describe_collection,drop_collection,refresh_collection,rename_collection}'::text[]) COLLATE "C"$$, 'what writers may beside others');
SELECT results_eq($$
	SELECT p.proname::text COLLATE "C" FROM pg_proc p WHERE p.pronamespace = 'vectorizer'::regnamespace AND has_function_privilege('vectorizer_reader', p.oid, 'EXECUTE')
		AND NOT has_function_privilege('public', p.oid, 'EXECUTE')$$, $$SELECT 'ask_endpoint' COLLATE "C"$$, 'readers may ask endpoints, and differ from others by tables beside');
SELECT is_empty($$
	SELECT c.oid::regclass, r.name FROM pg_class c, unnest('{public,vectorizer_reader,vectorizer_writer,vectorizer_admin}'::text[]) r(name)
	WHERE c.relnamespace = 'vectorizer'::regnamespace AND c.relkind IN ('r', 'S') AND c.relname <> 'token' AND has_table_privilege(r.name, c.oid, 'SELECT, INSERT, UPDATE, DELETE, TRUNCATE')$$,
	'the catalogue is for its owner');

SELECT * FROM finish();
ROLLBACK;
