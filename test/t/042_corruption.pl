# Damaged index files: whatever lies in a page, a query, an insert or a vacuum answers or raises an error; nothing crashes
# and nothing runs for ever.
use strict;
use warnings;
use HnswCheck qw(vectors_sql index_is_sound scan_is_the_heap);
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(time);
use VectorizerNode qw(new_node);

my $rounds = $ENV{HNSW_ROUNDS} // 150;
my $limit = $ENV{HNSW_LIMIT} // 50;          # seconds
my $seed = $ENV{HNSW_SEED} // time() % 100000;
srand($seed);
note("seed $seed");

my $node = new_node('main', checksums => 0, conf => <<'CONF');
autovacuum = off
fsync = off
log_min_messages = warning
CONF
$node->safe_psql('postgres', vectors_sql(16, 400));
# every third row has a vector of its own, the others share 400: node, auxiliary and overflow pages
$node->safe_psql('postgres', q{
CREATE TABLE rows (id serial PRIMARY KEY, v vector(16)) WITH (fillfactor = 50);
INSERT INTO rows (v)
SELECT CASE WHEN i % 3 = 0 THEN (test_vector(i)::real[] || ARRAY[]::real[])::vector + array_fill(i::real / 1e4, ARRAY[16])::vector
	ELSE test_vector(i) END
FROM generate_series(1, 2400) AS i;
CREATE INDEX rows_v ON rows USING hnsw (v vector_l2_ops) WITH (m = 4, ef_construction = 16);
INSERT INTO rows (v) SELECT test_vector(i) FROM generate_series(1, 3000) AS i;
DELETE FROM rows WHERE id % 7 = 0;
VACUUM rows;
INSERT INTO rows (v) SELECT test_vector(i % 5) FROM generate_series(1, 300) AS i;
DELETE FROM rows WHERE id % 11 = 0 OR id % 400 = 3;
});
index_is_sound($node, 'rows_v', 'before');

# What every round begins with: the table's and its indexes' files as they are now.
my %before;
foreach my $relation (qw(rows rows_pkey rows_v))
{
	my $path = $node->data_dir . '/' . $node->safe_psql('postgres', "SELECT pg_relation_filepath('$relation')");
	$before{$_} = undef foreach $path, "${path}_fsm", "${path}_vm";
}
my $file = $node->data_dir . '/' . $node->safe_psql('postgres', q{SELECT pg_relation_filepath('rows_v')});
$node->stop;
$before{$_} = -e $_ ? slurp_file($_) : undef foreach keys %before;
my $sound = $before{$file};
my $blocks = length($sound) / 8192;
my %blocks_of = (1 => [], 2 => [], 3 => [], 4 => []);
for my $block (0 .. $blocks - 1)
{
	my $kind = unpack('C', substr($sound, $block * 8192 + 8192 - 4, 1));
	push(@{ $blocks_of{$kind} }, $block) if exists $blocks_of{$kind};
}
ok(!(grep { !@{ $blocks_of{$_} } } 1 .. 4), 'the file has pages of every kind')
  or diag(join(', ', map { "$_: " . @{ $blocks_of{$_} } } 1 .. 4));
$node->start;

sub put_file
{
	my ($path, $content) = @_;
	unlink($path);
	return unless defined $content;
	open(my $handle, '>', $path) or die "$path: $!";
	binmode($handle);
	print $handle $content;
	close($handle) or die;
	return;
}

sub pick { return $_[ int(rand(@_)) ] }

