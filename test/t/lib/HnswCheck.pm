# What the tests of the hnsw access method share: seeded vectors in SQL, and the two things that must hold of an index
# whatever was done to it.
#
#   use HnswCheck qw(vectors_sql index_is_sound scan_is_the_heap);
package HnswCheck;

use strict;
use warnings;
use Exporter 'import';
use Test::More;

our @EXPORT_OK = qw(vectors_sql index_is_sound scan_is_the_heap);

# vectors_sql(dimensions, pool): creates the function test_vector(n), a vector made from n alone. Numbers that are equal
# modulo `pool` have the same vector (0: none are); they lie in clusters of about 50.
sub vectors_sql
{
	my ($dimensions, $pool) = @_;
	my $seed = $pool ? "(n % $pool)" : 'n';
	return qq{
CREATE FUNCTION test_vector(n int) RETURNS vector LANGUAGE sql IMMUTABLE PARALLEL SAFE AS \$\$
	SELECT (SELECT array_agg(
			(hashint8($seed % 997 / 50 * 1000 + i) % 1000)::real / 100 + (hashint8(1000000 + ${seed}::int8 * 1000 + i) % 1000)::real / 1000
			ORDER BY i)
		FROM generate_series(1, $dimensions) AS i)::vector
\$\$;
};
}

# index_is_sound(node, index, name): vectorizer.index_check() finds no fault. Returns the count of unreachable nodes.
sub index_is_sound
{
	my ($node, $index, $name) = @_;
	my ($status, $out, $err) =
	  $node->psql('postgres', "SELECT nodes, heap_rows, unreachable FROM vectorizer.index_check('$index')");
	ok($status == 0, "$name: index_check finds no fault") or diag($err);
	my ($nodes, $rows, $unreachable) = split /\|/, $out // '';
	return $unreachable // 0;
}

# scan_is_the_heap(node, table, name): ORDER BY through the index, without LIMIT, in relaxed order, gives every row of the
# table that has a vector, and each once. The table has columns id and v; the operator is <->.
sub scan_is_the_heap
{
	my ($node, $table, $name) = @_;
	my ($status, $out, $err) = $node->psql(
		'postgres', qq{
SET enable_seqscan = off;
SET enable_sort = off;
SET vectorizer.iterative_scan = relaxed_order;
SET statement_timeout = '120s';
BEGIN ISOLATION LEVEL REPEATABLE READ;
CREATE TEMP TABLE scanned AS SELECT id FROM $table ORDER BY v <-> (SELECT test_vector(1));
SET LOCAL enable_indexscan = off;
SET LOCAL enable_seqscan = on;
SELECT (SELECT count(*) FROM scanned), (SELECT count(DISTINCT id) FROM scanned),
	(SELECT count(*) FROM $table WHERE v IS NOT NULL),
	(SELECT count(*) FROM (SELECT id FROM $table WHERE v IS NOT NULL EXCEPT SELECT id FROM scanned) AS s);
COMMIT;});
	my ($scanned, $distinct, $rows, $missing) = split /\|/, $out // '';
	ok( $status == 0 && $scanned == $rows && $distinct == $rows && $missing == 0,
		"$name: the scan gives exactly the heap's rows")
	  or diag("scanned $out (rows, distinct, in the heap, missing) $err");
	return;
}

1;
