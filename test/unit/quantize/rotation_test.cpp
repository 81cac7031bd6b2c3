#include "core/quantize/rotation.hpp"

#include "samples.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <string>

namespace vectorizer::quantize::test {
namespace {

double dot(const Vector &a, const Vector &b)
{
	double total = 0;
	for (std::size_t i = 0; i < a.size(); i++)
		total += double{a[i]} * b[i];
	return total;
}

TEST(Rotation, KeepsInnerProducts)
{
	std::mt19937_64 random(3);
	for (std::size_t d : {1, 2, 3, 5, 8, 17, 64, 96, 255, 300, 384, 1000, 1025, 16000}) {
		SCOPED_TRACE("d = " + std::to_string(d));
		Heap heap;
		const Rotation rotation(static_cast<std::uint32_t>(d), 42, heap.arena());
		const Vector a = gaussian(random, d), b = gaussian(random, d);
		Vector rotated_a = a, rotated_b = b;
		rotation.apply(rotated_a.data());
		rotation.apply(rotated_b.data());
		Vector back = rotated_a;
		rotation.undo(back.data());
		for (std::size_t i = 0; i < d; i++)
			EXPECT_NEAR(back[i], a[i], 1e-5);
		const double size = std::sqrt(dot(a, a) * dot(b, b));
		EXPECT_NEAR(dot(rotated_a, rotated_a), dot(a, a), 2e-6 * dot(a, a));
		EXPECT_NEAR(dot(rotated_a, rotated_b), dot(a, b), 2e-6 * size);
	}
}

TEST(Rotation, SpreadsAnyOneCoordinateOverAll)
{
	// 255 and 511 are the lengths whose two blocks share one coordinate only.
	for (std::size_t d : {64, 96, 255, 300, 384, 511, 768}) {
		SCOPED_TRACE("d = " + std::to_string(d));
		Heap heap;
		const Rotation rotation(static_cast<std::uint32_t>(d), 42, heap.arena());
		for (std::size_t i = 0; i < d; i++) {
			Vector unit(d);
			unit[i] = 1;
			rotation.apply(unit.data());
			double largest = 0, first_half = 0;
			for (std::size_t j = 0; j < d; j++) {
				largest = std::max(largest, std::fabs(double{unit[j]}));
				first_half += j < d / 2 ? double{unit[j]} * unit[j] : 0;
			}
			EXPECT_LT(largest, 7 / std::sqrt(static_cast<double>(d))) << "coordinate " << i;
			EXPECT_NEAR(first_half, 0.5, 0.25) << "coordinate " << i;
		}
	}
}

TEST(Rotation, IsFixedByItsSeedAlone)
{
	// Codes of this rotation are stored in indexes. The values come from a second implementation, written from the
	// header's description.
	const Vector expected = {-27.869141F, 8.318359F, -2.976563F, 20.869141F, 7.892578F, 3.527344F};
	Heap heap;
	Vector rotated = {1, 2, 4, 8, 16, 32}, otherwise = rotated;
	Rotation(6, 42, heap.arena()).apply(rotated.data());
	Rotation(6, 43, heap.arena()).apply(otherwise.data());
	for (std::size_t i = 0; i < rotated.size(); i++)
		EXPECT_NEAR(rotated[i], expected[i], 1e-4) << "coordinate " << i;
	EXPECT_NE(rotated, otherwise);
}

}  // namespace
}  // namespace vectorizer::quantize::test
