-- Codes of every kind: what the build measures and trains, what searches find by them, and the functions that tell.
SET client_min_messages = error;  -- index_check warns of nodes that no link leads to, which depends on the levels drawn
SET max_parallel_maintenance_workers = 0;
SET jit = off;  -- takes longer than the searches
SELECT setseed(0.25);
CREATE FUNCTION hnsw_random(dimensions int, scale float8) RETURNS vector LANGUAGE plpgsql VOLATILE AS
'BEGIN RETURN (SELECT array_agg((random() * scale)::real) FROM generate_series(1, dimensions))::vector; END';
-- Twenty bunches: neighbours are of one's own bunch.
CREATE TABLE hnsw_bunch (bunch int, v vector(24));
INSERT INTO hnsw_bunch SELECT i, hnsw_random(24, 10) FROM generate_series(1, 20) AS i;
CREATE TABLE hnsw_kinds (id int GENERATED ALWAYS AS IDENTITY, bunch int, v vector(24));
INSERT INTO hnsw_kinds (bunch, v) SELECT bunch, v + hnsw_random(24, 1) FROM hnsw_bunch, generate_series(1, 100) AS i;

-- Of the ten nearest by an index, how many are among the ten nearest without it, over all bunches.
CREATE FUNCTION hnsw_kinds_found(operator text) RETURNS bigint LANGUAGE plpgsql SET enable_seqscan = off AS $$
DECLARE
	bunch record;
	by_index int[];
	by_table int[];
	found bigint := 0;
BEGIN
	FOR bunch IN SELECT v FROM hnsw_bunch LOOP
		EXECUTE format('SELECT array_agg(id) FROM (SELECT id FROM hnsw_kinds ORDER BY v %s $1 LIMIT 10) AS near', operator)
			INTO by_index USING bunch.v;
		EXECUTE format('SELECT array_agg(id) FROM (SELECT id FROM hnsw_kinds ORDER BY (v %s $1) + 0 LIMIT 10) AS near', operator)
			INTO by_table USING bunch.v;
		found := found + (SELECT count(*) FROM unnest(by_index) AS id WHERE id = ANY (by_table));
	END LOOP;
	RETURN found;
END
$$;

CREATE TABLE hnsw_kinds_results (options text, operator text, found bigint, trained boolean, measured boolean, rows bigint);
DO $$
DECLARE
	options text;
	operator record;
BEGIN
	FOREACH options IN ARRAY ARRAY['quantization = none', 'bits = 8, quantization = scalar', 'bits = 4, quantization = scalar',
		'bits = 2, quantization = scalar', 'quantization = binary', 'quantization = product, subspaces = 8',
		'quantization = product, subspaces = 5', 'quantization = auto', 'target_bytes = 3'] LOOP
		FOR operator IN SELECT * FROM (VALUES ('l2', '<->'), ('ip', '<#>'), ('cosine', '<=>'), ('l1', '<+>')) AS o (class, name) LOOP
			EXECUTE format('CREATE INDEX hnsw_kinds_v ON hnsw_kinds USING hnsw (v vector_%s_ops) WITH (%s)', operator.class, options);
			INSERT INTO hnsw_kinds_results
			SELECT options, operator.name, hnsw_kinds_found(operator.name), i.trained, i.recall_at_10 IS NOT NULL, c.heap_rows
			FROM vectorizer.index_info('hnsw_kinds_v') AS i, vectorizer.index_check('hnsw_kinds_v') AS c;
			DROP INDEX hnsw_kinds_v;
		END LOOP;
	END LOOP;
END
$$;
SELECT options, bool_and(found >= 150) AS found, bool_and(trained) AS trained, bool_and(measured) AS measured, min(rows) AS rows
FROM hnsw_kinds_results GROUP BY options ORDER BY options;
SELECT * FROM hnsw_kinds_results WHERE found < 150;

-- Created empty: a sketch first, trained when asked
CREATE TABLE hnsw_later (LIKE hnsw_kinds);
CREATE INDEX hnsw_later_v ON hnsw_later USING hnsw (v vector_l2_ops) WITH (quantization = product, subspaces = 6);
SELECT trained, sampled_rows, reindex_reason FROM vectorizer.index_info('hnsw_later_v');
SELECT * FROM vectorizer.quantization_health('hnsw_later_v');
SELECT * FROM vectorizer.retrain('hnsw_later_v');
INSERT INTO hnsw_later SELECT * FROM hnsw_kinds;
INSERT INTO hnsw_later SELECT * FROM hnsw_kinds WHERE id % 100 = 0;
SELECT heap_rows FROM vectorizer.index_check('hnsw_later_v');
VACUUM hnsw_later;
SELECT trained, reindex_reason FROM vectorizer.index_info('hnsw_later_v');
SELECT sampled_rows > 1800 AS sampled FROM vectorizer.retrain('hnsw_later_v');
SELECT trained, recall_at_10 > 0.8 AS good, reindex_reason FROM vectorizer.index_info('hnsw_later_v');
SELECT heap_rows FROM vectorizer.index_check('hnsw_later_v');
INSERT INTO hnsw_later SELECT * FROM hnsw_kinds WHERE id % 50 = 0;
DELETE FROM hnsw_later WHERE id % 3 = 0;
VACUUM hnsw_later;
SELECT heap_rows = (SELECT count(*) FROM hnsw_later) AS every_row, tombstones FROM vectorizer.index_check('hnsw_later_v');
BEGIN;
SELECT sampled_rows > 0 AS retrained FROM vectorizer.retrain('hnsw_later_v');
ROLLBACK;
SELECT heap_rows = (SELECT count(*) FROM hnsw_later) AS every_row FROM vectorizer.index_check('hnsw_later_v');
-- data-free codes: measured only
CREATE INDEX hnsw_later_auto ON hnsw_later USING hnsw (v vector_cosine_ops) WHERE id < 0;
SELECT trained, sampled_rows FROM vectorizer.index_info('hnsw_later_auto');
CREATE TABLE hnsw_filled (v vector(24));
CREATE INDEX hnsw_filled_v ON hnsw_filled USING hnsw (v vector_l2_ops);
INSERT INTO hnsw_filled SELECT v FROM hnsw_kinds;
SELECT trained, recall_at_10 FROM vectorizer.index_info('hnsw_filled_v');
SELECT recall_at_10 > 0.5 AS measured, healthy, advice FROM vectorizer.retrain('hnsw_filled_v');
SELECT trained, recall_at_10 > 0.5 AS measured, bits FROM vectorizer.index_info('hnsw_filled_v');
REINDEX INDEX hnsw_filled_v;
SELECT trained, bits > 4 AS wider FROM vectorizer.index_info('hnsw_filled_v');
SELECT healthy, advice FROM vectorizer.quantization_health('hnsw_filled_v');

