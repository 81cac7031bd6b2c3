// The loops of every kernel, over registers whose width the including file has chosen. No include guard, no includes: it is
// included once by each kernels_<isa>.cpp, inside that file's unnamed namespace, after these definitions:
//
//   Floats, Ints, Bytes; kFloats (floats a register), kBytes (bytes a register)
//   zero_floats, load, subtract, absolute, add, multiply_add (a * b + c), sum
//   zero_ints, load_bytes, low_nibbles, high_nibbles, add_dot_u8, add_dot_u4, sum_ints
//   field<shift, mask> (of each byte), int_field (of each 32-bit integer)
//   store, least (of two registers), splat, to_floats; widen_u8, low_u4, high_u4 (kFloats bytes to integers of 32 bits: the byte, its low, its high half)
//   load_tail, load_tail_bytes: the elements i..d of an array, fewer than a register, with zeros in the other lanes.
//     Which lane holds which element depends on i and d only, so two arrays loaded alike still match. They read nothing
//     outside the array. REQUIRES: i is a multiple of the register's width, i < d.

float l2_squared(const float *a, const float *b, std::size_t d)
{
	Floats sum0 = zero_floats(), sum1 = sum0, sum2 = sum0, sum3 = sum0;
	std::size_t i = 0;
	for (; i + 4 * kFloats <= d; i += 4 * kFloats) {
		const Floats diff0 = subtract(load(a + i), load(b + i));
		const Floats diff1 = subtract(load(a + i + kFloats), load(b + i + kFloats));
		const Floats diff2 = subtract(load(a + i + 2 * kFloats), load(b + i + 2 * kFloats));
		const Floats diff3 = subtract(load(a + i + 3 * kFloats), load(b + i + 3 * kFloats));
		sum0 = multiply_add(diff0, diff0, sum0);
		sum1 = multiply_add(diff1, diff1, sum1);
		sum2 = multiply_add(diff2, diff2, sum2);
		sum3 = multiply_add(diff3, diff3, sum3);
	}
	for (; i + kFloats <= d; i += kFloats) {
		const Floats diff = subtract(load(a + i), load(b + i));
		sum0 = multiply_add(diff, diff, sum0);
	}
	if (i < d) {
		const Floats diff = subtract(load_tail(a, i, d), load_tail(b, i, d));
		sum1 = multiply_add(diff, diff, sum1);
	}
	return sum(add(add(sum0, sum1), add(sum2, sum3)));
}

float inner_product(const float *a, const float *b, std::size_t d)
{
	Floats sum0 = zero_floats(), sum1 = sum0, sum2 = sum0, sum3 = sum0;
	std::size_t i = 0;
	for (; i + 4 * kFloats <= d; i += 4 * kFloats) {
		sum0 = multiply_add(load(a + i), load(b + i), sum0);
		sum1 = multiply_add(load(a + i + kFloats), load(b + i + kFloats), sum1);
		sum2 = multiply_add(load(a + i + 2 * kFloats), load(b + i + 2 * kFloats), sum2);
		sum3 = multiply_add(load(a + i + 3 * kFloats), load(b + i + 3 * kFloats), sum3);
	}
	for (; i + kFloats <= d; i += kFloats)
		sum0 = multiply_add(load(a + i), load(b + i), sum0);
	if (i < d)
		sum1 = multiply_add(load_tail(a, i, d), load_tail(b, i, d), sum1);
	return sum(add(add(sum0, sum1), add(sum2, sum3)));
}

float l1(const float *a, const float *b, std::size_t d)
{
	Floats sum0 = zero_floats(), sum1 = sum0, sum2 = sum0, sum3 = sum0;
	std::size_t i = 0;
	for (; i + 4 * kFloats <= d; i += 4 * kFloats) {
		sum0 = add(sum0, absolute(subtract(load(a + i), load(b + i))));
		sum1 = add(sum1, absolute(subtract(load(a + i + kFloats), load(b + i + kFloats))));
		sum2 = add(sum2, absolute(subtract(load(a + i + 2 * kFloats), load(b + i + 2 * kFloats))));
		sum3 = add(sum3, absolute(subtract(load(a + i + 3 * kFloats), load(b + i + 3 * kFloats))));
	}
	for (; i + kFloats <= d; i += kFloats)
		sum0 = add(sum0, absolute(subtract(load(a + i), load(b + i))));
	if (i < d)
		sum1 = add(sum1, absolute(subtract(load_tail(a, i, d), load_tail(b, i, d))));
	return sum(add(add(sum0, sum1), add(sum2, sum3)));
}

