-- Workspace files: what they come to, loading them again and again, writing them back.
\ir files.psql
\set verbose `cat ../workspace/verbose.yml`
\set simplified `cat ../workspace/simplified.yml`
BEGIN;
SELECT plan(53);

-- Without a database
SELECT is((SELECT count(*) FROM vectorizer.validate_workspace(:'verbose') WHERE severity <> 'ignored'), 0::bigint, 'the verbose file is sound');
SELECT ok((SELECT count(*) > 10 AND bool_and(line > 0 AND length(message) > 30) FROM vectorizer.validate_workspace(:'verbose')),
	'what is ignored has a line and a reason');
SELECT results_eq($$SELECT severity, path, line, message FROM vectorizer.validate_workspace(E'projects:\n  - name: a b\n    path: x\n    colections: [docs]\n', '/srv')$$,
	$$VALUES ('error', 'projects[0].name', 2, 'invalid name "a b": a name is made of letters a to z, digits, "_" and "-", in parts separated by single dots'),
		('warning', 'projects[0].colections', 4, 'unknown key: did you mean "collections"?')$$, 'findings say where and what');
SELECT is((SELECT count(*) FROM vectorizer.validate_workspace(NULL)), 0::bigint, 'nothing to say of nothing');
SELECT is(jsonb_array_length(vectorizer.workspace_plan(:'verbose', '/srv') -> 'projects'), 12, 'twelve projects');
SELECT is((SELECT count(*) FROM jsonb_array_elements(vectorizer.workspace_plan(:'verbose', '/srv') -> 'projects') p, jsonb_array_elements(p -> 'collections')),
	37::bigint, '37 collections');
SELECT is(vectorizer.workspace_plan(vectorizer.migrate_workspace(:'verbose', '/srv'), '/srv'), vectorizer.workspace_plan(:'verbose', '/srv'),
	'the minimal form comes to the same');
SELECT ok((SELECT array_length(string_to_array(vectorizer.migrate_workspace(:'verbose'), E'\n'), 1) <= 0.3 * array_length(string_to_array(:'verbose', E'\n'), 1)),
	'in three tenths of the lines at the most');
SELECT is(vectorizer.workspace_plan(vectorizer.write_workspace(vectorizer.workspace_plan(:'simplified', '/srv'), 'verbose', '/srv'), '/srv'),
	vectorizer.workspace_plan(:'simplified', '/srv'), 'so does the verbose form of the other');
SELECT throws_ok($$SELECT vectorizer.workspace_plan('projects: [', '/srv')$$, '22023', 'the workspace file has an error', 'broken YAML');
SELECT throws_ok($$SELECT vectorizer.write_workspace('{"projects": 1}', 'minimal', '/')$$, '22023', NULL, 'what is no plan');
SELECT throws_ok($$SELECT vectorizer.write_workspace('{}', 'short', '/')$$, '22023', 'unknown format "short" of a workspace file', 'nor is that a form');
SELECT is(vectorizer.type_of_name('platform.api-guide'), 'documentation', 'a name says a type');
SELECT results_eq('SELECT name, chunk_size, chunk_overlap FROM vectorizer.collection_types() ORDER BY name',
	$$VALUES ('code', 256, 25), ('configuration', 128, 10), ('custom', 1200, 150), ('data', 512, 50), ('documentation', 1024, 128)$$, 'the types');

-- Loading
SELECT pg_temp.shell(format('mkdir -p %L', p ->> 'path')) FROM jsonb_array_elements(vectorizer.workspace_plan(:'verbose', :'files') -> 'projects') p;
SELECT throws_ok(format('SELECT vectorizer.load_workspace(%L, %L)', :'verbose', '/nowhere'), '42501', NULL, 'paths are checked');
SELECT is((SELECT count(*) FROM vectorizer.project), 0::bigint, 'all or nothing');
CREATE TEMP TABLE loaded AS SELECT * FROM vectorizer.load_workspace(:'verbose', :'files');
SELECT results_eq('SELECT action, object, count(*) FROM loaded GROUP BY 1, 2 ORDER BY 1, 2',
	$$SELECT * FROM (VALUES ('added', 'collection', 37::bigint), ('added', 'project', 12), ('ignored', 'file', (SELECT count(*) FROM loaded WHERE object = 'file'))) v$$,
	'what was added, and what has no counterpart');
SELECT results_eq($$SELECT type, chunk_size, dimension, model_options::text, index_options ->> 'bits', description FROM vectorizer.collections WHERE name = 'gateway.src'$$,
	$$VALUES ('code', 2048, 384, '{"b": 0.6, "k1": 1.5}', '8', 'Source code of the gateway service')$$, 'settings are those of the file');
SELECT results_eq($$SELECT state, debounce, workspace FROM vectorizer.projects WHERE name = 'legacy-portal'$$,
	$$VALUES ('paused', interval '2 seconds', 'company-search')$$, 'a project that is not enabled is paused');
SELECT is((SELECT count(*) FROM vectorizer.load_workspace(:'verbose', :'files') WHERE object <> 'file'), 0::bigint, 'loading it again changes nothing');
SELECT is((SELECT count(*) FROM vectorizer.load_workspace(vectorizer.migrate_workspace(:'verbose', :'files'), :'files')), 0::bigint,
	'nor does its minimal form');
