# The server and all its processes are killed at random moments of inserts, vacuum and builds; after every restart the
# index is whole and gives exactly the table's rows.
use strict;
use warnings;
use HnswCheck qw(vectors_sql index_is_sound scan_is_the_heap);
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(sleep time);
use VectorizerNode qw(new_node);

my $rounds = $ENV{HNSW_ROUNDS} // 20;
my $limit = 120;                             # seconds
my $seed = $ENV{HNSW_SEED} // time() % 100000;
srand($seed);
note("seed $seed");

my $node = new_node('main', conf => <<'CONF');
autovacuum = off
fsync = off
max_connections = 40
shared_buffers = 4MB
checkpoint_timeout = 1h
max_wal_size = 200MB
restart_after_crash = off
CONF
my $dir = PostgreSQL::Test::Utils::tempdir();
$node->safe_psql('postgres', vectors_sql(24, 3000));
$node->safe_psql('postgres', q{
CREATE TABLE rows (id serial PRIMARY KEY, v vector(24));
INSERT INTO rows (v) SELECT test_vector(i) FROM generate_series(1, 1500) AS i;
CREATE INDEX rows_v ON rows USING hnsw (v vector_l2_ops) WITH (m = 6, ef_construction = 24);
CREATE UNLOGGED TABLE passing (id serial PRIMARY KEY, v vector(24));
CREATE INDEX passing_v ON passing USING hnsw (v vector_l2_ops);
});

my %scripts = (
	insert => [ 4, q{
\set n random(1, 1000000)
INSERT INTO rows (v) SELECT test_vector(:n + i) FROM generate_series(1, 5) AS i;
INSERT INTO passing (v) VALUES (test_vector(:n));
}],
	checkpoint => [ 1, "CHECKPOINT;\n\\sleep 150 ms\n" ],
	vacuum => [ 1, q{
\set n random(0, 4)
DELETE FROM rows WHERE id % 5 = :n;
VACUUM rows;
INSERT INTO rows (v) SELECT test_vector(i * 7) FROM generate_series(1, 150) AS i;
}],
	build => [ 1, q{
DROP INDEX IF EXISTS built;
SET maintenance_work_mem = '1MB';
CREATE INDEX built ON rows USING hnsw (v vector_cosine_ops) WITH (m = 6, ef_construction = 24);
REINDEX INDEX rows_v;
}],
	concurrent_build => [ 1, q{
DROP INDEX IF EXISTS built;
CREATE INDEX CONCURRENTLY built ON rows USING hnsw (v vector_l2_ops) WITH (m = 6, ef_construction = 24);
REINDEX INDEX CONCURRENTLY rows_v;
}]);
my @mixes = ([ 'insert', 'checkpoint' ], [ 'vacuum', 'insert' ], [ 'build', 'checkpoint' ], [ 'concurrent_build', 'insert' ]);
append_to_file("$dir/$_.sql", $scripts{$_}[1]) foreach keys %scripts;

sub activity
{
	my ($name) = @_;
	my ($out, $err) = ('', '');
	return IPC::Run::start(
		[ 'pgbench', '-h', $node->host, '-p', $node->port, '-n', '-c', $scripts{$name}[0], '-T', 60, '-f', "$dir/$name.sql", 'postgres' ],
		'>', \$out, '2>', \$err);
}

# Stopped first, the postmaster starts no further child while we look for those it has.
sub kill_all
{
	my $postmaster = slurp_file($node->data_dir . '/postmaster.pid') =~ /^(\d+)/ ? $1 : die 'no postmaster.pid';
	kill('STOP', $postmaster);
	my @children;
	foreach my $stat (glob '/proc/[0-9]*/stat')
	{
		open(my $file, '<', $stat) or next;
		my $line = <$file> // '';
		push(@children, $1) if $line =~ /^(\d+) \(.*\) \S (\d+) / && $2 == $postmaster;
	}
	kill('KILL', @children, $postmaster);
	for (1 .. 500)                           # until somebody has collected them: a start takes a zombie for a server
	{
		last unless grep { kill(0, $_) } @children, $postmaster;
		sleep(0.02);
	}
	$node->{_pid} = undef;
	return;
}

my $began = time();
my $done = 0;
for my $round (1 .. $rounds)
{
	last if time() - $began > $limit;
	my $mix = $mixes[ $round % @mixes ];
	my $name = "round $round (@$mix)";
	my @running = map { activity($_) } @$mix;
	sleep(0.15 + rand(0.7));
	kill_all();
	$_->finish foreach @running;

	if (!$node->start(fail_ok => 1))
	{
		fail("$name: the server starts");
		last;
	}
	$node->safe_psql('postgres', 'DROP INDEX IF EXISTS rows_v_ccnew, rows_v_ccold');
	my ($invalid) = $node->safe_psql('postgres',
		q{SELECT string_agg(indexrelid::regclass::text, ',') FROM pg_index WHERE NOT indisvalid});
	$node->safe_psql('postgres', "DROP INDEX $invalid") if $invalid;
	$node->safe_psql('postgres', 'CREATE INDEX IF NOT EXISTS rows_v ON rows USING hnsw (v vector_l2_ops) WITH (m = 6, ef_construction = 24)');

	index_is_sound($node, 'rows_v', $name);
	index_is_sound($node, 'built', "$name, second index")
	  if $node->safe_psql('postgres', q{SELECT to_regclass('built') IS NOT NULL}) eq 't';
	is($node->safe_psql('postgres', q{SELECT (SELECT count(*) FROM passing), nodes FROM vectorizer.index_check('passing_v')}),
		'0|0', "$name: the unlogged index begins anew");
	$node->safe_psql('postgres', 'DROP INDEX IF EXISTS built') if $round % 3 == 0;
	scan_is_the_heap($node, 'rows', $name);
	$done++;
}
cmp_ok($done, '>=', $rounds / 2, 'there was time for half of the rounds') or diag("$done of $rounds");

$node->safe_psql('postgres', 'VACUUM rows');
index_is_sound($node, 'rows_v', 'after a vacuum');
scan_is_the_heap($node, 'rows', 'after a vacuum');
unlike(slurp_file($node->logfile), qr/PANIC|TRAP|terminated by signal (?!9)/, 'nothing crashed by itself');

done_testing();