CosineParts cosine_parts(const float *a, const float *b, std::size_t d)
{
	Floats dot0 = zero_floats(), dot1 = dot0, a0 = dot0, a1 = dot0, b0 = dot0, b1 = dot0;
	std::size_t i = 0;
	for (; i + 2 * kFloats <= d; i += 2 * kFloats) {
		const Floats x0 = load(a + i), y0 = load(b + i);
		const Floats x1 = load(a + i + kFloats), y1 = load(b + i + kFloats);
		dot0 = multiply_add(x0, y0, dot0);
		dot1 = multiply_add(x1, y1, dot1);
		a0 = multiply_add(x0, x0, a0);
		a1 = multiply_add(x1, x1, a1);
		b0 = multiply_add(y0, y0, b0);
		b1 = multiply_add(y1, y1, b1);
	}
	for (; i < d; i += kFloats) {
		const bool whole = i + kFloats <= d;
		const Floats x = whole ? load(a + i) : load_tail(a, i, d);
		const Floats y = whole ? load(b + i) : load_tail(b, i, d);
		dot0 = multiply_add(x, y, dot0);
		a0 = multiply_add(x, x, a0);
		b0 = multiply_add(y, y, b0);
	}
	return {sum(add(dot0, dot1)), sum(add(a0, a1)), sum(add(b0, b1))};
}

std::int32_t dot_s8_u8(const std::int8_t *query, const std::uint8_t *code, std::size_t d)
{
	Ints sum0 = zero_ints(), sum1 = sum0;
	std::size_t i = 0;
	for (; i + 2 * kBytes <= d; i += 2 * kBytes) {
		sum0 = add_dot_u8(sum0, load_bytes(code + i), load_bytes(query + i));
		sum1 = add_dot_u8(sum1, load_bytes(code + i + kBytes), load_bytes(query + i + kBytes));
	}
	for (; i + kBytes <= d; i += kBytes)
		sum0 = add_dot_u8(sum0, load_bytes(code + i), load_bytes(query + i));
	if (i < d)
		sum1 = add_dot_u8(sum1, load_tail_bytes(code, i, d), load_tail_bytes(query, i, d));
	return sum_ints(sum0) + sum_ints(sum1);
}

std::int32_t dot_s8_u4(const std::int8_t *query, const std::uint8_t *code, std::size_t d)
{
	// The bytes that hold two dimensions; the last byte of an odd d holds one.
	const std::size_t pairs = d / 2;
	const std::int8_t *low = query;
	const std::int8_t *high = query + (d + 1) / 2;
	Ints sum0 = zero_ints(), sum1 = sum0;
	std::size_t i = 0;
	for (; i + 2 * kBytes <= pairs; i += 2 * kBytes) {
		const Bytes code0 = load_bytes(code + i), code1 = load_bytes(code + i + kBytes);
		sum0 = add_dot_u4(sum0, low_nibbles(code0), load_bytes(low + i), high_nibbles(code0), load_bytes(high + i));
		sum1 = add_dot_u4(sum1, low_nibbles(code1), load_bytes(low + i + kBytes), high_nibbles(code1),
		                  load_bytes(high + i + kBytes));
	}
	for (; i + kBytes <= pairs; i += kBytes) {
		const Bytes bytes = load_bytes(code + i);
		sum0 = add_dot_u4(sum0, low_nibbles(bytes), load_bytes(low + i), high_nibbles(bytes), load_bytes(high + i));
	}
	if (i < pairs) {
		const Bytes bytes = load_tail_bytes(code, i, pairs);
		sum1 = add_dot_u4(sum1, low_nibbles(bytes), load_tail_bytes(low, i, pairs), high_nibbles(bytes),
		                  load_tail_bytes(high, i, pairs));
	}
	std::int32_t total = sum_ints(sum0) + sum_ints(sum1);
	if (d % 2 != 0)
		total += low[pairs] * (code[pairs] & 15);
	return total;
}

