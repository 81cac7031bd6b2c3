#include "core/config/shared.hpp"

#include "core/config/types.hpp"

namespace vectorizer::config {

namespace {

/// One who would have to say a setting, or inherit it.
template <typename T>
struct Voter {
	T wanted;
	T natural;           // without any `defaults`
	bool fixed = false;  // with any `defaults` too
};

/// The value that most want, if it saves lines as a default: a line for it, and one for each who wants another. Not any that saves
/// lines: who adds a collection by hand expects of defaults that they are what is usual.
template <typename T>
std::optional<T> vote(const std::vector<Voter<T>> &voters)
{
	const auto without =
		std::count_if(voters.begin(), voters.end(), [](const Voter<T> &one) { return !(one.wanted == one.natural); });
	std::vector<std::pair<const T *, std::ptrdiff_t>> tally;
	for (const Voter<T> &one : voters) {
		if (one.fixed)
			continue;
		auto known = std::find_if(tally.begin(), tally.end(), [&](const auto &entry) { return *entry.first == one.wanted; });
		if (known == tally.end())
			known = tally.insert(known, {&one.wanted, 0});
		++known->second;
	}
	const auto best =
		std::max_element(tally.begin(), tally.end(), [](const auto &a, const auto &b) { return a.second < b.second; });
	if (best == tally.end())
		return std::nullopt;
	const auto with = 1 + std::count_if(voters.begin(), voters.end(),
							  [&](const Voter<T> &one) { return !(one.wanted == (one.fixed ? one.natural : *best->first)); });
	const bool usual = 2 * best->second > static_cast<std::ptrdiff_t>(voters.size());
	return usual && with < without ? std::optional<T>(*best->first) : std::nullopt;
}

}  // namespace

bool names_its_type(const CollectionPlan &plan)
{
	return infer_type(plan.name).name != plan.type;
}

CollectionPlan inherited(const CollectionPlan &plan, const Shared &shared)
{
	const CollectionType &type = *find_type(plan.type);
	CollectionPlan result;
	result.name = plan.name;
	result.type = plan.type;
	result.include = type.include;
	result.exclude = shared.exclude.value_or(default_exclude());
	result.chunk_size = type.chunk_size;
	result.chunk_overlap = type.chunk_overlap;
	if (!names_its_type(plan)) {
		result.include = shared.include.value_or(result.include);
		const Chunks chunks = shared.chunks.value_or(chunks_of(result));
		result.chunk_size = chunks.size;
		result.chunk_overlap = chunks.overlap;
	}
	const Embedding embedding = shared.embedding.value_or(embedding_of(result));
	result.model = embedding.model;
	result.dimension = embedding.dimension;
	result.k1 = embedding.k1;
	result.b = embedding.b;
	const Indexing indexing = shared.indexing.value_or(indexing_of(result));
	result.m = indexing.m;
	result.ef_construction = indexing.ef_construction;
	result.ef_search = indexing.ef_search;
	result.quantization = indexing.quantization;
	result.text_config = shared.text_config.value_or(result.text_config);
	result.metric = shared.metric.value_or(result.metric);
	result.tags = shared.tags.value_or(result.tags);
	result.category = shared.category.value_or(result.category);
	return result;
}

ProjectPlan inherited(const Shared &shared)
{
	ProjectPlan result;
	result.scan_interval_seconds = shared.scan_interval_seconds.value_or(result.scan_interval_seconds);
	result.debounce_ms = shared.debounce_ms.value_or(result.debounce_ms);
	result.max_file_bytes = shared.max_file_bytes.value_or(result.max_file_bytes);
	return result;
}

Shared shared_of(const Plan &plan)
{
	using Texts = std::vector<std::string>;
	struct Ballots {
		std::vector<Voter<std::string>> model, text_config, metric, category;
		std::vector<Voter<int>> dimension, m, ef_construction, ef_search, scan_interval_seconds, debounce_ms;
		std::vector<Voter<double>> k1, b;
		std::vector<Voter<Quantization>> quantization;
		std::vector<Voter<Chunks>> chunks;
		std::vector<Voter<Texts>> include, exclude, tags;
		std::vector<Voter<std::int64_t>> max_file_bytes;
	} all;
	const ProjectPlan fresh;
	for (const ProjectPlan &project : plan.projects) {
		all.scan_interval_seconds.push_back({project.scan_interval_seconds, fresh.scan_interval_seconds});
		all.debounce_ms.push_back({project.debounce_ms, fresh.debounce_ms});
		all.max_file_bytes.push_back({project.max_file_bytes, fresh.max_file_bytes});
		for (const CollectionPlan &one : project.collections) {
			const CollectionPlan natural = inherited(one, {});
			const bool fixed = names_its_type(one);
			all.model.push_back({one.model, natural.model});
			all.dimension.push_back({one.dimension, natural.dimension});
			all.k1.push_back({one.k1, natural.k1});
			all.b.push_back({one.b, natural.b});
			all.m.push_back({one.m, natural.m});
			all.ef_construction.push_back({one.ef_construction, natural.ef_construction});
			all.ef_search.push_back({one.ef_search, natural.ef_search});
			all.quantization.push_back({one.quantization, natural.quantization});
			all.chunks.push_back({chunks_of(one), chunks_of(natural), fixed});
			all.include.push_back({one.include, natural.include, fixed});
			all.exclude.push_back({one.exclude, natural.exclude});
			all.text_config.push_back({one.text_config, natural.text_config});
			all.metric.push_back({one.metric, natural.metric});
			all.tags.push_back({one.tags, natural.tags});
			all.category.push_back({one.category, natural.category});
		}
	}
	Shared shared{{},
				  {},
				  vote(all.chunks),
				  vote(all.include),
				  vote(all.exclude),
				  vote(all.text_config),
				  vote(all.metric),
				  vote(all.tags),
				  vote(all.category),
				  vote(all.scan_interval_seconds),
				  vote(all.debounce_ms),
				  vote(all.max_file_bytes)};
	const CollectionPlan plain;
	const Embedding embedding{vote(all.model).value_or(plain.model), vote(all.dimension).value_or(plain.dimension),
							  vote(all.k1).value_or(plain.k1), vote(all.b).value_or(plain.b)};
	if (embedding != embedding_of(plain))
		shared.embedding = embedding;
	const Indexing indexing{vote(all.m).value_or(plain.m), vote(all.ef_construction).value_or(plain.ef_construction),
							vote(all.ef_search).value_or(plain.ef_search), vote(all.quantization).value_or(plain.quantization)};
	if (indexing != indexing_of(plain))
		shared.indexing = indexing;
	return shared;
}

}  // namespace vectorizer::config
