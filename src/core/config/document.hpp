// A YAML document as a tree whose nodes know their lines, read from yaml-cpp's events.
//
// Not yaml-cpp's own nodes: they keep both of two equal keys without a word, share what aliases name, so that nobody sees what a
// walk of it costs, and take a time that grows with the square to look keys up. This is the only file that knows yaml-cpp.
//
// Merge keys (`<<: *anchor`) are resolved; a key of the map itself counts before one that is merged in. Tags are not looked at,
// but for `!!str`.
#pragma once

#include "core/config/finding.hpp"

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

namespace vectorizer::config {

struct Node;

struct Entry {
	std::string key;
	int line;
	const Node *value;
};

struct Node {
	enum class Kind { kNull, kScalar, kSequence, kMap };

	Kind kind = Kind::kNull;
	int line = 1;
	bool plain = false;  // a scalar that was not quoted: only such are numbers and truth values
	std::string text;    // of a scalar; valid UTF-8 without NUL
	std::vector<const Node *> items;
	std::vector<Entry> entries;  // keys differ
	std::uint64_t weight = 1;    // nodes that a walk comes by, aliases followed; 0 while its end has not been read
};

struct DocumentLimits {
	std::size_t bytes = 1 << 20;
	std::uint64_t nodes = 100'000;  // aliases followed
};

class Document {
public:
	static constexpr std::size_t kMostDepth = 32;

	/// Breaks of the syntax, of the limits, several documents, keys that are not text and aliases that name what they are in
	/// leave root() null, with an error in `findings`. Keys that are there twice are errors too; the first one counts.
	Document(std::string_view yaml, Findings &findings, const DocumentLimits &limits = {});

	const Node *root() const { return root_; }

private:
	class Builder;

	std::deque<Node> nodes_;
	const Node *root_ = nullptr;
};

}  // namespace vectorizer::config
