// Building and searching a graph in memory: recall against brute force, resumed rounds, sweeps, duplicates, cancels.
#include "arena.hpp"
#include "core/graph/breadth_first.hpp"
#include "core/graph/page_order.hpp"
#include "core/graph/memory_graph.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <string>

namespace vectorizer::graph::test {
namespace {

constexpr std::size_t kDimensions = 32;

RowPointer row(std::size_t n)
{
	return {static_cast<std::uint16_t>(n >> 16), static_cast<std::uint16_t>(n), 1};
}

class Built {
public:
	Built(Metric metric, quantize::Kind kind, unsigned bits, unsigned m, unsigned ef)
		: shape_{kind, static_cast<std::uint8_t>(bits), metric, kDimensions, 42}, quantizer_(shape_, memory_.arena()),
		  chunks_(memory_.arena(), SIZE_MAX),
		  graph(BuildCode(quantizer_), {m, ef}, chunks_.state, chunks_.source(), memory_.arena()), level_probability_(1.0 / m) {}

	NodeId insert(const Vector &vector, std::size_t n, bool *folded = nullptr, Stop stop = {})
	{
		unsigned level = 0;
		while (level < kMaxLevel && std::uniform_real_distribution<>()(random_) < level_probability_)
			++level;
		HeapArena scratch;
		MemoryGraph::Inserted inserted = graph.insert(*graph.prepare(vector.data(), row(n), level, scratch.arena(), scratch.arena()), scratch.arena(), stop);
		if (folded != nullptr)
			*folded = inserted.outcome == MemoryGraph::Outcome::kFolded;
		return inserted.id;
	}

	void insert_all(const std::vector<Vector> &vectors)
	{
		for (std::size_t i = 0; i < vectors.size(); ++i)
			insert(vectors[i], i);
	}

	quantize::Computer computer(const Vector &query, HeapArena &memory) { return quantizer_.query(query.data(), memory.arena()); }

	/// Takes away all links of level 0 that lead to these.
	void cut_off(const std::set<NodeId> &nodes)
	{
		for (NodeId id = 0; id < graph.size(); ++id) {
			LinkList list = graph.list(id, 0);
			for (unsigned i = list.count(); i-- > 0;)
				if (nodes.contains(list.ids[i]))
					list.remove(i);
		}
	}

