#include "core/workspace/glob.hpp"

#include "core/error.hpp"
#include "core/text/utf8.hpp"

#include <algorithm>

namespace vectorizer::workspace {

namespace {

constexpr std::size_t kMaxPattern = 4096;
constexpr int kMaxNesting = 32;

// A byte that is not UTF-8 is a character of its own, unlike every code point.
char32_t character_at(std::string_view text, std::size_t &at)
{
	txt::Decoded c = txt::decode(text, at);
	if (c.valid) {
		at += c.length;
		return c.code_point;
	}
	return 0x110000 + static_cast<unsigned char>(text[at++]);
}

}  // namespace

// Thompson's construction: each piece of the pattern becomes a fragment of automaton with one way in and one open way out.
class Glob::Parser {
public:
	Parser(Glob &glob, std::string_view pattern) : glob_(glob), pattern_(pattern) {}

	void run()
	{
		if (pattern_.size() > kMaxPattern)
			throw Error(Errc::kLimit, "glob pattern is longer than " + std::to_string(kMaxPattern) + " bytes");
		if (sees("/"))
			fail("pattern begins with \"/\"", 0, "Patterns are relative to the root of the tree.");
		while (sees("./"))
			at_ += 2;
		if (at_end())
			fail("pattern is empty", at_);
		Fragment all = sequence(true, 0);
		std::uint32_t accept = add(Kind::kAccept);
		patch(all, accept);
		glob_.start_ = all.start;
	}

private:
	// The way out is a split with nothing behind it yet.
	struct Fragment {
		std::uint32_t start;
		std::uint32_t end;
	};

	[[noreturn]] void fail(const std::string &what, std::size_t at, const std::string &hint = {})
	{
		throw Error(Errc::kInvalidInput,
					"invalid glob pattern \"" + txt::printable(pattern_) + "\": " + what + " at position " + std::to_string(at + 1), hint);
	}

	std::uint32_t add(Kind kind, std::uint32_t next = 0, std::uint32_t other = 0)
	{
		glob_.states_.push_back({kind, false, 0, next, other, 0, 0});
		return static_cast<std::uint32_t>(glob_.states_.size() - 1);
	}

	State &state(std::uint32_t id) { return glob_.states_[id]; }

	// An open end: a split both of whose ways are set by patch().
	std::uint32_t open() { return add(Kind::kSplit); }
	void patch(Fragment fragment, std::uint32_t to) { state(fragment.end).next = state(fragment.end).other = to; }

	bool at_end() const { return at_ == pattern_.size(); }
	bool sees(std::string_view text) const { return pattern_.substr(at_).starts_with(text); }

	// Up to the pattern's end, or to the ',' or '}' of the enclosing braces. `fresh`: a path segment begins here.
	Fragment sequence(bool fresh, int nesting)
	{
		std::uint32_t start = open();
		Fragment all{start, start};
		while (!at_end() && !(nesting > 0 && (sees(",") || sees("}")))) {
			bool slash = sees("/");
			Fragment one = piece(fresh, nesting);
			patch(all, one.start);
			all.end = one.end;
			fresh = slash || fresh_after_;
		}
		return all;
	}

	Fragment piece(bool fresh, int nesting)
	{
		fresh_after_ = false;
		if (sees("**") && fresh) {
			std::size_t after = at_ + 2;
			if (after == pattern_.size() || (nesting > 0 && (pattern_[after] == ',' || pattern_[after] == '}'))) {
				at_ = after;
				return anything(at_end());
			}
			if (pattern_[after] == '/') {
				at_ = after + 1;
				fresh_after_ = true;
				// At the very end the '/' asks for what is below.
				return at_end() ? anything(true) : directories();
			}
		}
		switch (pattern_[at_]) {
			case '*':
				while (sees("*"))
					++at_;
				return star();
			case '?':
				++at_;
				return one(add(Kind::kNotSlash));
			case '[':
				return set();
			case '{':
				return alternatives(fresh, nesting);
			case '/':
				++at_;
				if (at_end())
					return below();
				return literal('/');
			case '\\':
				if (++at_ == pattern_.size())
					fail("nothing follows the \"\\\"", at_ - 1);
				break;
			default:
				break;
		}
		return literal(character_at(pattern_, at_));
	}

	// A state that takes one character, and the open end behind it.
	Fragment one(std::uint32_t id)
	{
		std::uint32_t end = open();
		state(id).next = end;
		return {id, end};
	}

