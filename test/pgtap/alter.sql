-- Changing projects and collections that exist.
\ir files.psql
BEGIN;
SELECT plan(43);

SELECT pg_temp.put(:'files' || '/a.txt', (SELECT string_agg('Sentence number ' || i || ' is here.', ' ') FROM generate_series(1, 100) i));
SELECT pg_temp.put(:'files' || '/b.txt', 'Bees make honey.');
SELECT pg_temp.put(:'files' || '/c.md', 'Wasps do not.');
SELECT pg_temp.put(:'files' || '/d.md', 'Ants keep lice.');
SELECT vectorizer.add_project('p', :'files', collections => '[{"name": "p.all"}, {"name": "other"}]');
SELECT vectorizer.sync('p');

-- alter_collection
SELECT is((SELECT count(*) FROM vectorizer_data."p.all" WHERE path = 'a.txt'), 3::bigint, 'cut as asked');
CREATE TEMPORARY TABLE before AS SELECT id, path FROM vectorizer_data.other;
SELECT vectorizer.alter_collection('p.all', chunk_size => 200, chunk_overlap => 20);
SELECT is((SELECT count(*) FROM vectorizer_data."p.all" WHERE path = 'a.txt'), 3::bigint, 'the old chunks are there until it is read');
SELECT results_eq('SELECT added, changed, deleted FROM vectorizer.sync(''p'')', 'VALUES (0::bigint, 4::bigint, 0::bigint)', 'each file is cut anew');
SELECT cmp_ok((SELECT count(*) FROM vectorizer_data."p.all" WHERE path = 'a.txt'), '>', 12::bigint, 'into shorter chunks');
SELECT ok((SELECT bool_and(length(content) <= 200) FROM vectorizer_data."p.all"), 'none longer than asked');
SELECT is((SELECT count(*) FROM vectorizer_data.other o JOIN before b ON b.id = o.id AND b.path = o.path), 6::bigint, 'another collection is not touched');
SELECT vectorizer.alter_collection('p.all', chunk_size => 200);
SELECT results_eq('SELECT added, changed FROM vectorizer.sync(''p'')', 'VALUES (0::bigint, 0::bigint)', 'what is as before is not read again');
SELECT vectorizer.alter_collection('p.all', include => '{*.txt}');
SELECT results_eq('SELECT deleted, pending_deletions FROM vectorizer.sync(''p'')', 'VALUES (2::bigint, 0::bigint)', 'what is not wanted leaves');
SELECT is(ARRAY(SELECT DISTINCT path FROM vectorizer_data."p.all" ORDER BY path), '{a.txt,b.txt}', 'and only that');
SELECT vectorizer.alter_collection('p.all', include => '{*.md}');
SELECT results_eq('SELECT added, deleted, pending_deletions FROM vectorizer.sync(''p'')', 'VALUES (2::bigint, 2::bigint, 0::bigint)', 'without a wait, if it is all there was');
SELECT is((SELECT files FROM vectorizer.collections WHERE name = 'p.all'), 2::bigint, 'which counts');
SELECT throws_ok('SELECT vectorizer.alter_collection(''p.all'', chunk_size => 10)', '22023', NULL, 'sizes are checked');
SELECT throws_ok('SELECT vectorizer.alter_collection(''p.all'', chunk_overlap => 150)', '22023', NULL, 'together with what stays');
SELECT throws_ok('SELECT vectorizer.alter_collection(''p.all'', include => ''{a/[b}'')', '22023', NULL, 'and patterns');
SELECT throws_ok('SELECT vectorizer.alter_collection(''p.al'')', '42704', 'collection "p.al" does not exist', 'of what exists');

-- rename_collection
CREATE VIEW bees AS SELECT content FROM vectorizer_data."p.all";
CREATE ROLE guest;
GRANT SELECT ON vectorizer_data."p.all" TO guest;
CREATE TEMPORARY TABLE found AS SELECT * FROM vectorizer.search('p.all', 'wasps');
SELECT vectorizer.rename_collection('p.all', 'team.insects');
SELECT results_eq('SELECT path, score FROM vectorizer.search(''team.insects'', ''wasps'')', 'SELECT path, score FROM found', 'a renamed collection answers as before');
SELECT isnt_empty('SELECT FROM bees', 'views of it stay');
SELECT ok(has_table_privilege('guest', 'vectorizer_data."team.insects"', 'SELECT'), 'privileges, too');
SELECT is_empty('SELECT FROM pg_class WHERE relnamespace = ''vectorizer_data''::regnamespace AND relname LIKE ''p.all%''', 'nothing has the old name');
SELECT is((SELECT count(*) FROM pg_class WHERE relnamespace = 'vectorizer_data'::regnamespace AND relname LIKE 'team.insects:%'), 5::bigint, 'all has the new one');
SELECT pg_temp.put(:'files' || '/e.md', 'Flies do nothing.');
SELECT results_eq('SELECT added FROM vectorizer.sync(''p'')', 'VALUES (2::bigint)', 'and it is filled');
SELECT throws_ok('SELECT vectorizer.rename_collection(''team.insects'', ''other'')', '42710', 'collection "other" already exists', 'names are given once');
SELECT throws_ok('SELECT vectorizer.rename_collection(''team.insects'', ''a b'')', '42602', NULL, 'and are names');
SELECT throws_ok('SELECT vectorizer.rename_collection(''p.all'', ''c'')', '42704', NULL, 'of what exists');

