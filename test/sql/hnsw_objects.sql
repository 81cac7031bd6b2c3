-- Kinds of tables and indexes: expressions, predicates, unlogged, temporary, partitioned; builds without a lock; REINDEX.
SET client_min_messages = error;  -- index_check warns of nodes that no link leads to, which depends on the levels drawn
SET enable_seqscan = off;
SET enable_sort = off;
CREATE TABLE hnsw_objects (id int PRIMARY KEY, kind int, v vector(3), a real[]);
INSERT INTO hnsw_objects SELECT i, i % 4, ARRAY[i, i % 7, i % 5]::vector, ARRAY[i % 5, i, 1] FROM generate_series(1, 60) AS i;

-- An expression
CREATE INDEX hnsw_objects_expression ON hnsw_objects USING hnsw ((a::vector(3)) vector_l2_ops);
CREATE INDEX ON hnsw_objects USING hnsw ((a::vector) vector_l2_ops);
EXPLAIN (COSTS OFF) SELECT id FROM hnsw_objects ORDER BY a::vector(3) <-> '[1,9.7,1]' LIMIT 2;
SELECT id FROM hnsw_objects ORDER BY a::vector(3) <-> '[0.6,9.8,1]' LIMIT 2;
INSERT INTO hnsw_objects (id, a) VALUES (61, '{0.6,9.8,1}');
INSERT INTO hnsw_objects (id, a) VALUES (62, '{1,2}');
SELECT id FROM hnsw_objects ORDER BY a::vector(3) <-> '[0.6,9.8,1]' LIMIT 1;
SELECT nodes, heap_rows FROM vectorizer.index_check('hnsw_objects_expression');
CREATE INDEX hnsw_objects_part ON hnsw_objects USING hnsw (subvector(v, 1, 2) vector_l2_ops);
CREATE INDEX hnsw_objects_part ON hnsw_objects USING hnsw ((subvector(v, 1, 2)::vector(2)) vector_l2_ops);
SELECT id FROM hnsw_objects ORDER BY subvector(v, 1, 2)::vector(2) <-> '[20,6]' LIMIT 1;

-- A predicate
CREATE INDEX hnsw_objects_partial ON hnsw_objects USING hnsw (v vector_ip_ops) WHERE kind = 2;
SELECT nodes, heap_rows FROM vectorizer.index_check('hnsw_objects_partial');
EXPLAIN (COSTS OFF) SELECT id FROM hnsw_objects WHERE kind = 2 ORDER BY v <#> '[1,1,1]' LIMIT 2;
SELECT id FROM hnsw_objects WHERE kind = 2 ORDER BY v <#> '[1,0,0]' LIMIT 2;
UPDATE hnsw_objects SET kind = 2 WHERE id = 59;
SELECT id FROM hnsw_objects WHERE kind = 2 ORDER BY v <#> '[1,0,0]' LIMIT 2;
SELECT heap_rows FROM vectorizer.index_check('hnsw_objects_partial');

-- Built beside writers, built anew
CREATE INDEX CONCURRENTLY hnsw_objects_c ON hnsw_objects USING hnsw (v vector_l2_ops);
SELECT nodes, heap_rows FROM vectorizer.index_check('hnsw_objects_c');
SELECT id FROM hnsw_objects ORDER BY v <-> '[20,6,0]' LIMIT 1;
DELETE FROM hnsw_objects WHERE id BETWEEN 11 AND 40;
REINDEX INDEX CONCURRENTLY hnsw_objects_c;
SELECT nodes, heap_rows FROM vectorizer.index_check('hnsw_objects_c');
SELECT id FROM hnsw_objects ORDER BY v <-> '[20,6,0]' LIMIT 1;
REINDEX INDEX hnsw_objects_c;
REINDEX TABLE hnsw_objects;
SELECT nodes, heap_rows FROM vectorizer.index_check('hnsw_objects_c');
VACUUM FULL hnsw_objects;
SELECT nodes, heap_rows FROM vectorizer.index_check('hnsw_objects_c');
ALTER TABLE hnsw_objects ALTER v TYPE vector(2) USING subvector(v, 1, 2);
ALTER TABLE hnsw_objects ALTER v TYPE vector;
DROP TABLE hnsw_objects;

-- In the transaction that made the table; rolled back
BEGIN;
CREATE TABLE hnsw_new (id int, v vector(3));
INSERT INTO hnsw_new VALUES (1, '[1,2,3]');
CREATE INDEX hnsw_new_v ON hnsw_new USING hnsw (v vector_l2_ops);
INSERT INTO hnsw_new VALUES (2, '[1,2,4]');
SELECT id FROM hnsw_new ORDER BY v <-> '[1,2,5]';
ROLLBACK;

