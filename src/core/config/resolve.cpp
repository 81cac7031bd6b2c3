#include "core/config/resolve.hpp"

#include "core/config/types.hpp"

#include <algorithm>

namespace vectorizer::config {

namespace {

constexpr const char *kHidden = "**/.*";

/// A number that goes with another: what was given, by whom, how strongly (-1: nobody said).
struct Number {
	Number(const Layers &layers, Settings::Maybe<int> Settings::*member, int fallback) : value(fallback)
	{
		if (const Given<int> *given = layers.pick(member, strength)) {
			value = given->value;
			place = &given->place;
		}
	}

	int value;
	int strength = -1;
	const Place *place = nullptr;
};

template <typename T>
void assign(T &member, const Layers &layers, Settings::Maybe<T> Settings::*setting)
{
	int strength = 0;
	if (const Given<T> *given = layers.pick(setting, strength))
		member = given->value;
}

/// The overlap is for a size: one that is inherited beside a size that is not gives way; one as strong as the size is an error.
void set_chunks(CollectionPlan &plan, const Layers &layers, const CollectionType &type, const Place &where, Findings &findings)
{
	const Number size(layers, &Settings::chunk_size, type.chunk_size);
	const Number overlap(layers, &Settings::chunk_overlap, type.chunk_overlap);
	const int most = size.value / 2;
	plan.chunk_size = size.value;
	plan.chunk_overlap = std::min(overlap.value, most);
	if (overlap.value <= most)
		return;
	if (overlap.strength >= size.strength)
		findings.error(overlap.place ? *overlap.place : where, "chunk_overlap must be between 0 and half of chunk_size, " +
																   std::to_string(most) + ", not " +
																   std::to_string(overlap.value));
	else
		findings.warning(size.place ? *size.place : where, "the inherited chunk_overlap, " + std::to_string(overlap.value) +
															   ", is more than half of chunk_size: " + std::to_string(most) +
															   " is used");
}

void set_graph(CollectionPlan &plan, const Layers &layers, const Place &where, Findings &findings)
{
	const Number m(layers, &Settings::m, plan.m);
	const Number ef(layers, &Settings::ef_construction, plan.ef_construction);
	const int least = 2 * m.value;
	plan.m = m.value;
	plan.ef_construction = std::max(ef.value, least);
	if (ef.value >= least)
		return;
	if (ef.strength >= m.strength)
		findings.error(ef.place ? *ef.place : where,
			"ef_construction must be at least twice m, " + std::to_string(least) + ", not " + std::to_string(ef.value));
	else
		findings.warning(m.place ? *m.place : where, "the inherited ef_construction, " + std::to_string(ef.value) +
														 ", is less than twice m: " + std::to_string(least) + " is used");
}

}  // namespace

CollectionPlan resolve_collection(
	std::string name, const Layers &layers, bool skip_hidden, const Place &where, Findings &findings)
{
	CollectionPlan plan;
	plan.name = std::move(name);
	int strength = 0;
	const Given<std::string> *type_given = layers.pick(&Settings::type, strength);
	const CollectionType &type = type_given ? *find_type(type_given->value) : infer_type(plan.name);
	plan.type = type.name;
	plan.include = type.include;
	plan.exclude = default_exclude();
	assign(plan.include, layers, &Settings::include);
	assign(plan.exclude, layers, &Settings::exclude);
	if (skip_hidden && std::find(plan.exclude.begin(), plan.exclude.end(), kHidden) == plan.exclude.end())
		plan.exclude.push_back(kHidden);
	set_chunks(plan, layers, type, where, findings);
	assign(plan.text_config, layers, &Settings::text_config);
	assign(plan.dimension, layers, &Settings::dimension);
	assign(plan.metric, layers, &Settings::metric);
	assign(plan.model, layers, &Settings::model);
	assign(plan.k1, layers, &Settings::k1);
	assign(plan.b, layers, &Settings::b);
	set_graph(plan, layers, where, findings);
	assign(plan.ef_search, layers, &Settings::ef_search);
	assign(plan.quantization, layers, &Settings::quantization);
	assign(plan.tags, layers, &Settings::tags);
	assign(plan.category, layers, &Settings::category);
	return plan;
}

void resolve_project(ProjectPlan &project, const Layers &layers)
{
	assign(project.scan_interval_seconds, layers, &Settings::scan_interval_seconds);
	assign(project.debounce_ms, layers, &Settings::debounce_ms);
	assign(project.max_file_bytes, layers, &Settings::max_file_bytes);
}

std::size_t size_of(const CollectionPlan &collection)
{
	std::size_t bytes = sizeof(CollectionPlan) + collection.name.size() + collection.description.size() +
						collection.model.size() + collection.text_config.size();
	for (const auto *list : {&collection.include, &collection.exclude, &collection.tags}) {
		for (const std::string &text : *list)
			bytes += sizeof(std::string) + text.size();
	}
	return bytes;
}

}  // namespace vectorizer::config
