-- In strict order what turns out nearer than a row that has been returned is dropped, mostly without a look at its vector.
BEGIN;
SELECT plan(3);

-- Many far clusters and few links: a search often begins in the wrong one.
CREATE TABLE spots (id integer, v vector(48));
SELECT setseed(.5);
INSERT INTO spots SELECT c * 100 + i, (SELECT array_agg(x + .1 * (random() - .5) + 0 * i) FROM unnest(centre) AS x)::vector
	FROM (SELECT c, array_agg(random() + 0 * c) AS centre FROM generate_series(1, 150) AS c, generate_series(1, 48) GROUP BY c) AS s,
		generate_series(1, 80) AS i;
CREATE INDEX spots_hnsw ON spots USING hnsw (v vector_l2_ops) WITH (m = 2, ef_construction = 4, quantization = scalar, bits = 4);
ANALYZE spots;
SET LOCAL enable_seqscan = off;
SET LOCAL enable_sort = off;
SET LOCAL vectorizer.ef_search = 1;

CREATE TEMP TABLE seen (dropped bigint, fetched bigint, rows bigint, in_order boolean);
DO $$
DECLARE
	q vector;
	found float8[];
BEGIN
	FOR q IN SELECT v FROM spots WHERE id % 1000 = 1 LOOP
		found := ARRAY(SELECT v <-> q FROM spots ORDER BY v <-> q);
		INSERT INTO seen SELECT rows_dropped, heap_fetches, rows_returned, found = ARRAY(SELECT d FROM unnest(found) AS d ORDER BY d)
			FROM vectorizer.last_search();
	END LOOP;
END $$;
SELECT ok(bool_and(in_order AND rows + dropped = (SELECT count(*) FROM spots)), 'every scan was in order, and came to an end') FROM seen;
SELECT cmp_ok(sum(dropped), '>', 0::numeric, 'rows were found too late') FROM seen;
SELECT cmp_ok(sum(fetched), '<', sum(rows + dropped), 'and not all of them fetched') FROM seen;
SELECT * FROM finish();
ROLLBACK;
