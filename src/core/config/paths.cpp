#include "core/config/paths.hpp"

#include <algorithm>
#include <vector>

namespace vectorizer::config {

namespace {

void walk(std::string_view path, std::vector<std::string_view> &parts)
{
	while (!path.empty()) {
		const std::size_t slash = std::min(path.find('/'), path.size());
		const std::string_view part = path.substr(0, slash);
		path.remove_prefix(std::min(slash + 1, path.size()));
		if (part == ".." && !parts.empty())
			parts.pop_back();
		else if (!part.empty() && part != "." && part != "..")
			parts.push_back(part);
	}
}

}  // namespace

std::string absolute_path(std::string_view path, std::string_view base)
{
	std::vector<std::string_view> parts;
	if (!path.starts_with('/')) {
		if (!base.starts_with('/'))
			return {};
		walk(base, parts);
	}
	walk(path, parts);
	std::string result;
	for (const std::string_view part : parts)
		result.append("/").append(part);
	return result.empty() ? "/" : result;
}

std::string path_from(std::string_view path, std::string_view base)
{
	const std::string from = absolute_path(base, {});
	if (from.empty())
		return std::string(path);
	if (path == from)
		return ".";
	const std::string above = from == "/" ? from : from + "/";
	return std::string(path.starts_with(above) ? path.substr(above.size()) : path);
}

}  // namespace vectorizer::config
