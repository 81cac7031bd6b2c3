// The error that leaf code of core throws. Walking code (graph/) never throws: see docs/architecture.md.
//
// The Postgres side turns it into an ereport with the SQLSTATE that `Errc` names (src/pg/boundary.hpp).
#pragma once

#include <stdexcept>
#include <string>

namespace vectorizer {

enum class Errc {
	kInvalidInput,   // text or bytes that break their format       -> 22023 invalid_parameter_value
	kLimit,          // more than we are built to hold               -> 54000 program_limit_exceeded
	kIo,             // the operating system said no                 -> 58030 io_error
	kCancelled,      // the caller's stop predicate said so          -> 57014 query_canceled
	kInternal,       // a state that the code says cannot happen     -> XX000 internal_error
};

class Error : public std::runtime_error {
public:
	Error(Errc code, const std::string &message, std::string hint = {})
		: std::runtime_error(message), code_(code), hint_(std::move(hint)) {}

	Errc code() const noexcept { return code_; }
	const std::string &hint() const noexcept { return hint_; }

private:
	Errc code_;
	std::string hint_;
};

}  // namespace vectorizer
