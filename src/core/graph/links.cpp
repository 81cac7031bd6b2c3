#include "core/graph/links.hpp"

#include <algorithm>
#include <cfloat>
#include <cmath>

namespace vectorizer::graph {

namespace {

constexpr int kLargestMantissa = 127;

/// The smallest exponent under which the distance's mantissa fits.
int exponent_for(double distance)
{
	int exponent;
	std::frexp(distance, &exponent);  // |distance| = f * 2^exponent with f in [.5, 1)
	exponent -= 7;
	if (std::ldexp(std::fabs(distance), -exponent) > kLargestMantissa)
		++exponent;
	return std::clamp(exponent, -128, 127);
}

double bounded(double distance)
{
	if (!(distance <= FLT_MAX))  // NaN too
		return FLT_MAX;
	return std::max(distance, double{-FLT_MAX});
}

}  // namespace

double LinkList::distance(unsigned i) const
{
	return std::ldexp(double{static_cast<double>(mantissas[i])}, header->exponent);
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
	double farthest = std::fabs(distance);
	for (unsigned i = 0; i < count(); ++i)
		if (i != without)
			farthest = std::max(farthest, std::fabs(this->distance(i)));
	if (farthest == 0)
		return;
	int needed = exponent_for(farthest);
	if (needed == header->exponent)
		return;
	for (unsigned i = 0; i < count(); ++i) {
		double mantissa = std::nearbyint(std::ldexp(double{static_cast<double>(mantissas[i])}, header->exponent - needed));
		mantissas[i] = static_cast<std::int8_t>(std::clamp(mantissa, -127.0, 127.0));
	}
	header->exponent = static_cast<std::int8_t>(needed);
}

void LinkList::set(unsigned i, NodeId id, double distance)
{
	ids[i] = id;
	double mantissa = std::nearbyint(std::ldexp(distance, -header->exponent));
	mantissas[i] = static_cast<std::int8_t>(std::clamp(mantissa, -127.0, 127.0));
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
	ids[i] = ids[last];
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

	int behind = -1;         // the farthest neighbour that the new node stands in front of
	unsigned farthest = 0;
	bool hidden = false;     // some neighbour stands in front of the new node
	for (unsigned i = 0; i < count(); ++i) {
		double edge = this->distance(i);
		if (edge > this->distance(farthest))
			farthest = i;
		double between;
		if (!from_new.find(ids[i], &between))
			continue;
		if (distance < edge && between < edge && (behind < 0 || edge > this->distance(static_cast<unsigned>(behind))))
			behind = static_cast<int>(i);
		hidden = hidden || (edge < distance && between < distance);
	}
	if (behind < 0 && !required && (hidden || distance >= this->distance(farthest)))
		return false;
	replace(behind >= 0 ? static_cast<unsigned>(behind) : farthest, id, distance);
	return true;
}

}  // namespace vectorizer::graph