SELECT is(vectorizer.workspace_plan(vectorizer.export_workspace(), :'files'), vectorizer.workspace_plan(:'verbose', :'files'), 'it is written back');
SELECT is(vectorizer.workspace_plan(vectorizer.export_workspace('verbose', 'company-search'), :'files'), vectorizer.workspace_plan(:'verbose', :'files'),
	'in full, too');
SELECT is(vectorizer.export_workspace('minimal', base => :'files'), vectorizer.migrate_workspace(:'verbose', :'files'), 'as migrate_workspace writes it');

-- Changes
SELECT pg_temp.put(:'files' || '/gateway/src/main.rs', E'fn main() {\n    println!("whales");\n}\n');
SELECT vectorizer.sync('gateway');
SELECT is((SELECT count(*) FROM vectorizer_data."gateway.src"), 1::bigint, 'collections are filled');
GRANT SELECT ON vectorizer_data."gateway.src" TO PUBLIC;
CREATE TEMP TABLE changed AS SELECT * FROM vectorizer.load_workspace(
	replace(replace(:'verbose', 'Source code of the gateway service', 'The gateway itself'), 'debounce_delay_ms: 2000', 'debounce_delay_ms: 700'), :'files');
SELECT results_eq($$SELECT action, object, name, detail FROM changed WHERE object = 'collection'$$,
	$$VALUES ('changed', 'collection', 'gateway.src', 'description')$$, 'a change is told');
SELECT is((SELECT count(*) FROM changed WHERE object = 'project' AND detail = 'debounce'), 12::bigint, 'of projects, too');
CREATE TEMP TABLE shrunk AS SELECT * FROM vectorizer.load_workspace(format(E'workspace: company-search\nprojects:\n'
	'  - name: gateway\n    path: gateway\n    collections:\n      - {name: gateway.src, dimension: 64, type: code, include: ["src/**"]}\n      - gateway.more-docs\n'), :'files');
SELECT is((SELECT count(*) FROM shrunk WHERE action = 'removed' AND object = 'project'), 11::bigint, 'what is not in the file any more is removed');
SELECT results_eq('SELECT name FROM vectorizer.collections ORDER BY 1', '{gateway.more-docs,gateway.src}'::text[], 'and nothing else');
SELECT results_eq($$SELECT state, dimension, next_model, chunks FROM vectorizer.collections WHERE name = 'gateway.src'$$, $$VALUES ('ready', 384, 'lsa', 1::bigint)$$,
	'another dimension wants another model');
SELECT is((SELECT path FROM vectorizer.search('gateway.src', 'whales', 1, 'vector')), 'src/main.rs', 'meanwhile the old one finds');
SELECT vectorizer.sync('gateway');
SELECT results_eq($$SELECT state, (SELECT vector_dims(embedding) FROM vectorizer_data."gateway.src" LIMIT 1) FROM vectorizer.collections WHERE name = 'gateway.src'$$,
	$$VALUES ('ready', 64)$$, 'which the next pass trains');
SELECT ok(has_table_privilege('public', 'vectorizer_data."gateway.src"', 'SELECT'), 'the table and its privileges stay');
SELECT is((SELECT type FROM vectorizer.collections WHERE name = 'gateway.more-docs'), 'documentation', 'a bare name is a collection');

-- By SQL alone, and others'' projects
SELECT pg_temp.shell(format('mkdir -p %L', :'files' || '/own'));
SELECT vectorizer.add_project('own', :'files' || '/own', collections => '[{"name": "own.code", "type": "code", "metric": "l2", "index_options": {"m": 8}}]');
SELECT results_eq($$SELECT type, chunk_size, metric, index_options FROM vectorizer.collections WHERE name = 'own.code'$$,
	$$VALUES ('code', 256, 'l2', '{"m": 8}'::jsonb)$$, 'add_project knows types');
SELECT is((SELECT count(*) FROM vectorizer.load_workspace(E'workspace: other\nprojects: [{name: third, path: own}]', :'files') WHERE action = 'added'), 2::bigint,
	'another workspace');
SELECT is((SELECT count(*) FROM vectorizer.project), 3::bigint, 'leaves the others alone');
SELECT throws_ok(format('SELECT vectorizer.load_workspace(%L, %L)', E'workspace: other\nprojects: [{name: own, path: own}]', :'files'), '42710',
	'project "own" exists and is not of workspace "other"', 'and does not take them');
SELECT throws_ok($$SELECT vectorizer.export_workspace(workspace => 'nobody')$$, '42704', 'workspace "nobody" does not exist', 'no such workspace');
SELECT ok(vectorizer.export_workspace(base => :'files') LIKE '%own.code%', 'without a name all projects are written');

