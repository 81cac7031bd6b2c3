# What an ordered scan promises: every indexable row once without a LIMIT, enough rows under filters, their order.
use strict;
use warnings;
use PostgreSQL::Test::Utils;
use Test::More;
use VectorData qw(load_vectors define_checks);
use VectorizerNode qw(new_node);

my $node = new_node('main', conf => "autovacuum = off\nmaintenance_work_mem = '128MB'");
define_checks($node);

# sql(text, setting => value...): with the index preferred to any other plan
sub sql
{
	my ($text, %settings) = @_;
	my $set = join '', map { "SET $_ = $settings{$_}; " } 'enable_seqscan', 'enable_sort', sort keys %settings;
	return $node->safe_psql('postgres', $set =~ s/= ;/= off;/gr . $text);
}

# Filters, over real vectors.
load_vectors($node, 'items', 'sentences300/base', 'vector(300)');
load_vectors($node, 'query', 'sentences300/query');
$node->safe_psql('postgres', 'CREATE INDEX items_v ON items USING hnsw (v vector_cosine_ops); ANALYZE items');
foreach my $filter ([ 1000, 'relaxed_order' ], [ 500, 'relaxed_order' ], [ 100, 'relaxed_order' ], [ 500, 'strict_order' ], [ 100, 'strict_order' ])
{
	my ($one_in, $order) = @$filter;
	my $statement = "SELECT id, v <=> \$1 FROM items WHERE id % $one_in = 3 ORDER BY v <=> \$1 LIMIT 10";
	my @settings = ('vectorizer.iterative_scan' => $order);
	is(sql("SELECT checks.uses('$statement', (SELECT v FROM query WHERE id = 0), 'items_v')", @settings),
		't', "LIMIT 10 where 1 row in $one_in passes, $order: the index is used");
	is( sql("SELECT min(n), max(n) FROM query, LATERAL (SELECT count(DISTINCT found.id) AS n FROM checks.rows('$statement', v) AS found) AS answer WHERE query.id < 20", @settings),
		'10|10', "LIMIT 10 where 1 row in $one_in passes, $order: ten rows");
	is(sql("SELECT sum(checks.descents('$statement', v)) FROM query WHERE id < 20", @settings),
		0, "LIMIT 10 where 1 row in $one_in passes, $order: in order")
	  if $order eq 'strict_order';
}

# The same from far away: what passes lies at the far end of the order.
{
	my $statement = 'SELECT id, v <=> $1 FROM items WHERE v <=> $1 > (SELECT percentile_disc(0.998) WITHIN GROUP (ORDER BY i.v <=> $1) FROM items AS i) ORDER BY v <=> $1 LIMIT 10';
	foreach my $order (qw(relaxed_order strict_order))
	{
		my @settings = ('vectorizer.iterative_scan' => $order);
		is( sql("SELECT min(n), max(n) FROM query, LATERAL (SELECT count(DISTINCT found.id) AS n FROM checks.rows('$statement', v) AS found) AS answer WHERE query.id < 3", @settings),
			'10|10', "LIMIT 10 where the farthest rows pass, $order: ten rows");
		is(sql("SELECT sum(checks.descents('$statement', v)) FROM query WHERE id < 3", @settings),
			0, "LIMIT 10 where the farthest rows pass, $order: in order")
		  if $order eq 'strict_order';
	}
}

# Searches at a small ef_search: the evaluations, rounds and hits of 20 queries.
sub search_20
{
	my ($settings) = @_;
	my $script = "SET enable_seqscan = off; SET vectorizer.ef_search = 20; $settings";
	$script .= "SELECT string_agg(id::text, ',') FROM (SELECT id FROM items ORDER BY v <=> (SELECT v FROM query WHERE id = $_) LIMIT 10) AS f;"
	  . "SELECT evaluations, rounds FROM vectorizer.last_search();"
	  for 0 .. 19;
	my @lines = split /\n/, $node->safe_psql('postgres', $script);
	my %sum = (hits => 0, evaluations => 0, rounds => 0, found => '');
	for my $query (0 .. 19)
	{
		my ($found, $did) = splice @lines, 0, 2;
		my ($evaluations, $rounds) = split /\|/, $did;
		$sum{evaluations} += $evaluations;
		$sum{rounds} += $rounds;
		$sum{found} .= "$found\n";
		my %truth = map { $_ => 1 } split /\n/, $node->safe_psql('postgres',
			"SET enable_indexscan = off; SELECT id FROM items ORDER BY v <=> (SELECT v FROM query WHERE id = $query) LIMIT 10");
		$sum{hits} += grep { $truth{$_} } split /,/, $found;
	}
	return \%sum;
}

# A page that has to be read is evaluated whole: the first searches after a start see more than the next, and find no less. The
# few nodes that order wants are fetched without a further round.
{
	$node->restart;
	my $cold = search_20('');
	my $warm = search_20('');
	cmp_ok($cold->{evaluations}, '>', 1.5 * $warm->{evaluations}, 'what is read from disk is evaluated, and only once');
	cmp_ok($cold->{hits}, '>=', $warm->{hits}, 'nothing is lost by it');
	$node->restart;
	is_deeply(search_20('SET effective_io_concurrency = 16;'), $cold, 'the same with pages asked for ahead');
	cmp_ok($warm->{rounds}, '<=', 21, 'hardly a search needs a second round');
	$node->safe_psql('postgres', 'DROP INDEX items_v; CREATE INDEX items_v ON items USING hnsw (v vector_cosine_ops) WITH (quantization = binary)');
	cmp_ok(search_20('')->{rounds}, '>', 30, 'but where codes tell little, the search is widened');
}
$node->safe_psql('postgres', 'DROP TABLE items');

