-- From files to rows on demand: vectorizer.sync().
\ir files.psql
BEGIN;
SELECT plan(48);

SELECT pg_temp.put(:'files' || '/guide/intro.md', 'Bees make honey from nectar.');
SELECT pg_temp.put(:'files' || '/guide/more.txt', 'Wasps do not make honey.');
SELECT pg_temp.put(:'files' || '/code/main.c', 'int main(void) { return 0; }');
SELECT pg_temp.put(:'files' || '/page.html',
	'<html><head><title>Hives</title><script>var secret;</script></head><body><h1>Hives</h1><p>A hive has a queen.</p></body></html>');
SELECT pg_temp.put(:'files' || '/.env', 'PASSWORD=hunter2');
SELECT pg_temp.put(:'files' || '/empty.txt', '');

SELECT is(vectorizer.add_project('p', :'files', collections => '[
	{"name": "p.guide", "include": ["guide/**"], "exclude": ["**/*.txt"]},
	{"name": "p.rest", "exclude": ["guide"], "chunk_size": 100, "chunk_overlap": 10, "dimension": 16}]'),
	'{p.guide,p.rest}', 'a project of two collections');
SELECT results_eq('SELECT files, added, changed, deleted, failed, chunks FROM vectorizer.sync(''p'')',
	'VALUES (4::bigint, 4::bigint, 0::bigint, 0::bigint, 0::bigint, 3::bigint)', 'the first pass adds all files');
SELECT is((SELECT string_agg(path, ',') FROM vectorizer_data."p.guide"), 'guide/intro.md', 'patterns choose');
SELECT results_eq('SELECT collection, path, state, chunks FROM vectorizer.files WHERE collection = ''p.rest'' ORDER BY path',
	$$VALUES ('p.rest', 'code/main.c', 'indexed', 1), ('p.rest', 'empty.txt', 'indexed', 0), ('p.rest', 'page.html', 'indexed', 1)$$,
	'hidden files do not count');
SELECT is((SELECT content FROM vectorizer_data."p.rest" WHERE path = 'page.html'), E'Hives\n\nA hive has a queen.',
	'HTML is reduced to its text');
SELECT is((SELECT metadata FROM vectorizer_data."p.rest" WHERE path = 'page.html'), '{"title": "Hives", "heading": "Hives"}',
	'its title and heading are metadata');
SELECT results_eq('SELECT files, added, changed, deleted FROM vectorizer.sync(''p'')',
	'VALUES (4::bigint, 0::bigint, 0::bigint, 0::bigint)', 'a second pass finds nothing to do');

-- Edit, add, delete
SELECT pg_temp.put(:'files' || '/guide/intro.md', 'Bees dance to tell where nectar is.');
SELECT pg_temp.put(:'files' || '/guide/new.md', 'Drones have no sting.');
SELECT pg_temp.shell('rm ' || :'files' || '/code/main.c');
SELECT results_eq('SELECT files, added, changed, deleted FROM vectorizer.sync(''p'')',
	'VALUES (4::bigint, 1::bigint, 1::bigint, 1::bigint)', 'edited, added, deleted');
SELECT results_eq('SELECT content FROM vectorizer_data."p.guide" ORDER BY path',
	ARRAY['Bees dance to tell where nectar is.', 'Drones have no sting.'], 'no row of the old content is left');
SELECT is_empty('SELECT FROM vectorizer_data."p.rest" WHERE path = ''code/main.c''', 'nor of the deleted file');
SELECT is((SELECT count(*) FROM vectorizer_data."p.guide" WHERE embedding IS NULL), 0::bigint, 'new chunks have embeddings');

-- A file of many chunks that shrinks
SELECT pg_temp.put(:'files' || '/long.txt', (SELECT string_agg('Sentence number ' || i || ' is here.', ' ') FROM generate_series(1, 100) i));
SELECT vectorizer.sync('p');
SELECT cmp_ok((SELECT count(*) FROM vectorizer_data."p.rest" WHERE path = 'long.txt'), '>', 20::bigint, 'a long file is cut');
SELECT results_eq('SELECT ordinal FROM vectorizer_data."p.rest" WHERE path = ''long.txt'' ORDER BY id',
	'SELECT generate_series(0, (SELECT max(ordinal) FROM vectorizer_data."p.rest" WHERE path = ''long.txt''))', 'in order');
