#include "core/text/chunker.hpp"

#include "core/error.hpp"
#include "core/text/utf8.hpp"

#include <algorithm>
#include <array>

namespace vectorizer::txt {

namespace {

// Ends a sentence when white space follows; closing quotes and brackets may stand between.
bool ends_sentence(char32_t c)
{
	return c == '.' || c == '!' || c == '?' || c == 0x2026;
}

bool closes(char32_t c)
{
	return c == '"' || c == '\'' || c == ')' || c == ']' || c == 0x2019 || c == 0x201D || c == 0xBB;
}

// Ends a sentence by itself, in scripts that write no spaces.
bool ends_ideographic_sentence(char32_t c)
{
	return c == 0x3002 || c == 0xFF01 || c == 0xFF1F;
}

// The pauses in a text as its characters go by. Says of each place between two words what kind of pause it is.
class Pauses {
public:
	/// Whether `next` (not yet fed) begins a sentence or a paragraph.
	bool sentence_before(char32_t next) const
	{
		bool lower = next >= 'a' && next <= 'z';
		return ideographic_ || newlines_ >= 2 || (spaces_ && terminated_ && !lower);
	}
	bool word_before() const { return spaces_; }
	std::size_t newlines() const { return newlines_; }

	void feed(char32_t c, bool space)
	{
		if (space) {
			spaces_ = true;
			newlines_ += c == '\n';
			return;
		}
		spaces_ = false;
		newlines_ = 0;
		ideographic_ = ends_ideographic_sentence(c);
		terminated_ = ends_sentence(c) || (terminated_ && closes(c));
	}

private:
	bool spaces_ = false;
	bool terminated_ = false;
	bool ideographic_ = false;
	std::size_t newlines_ = 0;
};

class Chunker {
public:
	Chunker(std::string_view text, const ChunkOptions &options, Stop stop, std::span<const HeadingMark> marks,
			std::span<const Break> breaks)
		: text_(text), options_(options), stop_(stop), marks_(marks), breaks_(breaks) {}

	std::vector<Chunk> run()
	{
		std::vector<Chunk> chunks;
		std::size_t fresh = skip_space(0);
		std::size_t begin = fresh;
		while (fresh < text_.size()) {
			if (chunks.size() == options_.max_chunks)
				throw Error(Errc::kLimit, "text makes more than " + std::to_string(options_.max_chunks) + " chunks");
			while (next_mark_ < marks_.size() && marks_[next_mark_].offset <= fresh)
				++next_mark_;
			std::size_t end = find_end(begin, fresh);
			chunks.push_back(make(begin, end));

			fresh = skip_space(end);
			begin = find_overlap(begin, end, fresh);
		}
		return chunks;
	}

private:
	enum Rank { kParagraph, kSentence, kLine, kWord, kRanks };

	Decoded look(std::size_t at)
	{
		if (++looked_ % kStopInterval == 0 && stop_())
			throw Error(Errc::kCancelled, "chunking was canceled");
		return decode(text_, at);
	}

	std::size_t skip_space(std::size_t at)
	{
		while (at < text_.size()) {
			Decoded c = look(at);
			if (!is_space(c.code_point))
				break;
			at += c.length;
		}
		return at;
	}

	// The end of the chunk that begins at `begin` and whose new part begins at `fresh`, never before fresh + 1.
	// Looks at 2 * size characters at most: those past `size` only as long as they are white space, to learn what kind of
	// pause it is that follows a chunk of exactly that size.
	std::size_t find_end(std::size_t begin, std::size_t fresh)
	{
		const std::size_t size = options_.size;
		std::array<std::size_t, kRanks> cut{};  // 0: none
		std::size_t early = 0;                  // at a break, if none leaves half a chunk
		std::size_t least = size / 2;           // characters that a cut must leave
		std::size_t fresh_count = 0;            // characters before `fresh`
		std::size_t word_end = begin;           // past the last character that is not white space
		std::size_t word_count = 0;             // characters before that
		std::size_t mark = next_mark_;
		Pauses pauses;
		auto offer = [&](Rank rank) {
			if (word_count >= least)
				cut[rank] = word_end;
			else if (!breaks_.empty() && rank != kWord && word_end > fresh && word_count >= fresh_count + size / 4)
				early = word_end;
		};

		std::size_t at = begin;
		std::size_t next_break = first_break(begin + 1);
		for (std::size_t count = 0; at < text_.size(); ++count) {
			if (at == fresh) {
				fresh_count = count;
				least = std::max(least, fresh_count + size / 4);
			}
			for (; mark < marks_.size() && marks_[mark].offset <= at; ++mark) {
				if (count - fresh_count >= size / 4)
					return word_end;
			}
			Decoded c = look(at);
			bool space = is_space(c.code_point);
			if (next_break < breaks_.size() && breaks_[next_break].offset <= at)
				offer(static_cast<Rank>(breaks_[next_break++].rank));
			else if (breaks_.empty() && !space && pauses.sentence_before(c.code_point))
				offer(kSentence);
			if (count >= size && (!space || count >= 2 * size))
				break;

			pauses.feed(c.code_point, space);
			at += c.length;
			if (space) {
				offer(!breaks_.empty()             ? kWord
					  : pauses.newlines() >= 2     ? kParagraph
					  : pauses.newlines() == 1     ? kLine
												   : kWord);
			} else {
				word_end = at;
				word_count = count + 1;
			}
		}
		if (at == text_.size())
			return word_end;
		for (std::size_t candidate : {cut[kParagraph], cut[kSentence], cut[kLine], early, cut[kWord]}) {
			if (candidate != 0)
				return candidate;
		}
		return word_end;
	}

