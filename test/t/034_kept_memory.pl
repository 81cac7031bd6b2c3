# The working memory that a backend keeps between scans (src/pg/kept_memory.hpp): it does not grow, errors and open cursors
# do not lose it, and an idle backend gives it back.
use strict;
use warnings;
use PostgreSQL::Test::Utils;
use Test::More;
use VectorizerNode qw(new_node);

plan skip_all => 'needs /proc' if !-r '/proc/self/status';

my $node = new_node('main', conf => "autovacuum = off\nshared_buffers = '128MB'\njit = off");
$node->safe_psql('postgres', q{
	CREATE TABLE items (id serial, v vector(32));
	INSERT INTO items (v) SELECT array_agg(random())::real[]::vector FROM generate_series(1, 8000) i, generate_series(1, 32) j GROUP BY i;
	CREATE INDEX items_v ON items USING hnsw (v vector_l2_ops);
	CREATE TABLE parts (part integer, v vector(32)) PARTITION BY LIST (part);
	SELECT format('CREATE TABLE part%s PARTITION OF parts FOR VALUES IN (%s)', i, i) FROM generate_series(0, 19) i \gexec
	INSERT INTO parts SELECT id % 20, v FROM items;
	CREATE INDEX ON parts USING hnsw (v vector_l2_ops);
	ANALYZE;
	-- kB of this backend that no file is behind
	CREATE FUNCTION anonymous() RETURNS integer LANGUAGE sql AS
		$$ SELECT substring(pg_read_file('/proc/' || pg_backend_pid() || '/status') FROM 'RssAnon:\s*(\d+) kB')::integer $$;
	CREATE FUNCTION search(n integer, fails boolean DEFAULT false) RETURNS void LANGUAGE plpgsql AS $$
	DECLARE
		q vector;
	BEGIN
		FOR i IN 1 .. n LOOP
			q := (SELECT v FROM items WHERE id = 1 + i % 8000);
			BEGIN
				PERFORM 1 / CASE WHEN fails AND place = 5 THEN 0 ELSE 1 END
				FROM (SELECT row_number() OVER () AS place FROM (SELECT id FROM items ORDER BY v <-> q LIMIT 10) AS found) AS numbered;
			EXCEPTION WHEN division_by_zero THEN
				NULL;
			END;
		END LOOP;
	END $$;
	-- so many scans of one statement after another that is not at its end yet
	CREATE FUNCTION nest(depth integer) RETURNS integer LANGUAGE plpgsql AS $$
	DECLARE
		found integer;
	BEGIN
		IF depth = 0 THEN
			RETURN 0;
		END IF;
		FOR found IN SELECT id FROM items ORDER BY v <-> (SELECT v FROM items WHERE id = depth) LIMIT 3 LOOP
			RETURN nest(depth - 1) + 1;
		END LOOP;
	END $$;
});

# lines(statements): what they print, in one session
sub lines
{
	my ($statements, %options) = @_;
	return split /\n/, $node->safe_psql('postgres',
		"SET enable_seqscan = off; SET enable_sort = off; SET vectorizer.ef_search = 1000; $statements", %options);
}

my ($before, $after) = grep { /^\d/ } lines('SELECT search(300); SELECT anonymous(); SELECT search(1000); SELECT anonymous();');
cmp_ok($after - $before, '<', 512, "a thousand searches after three hundred take no more memory: $before, $after kB");

($before, $after) = grep { /^\d/ } lines('SELECT search(100); SELECT anonymous(); SELECT search(60, true); SELECT search(60); SELECT anonymous();');
cmp_ok($after - $before, '<', 1024, "searches that end by an error give theirs back: $before, $after kB");

# Twelve scans at once are more than there are blocks.
my $level;
($level, $before, $after) = grep { /^\d/ } lines('SELECT max(nest(12)) FROM generate_series(1, 5); SELECT anonymous(); SELECT sum(nest(12)) > 0 FROM generate_series(1, 20); SELECT anonymous();');
is($level, 12, 'twelve scans that are open at once');
cmp_ok($after - $before, '<', 512, "... and again twenty times: $before, $after kB");
cmp_ok($after, '<', 40 * 1024, 'what they leave is bounded');

($before, $after) = grep { /^\d+$/ } lines(q{SELECT anonymous();
	SELECT count(*) > 5 FROM items q, LATERAL (SELECT p.v FROM parts p ORDER BY p.v <-> q.v LIMIT 10) AS f WHERE q.id <= 20; SELECT anonymous();});
cmp_ok($after - $before, '<=', 16 * 1024, "twenty indexes, searched together twenty times, leave at most 16 MB: $before, $after kB");

# Two looks of the timeout: the first finds that memory has been used.
my $idle;
($before, $idle, $after) = grep { /^\d/ } lines('SELECT search(50); SELECT anonymous(); SELECT pg_sleep(12); SELECT anonymous(); SELECT search(50); SELECT anonymous();');
cmp_ok($before - $idle, '>', 400, "an idle backend gives its pages back: $before, $idle kB");
cmp_ok($after - $idle, '>', 400, "... and takes them again: $after kB");

is($node->safe_psql('postgres', "SELECT unreachable FROM vectorizer.index_check('items_v')"), 0, 'the index is sound');
$node->stop;
done_testing();
