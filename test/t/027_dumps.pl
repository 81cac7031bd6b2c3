# Dumps and backups: everything comes back as it was, projects wait for resume(), and then go on.
use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use VectorizerNode qw(new_node);
use Watched qw(folder put wait_for);

my $dir = folder('shelf');
my $tmp = PostgreSQL::Test::Utils::tempdir();
my $old = new_node('old', conf => Watched::conf(), allows_streaming => 1, extension => 0);
$old->safe_psql('postgres', 'CREATE DATABASE library');
my $new = new_node('new', conf => Watched::conf(), extension => 0);

sub library { return $old->safe_psql('library', $_[0]); }

# Files, rows of users, embeddings of their own; and what an administrator hangs on collections
put("$dir/sea/whale$_.md", "# Whale $_\n\nThe whale number $_ sings in the ocean, " . ($_ * 7 % 5) . " times a day.\n") for 1 .. 30;
put("$dir/land/wolf$_.txt", "The wolf number $_ hunts deer by the river.\n") for 1 .. 10;
put("$dir/shelf.yml", "workspace: shelf\nprojects:\n  - name: shelf\n    path: .\n    collections:\n"
	. "      - {name: shelf.sea-docs, include: ['sea/**'], dimension: 16, tags: [wet]}\n"
	. "      - {name: shelf.land, include: ['land/**'], dimension: 16, embedding: {k1: 1.6}, indexing: {m: 8, ef_construction: 40}}\n");
library(<<SQL);
CREATE EXTENSION vectorizer;
CREATE ROLE ann;
CREATE ROLE librarian;
GRANT vectorizer_writer TO ann;
GRANT vectorizer_admin, pg_read_server_files TO librarian;
SELECT vectorizer.load_workspace_file('$dir/shelf.yml');
SELECT vectorizer.rename_collection('shelf.land', 'shelf.forest');
SET ROLE ann;
SELECT vectorizer.create_collection('ann.notes', dimension => 16);
SELECT vectorizer.create_collection('ann.vectors', dimension => 3, metric => 'ip', model => 'none');
INSERT INTO vectorizer_data."ann.vectors" (content, embedding, metadata) VALUES ('red', '[1,0,0]', '{"n": 1}'), ('green', '[0,1,0]', '{"n": 2}');
INSERT INTO vectorizer_data."ann.notes" (content, heading) SELECT 'The oak number ' || i || ' drops ' || i % 7 || ' leaves', 'Oak' FROM generate_series(1, 40) i;
RESET ROLE;
SELECT vectorizer.refresh_collection('ann.notes');
SELECT vectorizer.refresh_collection('ann.vectors');
ALTER TABLE vectorizer_data."shelf.forest" ENABLE ROW LEVEL SECURITY;
CREATE POLICY tame ON vectorizer_data."shelf.forest" FOR SELECT TO ann USING (path NOT LIKE '%wolf3%');
GRANT SELECT ON vectorizer_data."shelf.sea-docs" TO PUBLIC;
CREATE INDEX by_path ON vectorizer_data."shelf.sea-docs" (path);
CREATE VIEW whales AS SELECT id, content, embedding FROM vectorizer_data."shelf.sea-docs";
CREATE TABLE mine (id int PRIMARY KEY, v vector(3));
INSERT INTO mine SELECT i, ARRAY[i, i % 7, 1]::real[]::vector FROM generate_series(1, 200) i;
CREATE INDEX mine_v ON mine USING hnsw (v vector_l2_ops) WITH (m = 8);
SQL
ok(wait_for($old, 20, "SELECT count(*) = 2 AND bool_and(state = 'ready') FROM vectorizer.collections WHERE kind = 'workspace'", 'library'), 'the shelf is read');

# What must be the same: rows with their embeddings, models, settings, what searches find, to whom.
my @state = (
	map({ "SELECT '$_', count(*), md5(string_agg(to_jsonb(t)::text, ',' ORDER BY id)) FROM vectorizer_data.\"$_\" t" }
		'shelf.sea-docs', 'shelf.forest', 'ann.notes', 'ann.vectors'),
	"SELECT md5(string_agg(to_jsonb(l)::text, ',' ORDER BY collection_id, lexeme)) FROM vectorizer.lexeme l",
	"SELECT name, kind, type, owner, chunks, files, tags, dimension, metric, model_generation, model_options, index_options, chunk_size FROM vectorizer.collections ORDER BY name",
	"SELECT collection, path, state, sha256, chunks FROM vectorizer.files ORDER BY 1, 2",
	"SELECT collection, path, content, round(score::numeric, 4) FROM vectorizer.search('*', 'the whale by the river', 20)",
	"SET ROLE ann; SELECT path FROM vectorizer.search('shelf.forest', 'wolf', 20) ORDER BY 1; RESET ROLE",
	"SELECT id FROM mine ORDER BY v <-> '[50,3,1]' LIMIT 5",
	"SELECT indexrelid::regclass::text, pg_get_indexdef(indexrelid) FROM pg_index WHERE indrelid::regclass::text LIKE 'vectorizer_data%' ORDER BY 1",
	"SELECT name, path, owner, workspace, scan_interval, debounce FROM vectorizer.projects",
	"SELECT count(*) FROM whales WHERE embedding IS NOT NULL");

