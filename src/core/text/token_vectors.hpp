// Word vectors as text: a token and its numbers a line, as GloVe and word2vec (text format) write them.
//
// A first line of two whole numbers is word2vec's count and dimension, and taken for that. The first line of a vector says how many
// numbers there are; tokens may hold spaces, so a line is read from its end.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace vectorizer::txt {

class TokenVectors {
public:
	static constexpr std::size_t kMaxDimension = 2000;
	static constexpr std::size_t kMaxLine = 1 << 20;  // bytes

	/// Takes the next bytes of a file, and gives each line that they end to take(token, numbers), in order; empty lines are left out.
	/// `take` returns false when it wants no more. False then. Throws Errc::kInvalidInput that names the line: no numbers, another
	/// count of them, one that is not finite; kLimit: a line or dimension too long; bad_alloc.
	template <typename Take>
	bool feed(std::string_view bytes, Take &&take)
	{
		while (!bytes.empty()) {
			const std::size_t end = bytes.find('\n');
			append(bytes.substr(0, end));
			if (end == std::string_view::npos)
				return true;
			bytes.remove_prefix(end + 1);
			if (read_line() && !take(std::string_view(token_), std::span<const float>(numbers_)))
				return false;
		}
		return true;
	}

	/// The file has ended: the same for a last line without a line end.
	template <typename Take>
	bool finish(Take &&take)
	{
		return !read_line() || take(std::string_view(token_), std::span<const float>(numbers_));
	}

	/// Numbers of a vector; 0 before the first.
	std::size_t dimension() const { return dimension_; }

private:
	void append(std::string_view part);

	/// Reads line_ and empties it. False if it holds no vector.
	bool read_line();
	bool is_header() const;
	[[noreturn]] void fail(const std::string &what) const;

	std::string line_;
	std::size_t count_ = 0;  // of lines
	std::size_t dimension_ = 0;
	std::string token_;
	std::vector<float> numbers_;
};

}  // namespace vectorizer::txt
