-- Ordered scans: the four operators, what the planner makes of them, and how executors use them.
CREATE TABLE hnsw_search (id int PRIMARY KEY, grp int, v vector(3));
INSERT INTO hnsw_search
SELECT i, i % 3, ARRAY[(i * 37) % 31 + i * 0.013, (i * i) % 17 + i * 0.037, 30 - (i * 11) % 29 - i * 0.029]::vector FROM generate_series(1, 30) AS i;
INSERT INTO hnsw_search VALUES (100, 0, NULL), (101, 1, NULL);
CREATE INDEX hnsw_search_l2 ON hnsw_search USING hnsw (v vector_l2_ops);
CREATE INDEX hnsw_search_ip ON hnsw_search USING hnsw (v vector_ip_ops);
CREATE INDEX hnsw_search_cosine ON hnsw_search USING hnsw (v vector_cosine_ops);
CREATE INDEX hnsw_search_l1 ON hnsw_search USING hnsw (v vector_l1_ops);
ANALYZE hnsw_search;
SET enable_seqscan = off;

EXPLAIN (COSTS OFF) SELECT id FROM hnsw_search ORDER BY v <-> '[3,3,3]' LIMIT 3;
EXPLAIN (COSTS OFF) SELECT id FROM hnsw_search ORDER BY v <#> '[3,3,3]' LIMIT 3;
EXPLAIN (COSTS OFF) SELECT id FROM hnsw_search ORDER BY v <=> '[3,3,3]' LIMIT 3;
EXPLAIN (COSTS OFF) SELECT id FROM hnsw_search ORDER BY v <+> '[3,3,3]' LIMIT 3;
SELECT id, round((v <-> '[3,3,3]')::numeric, 4) AS distance FROM hnsw_search ORDER BY v <-> '[3,3,3]' LIMIT 3;
SELECT id, round((v <#> '[3,3,3]')::numeric, 4) AS distance FROM hnsw_search ORDER BY v <#> '[3,3,3]' LIMIT 3;
SELECT id, round((v <=> '[3,3,3]')::numeric, 6) AS distance FROM hnsw_search ORDER BY v <=> '[3,3,3]' LIMIT 3;
SELECT id, round((v <+> '[3,3,3]')::numeric, 4) AS distance FROM hnsw_search ORDER BY v <+> '[3,3,3]' LIMIT 3;

-- Every row through the index equals every row through a sort; rows without a vector are not in the index
SELECT operator, string_agg(id::text, ',' ORDER BY n) AS by_index FROM (
	SELECT 'l2' AS operator, id, row_number() OVER () AS n FROM (SELECT id FROM hnsw_search ORDER BY v <-> '[9,1,4.5]') AS s
	UNION ALL SELECT 'ip', id, row_number() OVER () FROM (SELECT id FROM hnsw_search ORDER BY v <#> '[9,1,4.5]') AS s
	UNION ALL SELECT 'cosine', id, row_number() OVER () FROM (SELECT id FROM hnsw_search ORDER BY v <=> '[9,1,4.5]') AS s
	UNION ALL SELECT 'l1', id, row_number() OVER () FROM (SELECT id FROM hnsw_search ORDER BY v <+> '[9,1,4.5]') AS s
) AS every GROUP BY operator ORDER BY operator;
SET enable_indexscan = off;
SET enable_seqscan = on;
SELECT operator, string_agg(id::text, ',' ORDER BY n) AS by_sort FROM (
	SELECT 'l2' AS operator, id, row_number() OVER () AS n FROM (SELECT id FROM hnsw_search WHERE v IS NOT NULL ORDER BY v <-> '[9,1,4.5]') AS s
	UNION ALL SELECT 'ip', id, row_number() OVER () FROM (SELECT id FROM hnsw_search WHERE v IS NOT NULL ORDER BY v <#> '[9,1,4.5]') AS s
	UNION ALL SELECT 'cosine', id, row_number() OVER () FROM (SELECT id FROM hnsw_search WHERE v IS NOT NULL ORDER BY v <=> '[9,1,4.5]') AS s
	UNION ALL SELECT 'l1', id, row_number() OVER () FROM (SELECT id FROM hnsw_search WHERE v IS NOT NULL ORDER BY v <+> '[9,1,4.5]') AS s
) AS every GROUP BY operator ORDER BY operator;
SET enable_indexscan = on;
SET enable_seqscan = off;

-- What the index is not for. (18 shows which nodes are disabled.)
CREATE FUNCTION hnsw_plan(query text) RETURNS SETOF text LANGUAGE plpgsql AS $plan$
DECLARE line text;
BEGIN
	FOR line IN EXECUTE 'EXPLAIN (COSTS OFF) ' || query LOOP
		CONTINUE WHEN line ~ 'Disabled:';
		RETURN NEXT line;
	END LOOP;
END $plan$;
SELECT hnsw_plan($$SELECT id FROM hnsw_search ORDER BY v <-> '[3,3,3]' DESC LIMIT 3$$);
SELECT hnsw_plan($$SELECT count(*) FROM hnsw_search WHERE v = '[3,3,3]'$$);
SELECT hnsw_plan($$SELECT id FROM hnsw_search WHERE v IS NULL$$);
SELECT hnsw_plan($$SELECT id FROM hnsw_search WHERE v <-> '[3,3,3]' < 5$$);
DROP FUNCTION hnsw_plan;
SELECT count(*) FROM hnsw_search;
SELECT id FROM hnsw_search WHERE v <-> '[3,3,3]' < 9 ORDER BY v <-> '[3,3,3]';

-- Filters
SELECT id FROM hnsw_search WHERE grp = 1 ORDER BY v <-> '[9,1,4.5]' LIMIT 4;
SELECT id FROM hnsw_search WHERE id = 17 ORDER BY v <-> '[9,1,4.5]' LIMIT 4;

-- A second key sorts within equal distances
SELECT id FROM hnsw_search ORDER BY v <-> '[3,3,3]', id LIMIT 3;

-- The query: its dimensions, NULL
SELECT id FROM hnsw_search ORDER BY v <-> '[1,2]' LIMIT 1;
SELECT id FROM hnsw_search ORDER BY v <-> '[1,2,3,4]' LIMIT 1;
SELECT id FROM hnsw_search ORDER BY v <-> (SELECT v FROM hnsw_search WHERE id = 100) LIMIT 0;
SELECT count(*) FROM (SELECT id FROM hnsw_search ORDER BY v <-> (SELECT v FROM hnsw_search WHERE id = 100)) AS s;
INSERT INTO hnsw_search VALUES (200, 0, '[1,2]');

-- Prepared statements: custom and generic plans
PREPARE nearest (vector) AS SELECT id FROM hnsw_search ORDER BY v <-> $1 LIMIT 3;
SET plan_cache_mode = force_custom_plan;
EXECUTE nearest ('[3,3,3]');
SET plan_cache_mode = force_generic_plan;
EXPLAIN (COSTS OFF) EXECUTE nearest ('[3,3,3]');
EXECUTE nearest ('[3,3,3]');
EXECUTE nearest ('[20,1,1]');
SELECT count(*) FROM (SELECT 1) AS s WHERE EXISTS (SELECT FROM hnsw_search);
EXECUTE nearest ('[1,2]');
PREPARE every (vector) AS SELECT count(*) FROM (SELECT id FROM hnsw_search ORDER BY v <-> $1) AS s;
EXECUTE every (NULL);
RESET plan_cache_mode;
DEALLOCATE ALL;

-- Cursors: forward in pieces, back only where the executor keeps the rows, after the rows have gone
BEGIN;
DECLARE c CURSOR FOR SELECT id FROM hnsw_search ORDER BY v <-> '[3,3,3]';
FETCH 2 FROM c;
FETCH 2 FROM c;
SAVEPOINT s;
FETCH PRIOR FROM c;
ROLLBACK TO s;
CLOSE c;
DECLARE c SCROLL CURSOR FOR SELECT id FROM hnsw_search ORDER BY v <-> '[3,3,3]';
FETCH 3 FROM c;
FETCH PRIOR FROM c;
FETCH LAST FROM c;
FETCH FIRST FROM c;
CLOSE c;
DECLARE c CURSOR FOR SELECT id FROM hnsw_search ORDER BY v <-> '[3,3,3]';
FETCH 1 FROM c;
DELETE FROM hnsw_search WHERE id < 30;
INSERT INTO hnsw_search SELECT i, 0, '[3,3,3]' FROM generate_series(300, 310) AS i;
FETCH ALL FROM c;
CLOSE c;
ROLLBACK;

-- Rescans
EXPLAIN (COSTS OFF) SELECT q.id, n.id FROM hnsw_search AS q, LATERAL (
	SELECT id FROM hnsw_search AS h WHERE h.id <> q.id ORDER BY h.v <-> q.v LIMIT 2) AS n WHERE q.id <= 4;
SELECT q.id, array_agg(n.id ORDER BY n.distance) FROM hnsw_search AS q, LATERAL (
	SELECT id, h.v <-> q.v AS distance FROM hnsw_search AS h WHERE h.id <> q.id ORDER BY h.v <-> q.v LIMIT 2) AS n
WHERE q.id <= 4 GROUP BY q.id ORDER BY q.id;
SELECT q.id, (SELECT id FROM hnsw_search AS h WHERE h.id <> q.id ORDER BY h.v <=> q.v LIMIT 1) FROM hnsw_search AS q WHERE q.id <= 4 ORDER BY q.id;

-- No scan without order
SET enable_sort = off;
SET enable_bitmapscan = off;
CREATE INDEX hnsw_search_partial ON hnsw_search USING hnsw (v vector_l2_ops) WHERE grp = 2;
DROP INDEX hnsw_search_l2;
SELECT count(*) FROM hnsw_search WHERE grp = 2;
EXPLAIN (COSTS OFF) SELECT id FROM hnsw_search WHERE grp = 2 ORDER BY v <-> '[3,3,3]' LIMIT 3;
SELECT id FROM hnsw_search WHERE grp = 2 ORDER BY v <-> '[3,3,3]' LIMIT 3;
DROP TABLE hnsw_search;
