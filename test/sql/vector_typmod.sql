-- The type modifier is the number of dimensions.
CREATE TABLE vector_typmod (id int PRIMARY KEY, three vector(3), free vector, most vector(16000));
SELECT attname, atttypmod, format_type(atttypid, atttypmod)
FROM pg_attribute WHERE attrelid = 'vector_typmod'::regclass AND attnum > 1 ORDER BY attnum;

INSERT INTO vector_typmod VALUES (1, '[1,2,3]', '[1]'), (2, ARRAY[4, 5, 6], '[1,2]'), (3, NULL, NULL);
SELECT id, three, free FROM vector_typmod ORDER BY id;
INSERT INTO vector_typmod (id, three) VALUES (4, '[1,2]');
INSERT INTO vector_typmod (id, three) VALUES (4, ARRAY[1, 2]);
INSERT INTO vector_typmod (id, three) SELECT 4, free FROM vector_typmod WHERE id = 2;
UPDATE vector_typmod SET three = free WHERE id = 2;
ALTER TABLE vector_typmod ALTER COLUMN free TYPE vector(2);
DELETE FROM vector_typmod WHERE id = 1;
ALTER TABLE vector_typmod ALTER COLUMN free TYPE vector(2);
SELECT id, three, free FROM vector_typmod ORDER BY id;

SELECT '[1,2,3]'::vector(3), '[1,2,3]'::vector::vector(3), '{1,2,3}'::int[]::vector(3);

CREATE FUNCTION pg_temp.attempt(query text, OUT state text, OUT message text) AS $$
BEGIN
	EXECUTE query;
	message := 'no error';
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, message = MESSAGE_TEXT;
END
$$ LANGUAGE plpgsql;

SELECT query, a.*
FROM unnest(ARRAY[
	$$SELECT '[1,2,3]'::vector(2)$$,
	$$SELECT '[1,2,3]'::vector::vector(4)$$,
	$$SELECT '{1,2,3}'::int[]::vector(2)$$,
	$$SELECT '{1,2,3}'::real[]::vector(2)$$,
	$$SELECT '{1,2,3}'::float8[]::vector(2)$$,
	$$SELECT '{1,2,3}'::numeric[]::vector(2)$$,
	$$SELECT NULL::vector(0)$$,
	$$SELECT NULL::vector(-1)$$,
	$$SELECT NULL::vector(16000)$$,
	$$SELECT NULL::vector(16001)$$,
	$$SELECT NULL::vector(1, 2)$$,
	$$SELECT NULL::vector('x')$$
]) WITH ORDINALITY AS q (query, n), LATERAL pg_temp.attempt(query) AS a
ORDER BY n;

DROP TABLE vector_typmod;
