# recall@10 on the sets of test/data, for every code, with the rows loaded before and after CREATE INDEX.
use strict;
use warnings;
use IPC::Run;
use PostgreSQL::Test::Utils;
use Test::More;
use VectorData qw(load_vectors);
use VectorizerNode qw(new_node);

my $node = new_node('main', conf => "autovacuum = off\nmaintenance_work_mem = '256MB'\nshared_buffers = '256MB'");

# Levels are drawn at random, so recall differs between graphs of the same rows, on sentences300 by a standard deviation of .003 where
# rows are inserted: there several graphs are averaged.
my %sets = (
	fashion784 => { opclass => 'vector_l2_ops', operator => '<->', dimensions => 784, graphs => 1 },
	sentences300 => { opclass => 'vector_cosine_ops', operator => '<=>', dimensions => 300, graphs => 4 },
);
my @codes = (
	[ none => 'quantization = none' ],
	[ '8 bits' => 'quantization = scalar, bits = 8' ],
	[ '4 bits' => 'quantization = scalar, bits = 4' ],
);

# What one session does for one set: a line "code|order|recall|the index is used" for each index.
sub script
{
	my ($name) = @_;
	my $set = $sets{$name};
	my $sql = "SET enable_seqscan = off; SET vectorizer.ef_search = 80;\n";
	foreach my $order (qw(before after))
	{
		my $table = "${name}_$order";
		my $find = sub { "SELECT id FROM $table ORDER BY v $set->{operator} $_[0] LIMIT 10" };
		my $load = "INSERT INTO $table SELECT * FROM ${name}_base ORDER BY id;";
		foreach my $code (@codes)
		{
			my $create = "CREATE INDEX ${table}_v ON $table USING hnsw (v $set->{opclass})"
			  . " WITH (m = 16, ef_construction = 64, $code->[1]);";
			my @steps = $order eq 'before' ? ($load, $create) : ($create, $load);
			$sql .= <<"SQL" x $set->{graphs};
CREATE TABLE $table (id integer, v vector($set->{dimensions}));
@steps
ANALYZE $table;
EXPLAIN (COSTS OFF) @{[ $find->("(SELECT v FROM ${name}_query WHERE id = 0)") ]};
SELECT '$code->[0]', '$order', avg((SELECT count(*) FROM unnest(found) AS id WHERE id = ANY (truth.v[1:10]))) / 10
FROM ${name}_query AS query JOIN ${name}_truth AS truth USING (id),
	LATERAL (SELECT ARRAY(@{[ $find->('query.v') ]}) AS found) AS answer;
DROP TABLE $table;
SQL
		}
	}
	return $sql;
}

my %runs;
foreach my $name (sort keys %sets)
{
	load_vectors($node, "${name}_base", "$name/base");
	load_vectors($node, "${name}_query", "$name/query");
	load_vectors($node, "${name}_truth", "$name/groundtruth");
	my $run = $runs{$name} = { in => script($name), out => '', err => '' };
	$run->{session} = IPC::Run::start(
		[ 'psql', '-XAtq', '-v', 'ON_ERROR_STOP=1', '-d', $node->connstr('postgres') ],
		'<', \$run->{in}, '>', \$run->{out}, '2>', \$run->{err});
}
foreach my $name (sort keys %sets)
{
	my $run = $runs{$name};
	ok($run->{session}->finish && $run->{err} eq '', "$name: indexes are built and searched") or diag $run->{err};
	my $graphs = $sets{$name}{graphs};
	my (%recall, %found);
	foreach my $line (split /\n/, $run->{out})
	{
		next unless $line =~ /^([^|]+)\|(before|after)\|([0-9.]+)$/;
		$recall{"$1, $2"} += $3 / $graphs;
		++$found{"$1, $2"};
	}
	my $plans = () = $run->{out} =~ /Index Scan using ${name}_(?:before|after)_v on/g;
	is($plans, 2 * @codes * $graphs, "$name: every search is an index scan");
	is_deeply([ values %found ], [ ($graphs) x (2 * @codes) ], "$name: every graph has been searched");
	foreach my $order (qw(before after))
	{
		foreach my $code (map { $_->[0] } @codes)
		{
			my $recall = $recall{"$code, $order"} // 0;
			my $plain = $recall{"none, $order"} // 0;
			note sprintf '%s, %s, rows loaded %s CREATE INDEX: %.4f', $name, $code, $order, $recall;
			cmp_ok($recall, '>=', 0.95, "$name, $code, rows loaded $order CREATE INDEX: recall\@10");
			cmp_ok($recall, '>=', $plain - 0.01, "$name, $code, rows loaded $order CREATE INDEX: as good as without a code")
			  unless $code eq 'none';
		}
	}
}

done_testing();