	/// The first break at or past `at`.
	std::size_t first_break(std::size_t at) const
	{
		return static_cast<std::size_t>(
			std::ranges::lower_bound(breaks_, at, {}, [](const Break &b) { return std::size_t{b.offset}; }) - breaks_.begin());
	}

	// Where the next chunk begins, given the bounds of the last one and where its own new part begins.
	std::size_t find_overlap(std::size_t last_begin, std::size_t end, std::size_t fresh)
	{
		std::size_t gap = 0;
		for (std::size_t at = end; at < fresh && gap < options_.size / 2; ++gap)
			at += look(at).length;
		std::size_t allowed = std::min(options_.overlap, options_.size / 2 - gap);

		std::size_t floor = last_begin + 1;
		for (std::size_t mark = next_mark_; mark < marks_.size() && marks_[mark].offset <= fresh; ++mark)
			floor = std::max(floor, marks_[mark].offset);
		if (next_mark_ > 0)
			floor = std::max(floor, marks_[next_mark_ - 1].offset);

		std::size_t begin = end;
		std::size_t reach = 0;
		for (; reach < allowed; ++reach) {
			std::size_t previous = cut_before(text_, begin - 1);
			if (previous < floor)
				break;
			begin = previous;
		}
		if (reach == 0)
			return fresh;
		return first_start(begin, end, reach, fresh);
	}

	// The best beginning for an overlap of `reach` characters [begin, end): a break, or a sentence in its first half; else a word.
	std::size_t first_start(std::size_t begin, std::size_t end, std::size_t reach, std::size_t otherwise)
	{
		std::size_t word = text_.size();
		std::size_t solid = text_.size();
		Pauses pauses;
		std::size_t before = cut_before(text_, begin - 1);
		Decoded last = look(before);
		pauses.feed(last.code_point, is_space(last.code_point));
		std::size_t count = 0;
		const std::size_t next = first_break(begin);
		const std::size_t broken = next < breaks_.size() ? breaks_[next].offset : text_.size();
		for (std::size_t at = begin; at < end; ++count) {
			Decoded c = look(at);
			bool space = is_space(c.code_point);
			if (!space) {
				if (breaks_.empty() ? count <= reach / 2 && pauses.sentence_before(c.code_point) : at >= broken)
					return at;
				if (pauses.word_before())
					word = std::min(word, at);
				solid = std::min(solid, at);
			}
			pauses.feed(c.code_point, space);
			at += c.length;
		}
		if (word < end)
			return word;
		return solid < end ? solid : otherwise;
	}

	Chunk make(std::size_t begin, std::size_t end)
	{
		auto lines = [&](std::size_t from, std::size_t to) {
			return static_cast<std::uint32_t>(std::count(text_.begin() + static_cast<std::ptrdiff_t>(from),
														 text_.begin() + static_cast<std::ptrdiff_t>(to), '\n'));
		};
		line_ += lines(line_at_, begin);
		line_at_ = begin;

		Chunk chunk{};
		chunk.content = text_.substr(begin, end - begin);
		chunk.byte_begin = begin;
		chunk.byte_end = end;
		chunk.start_line = line_;
		chunk.end_line = line_ + lines(begin, end);
		if (next_mark_ > 0)
			chunk.heading = marks_[next_mark_ - 1].heading;
		else if (next_mark_ < marks_.size() && marks_[next_mark_].offset < end)
			chunk.heading = marks_[next_mark_].heading;
		return chunk;
	}

	std::string_view text_;
	const ChunkOptions &options_;
	Stop stop_;
	std::span<const HeadingMark> marks_;
	std::span<const Break> breaks_;
	std::size_t next_mark_ = 0;  // the first mark past the new part's beginning
	std::uint32_t line_ = 1;     // of line_at_
	std::size_t line_at_ = 0;
	std::size_t looked_ = 0;
};

}  // namespace

std::vector<Chunk> chunk(std::string_view text, const ChunkOptions &options, Stop stop, std::span<const HeadingMark> marks,
						 std::span<const Break> breaks)
{
	if (options.size < 16 || options.size > 1000000)
		throw Error(Errc::kInvalidInput, "chunk size must be between 16 and 1000000 characters");
	if (options.overlap > options.size / 2)
		throw Error(Errc::kInvalidInput, "chunk overlap must be at most half the chunk size");
	if (!is_valid(text))
		throw Error(Errc::kInvalidInput, "text to cut into chunks is not valid UTF-8");
	return Chunker(text, options, stop, marks, breaks).run();
}

}  // namespace vectorizer::txt
