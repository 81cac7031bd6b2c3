// Embeddings that were asked for lately, by what they were asked for as. What was used longest ago goes first.
#pragma once

#include <cstddef>
#include <list>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

namespace vectorizer::remote {

class Cache {
public:
	/// Keeps at most so many numbers and bytes of keys together, in bytes.
	explicit Cache(std::size_t most_bytes) : most_bytes_(most_bytes) {}

	/// Empty if it is not known. Lasts until the next put() or clear().
	std::span<const float> find(const std::string &key);

	void put(const std::string &key, std::span<const float> embedding);

	void clear();
	std::size_t size() const { return known_.size(); }

private:
	struct Entry {
		std::string key;
		std::vector<float> embedding;

		std::size_t bytes() const;
	};

	std::size_t most_bytes_;
	std::size_t bytes_ = 0;
	std::list<Entry> entries_;  // the one used last first
	std::unordered_map<std::string, std::list<Entry>::iterator> known_;
};

}  // namespace vectorizer::remote