-- reindex, alter_project
SELECT vectorizer.reindex('p');
SELECT results_eq('SELECT added, changed, deleted FROM vectorizer.sync(''p'')', 'VALUES (0::bigint, 8::bigint, 0::bigint)', 'everything is read anew');
SELECT vectorizer.alter_project('p', debounce => '3 seconds');
SELECT results_eq('SELECT scan_interval, debounce, max_file_bytes FROM vectorizer.projects',
	$$VALUES (interval '5 minutes', interval '3 seconds', 16777216::bigint)$$, 'a project is changed in part');
SELECT vectorizer.alter_project('p', max_file_bytes => 100);
SELECT vectorizer.sync('p');
SELECT is((SELECT count(*) FROM vectorizer.files WHERE reason = 'larger than 100 bytes'), 1::bigint, 'and heard');
SELECT throws_ok('SELECT vectorizer.alter_project(''p'', scan_interval => ''0'')', '22023', NULL, 'within limits');
SELECT throws_ok('SELECT vectorizer.alter_project(''q'')', '42704', 'project "q" does not exist', 'if it exists');

-- collection_size
SELECT ok((SELECT table_bytes > 0 AND index_bytes > vector_index_bytes AND vector_index_bytes > 0
	AND resident_bytes BETWEEN 1 AND table_bytes + index_bytes AND vector_index_resident_bytes BETWEEN 1 AND vector_index_bytes
	FROM vectorizer.collection_size('team.insects')), 'the size of a collection');
SELECT is((SELECT table_bytes + index_bytes FROM vectorizer.collection_size('other')),
	(SELECT sum(pg_relation_size(oid))::bigint FROM pg_class WHERE relname LIKE 'other%' AND relkind <> 'S' AND relnamespace = 'vectorizer_data'::regnamespace)
		+ (SELECT sum(pg_relation_size(t.oid) + pg_relation_size(i.indexrelid))::bigint FROM pg_class c JOIN pg_class t ON t.oid = c.reltoastrelid
			JOIN pg_index i ON i.indrelid = t.oid WHERE c.oid = 'vectorizer_data.other'::regclass), 'is that of its parts');
SELECT is((SELECT index_bytes FROM vectorizer.collection_size('*')),
	(SELECT sum((vectorizer.collection_size(name)).index_bytes)::bigint FROM vectorizer.collections), 'of several, of all');
SELECT throws_ok('SELECT vectorizer.collection_size(''p.all'')', '42704', NULL, 'if it exists');

-- preview_patterns
SELECT pg_temp.put(:'files' || '/node_modules/x.md', 'Code of others.');
SELECT pg_temp.put(:'files' || '/.hidden', 'Not shown.');
SELECT pg_temp.shell(format('ln -s a.txt %L', :'files' || '/link.txt'));
SELECT results_eq(format('SELECT found, state, reason, bytes FROM vectorizer.preview_patterns(%L, ''{*.txt,**/*.md}'', ''{**/node_modules,b*}'')', :'files'),
	$$VALUES ('a.txt', 'matches', '*.txt', 2791::bigint), ('b.txt', 'excluded', 'b*', NULL), ('c.md', 'matches', '**/*.md', 13),
		('d.md', 'matches', '**/*.md', 15), ('e.md', 'matches', '**/*.md', 17), ('link.txt', 'skipped', 'symbolic link', NULL),
		('node_modules', 'excluded', '**/node_modules', NULL)$$, 'what patterns would choose, and why');
SELECT results_eq(format('SELECT found, state, reason FROM vectorizer.preview_patterns(%L, ''{*.c}'') WHERE found < ''c''', :'files'),
	$$VALUES ('a.txt', 'not included', NULL::text), ('b.txt', 'not included', NULL)$$, 'and what none wants');
SELECT is((SELECT sum(chunks) FROM vectorizer.preview_patterns(:'files', '{a.txt}')), 3::numeric, 'the chunks to expect');
SELECT is((SELECT sum(chunks) FROM vectorizer.preview_patterns(:'files', '{a.txt}', chunk_size => 200, chunk_overlap => 20)), 16::numeric,
	'of other sizes');
SELECT throws_ok(format('SELECT vectorizer.preview_patterns(%L, ''{a/[b}'')', :'files'), '22023', NULL, 'patterns are checked');
SELECT throws_ok('SELECT vectorizer.preview_patterns(''/etc'')', '42501', NULL, 'and the directory');

-- Only members of vectorizer_admin
SET LOCAL ROLE guest;
SELECT throws_ok('SELECT vectorizer.alter_collection(''team.insects'')', '42501', NULL, 'who may read may not change');
SELECT throws_ok('SELECT vectorizer.rename_collection(''team.insects'', ''x'')', '42501', NULL, 'nor rename');
SELECT throws_ok(format('SELECT vectorizer.preview_patterns(%L)', :'files'), '42501', NULL, 'nor look into directories');
SELECT lives_ok('SELECT vectorizer.collection_size(''team.insects'')', 'but look');
RESET ROLE;

SELECT * FROM finish();
ROLLBACK;