	Fragment literal(char32_t character)
	{
		std::uint32_t id = add(Kind::kCharacter);
		state(id).character = character;
		return one(id);
	}

	// start: take one more, or leave.
	Fragment loop(Kind kind)
	{
		std::uint32_t start = add(Kind::kSplit);
		std::uint32_t take = add(kind, start);
		std::uint32_t end = open();
		state(start).next = take;
		state(start).other = end;
		return {start, end};
	}

	Fragment star() { return loop(Kind::kNotSlash); }

	Fragment anything(bool tail)
	{
		Fragment all = loop(Kind::kAnything);
		state(state(all.start).next).tail = tail;
		return all;
	}

	// '/' and at least one character.
	Fragment below()
	{
		Fragment slash = literal('/');
		std::uint32_t first = add(Kind::kAnything);
		state(first).tail = true;
		patch(slash, first);
		Fragment rest = anything(true);
		state(first).next = rest.start;
		return {slash.start, rest.end};
	}

	// Any number of "segment/".
	Fragment directories()
	{
		std::uint32_t start = add(Kind::kSplit);
		std::uint32_t first = add(Kind::kNotSlash);
		Fragment rest = loop(Kind::kNotSlash);
		std::uint32_t slash = add(Kind::kCharacter, start);
		state(slash).character = '/';
		state(first).next = rest.start;
		patch(rest, slash);
		std::uint32_t end = open();
		state(start).next = first;
		state(start).other = end;
		return {start, end};
	}

	Fragment alternatives(bool fresh, int nesting)
	{
		std::size_t begin = at_++;
		if (nesting == kMaxNesting)
			throw Error(Errc::kLimit, "glob pattern nests more than " + std::to_string(kMaxNesting) + " braces");
		std::uint32_t end = open();
		std::uint32_t start = 0;
		bool first = true;
		while (true) {
			Fragment way = sequence(fresh, nesting + 1);
			patch(way, end);
			start = first ? way.start : add(Kind::kSplit, start, way.start);
			first = false;
			if (at_end())
				fail("\"{\" is not closed", begin);
			if (pattern_[at_++] == '}')
				break;
		}
		fresh_after_ = false;
		return {start, end};
	}

	Fragment set()
	{
		std::size_t begin = at_++;
		bool negated = sees("!") || sees("^");
		at_ += negated;
		auto first_range = static_cast<std::uint32_t>(glob_.ranges_.size());
		std::size_t members = at_;
		while (at_end() || pattern_[at_] != ']' || at_ == members) {
			if (at_end())
				fail("\"[\" is not closed", begin);
			std::size_t range = at_;
			char32_t low = set_member(begin);
			char32_t high = low;
			if (sees("-") && at_ + 1 < pattern_.size() && pattern_[at_ + 1] != ']') {
				++at_;
				high = set_member(begin);
			}
			if (high < low)
				fail("range is reversed", range);
			glob_.ranges_.push_back({low, high});
		}
		++at_;
		std::uint32_t id = add(negated ? Kind::kNotSet : Kind::kSet);
		state(id).first_range = first_range;
		state(id).range_count = static_cast<std::uint32_t>(glob_.ranges_.size()) - first_range;
		return one(id);
	}

	char32_t set_member(std::size_t begin)
	{
		if (sees("\\"))
			++at_;
		if (at_end())
			fail("\"[\" is not closed", begin);
		return character_at(pattern_, at_);
	}

	Glob &glob_;
	std::string_view pattern_;
	std::size_t at_ = 0;
	bool fresh_after_ = false;  // whether the piece just parsed ended with a '/'
};

// The set of states the automaton is in. Splits are followed at once, so it holds states that take a character, or accept.
class Glob::Walk {
public:
	explicit Walk(const Glob &glob) : glob_(glob), mark_(glob.states_.size(), 0) { enter(glob.start_); }

	void step(char32_t character)
	{
		std::swap(current_, last_);
		current_.clear();
		accepting_ = false;
		++generation_;
		for (std::uint32_t id : last_) {
			const State &state = glob_.states_[id];
			if (glob_.takes(state, character))
				enter(state.next);
		}
	}

	void run(std::string_view text)
	{
		for (std::size_t at = 0; at < text.size() && !current_.empty();)
			step(character_at(text, at));
	}

	bool accepting() const { return accepting_; }

