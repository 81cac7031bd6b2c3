-- Casts between vector and arrays.
SELECT ARRAY[1, -2, 3]::vector, ARRAY[1.5, 2]::real[]::vector, ARRAY[0.1, 1e-50]::float8[]::vector, ARRAY[1.25, 2]::numeric[]::vector;
SELECT '{1,2,3}'::int[]::vector, '{1.5}'::real[]::vector, '{0.1}'::float8[]::vector, '{1e30}'::numeric[]::vector;
SELECT '[5:7]={1,2,3}'::int[]::vector AS any_bounds;
SELECT ARRAY[2147483647, -2147483648]::vector AS rounded;
SELECT '[1,2.5,-3e38]'::vector::real[], array_ndims('[1,2]'::vector::real[]), array_dims('[1,2]'::vector::real[]);
SELECT pg_typeof('[1]'::vector::real[]), '[1,2]'::vector::real[] = '{1,2}';
SELECT ('[' || repeat('1,', 15999) || '1]')::vector::real[]::vector = ('[' || repeat('1,', 15999) || '1]')::vector AS most;

-- vector to real[] is implicit, arrays to vector only on assignment
CREATE FUNCTION pg_temp.first_of(real[]) RETURNS real LANGUAGE sql AS 'SELECT $1[1]';
SELECT pg_temp.first_of('[7,8]'::vector);
SELECT vector_dims(ARRAY[1, 2]);
CREATE TEMPORARY TABLE vector_assigned (v vector(2));
INSERT INTO vector_assigned VALUES (ARRAY[1, 2]), (ARRAY[1, 2]::real[]), (ARRAY[1, 2]::float8[]), (ARRAY[1, 2]::numeric[]);
SELECT v, count(*) FROM vector_assigned GROUP BY v;

-- The conversion functions that the casts name
SELECT array_to_vector(ARRAY[1, 2], -1, true), vector_to_float4('[1,2]', -1, true), vector('[1,2]'::vector, 2, true);

CREATE FUNCTION pg_temp.attempt(query text, OUT state text, OUT message text) AS $$
BEGIN
	EXECUTE query;
	message := 'no error';
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, message = MESSAGE_TEXT;
END
$$ LANGUAGE plpgsql;
CREATE FUNCTION pg_temp.text_to_vector(text[], integer, boolean) RETURNS vector
	LANGUAGE C IMMUTABLE STRICT AS '$libdir/vectorizer', 'vectorizer_array_to_vector';

SELECT query, a.*
FROM unnest(ARRAY[
	$$SELECT '{}'::int[]::vector$$,
	$$SELECT '{}'::numeric[]::vector$$,
	$$SELECT '{{1,2},{3,4}}'::int[]::vector$$,
	$$SELECT '{{1}}'::real[]::vector$$,
	$$SELECT '{1,NULL}'::int[]::vector$$,
	$$SELECT '{NULL}'::real[]::vector$$,
	$$SELECT '{NULL,1}'::float8[]::vector$$,
	$$SELECT '{1,NULL,3}'::numeric[]::vector$$,
	$$SELECT '{NaN}'::real[]::vector$$,
	$$SELECT '{NaN}'::float8[]::vector$$,
	$$SELECT '{NaN}'::numeric[]::vector$$,
	$$SELECT '{Infinity}'::real[]::vector$$,
	$$SELECT '{1,-Infinity}'::float8[]::vector$$,
	$$SELECT '{Infinity}'::numeric[]::vector$$,
	$$SELECT '{1e39}'::float8[]::vector$$,
	$$SELECT '{1e39}'::numeric[]::vector$$,
	$$SELECT array_agg(i)::vector FROM generate_series(1, 16001) i$$,
	$$SELECT array_agg(i::numeric)::vector FROM generate_series(1, 16001) i$$,
	$$SELECT pg_temp.text_to_vector('{a}', -1, true)$$
]) WITH ORDINALITY AS q (query, n), LATERAL pg_temp.attempt(query) AS a
ORDER BY n;
