// Codes: what encode() writes and what the factors mean; extremes; the same codes in every run.
#include "core/quantize/packing.hpp"
#include "core/quantize/quantizer.hpp"
#include "core/quantize/rotation.hpp"
#include "samples.hpp"

#include <gtest/gtest.h>

#include <cfloat>
#include <cmath>
#include <string>

namespace vectorizer::quantize::test {
namespace {

TEST(Packing, GivesBackEveryLevel)
{
	for (unsigned bits : {1U, 2U, 4U, 8U}) {
		for (std::size_t d = 1; d <= 67; d++) {
			std::vector<std::uint8_t> code(packed_bytes(d, bits), 0xff);
			const auto level = [&](std::size_t i) { return static_cast<unsigned>(i * 7 + 3) % (1U << bits); };
			pack(code.data(), d, bits, level);
			std::size_t visited = 0;
			unpack(code.data(), d, bits, [&](std::size_t i, unsigned found) {
				EXPECT_EQ(found, level(i)) << "d = " << d << ", i = " << i;
				visited++;
			});
			EXPECT_EQ(visited, d);
			unsigned beyond = 0;
			for (std::size_t at = packed_bytes(d, bits) - 1, shift = 0; shift < 8; at += packed_bytes(d, bits), shift += bits)
				beyond |= at >= d ? code.back() >> shift & ((1U << bits) - 1) : 0;
			EXPECT_EQ(beyond, 0U) << "d = " << d;
		}
	}
}

TEST(Code, BytesOfEachKind)
{
	EXPECT_EQ(code_bytes(shape_of(Metric::kL2, 32, 5)), 20U);
	EXPECT_EQ(code_bytes(shape_of(Metric::kL2, 8, 5)), 5U);
	EXPECT_EQ(code_bytes(shape_of(Metric::kL2, 4, 5)), 3U);
	EXPECT_EQ(code_bytes(shape_of(Metric::kL1, 4, 384)), 192U);
	EXPECT_EQ(code_bytes(shape_of(Metric::kL2, 2, 5)), 2U);
	EXPECT_EQ(code_bytes(shape_of(Metric::kL2, 1, 9)), 2U);
	EXPECT_EQ(code_bytes(product_of(Metric::kL2, 300, 16)), 16U);
}

TEST(Code, FactorsAreNormAndScaleOfTheRotatedVector)
{
	std::mt19937_64 random(11);
	for (unsigned bits : {8U, 4U, 2U, 1U}) {
		const std::size_t d = 300;
		Heap heap;
		const Quantizer quantizer(shape_of(Metric::kL2, bits, d), heap.arena());
		const Rotation rotation(d, 42, heap.arena());
		Vector x = gaussian(random, d);
		const Encoded encoded = encode(quantizer, x);
		rotation.apply(x.data());
		double norm_squared = 0, dot = 0, levels_squared = 0;
		unpack(encoded.code.data(), d, bits, [&](std::size_t i, unsigned level) {
			const double v = level - (bits == 8 ? 128.0 : (1 << bits) / 2.0 - 0.5);
			norm_squared += double{x[i]} * x[i];
			dot += v * x[i];
			levels_squared += v * v;
		});
		EXPECT_NEAR(encoded.factors.norm, std::sqrt(norm_squared), 1e-5 * encoded.factors.norm);
		EXPECT_NEAR(encoded.factors.scale, norm_squared / dot, 1e-5 * encoded.factors.scale);
		const double cosine = dot / std::sqrt(norm_squared * levels_squared);
		EXPECT_LT(std::sqrt(1 - cosine * cosine), bits == 8 ? 0.01 : bits == 4 ? 0.13 : bits == 2 ? 0.37 : 0.64);
	}
}

TEST(Code, DecodesToWhatItStandsFor)
{
	std::mt19937_64 random(16);
	for (Metric metric : kMetrics) {
		for (unsigned bits : kWidths) {
			for (std::size_t d : {64, 300}) {
				Heap heap;
				const Quantizer quantizer(shape_of(metric, bits, d), heap.arena());
				Vector x = gaussian(random, d), y(d);
				const Encoded encoded = encode(quantizer, x);
				quantizer.decode(encoded.code.data(), encoded.factors, y.data());
				double xx = 0, yy = 0, xy = 0;
				for (std::size_t i = 0; i < d; i++) {
					xx += double{x[i]} * x[i];
					yy += double{y[i]} * y[i];
					xy += double{x[i]} * y[i];
				}
				const double cosine = xy / std::sqrt(xx * yy);
				EXPECT_GT(cosine, bits == 32 ? 0.99999 : bits >= 4 ? 0.98 : bits == 2 ? 0.9 : 0.74);
				const double length = metric == Metric::kCosine ? 1 : std::sqrt(xx);
				EXPECT_NEAR(std::sqrt(yy), length * cosine, (metric == Metric::kL1 ? 0.1 : 0.05) * length);
			}
		}
	}
}

TEST(Code, UnderCosineLengthDoesNotMatter)
{
	std::mt19937_64 random(12);
	for (unsigned bits : kWidths) {
		Heap heap;
		const Quantizer quantizer(shape_of(Metric::kCosine, bits, 96), heap.arena());
		const Vector x = gaussian(random, 96);
		Vector longer = x;
		for (float &value : longer)
			value *= 1024;
		const Encoded a = encode(quantizer, x), b = encode(quantizer, longer);
		EXPECT_EQ(a.code, b.code);
		EXPECT_EQ(a.factors.scale, b.factors.scale);
		if (bits != 32) {
			EXPECT_NEAR(a.factors.norm, 1, 1e-6);
		}
	}
}

TEST(Code, IsTheSameFromEveryQuantizerOfOneShape)
{
	std::mt19937_64 random(13);
	const Vector x = gaussian(random, 300);
	for (unsigned bits : kWidths) {
		Heap heap;
		const Shape shape = shape_of(Metric::kL2, bits, 300);
		const Encoded a = encode(Quantizer(shape, heap.arena()), x);
		const Encoded b = encode(Quantizer(shape, heap.arena()), x);
		EXPECT_EQ(a.code, b.code);
		EXPECT_EQ(a.factors.scale, b.factors.scale);
		Shape other = shape;
		other.seed++;
		const Encoded c = encode(Quantizer(other, heap.arena()), x);
		EXPECT_EQ(a.code == c.code, bits == 32);
	}
}

std::vector<std::pair<std::string, Vector>> extremes(std::size_t d)
{
	std::vector<std::pair<std::string, Vector>> all;
	all.emplace_back("zero", Vector(d));
	all.emplace_back("minus zero", Vector(d, -0.0F));
	all.emplace_back("constant", Vector(d, 0.25F));
	all.emplace_back("1e38", Vector(d, 1e38F));
	all.emplace_back("-1e38", Vector(d, -1e38F));
	all.emplace_back("FLT_MAX", Vector(d, FLT_MAX));
	all.emplace_back("denormal", Vector(d, 1e-38F));
	all.emplace_back("smallest", Vector(d, FLT_TRUE_MIN));
	Vector huge(d, 1);
	huge[d / 2] = 3e38F;
	all.emplace_back("one huge coordinate", huge);
	Vector both(d, FLT_MAX);
	for (std::size_t i = 0; i < d; i += 2)
		both[i] = -FLT_MAX;
	all.emplace_back("the whole range", both);
	std::mt19937_64 random(14);
	all.emplace_back("gaussian", gaussian(random, d));
	return all;
}

TEST(Code, OneVectorsCodeAndQueryAreTheSameTogether)
{
	std::mt19937_64 random(17);
	for (Metric metric : {Metric::kL2, Metric::kInnerProduct, Metric::kCosine, Metric::kL1}) {
		for (unsigned bits : {32U, 8U, 4U, 1U}) {
			SCOPED_TRACE(std::to_string(static_cast<int>(metric)) + ", " + std::to_string(bits) + " bits");
			Heap heap;
			const std::size_t d = 77;
			const Quantizer quantizer(shape_of(metric, bits, d), heap.arena());
			const Vector x = gaussian(random, d);
			const Encoded other = encode(quantizer, gaussian(random, d)), alone = encode(quantizer, x);
			std::vector<std::uint8_t> code(quantizer.code_bytes());
			Computer together;
			const Factors factors = quantizer.encode_and_query(x.data(), code.data(), heap.arena(), &together);
			EXPECT_EQ(code, alone.code);
			EXPECT_EQ(factors.scale, alone.factors.scale);
			EXPECT_EQ(factors.norm, alone.factors.norm);
			const Computer query = quantizer.query(x.data(), heap.arena());
			EXPECT_EQ(together.distance(other.code.data(), other.factors), query.distance(other.code.data(), other.factors));
			EXPECT_EQ(together.finer().distance(other.code.data(), other.factors),
					  together.distance(other.code.data(), other.factors));
		}
	}
}

TEST(Code, EveryPairOfExtremesHasADistance)
{
	for (std::size_t d : {1, 2, 3, 4, 5, 33, 384, 16000}) {
		for (Metric metric : kMetrics) {
			for (unsigned bits : kWidths) {
				Heap heap;
				const Quantizer quantizer(shape_of(metric, bits, d), heap.arena());
				const auto space = heap.arena().array<std::uint8_t>(quantizer.computer_bytes());
				const auto vectors = extremes(d);
				std::vector<Encoded> codes;
				for (const auto &[name, vector] : vectors) {
					codes.push_back(encode(quantizer, vector));
					EXPECT_TRUE(std::isfinite(codes.back().factors.scale)) << name;
					EXPECT_TRUE(std::isfinite(codes.back().factors.norm)) << name;
				}
				for (std::size_t q = 0; q < vectors.size(); q++) {
					const Computer from_vector = quantizer.query(vectors[q].second.data(), heap.arena());
					const Computer from_code = quantizer.query_code(codes[q].code.data(), codes[q].factors, space);
					for (std::size_t i = 0; i < codes.size(); i++) {
						SCOPED_TRACE(vectors[q].first + " to " + vectors[i].first + ", metric " +
						             std::to_string(static_cast<int>(metric)) + ", bits " + std::to_string(bits) +
						             ", d = " + std::to_string(d));
						for (const Computer &computer : {from_vector, from_code}) {
							const double distance = computer.distance(codes[i].code.data(), codes[i].factors);
							EXPECT_FALSE(std::isnan(distance));
							EXPECT_TRUE(std::isfinite(computer.error(codes[i].factors)));
							EXPECT_FALSE(std::isnan(computer.error(codes[i].factors, distance)));
							EXPECT_GE(computer.error(codes[i].factors, distance), 0);
							if (metric == Metric::kCosine) {
								EXPECT_GE(distance, 0);
								EXPECT_LE(distance, 2);
							}
							if (metric == Metric::kL2 || metric == Metric::kL1) {
								EXPECT_GE(distance, 0);
							}
						}
					}
				}
			}
		}
	}
}

TEST(Code, ZeroVectorsAreExact)
{
	for (unsigned bits : kWidths) {
		for (std::size_t d : {1, 3, 96}) {
			Heap heap;
			const Vector zero(d), ones(d, 1);
			const Quantizer l2(shape_of(Metric::kL2, bits, d), heap.arena());
			const Encoded code = encode(l2, zero);
			EXPECT_EQ(l2.query(zero.data(), heap.arena()).distance(code.code.data(), code.factors), 0);
			EXPECT_NEAR(l2.query(ones.data(), heap.arena()).distance(code.code.data(), code.factors),
			            static_cast<double>(d), 1e-5 * static_cast<double>(d));
			const Quantizer l1(shape_of(Metric::kL1, bits, d), heap.arena());
			const Encoded code1 = encode(l1, zero);
			EXPECT_FLOAT_EQ(static_cast<float>(l1.query(ones.data(), heap.arena()).distance(code1.code.data(), code1.factors)),
			                static_cast<float>(d));
			const Quantizer cosine(shape_of(Metric::kCosine, bits, d), heap.arena());
			const Encoded code2 = encode(cosine, zero);
			EXPECT_EQ(cosine.query(ones.data(), heap.arena()).distance(code2.code.data(), code2.factors), 1);
		}
	}
}

TEST(Code, HugeAndTinyVectorsKeepTheirGeometry)
{
	// The same pair at magnitudes whose squares a float cannot hold: distances scale by the square.
	std::mt19937_64 random(15);
	const std::size_t d = 128;
	const Vector x = gaussian(random, d), q = gaussian(random, d);
	for (unsigned bits : {8U, 4U}) {
		Heap heap;
		const Quantizer quantizer(shape_of(Metric::kL2, bits, d), heap.arena());
		const Encoded plain = encode(quantizer, x);
		const double expected = quantizer.query(q.data(), heap.arena()).distance(plain.code.data(), plain.factors);
		for (int exponent : {120, -110}) {
			Vector scaled_x = x, scaled_q = q;
			for (std::size_t i = 0; i < d; i++) {
				scaled_x[i] = std::ldexp(x[i], exponent);
				scaled_q[i] = std::ldexp(q[i], exponent);
			}
			const Encoded scaled = encode(quantizer, scaled_x);
			EXPECT_EQ(scaled.code, plain.code);
			const double found = quantizer.query(scaled_q.data(), heap.arena()).distance(scaled.code.data(), scaled.factors);
			EXPECT_NEAR(std::ldexp(found, -2 * exponent), expected, 1e-9 * expected);
		}
	}
}

}  // namespace
}  // namespace vectorizer::quantize::test
