#include "core/graph/nearest.hpp"

#include "arena.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <vector>

namespace vectorizer::graph {
namespace {

using test::HeapArena;

/// The same by sorting anew each time.
class Model {
public:
	Model(std::size_t width, std::size_t beyond) : width_(width), most_(width + beyond) {}

	bool is_kept(float distance) const { return places_.size() < most_ || distance < places_.back().distance; }
	bool is_result(float distance) const { return places_.size() < width_ || distance < places_[width_ - 1].distance; }
	void insert(Place place)
	{
		auto farther = [](const Place &a, const Place &b) { return a.distance < b.distance; };
		places_.insert(std::upper_bound(places_.begin(), places_.end(), place, farther), place);
		if (places_.size() > most_)
			places_.pop_back();
	}
	Place *next()
	{
		for (std::size_t i = 0; i < std::min(width_, places_.size()); ++i)
			if (places_[i].expanded == 0)
				return &places_[i];
		return nullptr;
	}

	std::vector<Place> places_;

private:
	std::size_t width_, most_;
};

void compare(const Nearest &nearest, Model &model)
{
	ASSERT_EQ(nearest.size(), model.places_.size());
	for (std::size_t i = 0; i < nearest.size(); ++i) {
		ASSERT_EQ(nearest[i].index, model.places_[i].index);
		ASSERT_EQ(nearest[i].expanded, model.places_[i].expanded);
	}
	const Place *next = model.next();
	ASSERT_EQ(nearest.anything_to_expand(), next != nullptr);
	if (next != nullptr) {
		ASSERT_EQ(nearest.next().index, next->index);
	}
}

TEST(Nearest, IsWhatSortingGives)
{
	std::mt19937_64 random(3);
	HeapArena memory;
	Nearest nearest(memory.arena());
	for (auto [width, beyond] : {std::pair<std::size_t, std::size_t>{1, 0}, {1, 3}, {2, 0}, {17, 0}, {40, 25}, {5, 0}}) {
		nearest.begin(width, beyond);
		Model model(width, beyond);
		for (std::uint32_t i = 0; i < 600; ++i) {
			if (random() % 3 == 0 && nearest.anything_to_expand()) {
				const Place *next = model.next();
				ASSERT_NE(next, nullptr);
				EXPECT_EQ(nearest.expand_next().index, next->index);
				model.next()->expanded = 1;
			}
			// Few distances, so that many are equal; some have been expanded in a round before.
			const Place place{static_cast<float>(random() % 200), i, random() % 5 == 0};
			ASSERT_EQ(nearest.is_kept(place.distance), model.is_kept(place.distance));
			ASSERT_EQ(nearest.is_result(place.distance), model.is_result(place.distance));
			if (nearest.is_kept(place.distance)) {
				const bool full = model.places_.size() == width + beyond;
				const std::uint32_t last = full ? model.places_.back().index : 0;
				Place lost{};
				ASSERT_EQ(nearest.insert(place, &lost), full);
				if (full) {
					EXPECT_EQ(lost.index, last);
				}
				model.insert(place);
			}
			compare(nearest, model);
			if (HasFatalFailure())
				return;
		}
	}
}

TEST(Nearest, TakesWhatIsInfinitelyFar)
{
	HeapArena memory;
	Nearest nearest(memory.arena());
	nearest.begin(2, 0);
	Place lost;
	for (std::uint32_t i = 0; i < 2; ++i) {
		ASSERT_TRUE(nearest.is_result(__builtin_inff()));
		EXPECT_FALSE(nearest.insert({__builtin_inff(), i, 0}, &lost));
	}
	EXPECT_FALSE(nearest.is_result(__builtin_inff()));
	ASSERT_TRUE(nearest.is_result(1));
	EXPECT_TRUE(nearest.insert({1, 2, 0}, &lost));
	EXPECT_EQ(lost.index, 1U);
	EXPECT_EQ(nearest.next().index, 2U);
}

}  // namespace
}  // namespace vectorizer::graph