SELECT ok((SELECT bool_and(char_length(content) <= 100) FROM vectorizer_data."p.rest"), 'no chunk is longer than asked');
SELECT pg_temp.put(:'files' || '/long.txt', 'Short now.');
SELECT vectorizer.sync('p');
SELECT is((SELECT count(*) FROM vectorizer_data."p.rest" WHERE path = 'long.txt'), 1::bigint, 'shrunk, it leaves no old chunk');

-- What cannot be indexed has a reason
SELECT pg_temp.shell(format('cd %L; head -c 5000 /dev/zero > binary.bin; mkfifo pipe; ln -s /etc/passwd link; '
	'printf "caf\303\251 au lait \351" > broken.txt; touch "$(printf "bad\377name")"; mkdir deep; ln -s .. deep/loop', :'files'));
SELECT lives_ok('SELECT vectorizer.sync(''p'')', 'odd files do no harm');
SELECT is((SELECT state || ': ' || reason FROM vectorizer.files WHERE path = 'binary.bin'), 'skipped: binary', 'binary');
SELECT is((SELECT state || ': ' || reason FROM vectorizer.files WHERE path = 'pipe'), 'skipped: FIFO', 'a FIFO');
SELECT is((SELECT state || ': ' || reason FROM vectorizer.files WHERE path = 'link'), 'skipped: symbolic link', 'a link');
SELECT is((SELECT state || ': ' || reason FROM vectorizer.files WHERE path = 'deep/loop'), 'skipped: symbolic link', 'a loop');
SELECT is((SELECT state FROM vectorizer.files WHERE path = 'bad\xFFname'), 'skipped', 'a name that is not UTF-8');
SELECT is((SELECT state || ': ' || reason FROM vectorizer.files WHERE path = 'broken.txt'),
	'indexed: 1 byte sequences that are not UTF-8 were replaced', 'invalid UTF-8 is repaired, and said');
SELECT is((SELECT content FROM vectorizer_data."p.rest" WHERE path = 'broken.txt'), 'café au lait �', 'to U+FFFD');
SELECT is_empty('SELECT FROM vectorizer_data."p.rest" WHERE content LIKE ''%root:%''', 'no link was followed');
SELECT pg_temp.shell(format('cd %L; rm long.txt; mkfifo long.txt', :'files'));
SELECT vectorizer.sync('p');
SELECT is((SELECT state || ': ' || reason FROM vectorizer.files WHERE path = 'long.txt'), 'skipped: FIFO', 'a file turned FIFO');
SELECT is_empty('SELECT FROM vectorizer_data."p.rest" WHERE path = ''long.txt''', 'loses its chunks');
SELECT pg_temp.shell(format('cd %L; rm long.txt link binary.bin', :'files'));
SELECT vectorizer.sync('p');
SELECT is_empty('SELECT FROM vectorizer.files WHERE path IN (''long.txt'', ''link'', ''binary.bin'')',
	'what was skipped and is gone is forgotten');

-- A disk that is not there is no deletion
SELECT pg_temp.shell(format('mkdir %1$L.away; mv %1$L/* %1$L.away/', :'files'));
SELECT results_eq('SELECT deleted, pending_deletions FROM vectorizer.sync(''p'')', 'VALUES (0::bigint, 4::bigint)',
	'losing more than half waits');
SELECT is((SELECT state FROM vectorizer.projects WHERE name = 'p'), 'waiting for confirmation', 'and says so');
SELECT isnt_empty('SELECT FROM vectorizer_data."p.guide"', 'the chunks are there');
SELECT pg_temp.shell(format('mv %1$L.away/* %1$L/', :'files'));
SELECT results_eq('SELECT deleted, pending_deletions FROM vectorizer.sync(''p'')', 'VALUES (0::bigint, 0::bigint)',
	'files that come back end the wait');
