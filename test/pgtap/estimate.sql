-- What vectorizer.estimate_index() says beforehand is what the index then takes.
BEGIN;
SELECT plan(12);
SET LOCAL maintenance_work_mem = '64MB';

CREATE TABLE item (id integer, v vector(64));
INSERT INTO item SELECT i, CASE WHEN i % 5 > 0 THEN
	(SELECT array_agg((hashint4extended(i, x) % 1000)::real) FROM generate_series(1, 64) AS x)::vector END FROM generate_series(1, 12500) AS i;
ANALYZE item;
CREATE TABLE said AS SELECT * FROM vectorizer.estimate_index('item', 'v', options => '{m=12, quantization = scalar, bits=8}', sample_rows => 2000);
CREATE INDEX item_v ON item USING hnsw (v vector_l2_ops) WITH (m = 12, quantization = scalar, bits = 8);

SELECT cmp_ok(abs(rows - 10000), '<', 300::bigint, 'rows with a vector') FROM said;
SELECT is((quantization, bits), ('scalar'::text, 8), 'the options count') FROM said;
SELECT cmp_ok(abs(index_bytes::float8 / pg_relation_size('item_v') - 1), '<', 0.05::float8, 'the size') FROM said;
SELECT ok(fits_in_memory, 'it fits') FROM said;
SELECT ok(memory_bytes BETWEEN 10000 * 200 AND 10000 * 400, 'memory for a code of 64 bytes and 24 links') FROM said;
SELECT ok(seconds_at_least > 0 AND seconds_at_least < seconds_at_most, 'a range of time') FROM said;
SELECT is(sampled_rows BETWEEN 1200 AND 2000, true, 'from a sample') FROM said;
SELECT cmp_ok(vectorizer.build_memory('item_v', 20000), '>', (SELECT memory_bytes FROM said), 'more rows take more memory');

SET LOCAL maintenance_work_mem = '1MB';
SELECT ok(NOT fits_in_memory, 'it does not fit') FROM vectorizer.estimate_index('item', 'v', 'vector_cosine_ops');
CREATE TABLE nothing (v vector(3));
SELECT is((rows, sampled_rows), (0::bigint, 0::bigint), 'an empty table') FROM vectorizer.estimate_index('nothing', 'v');
SELECT throws_ok($$SELECT vectorizer.estimate_index('item', 'v', sample_rows => 1)$$, '22023', NULL, 'too small a sample');
SELECT throws_ok($$SELECT vectorizer.estimate_index('item', 'v', options => '{bits=7}')$$, '22023', NULL, 'an option that is none');

SELECT * FROM finish();
ROLLBACK;
