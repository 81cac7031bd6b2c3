-- A distance that rows are ordered by and nobody reads is not computed; one that somebody reads is.
BEGIN;
SELECT plan(17);

CREATE TABLE point (id integer, kind integer, v vector(3));
INSERT INTO point SELECT n, n % 7, ARRAY[n, 0, 0]::vector FROM generate_series(1, 500) AS n;
CREATE INDEX point_hnsw ON point USING hnsw (v vector_l2_ops);
ANALYZE point;
SET LOCAL enable_seqscan = off;
SET LOCAL enable_sort = off;

CREATE FUNCTION pg_temp.explained(query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	line text;
	lines text[];
BEGIN
	FOR line IN EXECUTE 'EXPLAIN (VERBOSE, COSTS OFF) ' || query LOOP
		lines := lines || line;
	END LOOP;
	RETURN array_to_string(lines, E'\n');
END $$;
-- The columns of the index scan
CREATE FUNCTION pg_temp.columns(query text) RETURNS text LANGUAGE sql AS $$
	SELECT substring(pg_temp.explained(query) FROM 'Index Scan using [^\n]*\n *Output: ([^\n]*)') $$;

CREATE FUNCTION pg_temp.forgets(query text, description text) RETURNS SETOF text LANGUAGE sql AS $$
	SELECT matches(pg_temp.columns(query), 'NULL::double precision', description) $$;
CREATE FUNCTION pg_temp.computes(query text, description text) RETURNS SETOF text LANGUAGE sql AS $$
	SELECT matches(pg_temp.columns(query), '<->', description) $$;

SELECT pg_temp.forgets('SELECT id FROM point ORDER BY v <-> ''[0,0,0]'' LIMIT 3', 'under a LIMIT');
SELECT pg_temp.forgets('SELECT id FROM point ORDER BY v <-> ''[0,0,0]''', 'without one');
SELECT pg_temp.forgets('SELECT id FROM point ORDER BY v <-> ''[0,0,0]'' LIMIT 3 FOR UPDATE', 'where rows are locked');
SELECT pg_temp.forgets('SELECT count(*) FROM (SELECT id FROM point ORDER BY v <-> ''[0,0,0]'' LIMIT 3) AS p', 'in a subquery');
SELECT pg_temp.forgets('WITH p AS MATERIALIZED (SELECT id FROM point ORDER BY v <-> ''[0,0,0]'' LIMIT 3) SELECT * FROM p', 'in a WITH');
SELECT pg_temp.forgets('SELECT ARRAY(SELECT id FROM point ORDER BY v <-> ''[0,0,0]'' LIMIT 3)', 'in an expression');
SELECT pg_temp.forgets('SELECT q.id, p.id FROM point AS q,
	LATERAL (SELECT id FROM point ORDER BY v <-> q.v LIMIT 3) AS p WHERE q.kind = 1', 'for every row of another table');
SELECT pg_temp.forgets('(SELECT id FROM point ORDER BY v <-> ''[0,0,0]'' LIMIT 3) UNION ALL (SELECT 0)', 'in a branch of a UNION ALL');
PREPARE nearest(vector) AS SELECT id FROM point ORDER BY v <-> $1 LIMIT 3;
SET LOCAL plan_cache_mode = force_generic_plan;
SELECT pg_temp.forgets('EXECUTE nearest(''[0,0,0]'')', 'in a prepared statement');
RESET plan_cache_mode;

SELECT pg_temp.computes('SELECT id, v <-> ''[0,0,0]'' AS d FROM point ORDER BY d LIMIT 3', 'a distance that is selected is computed');
SELECT pg_temp.computes('SELECT id FROM point ORDER BY v <-> ''[0,0,0]'' FETCH FIRST 3 ROWS WITH TIES', 'so is one that ties are told by');

SELECT results_eq('SELECT id FROM point ORDER BY v <-> ''[0,0,0]'' LIMIT 3', 'VALUES (1), (2), (3)', 'rows come in order');
SELECT set_eq('SELECT id FROM point ORDER BY v <-> ''[100.5,0,0]'' FETCH FIRST 1 ROW WITH TIES', ARRAY[100, 101], 'ties, too');
SELECT results_eq('SELECT id, v <-> ''[0,0,0]'' FROM point ORDER BY v <-> ''[0,0,0]'' LIMIT 2', 'VALUES (1, 1::float8), (2, 2)',
	'with their distances');

-- A distance that something above the scan compares
CREATE TABLE part (id integer, v vector(3)) PARTITION BY RANGE (id);
CREATE TABLE part_low PARTITION OF part FOR VALUES FROM (0) TO (100);
CREATE TABLE part_high PARTITION OF part FOR VALUES FROM (100) TO (200);
INSERT INTO part SELECT n, ARRAY[(n * 37) % 200, 0, 0]::vector FROM generate_series(1, 199) AS n;
CREATE INDEX ON part USING hnsw (v vector_l2_ops);
ANALYZE part;
SELECT pg_temp.computes('SELECT id FROM part ORDER BY v <-> ''[0,0,0]'' LIMIT 3', 'partitions are merged by it');
SELECT results_eq('SELECT v FROM part ORDER BY v <-> ''[0,0,0]'' LIMIT 3', 'VALUES (''[1,0,0]''::vector), (''[2,0,0]''), (''[3,0,0]'')',
	'in order');

SELECT lives_ok('SELECT vectorizer.index_check(''point_hnsw'')', 'index_check finds nothing');
SELECT * FROM finish();
ROLLBACK;
