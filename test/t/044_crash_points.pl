# At every place that the sources name as a crash point the server dies as if power had gone, once the first time that a
# session gets there and once later. After the restart the index is whole, has the rows that were committed and no others,
# and takes further work; so has a standby that follows all along. A point that nothing reaches fails.
use strict;
use warnings;
use HnswCheck qw(vectors_sql index_is_sound scan_is_the_heap);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use VectorizerNode qw(new_node);

my $only = $ENV{CRASH_POINT} // '';          # a pattern: just these points

my %points;
foreach my $file (split /\n/, `find $ENV{TESTDIR}/src/pg -name '*.cpp'`)
{
	my $text = slurp_file($file);
	$points{$1}++ while $text =~ /\bcrash_point\("([^"]+)"\)/g;
}
cmp_ok(scalar(keys %points), '>=', 20, 'the sources have crash points');

my $primary = new_node('primary', allows_streaming => 1, crash_points => 1, conf => <<'CONF');
autovacuum = off
fsync = off
max_connections = 20
restart_after_crash = on
checkpoint_timeout = 1h
CONF
$primary->safe_psql('postgres', vectors_sql(48, 0));
# four vectors have many rows; the lists are short, so that some nodes lose all links to them
$primary->safe_psql('postgres', q{
CREATE TABLE vectors AS SELECT i AS id, CASE WHEN i % 4 = 0 THEN test_vector(i % 16 * 50) ELSE test_vector(i) END AS v
FROM generate_series(1, 1200) AS i;
});
$primary->backup('base');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($primary, 'base', has_streaming => 1);
$standby->append_conf('postgresql.conf', "wal_retrieve_retry_interval = '50ms'\nmax_standby_streaming_delay = -1\n");
$standby->start;

my $options = 'USING hnsw (v vector_l2_ops) WITH (m = 3, ef_construction = 8, quantization = none)';
my $insert = 'INSERT INTO rows SELECT id, v FROM vectors WHERE id > 600';
my $vacuum = 'VACUUM rows';
my $delete = 'DELETE FROM rows WHERE id % 3 = 0 OR id % 16 = 4 OR (id % 16 = 8 AND id > 100)';

# What reaches a point: statements before, and the statement in which the server dies, each of which alone must get there.
my @work = (
	[ qr/^insert\.entry$/,        'TRUNCATE rows',             $insert ],
	[ qr/^(insert|allocate)\./,   '',                          $insert ],
	[ qr/^(scan|graph)\./,        'SET enable_seqscan = off',  'SELECT count(*) FROM (SELECT v FROM rows ORDER BY v <-> (SELECT test_vector(1))) AS s' ],
	[ qr/^vacuum\.free_chunk$/,   $delete,                     $vacuum ],
	[ qr/^vacuum\.chunks$/,       "$delete; VACUUM rows; DELETE FROM rows WHERE id % 16 = 12", $vacuum ],
	[ qr/^vacuum\./,              $delete,                     $vacuum ],
	[ qr/^train\./,               'INSERT INTO rows SELECT id + 20000, v FROM vectors', q{SELECT vectorizer.retrain('rows_v')} ],
	[ qr/^worker\./,              'ALTER TABLE rows SET (parallel_workers = 2)', "CREATE INDEX built ON rows $options" ],
	[ qr/^build\./,               '',                          "CREATE INDEX built ON rows $options" ],
	[ qr/^build\./,               '',                          'REINDEX INDEX CONCURRENTLY rows_v' ]);

# What takes two sessions: the second one does its work while the first waits at another point.
my %raced = ('insert.late_links' => [ 'insert.slot', 'TRUNCATE rows', $insert, 'INSERT INTO rows SELECT 1, v FROM vectors WHERE id = 1' ]);

sub session
{
	my @statements = map { ('-c', $_) } @_;
	my ($out, $err) = ('', '');
	return IPC::Run::start([ 'psql', '-XAtq', '-d', $primary->connstr('postgres'), @statements ], '<', '/dev/null', '>', \$out, '2>', \$err);
}

