-- Operators of vectors.
SELECT '[0,0]'::vector <-> '[3,4]' AS l2, '[1,2]'::vector <#> '[3,4]' AS negative_ip, '[1,0]'::vector <=> '[0,1]' AS cosine, '[0,0]'::vector <+> '[3,4]' AS l1;
SELECT '[1,2,3]'::vector + '[4,5,6]', '[1,2,3]'::vector - '[4,5,6]', '[1,2,3]'::vector * '[4,5,6]', '[1,2,3]'::vector || '[4,5]';
SELECT '[1,0,-1e-45]'::vector * '[0,1e-45,0]' AS no_underflow, '[1e-45]'::vector - '[1e-45]' AS zero;
SELECT vector_dims(v || v) FROM (SELECT array_agg(1)::vector AS v FROM generate_series(1, 8000)) AS s;

SELECT a, b, a < b AS lt, a <= b AS le, a = b AS eq, a <> b AS ne, a >= b AS ge, a > b AS gt, vector_cmp(a, b) AS cmp
FROM (VALUES
	('[1,2,3]'::vector, '[1,2,3]'::vector), ('[1,2,3]', '[1,2,4]'), ('[1,2,4]', '[1,2,3]'), ('[1,2]', '[1,2,3]'),
	('[1,2,3]', '[1,2]'), ('[2]', '[1,2,3]'), ('[1,2,3]', '[2]'), ('[0]', '[-0]'), ('[-1]', '[1e-45]')
) AS pairs (a, b);

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
	$$SELECT '[1,2]'::vector <-> '[1]'$$,
	$$SELECT '[1,2]'::vector <#> '[1]'$$,
	$$SELECT '[1,2]'::vector <=> '[1]'$$,
	$$SELECT '[1,2]'::vector <+> '[1]'$$,
	$$SELECT '[1,2]'::vector + '[1]'$$,
	$$SELECT '[1,2]'::vector - '[1]'$$,
	$$SELECT '[1,2]'::vector * '[1]'$$,
	$$SELECT '[3e38]'::vector + '[3e38]'$$,
	$$SELECT '[-3e38]'::vector - '[3e38]'$$,
	$$SELECT '[1e37]'::vector * '[1e37]'$$,
	$$SELECT '[1,1e-37]'::vector * '[1,1e-37]'$$,
	$$SELECT v || '[1]' FROM (SELECT array_agg(1)::vector AS v FROM generate_series(1, 16000)) AS s$$
]) WITH ORDINALITY AS q (query, n), LATERAL pg_temp.attempt(query) AS a
ORDER BY n;