	/// With runners-up: for one round.
	Search<MemoryGraph> search(const Vector &query, HeapArena &memory, std::size_t runners_up = 0)
	{
		using Use = Search<MemoryGraph>::Use;
		const quantize::Computer towards = computer(query, memory);
		NodeId entry = descend(graph, towards, graph.entry(), graph.entry_level(), 1, memory.arena());
		Search<MemoryGraph> found(graph, towards, 0, runners_up > 0 ? Use::kOnce : Use::kRounds, 100, memory.arena(), runners_up);
		found.start({&entry, 1});
		return found;
	}

private:
	HeapArena memory_;
	quantize::Shape shape_;
	quantize::Quantizer quantizer_;
	ArenaChunks chunks_;

public:
	MemoryGraph graph;

private:
	double level_probability_;
	std::mt19937_64 random_{7};
};

struct Case {
	Metric metric;
	quantize::Kind kind;
	unsigned bits;
	double recall;
};

class Recall : public testing::TestWithParam<Case> {};

TEST_P(Recall, OfAMixtureOfGaussians)
{
	auto [metric, kind, bits, bar] = GetParam();
	std::mt19937_64 random(11);
	std::vector<Vector> vectors = mixture(random, 3000, kDimensions, 20);
	std::vector<Vector> queries(vectors.end() - 50, vectors.end());
	vectors.resize(vectors.size() - 50);
	Built built(metric, kind, bits, 12, 64);
	built.insert_all(vectors);
	EXPECT_EQ(built.graph.size(), vectors.size());

	std::size_t found = 0;
	for (const Vector &query : queries) {
		std::vector<std::pair<double, NodeId>> exact;
		for (NodeId id = 0; id < vectors.size(); ++id)
			exact.emplace_back(quantize::exact_distance(metric, query.data(), vectors[id].data(), kDimensions), id);
		std::partial_sort(exact.begin(), exact.begin() + 10, exact.end());
		HeapArena memory;
		auto search = built.search(query, memory);
		EXPECT_TRUE(search.round(80, {}));
		EXPECT_EQ(search.found(), 80U);
		// reranked: the ten are among the eighty or they are not
		std::set<NodeId> ids;
		for (std::size_t i = 0; i < search.found(); ++i)
			ids.insert(search.found(i).id);
		for (int i = 0; i < 10; ++i)
			found += ids.contains(exact[static_cast<std::size_t>(i)].second) ? 1 : 0;
	}
	EXPECT_GE(static_cast<double>(found) / 500, bar);
}

INSTANTIATE_TEST_SUITE_P(All, Recall,
						 testing::Values(Case{Metric::kL2, quantize::Kind::kNone, 32, .98},
										 Case{Metric::kL2, quantize::Kind::kScalar, 8, .98},
										 Case{Metric::kL2, quantize::Kind::kScalar, 4, .97},
										 Case{Metric::kCosine, quantize::Kind::kScalar, 4, .97},
										 Case{Metric::kInnerProduct, quantize::Kind::kScalar, 8, .9},
										 Case{Metric::kL1, quantize::Kind::kScalar, 8, .97}),
						 [](const auto &tested) {
							 return "metric" + std::to_string(static_cast<int>(tested.param.metric)) + "bits" +
									std::to_string(tested.param.bits);
						 });

/// The nodes that a walk along level 0 reaches from the entry point.
std::set<NodeId> reachable_from_entry(MemoryGraph &graph)
{
	std::vector<NodeId> queue{graph.entry()}, links(graph.max_links());
	std::set<NodeId> reached{queue[0]};
	for (std::size_t at = 0; at < queue.size(); ++at) {
		unsigned count = graph.links(queue[at], 0, links.data());
		for (unsigned i = 0; i < count; ++i)
			if (reached.insert(links[i]).second)
				queue.push_back(links[i]);
	}
	return reached;
}

TEST(Insert, KeepsTheWayFromClusterToCluster)
{
	for (unsigned seed = 0; seed < 12; ++seed) {
		std::mt19937_64 random(seed);
		std::vector<Vector> vectors = mixture(random, 2000, kDimensions, 4);
		Built built(Metric::kL2, quantize::Kind::kNone, 32, 8, 32);
		built.insert_all(vectors);
		EXPECT_GE(reachable_from_entry(built.graph).size(), vectors.size() - 10) << "seed " << seed;
	}
}

TEST(Reach, EndsWhereANeighbourSixtyDegreesOffIsAsFarAsTheFarthestWanted)
{
	for (double distance : {0.0, 0.01, 1.0, 50.0})
		for (double within : {distance, 1.3 * distance + 0.1, 4 * distance + 2}) {
			const double length = reach(Metric::kL2, distance, within);
			EXPECT_NEAR(distance + length - std::sqrt(distance * length), within, 1e-9 * (1 + within));
			EXPECT_GE(length, within - distance);
		}
	EXPECT_DOUBLE_EQ(reach(Metric::kL2, 3, 3), 3);       // all that is nearer than the node itself
	EXPECT_EQ(reach(Metric::kCosine, -1e-9, -1e-9), 0);  // an estimate may fall below 0
	EXPECT_EQ(reach(Metric::kInnerProduct, -3, 3), kAnyDistance);
}

TEST(Search, EvaluatesLessThanItMeetsAndFindsAsMuch)
{
	std::mt19937_64 random(12);
	std::vector<Vector> vectors = mixture(random, 3000, kDimensions, 20);
	Built built(Metric::kL2, quantize::Kind::kNone, 32, 12, 64);
	built.insert_all(vectors);
	std::size_t evaluated = 0, met = 0, found = 0;
	for (NodeId query = 0; query < vectors.size(); query += 60) {
		HeapArena memory;
		auto search = built.search(vectors[query], memory);
		ASSERT_TRUE(search.round(40, {}));
		evaluated += search.evaluations();
		std::set<NodeId> met_here;
		std::vector<NodeId> links(built.graph.max_links());
		for (std::size_t i = 0; i < search.found(); ++i) {
			found += search.found(i).id == query ? 1 : 0;
			const unsigned count = built.graph.links(search.found(i).id, 0, links.data());
			met_here.insert(links.begin(), links.begin() + count);
		}
		met += met_here.size();
	}
	EXPECT_EQ(found, 50U);
	EXPECT_LT(evaluated, met * 9 / 10);
}

TEST(Rounds, GiveEveryReachableNodeExactlyOnce)
{
	std::mt19937_64 random(3);
	std::vector<Vector> vectors = mixture(random, 2000, kDimensions, 8);
	Built built(Metric::kL2, quantize::Kind::kScalar, 8, 4, 16);
	built.insert_all(vectors);

	// what a walk along level 0 reaches
	HeapArena memory;
	auto search = built.search(vectors[0], memory);
	std::set<NodeId> reachable = reachable_from_entry(built.graph);

	std::set<NodeId> given;
	std::size_t width = 10, rounds = 0;
	while (!search.exhausted() || search.anything_waiting()) {
		ASSERT_TRUE(search.round(width, {}));
		for (std::size_t i = 0; i < search.found(); ++i) {
			EXPECT_TRUE(given.insert(search.found(i).id).second) << search.found(i).id << " was given twice";
		}
		width *= 2;
		++rounds;
	}
	EXPECT_GT(rounds, 5U);
	for (NodeId id : reachable)
		EXPECT_TRUE(given.contains(id)) << id;
}

TEST(BreadthFirst, ReachesVectorsThatLieNearerThanTheirCodesTell)
{
	// Distances within such a cluster are noise: lists forget some of its nodes.
	std::mt19937_64 random(9);
	std::normal_distribution<float> normal;
	Built built(Metric::kL2, quantize::Kind::kScalar, 4, 8, 32);
	std::vector<Vector> vectors;
	for (int cluster = 0; cluster < 20; ++cluster) {
		Vector centre(kDimensions);
		for (float &x : centre)
			x = normal(random);
		for (int i = 0; i < 150; ++i) {
			vectors.push_back(centre);
			for (float &x : vectors.back())
				x += 0.02F * normal(random);
		}
	}
	built.insert_all(vectors);
	ASSERT_LT(reachable_from_entry(built.graph).size(), built.graph.size());

	HeapArena memory;
	const std::span<NodeId> order = breadth_first(built.graph, memory.arena(), {});
	EXPECT_EQ(reachable_from_entry(built.graph).size(), built.graph.size());
	EXPECT_EQ(order.front(), built.graph.entry());
	EXPECT_EQ(std::set<NodeId>(order.begin(), order.end()).size(), built.graph.size());
}

TEST(PageOrder, BringsNodesThatLinkToEachOtherTogether)
{
	std::mt19937_64 random(11);
	Built built(Metric::kL2, quantize::Kind::kScalar, 8, 8, 32);
	built.insert_all(mixture(random, 3000, kDimensions, 16));
	constexpr unsigned kPerPage = 20;
	HeapArena memory;
	const std::span<const NodeId> walk = breadth_first(built.graph, memory.arena(), {});
	const std::span<const NodeId> pages = page_order(built.graph, walk, kPerPage, memory.arena(), {});
	ASSERT_EQ(std::set<NodeId>(pages.begin(), pages.end()).size(), built.graph.size());
	EXPECT_EQ(pages.front(), built.graph.entry());

	auto links_within = [&](std::span<const NodeId> order) {
		std::vector<std::size_t> page(order.size());
		for (std::size_t i = 0; i < order.size(); ++i)
			page[order[i]] = i / kPerPage;
		std::size_t within = 0;
		std::vector<NodeId> links(built.graph.max_links());
		for (NodeId id = 0; id < order.size(); ++id) {
			const unsigned count = built.graph.links(id, 0, links.data());
			for (unsigned i = 0; i < count; ++i)
				within += page[id] == page[links[i]];
		}
		return within;
	};
	EXPECT_GT(links_within(pages), 2 * links_within(walk));
}

TEST(PageOrder, EndsEarlyWhenItIsToldTo)
{
	std::mt19937_64 random(11);
	Built built(Metric::kL2, quantize::Kind::kScalar, 8, 8, 32);
	built.insert_all(mixture(random, 1000, kDimensions, 4));
	HeapArena memory;
	unsigned asked = 0;
	const Stop after_ten{[](void *count) { return ++*static_cast<unsigned *>(count) > 10; }, &asked};
	EXPECT_LT(breadth_first(built.graph, memory.arena(), after_ten).size(), 500U);
	const std::span<const NodeId> walk = breadth_first(built.graph, memory.arena(), {});
	asked = 0;
	EXPECT_EQ(page_order(built.graph, walk, 20, memory.arena(), after_ten).size(), 200U);
}

TEST(Once, KeepsTheBestOfWhatItDoesNotReturn)
{
	std::mt19937_64 random(8);
	std::vector<Vector> vectors = mixture(random, 6000, kDimensions, 3);
	Built built(Metric::kL2, quantize::Kind::kScalar, 8, 8, 32);
	built.insert_all(vectors);
	constexpr std::size_t kEf = 100, kRunnersUp = 30;  // enough wait for losers to be dropped on the way
	for (std::size_t query = 0; query < 20; ++query) {
		HeapArena memory;
		auto all = built.search(vectors[query], memory);
		ASSERT_TRUE(all.round(kEf, {}));
		const std::size_t evaluations = all.evaluations();
		ASSERT_GT(evaluations, kEf + 400);
		auto once = built.search(vectors[query], memory, kRunnersUp);
		ASSERT_TRUE(once.round(kEf, {}));
		ASSERT_EQ(once.evaluations(), evaluations);

		std::multiset<float> kept, waited;
		for (std::size_t i = once.found(); i < once.found_and_runners_up(); ++i)
			kept.insert(static_cast<float>(once.found(i).distance));
		ASSERT_EQ(kept.size(), kRunnersUp);
		while (all.anything_waiting() && waited.size() < kRunnersUp) {  // a round of one takes the best that waits
			waited.insert(static_cast<float>(all.first_waiting().distance));
			all.round(1, {[](void *) { return true; }});
		}
		EXPECT_EQ(kept, waited);
	}
}

TEST(Rounds, GiveWhatASweepAddsAndNothingTwice)
{
	std::mt19937_64 random(5);
	std::vector<Vector> vectors = mixture(random, 1500, kDimensions, 8);
	Built built(Metric::kL2, quantize::Kind::kScalar, 8, 4, 16);
	built.insert_all(vectors);
	// nodes that no link leads to, among them the nearest to the query
	std::set<NodeId> hidden;
	for (NodeId id = 0; id < vectors.size(); id += 10)
		if (id != built.graph.entry())
			hidden.insert(id);
	built.cut_off(hidden);
	HeapArena memory;
	const quantize::Computer computer = built.computer(vectors[*hidden.begin()], memory);
	NodeId entry = built.graph.entry();
	Search<MemoryGraph> search(built.graph, computer, 0, Search<MemoryGraph>::Use::kRounds, 100, memory.arena());
	search.start({&entry, 1});

	std::multiset<NodeId> given;
	auto drain = [&] {
		for (std::size_t width = 20; !search.exhausted() || search.anything_waiting(); width *= 2) {
			ASSERT_TRUE(search.round(width, {}));
			for (std::size_t i = 0; i < search.found(); ++i)
				given.insert(search.found(i).id);
		}
	};
	drain();
	EXPECT_FALSE(given.contains(*hidden.begin()));
	// page by page, as a scan sweeps
	for (NodeId first = 0; first < vectors.size(); first += 40) {
		std::vector<NodeId> unseen;
		for (NodeId id = first; id < std::min<std::size_t>(first + 40, vectors.size()); ++id)
			if (!search.visited().contains(id))
				unseen.push_back(id);
		search.add(unseen);
	}
	drain();
	for (NodeId id = 0; id < vectors.size(); ++id)
		EXPECT_EQ(given.count(id), 1U) << id;
}

TEST(Rounds, TakeWhatWaitsWithoutAHop)
{
	std::mt19937_64 random(12);
	std::vector<Vector> vectors = mixture(random, 1500, kDimensions, 8);
	Built built(Metric::kL2, quantize::Kind::kScalar, 8, 8, 32);
	built.insert_all(vectors);
	HeapArena memory;
	auto search = built.search(vectors[3], memory), twin = built.search(vectors[3], memory);
	ASSERT_TRUE(search.round(20, {}));
	ASSERT_TRUE(twin.round(20, {}));
	std::set<NodeId> given, best;
	auto take = [](auto &from, std::set<NodeId> &to) {
		for (std::size_t i = 0; i < from.found(); ++i)
			EXPECT_TRUE(to.insert(from.found(i).id).second);
	};
	take(search, given);
	const std::size_t hops = search.hops();
	take(twin, best);
	double farthest = 0;
	for (int i = 0; i < 7; ++i) {
		best.insert(twin.first_waiting().id);
		farthest = twin.first_waiting().distance;
		twin.round(1, {[](void *) { return true; }});
	}
	auto wanted = [&](const Candidate &waiting) { return waiting.distance <= farthest; };
	EXPECT_FALSE(search.take_waiting(wanted, 6));
	EXPECT_EQ(search.found(), 20U);
	EXPECT_TRUE(search.take_waiting(wanted, 7));
	EXPECT_EQ(search.hops(), hops);
	EXPECT_EQ(search.found(), 7U);
	EXPECT_EQ(search.first_waiting().id, twin.first_waiting().id);
	take(search, given);
	EXPECT_EQ(given, best);
	// They are expanded when their time comes: the rest is not missed.
	for (std::size_t width = 20; !search.exhausted() || search.anything_waiting(); width *= 2) {
		ASSERT_TRUE(search.round(width, {}));
		take(search, given);
	}
	EXPECT_GE(given.size(), vectors.size() - 4);  // hardly any node is without a link to it
}

/// A graph in pages, all of which have to be read.
class Unread {
public:
	Unread(MemoryGraph &graph, std::vector<unsigned> page, bool cached) : graph_(graph), page_(std::move(page)), cached_(cached) {}

