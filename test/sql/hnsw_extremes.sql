-- Vectors at the ends of what can be stored: zeroes, 1e38, 1e-45, all coordinates equal.
SET client_min_messages = error;  -- index_check warns of nodes that no link leads to, which depends on the levels drawn
SET enable_seqscan = off;
SET enable_sort = off;
CREATE FUNCTION hnsw_extremes(opclass text, operator text, options text)
RETURNS TABLE (heap_rows bigint, scanned bigint, around_zero int, around_large int, around_equal int) LANGUAGE plpgsql AS $$
BEGIN
	CREATE TEMP TABLE extremes (id int, v vector(4));
	INSERT INTO extremes VALUES (1, '[0,0,0,0]'), (2, '[1e38,1e38,1e38,1e38]'), (3, '[-1e38,-1e38,-1e38,-1e38]');
	EXECUTE format('CREATE INDEX extremes_v ON extremes USING hnsw (v %s) WITH (%s)', opclass, options);
	INSERT INTO extremes VALUES
		(4, '[3e38,0,0,0]'), (5, '[-3e38,3e38,-3e38,3e38]'), (6, '[1e-45,0,0,0]'), (7, '[0,1e-38,1e-38,0]'),
		(8, '[1,1,1,1]'), (9, '[1,2,3,4]'), (10, '[-1,2,-3,4]'), (11, '[1e38,1,1e-38,0]'), (12, '[0,0,0,0]'), (13, '[1,1,1,1]');
	SELECT c.heap_rows INTO heap_rows FROM vectorizer.index_check('extremes_v') AS c;
	SET LOCAL vectorizer.iterative_scan = relaxed_order;
	EXECUTE format('SELECT count(DISTINCT id) FROM (SELECT id FROM extremes ORDER BY v %s ''[1,2,3,4]'') AS s', operator) INTO scanned;
	EXECUTE format('SELECT count(*) FROM (SELECT id FROM extremes ORDER BY v %s ''[0,0,0,0]'') AS s', operator) INTO around_zero;
	EXECUTE format('SELECT count(*) FROM (SELECT id FROM extremes ORDER BY v %s ''[3e38,3e38,-3e38,3e38]'') AS s', operator) INTO around_large;
	EXECUTE format('SELECT id FROM extremes ORDER BY v %s ''[1,2,3,4]'' LIMIT 1', operator) INTO around_equal;
	DELETE FROM extremes WHERE id % 2 = 0;
	DROP TABLE extremes;
	RETURN NEXT;
END $$;
SELECT opclass, options, (hnsw_extremes(opclass, operator, options)).*
FROM (VALUES ('vector_l2_ops', '<->'), ('vector_ip_ops', '<#>'), ('vector_cosine_ops', '<=>'), ('vector_l1_ops', '<+>')) AS o (opclass, operator),
	(VALUES ('quantization = none'), ('quantization = scalar, bits = 8'), ('quantization = scalar, bits = 4')) AS p (options)
ORDER BY opclass, options;
DROP FUNCTION hnsw_extremes;

-- Zero vectors are not indexed under cosine, and not found through it
CREATE TABLE hnsw_zero (id int, v vector(3));
INSERT INTO hnsw_zero VALUES (1, '[0,0,0]'), (2, '[1,0,0]'), (3, '[-0,0,0]'), (4, NULL);
CREATE INDEX hnsw_zero_v ON hnsw_zero USING hnsw (v vector_cosine_ops);
INSERT INTO hnsw_zero VALUES (5, '[0,0,0]'), (6, '[1,1,0]');
SELECT nodes, heap_rows FROM vectorizer.index_check('hnsw_zero_v');
SELECT id, round((v <=> '[1,0.1,0]')::numeric, 6) FROM hnsw_zero ORDER BY v <=> '[1,0.1,0]';
SELECT count(*) FROM (SELECT id FROM hnsw_zero ORDER BY v <=> '[0,0,0]') AS s;
DROP TABLE hnsw_zero;

-- One dimension; equal vectors only
CREATE TABLE hnsw_line (id int, v vector(1)) WITH (autovacuum_enabled = off);
INSERT INTO hnsw_line SELECT i, ARRAY[i]::vector FROM generate_series(-20, 20) AS i;
CREATE INDEX hnsw_line_v ON hnsw_line USING hnsw (v vector_l2_ops) WITH (quantization = none);
SELECT array_agg(id) FROM (SELECT id FROM hnsw_line ORDER BY v <-> '[5.4]' LIMIT 6) AS s;
UPDATE hnsw_line SET v = '[7]';
SELECT nodes > 1 AS old_and_new, heap_rows FROM vectorizer.index_check('hnsw_line_v');
SELECT count(DISTINCT id) FROM (SELECT id FROM hnsw_line ORDER BY v <-> '[7]') AS s;
VACUUM hnsw_line;
SELECT nodes, heap_rows, tombstones FROM vectorizer.index_check('hnsw_line_v');
SELECT count(DISTINCT id) FROM (SELECT id FROM hnsw_line ORDER BY v <-> '[7]') AS s;
DROP TABLE hnsw_line;