-- Rows that a build must not trip over: NULLs, zero vectors, equal ones, an expression, a part of the table
CREATE TABLE hnsw_odd (id int, v vector(8), r real[]);
INSERT INTO hnsw_odd SELECT i, CASE i % 3 WHEN 0 THEN NULL WHEN 1 THEN '[0,0,0,0,0,0,0,0]' ELSE '[1,2,3,4,5,6,7,8]' END::vector,
	ARRAY[i, i + 1, 1] FROM generate_series(1, 6000) AS i;
CREATE INDEX hnsw_odd_l2 ON hnsw_odd USING hnsw (v vector_l2_ops);
CREATE INDEX hnsw_odd_cosine ON hnsw_odd USING hnsw (v vector_cosine_ops);
CREATE INDEX hnsw_odd_product ON hnsw_odd USING hnsw (v vector_cosine_ops) WITH (quantization = product);
CREATE INDEX hnsw_odd_part ON hnsw_odd USING hnsw (v vector_l2_ops) WHERE id > 5000;
CREATE INDEX hnsw_odd_expression ON hnsw_odd USING hnsw ((r::vector(3)) vector_l2_ops) WITH (quantization = product, subspaces = 2);
SELECT c.relname, i.quantization, i.bits, i.trained, i.recall_at_10, i.sampled_rows > 0 AS sampled, k.heap_rows
FROM pg_class AS c, LATERAL vectorizer.index_info(c.oid) AS i, LATERAL vectorizer.index_check(c.oid) AS k
WHERE c.relname LIKE 'hnsw\_odd\_%' ORDER BY c.relname;

-- Without an index
SELECT quantization, bits, subspaces, code_bytes, round(bytes_saved::numeric, 3) AS saved, recall_at_10 BETWEEN 0 AND 1 AS measured, sampled_rows, meets_gates IS NOT NULL AS judged
FROM vectorizer.evaluate_quantization('hnsw_kinds', 'v');
SELECT recall_at_10, meets_gates FROM vectorizer.evaluate_quantization('hnsw_kinds', 'v', 'l1') WHERE quantization = 'none';
SELECT quantization, recall_at_10, sampled_rows, meets_gates FROM vectorizer.evaluate_quantization('hnsw_odd', 'v', 'cosine', 2) LIMIT 2;
TRUNCATE hnsw_filled;
SELECT quantization, recall_at_10, sampled_rows, meets_gates FROM vectorizer.evaluate_quantization('hnsw_filled', 'v') LIMIT 2;
SELECT * FROM vectorizer.evaluate_quantization('hnsw_kinds', 'v', 'hamming');
SELECT * FROM vectorizer.evaluate_quantization('hnsw_kinds', 'v', sample => 1);
SELECT * FROM vectorizer.evaluate_quantization('hnsw_kinds', 'w');
SELECT * FROM vectorizer.evaluate_quantization('hnsw_kinds', 'bunch');
SELECT * FROM vectorizer.evaluate_quantization('hnsw_later_v', 'v');

-- Who may
CREATE ROLE regress_hnsw_reader;
GRANT USAGE ON SCHEMA vectorizer TO regress_hnsw_reader;
SET ROLE regress_hnsw_reader;
SELECT * FROM vectorizer.evaluate_quantization('hnsw_kinds', 'v');
SELECT * FROM vectorizer.quantization_health('hnsw_later_v');
SELECT * FROM vectorizer.retrain('hnsw_later_v');
RESET ROLE;
GRANT SELECT (v) ON hnsw_kinds TO regress_hnsw_reader;
GRANT SELECT ON hnsw_later TO regress_hnsw_reader;
SET ROLE regress_hnsw_reader;
SELECT count(*) FROM vectorizer.evaluate_quantization('hnsw_kinds', 'v', 'l2', 100);
SELECT sampled_rows > 0 AS sampled FROM vectorizer.quantization_health('hnsw_later_v');
SELECT * FROM vectorizer.retrain('hnsw_later_v');
RESET ROLE;
ALTER TABLE hnsw_kinds ENABLE ROW LEVEL SECURITY;
SET ROLE regress_hnsw_reader;
SELECT count(*) FROM vectorizer.evaluate_quantization('hnsw_kinds', 'v', 'l2', 100);
RESET ROLE;
REVOKE ALL ON hnsw_kinds, hnsw_later FROM regress_hnsw_reader;
REVOKE USAGE ON SCHEMA vectorizer FROM regress_hnsw_reader;
DROP ROLE regress_hnsw_reader;
DROP TABLE hnsw_bunch, hnsw_kinds, hnsw_kinds_results, hnsw_later, hnsw_filled, hnsw_odd;
DROP FUNCTION hnsw_kinds_found(text), hnsw_random(int, float8);