float l1_u8(const float *query, const std::uint8_t *code, float offset, float step, std::size_t d)
{
	const Floats offsets = splat(offset), steps = splat(step);
	Floats total = zero_floats();
	std::size_t i = 0;
	for (; i + kFloats <= d; i += kFloats) {
		const Floats value = multiply_add(steps, to_floats(widen_u8(code + i)), offsets);
		total = add(total, absolute(subtract(load(query + i), value)));
	}
	float rest = 0;
	for (; i < d; i++)
		rest += __builtin_fabsf(query[i] - (offset + step * code[i]));
	return sum(total) + rest;
}

float l1_u4(const float *query, const std::uint8_t *code, float offset, float step, std::size_t d)
{
	const std::size_t pairs = d / 2;
	const float *high = query + (d + 1) / 2;
	const Floats offsets = splat(offset), steps = splat(step);
	Floats total0 = zero_floats(), total1 = total0;
	std::size_t i = 0;
	for (; i + kFloats <= pairs; i += kFloats) {
		const Floats value0 = multiply_add(steps, to_floats(low_u4(code + i)), offsets);
		const Floats value1 = multiply_add(steps, to_floats(high_u4(code + i)), offsets);
		total0 = add(total0, absolute(subtract(load(query + i), value0)));
		total1 = add(total1, absolute(subtract(load(high + i), value1)));
	}
	float rest = 0;
	for (; i < pairs; i++) {
		rest += __builtin_fabsf(query[i] - (offset + step * (code[i] & 15)));
		rest += __builtin_fabsf(high[i] - (offset + step * (code[i] >> 4)));
	}
	if (d % 2 != 0)
		rest += __builtin_fabsf(query[pairs] - (offset + step * (code[pairs] & 15)));
	return sum(add(total0, total1)) + rest;
}

// A register's worth of code bytes and their queries, n bytes apart from plane to plane.
template <typename Load>
Ints add_planes_u2(Ints sum, Bytes code, std::size_t n, const std::int8_t *query, const Load &load_query)
{
	sum = add_dot_u4(sum, field<0, 3>(code), load_query(query), field<2, 3>(code), load_query(query + n));
	return add_dot_u4(sum, field<4, 3>(code), load_query(query + 2 * n), field<6, 3>(code), load_query(query + 3 * n));
}

template <typename Load>
Ints add_planes_u1(Ints sum, Bytes code, std::size_t n, const std::int8_t *query, const Load &load_query)
{
	sum = add_dot_u4(sum, field<0, 1>(code), load_query(query), field<1, 1>(code), load_query(query + n));
	sum = add_dot_u4(sum, field<2, 1>(code), load_query(query + 2 * n), field<3, 1>(code), load_query(query + 3 * n));
	query += 4 * n;
	sum = add_dot_u4(sum, field<4, 1>(code), load_query(query), field<5, 1>(code), load_query(query + n));
	return add_dot_u4(sum, field<6, 1>(code), load_query(query + 2 * n), field<7, 1>(code), load_query(query + 3 * n));
}

std::int32_t dot_s8_u2(const std::int8_t *query, const std::uint8_t *code, std::size_t d)
{
	const std::size_t n = (d + 3) / 4;
	Ints sum = zero_ints();
	std::size_t i = 0;
	for (; i + kBytes <= n; i += kBytes)
		sum = add_planes_u2(sum, load_bytes(code + i), n, query + i, [](const std::int8_t *from) { return load_bytes(from); });
	if (i < n)
		sum = add_planes_u2(sum, load_tail_bytes(code, i, n), n, query,
		                    [=](const std::int8_t *from) { return load_tail_bytes(from, i, n); });
	return sum_ints(sum);
}

std::int32_t dot_s8_u1(const std::int8_t *query, const std::uint8_t *code, std::size_t d)
{
	const std::size_t n = (d + 7) / 8;
	Ints sum = zero_ints();
	std::size_t i = 0;
	for (; i + kBytes <= n; i += kBytes)
		sum = add_planes_u1(sum, load_bytes(code + i), n, query + i, [](const std::int8_t *from) { return load_bytes(from); });
	if (i < n)
		sum = add_planes_u1(sum, load_tail_bytes(code, i, n), n, query,
		                    [=](const std::int8_t *from) { return load_tail_bytes(from, i, n); });
	return sum_ints(sum);
}