SELECT is((SELECT state FROM vectorizer.projects WHERE name = 'p'), 'watched', 'which shows');
SELECT pg_temp.shell(format('mv %1$L %1$L.away/all', :'files'));
SELECT throws_like('SELECT vectorizer.sync(''p'')', 'could not open directory %', 'a root that is gone is an error');
SELECT pg_temp.shell(format('mkdir %1$L; echo stranger > %1$L/stranger.txt; mkdir %1$L/guide; cp %1$L.away/all/guide/* %1$L/guide; cp %1$L.away/all/page.html %1$L.away/all/deep %1$L || true', :'files'));
SELECT results_eq('SELECT deleted FROM vectorizer.sync(''p'')', ARRAY[0::bigint], 'another directory in its place deletes nothing');
SELECT results_eq('SELECT deleted FROM vectorizer.sync(''p'')', ARRAY[1::bigint], 'until it is known as the root: most files are there');
SELECT pg_temp.shell(format('rm -r %1$L/guide', :'files'));
SELECT pg_temp.put(:'files' || '/other.txt', 'Other.');
SELECT results_eq('SELECT deleted, pending_deletions, added FROM vectorizer.sync(''p'')',
	'VALUES (2::bigint, 0::bigint, 1::bigint)', 'half may go');
SELECT pg_temp.shell(format('rm %1$L/*.*', :'files'));
SELECT results_eq('SELECT deleted, pending_deletions FROM vectorizer.sync(''p'')', 'VALUES (0::bigint, 3::bigint)', 'all may not');
SELECT is(vectorizer.confirm_deletions('p'), 3::bigint, 'but when confirmed');
SELECT results_eq('SELECT deleted, pending_deletions, chunks FROM vectorizer.sync(''p'')',
	'VALUES (3::bigint, 0::bigint, 0::bigint)', 'they go');

-- Markdown
SELECT pg_temp.put(:'files' || '/guide/manual.md', repeat('Before all. ', 40) || E'\n\n# Manual\n\n' || repeat('An introduction. ', 40)
	|| E'\n\n## Bees\n\n' || repeat('They dance. ', 40));
SELECT vectorizer.sync('p');
SELECT results_eq('SELECT heading, metadata ->> ''title'', left(content, 8) FROM vectorizer_data."p.guide" ORDER BY ordinal',
	$$VALUES (NULL, 'Manual', 'Before a'), ('Manual', 'Manual', '# Manual'), ('Manual > Bees', 'Manual', '## Bees'||E'\n')$$,
	'chunks of Markdown know their headings');

-- Life of a project
SELECT throws_ok('SELECT vectorizer.sync(''q'')', '42704', 'project "q" does not exist', 'unknown projects are errors');
SELECT throws_ok(format('SELECT vectorizer.add_project(%L, %L)', 'p', :'files'), '42710', 'project "p" already exists', 'a name is given once');
SELECT throws_ok(format('SELECT vectorizer.add_project(%L, %L, include => %L)', 'q', :'files', '{"a/[b"}'), '22023', NULL, 'patterns are checked');
SELECT throws_ok(format('SELECT vectorizer.add_project(%L, current_setting(%L))', 'q', 'data_directory'), '42501', NULL, 'the data directory is no project');
SELECT vectorizer.pause('p');
SELECT is((SELECT state FROM vectorizer.projects WHERE name = 'p'), 'paused', 'pause');
UPDATE vectorizer.project SET armed_for = 'elsewhere' WHERE name = 'p';
SELECT throws_ok('SELECT vectorizer.sync(''p'')', '55000', 'project "p" was restored from another database',
	'a project from elsewhere does nothing');
SELECT vectorizer.resume('p');
SELECT is((SELECT state FROM vectorizer.projects WHERE name = 'p'), 'watched', 'resume');
SELECT vectorizer.drop_project('p');
SELECT is_empty('SELECT FROM pg_class WHERE relnamespace = ''vectorizer_data''::regnamespace AND relname LIKE ''p.%''',
	'drop_project leaves nothing');

SELECT * FROM finish();
ROLLBACK;
