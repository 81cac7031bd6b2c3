# A streaming standby that has replayed the same WAL answers the same queries with the same rows, its index has no fault,
# and once promoted it goes on.
use strict;
use warnings;
use HnswCheck qw(vectors_sql index_is_sound scan_is_the_heap);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(sleep);
use VectorizerNode qw(new_node);

my $seconds = $ENV{HNSW_SECONDS} // 8;

my $primary = new_node('primary', allows_streaming => 1, conf => <<'CONF');
autovacuum = off
fsync = off
shared_buffers = '64MB'
max_standby_streaming_delay = -1
CONF
$primary->safe_psql('postgres', 'CREATE EXTENSION pg_prewarm');
$primary->safe_psql('postgres', vectors_sql(24, 2500));
$primary->safe_psql('postgres', q{
CREATE TABLE rows (id serial PRIMARY KEY, v vector(24));
INSERT INTO rows (v) SELECT test_vector(i) FROM generate_series(1, 1500) AS i;
CREATE INDEX rows_v ON rows USING hnsw (v vector_l2_ops) WITH (m = 6, ef_construction = 24);
});
$primary->backup('base');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($primary, 'base', has_streaming => 1);
$standby->start;

my $dir = PostgreSQL::Test::Utils::tempdir();
append_to_file("$dir/write.sql", q{
\set n random(1, 1000000)
INSERT INTO rows (v) SELECT test_vector(:n + i) FROM generate_series(1, 5) AS i;
DELETE FROM rows WHERE id % 400 = :n % 400;
UPDATE rows SET v = test_vector(:n + 1) WHERE id % 1000 = :n % 1000;
});
append_to_file("$dir/vacuum.sql", "VACUUM rows;\n\\sleep 100 ms\n");
append_to_file("$dir/build.sql", q{
DROP INDEX IF EXISTS built;
SET maintenance_work_mem = '1MB';
CREATE INDEX built ON rows USING hnsw (v vector_cosine_ops) WITH (m = 6, ef_construction = 24);
\sleep 500 ms
});
append_to_file("$dir/read.sql", q{
\set n random(1, 1000000)
SET enable_seqscan = off;
SET enable_sort = off;
SELECT 1 / (count(*) = 10)::int FROM (SELECT id FROM rows ORDER BY v <-> (SELECT test_vector(:n)) LIMIT 10) AS s;
});

sub bench
{
	my ($node, $clients, $script) = @_;
	my ($out, $err) = ('', '');
	return [
		IPC::Run::start(
			[ 'pgbench', '-h', $node->host, '-p', $node->port, '-n', '-c', $clients, '-T', $seconds, '-f', "$dir/$script.sql", 'postgres' ],
			'>', \$out, '2>', \$err),
		$script, \$err ];
}

my $queries = join("\n", map {
		"SELECT string_agg(id::text, ',') FROM (SELECT id FROM rows ORDER BY v <-> (SELECT test_vector($_)) LIMIT 30) AS s;"
	} map { $_ * 61 } 1 .. 25);

# the answers of one node, under the given setting of iterative_scan; with all pages in memory, for a search sees more of one that
# it has to read
sub answers
{
	my ($node, $setting) = @_;
	$node->safe_psql('postgres', "SELECT pg_prewarm('rows_v')");
	return $node->safe_psql('postgres',
		"SET enable_seqscan = off; SET enable_sort = off; SET vectorizer.iterative_scan = $setting; SET vectorizer.ef_search = 12;\n$queries");
}

my @running = (bench($primary, 2, 'write'), bench($primary, 1, 'vacuum'), bench($primary, 1, 'build'), bench($standby, 1, 'read'));
foreach my $run (@running)
{
	my ($handle, $script, $err) = @$run;
	ok($handle->finish, "$script: no error") or diag($$err);
}

sub caught_up
{
	my ($name) = @_;
	$primary->wait_for_catchup($standby, 'replay', $primary->lsn('insert'));
	foreach my $setting (qw(strict_order relaxed_order off))
	{
		is(answers($standby, $setting), answers($primary, $setting), "$name: the same rows on both, $setting");
	}
	index_is_sound($_, 'rows_v', "$name, " . $_->name) foreach $primary, $standby;
	return;
}

caught_up('after writes');
$primary->safe_psql('postgres', 'VACUUM rows');
caught_up('after a vacuum');
$primary->safe_psql('postgres', 'REINDEX INDEX rows_v');
caught_up('after a REINDEX');
index_is_sound($standby, 'built', 'an index built meanwhile') if $primary->safe_psql('postgres', "SELECT to_regclass('built') IS NOT NULL") eq 't';

# Slots that vacuum freed last: the standby has no free space map for them.
$primary->safe_psql('postgres', 'DELETE FROM rows WHERE id % 2 = 0; VACUUM rows;');
caught_up('after half of the rows was deleted');
$primary->stop('immediate');
$standby->promote;

index_is_sound($standby, 'rows_v', 'promoted');
scan_is_the_heap($standby, 'rows', 'promoted');
$standby->safe_psql('postgres', q{
INSERT INTO rows (v) SELECT test_vector(i * 3) FROM generate_series(1, 500) AS i;
DELETE FROM rows WHERE id % 3 = 0;
VACUUM rows;
});
index_is_sound($standby, 'rows_v', 'promoted, after writes and a vacuum');
scan_is_the_heap($standby, 'rows', 'promoted, after writes and a vacuum');

# What the promotion lost of the free space map is found again by the first vacuum: the index stops growing.
my @sizes;
for my $turn (1 .. 4)
{
	$standby->safe_psql('postgres', qq{
INSERT INTO rows (v) SELECT test_vector(i * 3 + $turn) FROM generate_series(1, 500) AS i;
DELETE FROM rows WHERE id IN (SELECT id FROM rows ORDER BY id LIMIT 500);
VACUUM rows;
});
	push(@sizes, $standby->safe_psql('postgres', q{SELECT pg_relation_size('rows_v') / 8192}));
}
cmp_ok($sizes[3], '<=', $sizes[0] + 2, 'freed slots are used again') or diag("@sizes");

done_testing();
