-- Rows with equal codes share a node; their chunks come back when the rows go.
SET client_min_messages = warning;
CREATE TABLE equal_rows (id int, v vector(4));
INSERT INTO equal_rows VALUES (0, '[1,2,3,4]');
CREATE INDEX equal_rows_v ON equal_rows USING hnsw (v vector_l2_ops);

INSERT INTO equal_rows SELECT i, '[1,2,3,4]' FROM generate_series(1, 3000) i;
SELECT nodes, heap_rows FROM vectorizer.index_check('equal_rows_v');
SET enable_seqscan = off;
SET vectorizer.iterative_scan = relaxed_order;
SELECT count(*), count(DISTINCT id) FROM (SELECT id FROM equal_rows ORDER BY v <-> '[1,2,3,5]') x;

-- one row stays for good; every turn leaves eight in chunks that others surround
CREATE PROCEDURE turn() LANGUAGE plpgsql AS $$
BEGIN
	DELETE FROM equal_rows WHERE id > 0 AND id % 375 <> 0;
END $$;
CALL turn();
VACUUM equal_rows;
SELECT nodes, heap_rows FROM vectorizer.index_check('equal_rows_v');
SELECT id FROM (SELECT id FROM equal_rows ORDER BY v <-> '[1,2,3,5]') x ORDER BY id;

DELETE FROM equal_rows WHERE id > 0;
INSERT INTO equal_rows SELECT i, '[1,2,3,4]' FROM generate_series(1, 3000) i;
CALL turn();
VACUUM equal_rows;
SELECT pg_relation_size('equal_rows_v') AS steady_size \gset
DELETE FROM equal_rows WHERE id > 0;
INSERT INTO equal_rows SELECT i, '[1,2,3,4]' FROM generate_series(1, 3000) i;
CALL turn();
VACUUM equal_rows;
DELETE FROM equal_rows WHERE id > 0;
INSERT INTO equal_rows SELECT i, '[1,2,3,4]' FROM generate_series(1, 3000) i;
CALL turn();
VACUUM equal_rows;
SELECT pg_relation_size('equal_rows_v') <= :steady_size + 8192 AS size_is_steady;
SELECT nodes, heap_rows FROM vectorizer.index_check('equal_rows_v');
SELECT count(*), count(DISTINCT id) FROM (SELECT id FROM equal_rows ORDER BY v <-> '[1,2,3,5]') x;

DROP PROCEDURE turn;
DROP TABLE equal_rows;
