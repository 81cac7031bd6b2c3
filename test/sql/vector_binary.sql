-- Binary form: int16 dimensions, int16 0, float4 numbers, all big-endian.
SELECT vector_send('[1]'), vector_send('[1,-2,0.5]'), vector_send('[-0,1e-45,3.4028235e38]');
-- In memory: a 4-byte header, two int16, then the numbers. Stored: 3 bytes less while a 1-byte header can say the size.
SELECT pg_column_size('[1]'::vector), pg_column_size('[1,2,3]'::vector);
CREATE TABLE vector_stored (v vector);
INSERT INTO vector_stored SELECT array_fill(1::real, ARRAY[d])::vector FROM unnest(ARRAY[1, 3, 29, 30, 1000]) AS d;
SELECT vector_dims(v), pg_column_size(v), inner_product(v, v) AS sum FROM vector_stored ORDER BY v;
DROP TABLE vector_stored;

\getenv abs_builddir PG_ABS_BUILDDIR
\cd :abs_builddir
\cd results

-- What is sent is received
CREATE TABLE vector_binary (id int, v vector(3), free vector);
INSERT INTO vector_binary
SELECT i, ARRAY[i, -i / 7.0, exp(-i)]::vector, array_agg(j * 0.1)::vector
FROM generate_series(1, 50) AS i, generate_series(1, i * 20) AS j GROUP BY i;
INSERT INTO vector_binary VALUES (0, NULL, '[1]');
CREATE TABLE vector_binary_back (LIKE vector_binary);
COPY vector_binary TO STDOUT (FORMAT binary) \g vector_binary.tmp
\copy vector_binary_back FROM vector_binary.tmp (FORMAT binary)
SELECT count(*), count(*) FILTER (WHERE a.v IS NOT DISTINCT FROM b.v AND a.free = b.free) AS same
FROM vector_binary AS a JOIN vector_binary_back AS b USING (id);
DROP TABLE vector_binary, vector_binary_back;

-- Hostile bytes: a bytea column is copied out as it is, and read as a vector
CREATE TABLE vector_hostile (v vector);
COPY (SELECT '\x0002000040000000c0000000'::bytea) TO STDOUT (FORMAT binary) \g vector_binary.tmp
\copy vector_hostile FROM vector_binary.tmp (FORMAT binary)
SELECT v FROM vector_hostile;
TRUNCATE vector_hostile;

\echo nothing at all
COPY (SELECT ''::bytea) TO STDOUT (FORMAT binary) \g vector_binary.tmp
\copy vector_hostile FROM vector_binary.tmp (FORMAT binary)
\echo half a header
COPY (SELECT '\x000100'::bytea) TO STDOUT (FORMAT binary) \g vector_binary.tmp
\copy vector_hostile FROM vector_binary.tmp (FORMAT binary)
\echo no dimensions
COPY (SELECT '\x00000000'::bytea) TO STDOUT (FORMAT binary) \g vector_binary.tmp
\copy vector_hostile FROM vector_binary.tmp (FORMAT binary)
\echo -1 and -32768 dimensions
COPY (SELECT '\xffff00003f800000'::bytea) TO STDOUT (FORMAT binary) \g vector_binary.tmp
\copy vector_hostile FROM vector_binary.tmp (FORMAT binary)
COPY (SELECT '\x800000003f800000'::bytea) TO STDOUT (FORMAT binary) \g vector_binary.tmp
\copy vector_hostile FROM vector_binary.tmp (FORMAT binary)
\echo 16001 and 32767 dimensions
COPY (SELECT '\x3e8100003f800000'::bytea) TO STDOUT (FORMAT binary) \g vector_binary.tmp
\copy vector_hostile FROM vector_binary.tmp (FORMAT binary)
COPY (SELECT '\x7fff00003f800000'::bytea) TO STDOUT (FORMAT binary) \g vector_binary.tmp
\copy vector_hostile FROM vector_binary.tmp (FORMAT binary)
\echo unused not 0
COPY (SELECT '\x000100013f800000'::bytea) TO STDOUT (FORMAT binary) \g vector_binary.tmp
\copy vector_hostile FROM vector_binary.tmp (FORMAT binary)
COPY (SELECT '\x0001ffff3f800000'::bytea) TO STDOUT (FORMAT binary) \g vector_binary.tmp
\copy vector_hostile FROM vector_binary.tmp (FORMAT binary)
\echo fewer numbers than dimensions
COPY (SELECT '\x000200003f800000'::bytea) TO STDOUT (FORMAT binary) \g vector_binary.tmp
\copy vector_hostile FROM vector_binary.tmp (FORMAT binary)
\echo more numbers than dimensions
COPY (SELECT '\x000100003f8000003f800000'::bytea) TO STDOUT (FORMAT binary) \g vector_binary.tmp
\copy vector_hostile FROM vector_binary.tmp (FORMAT binary)
\echo NaN, infinity, -infinity
COPY (SELECT '\x000100007fc00000'::bytea) TO STDOUT (FORMAT binary) \g vector_binary.tmp
\copy vector_hostile FROM vector_binary.tmp (FORMAT binary)
COPY (SELECT '\x000100007f800000'::bytea) TO STDOUT (FORMAT binary) \g vector_binary.tmp
\copy vector_hostile FROM vector_binary.tmp (FORMAT binary)
COPY (SELECT '\x00010000ff800000'::bytea) TO STDOUT (FORMAT binary) \g vector_binary.tmp
\copy vector_hostile FROM vector_binary.tmp (FORMAT binary)
\echo other dimensions than the column
ALTER TABLE vector_hostile ALTER COLUMN v TYPE vector(3);
COPY (SELECT '\x000100003f800000'::bytea) TO STDOUT (FORMAT binary) \g vector_binary.tmp
\copy vector_hostile FROM vector_binary.tmp (FORMAT binary)

SELECT count(*) FROM vector_hostile;
\set VERBOSITY sqlstate
COPY (SELECT '\x000100013f800000'::bytea) TO STDOUT (FORMAT binary) \g vector_binary.tmp
\copy vector_hostile FROM vector_binary.tmp (FORMAT binary)
DROP TABLE vector_hostile;