	/// Whether some longer path may match.
	bool alive() const { return !current_.empty(); }

	/// Whether every longer path matches.
	bool in_tail() const
	{
		return std::any_of(current_.begin(), current_.end(), [&](std::uint32_t id) { return glob_.states_[id].tail; });
	}

private:
	void enter(std::uint32_t first)
	{
		pending_.push_back(first);
		while (!pending_.empty()) {
			std::uint32_t id = pending_.back();
			pending_.pop_back();
			if (mark_[id] == generation_)
				continue;
			mark_[id] = generation_;
			const State &state = glob_.states_[id];
			if (state.kind == Kind::kSplit) {
				pending_.push_back(state.next);
				pending_.push_back(state.other);
			} else if (state.kind == Kind::kAccept) {
				accepting_ = true;
			} else {
				current_.push_back(id);
			}
		}
	}

	const Glob &glob_;
	std::vector<std::size_t> mark_;  // the generation that entered a state last
	std::vector<std::uint32_t> current_;
	std::vector<std::uint32_t> last_;
	std::vector<std::uint32_t> pending_;
	std::size_t generation_ = 1;
	bool accepting_ = false;
};

Glob::Glob(std::string_view pattern) : pattern_(pattern)
{
	Parser(*this, pattern_).run();
}

bool Glob::takes(const State &state, char32_t character) const
{
	auto in_set = [&] {
		auto first = ranges_.begin() + state.first_range;
		return std::any_of(first, first + state.range_count,
						   [&](const Range &range) { return character >= range.first && character <= range.last; });
	};
	switch (state.kind) {
		case Kind::kCharacter:
			return character == state.character;
		case Kind::kNotSlash:
			return character != '/';
		case Kind::kAnything:
			return true;
		case Kind::kSet:
			return character != '/' && in_set();
		case Kind::kNotSet:
			return character != '/' && !in_set();
		case Kind::kSplit:
		case Kind::kAccept:
			break;
	}
	return false;
}

bool Glob::matches(std::string_view path) const
{
	Walk walk(*this);
	for (std::size_t at = 0; at < path.size();) {
		if (!walk.alive())
			return false;
		walk.step(character_at(path, at));
	}
	return walk.accepting();
}

bool Glob::matches_or_contains(std::string_view path) const
{
	Walk walk(*this);
	for (std::size_t at = 0; at < path.size();) {
		if (path[at] == '/' && at > 0 && walk.accepting())
			return true;
		if (!walk.alive())
			return false;
		walk.step(character_at(path, at));
	}
	return walk.accepting();
}

bool Glob::may_match_below(std::string_view directory) const
{
	Walk walk(*this);
	walk.run(directory);
	if (!directory.empty() && walk.alive())
		walk.step('/');
	return walk.alive();
}

bool Glob::covers(std::string_view directory) const
{
	if (!directory.empty() && matches_or_contains(directory))
		return true;
	Walk walk(*this);
	walk.run(directory);
	if (!directory.empty() && walk.alive())
		walk.step('/');
	return walk.in_tail();
}

PatternSet::PatternSet(std::span<const std::string> includes, std::span<const std::string> excludes)
{
	for (const std::string &pattern : includes)
		includes_.emplace_back(pattern);
	for (const std::string &pattern : excludes)
		excludes_.emplace_back(pattern);
}

const Glob *PatternSet::including(std::string_view path) const
{
	auto found = std::find_if(includes_.begin(), includes_.end(), [&](const Glob &glob) { return glob.matches(path); });
	return found == includes_.end() ? nullptr : &*found;
}

const Glob *PatternSet::excluding(std::string_view path) const
{
	auto found = std::find_if(excludes_.begin(), excludes_.end(), [&](const Glob &glob) { return glob.matches_or_contains(path); });
	return found == excludes_.end() ? nullptr : &*found;
}

bool PatternSet::matches(std::string_view path) const
{
	return (includes_.empty() || including(path) != nullptr) && excluding(path) == nullptr;
}

bool PatternSet::may_contain(std::string_view directory) const
{
	auto reaches = [&](const Glob &glob) { return glob.may_match_below(directory); };
	auto covers = [&](const Glob &glob) { return glob.covers(directory); };
	return (includes_.empty() || std::any_of(includes_.begin(), includes_.end(), reaches)) &&
		   std::none_of(excludes_.begin(), excludes_.end(), covers);
}

}  // namespace vectorizer::workspace
