-- Functions of vectors.
SELECT l2_distance('[0,0]'::vector, '[3,4]'), l2_distance('[0,0]'::vector, '[0,1]'), l2_distance('[3e38]'::vector, '[-3e38]');
SELECT vector_l2_squared_distance('[0,0]', '[3,4]');
SELECT inner_product('[1,2]'::vector, '[3,4]'), inner_product('[3e38]'::vector, '[3e38]'), vector_negative_inner_product('[1,2]', '[3,4]');
SELECT cosine_distance('[1,2]'::vector, '[2,4]') AS same, cosine_distance('[1,0]'::vector, '[0,2]') AS across, cosine_distance('[1,1]'::vector, '[-1,-1]') AS opposite;
SELECT cosine_distance('[1,2]'::vector, '[0,0]') AS zero, cosine_distance('[0,0]'::vector, '[0,0]') AS zeros, cosine_distance('[3e38]'::vector, '[3e38]') AS overflow;
SELECT cosine_distance('[1,1]'::vector, '[1.1,1.1]') AS clamped_below, cosine_distance('[1,1]'::vector, '[-1.1,-1.1]') AS clamped_above;
SELECT l1_distance('[0,0]'::vector, '[3,-4]'), l1_distance('[3e38]'::vector, '[-3e38]');
SELECT vector_spherical_distance('[1,0]', '[0,1]') AS right_angle, vector_spherical_distance('[1,0]', '[1,0]') AS same,
	vector_spherical_distance('[1,0]', '[-1,0]') AS opposite, vector_spherical_distance('[2]', '[2]') AS clamped;
-- Longer than any kernel's step
SELECT l2_distance(a, b), inner_product(a, b), l1_distance(a, b), cosine_distance(a, a)
FROM (SELECT array_agg(1)::vector AS a, array_agg(3)::vector AS b FROM generate_series(1, 1001)) AS s;
SELECT count(*) AS disagree
FROM generate_series(1, 70) AS d,
	LATERAL (
		SELECT array_agg(i % 7)::vector AS a, array_agg(i % 5 - 2)::vector AS b,
			sum((i % 7 - (i % 5 - 2)) ^ 2) AS l2, sum((i % 7) * (i % 5 - 2)) AS ip, sum(abs(i % 7 - (i % 5 - 2))) AS l1
		FROM generate_series(1, d) AS i
	) AS s
WHERE vector_l2_squared_distance(a, b) <> l2 OR inner_product(a, b) <> ip OR l1_distance(a, b) <> l1;

SELECT vector_dims('[1,2,3]'::vector), vector_norm('[3,4]'), vector_norm('[0,0]'), vector_norm('[3e37,4e37]')::real;
SELECT l2_normalize('[3,4]'::vector), l2_normalize('[3,0]'::vector), l2_normalize('[0,0.1]'::vector), l2_normalize('[0,0]'::vector), l2_normalize('[3e38]'::vector), l2_normalize('[1e-45]'::vector);
SELECT binary_quantize('[1,0,-1]'::vector), binary_quantize('[0,0.1,-0.2,-0.3,0.4,0.5,0.6,-0.7,0.8,-0.9,1]'::vector), binary_quantize('[1e-45,-0]'::vector);
SELECT length(binary_quantize(array_agg(i % 3 - 1)::vector)), bit_count(binary_quantize(array_agg(i % 3 - 1)::vector))
FROM generate_series(1, 16000) AS i;

SELECT subvector('[1,2,3,4,5]'::vector, 1, 3), subvector('[1,2,3,4,5]'::vector, 3, 2), subvector('[1,2,3,4,5]'::vector, 5, 1), subvector('[1,2,3,4,5]'::vector, 1, 5);
SELECT subvector('[1,2,3,4,5]'::vector, 3, 9), subvector('[1,2,3,4,5]'::vector, -1, 3), subvector('[1,2,3,4,5]'::vector, 0, 2), subvector('[1,2,3,4,5]'::vector, 3, 2147483647);

SELECT l2_distance(NULL::vector, '[1]') IS NULL AND vector_dims(NULL::vector) IS NULL AND subvector('[1]'::vector, NULL, 1) IS NULL AS strict;

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
	$$SELECT l2_distance('[1,2]'::vector, '[3]')$$,
	$$SELECT vector_l2_squared_distance('[1,2]', '[3]')$$,
	$$SELECT inner_product('[1]'::vector, '[3,4]')$$,
	$$SELECT vector_negative_inner_product('[1]', '[3,4]')$$,
	$$SELECT cosine_distance('[1,2,3]'::vector, '[3]')$$,
	$$SELECT l1_distance('[1,2]'::vector, '[3]')$$,
	$$SELECT vector_spherical_distance('[1,2]', '[3]')$$,
	$$SELECT subvector('[1,2,3]'::vector, 1, 0)$$,
	$$SELECT subvector('[1,2,3]'::vector, 1, -1)$$,
	$$SELECT subvector('[1,2,3]'::vector, 4, 1)$$,
	$$SELECT subvector('[1,2,3]'::vector, -1, 2)$$,
	$$SELECT subvector('[1,2,3]'::vector, 2147483647, 2147483647)$$,
	$$SELECT subvector('[1,2,3]'::vector, -2147483648, -2147483648)$$
]) WITH ORDINALITY AS q (query, n), LATERAL pg_temp.attempt(query) AS a
ORDER BY n;
