# The vectors of test/data in tables of a node, and what tests ask of an index over them.
#
#   use VectorData qw(load_vectors define_checks);
#   load_vectors($node, 'items', 'sentences300/base');    # a new table items (id integer, v vector)
#   define_checks($node);                                 # schema checks: functions below
package VectorData;

use strict;
use warnings;
use Exporter 'import';
use FindBin;

our @EXPORT_OK = qw(load_vectors define_checks);

my $data = "$FindBin::RealBin/../data";

# load_vectors(node, table, set/file, type): in database postgres. The type of v is vector, integer[] for ivecs.
sub load_vectors
{
	my ($node, $table, $name, $type) = @_;
	my ($file) = glob "$data/$name.?vecs.xz";
	my ($format) = $file =~ /\.(.vecs)\.xz$/;
	$type //= $format eq 'ivecs' ? 'integer[]' : 'vector';
	$node->safe_psql('postgres', "CREATE TABLE $table (id integer, v $type)");
	my $command = sprintf q(xz -dc '%s' | perl '%s/vecs.pl' %s | psql -X -q -v ON_ERROR_STOP=1 -d '%s' -c '%s'),
	  $file, $data, $format, $node->connstr('postgres') =~ s/'/'\\''/gr, "COPY $table FROM STDIN (FORMAT binary)";
	system($command) == 0 or die "$table could not be loaded from $file\n";
	return;
}

# Functions in schema checks. A statement is text that names the query vector $1 and gives (id, distance) in order.
sub define_checks
{
	my ($node) = @_;
	$node->safe_psql('postgres', <<'SQL');
CREATE SCHEMA checks;

-- rows of the statement, numbered as they come
CREATE FUNCTION checks.rows(statement text, query vector) RETURNS TABLE (n bigint, id integer, distance float8)
LANGUAGE plpgsql AS $$
BEGIN
	RETURN QUERY EXECUTE format('SELECT row_number() OVER (), found.* FROM (%s) AS found', statement) USING query;
END $$;

-- whether the plan is a scan of that index, with no sort above it
CREATE FUNCTION checks.uses(statement text, query vector, index text) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
	line text;
	found boolean := false;
	sorted boolean := false;
BEGIN
	FOR line IN EXECUTE 'EXPLAIN (COSTS OFF) ' || statement USING query LOOP
		found := found OR line ~ ('Index Scan using ' || index || ' on ');
		sorted := sorted OR line ~ '\mSort\M';
	END LOOP;
	RETURN found AND NOT sorted;
END $$;

-- pairs of neighbouring rows whose distances descend
CREATE FUNCTION checks.descents(statement text, query vector) RETURNS bigint LANGUAGE sql AS $$
	SELECT count(*) FROM (
		SELECT distance < lag(distance) OVER (ORDER BY n) AS descends FROM checks.rows(statement, query)
	) AS pair WHERE descends;
$$;

-- what is wrong with the rows of `statement`, of which `expected` gives the ids; empty: each came exactly once
CREATE FUNCTION checks.differs(statement text, query vector, expected text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	result text;
BEGIN
	EXECUTE format($query$
		WITH found AS MATERIALIZED (SELECT id FROM checks.rows(%L, $1)),
			expected AS MATERIALIZED (%s)
		SELECT concat_ws(', ',
			(SELECT count(*) || ' twice' FROM (SELECT id FROM found GROUP BY id HAVING count(*) > 1) AS twice HAVING count(*) > 0),
			(SELECT count(*) || ' missing' FROM (SELECT id FROM expected EXCEPT SELECT id FROM found) AS missing HAVING count(*) > 0),
			(SELECT count(*) || ' too many' FROM (SELECT id FROM found EXCEPT SELECT id FROM expected) AS more HAVING count(*) > 0))
	$query$, statement, expected) INTO result USING query;
	RETURN result;
END $$;
SQL
	return;
}

1;