-- Unlogged, and changed to logged
CREATE UNLOGGED TABLE hnsw_unlogged (id int, v vector(3));
CREATE INDEX hnsw_unlogged_v ON hnsw_unlogged USING hnsw (v vector_l2_ops);
INSERT INTO hnsw_unlogged SELECT i, ARRAY[i, i, 0]::vector FROM generate_series(1, 20) AS i;
SELECT id FROM hnsw_unlogged ORDER BY v <-> '[5.1,5.1,0]' LIMIT 2;
SELECT nodes FROM vectorizer.index_check('hnsw_unlogged_v');
ALTER TABLE hnsw_unlogged SET LOGGED;
SELECT id FROM hnsw_unlogged ORDER BY v <-> '[5.1,5.1,0]' LIMIT 2;
SELECT nodes FROM vectorizer.index_check('hnsw_unlogged_v');
DROP TABLE hnsw_unlogged;

-- Temporary, emptied by COMMIT
CREATE TEMP TABLE hnsw_temporary (id int, v vector(3)) ON COMMIT DELETE ROWS;
CREATE INDEX hnsw_temporary_v ON hnsw_temporary USING hnsw (v vector_l2_ops);
BEGIN;
INSERT INTO hnsw_temporary SELECT i, ARRAY[i, i, 0]::vector FROM generate_series(1, 20) AS i;
SELECT id FROM hnsw_temporary ORDER BY v <-> '[5.1,5.1,0]' LIMIT 2;
COMMIT;
SELECT nodes FROM vectorizer.index_check('hnsw_temporary_v');
BEGIN;
INSERT INTO hnsw_temporary VALUES (1, '[1,1,1]');
SELECT id FROM hnsw_temporary ORDER BY v <-> '[5.1,5.1,0]' LIMIT 2;
COMMIT;
DROP TABLE hnsw_temporary;

-- Partitioned: merged in order
CREATE TABLE hnsw_parts (id int, v vector(3)) PARTITION BY RANGE (id);
CREATE TABLE hnsw_parts_1 PARTITION OF hnsw_parts FOR VALUES FROM (0) TO (50);
CREATE TABLE hnsw_parts_2 PARTITION OF hnsw_parts FOR VALUES FROM (50) TO (100);
CREATE INDEX hnsw_parts_v ON hnsw_parts USING hnsw (v vector_l2_ops);
INSERT INTO hnsw_parts SELECT i, ARRAY[(i * 37) % 100, 0, 0]::vector FROM generate_series(1, 99) AS i;
CREATE TABLE hnsw_parts_3 PARTITION OF hnsw_parts FOR VALUES FROM (100) TO (200);
INSERT INTO hnsw_parts VALUES (100, '[20.5,0,0]');
ANALYZE hnsw_parts;
EXPLAIN (COSTS OFF) SELECT id FROM hnsw_parts ORDER BY v <-> '[20.1,0,0]' LIMIT 4;
SELECT id, v FROM hnsw_parts ORDER BY v <-> '[20.1,0,0]' LIMIT 4;
SELECT vectorizer.index_check('hnsw_parts_v');
DROP TABLE hnsw_parts;

-- Inherited
CREATE TABLE hnsw_parent (id int, v vector(3));
CREATE TABLE hnsw_child () INHERITS (hnsw_parent);
CREATE INDEX ON hnsw_parent USING hnsw (v vector_l2_ops);
CREATE INDEX ON hnsw_child USING hnsw (v vector_l2_ops);
INSERT INTO hnsw_parent VALUES (1, '[1,1,1]');
INSERT INTO hnsw_child VALUES (2, '[1,1,2]');
SELECT id FROM hnsw_parent ORDER BY v <-> '[1,1,3]' LIMIT 2;
DROP TABLE hnsw_parent CASCADE;

-- More rows than maintenance_work_mem holds
CREATE TABLE hnsw_outgrown (id int, v vector(64));
INSERT INTO hnsw_outgrown
SELECT n, (SELECT array_agg(hashint8(n::int8 * 64 + i) % 1000 ORDER BY i) FROM generate_series(1, 64) AS i)::vector
FROM generate_series(1, 3000) AS n;
INSERT INTO hnsw_outgrown SELECT id + 3000, v FROM hnsw_outgrown WHERE id % 10 = 0;
SET maintenance_work_mem = '1MB';
CREATE INDEX hnsw_outgrown_v ON hnsw_outgrown USING hnsw (v vector_l2_ops) WITH (m = 8, ef_construction = 16);
RESET maintenance_work_mem;
SELECT nodes BETWEEN 3000 AND 3300 AS folded, heap_rows FROM vectorizer.index_check('hnsw_outgrown_v');
SET vectorizer.iterative_scan = relaxed_order;
SELECT count(*), count(DISTINCT id) FROM (
	SELECT id FROM hnsw_outgrown ORDER BY v <-> (SELECT v FROM hnsw_outgrown WHERE id = 1)) AS s;
DROP TABLE hnsw_outgrown;
