#include "core/text/token_vectors.hpp"

#include "core/error.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>

namespace vectorizer::txt {

namespace {

/// The last word of a text, which loses it and the spaces before it. Empty if there is none.
std::string_view take_last_word(std::string_view &text)
{
	const std::size_t space = text.find_last_of(" \t");
	const std::string_view word = text.substr(space + 1);  // npos + 1 is 0
	text = space == std::string_view::npos ? std::string_view() : text.substr(0, space);
	text.remove_suffix(text.size() - std::min(text.size(), text.find_last_not_of(" \t") + 1));
	return word;
}

bool read_number(std::string_view word, float &number)
{
	double value = 0;
	const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), value);
	if (end != word.data() + word.size() || (error != std::errc() && error != std::errc::result_out_of_range))
		return false;
	// What is too small for a double is nothing, what is too large is no number.
	if (error == std::errc::result_out_of_range)
		value = word.find("e-") != std::string_view::npos || word.find("E-") != std::string_view::npos ? 0 : HUGE_VAL;
	number = static_cast<float>(value);
	return true;
}

bool is_whole(std::string_view word)
{
	return !word.empty() && word.size() < 12 && word.find_first_not_of("0123456789") == std::string_view::npos;
}

}  // namespace

void TokenVectors::fail(const std::string &what) const
{
	throw Error(Errc::kInvalidInput, "line " + std::to_string(count_) + ": " + what);
}

void TokenVectors::append(std::string_view part)
{
	if (line_.size() + part.size() > kMaxLine)
		throw Error(Errc::kLimit, "line " + std::to_string(count_ + 1) + " is longer than a megabyte");
	line_ += part;
}

bool TokenVectors::is_header() const
{
	std::string_view rest = line_;
	const std::string_view second = take_last_word(rest);
	return count_ == 1 && is_whole(second) && is_whole(rest);
}

bool TokenVectors::read_line()
{
	while (!line_.empty() && (line_.back() == '\r' || line_.back() == ' ' || line_.back() == '\t'))
		line_.pop_back();
	++count_;
	if (line_.empty() || is_header()) {
		line_.clear();
		return false;
	}
	numbers_.clear();
	std::string_view rest = line_;
	while (!rest.empty() && (dimension_ == 0 || numbers_.size() < dimension_)) {
		std::string_view before = rest;
		const std::string_view word = take_last_word(before);
		float number;
		if (!read_number(word, number)) {
			if (dimension_ == 0)
				break;
			fail("\"" + std::string(word.substr(0, 40)) + "\" where the " + std::to_string(dimension_ - numbers_.size()) +
				 ". of " + std::to_string(dimension_) + " numbers should be");
		}
		if (!std::isfinite(number))
			fail("a number that is not finite");
		if (before.empty())  // the token, which may be a number
			break;
		numbers_.push_back(number);
		rest = before;
		if (numbers_.size() > kMaxDimension)
			throw Error(Errc::kLimit, "line " + std::to_string(count_) + " has more than " + std::to_string(kMaxDimension) + " numbers");
	}
	if (numbers_.empty() || (dimension_ != 0 && numbers_.size() != dimension_))
		fail("has " + std::to_string(numbers_.size()) + " numbers" + (dimension_ == 0 ? "" : ", not " + std::to_string(dimension_)));
	dimension_ = numbers_.size();
	std::ranges::reverse(numbers_);
	token_ = rest;
	line_.clear();
	return true;
}

}  // namespace vectorizer::txt
