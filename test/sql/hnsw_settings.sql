-- vectorizer.ef_search, iterative_scan and max_scan_tuples, and the names that clients of pgvector set.
SHOW vectorizer.ef_search;
SHOW vectorizer.iterative_scan;
SHOW vectorizer.max_scan_tuples;
SET vectorizer.ef_search = 0;
SET vectorizer.ef_search = 1001;
SET vectorizer.iterative_scan = sometimes;
SET vectorizer.max_scan_tuples = -1;
SET vectorizer.no_such_setting = 1;

CREATE TABLE hnsw_settings (id int PRIMARY KEY, v vector(3));
INSERT INTO hnsw_settings SELECT i, ARRAY[i, i % 10, (i * 7) % 100]::vector FROM generate_series(1, 500) AS i;
CREATE INDEX hnsw_settings_v ON hnsw_settings USING hnsw (v vector_l2_ops) WITH (quantization = none);
SET enable_seqscan = off;
SET enable_sort = off;
CREATE VIEW hnsw_found AS SELECT count(*) FROM (SELECT id FROM hnsw_settings ORDER BY v <-> '[10,1,1]') AS s;

-- off: ef_search candidates and no more
SET vectorizer.iterative_scan = off;
TABLE hnsw_found;
SET vectorizer.ef_search = 7;
TABLE hnsw_found;
-- what a client sets counts where ours is not set
SET hnsw.ef_search = 25;
TABLE hnsw_found;
RESET vectorizer.ef_search;
TABLE hnsw_found;
SET hnsw.ef_search = 'many';
TABLE hnsw_found;
SET hnsw.ef_search = 5000;
SELECT count > 200 AS most FROM hnsw_found;
RESET hnsw.ef_search;
TABLE hnsw_found;

-- relaxed_order: every row
SET vectorizer.iterative_scan = relaxed_order;
TABLE hnsw_found;
SELECT count(*) FROM (SELECT id FROM hnsw_settings WHERE id % 100 = 3 ORDER BY v <-> '[10,1,1]' LIMIT 10) AS s;
-- strict_order: in order
SET vectorizer.iterative_scan = strict_order;
SELECT count(*) > 450 AS nearly_all, count(*) FILTER (WHERE distance < before) AS out_of_order FROM (
	SELECT distance, lag(distance) OVER () AS before FROM (SELECT v <-> '[10,1,1]' AS distance FROM hnsw_settings ORDER BY v <-> '[10,1,1]') AS s) AS t;
-- a client's setting of it
RESET vectorizer.iterative_scan;
SET hnsw.iterative_scan = off;
TABLE hnsw_found;
SET hnsw.iterative_scan = 'relaxed_order';
TABLE hnsw_found;
SET hnsw.iterative_scan = 'nonsense';
SELECT count > 450 AS nearly_all FROM hnsw_found;
RESET hnsw.iterative_scan;

-- a limit ends it
SET vectorizer.iterative_scan = relaxed_order;
SET vectorizer.max_scan_tuples = 100;
SELECT count BETWEEN 100 AND 300 AS limited FROM hnsw_found;
SET vectorizer.max_scan_tuples = 0;
TABLE hnsw_found;
RESET vectorizer.max_scan_tuples;
SET hnsw.max_scan_tuples = 100;
SELECT count BETWEEN 100 AND 300 AS limited FROM hnsw_found;
RESET hnsw.max_scan_tuples;
TABLE hnsw_found;

-- SET LOCAL and a function's own settings
BEGIN;
SET LOCAL vectorizer.iterative_scan = off;
SET LOCAL vectorizer.ef_search = 3;
TABLE hnsw_found;
COMMIT;
TABLE hnsw_found;

-- what the last search did, and why it ended
CREATE VIEW hnsw_explained AS
SELECT index, ef_search, rounds > 1 AS went_on, hops > 0 AS hops, evaluations >= rows_returned AS evaluated,
	pages_glanced + pages_locked >= hops AS pages, swept, heap_fetches >= rows_returned AS fetched, rows_returned > 10 AS many, ending
FROM vectorizer.last_search();
SELECT count(*) FROM (SELECT FROM hnsw_settings ORDER BY v <-> '[0,0,0]' LIMIT 5) AS five;
TABLE hnsw_explained;
TABLE hnsw_found;
TABLE hnsw_explained;
SET vectorizer.iterative_scan = off;
TABLE hnsw_found;
TABLE hnsw_explained;
SET vectorizer.iterative_scan = relaxed_order;
SET vectorizer.max_scan_tuples = 100;
SELECT count < 500 AS limited FROM hnsw_found;
TABLE hnsw_explained;
RESET vectorizer.iterative_scan;
RESET vectorizer.max_scan_tuples;
DROP VIEW hnsw_explained;
DROP VIEW hnsw_found;
DROP TABLE hnsw_settings;
