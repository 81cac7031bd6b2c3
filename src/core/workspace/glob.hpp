// Glob patterns over '/'-separated relative paths.
//
//   ?        one character, not '/'              [a-z] [!a-z] [^a-z]   one character of a set, never '/'
//   *        any characters but '/'              {a,b/*,}              one of the alternatives; they nest
//   **/      at a segment's beginning: any number of directories, none too (`**/*.md` matches a.md)
//   /**      at the end: everything below, not the directory itself; a trailing '/' means the same
//   \x       x itself
//
// `**` alone matches everything; `**` that is not a whole segment is `*`; a `**` just before ',' or '}' matches any
// characters. Matching is of the whole path, by character, and case-sensitive; `*.md` matches in the top directory
// only; a leading dot is not special, a leading "./" is dropped. A pattern is a nondeterministic automaton walked over
// the path: O(length of path * length of pattern), always.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace vectorizer::workspace {

/// Immutable once built; matching is const and may run anywhere.
class Glob {
public:
	/// Throws Errc::kInvalidInput with the byte position (1-based) of a parse error: an empty pattern, one that begins
	/// with '/', an unclosed '[' or '{', an empty or reversed set, a trailing '\'; Errc::kLimit past 4,096 bytes or 32
	/// nested braces.
	explicit Glob(std::string_view pattern);

	bool matches(std::string_view path) const;

	/// Whether it matches the path itself or a directory above it.
	bool matches_or_contains(std::string_view path) const;

	/// Whether it matches, or may match, something below that directory ("" is the root). False is certain.
	bool may_match_below(std::string_view directory) const;

	/// Whether it matches that directory, one above it, or surely everything below it. True is certain.
	bool covers(std::string_view directory) const;

	const std::string &pattern() const { return pattern_; }

private:
	class Parser;
	class Walk;

	struct Range {
		char32_t first;
		char32_t last;
	};
	enum class Kind : std::uint8_t { kCharacter, kNotSlash, kAnything, kSet, kNotSet, kSplit, kAccept };
	struct State {
		Kind kind;
		bool tail;                  // kAnything that takes all that follows, to the pattern's end
		char32_t character;         // kCharacter
		std::uint32_t next;
		std::uint32_t other;        // kSplit: the second way
		std::uint32_t first_range;  // kSet, kNotSet
		std::uint32_t range_count;
	};

	bool takes(const State &state, char32_t character) const;

	std::string pattern_;
	std::vector<State> states_;
	std::vector<Range> ranges_;
	std::uint32_t start_ = 0;
};

/// Which files belong: those that some include matches (no includes: all) and that no exclude matches. An exclude that
/// matches a directory excludes all below it (`**/node_modules` does what `**/node_modules/**` does).
class PatternSet {
public:
	PatternSet() = default;
	PatternSet(std::span<const std::string> includes, std::span<const std::string> excludes);

	/// Of a file, relative to the root.
	bool matches(std::string_view path) const;

	/// Whether a walk needs to enter that directory. False is certain: no file below it matches.
	bool may_contain(std::string_view directory) const;

	/// The first include that matches the path, the first exclude that does or that matches a directory above it; null if none.
	const Glob *including(std::string_view path) const;
	const Glob *excluding(std::string_view path) const;

private:
	std::vector<Glob> includes_;
	std::vector<Glob> excludes_;
};

}  // namespace vectorizer::workspace
