#include "core/config/finding.hpp"

#include "core/text/utf8.hpp"

#include <algorithm>

namespace vectorizer::config {

std::string quoted(std::string_view text)
{
	constexpr std::size_t kShown = 100;
	const std::size_t cut = text.size() > kShown ? txt::cut_before(text, kShown) : text.size();
	return "\"" + txt::printable(text.substr(0, cut)) + (cut < text.size() ? "..." : "") + "\"";
}

void Findings::add(Severity severity, const Place &place, std::string message)
{
	if (findings_.size() >= kMost) {
		++left_out_;
		error_left_out_ = error_left_out_ || severity == Severity::kError;
		return;
	}
	// What many collections inherit is found with each of them.
	if (seen_.emplace(place.path, place.line, message).second)
		findings_.push_back({severity, place.path, place.line, std::move(message)});
}

std::vector<Finding> Findings::take()
{
	std::stable_sort(findings_.begin(), findings_.end(), [](const Finding &a, const Finding &b) { return a.line < b.line; });
	if (left_out_ > 0)
		findings_.push_back({error_left_out_ ? Severity::kError : Severity::kWarning, "", findings_.back().line,
			"more findings than " + std::to_string(kMost) + ": " + std::to_string(left_out_) + " are left out"});
	seen_.clear();
	return std::move(findings_);
}

}  // namespace vectorizer::config
