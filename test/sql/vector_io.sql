-- Text form of vector: what is read, what is printed, what is refused and how.
SELECT '[1,2,3]'::vector;
SELECT '[1.50,-2,+3,.5,4.,1e2,-1E-2]'::vector;
SELECT E' \t\n\r\f\x0b[ \t1 , 2\n,\r3 ] \x0b'::vector;
SELECT '[0,-0,1e-50,-1e-50]'::vector AS zeros;
SELECT '[0.1,1.23456789,16777216,123456.789,1e6,1e15,1e16,1e-4,1e-5]'::vector AS shortest;
SELECT '[3.4028235e38,-3.4028235e38,1.17549435e-38,1e-45]'::vector AS extremes;
SELECT '[3.40282356e38]'::vector AS rounds_down;
SELECT ' [ 0x10 , 0x1p-3 ] '::vector AS hexadecimal;

-- What is printed reads back as the same numbers
SELECT count(*), count(*) FILTER (WHERE v::text::vector = v) AS same
FROM (
	SELECT ARRAY[sin(i), exp(i % 80), -1.0 / i, i * 1e30, exp(-(i % 80))]::float8[]::vector AS v
	FROM generate_series(1, 1000) AS i
) AS s;

SELECT vector_dims(('[' || repeat('1,', 15999) || '1]')::vector);

-- Errors, with their SQLSTATE
CREATE FUNCTION pg_temp.attempt(query text, OUT state text, OUT message text, OUT detail text) AS $$
BEGIN
	EXECUTE query;
	message := 'no error';
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL;
END
$$ LANGUAGE plpgsql;

SELECT a.*
FROM unnest(ARRAY[
	'', ' ', 'a', '1', '1,2]', '{1,2}', '(1,2)',
	'[', '[ ', '[1', '[1,', '[1,2', '[,', '[,1]', '[1,]', '[1,,2]', '[1 2]', '[1;2]', '[a]', '[1,2a]', '[1a,2]', '[-]', '[.]', '[1e]',
	'[[1]]', '[1]]', '[1,2]3', '[1,2] x', '[1,2],[3]',
	'[]', ' [ ] ',
	'[NaN]', '[1,nan]', '[NaN', '[Infinity]', '[inf]', '[-Infinity]', '[+inf]',
	'[1e39]', '[1,-1e39 ]', '[ 3.5e38]', '[1e400]', '[1e39,x]'
]) WITH ORDINALITY AS input (text, n), LATERAL pg_temp.attempt(format('SELECT %L::vector', input.text)) AS a
ORDER BY n;
SELECT * FROM pg_temp.attempt($$SELECT ('[' || repeat('1,', 16000) || '1]')::vector$$);

-- The same as a client sees them
SELECT '[1,2'::vector;
SELECT '1,2]'::vector;
SELECT '[1,2]]'::vector;