	const SlotLayout &layout() const { return graph_.layout(); }
	unsigned max_links() const { return graph_.max_links(); }
	Metric metric() const { return graph_.metric(); }
	unsigned links(NodeId id, unsigned level, NodeId *out, double reach) { return graph_.links(id, level, out, reach); }
	void prefetch_links(NodeId) {}
	void codes(std::span<const NodeId> ids, StoredCode *out, const Arena &arena) { graph_.codes(ids, out, arena); }
	template <typename Read, typename Take, typename Beside = NothingBeside>
	void visit(std::span<const NodeId> ids, Read &&read, Take &&take, Beside &&beside = {})
	{
		graph_.visit(ids, read, take);
		for (NodeId visited : ids)
			if (!cached_ && known_.insert(page_[visited]).second)
				for (NodeId id = 0; id < page_.size(); ++id)
					if (page_[id] == page_[visited] && id != visited)
						beside(id, graph_.slot(id));
	}

private:
	MemoryGraph &graph_;
	std::vector<unsigned> page_;
	bool cached_;
	std::set<unsigned> known_;
};

TEST(Beside, WhatLiesOnPagesThatHadToBeReadIsFound)
{
	std::mt19937_64 random(13);
	std::vector<Vector> vectors = mixture(random, 2000, kDimensions, 8);
	Built built(Metric::kL2, quantize::Kind::kScalar, 8, 8, 32);
	built.insert_all(vectors);
	const Vector &query = vectors[5];
	std::vector<std::pair<double, NodeId>> order;
	for (NodeId id = 0; id < vectors.size(); ++id)
		order.emplace_back(quantize::exact_distance(Metric::kL2, query.data(), vectors[id].data(), kDimensions), id);
	std::sort(order.begin(), order.end());
	std::vector<unsigned> page(vectors.size());
	for (unsigned i = 0; i < order.size(); ++i)
		page[order[i].second] = i / 16;
	// To the nearest no link leads; nor to a tombstone beside it.
	const NodeId lost = order[0].second, dead = order[1].second;
	built.cut_off({lost, dead});
	SlotLayout::header(built.graph.slot(dead)).state = static_cast<std::uint8_t>(State::kTombstone);

	for (bool cached : {false, true}) {
		HeapArena memory;
		const quantize::Computer computer = built.computer(query, memory);
		Unread store(built.graph, page, cached);
		Search<Unread> search(store, computer, 0, Search<Unread>::Use::kRounds, 100, memory.arena());
		NodeId entry = order[1000].second;
		search.start({&entry, 1});
		ASSERT_TRUE(search.round(20, {}));
		std::set<NodeId> found;
		for (std::size_t i = 0; i < search.found(); ++i)
			EXPECT_TRUE(found.insert(search.found(i).id).second);
		EXPECT_EQ(found.contains(lost), !cached);
		EXPECT_FALSE(search.visited().contains(dead));
		EXPECT_EQ(found.size(), 20U);

		// An inserter goes by links alone.
		Unread again(built.graph, page, cached);
		Search<Unread> once(again, computer, 0, Search<Unread>::Use::kOnce, 100, memory.arena());
		once.start({&entry, 1});
		ASSERT_TRUE(once.round(20, {}));
		EXPECT_FALSE(once.visited().contains(lost));
	}
}

TEST(Rounds, WalkThroughTombstonesWithoutGivingThem)
{
	std::mt19937_64 random(9);
	std::vector<Vector> vectors = mixture(random, 800, kDimensions, 4);
	Built built(Metric::kL2, quantize::Kind::kNone, 32, 8, 32);
	built.insert_all(vectors);
	for (NodeId id = 0; id < vectors.size(); id += 2)
		SlotLayout::header(built.graph.slot(id)).state = static_cast<std::uint8_t>(State::kTombstone);
	HeapArena memory;
	auto search = built.search(vectors[1], memory);
	std::set<NodeId> given;
	for (std::size_t width = 20; !search.exhausted() || search.anything_waiting(); width *= 2) {
		ASSERT_TRUE(search.round(width, {}));
		for (std::size_t i = 0; i < search.found(); ++i)
			EXPECT_TRUE(given.insert(search.found(i).id).second);
	}
	// all of the living but those that no link leads to, of which a graph this small has hardly any
	EXPECT_GE(given.size(), vectors.size() / 2 - 4);
	for (NodeId id : given)
		EXPECT_EQ(id % 2, 1U);
}

TEST(Rounds, TakeNoNodeForAResultAboveItsLevel)
{
	std::mt19937_64 random(10);
	std::vector<Vector> vectors = mixture(random, 50, kDimensions, 4);
	Built built(Metric::kL2, quantize::Kind::kNone, 32, 8, 32);
	built.insert_all(vectors);
	HeapArena memory;
	const quantize::Computer computer = built.computer(vectors[0], memory);
	NodeId low = kNoNode;
	for (NodeId id = 0; id < vectors.size() && low == kNoNode; ++id)
		if (SlotLayout::header(built.graph.slot(id)).level == 0)
			low = id;
	ASSERT_NE(low, kNoNode);
	// as where a link of level 1 leads to a slot that was freed and reused
	Search<MemoryGraph> search(built.graph, computer, 1, Search<MemoryGraph>::Use::kRounds, 10, memory.arena());
	search.start({&low, 1});
	// stopped before it expands a node: a list of that level there is not
	search.round(10, {[](void *) { return true; }, nullptr});
	EXPECT_EQ(search.found(), 0U);
	EXPECT_FALSE(search.anything_waiting());
}

TEST(Insert, FoldsEqualCodes)
{
	std::mt19937_64 random(4);
	std::vector<Vector> vectors = mixture(random, 100, kDimensions, 4);
	Built built(Metric::kCosine, quantize::Kind::kScalar, 8, 8, 32);
	bool folded;
	for (std::size_t i = 0; i < 100; ++i) {
		built.insert(vectors[i], i, &folded);
		EXPECT_FALSE(folded);
	}
	std::map<NodeId, std::set<std::size_t>> more;
	for (std::size_t i = 0; i < 100; ++i) {
		NodeId id = built.insert(vectors[i % 10], 1000 + i, &folded);
		EXPECT_TRUE(folded);
		EXPECT_EQ(id, i % 10);
		more[id].insert(1000 + i);
	}
	EXPECT_EQ(built.graph.size(), 100U);
	for (NodeId id = 0; id < 100; ++id) {
		const SlotHeader &header = SlotLayout::header(built.graph.slot(id));
		EXPECT_EQ(header.row, row(id));
		std::set<std::size_t> rows;
		for (std::uint32_t at = header.duplicates; at != kNoChunk; at = built.graph.more_rows(at).next)
			rows.insert(built.graph.more_rows(at).row.block_low);
		EXPECT_EQ(rows, more[id]);
	}
}

TEST(Insert, DoesNotFoldVectorsThatDifferInLengthAlone)
{
	std::mt19937_64 random(4);
	Vector vector = mixture(random, 1, kDimensions, 1)[0], longer = vector;
	for (float &x : longer)
		x *= 2;
	bool folded;
	Built l2(Metric::kL2, quantize::Kind::kScalar, 4, 8, 32);
	l2.insert(vector, 1, &folded);
	l2.insert(longer, 2, &folded);
	EXPECT_FALSE(folded);
	EXPECT_EQ(l2.graph.size(), 2U);
}

TEST(Insert, StoppedChangesNothing)
{
	std::mt19937_64 random(6);
	std::vector<Vector> vectors = mixture(random, 60, kDimensions, 4);
	Built built(Metric::kL2, quantize::Kind::kScalar, 8, 8, 32);
	for (std::size_t i = 0; i < 50; ++i)
		built.insert(vectors[i], i);
	std::vector<std::byte> before;
	for (NodeId id = 0; id < 50; ++id)
		before.insert(before.end(), built.graph.slot(id), built.graph.slot(id) + built.graph.layout().slot_bytes());
	for (int allowed = 0; allowed < 20; ++allowed) {
		int left = allowed;
		Stop stop{[](void *context) { return (*static_cast<int *>(context))-- <= 0; }, &left};
		bool folded;
		EXPECT_EQ(built.insert(vectors[55], 55, &folded, stop), kNoNode);
	}
	EXPECT_EQ(built.graph.size(), 50U);
	std::vector<std::byte> after;
	for (NodeId id = 0; id < 50; ++id)
		after.insert(after.end(), built.graph.slot(id), built.graph.slot(id) + built.graph.layout().slot_bytes());
	EXPECT_EQ(before, after);
}

TEST(Insert, KeepsListsSound)
{
	std::mt19937_64 random(8);
	std::vector<Vector> vectors = mixture(random, 1000, kDimensions, 4);
	Built built(Metric::kL2, quantize::Kind::kScalar, 4, 3, 12);
	built.insert_all(vectors);
	for (NodeId id = 0; id < built.graph.size(); ++id) {
		unsigned top = SlotLayout::header(built.graph.slot(id)).level;
		for (unsigned level = 0; level <= top; ++level) {
			std::vector<NodeId> links(built.graph.max_links());
			unsigned count = built.graph.links(id, level, links.data());
			EXPECT_LE(count, built.graph.layout().capacity(level));
			std::set<NodeId> distinct(links.begin(), links.begin() + count);
			EXPECT_EQ(distinct.size(), count);
			EXPECT_FALSE(distinct.contains(id));
			for (NodeId to : distinct) {
				ASSERT_LT(to, built.graph.size());
				EXPECT_GE(SlotLayout::header(built.graph.slot(to)).level, level);
			}
		}
	}
}

}  // namespace
}  // namespace vectorizer::graph::test
