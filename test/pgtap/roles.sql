-- Who may do what: outsiders nothing, members of vectorizer_admin projects, and nobody write a workspace collection.
\ir files.psql
BEGIN;
SELECT plan(41);

SELECT pg_temp.put(:'files' || '/a.txt', 'A secret about submarines.');
SELECT vectorizer.add_project('secret', :'files');
SELECT vectorizer.sync('secret');
CREATE ROLE outsider;
CREATE ROLE clerk;
GRANT vectorizer_admin TO clerk;
CREATE ROLE keeper;
GRANT vectorizer_admin, pg_read_server_files TO keeper;
CREATE ROLE student;
GRANT vectorizer_reader TO student;
CREATE ROLE guest;
-- pgTAP keeps its counts in temporary tables, which each role of this test writes.
DO $$
BEGIN
	EXECUTE format('GRANT ALL ON ALL TABLES IN SCHEMA %1$s TO PUBLIC; GRANT ALL ON ALL SEQUENCES IN SCHEMA %1$s TO PUBLIC',
		pg_my_temp_schema()::regnamespace);
END
$$;

SELECT has_role('vectorizer_admin');
SELECT has_role('vectorizer_writer');
SELECT has_role('vectorizer_reader');
SELECT is(
	(SELECT count(*) FROM pg_roles WHERE rolname LIKE 'vectorizer\_%' AND rolcanlogin), 0::bigint,
	'the group roles cannot log in');

SET ROLE outsider;
SELECT throws_ok(format('SELECT vectorizer.add_project(%L, %L)', 'mine', :'files'),
	'42501', 'permission denied for function add_project', 'an outsider adds no project');
SELECT throws_ok('SELECT vectorizer.sync(''secret'')',
	'42501', 'permission denied for function sync', 'an outsider has no files read');
SELECT throws_ok(format('SELECT vectorizer.check_root(%L, %L)', 'postgres', :'files'),
	'42501', 'permission denied for function check_root', 'an outsider cannot ask in somebody else''s name');
SELECT throws_ok(format('SELECT vectorizer.add_project_as(%L, %L, %L, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null)',
		'postgres', 'mine', :'files'),
	'42501', 'permission denied for function add_project_as', 'an outsider does not get behind the gate');
SELECT throws_ok('SELECT vectorizer.run_pass(1)', '42501', 'permission denied for function run_pass', 'nor runs a pass');
SELECT throws_ok('SELECT * FROM vectorizer_data.secret', '42501', 'permission denied for table secret',
	'an outsider reads no collection');
SELECT throws_ok('SELECT * FROM vectorizer.lexeme', '42501', 'permission denied for table lexeme', 'nor its lexemes');
SELECT throws_ok('SELECT * FROM vectorizer.search(''secret'', ''submarines'')',
	'42501', 'permission denied for collection "secret"', 'an outsider cannot search');
SELECT throws_ok('SELECT * FROM vectorizer.embed(''submarines'', ''secret'')',
	'42501', 'permission denied for collection "secret"', 'nor use its model');
SELECT throws_ok('SELECT * FROM vectorizer.search(''*'', ''submarines'')',
	'42704', 'no collection that you may read matches "*"', 'a pattern finds what one may read');
SELECT throws_ok('INSERT INTO vectorizer_data.secret (path) VALUES (''x'')',
	'42501', 'permission denied for table secret', 'an outsider writes no collection');
SELECT is_empty('SELECT * FROM vectorizer.collections', 'an outsider sees no collection');
SELECT is_empty('SELECT * FROM vectorizer.projects', 'no project');
SELECT is_empty('SELECT * FROM vectorizer.files', 'no file');
SELECT is_empty('SELECT * FROM vectorizer.activity', 'no activity');
SELECT throws_ok('CREATE TABLE vectorizer_data.mine ()', '42501', 'permission denied for schema vectorizer_data',
	'an outsider makes no table among the collections');
-- A view filters before it lets a condition of the caller look.
CREATE FUNCTION pg_temp.peek(seen text) RETURNS boolean LANGUAGE plpgsql COST 0.0000001 AS $$
BEGIN
	RAISE EXCEPTION 'seen: %', seen;
END
$$;
SELECT is_empty('SELECT FROM vectorizer.files WHERE pg_temp.peek(path)', 'a condition that tells sees no file');
SELECT is_empty('SELECT FROM vectorizer.projects WHERE pg_temp.peek(path)', 'no project');
SELECT is_empty('SELECT FROM vectorizer.collections WHERE pg_temp.peek(path)', 'no collection');
SELECT is_empty('SELECT FROM vectorizer.activity WHERE pg_temp.peek(phase)', 'no activity');
SELECT throws_ok('SELECT vectorizer.edit_distance(repeat(''a'', 10000), repeat(''b'', 10000))', '22023', NULL,
	'nobody keeps a server busy by long comparisons');
RESET ROLE;

