# The index on every kind of table and column that an index can be on, and the commands that make one.
use strict;
use warnings;
use PostgreSQL::Test::Utils;
use Test::More;
use VectorData qw(define_checks);
use VectorizerNode qw(new_node);

my $node = new_node('main', conf => 'autovacuum = off');
define_checks($node);
my $prefer = 'SET enable_seqscan = off; SET enable_sort = off; SET vectorizer.iterative_scan = relaxed_order; ';

$node->safe_psql('postgres', <<'SQL');
CREATE TABLE source AS SELECT id, id % 7 AS kind,
	(SELECT array_agg(round((hashint4extended(id, i) % 1000000)::numeric / 1000000, 4))::vector FROM generate_series(1, 8) AS i) AS v
FROM generate_series(1, 20000) AS id;
CREATE TABLE query AS SELECT v FROM source WHERE id = 77;
SQL

# tests(name, from, order, index): a search from the table expression `from` in the order of the expression `order`
sub tests
{
	my ($name, $from, $order, $index, $setup) = @_;
	my $statement = "SELECT id, $order FROM $from ORDER BY $order";
	my $quoted = $statement =~ s/'/''/gr;
	my ($uses, $differs, $sound) = split /\n/, $node->safe_psql('postgres',
		($setup // '') . $prefer . <<"SQL");
SELECT checks.uses('$quoted', (SELECT v FROM query), '$index');
SELECT checks.differs('$quoted', (SELECT v FROM query), 'SELECT id FROM $from');
SELECT nodes > 0 FROM vectorizer.index_check('$index');
SQL
	is($uses, 't', "$name: the index is used");
	is($differs, '', "$name: every row once");
	is($sound, 't', "$name: the index is sound");
	return;
}

# One passes in a thousand, of twenty thousand: twenty.
$node->safe_psql('postgres', 'CREATE TABLE t AS SELECT id, v FROM source; ALTER TABLE t ALTER v TYPE vector(8); CREATE INDEX t_v ON t USING hnsw (v vector_l2_ops); ANALYZE t');
my $filtered = 'SELECT id, v <-> $1 FROM t WHERE id % 1000 = 5 ORDER BY v <-> $1 LIMIT 10';
is( $node->safe_psql('postgres', <<"SQL"), "t\n10|0\n10|0\n10|0",
SET enable_seqscan = off;
SELECT checks.uses('$filtered', (SELECT v FROM query), 't_v');
SELECT count(DISTINCT id), checks.descents('$filtered', (SELECT v FROM source WHERE id = 1)) FROM checks.rows('$filtered', (SELECT v FROM source WHERE id = 1));
SELECT count(DISTINCT id), checks.descents('$filtered', (SELECT v FROM source WHERE id = 2)) FROM checks.rows('$filtered', (SELECT v FROM source WHERE id = 2));
SELECT count(DISTINCT id), checks.descents('$filtered', (SELECT v FROM source WHERE id = 3)) FROM checks.rows('$filtered', (SELECT v FROM source WHERE id = 3));
SQL
	'strict_order, 1 row in 1,000 passes: ten rows in order');

$node->safe_psql('postgres', 'DELETE FROM t WHERE id > 3000; VACUUM t; REINDEX INDEX t_v');
tests('REINDEX', 't', 'v <-> $1', 't_v');
$node->safe_psql('postgres', 'REINDEX INDEX CONCURRENTLY t_v');
tests('REINDEX CONCURRENTLY', 't', 'v <-> $1', 't_v');
$node->safe_psql('postgres', 'DROP INDEX t_v');
$node->safe_psql('postgres', 'CREATE INDEX CONCURRENTLY t_v ON t USING hnsw (v vector_l2_ops)');
tests('CREATE INDEX CONCURRENTLY', 't', 'v <-> $1', 't_v');
$node->safe_psql('postgres', 'CREATE UNLOGGED TABLE u AS SELECT * FROM t; ALTER TABLE u ALTER v TYPE vector(8); CREATE INDEX u_v ON u USING hnsw (v vector_l2_ops); INSERT INTO u SELECT id + 5000, v FROM source WHERE id <= 100');
tests('unlogged table', 'u', 'v <-> $1', 'u_v');
$node->safe_psql('postgres', 'VACUUM FULL t');
tests('VACUUM FULL', 't', 'v <-> $1', 't_v');
$node->safe_psql('postgres', <<'SQL');
DROP INDEX t_v;
INSERT INTO t SELECT 50000 + id, (SELECT v FROM query) FROM generate_series(1, 3000) AS id;
SET maintenance_work_mem = '1MB';
CREATE INDEX t_v ON t USING hnsw (v vector_l2_ops) WITH (quantization = none);
SQL
tests('a build beyond maintenance_work_mem', 't', 'v <-> $1', 't_v');
is($node->safe_psql('postgres', $prefer . "SELECT checks.differs('SELECT id, 0.0::float8 FROM t ORDER BY v <-> \$1', NULL, 'SELECT id FROM t')"),
	'', 'a query that is NULL: every row once');
$node->safe_psql('postgres', 'DROP TABLE t');

$node->stop('immediate');
$node->start;
is($node->safe_psql('postgres', "SELECT count(*), (SELECT nodes FROM vectorizer.index_check('u_v')) FROM u"),
	'0|0', 'unlogged table: empty after a crash');
$node->safe_psql('postgres', 'INSERT INTO u SELECT id, v FROM source WHERE id <= 500');
tests('unlogged table after a crash', 'u', 'v <-> $1', 'u_v');

tests('temporary table', 'pg_temp.t', 'v <-> $1', 't_v', <<'SQL');
CREATE TEMPORARY TABLE t (id integer, v vector(8));
CREATE INDEX t_v ON t USING hnsw (v vector_l2_ops);
INSERT INTO t SELECT id, v FROM source WHERE id <= 1000;
DELETE FROM t WHERE id % 3 = 0;
VACUUM t;
SQL

$node->safe_psql('postgres', 'CREATE TABLE p (id integer, kind integer, v vector(8)); CREATE INDEX p_v ON p USING hnsw (v vector_l2_ops) WHERE kind = 3; INSERT INTO p SELECT * FROM source WHERE id <= 5000; UPDATE p SET kind = 3 WHERE kind = 4 AND id % 2 = 0; ANALYZE p');
tests('partial index', 'p WHERE kind = 3', 'v <-> $1', 'p_v');

$node->safe_psql('postgres', 'CREATE TABLE e AS SELECT id, v FROM source WHERE id <= 1500; CREATE INDEX e_cast ON e USING hnsw ((v::vector(8)) vector_l2_ops); CREATE INDEX e_part ON e USING hnsw ((subvector(v, 1, 4)::vector(4)) vector_cosine_ops); INSERT INTO e SELECT id, v FROM source WHERE id BETWEEN 1501 AND 2000; ANALYZE e');
tests('index on a cast', 'e', 'v::vector(8) <-> $1', 'e_cast');
tests('index on a part', 'e', 'subvector(v, 1, 4)::vector(4) <=> subvector($1, 1, 4)', 'e_part');

$node->safe_psql('postgres', 'CREATE TABLE r (id integer, kind integer, v vector(8)) PARTITION BY LIST (kind); '
	. join('', map { "CREATE TABLE r$_ PARTITION OF r FOR VALUES IN ($_);" } 0 .. 6)
	. 'CREATE INDEX r_v ON r USING hnsw (v vector_l2_ops); INSERT INTO r SELECT * FROM source WHERE id <= 7000; ANALYZE r');
my $parts = $node->safe_psql('postgres', $prefer . "EXPLAIN (COSTS OFF) SELECT id FROM r ORDER BY v <-> (SELECT v FROM query) LIMIT 10");
is(() = $parts =~ /Index Scan using r\d_v_idx/g, 7, 'partitioned table: the indexes are used');
like($parts, qr/Merge Append/, 'partitioned table: their orders are merged');
is($node->safe_psql('postgres', $prefer . "SELECT checks.differs('SELECT id, v <-> \$1 FROM r ORDER BY v <-> \$1', v, 'SELECT id FROM r') FROM query"),
	'', 'partitioned table: every row once');

done_testing();
