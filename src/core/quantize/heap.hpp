// Memory for leaf code, tests and benchmarks that make quantizers and queries of their own.
#pragma once

#include "core/arena.hpp"

#include <memory>
#include <vector>

namespace vectorizer::quantize {

/// Released with this, all at once. Every allocation is a block of exactly its size: sanitizers see what goes beyond it.
class Heap {
public:
	Arena arena()
	{
		return {[](void *context, std::size_t bytes) -> void * {
			        auto &blocks = static_cast<Heap *>(context)->blocks_;
			        blocks.push_back(std::make_unique_for_overwrite<std::byte[]>(bytes));
			        return blocks.back().get();
		        },
		        this};
	}

private:
	std::vector<std::unique_ptr<std::byte[]>> blocks_;
};

}  // namespace vectorizer::quantize
