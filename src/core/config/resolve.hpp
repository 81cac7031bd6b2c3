// From what the places of a file say to what a collection or project is.
#pragma once

#include "core/config/settings.hpp"

#include <array>

namespace vectorizer::config {

/// The places, the weakest first; null where there is none.
struct Layers {
	const Settings *global = nullptr;
	const Settings *defaults = nullptr;
	const Settings *project = nullptr;
	const Settings *collection = nullptr;

	/// The strongest value of a setting, and how strong it is; null if nobody says.
	template <typename T>
	const Given<T> *pick(Settings::Maybe<T> Settings::*member, int &strength) const
	{
		const std::array<const Settings *, 4> all{global, defaults, project, collection};
		for (std::size_t i = all.size(); i-- > 0;) {
			if (all[i] && all[i]->*member) {
				strength = static_cast<int>(i) * kStrengths + (all[i]->*member)->strength;
				return &*(all[i]->*member);
			}
		}
		return nullptr;
	}
};

/// A collection of that name. `where` is its place, for what is wrong between settings that are right each.
CollectionPlan resolve_collection(
	std::string name, const Layers &layers, bool skip_hidden, const Place &where, Findings &findings);

/// The settings that are the project's; names, path and collections are left.
void resolve_project(ProjectPlan &project, const Layers &layers);

/// What a collection takes in memory, about.
std::size_t size_of(const CollectionPlan &collection);

}  // namespace vectorizer::config
