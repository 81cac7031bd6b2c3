-- Distances of bit strings.
SELECT hamming_distance('111', '111'), hamming_distance('111', '110'), hamming_distance('111', '000'), hamming_distance('', '');
SELECT jaccard_distance('1111', '1111'), jaccard_distance('1111', '1110'), jaccard_distance('1100', '0011'), jaccard_distance('0000', '0000'), jaccard_distance('', '');
SELECT B'1010' <~> B'0110', B'1100' <%> B'0110';
SELECT B'1010'::bit(4) <~> B'0110'::bit varying;
-- Lengths around whole words
SELECT count(*) AS disagree
FROM generate_series(1, 200) AS n,
	LATERAL (SELECT rpad('', n, '1101000')::bit varying AS a, rpad('', n, '10011')::bit varying AS b) AS s
WHERE hamming_distance(a, b) <> bit_count(a # b)
	OR jaccard_distance(a, b) <> 1 - bit_count(a & b)::float8 / bit_count(a | b);
SELECT hamming_distance(binary_quantize('[1,-1,1]'::vector), '110');

\set VERBOSITY sqlstate
SELECT hamming_distance('111', '11');
SELECT B'1' <%> B'11';
\set VERBOSITY default
SELECT B'111' <~> B'11';
SELECT jaccard_distance('111', '11');
