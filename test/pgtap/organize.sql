-- Many collections: namespaces, descriptions, tags, categories, counts.
\ir files.psql
BEGIN;
SELECT plan(27);

SELECT pg_temp.put(:'files' || '/src/main.c', 'int main(void) { return 0; }');
SELECT pg_temp.put(:'files' || '/src/list.c', 'struct list { struct list *next; };');
SELECT pg_temp.put(:'files' || '/src/list.h', 'struct list;');
SELECT pg_temp.put(:'files' || '/src/build.py', 'print("build")');
SELECT pg_temp.put(:'files' || '/src/notes', 'Of no known kind.');
SELECT pg_temp.put(:'files' || '/doc/intro.md', 'Bees make honey from nectar.');
SELECT pg_temp.put(:'files' || '/doc/binary.md', E'\x01\x02');
SELECT pg_temp.put(:'files' || '/etc/a.yaml', 'a: 1');
SELECT pg_temp.put(:'files' || '/etc/b.json', '{"b": 2}');

SELECT vectorizer.add_project('p', :'files', collections => '[
	{"name": "team.gateway.code", "include": ["src/**"]},
	{"name": "team.gateway.docs", "include": ["doc/**"]},
	{"name": "team.settings", "include": ["etc/**"]},
	{"name": "top", "include": ["none/**"]}]');
SELECT results_eq('SELECT name, state, files, chunks, category FROM vectorizer.collections ORDER BY name',
	$$VALUES ('team.gateway.code', 'new', 0::bigint, 0::bigint, NULL), ('team.gateway.docs', 'new', 0, 0, NULL),
		('team.settings', 'new', 0, 0, NULL), ('top', 'new', 0, 0, NULL)$$, 'new collections are empty');
SELECT vectorizer.sync('p');
SELECT results_eq('SELECT name, state, files, chunks, skipped, category FROM vectorizer.collections ORDER BY name',
	$$VALUES ('team.gateway.code', 'ready', 5::bigint, 5::bigint, 0::bigint, 'code'),
		('team.gateway.docs', 'ready', 1, 1, 1, 'documentation'), ('team.settings', 'ready', 2, 2, 0, 'mixed'),
		('top', 'new', 0, 0, 0, NULL)$$, 'a pass counts, and files tell the category');
SELECT is((SELECT tags FROM vectorizer.collections WHERE name = 'team.gateway.code'), '{c,python,small,code}', 'and tags');
SELECT is((SELECT bytes FROM vectorizer.collections WHERE name = 'team.settings'), 12::bigint, 'bytes');
SELECT is((SELECT count(*) FROM vectorizer.collections WHERE last_changed_at IS NOT NULL), 3::bigint, 'and when it changed');
SELECT results_eq('SELECT sum(files), sum(chunks) FROM vectorizer.collections',
	'SELECT count(*) FILTER (WHERE state = ''indexed'')::numeric, sum(chunks)::numeric FROM vectorizer.files', 'counts are those of the files');
SELECT pg_temp.shell('rm ' || :'files' || '/src/list.h ' || :'files' || '/src/notes');
SELECT vectorizer.sync('p');
SELECT is((SELECT files FROM vectorizer.collections WHERE name = 'team.gateway.code'), 3::bigint, 'deletions count');

-- The tree
SELECT results_eq('SELECT namespace, branch, depth, collections, all_collections, all_files, all_chunks FROM vectorizer.namespace_tree()',
	$$VALUES ('team', 'team', 1, '{team.settings}'::text[], 3::bigint, 6::bigint, 6::bigint),
		('team.gateway', '    gateway', 2, '{team.gateway.code,team.gateway.docs}', 2, 4, 4)$$, 'namespaces are a tree');
SELECT is(vectorizer.namespace_of('a.b.c'), 'a.b', 'the namespace of a name');
SELECT is(vectorizer.namespace_of('a'), '', 'at the top');

-- Descriptions
SELECT vectorizer.describe_collection('team.gateway.code', 'What routes requests', '{routing,http}', NULL);
SELECT is((SELECT description FROM vectorizer.collections WHERE name = 'team.gateway.code'), 'What routes requests', 'a description');
SELECT is((SELECT tags FROM vectorizer.collections WHERE name = 'team.gateway.code'), '{routing,http,c,python,small,code}',
	'tags that are given, and those of the files');
SELECT vectorizer.describe_collection('team.gateway.code', category => 'data');
SELECT is((SELECT description || ' ' || category FROM vectorizer.collections WHERE name = 'team.gateway.code'), 'What routes requests data',
	'what is not said stays');
SELECT throws_ok('SELECT vectorizer.describe_collection(''team.gateway.cod'', ''x'')', '42704', 'collection "team.gateway.cod" does not exist', 'of what exists');
SELECT throws_ok('SELECT vectorizer.describe_collection(''top'', tags => ''{a b}'')', '22023', 'invalid tag "a b"', 'a tag is a word');
SELECT throws_ok('SELECT vectorizer.describe_collection(''top'', tags => ARRAY[NULL])', '22023', 'invalid tag ""', 'not null');
SELECT throws_ok('SELECT vectorizer.describe_collection(''top'', category => ''prose'')', '22023', 'unknown category "prose"', 'categories are known');

-- Finding
SELECT is(ARRAY(SELECT name FROM vectorizer.find_collections('team.gateway')), '{team.gateway.code,team.gateway.docs}', 'by namespace');
SELECT is(ARRAY(SELECT name FROM vectorizer.find_collections('team.gate')), '{}', 'which is whole');
SELECT is(ARRAY(SELECT name FROM vectorizer.find_collections(tags => '{http,c}')), '{team.gateway.code}', 'by tags');
SELECT is(ARRAY(SELECT name FROM vectorizer.find_collections(category => 'documentation')), '{team.gateway.docs}', 'by category');
SELECT is(ARRAY(SELECT name FROM vectorizer.find_collections(min_vectors => 2, max_vectors => 2)), '{team.settings}', 'by size');
SELECT is(ARRAY(SELECT name FROM vectorizer.find_collections(text => 'Gateway REQUESTS')), '{team.gateway.code}', 'by words');
SELECT is(ARRAY(SELECT name FROM vectorizer.find_collections()), '{team.gateway.code,team.gateway.docs,team.settings,top}', 'all');

CREATE ROLE outsider;
GRANT SELECT ON vectorizer_data."team.settings" TO outsider;
SET LOCAL ROLE outsider;
SELECT is(ARRAY(SELECT name FROM vectorizer.find_collections()), '{team.settings}', 'what one may read shows');
SELECT is(ARRAY(SELECT namespace FROM vectorizer.namespace_tree()), '{team}', 'in the tree, too');
SELECT throws_ok('SELECT vectorizer.describe_collection(''team.settings'', ''x'')', '42501', NULL, 'and no more is allowed');
RESET ROLE;

SELECT * FROM finish();
ROLLBACK;
