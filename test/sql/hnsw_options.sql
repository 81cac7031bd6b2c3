-- What an index is made with: options, the column, the operator class.
SET client_min_messages = error;  -- index_check warns of nodes that no link leads to, which depends on the levels drawn
CREATE TABLE hnsw_options (id int, v vector(3), w vector, x vector(3), r real[]);
INSERT INTO hnsw_options SELECT i, ARRAY[i, 1, 0]::vector FROM generate_series(1, 5) AS i;

-- Defaults, limits
CREATE INDEX hnsw_options_v ON hnsw_options USING hnsw (v vector_l2_ops);
SELECT metric, dimensions, m, ef_construction, quantization, bits, chosen_automatically FROM vectorizer.index_info('hnsw_options_v');
DROP INDEX hnsw_options_v;
CREATE INDEX hnsw_options_v ON hnsw_options USING hnsw (v vector_l2_ops) WITH (m = 1);
CREATE INDEX hnsw_options_v ON hnsw_options USING hnsw (v vector_l2_ops) WITH (m = 101);
CREATE INDEX hnsw_options_v ON hnsw_options USING hnsw (v vector_l2_ops) WITH (ef_construction = 3);
CREATE INDEX hnsw_options_v ON hnsw_options USING hnsw (v vector_l2_ops) WITH (ef_construction = 1001);
CREATE INDEX hnsw_options_v ON hnsw_options USING hnsw (v vector_l2_ops) WITH (m = 16, ef_construction = 31);
CREATE INDEX hnsw_options_v ON hnsw_options USING hnsw (v vector_l2_ops) WITH (m = 100);
\set VERBOSITY sqlstate
CREATE INDEX hnsw_options_v ON hnsw_options USING hnsw (v vector_l2_ops) WITH (m = 16, ef_construction = 31);
\set VERBOSITY default
CREATE INDEX hnsw_options_v ON hnsw_options USING hnsw (v vector_l2_ops) WITH (m = 100, ef_construction = 1000);
SELECT m, ef_construction FROM vectorizer.index_info('hnsw_options_v');
DROP INDEX hnsw_options_v;
CREATE INDEX hnsw_options_v ON hnsw_options USING hnsw (v vector_l2_ops) WITH (m = 2, ef_construction = 4);
SELECT m, ef_construction FROM vectorizer.index_info('hnsw_options_v');
DROP INDEX hnsw_options_v;

-- Quantization
CREATE INDEX hnsw_options_v ON hnsw_options USING hnsw (v vector_l2_ops) WITH (quantization = 'ternary');
CREATE INDEX hnsw_options_v ON hnsw_options USING hnsw (v vector_l2_ops) WITH (quantization = 'product', subspaces = 4);
CREATE INDEX hnsw_options_v ON hnsw_options USING hnsw (v vector_l2_ops) WITH (quantization = 'scalar', subspaces = 2);
CREATE INDEX hnsw_options_v ON hnsw_options USING hnsw (v vector_l2_ops) WITH (quantization = 'binary', target_bytes = 2);
CREATE INDEX hnsw_options_v ON hnsw_options USING hnsw (v vector_l2_ops) WITH (quantization = 'binary', bits = 2);
CREATE INDEX hnsw_options_v ON hnsw_options USING hnsw (v vector_l2_ops) WITH (quantization = 'scalar', bits = 5);
CREATE INDEX hnsw_options_v ON hnsw_options USING hnsw (v vector_l2_ops) WITH (quantization = 'scalar', bits = 0);
CREATE INDEX hnsw_options_v ON hnsw_options USING hnsw (v vector_l2_ops) WITH (quantization = 'scalar', bits = 33);
CREATE INDEX hnsw_options_v ON hnsw_options USING hnsw (v vector_l2_ops) WITH (quantization = 'none', bits = 8);
CREATE INDEX hnsw_options_v ON hnsw_options USING hnsw (v vector_l2_ops) WITH (bits = 8);
CREATE INDEX hnsw_options_v ON hnsw_options USING hnsw (v vector_l2_ops) WITH (lists = 100);
CREATE INDEX hnsw_options_none ON hnsw_options USING hnsw (v vector_l2_ops) WITH (quantization = none);
CREATE INDEX hnsw_options_8 ON hnsw_options USING hnsw (v vector_ip_ops) WITH (quantization = scalar, bits = 8);
CREATE INDEX hnsw_options_4 ON hnsw_options USING hnsw (v vector_cosine_ops) WITH (quantization = scalar, bits = 4);
CREATE INDEX hnsw_options_2 ON hnsw_options USING hnsw (v vector_l2_ops) WITH (quantization = scalar, bits = 2);
CREATE INDEX hnsw_options_1 ON hnsw_options USING hnsw (v vector_l2_ops) WITH (quantization = binary);
CREATE INDEX hnsw_options_product ON hnsw_options USING hnsw (v vector_l2_ops) WITH (quantization = product, subspaces = 2);
CREATE INDEX hnsw_options_target ON hnsw_options USING hnsw (v vector_l2_ops) WITH (target_bytes = 1);
CREATE INDEX hnsw_options_auto ON hnsw_options USING hnsw (v vector_l1_ops) WITH (quantization = auto);
SELECT c.relname, i.metric, i.quantization, i.bits, i.subspaces, i.code_bytes, i.chosen_automatically, i.trained
FROM pg_class AS c, LATERAL vectorizer.index_info(c.oid::regclass) AS i
WHERE c.relname LIKE 'hnsw\_options\_%' ORDER BY c.relname;