-- What runs with the owner's rights does not run the caller's operators.
CREATE SCHEMA AUTHORIZATION student;
GRANT USAGE ON SCHEMA student TO PUBLIC;
CREATE FUNCTION student.spy(bigint, bigint) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
	IF current_user <> 'student' THEN
		RAISE EXCEPTION 'called as %', current_user;
	END IF;
	RETURN $1 OPERATOR(pg_catalog.=) $2;
END
$$;
CREATE OPERATOR student.= (LEFTARG = bigint, RIGHTARG = bigint, PROCEDURE = student.spy);
SET ROLE student;
SELECT lives_ok('SET LOCAL search_path = student, pg_catalog, public; SELECT * FROM vectorizer.parse_query(''secret'', ''submarines'')',
	'parse_query uses the server''s operators');
RESET ROLE;
RESET search_path;

SET ROLE clerk;
SELECT throws_ok('SELECT vectorizer.add_collection(''secret'', ''secret.all'')',
	'42501', 'permission denied to read files of the server for role "clerk"',
	'nor a collection of other files to somebody else''s project');
SELECT throws_ok(format('SELECT vectorizer.add_project(%L, %L)', 'mine', :'files'),
	'42501', 'permission denied to read files of the server for role "clerk"',
	'an admin who may not read the server''s files adds no project');
RESET ROLE;

SET ROLE keeper;
SELECT throws_ok('SELECT vectorizer.add_project(''etc'', ''/etc'')',
	'42501', 'directory "/etc" is not within vectorizer.allowed_roots', 'nor one who may, outside the allowed roots');
SELECT throws_ok('SELECT vectorizer.add_project(''gone'', ''/no/such/place'')',
	'42501', 'directory "/no/such/place" is not within vectorizer.allowed_roots',
	'whether a directory outside exists is not told');
SELECT throws_like(format('SELECT vectorizer.add_project(%L, %L)', 'gone', :'files' || '/missing'),
	'could not open directory %', 'within the allowed roots it is');
SELECT lives_ok(format('SELECT vectorizer.add_project(%L, %L)', 'kept', :'files'), 'inside, she adds a project');
SELECT is((SELECT owner FROM vectorizer.projects WHERE name = 'kept'), 'keeper', 'which is hers');
SELECT throws_ok('DELETE FROM vectorizer_data.kept', 'VZ001', 'collection "kept" is filled from its files and is read-only',
	'a workspace collection refuses its owner''s writes');
RESET ROLE;

SET ROLE student;
SELECT is((SELECT path FROM vectorizer.search('secret', 'submarines')), 'a.txt', 'a member of vectorizer_reader searches');
RESET ROLE;

GRANT SELECT ON vectorizer_data.secret TO guest;
SET ROLE guest;
SELECT is((SELECT path FROM vectorizer.search('secret', 'submarines')), 'a.txt', 'and so does who was granted the table');
RESET ROLE;

ALTER ROLE keeper RENAME TO former_keeper;
SELECT throws_ok('SELECT vectorizer.sync(''kept'')', '42704', 'role "keeper" does not exist',
	'a project whose owner is gone reads nothing');

-- The tables are vectorizer_admin's, who may change them: what she makes of them has her rights when they are read.
ALTER ROLE former_keeper RENAME TO keeper;
SELECT vectorizer.sync('kept');
UPDATE vectorizer.model SET n_chunks = 0;  -- trains again
CREATE FUNCTION pg_temp.as_whom() RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
	IF current_user <> 'vectorizer_admin' THEN
		RAISE EXCEPTION 'read as %', current_user;
	END IF;
	RETURN true;
END
$$;
DO $$ BEGIN EXECUTE format('GRANT USAGE ON SCHEMA %s TO PUBLIC', pg_my_temp_schema()::regnamespace); END $$;
SAVEPOINT table_is_a_view;
ALTER TABLE vectorizer_data.kept RENAME TO kept_table;
ALTER TABLE vectorizer_data.kept_table DISABLE TRIGGER guard_write;
CREATE VIEW vectorizer_data.kept AS SELECT * FROM vectorizer_data.kept_table WHERE pg_temp.as_whom();
ALTER VIEW vectorizer_data.kept OWNER TO vectorizer_admin;
SELECT lives_ok('SELECT vectorizer.sync(''kept'')', 'a chunk table is read as its owner');
SELECT is((SELECT model_generation FROM vectorizer.collections WHERE name = 'kept'), 2, 'for training');
ROLLBACK TO table_is_a_view;

SET ROLE clerk;
DROP INDEX vectorizer_data."kept:tsv";
ALTER TABLE vectorizer_data.kept ALTER COLUMN tsv TYPE bytea USING '\x000100ffffffffffffffff';
RESET ROLE;
SELECT throws_ok('SELECT vectorizer.sync(''kept'')', '42846', NULL, 'and its columns are not taken for what they were');
SELECT is((SELECT model_generation FROM vectorizer.collections WHERE name = 'kept'), 1, 'so that nothing happened');

SELECT * FROM finish();
ROLLBACK;
