-- The order of vectors in sorts, joins and btree indexes.
CREATE TABLE vector_btree (v vector);
INSERT INTO vector_btree VALUES ('[1,2]'), ('[1,2,3]'), ('[1]'), ('[-1,9]'), (NULL), ('[1,2]'), ('[1,1,9]'), ('[2]'), ('[-0]'), ('[0]');
SELECT v FROM vector_btree ORDER BY v, v::text;
SELECT v FROM vector_btree ORDER BY v DESC NULLS LAST, v::text LIMIT 3;
SELECT count(DISTINCT v) FROM vector_btree;
SELECT v, count(*) FROM vector_btree WHERE v > '[0]' GROUP BY v ORDER BY v;

CREATE INDEX vector_btree_v ON vector_btree (v);
SET enable_seqscan = off;
SET enable_bitmapscan = off;
EXPLAIN (COSTS OFF) SELECT v FROM vector_btree WHERE v = '[1,2]';
SELECT v FROM vector_btree WHERE v = '[1,2]';
SELECT v FROM vector_btree WHERE v >= '[1,2]' ORDER BY v;
SELECT v FROM vector_btree WHERE v < '[1]' AND v > '[-1,9]' ORDER BY v, v::text;
EXPLAIN (COSTS OFF) SELECT v FROM vector_btree ORDER BY v LIMIT 1;
SELECT v FROM vector_btree ORDER BY v LIMIT 1;
RESET enable_seqscan;
RESET enable_bitmapscan;

-- A full join needs an equality that merges
SELECT a.v, b.v FROM vector_btree AS a FULL JOIN (VALUES ('[1,2]'::vector), ('[5]')) AS b (v) ON a.v = b.v
WHERE b.v IS NOT NULL ORDER BY a.v, b.v;
DROP TABLE vector_btree;

-- Out of line in the table, inline in the index; the index agrees with the order
CREATE TABLE vector_btree_large (id int, v vector(600));
INSERT INTO vector_btree_large
SELECT i, array_fill(((i * 7919) % 100 - 50)::real, ARRAY[600])::vector FROM generate_series(1, 300) AS i;
CREATE INDEX vector_btree_large_v ON vector_btree_large (v);
INSERT INTO vector_btree_large
SELECT i, array_fill(((i * 7919) % 100 - 50)::real, ARRAY[600])::vector FROM generate_series(301, 600) AS i;
SELECT pg_relation_size(reltoastrelid) > 600 * 2400 AS out_of_line FROM pg_class WHERE oid = 'vector_btree_large'::regclass;
SELECT count(*) FROM vector_btree_large WHERE v = array_fill(17::real, ARRAY[600])::vector;
SET enable_seqscan = off;
SET enable_sort = off;
SELECT count(*), count(*) FILTER (WHERE v < before) AS out_of_order
FROM (SELECT v, lag(v) OVER (ORDER BY v) AS before FROM vector_btree_large) AS s;
SELECT count(*) FROM vector_btree_large WHERE v = array_fill(17::real, ARRAY[600])::vector;
RESET enable_seqscan;
RESET enable_sort;
ANALYZE vector_btree_large;
DROP TABLE vector_btree_large;

CREATE TABLE vector_unique (v vector(2) PRIMARY KEY);
INSERT INTO vector_unique VALUES ('[1,2]'), ('[2,1]');
INSERT INTO vector_unique VALUES ('[1,2]');
INSERT INTO vector_unique VALUES ('[1,2]'), ('[3,3]') ON CONFLICT DO NOTHING;
SELECT v FROM vector_unique ORDER BY v;
DROP TABLE vector_unique;
