// Reads what a place of a workspace file says: the maps `embedding`, `indexing` and `processing`, and the keys beside them.
#pragma once

#include "core/config/settings.hpp"

namespace vectorizer::config {

class SettingsReader {
public:
	/// Both outlive it; templates may be filled later.
	SettingsReader(const Templates &templates, Findings &findings) : templates_(templates), findings_(findings) {}

	// The maps' own keys, without a template.
	Settings embedding(Section &map);
	Settings indexing(Section &map);
	Settings processing(Section &map);

	/// What stands directly in a collection, a project or `defaults`, of what concerns collections.
	Settings own(Section &place);

	/// All that such a place says of collections, laid over each other as settings.hpp has it.
	Settings all(Section &place);

	/// What stands directly in a project or `defaults` and concerns projects.
	Settings of_project(Section &place);

	/// max_file_size_mb or max_file_bytes.
	Settings::Maybe<std::int64_t> max_file_bytes(Section &map);

private:
	using Read = Settings (SettingsReader::*)(Section &);

	Settings named(Section &place, std::string_view key, const TemplateMap &templates, Read read);
	void apply_template(
		Settings &settings, const Given<std::string> &name, std::string_view kind, const TemplateMap &templates);
	Settings::Maybe<std::vector<std::string>> patterns(Section &map, std::string_view key, std::string_view synonym);
	Settings::Maybe<Quantization> quantization(Section &map);
	void check_bits(int &bits, const Place &place);

	const Templates &templates_;
	Findings &findings_;
};

}  // namespace vectorizer::config
