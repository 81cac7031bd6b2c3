-- Who may do what: outsiders nothing, members of vectorizer_admin projects, and nobody write a workspace collection.
\ir files.psql
BEGIN;
SELECT plan(30);

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
SELECT throws_ok(format('SELECT vectorizer.add_project_as(%L, %L, %L, null, null, null, null, null, null, null, null, null)',
		'postgres', 'mine', :'files'),
	'42501', 'permission denied for function add_project_as', 'an outsider does not get behind the gate');
SELECT throws_ok('SELECT vectorizer.run_pass(1)', '42501', 'permission denied for function run_pass', 'nor runs a pass');
SELECT throws_ok('SELECT * FROM vectorizer_data.secret', '42501', 'permission denied for table secret',
	'an outsider reads no collection');
SELECT throws_ok('SELECT * FROM vectorizer.lexeme', '42501', 'permission denied for table lexeme', 'nor its lexemes');
SELECT throws_ok('SELECT * FROM vectorizer.search(''secret'', ''submarines'')',
	'42501', 'permission denied for collection "secret"', 'an outsider cannot search');
SELECT throws_ok('SELECT * FROM vectorizer.embed(''secret'', ''submarines'')',
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
RESET ROLE;

SET ROLE clerk;
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

SELECT * FROM finish();
ROLLBACK;