# One damage: its name and the file's content.
my @interesting = (0, 1, 2, 0x7F, 0x80, 0xFF);
sub damage
{
	my $bytes = $sound;
	my $block = pick(@{ $blocks_of{ 1 + int(rand(4)) } });
	my $at = $block * 8192;
	my $lower = unpack('S', substr($bytes, $at + 12, 2));
	my $way = pick(qw(byte byte bytes bytes word word header tail zero noise truncate swap));
	if ($way eq 'byte' || $way eq 'bytes')
	{
		for (1 .. $way eq 'byte' ? 1 : 40)
		{
			substr($bytes, $at + 24 + int(rand($lower - 24)), 1) = chr(pick(@interesting, int(rand(256))));
		}
	}
	elsif ($way eq 'word')
	{
		for (1 .. 5)
		{
			my $place = $at + 24 + 4 * int(rand(($lower - 24) / 4));
			substr($bytes, $place, 4) = pack('L', pick(0, 1, 0xFFFFFFFF, 0xFFFFFFFE, 0x7FFFFFFF, int(rand(4000)), int(rand(2**32))));
		}
	}
	elsif ($way eq 'header')
	{
		substr($bytes, $at + 12 + int(rand(12)), 1) = chr(int(rand(256)));
	}
	elsif ($way eq 'tail')
	{
		substr($bytes, $at + 8184 + int(rand(8)), 1) = chr(pick(@interesting, int(rand(256))));
	}
	elsif ($way eq 'zero')
	{
		substr($bytes, $at, 8192) = "\0" x 8192;
	}
	elsif ($way eq 'noise')
	{
		substr($bytes, $at + 24, 8160) = pack('C*', map { int(rand(256)) } 1 .. 8160);
	}
	elsif ($way eq 'truncate')
	{
		$bytes = substr($bytes, 0, pick($at, $at + 8192));
	}
	elsif ($way eq 'swap')
	{
		my $other = int(rand($blocks)) * 8192;
		my $page = substr($bytes, $at, 8192);
		substr($bytes, $at, 8192) = substr($bytes, $other, 8192);
		substr($bytes, $other, 8192) = $page;
	}
	return ("$way in block $block", $bytes);
}

# Damages that would send a walk round in circles, a backend after a lock that it holds, or the file's end far away.
my $slot_bytes = unpack('S', substr($sound, 24 + 20, 2));
my ($groups, $node_tail) = unpack('LL', substr($sound, 24 + 48, 8));
my @chosen = (
	[ 'chunks that lead to themselves', sub {
		my $bytes = $_[0];
		foreach my $block (@{ $blocks_of{4} })
		{
			substr($bytes, $block * 8192 + 24 + $_ * 60, 4) = pack('L', ($block - 1) * 136 + $_) for 0 .. 135;
		}
		return $bytes;
	} ],
	[ 'chunks on the node\'s own page', sub {
		my $bytes = $_[0];
		foreach my $block (@{ $blocks_of{3} })
		{
			my $items = (unpack('S', substr($bytes, $block * 8192 + 12, 2)) - 24) / $slot_bytes;
			for my $slot (0 .. $items - 1)
			{
				my $at = $block * 8192 + 24 + $slot * $slot_bytes;
				substr($bytes, $at + 16, 4) = pack('L', ($block - 1) * 136);
				substr($bytes, $at + 20, 6) = "\0" x 6 if $slot % 2;      # no first row: vacuum looks at the chain
			}
		}
		return $bytes;
	} ],
	[ 'too many groups', sub { substr($_[0], 24 + 48, 4) = pack('L', 100_000); return $_[0]; } ],
	[ 'too few groups',  sub { substr($_[0], 24 + 48, 12) = pack('LLL', 1, 32, 32); return $_[0]; } ],
	[ 'a far tail',      sub { substr($_[0], 24 + 52, 8) = pack('LL', 40_000_000, 50_000_000); return $_[0]; } ],
	[ 'an entry point on level 65,535', sub { substr($_[0], 24 + 44, 2) = pack('S', 65_535); return $_[0]; } ],
	[ 'an entry point that is no node', sub { substr($_[0], 24 + 40, 4) = pack('L', 4_000_000_000); return $_[0]; } ]);

my %verdicts;
my @bad;

