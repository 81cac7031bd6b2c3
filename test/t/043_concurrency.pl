# Clients insert, update, delete and search at once while vacuum runs in a loop: nobody fails, and the index is whole.
use strict;
use warnings;
use HnswCheck qw(vectors_sql index_is_sound scan_is_the_heap);
use PostgreSQL::Test::Utils;
use Test::More;
use VectorizerNode qw(new_node);

my $seconds = $ENV{HNSW_SECONDS} // 10;

my $node = new_node('main', conf => <<'CONF');
autovacuum = off
fsync = off
max_connections = 40
shared_buffers = 8MB
CONF
$node->safe_psql('postgres', vectors_sql(16, 700));

my $dir = PostgreSQL::Test::Utils::tempdir();

sub script
{
	my ($name, $text) = @_;
	append_to_file("$dir/$name.sql", $text);
	return "$dir/$name.sql";
}

# run($table, $seconds): the mix of clients on one table beside a loop of vacuums
sub run
{
	my ($table, $time) = @_;
	my $insert = script("insert_$table", <<"SQL");
\\set n random(1, 100000)
INSERT INTO $table (v) SELECT test_vector(:n + i) FROM generate_series(1, 4) AS i;
SQL
	my $update = script("update_$table", <<"SQL");
\\set n random(1, 100000)
UPDATE $table SET v = test_vector(:n) WHERE id = ANY (ARRAY(SELECT id FROM $table ORDER BY random() LIMIT 1));
SQL
	my $delete = script("delete_$table", <<"SQL");
BEGIN;
DELETE FROM $table WHERE id = ANY (ARRAY(SELECT id FROM $table ORDER BY random() LIMIT 4 FOR UPDATE SKIP LOCKED));
COMMIT;
SQL
	my $search = script("search_$table", <<"SQL");
\\set n random(1, 100000)
SET enable_seqscan = off;
SET enable_sort = off;
SELECT 1 / (count(*) = 10)::int FROM (SELECT id FROM $table ORDER BY v <-> (SELECT test_vector(:n)) LIMIT 10) AS s;
SQL
	my $abort = script("abort_$table", <<"SQL");
\\set n random(1, 100000)
BEGIN;
INSERT INTO $table (v) SELECT test_vector(:n + i) FROM generate_series(1, 4) AS i;
ROLLBACK;
SQL
	# the vacuum client waits for nobody else's transaction to end
	my $vacuum = script("vacuum_$table", "VACUUM $table;\n");
	my @command = (
		'pgbench', '-h', $node->host, '-p', $node->port, '-n', '-c', '4', '-j', '2', '-T', $time,
		'-f', "$insert\@30", '-f', "$update\@20", '-f', "$delete\@25", '-f', "$search\@20", '-f', "$abort\@5", 'postgres');
	my $log = '';
	my $vacuums = IPC::Run::start(
		[ 'pgbench', '-h', $node->host, '-p', $node->port, '-n', '-c', '1', '-T', $time, '-f', $vacuum, 'postgres' ],
		'>', \my $vacuum_out, '2>', \my $vacuum_err);
	my $clients = IPC::Run::run(\@command, '>', \my $out, '2>', \my $err);
	ok($clients, "$table: no client fails") or diag($err);
	unlike($err, qr/ERROR/, "$table: no error");
	ok($vacuums->finish, "$table: no vacuum fails") or diag($vacuum_err);
	note($out, $vacuum_out);
	return;
}

# first_rows(table, name): rounds of four clients that insert the first rows of an empty index at once
sub first_rows
{
	my ($table, $name, $empty) = @_;
	my $insert = script("first_$name", "\\set n random(1, 100000)\nINSERT INTO $table (v) SELECT test_vector(:n);\n");
	my ($unreachable, $failed) = (0, 0);
	for my $round (1 .. 12)
	{
		$node->safe_psql('postgres', $empty);
		IPC::Run::run(
			[ 'pgbench', '-h', $node->host, '-p', $node->port, '-n', '-c', '8', '-j', '2', '-t', '2', '-f', $insert, 'postgres' ],
			'>', \my $out, '2>', \my $err) or $failed++;
		$unreachable += $node->safe_psql('postgres', "SELECT unreachable FROM vectorizer.index_check('${table}_v')");
	}
	is($failed, 0, "$name: no client fails");
	is($unreachable, 0, "$name: every node can be reached from every entry point");
	return;
}

for my $kind (
	[ 'logged',   '',         'm = 4, ef_construction = 16' ],
	[ 'unlogged', 'UNLOGGED', "m = 2, ef_construction = 8, quantization = 'none'" ])
{
	my ($table, $persistence, $options) = @$kind;
	$node->safe_psql('postgres', qq{
CREATE $persistence TABLE $table (id serial PRIMARY KEY, v vector(16)) WITH (fillfactor = 70);
INSERT INTO $table (v) SELECT test_vector(i) FROM generate_series(1, 2000) AS i;
CREATE INDEX ${table}_v ON $table USING hnsw (v vector_l2_ops) WITH ($options);
});
	run($table, $seconds);
	index_is_sound($node, "${table}_v", $table);
	scan_is_the_heap($node, $table, $table);
	$node->safe_psql('postgres', "VACUUM $table");
	index_is_sound($node, "${table}_v", "$table, after a last vacuum");
	scan_is_the_heap($node, $table, "$table, after a last vacuum");
}

$node->safe_psql('postgres', qq{
CREATE TABLE first (id serial PRIMARY KEY, v vector(16));
CREATE INDEX first_v ON first USING hnsw (v vector_l2_ops) WITH (m = 8, ef_construction = 16);
});
first_rows('first', 'first rows',                        'TRUNCATE first');
first_rows('first', 'first rows after all were deleted', 'DELETE FROM first; VACUUM first');
scan_is_the_heap($node, 'first', 'first rows');

unlike(slurp_file($node->logfile), qr/deadlock|PANIC|TRAP|terminated by signal/, 'no deadlock and no crash in the log');

done_testing();