template <int bits>
float l1_planes(const float *query, const std::uint8_t *code, float offset, float step, std::size_t d)
{
	constexpr int kPlanes = 8 / bits;
	const std::size_t n = (d + kPlanes - 1) / kPlanes;
	const Floats offsets = splat(offset), steps = splat(step);
	Floats total = zero_floats();
	float rest = 0;
	for (int plane = 0; plane < kPlanes; plane++) {
		const std::size_t first = plane * n;
		const std::size_t count = first >= d ? 0 : d - first < n ? d - first : n;
		std::size_t i = 0;
		for (; i + kFloats <= count; i += kFloats) {
			const Ints levels = int_field(widen_u8(code + i), plane * bits, (1 << bits) - 1);
			const Floats value = multiply_add(steps, to_floats(levels), offsets);
			total = add(total, absolute(subtract(load(query + first + i), value)));
		}
		for (; i < count; i++) {
			const int level = code[i] >> (plane * bits) & ((1 << bits) - 1);
			rest += __builtin_fabsf(query[first + i] - (offset + step * static_cast<float>(level)));
		}
	}
	return sum(total) + rest;
}

float l1_u2(const float *query, const std::uint8_t *code, float offset, float step, std::size_t d)
{
	return l1_planes<2>(query, code, offset, step, d);
}

float l1_u1(const float *query, const std::uint8_t *code, float offset, float step, std::size_t d)
{
	return l1_planes<1>(query, code, offset, step, d);
}

// Four registers of columns at a time stay in registers while the rows go by.
template <typename Step>
void over_columns(const float *query, const float *table, std::size_t d, float *out, const Step &step)
{
	constexpr std::size_t kColumns = 256;
	for (std::size_t c = 0; c < kColumns; c += 4 * kFloats) {
		Floats sum0 = zero_floats(), sum1 = sum0, sum2 = sum0, sum3 = sum0;
		for (std::size_t i = 0; i < d; i++) {
			const Floats x = splat(query[i]);
			const float *row = table + i * kColumns + c;
			sum0 = step(sum0, x, load(row));
			sum1 = step(sum1, x, load(row + kFloats));
			sum2 = step(sum2, x, load(row + 2 * kFloats));
			sum3 = step(sum3, x, load(row + 3 * kFloats));
		}
		store(out + c, sum0);
		store(out + c + kFloats, sum1);
		store(out + c + 2 * kFloats, sum2);
		store(out + c + 3 * kFloats, sum3);
	}
}

void columns_l2(const float *query, const float *table, std::size_t d, float *out)
{
	over_columns(query, table, d, out, [](Floats sum, Floats x, Floats y) {
		const Floats diff = subtract(x, y);
		return multiply_add(diff, diff, sum);
	});
}

void columns_inner_product(const float *query, const float *table, std::size_t d, float *out)
{
	over_columns(query, table, d, out, [](Floats sum, Floats x, Floats y) { return multiply_add(x, y, sum); });
}

void columns_l1(const float *query, const float *table, std::size_t d, float *out)
{
	over_columns(query, table, d, out, [](Floats sum, Floats x, Floats y) { return add(sum, absolute(subtract(x, y))); });
}

std::size_t nearest_column(const float *distances)
{
	Floats least0 = load(distances), least1 = load(distances + kFloats);
	for (std::size_t c = 2 * kFloats; c < 256; c += 2 * kFloats) {
		least0 = least(least0, load(distances + c));
		least1 = least(least1, load(distances + c + kFloats));
	}
	float lanes[kFloats];
	store(lanes, least(least0, least1));
	float smallest = lanes[0];
	for (std::size_t lane = 1; lane < kFloats; lane++)
		smallest = lanes[lane] < smallest ? lanes[lane] : smallest;
	std::size_t column = 0;
	while (column < 255 && distances[column] != smallest)
		column++;
	return column;
}

// Loads one by one keep pace with the processors' gathers, and all instruction sets then sum in one order.
float sum_of_entries(const float *table, const std::uint8_t *code, std::size_t n)
{
	float sum0 = 0, sum1 = 0, sum2 = 0, sum3 = 0;
	std::size_t i = 0;
	for (; i + 4 <= n; i += 4, table += 4 * 256) {
		sum0 += table[code[i]];
		sum1 += table[256 + code[i + 1]];
		sum2 += table[512 + code[i + 2]];
		sum3 += table[768 + code[i + 3]];
	}
	for (; i < n; i++, table += 256)
		sum0 += table[code[i]];
	return (sum0 + sum1) + (sum2 + sum3);
}
