#include "core/graph/links.hpp"

#include <algorithm>
#include <atomic>
#include <bit>
#include <cfloat>
#include <cmath>
#include <cstdlib>
#include <cstring>

namespace vectorizer::graph {

namespace {

constexpr int kLargestMantissa = 127;

/// 2^exponent, for exponents of normal doubles: what std::ldexp(1, exponent) gives, without its call.
double power_of_two(int exponent)
{
	return std::bit_cast<double>(static_cast<std::uint64_t>(exponent + 1023) << 52);
}

/// The smallest exponent under which the distance's mantissa fits.
int exponent_for(double distance)
{
	// |distance| = f * 2^exponent with f in [.5, 1); a denormal one is far below the smallest exponent that is stored.
	int exponent = static_cast<int>(std::bit_cast<std::uint64_t>(distance) >> 52 & 0x7ff) - 1022;
	exponent = std::clamp(exponent - 7, -128, 127);
	if (exponent < 127 && std::fabs(distance) * power_of_two(-exponent) > kLargestMantissa)
		++exponent;
	return exponent;
}

double bounded(double distance)
{
	if (!(distance <= FLT_MAX))  // NaN too
		return FLT_MAX;
	return std::max(distance, double{-FLT_MAX});
}

std::int8_t mantissa_of(double steps, bool hidden)
{
	const auto even = static_cast<int>(std::clamp(2 * std::nearbyint(steps / 2), -126.0, 126.0));
	return static_cast<std::int8_t>(even | (hidden ? 1 : 0));
}

// A search may read the list meanwhile, without a lock: each id it sees is one that was stored whole.
void put(NodeId &place, NodeId id)
{
	std::atomic_ref(place).store(id, std::memory_order_relaxed);
}

constexpr unsigned kEight = 8;

/// Which of at most eight bytes are not above the limit: bit i tells of values[i]. After Warren, "Hacker's Delight", 2-18
/// (comparing the bytes of a word at once).
unsigned at_most(const std::int8_t *values, unsigned count, std::int8_t limit)
{
	static_assert(std::endian::native == std::endian::little);
	constexpr std::uint64_t kEach = 0x0101010101010101, kHigh = 0x80 * kEach;
	std::uint64_t bytes = 0;
	if (count == kEight) [[likely]]
		std::memcpy(&bytes, values, kEight);
	else
		std::memcpy(&bytes, values, count);
	// Signed bytes in the order of unsigned ones.
	bytes ^= kHigh;
	const std::uint64_t limits = (static_cast<std::uint8_t>(limit) ^ 0x80) * kEach;
	const std::uint64_t low_bits = (limits | kHigh) - (bytes & ~kHigh);  // bit 7: those of the limit are not fewer
	const std::uint64_t not_above = ((~bytes & limits) | (~(bytes ^ limits) & low_bits)) & kHigh;
	return static_cast<unsigned>(((not_above >> 7) * 0x0102040810204080) >> 56);
}

}  // namespace

double LinkList::distance(unsigned i) const
{
	return steps(i) * power_of_two(header->exponent);
}

bool LinkList::contains(NodeId id) const
{
	return std::find(ids, ids + count(), id) != ids + count();
}

unsigned LinkList::within(double reach, NodeId *out) const
{
	const unsigned n = std::min<unsigned>(std::atomic_ref(header->count).load(std::memory_order_relaxed), capacity);
	const double most = reach * power_of_two(-std::atomic_ref(header->exponent).load(std::memory_order_relaxed));
	const int most_steps = most < kLargestMantissa ? static_cast<int>(std::max(most, -128.0)) : kLargestMantissa;
	unsigned count = 0;
	for (unsigned first = 0; first < n; first += kEight) {
		const unsigned here = std::min(n - first, kEight);
		unsigned wanted = at_most(mantissas + first, here, static_cast<std::int8_t>(most_steps | 1));  // the lowest bit does not count
		for (unsigned i = first; i < first + here; ++i, wanted >>= 1) {
			out[count] = std::atomic_ref(ids[i]).load(std::memory_order_relaxed);
			count += wanted & 1;
		}
	}
	return count;
}

void LinkList::clear()
{
	header->count = 0;
	header->exponent = 0;
}

void LinkList::fit_exponent(double distance, unsigned without)
{
	// It is right as long as the farthest uses at least half the steps, and nothing needs more than there are.
	constexpr int kHalf = (kLargestMantissa + 1) / 2;
	const double own = std::fabs(distance) * power_of_two(-header->exponent);
	const bool fits = count() > 0 && own <= kLargestMantissa;
	if (fits && own >= kHalf)
		return;
	unsigned farthest = 0;
	for (unsigned i = 0; i < count(); ++i)
		if (i != without) {
			farthest = std::max(farthest, static_cast<unsigned>(std::abs(steps(i))));
			if (fits && farthest >= kHalf)
				return;
		}
	if (farthest == 0 && distance == 0)
		return;
	int needed = exponent_for(std::max(std::fabs(distance), farthest * power_of_two(header->exponent)));
	if (needed == header->exponent)
		return;
	double ratio = power_of_two(header->exponent - needed);
	for (unsigned i = 0; i < count(); ++i)
		mantissas[i] = mantissa_of(steps(i) * ratio, hidden(i));
	header->exponent = static_cast<std::int8_t>(needed);
}

void LinkList::set(unsigned i, NodeId id, double distance, bool hidden)
{
	put(ids[i], id);
	mantissas[i] = mantissa_of(distance * power_of_two(-header->exponent), hidden);
}

void LinkList::append(NodeId id, double distance, bool hidden)
{
	distance = bounded(distance);
	fit_exponent(distance, count());
	set(count(), id, distance, hidden);
	++header->count;
}

void LinkList::replace(unsigned i, NodeId id, double distance, bool hidden)
{
	distance = bounded(distance);
	fit_exponent(distance, i);
	set(i, id, distance, hidden);
}

void LinkList::remove(unsigned i)
{
	unsigned last = count() - 1;
	put(ids[i], ids[last]);
	mantissas[i] = mantissas[last];
	header->count = static_cast<std::uint8_t>(last);
}

bool LinkList::admit(NodeId id, double distance, const KnownDistances &from_new, bool required)
{
	if (contains(id))
		return false;
	// Everything is compared in the list's steps.
	const double step = power_of_two(-header->exponent);
	const double own = distance * step;
	double between;
	bool is_hidden = false;
	for (unsigned i = 0; i < count() && !required && !is_hidden; ++i)
		is_hidden = !hidden(i) && steps(i) < own && from_new.find(ids[i], &between) && between * step < own;

	bool behind[UINT8_MAX];  // the new node
	int worst = -1;          // the farthest of the hidden
	auto consider = [&](unsigned i) {
		if (worst < 0 || steps(i) > steps(static_cast<unsigned>(worst)))
			worst = static_cast<int>(i);
	};
	for (unsigned i = 0; i < count(); ++i) {
		behind[i] = !is_hidden && !hidden(i) && own < steps(i) && from_new.find(ids[i], &between) &&
					between * step < steps(i) && from_new.leads_to(ids[i]);
		if (hidden(i) || behind[i])
			consider(i);
	}
	const bool full = count() == capacity;
	if (full && worst >= 0) {
		if (is_hidden && !(own < steps(static_cast<unsigned>(worst))))
			return false;
	}
	else if (full) {
		if (is_hidden)
			return false;
		for (unsigned i = 0; i < count(); ++i)
			if (from_new.leads_to(ids[i]))
				consider(i);
		if (!required && (worst < 0 || !(own < steps(static_cast<unsigned>(worst)))))
			return false;
		if (worst < 0)  // something has to go
			for (unsigned i = 0; i < count(); ++i)
				consider(i);
	}

	for (unsigned i = 0; i < count(); ++i)
		if (behind[i])
			mantissas[i] |= 1;
	if (full)
		replace(static_cast<unsigned>(worst), id, distance, is_hidden);
	else
		append(id, distance, is_hidden);
	return true;
}

}  // namespace vectorizer::graph
