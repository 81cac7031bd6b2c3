-- avg(vector) and sum(vector).
SELECT avg(v), sum(v) FROM unnest(ARRAY['[1,2,3]', '[3,5,7]']::vector[]) AS v;
SELECT avg(v), sum(v) FROM unnest(ARRAY['[1,2,3]', NULL, '[3,5,7]', NULL]::vector[]) AS v;
SELECT avg(v) IS NULL AS avg, sum(v) IS NULL AS sum FROM unnest(ARRAY[]::vector[]) AS v;
SELECT avg(v) IS NULL AS avg, sum(v) IS NULL AS sum FROM unnest(ARRAY[NULL, NULL]::vector[]) AS v;
SELECT avg(v), sum(v) FROM unnest(ARRAY['[1.5]']::vector[]) AS v;
SELECT avg(v) AS more_than_a_float FROM unnest(ARRAY['[3e38]', '[3e38]']::vector[]) AS v;
SELECT i, avg(v) OVER w, sum(v) OVER w
FROM (VALUES (1, '[1]'::vector), (2, '[2]'), (3, '[6]'), (4, NULL)) AS s (i, v)
WINDOW w AS (ORDER BY i ROWS BETWEEN 1 PRECEDING AND CURRENT ROW);
SELECT i, avg(v) OVER (ORDER BY i) FROM (VALUES (1, '[1]'::vector), (2, '[2]'), (3, '[6]')) AS s (i, v);

CREATE TABLE vector_aggregate (id int, grp int, v vector(2));
INSERT INTO vector_aggregate SELECT i, i % 3, ARRAY[i % 10, -i % 10]::vector FROM generate_series(0, 5999) AS i;
INSERT INTO vector_aggregate VALUES (6000, 3, NULL);
SELECT grp, count(*), avg(v), sum(v) FROM vector_aggregate GROUP BY grp ORDER BY grp;

-- Parallel workers give the same
SELECT avg(v), sum(v) FROM vector_aggregate;
ALTER TABLE vector_aggregate SET (parallel_workers = 2);
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
SET max_parallel_workers_per_gather = 2;
EXPLAIN (COSTS OFF) SELECT avg(v), sum(v) FROM vector_aggregate;
SELECT avg(v), sum(v) FROM vector_aggregate;
SELECT avg(v), sum(v) FROM vector_aggregate WHERE id = 5;
SELECT avg(v), sum(v) FROM vector_aggregate WHERE id < 0;
DROP TABLE vector_aggregate;

-- The functions behind them, which change no array of a caller
SELECT vector_accum('{0}', '[1,2]'), vector_accum('{2,3,4}', '[1,2]'), vector_avg('{2,3,4}'), vector_avg('{0}') IS NULL AS none;
SELECT vector_combine('{0}', '{2,3,4}'), vector_combine('{2,3,4}', '{0}'), vector_combine('{2,3,4}', '{1,1,1}'), vector_combine('{0}', '{0}');
SELECT s, vector_accum(s, '[1]'), s FROM (SELECT '{1,1}'::float8[] AS s OFFSET 0) AS t;

CREATE FUNCTION pg_temp.attempt(query text, OUT state text, OUT message text) AS $$
BEGIN
	EXECUTE query;
	message := 'no error';
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, message = MESSAGE_TEXT;
END
$$ LANGUAGE plpgsql;

SELECT query, a.*
FROM unnest(ARRAY[
	$$SELECT avg(v) FROM unnest(ARRAY['[1,2]', '[3]']::vector[]) AS v$$,
	$$SELECT sum(v) FROM unnest(ARRAY['[1,2]', '[3]']::vector[]) AS v$$,
	$$SELECT sum(v) FROM unnest(ARRAY['[3e38]', '[3e38]']::vector[]) AS v$$,
	$$SELECT vector_accum('{}', '[1]')$$,
	$$SELECT vector_accum('{{1,2}}', '[1]')$$,
	$$SELECT vector_accum('{1,NULL}', '[1]')$$,
	$$SELECT vector_accum('{1,1.7976931348623157e308}', '[3e38]')$$,
	$$SELECT vector_accum('{1,Infinity}', '[3e38]')$$,
	$$SELECT vector_combine('{1,2}', '{1,2,3}')$$,
	$$SELECT vector_combine('{1,1e308}', '{1,1e308}')$$,
	$$SELECT vector_combine('{1,1e308}', '{}')$$,
	$$SELECT vector_avg('{}')$$,
	$$SELECT vector_avg('{1}')$$,
	$$SELECT vector_avg('{NaN,1}')$$,
	$$SELECT vector_avg('{1,1e300}')$$,
	$$SELECT vector_avg(array_agg(i)) FROM generate_series(1, 16002) AS i$$
]) WITH ORDINALITY AS q (query, n), LATERAL pg_temp.attempt(query) AS a
ORDER BY n;