sub state_of
{
	my ($node, $database) = @_;
	return join("\n--\n", map { $node->safe_psql($database, $_) } @state);
}

my $before = state_of($old, 'library');

# What must work afterwards
sub goes_on
{
	my ($node, $database, $what) = @_;
	is(state_of($node, $database), $before, "$what: everything is as it was");
	is($node->safe_psql($database, 'SELECT state FROM vectorizer.projects'), 'restored', "$what: the project waits");
	$node->safe_psql($database, "SET ROLE ann; INSERT INTO vectorizer_data.\"ann.notes\" (content) VALUES ('The oak of the wolf drops leaves')");
	is($node->safe_psql($database, "SELECT embedding = vectorizer.embed(content, 'ann.notes') FROM vectorizer_data.\"ann.notes\" WHERE content LIKE '%of the wolf%'"),
		't', "$what: a new row is embedded");
	my ($status, $out, $err) = $node->psql($database, 'DELETE FROM vectorizer_data."shelf.forest"');
	like($err, qr/is filled from its files and is read-only/, "$what: workspace collections are read-only");
	put("$dir/land/bear.txt", "A bear sleeps.\n");
	$node->safe_psql($database, "SELECT vectorizer.resume('shelf')");
	ok(wait_for($node, 10, "SELECT count(*) = 1 FROM vectorizer.search('shelf.forest', 'bear', 5, 'text')", $database), "$what: it watches after resume()");
	unlink "$dir/land/bear.txt";
	ok(wait_for($node, 10, "SELECT count(*) = 0 FROM vectorizer.search('shelf.forest', 'bear', 5, 'text')", $database), "$what: deletions, too");
	is($node->safe_psql($database, "SELECT count(*) FROM vectorizer.load_workspace_file('$dir/shelf.yml') WHERE action <> 'ignored'"), '2',
		"$what: the workspace file says what was renamed, and no more");
	$node->safe_psql($database, "DROP VIEW whales; SELECT vectorizer.drop_project('shelf')");
	return;
}

$old->command_ok([ 'pg_dumpall', '--roles-only', '--file', "$tmp/roles.sql", '--dbname', $old->connstr('postgres') ], 'roles are dumped');
$new->command_fails_like([ 'psql', '-X', '-v', 'ON_ERROR_STOP=0', '-f', "$tmp/roles.sql", '-d', $new->connstr('postgres'), '-c', 'SELECT 1/0' ], qr/division by zero/,
	'and restored');

# 1. A script, piped
$new->safe_psql('postgres', 'CREATE DATABASE plain');
$old->command_ok([ 'pg_dump', '--file', "$tmp/plain.sql", '--dbname', $old->connstr('library') ], 'pg_dump');
$new->command_ok([ 'psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-f', "$tmp/plain.sql", '-d', $new->connstr('plain') ], 'psql takes it without an error');
goes_on($new, 'plain', 'script');

# 2. An archive, in parallel
$new->safe_psql('postgres', 'CREATE DATABASE archive');
$old->command_ok([ 'pg_dump', '-Fc', '--file', "$tmp/library.dump", '--dbname', $old->connstr('library') ], 'pg_dump -Fc');
$new->command_ok([ 'pg_restore', '--exit-on-error', '-j', '4', '-d', $new->connstr('archive'), "$tmp/library.dump" ], 'pg_restore -j 4');
goes_on($new, 'archive', 'archive');

# 3. Over what is there
$old->command_ok([ 'pg_dump', '--clean', '--if-exists', '--file', "$tmp/clean.sql", '--dbname', $old->connstr('library') ], 'pg_dump --clean');
$new->command_ok([ 'psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-f', "$tmp/clean.sql", '-d', $new->connstr('archive') ], 'replaces what is there');
goes_on($new, 'archive', 'clean');

# 4. A base backup is the same cluster: nothing waits
$old->backup('base');
my $copy = PostgreSQL::Test::Cluster->new('copy');
$old->stop;
$copy->init_from_backup($old, 'base');
$copy->start;
is(state_of($copy, 'library'), $before, 'base backup: everything is as it was');
is($copy->safe_psql('library', 'SELECT state FROM vectorizer.projects'), 'watched', 'base backup: the project is watched');
put("$dir/land/bear.txt", "A bear sleeps.\n");
ok(wait_for($copy, 10, "SELECT count(*) = 1 FROM vectorizer.search('shelf.forest', 'bear', 5, 'text')", 'library'), 'base backup: and goes on by itself');
$copy->stop;
$new->stop;
done_testing();
