-- Inserts, updates, deletes, rollbacks, TRUNCATE, and what vacuum makes of them.
SET client_min_messages = error;  -- index_check warns of nodes that no link leads to, which depends on the levels drawn
SET enable_seqscan = off;
SET enable_sort = off;
SET vectorizer.iterative_scan = relaxed_order;
CREATE TABLE hnsw_changes (id int PRIMARY KEY, note text, v vector(3)) WITH (fillfactor = 50, autovacuum_enabled = off);
CREATE INDEX hnsw_changes_v ON hnsw_changes USING hnsw (v vector_l2_ops) WITH (m = 4, ef_construction = 16);
SELECT id FROM hnsw_changes ORDER BY v <-> '[1,1,1]';
SELECT entry_point, live_nodes FROM vectorizer.index_info('hnsw_changes_v');
INSERT INTO hnsw_changes SELECT i, 'first', ARRAY[i, i % 7, i % 5]::vector FROM generate_series(1, 100) AS i;
SELECT nodes, heap_rows FROM vectorizer.index_check('hnsw_changes_v');

-- HOT: the index knows nothing of it
UPDATE hnsw_changes SET note = 'second' WHERE id <= 10;
SELECT heap_rows FROM vectorizer.index_check('hnsw_changes_v');
SELECT id, note FROM hnsw_changes ORDER BY v <-> '[3.2,3,3]' LIMIT 2;
-- not HOT
UPDATE hnsw_changes SET v = v + '[0,0,100]' WHERE id <= 10;
SELECT heap_rows FROM vectorizer.index_check('hnsw_changes_v');
SELECT id FROM hnsw_changes ORDER BY v <-> '[3.2,3,103]' LIMIT 2;
SELECT count(*), count(DISTINCT id) FROM (SELECT id FROM hnsw_changes ORDER BY v <-> '[3,3,3]') AS s;

-- Rollback, savepoints
BEGIN;
INSERT INTO hnsw_changes SELECT i, 'gone', '[0,0,0]' FROM generate_series(1001, 1020) AS i;
SELECT count(*) FROM (SELECT id FROM hnsw_changes ORDER BY v <-> '[0,0,0]') AS s;
SAVEPOINT s;
DELETE FROM hnsw_changes WHERE id <= 100;
SELECT count(*) FROM (SELECT id FROM hnsw_changes ORDER BY v <-> '[0,0,0]') AS s;
ROLLBACK TO s;
SELECT count(*) FROM (SELECT id FROM hnsw_changes ORDER BY v <-> '[0,0,0]') AS s;
ROLLBACK;
SELECT count(*) FROM (SELECT id FROM hnsw_changes ORDER BY v <-> '[0,0,0]') AS s;
SELECT heap_rows FROM vectorizer.index_check('hnsw_changes_v');
VACUUM hnsw_changes;
SELECT nodes, heap_rows, tombstones FROM vectorizer.index_check('hnsw_changes_v');
SELECT freed_slots > 0 AS freed FROM vectorizer.index_info('hnsw_changes_v');

-- Wrong dimensions, NULL
INSERT INTO hnsw_changes VALUES (2000, '', '[1,2]');
INSERT INTO hnsw_changes VALUES (2000, '', NULL);
UPDATE hnsw_changes SET v = NULL WHERE id = 5;
UPDATE hnsw_changes SET v = '[5,5,5]' WHERE id = 2000;
SELECT id FROM hnsw_changes ORDER BY v <-> '[5,5,5]' LIMIT 1;
SELECT count(*) FROM (SELECT id FROM hnsw_changes ORDER BY v <-> '[0,0,0]') AS s;

-- ON CONFLICT, COPY
INSERT INTO hnsw_changes VALUES (7, 'again', '[70,70,70]') ON CONFLICT (id) DO UPDATE SET v = excluded.v;
COPY hnsw_changes (id, v) FROM stdin;
3000	[71,71,71]
\.
SELECT id FROM hnsw_changes ORDER BY v <-> '[70,70,70]' LIMIT 2;

-- All rows deleted; the index takes new ones
DELETE FROM hnsw_changes;
SELECT count(*) FROM (SELECT id FROM hnsw_changes ORDER BY v <-> '[0,0,0]') AS s;
VACUUM hnsw_changes;
SELECT nodes, heap_rows, tombstones FROM vectorizer.index_check('hnsw_changes_v');
SELECT id FROM hnsw_changes ORDER BY v <-> '[0,0,0]';
INSERT INTO hnsw_changes SELECT i, '', ARRAY[i, i, i]::vector FROM generate_series(1, 20) AS i;
SELECT nodes, heap_rows FROM vectorizer.index_check('hnsw_changes_v');
SELECT array_agg(id) FROM (SELECT id FROM hnsw_changes ORDER BY v <-> '[0,0,0]' LIMIT 3) AS s;

