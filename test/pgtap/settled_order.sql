-- Codes of 8 bits say the order of rows that lie far apart: those are returned without a look at their vectors.
BEGIN;
SELECT plan(8);

-- Vectors of 700 dimensions along a line, each a little farther from where it begins; out of line, as they are by default.
CREATE TABLE line (id integer, v vector(700));
SELECT setseed(.25);
CREATE TEMP TABLE direction AS SELECT array_agg(random() - .5 ORDER BY i) AS x, array_agg(random() - .5 ORDER BY i) AS origin
	FROM generate_series(1, 700) AS i;
INSERT INTO line SELECT n, (SELECT array_agg(o + n ^ 1.2 * .02 * d ORDER BY i)
							FROM unnest(origin, x) WITH ORDINALITY AS u(o, d, i))::vector
	FROM generate_series(1, 1500) AS n, direction;
CREATE INDEX line_hnsw ON line USING hnsw (v vector_l2_ops) WITH (quantization = scalar, bits = 8);
ANALYZE line;
SET LOCAL enable_seqscan = off;
SET LOCAL enable_sort = off;

CREATE FUNCTION pg_temp.nearest(n integer) RETURNS integer[] LANGUAGE sql AS $$
	SELECT ARRAY(SELECT id FROM line ORDER BY v <-> (SELECT origin::vector FROM direction) LIMIT n) $$;
CREATE FUNCTION pg_temp.fetched() RETURNS bigint LANGUAGE sql AS 'SELECT heap_fetches FROM vectorizer.last_search()';

SELECT is(pg_temp.nearest(50), ARRAY(SELECT generate_series(1, 50)), 'in order');
SELECT cmp_ok(pg_temp.fetched(), '<', 25::bigint, 'most without their vectors');

DELETE FROM line WHERE id % 3 = 0;
SELECT is(pg_temp.nearest(20), ARRAY(SELECT i FROM generate_series(1, 30) AS i WHERE i % 3 <> 0 LIMIT 20),
	'deleted rows are not returned');
UPDATE line SET v = (SELECT origin::vector FROM direction) WHERE id = 1400;
SELECT is(pg_temp.nearest(3), ARRAY[1400, 1, 2], 'an updated row is returned where it is now');
INSERT INTO line SELECT 2000 + i, v FROM line, generate_series(1, 3) AS i WHERE id = 2;
SELECT is((SELECT array_agg(id ORDER BY id) FROM unnest(pg_temp.nearest(6)) AS id), ARRAY[1, 2, 1400, 2001, 2002, 2003],
	'so are rows with equal codes');
SELECT is((SELECT count(*) FROM (SELECT FROM line ORDER BY v <-> (SELECT origin::vector FROM direction)) AS l),
	(SELECT count(*) FROM line), 'and all rows, once each');

SELECT lives_ok('SELECT vectorizer.index_check(''line_hnsw'')', 'index_check finds nothing');
SELECT is((SELECT quantization FROM vectorizer.index_info('line_hnsw')), 'scalar', 'codes of 8 bits');
SELECT * FROM finish();
ROLLBACK;