-- Whatever an index may be
SELECT vectorizer.load_workspace(E'workspace: codes\nprojects: [{name: codes, path: own, collections: [{name: c.pq, indexing: {quantization: {type: pq, subspaces: 16}}}, {name: c.auto, indexing: {quantization: {target_bytes: 64}}}]}]', :'files');
SELECT results_eq($$SELECT name, index_options FROM vectorizer.collections WHERE name LIKE 'c.%' ORDER BY 1$$,
	$$VALUES ('c.auto', '{"target_bytes": 64}'::jsonb), ('c.pq', '{"quantization": "product", "subspaces": 16}')$$, 'codes have their numbers');
SELECT is_empty(format('SELECT FROM vectorizer.load_workspace(vectorizer.export_workspace(workspace => %L), %L)', 'codes', :'files'), 'and are written back with them');

-- From a file
SELECT pg_temp.put(:'files' || '/team.yml', E'projects:\n  - {name: team, path: own}\n');
SELECT is((SELECT detail FROM vectorizer.load_workspace_file(:'files' || '/team.yml') WHERE object = 'project'), :'files' || '/own', 'paths begin at its folder');
SELECT throws_ok(format('SELECT vectorizer.load_workspace_file(%L)', :'files' || '/none.yml'), '58P01', NULL, 'no such file');
SELECT throws_ok($$SELECT vectorizer.load_workspace_file('/etc/passwd')$$, '42501', NULL, 'only below the roots that are allowed');
SELECT throws_ok($$SELECT vectorizer.load_workspace_file('team.yml')$$, '22023', 'the path of a workspace file must be absolute', 'where a path means something');
SELECT pg_temp.shell(format('ln -s /etc/passwd %L', :'files' || '/link.yml'));
SELECT throws_ok(format('SELECT vectorizer.load_workspace_file(%L)', :'files' || '/link.yml'), NULL, NULL, 'no link is followed');

-- Suggestions
SELECT pg_temp.shell(format($sh$
	mkdir -p %1$L/mixed/server %1$L/mixed/web %1$L/mixed/node_modules/x; cd %1$L/mixed
	for i in $(seq 12); do echo "int f$i;" > server/f$i.c; echo "let f$i;" > web/f$i.ts; done
	echo 'a: b' > ci.yml; echo '# Title' > README.md; echo 'x' > photo.jpeg; echo 'y' > node_modules/x/x.js; seq 1 2000 > numbers.csv; echo z > main.py
$sh$, :'files'));
SELECT results_eq(format($$SELECT name, type, files, include[1], exclude[3:] FROM vectorizer.suggest_collections(%L)$$, :'files' || '/mixed'),
	$$VALUES ('mixed.code', 'code', 1::bigint, '**/*.{c,h,cc,cpp,cxx,hh,hpp,hxx,inl,ipp,cu,cuh,m,mm,d,zig,nim}', '{server/**,web/**}'::text[]),
		('mixed.configuration', 'configuration', 1, '**/*.{cfg,conf,ini,properties,cmake,mk,dockerfile,env,service,tf,hcl,toml,xml,xsd,yaml,yml}', '{}'),
		('mixed.data', 'data', 1, '**/*.{csv,tsv,json,jsonl,ndjson,geojson,log}', '{}'),
		('mixed.documentation', 'documentation', 1, '**/*.{md,markdown,mdx,rst,adoc,asciidoc,org,tex,html,htm,xhtml,txt,text,pdf}', '{}'),
		('mixed.server.code', 'code', 12, 'server/**/*.{c,h,cc,cpp,cxx,hh,hpp,hxx,inl,ipp,cu,cuh,m,mm,d,zig,nim}', '{}'),
		('mixed.web.code', 'code', 12, 'web/**/*.{c,h,cc,cpp,cxx,hh,hpp,hxx,inl,ipp,cu,cuh,m,mm,d,zig,nim}', '{}')$$,
	'a directory suggests collections');
SELECT is((SELECT chunks FROM vectorizer.suggest_collections(:'files' || '/mixed') WHERE name = 'mixed.data'), ceil((8893 - 50) / 462.0)::bigint, 'and how many chunks');
CREATE TEMP TABLE suggested AS SELECT * FROM vectorizer.suggest_collections(:'files' || '/mixed');
SELECT vectorizer.add_project('mixed', :'files' || '/mixed', collections => (SELECT jsonb_agg(to_jsonb(s) - '{files,bytes,chunks}'::text[]) FROM suggested s));
SELECT vectorizer.sync('mixed');
SELECT results_eq($$SELECT name, files FROM vectorizer.collections WHERE project = 'mixed' ORDER BY 1$$, 'SELECT name, files FROM suggested ORDER BY 1',
	'that hold what was suggested');
SELECT is((SELECT chunks FROM vectorizer.collections WHERE name = 'mixed.data'), (SELECT chunks FROM suggested WHERE name = 'mixed.data'), 'in as many chunks');

CREATE ROLE outsider;
GRANT vectorizer_writer TO outsider;
SET ROLE outsider;
SELECT throws_ok($$SELECT vectorizer.load_workspace('projects: []')$$, '42501', 'permission denied for function load_workspace', 'a writer loads none');
SELECT lives_ok($$SELECT vectorizer.validate_workspace('projects: []')$$, 'but may ask what it thinks of one');
RESET ROLE;

SELECT * FROM finish();
ROLLBACK;
