// What there is to say about a document: where, how bad, and what.
#pragma once

#include <cstddef>
#include <set>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

namespace vectorizer::config {

enum class Severity {
	kError,    // there is no plan
	kWarning,  // something else is done than the document says
	kIgnored,  // the document asks for what has no counterpart here
};

/// A place in the document, `projects[2].collections[0].name`; empty for the document itself. Lines count from 1.
struct Place {
	std::string path;
	int line = 1;
};

struct Finding {
	Severity severity;
	std::string path;
	int line;
	std::string message;

	bool operator==(const Finding &) const = default;
};

/// `text` in quotes, for a message: without control characters, and not all of it if it is long.
std::string quoted(std::string_view text);

/// Collects findings, each once. Past kMost it counts the rest.
class Findings {
public:
	static constexpr std::size_t kMost = 1000;

	void add(Severity severity, const Place &place, std::string message);
	void error(const Place &place, std::string message) { add(Severity::kError, place, std::move(message)); }
	void warning(const Place &place, std::string message) { add(Severity::kWarning, place, std::move(message)); }
	void ignored(const Place &place, std::string message) { add(Severity::kIgnored, place, std::move(message)); }

	/// In order of lines.
	std::vector<Finding> take();

private:
	std::vector<Finding> findings_;
	std::set<std::tuple<std::string, int, std::string>> seen_;
	std::size_t left_out_ = 0;
	bool error_left_out_ = false;
};

}  // namespace vectorizer::config
