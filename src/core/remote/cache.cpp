#include "core/remote/cache.hpp"

namespace vectorizer::remote {

namespace {

constexpr std::size_t kEntryBytes = 200;  // of nodes and headers, about

}  // namespace

std::size_t Cache::Entry::bytes() const
{
	return kEntryBytes + 2 * key.size() + embedding.size() * sizeof(float);
}

std::span<const float> Cache::find(const std::string &key)
{
	const auto at = known_.find(key);
	if (at == known_.end())
		return {};
	entries_.splice(entries_.begin(), entries_, at->second);
	return at->second->embedding;
}

void Cache::put(const std::string &key, std::span<const float> embedding)
{
	if (const auto at = known_.find(key); at != known_.end()) {
		bytes_ -= at->second->bytes();
		entries_.erase(at->second);
		known_.erase(at);
	}
	entries_.push_front({key, {embedding.begin(), embedding.end()}});
	try {
		known_.emplace(key, entries_.begin());
	}
	catch (...) {
		entries_.pop_front();
		throw;
	}
	bytes_ += entries_.front().bytes();
	while (bytes_ > most_bytes_) {
		bytes_ -= entries_.back().bytes();
		known_.erase(entries_.back().key);
		entries_.pop_back();
	}
}

void Cache::clear()
{
	known_.clear();
	entries_.clear();
	bytes_ = 0;
}

}  // namespace vectorizer::remote
