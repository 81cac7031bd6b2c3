// Workspace files: YAML to a plan, with everything that there is to say about the document. README.md has the grammar.
//
// Two forms share it: the verbose one of the HiveLLM Vectorizer, and a simplified one with templates, defaults, types and names
// that say them. Every key may stand in a file of either form.
#pragma once

#include "core/config/finding.hpp"
#include "core/config/plan.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace vectorizer::config {

enum class Form { kVerbose, kSimplified };

struct Parsed {
	Plan plan;  // of a document with errors: what could be read
	std::vector<Finding> findings;
	Form form = Form::kSimplified;

	/// Whether the plan is what the document says: no finding is an error.
	bool ok() const;
};

/// Relative paths of projects begin at `base`, an absolute path; an error each if it is empty. Throws bad_alloc only: what is
/// wrong with a document, its size too, is in the findings.
Parsed parse_workspace(std::string_view yaml, std::string_view base);

/// The same workspace in the fewest lines (write_minimal). Throws Errc::kInvalidInput with the first error of a document that has
/// one; kLimit if what was written is larger than a workspace file may be; kInternal if it does not mean the same.
std::string migrate(std::string_view yaml, std::string_view base);

}  // namespace vectorizer::config
