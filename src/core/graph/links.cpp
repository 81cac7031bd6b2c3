#include "core/graph/links.hpp"

#include <algorithm>
#include <atomic>
#include <bit>
#include <cfloat>
#include <cmath>
#include <cstdlib>

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

std::int8_t mantissa_of(double steps)
{
	return static_cast<std::int8_t>(std::clamp(std::nearbyint(steps), -127.0, 127.0));
}

// A search may read the list meanwhile, without a lock: each id it sees is one that was stored whole.
void put(NodeId &place, NodeId id)
{
	std::atomic_ref(place).store(id, std::memory_order_relaxed);
}

}  // namespace

double LinkList::distance(unsigned i) const
{
	return mantissas[i] * power_of_two(header->exponent);
}

bool LinkList::contains(NodeId id) const
{
	return std::find(ids, ids + count(), id) != ids + count();
}

void LinkList::clear()
{
	header->count = 0;
	header->exponent = 0;
}

void LinkList::fit_exponent(double distance, unsigned without)
{
	unsigned farthest = 0;
	for (unsigned i = 0; i < count(); ++i)
		if (i != without)
			farthest = std::max(farthest, static_cast<unsigned>(std::abs(mantissas[i])));
	if (farthest == 0 && distance == 0)
		return;
	int needed = exponent_for(std::max(std::fabs(distance), farthest * power_of_two(header->exponent)));
	if (needed == header->exponent)
		return;
	double ratio = power_of_two(header->exponent - needed);
	for (unsigned i = 0; i < count(); ++i)
		mantissas[i] = mantissa_of(mantissas[i] * ratio);
	header->exponent = static_cast<std::int8_t>(needed);
}

void LinkList::set(unsigned i, NodeId id, double distance)
{
	put(ids[i], id);
	mantissas[i] = mantissa_of(distance * power_of_two(-header->exponent));
}

void LinkList::append(NodeId id, double distance)
{
	distance = bounded(distance);
	fit_exponent(distance, count());
	set(count(), id, distance);
	++header->count;
}

void LinkList::replace(unsigned i, NodeId id, double distance)
{
	distance = bounded(distance);
	fit_exponent(distance, i);
	set(i, id, distance);
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
	if (count() < capacity) {
		append(id, distance);
		return true;
	}

	// Everything is compared in the list's steps. Looking a distance up is what costs: done only where it can decide.
	const double step = power_of_two(-header->exponent);
	const double own = distance * step;
	unsigned farthest = 0;
	for (unsigned i = 1; i < count(); ++i)
		if (mantissas[i] > mantissas[farthest])
			farthest = i;
	if (!required && !(own < mantissas[farthest]))
		return false;

	int spare = -1;   // the farthest neighbour that the new node links to
	int behind = -1;  // ... and stands in front of
	double between;
	for (unsigned i = 0; i < count(); ++i) {
		const std::int8_t edge = mantissas[i];
		const bool farther = spare < 0 || edge > mantissas[spare];
		const bool in_front = own < edge && (behind < 0 || edge > mantissas[behind]);
		if (!(required || own < edge) || !(farther || in_front) || !from_new.leads_to(ids[i]))
			continue;
		if (farther)
			spare = static_cast<int>(i);
		if (in_front && from_new.find(ids[i], &between) && between * step < edge)
			behind = static_cast<int>(i);
	}
	if (behind < 0 && !required) {
		if (spare < 0)
			return false;
		for (unsigned i = 0; i < count(); ++i)  // does some neighbour stand in front of the new node?
			if (mantissas[i] < own && from_new.find(ids[i], &between) && between * step < own)
				return false;
	}
	const int out = behind >= 0 ? behind : spare;
	replace(out >= 0 ? static_cast<unsigned>(out) : farthest, id, distance);
	return true;
}

}  // namespace vectorizer::graph