-- The metapage rules: an option changed later counts from the next REINDEX on
ALTER INDEX hnsw_options_none SET (m = 8, quantization = scalar, bits = 8);
ALTER INDEX hnsw_options_none SET (m = 64);
ALTER INDEX hnsw_options_none SET (m = 1000);
SELECT m, quantization, bits FROM vectorizer.index_info('hnsw_options_none');
INSERT INTO hnsw_options SELECT i, ARRAY[i, 2, 0]::vector FROM generate_series(6, 9) AS i;
SELECT nodes, heap_rows FROM vectorizer.index_check('hnsw_options_none');
REINDEX INDEX hnsw_options_none;
SELECT m, quantization, bits FROM vectorizer.index_info('hnsw_options_none');
SELECT nodes, heap_rows FROM vectorizer.index_check('hnsw_options_none');
ALTER INDEX hnsw_options_none RESET (m, quantization, bits);
REINDEX INDEX hnsw_options_none;
SELECT m, chosen_automatically FROM vectorizer.index_info('hnsw_options_none');
DROP INDEX hnsw_options_none, hnsw_options_8, hnsw_options_4, hnsw_options_2, hnsw_options_1, hnsw_options_product, hnsw_options_target, hnsw_options_auto;

-- Columns
CREATE INDEX ON hnsw_options USING hnsw (w vector_l2_ops);
\set VERBOSITY sqlstate
CREATE INDEX ON hnsw_options USING hnsw (w vector_l2_ops);
\set VERBOSITY default
CREATE INDEX ON hnsw_options USING hnsw (v);
CREATE INDEX ON hnsw_options USING hnsw (id vector_l2_ops);
CREATE INDEX ON hnsw_options USING hnsw (r vector_l2_ops);
CREATE INDEX ON hnsw_options USING hnsw (v vector_l2_ops, x vector_l2_ops);
CREATE INDEX ON hnsw_options USING hnsw (v vector_l2_ops) INCLUDE (id);
CREATE UNIQUE INDEX ON hnsw_options USING hnsw (v vector_l2_ops);
CREATE INDEX ON hnsw_options USING hnsw (v vector_l2_ops DESC);
CREATE INDEX ON hnsw_options USING hnsw (v vector_l2_ops NULLS FIRST);
\set VERBOSITY sqlstate
ALTER TABLE hnsw_options ADD EXCLUDE USING hnsw (v vector_l2_ops WITH =);
\set VERBOSITY default
CREATE INDEX hnsw_options_v ON hnsw_options USING hnsw (v vector_l2_ops);
CLUSTER hnsw_options USING hnsw_options_v;
DROP TABLE hnsw_options;

-- Dimensions: as many as fit into a page
CREATE TABLE hnsw_large (a vector(1992), b vector(2000), c vector(7900), d vector(15000), e vector(16000));
CREATE INDEX ON hnsw_large USING hnsw (a vector_l2_ops) WITH (quantization = none);
CREATE INDEX ON hnsw_large USING hnsw (b vector_l2_ops) WITH (quantization = none);
CREATE INDEX ON hnsw_large USING hnsw (c vector_l2_ops) WITH (quantization = none);
CREATE INDEX ON hnsw_large USING hnsw (c vector_l2_ops) WITH (quantization = scalar, bits = 8);
CREATE INDEX ON hnsw_large USING hnsw (d vector_l2_ops) WITH (quantization = scalar, bits = 8);
CREATE INDEX ON hnsw_large USING hnsw (d vector_l2_ops) WITH (quantization = none);
CREATE INDEX ON hnsw_large USING hnsw (e vector_l2_ops) WITH (quantization = scalar, bits = 4, m = 100, ef_construction = 200);
CREATE INDEX ON hnsw_large USING hnsw (e vector_l2_ops) WITH (quantization = product, subspaces = 8000);
CREATE INDEX hnsw_large_m ON hnsw_large USING hnsw (e vector_l2_ops) WITH (m = 100, ef_construction = 200);
SELECT quantization, bits FROM vectorizer.index_info('hnsw_large_m');
DROP INDEX hnsw_large_m;
\set VERBOSITY sqlstate
CREATE INDEX ON hnsw_large USING hnsw (c vector_l2_ops) WITH (quantization = none);
\set VERBOSITY default
CREATE INDEX hnsw_large_e ON hnsw_large USING hnsw (e vector_l2_ops) WITH (m = 2, ef_construction = 8);
SELECT dimensions, bits, slots_per_page FROM vectorizer.index_info('hnsw_large_e');
INSERT INTO hnsw_large (e) SELECT array_fill((i % 10)::real, ARRAY[8000])::vector || array_fill(i::real, ARRAY[8000])::vector FROM generate_series(1, 40) AS i;
SELECT nodes, heap_rows FROM vectorizer.index_check('hnsw_large_e');
SET enable_seqscan = off;
SELECT vector_norm(e)::int FROM hnsw_large ORDER BY e <-> array_fill(0::real, ARRAY[16000])::vector LIMIT 3;
DROP TABLE hnsw_large;