TRUNCATE hnsw_changes;
SELECT nodes, heap_rows FROM vectorizer.index_check('hnsw_changes_v');
SELECT pg_relation_size('hnsw_changes_v') / current_setting('block_size')::int AS blocks;
INSERT INTO hnsw_changes VALUES (1, '', '[1,2,3]');
SELECT id FROM hnsw_changes ORDER BY v <-> '[0,0,0]';
BEGIN;
TRUNCATE hnsw_changes;
INSERT INTO hnsw_changes VALUES (2, '', '[1,2,3]');
SELECT id FROM hnsw_changes ORDER BY v <-> '[0,0,0]';
ROLLBACK;
SELECT id FROM hnsw_changes ORDER BY v <-> '[0,0,0]';

-- Freed slots are used again: replacing all rows many times does not make the index grow without bound
TRUNCATE hnsw_changes;
CREATE TABLE hnsw_sizes (turn int, blocks bigint);
CREATE PROCEDURE hnsw_replace(turn int) LANGUAGE sql AS $$
	DELETE FROM hnsw_changes;
	INSERT INTO hnsw_changes SELECT i, '', ARRAY[hashint4(i + turn) % 1000, hashint4(i - turn) % 1000, i]::vector FROM generate_series(1, 400) AS i
$$;
CALL hnsw_replace(1);
VACUUM hnsw_changes;
CALL hnsw_replace(2);
VACUUM hnsw_changes;
INSERT INTO hnsw_sizes VALUES (2, pg_relation_size('hnsw_changes_v') / current_setting('block_size')::int);
CALL hnsw_replace(3);
VACUUM hnsw_changes;
CALL hnsw_replace(4);
VACUUM hnsw_changes;
CALL hnsw_replace(5);
VACUUM hnsw_changes;
CALL hnsw_replace(6);
VACUUM hnsw_changes;
INSERT INTO hnsw_sizes VALUES (6, pg_relation_size('hnsw_changes_v') / current_setting('block_size')::int);
SELECT max(blocks) FILTER (WHERE turn = 6) <= max(blocks) FILTER (WHERE turn = 2) + 1 AS bounded FROM hnsw_sizes;
SELECT nodes, heap_rows, tombstones FROM vectorizer.index_check('hnsw_changes_v');
SELECT count(*), count(DISTINCT id) FROM (SELECT id FROM hnsw_changes ORDER BY v <-> '[0,0,0]') AS s;
DROP TABLE hnsw_changes, hnsw_sizes;
DROP PROCEDURE hnsw_replace;

-- Many rows with the same vector: one node, a chain of rows
CREATE TABLE hnsw_same (id int, v vector(3)) WITH (autovacuum_enabled = off);
INSERT INTO hnsw_same SELECT i, '[1,2,3]' FROM generate_series(1, 50) AS i;
CREATE INDEX hnsw_same_v ON hnsw_same USING hnsw (v vector_cosine_ops);
INSERT INTO hnsw_same SELECT i, '[1,2,3]' FROM generate_series(51, 100) AS i;
SELECT nodes, heap_rows FROM vectorizer.index_check('hnsw_same_v');
SELECT count(*), count(DISTINCT id) FROM (SELECT id FROM hnsw_same ORDER BY v <=> '[3,2,1]') AS s;
DELETE FROM hnsw_same WHERE id <> 77;
VACUUM hnsw_same;
SELECT nodes, heap_rows, tombstones FROM vectorizer.index_check('hnsw_same_v');
SELECT id FROM hnsw_same ORDER BY v <=> '[3,2,1]';
INSERT INTO hnsw_same SELECT i, '[1,2,3]' FROM generate_series(101, 130) AS i;
SELECT nodes, heap_rows FROM vectorizer.index_check('hnsw_same_v');
SELECT count(*), count(DISTINCT id) FROM (SELECT id FROM hnsw_same ORDER BY v <=> '[3,2,1]') AS s;
DELETE FROM hnsw_same;
VACUUM hnsw_same;
SELECT nodes, heap_rows, tombstones FROM vectorizer.index_check('hnsw_same_v');
DROP TABLE hnsw_same;
