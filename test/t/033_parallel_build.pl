# Building by parallel workers: they run, nothing is lost, whatever memory there is; a cancel ends them all at once.
use strict;
use warnings;
use HnswCheck qw(vectors_sql index_is_sound scan_is_the_heap);
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(time usleep);
use VectorizerNode qw(new_node);

my $node = new_node('main', conf => <<'CONF');
autovacuum = off
fsync = off
max_worker_processes = 8
max_parallel_workers = 4
max_parallel_maintenance_workers = 2
maintenance_work_mem = '64MB'
CONF
$node->safe_psql('postgres', vectors_sql(16, 0));
$node->safe_psql('postgres', <<'SQL');
CREATE TABLE t (id serial, v vector(16)) WITH (parallel_workers = 2);
INSERT INTO t (v) SELECT test_vector(n) FROM generate_series(1, 8000) AS n;
INSERT INTO t (v) SELECT NULL FROM generate_series(1, 100);
ANALYZE t;
SQL

# build(name, statement, settings): runs a statement that builds an index; returns how many workers it had
sub build
{
	my ($name, $statement, $settings) = @_;
	my ($status, $out, $err) = $node->psql('postgres', ($settings // '') . "; SET client_min_messages = debug1; $statement");
	is($status, 0, "$name: built") or diag($err);
	my @with = $err =~ /building hnsw index "[^"]*" with (\d+) parallel workers/g;
	return @with ? join(' ', @with) : '0';
}

# whole(name, table, index)
sub whole
{
	my ($name, $table, $index) = @_;
	index_is_sound($node, $index, $name);
	scan_is_the_heap($node, $table, $name);
	return;
}

my $create = 'CREATE INDEX t_v ON t USING hnsw (v vector_l2_ops)';
is(build('in memory', $create), '2', 'in memory: two workers');
whole('in memory', 't', 't_v');
is(build('REINDEX CONCURRENTLY', 'REINDEX INDEX CONCURRENTLY t_v'), '2', 'REINDEX CONCURRENTLY: two workers');
whole('REINDEX CONCURRENTLY', 't', 't_v');
is(build('beyond memory', 'REINDEX INDEX t_v', "SET maintenance_work_mem = '1MB'"), '2', 'beyond memory: two workers');
whole('beyond memory', 't', 't_v');
is(build('alone, beyond memory', 'REINDEX INDEX t_v', "SET max_parallel_maintenance_workers = 0; SET maintenance_work_mem = '1MB'"),
	'0', 'alone, beyond memory: no worker');
whole('alone, beyond memory', 't', 't_v');
is(build('one worker', 'REINDEX INDEX t_v', 'SET max_parallel_maintenance_workers = 1'), '1', 'one worker');
whole('one worker', 't', 't_v');
$node->safe_psql('postgres', 'DROP INDEX t_v');

is(build('CONCURRENTLY', 'CREATE INDEX CONCURRENTLY t_v ON t USING hnsw (v vector_l2_ops)'), '2', 'CONCURRENTLY: two workers');
whole('CONCURRENTLY', 't', 't_v');
$node->safe_psql('postgres', 'DROP INDEX t_v');

is(build('partial', "$create WHERE id % 3 = 0"), '2', 'partial: two workers');
index_is_sound($node, 't_v', 'partial');
is($node->safe_psql('postgres', "SELECT heap_rows = (SELECT count(*) FROM t WHERE id % 3 = 0 AND v IS NOT NULL) FROM vectorizer.index_check('t_v')"),
	't', 'partial: its rows');
$node->safe_psql('postgres', 'DROP INDEX t_v');
is(build('expression', 'CREATE INDEX t_v ON t USING hnsw ((subvector(v, 1, 8)::vector(8)) vector_l2_ops)'), '2', 'expression: two workers');
index_is_sound($node, 't_v', 'expression');
is($node->safe_psql('postgres', "SELECT heap_rows FROM vectorizer.index_check('t_v')"), '8000', 'expression: all rows');
$node->safe_psql('postgres', 'DROP INDEX t_v');

$node->safe_psql('postgres', <<'SQL');
CREATE TABLE p (id integer, v vector(16)) PARTITION BY HASH (id);
CREATE TABLE p0 PARTITION OF p FOR VALUES WITH (MODULUS 2, REMAINDER 0) WITH (parallel_workers = 1);
CREATE TABLE p1 PARTITION OF p FOR VALUES WITH (MODULUS 2, REMAINDER 1) WITH (parallel_workers = 1);
INSERT INTO p SELECT id, v FROM t;
SQL
is(build('partitioned', 'CREATE INDEX p_v ON p USING hnsw (v vector_l2_ops)'), '1 1', 'partitioned: a worker each');
whole('partition', 'p0', 'p0_v_idx');
whole('partition', 'p1', 'p1_v_idx');

# Equal vectors everywhere, so that workers insert the same one at the same time. First of all the first row.
$node->safe_psql('postgres', <<'SQL');
CREATE TABLE same (id serial, v vector(16)) WITH (parallel_workers = 2);
INSERT INTO same (v) SELECT test_vector(1) FROM generate_series(1, 3000);
CREATE TABLE few (id serial, v vector(16)) WITH (parallel_workers = 2);
INSERT INTO few (v) SELECT test_vector(n % 40) FROM generate_series(1, 8000) AS n;
SQL
foreach my $memory (qw(64MB 1MB))
{
	foreach my $table (qw(same few))
	{
		is(build("$table, $memory", "CREATE INDEX ${table}_v ON $table USING hnsw (v vector_l2_ops)", "SET maintenance_work_mem = '$memory'"),
			'2', "$table, $memory: two workers");
		whole("$table, $memory", $table, "${table}_v");
		is($node->safe_psql('postgres', "SELECT nodes <= (SELECT 3 * count(DISTINCT v) FROM $table) FROM vectorizer.index_check('${table}_v')"),
			't', "$table, $memory: equal codes share nodes");
		$node->safe_psql('postgres', "DROP INDEX ${table}_v");
	}
}

# Workers that have read the whole table before the leader comes to it
$node->safe_psql('postgres', 'CREATE TABLE tiny (id serial, v vector(16)) WITH (parallel_workers = 2); INSERT INTO tiny (v) SELECT test_vector(n) FROM generate_series(1, 20) AS n');
foreach my $round (1 .. 10)
{
	build("tiny, round $round", 'CREATE INDEX tiny_v ON tiny USING hnsw (v vector_l2_ops)', "SET maintenance_work_mem = '64MB'");
	whole("tiny, round $round", 'tiny', 'tiny_v');
	$node->safe_psql('postgres', 'DROP INDEX tiny_v');
}

# No worker to be had
$node->safe_psql('postgres', "ALTER SYSTEM SET max_parallel_workers = 0; SELECT pg_reload_conf()");
is(build('no workers left', $create), '0', 'no workers left: alone');
whole('no workers left', 't', 't_v');
$node->safe_psql('postgres', "ALTER SYSTEM RESET max_parallel_workers; SELECT pg_reload_conf(); DROP INDEX t_v");

# A cancel, a lost worker: heard within a second, and nothing stays behind.
$node->safe_psql('postgres', <<'SQL');
INSERT INTO t (v) SELECT ARRAY[random(), random(), random(), random(), random(), random(), random(), random(),
	random(), random(), random(), random(), random(), random(), random(), n] FROM generate_series(1, 100000) AS n;
ANALYZE t;
SQL
sub interrupted
{
	my ($name, $settings, $whom, $phase, $message) = @_;
	my ($out, $err) = ('', '');
	my $session = IPC::Run::start(
		[ 'psql', '-XAtq', '-d', $node->connstr('postgres'), '-c', $settings, '-c',
			"CREATE INDEX t_v ON t USING hnsw (v vector_l2_ops) WITH (ef_construction = 200)" ],
		'<', \undef, '>', \$out, '2>', \$err);
	ok($node->poll_query_until('postgres', "SELECT count(*) = 1 FROM pg_stat_progress_create_index WHERE tuples_done > 1000 AND tuples_done < tuples_total AND phase ~ '$phase'"),
		"$name: under way");
	my $started = time;
	$node->safe_psql('postgres', $whom);
	$session->finish;
	my $took = time - $started;
	like($err, $message, "$name: fails");
	cmp_ok($took, '<', 2, "$name: soon");
	ok($node->poll_query_until('postgres', "SELECT count(*) = 0 FROM pg_stat_activity WHERE backend_type = 'parallel worker'"),
		"$name: no worker stays");
	is($node->safe_psql('postgres', "SELECT count(*) FROM pg_class WHERE relname = 't_v'"), '0', "$name: no index stays");
	return;
}
my $cancel = 'SELECT pg_cancel_backend(pid) FROM pg_stat_progress_create_index';
my $end_worker = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE backend_type = 'parallel worker' LIMIT 1";
interrupted('cancel', 'SET maintenance_work_mem = 65536', $cancel, 'in memory', qr/canceling statement due to user request/);
interrupted('cancel on pages', 'SET maintenance_work_mem = 1024', $cancel, 'on pages', qr/canceling statement due to user request/);
interrupted('a lost worker', 'SET maintenance_work_mem = 65536', $end_worker, 'in memory', qr/terminating|lost connection to parallel worker/);
interrupted('a lost worker on pages', 'SET maintenance_work_mem = 1024', $end_worker, 'on pages', qr/terminating|lost connection to parallel worker/);
is(build('after all that', $create), '2', 'after all that: two workers');
whole('after all that', 't', 't_v');
$node->safe_psql('postgres', 'DROP INDEX t_v');
# Shared memory in a folder without room for the graph: a mount of our own, where the system lets us have one.
$node->stop;
SKIP:
{
	my $mount = 'mount -t tmpfs -o size=3m none /dev/shm';
	my @apart = qw(unshare --user --map-current-user --keep-caps --mount);
	skip 'this system gives no mount to an ordinary user', 5 if !run_log([ @apart, 'sh', '-c', $mount ]);
	my $pg_ctl = "pg_ctl -w -D '" . $node->data_dir . "' -l '" . $node->logfile . "' start";
	ok(run_log([ @apart, 'sh', '-c', "$mount && $pg_ctl" ]), 'a server with 3 MB of shared memory');
	$node->_update_pid(1);
	is(build('a small /dev/shm', $create), '0', 'a small /dev/shm: alone');
	whole('a small /dev/shm', 't', 't_v');
	$node->stop;
}

done_testing();
