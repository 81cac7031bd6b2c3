// The rounds of a scan: what the graph leads to, what it does not lead to, and how sure an estimate is.
#include "pg/hnsw/scan_parts.hpp"

#include "pg/boundary.hpp"
#include "pg/crash_point.hpp"

namespace vectorizer::hnsw {

namespace {

/// A candidate counts as worse than a row whose exact distance lies this many sigmas below its estimate. One in a thousand
/// is nearer than that all the same, and then comes too late.
constexpr double kSigmas = 3;

/// Rounds that a scan runs for the sake of order alone: they come to 14 times ef_search, besides what is taken up without one.
/// Where many rows lie at nearly the same distance, codes never tell which is nearest, and what is nearer than a row that has been
/// returned is dropped in any case.
constexpr unsigned kMostRoundsForOrder = 3;

/// No finer estimate from a code of 8 bits is off by so many. Where such errors cannot change the order of a row and of all
/// that may follow it, its exact distance is not asked for: to fetch a vector from out of line costs as much as a hundred
/// estimates.
constexpr double kSigmasOfCertainty = 6;

/// Takes up every live node that the graph did not lead to: the graph alone leaves some without a link.
void sweep(Scan &scan, Relation relation)
{
	scan.report.swept = true;
	unsigned per_page = scan.index.slots_per_page;
	std::span<NodeId> unseen = scan.arena.array<NodeId>(per_page);
	GroupFrame frame;
	BlockNumber blocks = RelationGetNumberOfBlocks(relation);
	for (BlockNumber block = 1; block < blocks; ++block) {
		CHECK_FOR_INTERRUPTS();
		std::size_t n = 0;
		bool is_node_page = pg::read_page(relation, block, [&](Page page) {
			return frame.kind(relation, scan.index, block, page) == PageKind::kNodes;
		});
		if (is_node_page)
			scan.store.on_node_page(block, [&](Page page) {
				for (unsigned slot = 0; slot < items_on(page, scan.index.layout.slot_bytes()); ++slot) {
					const std::byte *bytes = scan.store.used_slot(block, page, slot);
					NodeId id = node_at(block, slot, per_page);
					if (bytes != nullptr && graph::SlotLayout::header(bytes).state == 1 && !scan.search->visited().contains(id))
						unseen[n++] = id;
				}
			});
		scan.search->add(unseen.first(n));
	}
}

/// How far from its estimate a row may lie. A product code's errors have no such limit: of the true neighbours one in twenty
/// lies more than four sigmas below, some twelve. There all that a round finds is ranked by its rows.
double sigmas_of_rows(const quantize::Shape &shape)
{
	return shape.kind == quantize::Kind::kProduct ? 1e6 : kSigmas;
}

/// No further round.
void end(Scan &scan, Ending why)
{
	scan.ended = true;
	scan.report.ending = why;
}

/// The sigmas that a further round is run for. Of a product code they reach most of a large table: there it is ef_search that
/// says how many candidates are looked at.
double waiting_sigmas(const quantize::Shape &shape)
{
	return shape.kind == quantize::Kind::kProduct ? 0 : kSigmas;
}

bool may_be_nearer(const Scan &scan, const graph::Candidate &waiting, double distance)
{
	const double sigma = scan.computer.error(waiting.factors, waiting.distance);
	return nearer(waiting.distance - waiting_sigmas(scan.index.shape) * sigma, distance);
}

/// What the last round found is to be fetched, and may have been enough.
void note_found(Scan &scan)
{
	for (std::size_t i = 0; i < scan.search->found(); ++i) {
		const graph::Candidate &found = scan.search->found(i);
		scan.unfetched.push(unfetched(scan, scan.computer, found.id, found.distance, found.factors));
	}
	auto limit = static_cast<std::uint64_t>(scan.settings.max_scan_tuples);
	if (scan.settings.iterative_scan == IterativeScan::kOff)
		end(scan, Ending::kOneRound);
	else if (limit > 0 && scan.report.rows + scan.unfetched.size() >= limit)
		end(scan, Ending::kTupleLimit);
}

}  // namespace

Unfetched unfetched(const Scan &scan, const quantize::Computer &computer, NodeId node, double estimate, quantize::Factors factors)
{
	const double sigma = computer.error(factors, estimate);
	const bool tells = scan.order_shows && sigma > 0;  // a vector of length zero has none
	const double ceiling = tells ? estimate + kSigmasOfCertainty * sigma : std::numeric_limits<double>::infinity();
	const double reach = sigmas_of_rows(scan.index.shape) * sigma;
	const double top = sigma > 0 ? estimate + reach : std::numeric_limits<double>::infinity();  // else rounding decides
	return {estimate - reach, top, ceiling, node};
}

bool widen(Scan &scan, Relation relation)
{
	if (scan.search == nullptr || scan.ended)
		return false;
	while (scan.n_ready > 0)
		scan.unfetched.push(scan.ready[--scan.n_ready].node);
	Search &search = *scan.search;
	if (search.exhausted() && !search.anything_waiting()) {
		if (!scan.report.swept)
			sweep(scan, relation);
		if (search.exhausted() && !search.anything_waiting()) {
			end(scan, Ending::kEveryRow);
			return false;
		}
	}
	pg::crash_point("scan.round");
	if (!search.round(scan.width, pg::interrupt_pending()))
		CHECK_FOR_INTERRUPTS();
	scan.width *= 2;
	++scan.report.rounds;
	note_found(scan);
	return true;
}

bool look_further(Scan &scan, Relation relation, double distance)
{
	if (!order_wants_more(scan, distance) || scan.ended)
		return false;
	const auto ef = static_cast<std::uint64_t>(scan.settings.ef_search);
	// Not where codes show the order: what waits close behind would have every row fetched, a round ahead settles most without.
	if (!scan.order_shows && scan.report.rows < ef &&
		scan.search->take_waiting([&](const graph::Candidate &waiting) { return may_be_nearer(scan, waiting, distance); }, ef / 2)) {
		note_found(scan);
		return true;
	}
	++scan.rounds_for_order;
	return widen(scan, relation);
}

bool order_wants_more(const Scan &scan, double distance)
{
	if (!scan.strict || scan.rounds_for_order >= kMostRoundsForOrder || scan.search == nullptr ||
		!scan.search->anything_waiting())
		return false;
	return may_be_nearer(scan, scan.search->first_waiting(), distance);
}

}  // namespace vectorizer::hnsw
