// A node's list of neighbours on one level, with the distance of every edge.
//
// Edge distances take one byte each: a signed mantissa under the list's common power of two, so that the farthest edge
// uses 64 to 126 of the 127 steps, the even ones. They exist so that a full list can be pruned without reading the
// neighbours' codes. The mantissa's lowest bit says whether the neighbour is hidden: whether, when it came or later, one
// that is not hidden stood in front of it (nearer to the owner and to it: what Malkov & Yashunin's algorithm 4 leaves out
// first).
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>

namespace vectorizer::graph {

using NodeId = std::uint32_t;
inline constexpr NodeId kNoNode = 0xFFFFFFFF;
inline constexpr double kAnyDistance = std::numeric_limits<double>::infinity();

/// Stored; an all-zero header is an empty list.
struct LinkHeader {
	std::uint8_t count;
	std::int8_t exponent;  // edge distance = even part of the mantissa * 2^exponent
};
static_assert(sizeof(LinkHeader) == 2);

/// What an inserter knows of its distances to other nodes: whatever its search evaluated.
class KnownDistances {
public:
	virtual bool find(NodeId id, double *distance) const = 0;

	/// Whether the new node itself links to that one: false keeps a list from giving it up, lest nothing lead to it.
	virtual bool leads_to(NodeId) const { return true; }

protected:
	~KnownDistances() = default;
};

/// A view of a list where it lies. The caller holds whatever lock guards those bytes.
struct LinkList {
	LinkHeader *header;
	NodeId *ids;
	std::int8_t *mantissas;
	unsigned capacity;

	unsigned count() const { return header->count; }
	double distance(unsigned i) const;
	bool hidden(unsigned i) const { return (mantissas[i] & 1) != 0; }
	bool contains(NodeId id) const;

	/// Copies the ids of the links that are at most `reach` long (their lengths are rounded); returns their number. Whoever holds no
	/// lock may get any of them while the list is changed, each as it was stored. REQUIRES: count() <= capacity, `out` holds so many.
	unsigned within(double reach, NodeId *out) const;

	void clear();

	/// Adds a link at the end. REQUIRES: count() < capacity.
	void append(NodeId id, double distance, bool hidden);

	/// Replaces the i-th link.
	void replace(unsigned i, NodeId id, double distance, bool hidden);

	/// Removes the i-th link; the last takes its place.
	void remove(unsigned i);

	/// Takes up a link to the new node `id`, which is `distance` away from the list's owner; returns whether the list
	/// changed. Neighbours that it stands in front of, by distances that are known, and links to become hidden, unless it is
	/// hidden itself: whoever comes here reaches them by way of it. A full list gives up the farthest of the hidden, which may
	/// be the new node; where there is none, the farthest of those that the new node links to, if it is nearer. `required`:
	/// the new node is neither hidden nor left out, whatever has to go.
	bool admit(NodeId id, double distance, const KnownDistances &from_new, bool required);

private:
	int steps(unsigned i) const { return mantissas[i] & ~1; }
	void set(unsigned i, NodeId id, double distance, bool hidden);
	/// Makes the exponent that of the farthest among `distance` and all edges but the one at `without`.
	void fit_exponent(double distance, unsigned without);
};

}  // namespace vectorizer::graph