# one(name, sql): runs it; counts the SQLSTATE, notes what should not be
sub one
{
	my ($name, $what, $sql) = @_;
	my ($timed_out, $out, $err) = (0, '', '');
	my $status = $node->psql('postgres',
		"SET statement_timeout = '15s'; SET enable_seqscan = off; SET enable_sort = off;\n$sql",
		stdout => \$out, stderr => \$err, timeout => 40, timed_out => \$timed_out, extra_params => [ '-v', 'VERBOSITY=verbose' ]);
	my ($state) = $err =~ /(?:ERROR|FATAL|PANIC):\s+([0-9A-Z]{5}):/;
	if ($timed_out)  # not even a cancel was heard
	{
		push(@bad, "$name, $what: never ended");
		diag($bad[-1]);
		$node->stop('immediate');
		BAIL_OUT('the server hangs') unless $node->start(fail_ok => 1);
		return;
	}
	$state = $status == 0 ? 'answers' : 'lost' unless defined $state;
	$verdicts{$what}{$state}++;
	note("$name, $what: $state " . ($err =~ /ERROR:\s+(.*)/ ? $1 : ''));
	push(@bad, "$name, $what: $state $err") unless $state =~ /^(answers|XX001|XX002)$/;
	return;
}

my $began = time();
my $done = 0;
for my $round (1 .. $rounds)
{
	last if time() - $began > $limit || @bad > 5;
	my ($name, $bytes) = damage();
	($name, $bytes) = ($chosen[ ($round - 1) / 2 ][0], $chosen[ ($round - 1) / 2 ][1]->(my $copy = $sound)) if $round <= 2 * @chosen;
	$name = "round $round ($name)";
	$node->stop;
	put_file($_, $_ eq $file ? $bytes : $before{$_}) foreach keys %before;
	$node->start;

	one($name, 'index_check', "SELECT * FROM vectorizer.index_check('rows_v');");
	one($name, 'search', "SELECT count(*) FROM (SELECT id FROM rows ORDER BY v <-> (SELECT test_vector($round)) LIMIT 20) AS s;");
	one($name, 'scan', "SET vectorizer.iterative_scan = relaxed_order;
		SELECT count(*) FROM (SELECT id FROM rows ORDER BY v <-> (SELECT test_vector($round)) OFFSET 0) AS s;");
	one($name, 'insert', "INSERT INTO rows (v) SELECT test_vector(i + $round) FROM generate_series(1, 40) AS i;")
	  if $round % 2 == 0;
	one($name, 'vacuum', "VACUUM rows;")
	  if $round % 2 == 1;
	$done++;
}
ok(!@bad, 'every statement answers or raises XX001 or XX002') or diag(join("\n", @bad));
note("$done rounds");
foreach my $what (sort keys %verdicts)
{
	note("$what: " . join(', ', map { "$_ $verdicts{$what}{$_}" } sort keys %{ $verdicts{$what} }));
}
cmp_ok($verdicts{index_check}{XX002} // 0, '>', $done / 4, 'index_check finds faults');
cmp_ok($verdicts{search}{answers} // 0, '>', $done / 10, 'what is sound still answers');
unlike(slurp_file($node->logfile), qr/PANIC|TRAP|terminated by signal/, 'the server never crashed');
is($node->safe_psql('postgres', 'SELECT 1'), 1, 'the server runs');

# Not a damage: extending the file is not logged, so the tail that a metapage names may be missing after a promotion.
$node->stop;
put_file($_, $before{$_}) foreach keys %before;
my $extended = $sound;
substr($extended, 24 + 48, 8) = pack('LL', $groups + 1, 1 + $groups * 32 + 1);
# the new group's auxiliary page, and nothing behind it
my ($aux) = @{ $blocks_of{2} };
my $auxiliary = substr($sound, $aux * 8192, 12) . pack('SS', 24, 8184) . substr($sound, $aux * 8192 + 16, 8) . "\0" x 8160
  . substr($sound, $aux * 8192 + 8184, 6) . "\0\0";
$extended .= "\0" x (8192 * (1 + $groups * 32 - $blocks)) . $auxiliary;
put_file($file, $extended);
$node->start;
is($node->psql('postgres', 'INSERT INTO rows (v) SELECT test_vector(i) + test_vector(i % 7 + 1) FROM generate_series(1, 4000) AS i'),
	0, 'an insert extends a file that ends before the tail');
index_is_sound($node, 'rows_v', 'after that');

# REINDEX heals every damage, as every hint says.
$node->safe_psql('postgres', 'REINDEX INDEX rows_v');
index_is_sound($node, 'rows_v', 'after a REINDEX');
scan_is_the_heap($node, 'rows', 'after a REINDEX');

done_testing();