sub wait_until
{
	my ($query, $name) = @_;
	$primary->poll_query_until('postgres', $query) or die "$name: $query";
	return;
}

# die_at(point, nth, name, before, statement): whether the server died there
sub die_at
{
	my ($point, $nth, $name, $before, $statement) = @_;
	$primary->safe_psql('postgres', qq{
DROP TABLE IF EXISTS rows;
CREATE TABLE rows (id int, v vector(48));
INSERT INTO rows SELECT id, v FROM vectors WHERE id <= 600;
CREATE INDEX rows_v ON rows $options;});
	my $log = -s $primary->logfile;
	my $set = "SET vectorizer.crash_point = '$point:$nth'";
	if (my $race = $raced{$point})
	{
		my ($waits_at, $prepare, $first, $second) = @$race;
		$primary->safe_psql('postgres', $prepare);
		my $holder = session('SELECT pg_advisory_lock(118, 0)', 'SELECT pg_sleep(1)');
		wait_until(q{SELECT count(*) = 1 FROM pg_locks WHERE locktype = 'advisory' AND granted}, $name);
		my $waiter = session($set, "SET vectorizer.wait_point = '$waits_at'", $first);
		wait_until(q{SELECT count(*) = 1 FROM pg_locks WHERE locktype = 'advisory' AND NOT granted}, $name);
		$primary->safe_psql('postgres', $second);
		$_->finish foreach $waiter, $holder;
	}
	else
	{
		$primary->psql('postgres', join(";\n", $before, $set, $statement), on_error_stop => 1);
	}
	return slurp_file($primary->logfile, $log) =~ /crash point \Q$point\E\b/;
}

sub in_order
{
	my ($name) = @_;
	wait_until('SELECT NOT pg_is_in_recovery()', $name);
	my ($invalid) = $primary->safe_psql('postgres',
		q{SELECT string_agg(indexrelid::regclass::text, ',') FROM pg_index WHERE NOT indisvalid});
	$primary->safe_psql('postgres', "DROP INDEX $invalid") if $invalid;

	index_is_sound($primary, 'rows_v', $name);
	scan_is_the_heap($primary, 'rows', $name);
	$primary->safe_psql('postgres', qq{
INSERT INTO rows SELECT id + 10000, v FROM vectors WHERE id BETWEEN 601 AND 700 OR id % 16 = 4;
DELETE FROM rows WHERE id % 5 = 0;
VACUUM rows;
INSERT INTO rows SELECT id + 10000, v FROM vectors WHERE id BETWEEN 701 AND 800 AND id % 16 <> 4;});
	index_is_sound($primary, 'rows_v', "$name, and more work");
	scan_is_the_heap($primary, 'rows', "$name, and more work");
	$primary->wait_for_catchup($standby, 'replay', $primary->lsn('insert'));
	index_is_sound($standby, 'rows_v', "$name, standby");
	return;
}

foreach my $point (sort grep { /$only/ } keys %points)
{
	my @ways = $raced{$point} ? ([]) : grep { $point =~ $_->[0] } @work;
	@ways = $ways[0] unless $point =~ /^build/;
	ok(defined $ways[0], "$point: it is known what reaches it") or next;
	foreach my $way (@ways)
	{
		my ($pattern, $before, $statement) = @$way;
		my $what = defined $statement ? lc($statement =~ s/^(\w+).*/$1/sr) : 'a race';
		ok(die_at($point, 1, $point, $before, $statement), "$point: $what reaches it");
		in_order("$point, $what");
		next if $raced{$point};
		in_order("$point, $what, later") if die_at($point, 4, $point, $before, $statement);
	}
}

unlike(slurp_file($_->logfile), qr/PANIC|TRAP|terminated by signal (?!3|9)/, $_->name . ': nothing crashed by itself')
  foreach $primary, $standby;

done_testing();
