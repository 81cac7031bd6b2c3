// Hamming and Jaccard distance of the server's own bit strings, whose unused last bits are zero.
#include "pg/compat.hpp"

extern "C" {
#include "port/pg_bitutils.h"
#include "utils/varbit.h"
}

namespace vectorizer::pg {

namespace {

/// The number of bits set in operation(a, b).
template <typename Operation>
uint64 count_bits(const VarBit *a, const VarBit *b, Operation operation)
{
	const bits8 *x = VARBITS(a);
	const bits8 *y = VARBITS(b);
	const auto bytes = static_cast<Size>(VARBITBYTES(a));
	uint64 count = 0;
	Size i = 0;
	for (; i + sizeof(uint64) <= bytes; i += sizeof(uint64)) {
		uint64 p, q;
		memcpy(&p, x + i, sizeof(p));
		memcpy(&q, y + i, sizeof(q));
		count += static_cast<uint64>(pg_popcount64(operation(p, q)));
	}
	for (; i < bytes; i++)
		count += static_cast<uint64>(pg_popcount64(operation(uint64{x[i]}, uint64{y[i]})));
	return count;
}

void check_same_length(const VarBit *a, const VarBit *b)
{
	if (VARBITLEN(a) != VARBITLEN(b))
		ereport(ERROR,
				(errcode(ERRCODE_DATA_EXCEPTION),
				 errmsg("different bit lengths %u and %u",
						static_cast<unsigned>(VARBITLEN(a)), static_cast<unsigned>(VARBITLEN(b)))));
}

}  // namespace

extern "C" {

PG_FUNCTION_INFO_V1(vectorizer_hamming_distance);
PGDLLEXPORT Datum vectorizer_hamming_distance(PG_FUNCTION_ARGS)
{
	const VarBit *a = PG_GETARG_VARBIT_P(0);
	const VarBit *b = PG_GETARG_VARBIT_P(1);
	check_same_length(a, b);
	PG_RETURN_FLOAT8(static_cast<double>(count_bits(a, b, [](uint64 p, uint64 q) { return p ^ q; })));
}

// 1 - |a and b| / |a or b|; 1 where no bit is common, two strings of zeros included.
PG_FUNCTION_INFO_V1(vectorizer_jaccard_distance);
PGDLLEXPORT Datum vectorizer_jaccard_distance(PG_FUNCTION_ARGS)
{
	const VarBit *a = PG_GETARG_VARBIT_P(0);
	const VarBit *b = PG_GETARG_VARBIT_P(1);
	check_same_length(a, b);
	const uint64 common = count_bits(a, b, [](uint64 p, uint64 q) { return p & q; });
	if (common == 0)
		PG_RETURN_FLOAT8(1);
	const uint64 either = count_bits(a, b, [](uint64 p, uint64 q) { return p | q; });
	PG_RETURN_FLOAT8(1 - static_cast<double>(common) / static_cast<double>(either));
}

}  // extern "C"

}  // namespace vectorizer::pg