# Every row, whatever the metric and the code: NULLs and (under cosine) zero vectors are not indexed, 5,000 equal rows share
# a node.
my %operators = (l2 => '<->', ip => '<#>', cosine => '<=>', l1 => '<+>');
my %options = ('none' => 'quantization = none', '8 bits' => 'quantization = scalar, bits = 8', '4 bits' => 'quantization = scalar, bits = 4');
my $dimensions = 12;

# a random vector of its own for each row, the same in each run
sub random_vector
{
	my ($id) = @_;
	return "(SELECT array_agg(round((hashint4extended($id, i) % 1000000)::numeric / 1000000, 4))::vector FROM generate_series(1, $dimensions) AS i)";
}
$node->safe_psql('postgres', 'DROP TABLE query');
$node->safe_psql('postgres', 'CREATE TABLE query AS SELECT id, ' . random_vector('1000000 + id') . ' AS v FROM generate_series(0, 4) AS id');
$node->safe_psql('postgres', 'CREATE TABLE source AS SELECT id, ' . random_vector('id') . ' AS v FROM generate_series(1, 2000) AS id');
$node->safe_psql('postgres', <<"SQL");
INSERT INTO source SELECT id, (SELECT v FROM source WHERE id = 1) FROM generate_series(2001, 7000) AS id;
INSERT INTO source SELECT id, NULL FROM generate_series(7001, 7100) AS id;
INSERT INTO source SELECT id, array_fill(0, ARRAY[$dimensions])::vector FROM generate_series(7101, 7150) AS id;
INSERT INTO source SELECT 7150 + id, v * array_fill(1e-20, ARRAY[$dimensions])::vector FROM source WHERE id <= 20;
SQL

my $runs = 0;
foreach my $metric (sort keys %operators)
{
	my $statement = "SELECT id, v $operators{$metric} \$1 FROM t ORDER BY v $operators{$metric} \$1";
	my $indexable = $metric eq 'cosine' ? 'vector_norm(v) > 0' : 'v IS NOT NULL';
	foreach my $code (sort keys %options)
	{
		my $order = $runs++ % 2 == 0 ? 'before' : 'after';  # three codes: each metric has both
		my $name = "$metric, $code, loaded $order";
		my $create = "CREATE INDEX t_v ON t USING hnsw (v vector_${metric}_ops) WITH (m = 8, ef_construction = 32, $options{$code});";
		my $load = 'INSERT INTO t SELECT * FROM source;';
		my $complete = sub {
			my ($when) = @_;
			is( sql("SELECT checks.differs('$statement', v, 'SELECT id FROM t WHERE $indexable') FROM query WHERE id = 0",
					'vectorizer.iterative_scan' => 'relaxed_order'),
				'', "$name, $when: every row once");
		};
		$node->safe_psql('postgres', "CREATE TABLE t (id integer, v vector($dimensions));" . ($order eq 'before' ? $load . $create : $create . $load) . 'ANALYZE t');
		is(sql("SELECT checks.uses('$statement', (SELECT v FROM query WHERE id = 0), 't_v')"), 't', "$name: the index is used");
		$complete->('loaded');
		is(sql("SELECT sum(checks.descents('$statement LIMIT 500', v)) FROM query WHERE id < 2"), 0, "$name: strict order");
		my ($returned, $all) = split /\|/, sql("SELECT min(n), (SELECT count(*) FROM t WHERE $indexable) FROM query, LATERAL (SELECT count(*) AS n FROM checks.rows('$statement', v)) AS answer WHERE query.id = 1");
		note "$name: without a LIMIT strict_order returns $returned of $all rows";
		# one pass leaves tombstones to walk through, the next ones repair and reuse
		$node->safe_psql('postgres', 'DELETE FROM t WHERE id % 200 = 1; VACUUM t');
		$complete->('few rows deleted');
		$node->safe_psql('postgres', 'DELETE FROM t WHERE id % 3 = 1; UPDATE t SET v = v WHERE id % 3 = 0');
		$complete->('many rows deleted, not vacuumed');
		$node->safe_psql('postgres', 'VACUUM t');
		$complete->('vacuumed');
		$node->safe_psql('postgres', 'INSERT INTO t SELECT id + 10000, v FROM source WHERE id % 3 = 1');
		$complete->('inserted again');
		$node->safe_psql('postgres', 'DELETE FROM t WHERE id > 1000; VACUUM t; DELETE FROM t; VACUUM t; INSERT INTO t SELECT * FROM source WHERE id % 10 = 0');
		$complete->('emptied and filled');
		is($node->psql('postgres', "SELECT vectorizer.index_check('t_v')"), 0, "$name: the index is sound");
		$node->safe_psql('postgres', 'DROP TABLE t');
	}
}

done_testing();
