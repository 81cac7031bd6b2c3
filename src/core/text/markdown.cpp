#include "core/text/markdown.hpp"

#include "core/error.hpp"
#include "core/text/headings.hpp"

#include <md4c.h>

#include <new>

namespace vectorizer::txt {

namespace {

constexpr std::size_t kMaxInput = 256U << 20;
constexpr std::size_t kMaxFrontMatter = 64U << 10;

std::string_view without_blanks(std::string_view text)
{
	constexpr std::string_view kBlanks = " \t\r";
	const std::size_t begin = text.find_first_not_of(kBlanks);
	return begin == std::string_view::npos ? std::string_view() : text.substr(begin, text.find_last_not_of(kBlanks) - begin + 1);
}

/// Takes the next line off the text, without its LF.
std::string_view next_line(std::string_view &text)
{
	const std::size_t end = std::min(text.find('\n'), text.size());
	const std::string_view line = text.substr(0, end);
	text.remove_prefix(std::min(end + 1, text.size()));
	return line;
}

struct FrontMatter {
	std::size_t bytes = 0;  // with its closing line; 0: there is none
	std::string_view title;
};

FrontMatter front_matter(std::string_view text)
{
	std::string_view rest = text;
	FrontMatter result;
	if (without_blanks(next_line(rest)) != "---")
		return {};
	while (!rest.empty() && text.size() - rest.size() < kMaxFrontMatter) {
		const std::string_view line = next_line(rest);
		const std::string_view content = without_blanks(line);
		if (content == "---" || content == "...") {
			result.bytes = text.size() - rest.size();
			return result;
		}
		if (line.starts_with("title:")) {
			std::string_view title = without_blanks(line.substr(6));
			if (title.size() >= 2 && (title.front() == '"' || title.front() == '\'') && title.back() == title.front())
				title = title.substr(1, title.size() - 2);
			result.title = title;
		}
	}
	return {};
}

/// What md4c calls while it reads. No exception may pass through it: a callback that fails says so and is called no more.
class Reader {
public:
	Reader(std::string_view text, std::size_t skipped, std::string_view title, Stop stop)
		: text_(text), skipped_(skipped), stop_(stop)
	{
		result_.title = title;
		make_title(result_.title);
	}

	Outline run()
	{
		MD_PARSER parser{};
		parser.enter_block = [](MD_BLOCKTYPE type, void *detail, void *self) { return call(self, &Reader::enter, type, detail); };
		parser.leave_block = [](MD_BLOCKTYPE type, void *detail, void *self) { return call(self, &Reader::leave, type, detail); };
		parser.enter_span = [](MD_SPANTYPE, void *, void *) { return 0; };
		parser.leave_span = [](MD_SPANTYPE, void *, void *) { return 0; };
		parser.text = [](MD_TEXTTYPE type, const MD_CHAR *text, MD_SIZE size, void *self) {
			return call(self, &Reader::read, type, std::string_view(text, size));
		};
		const std::string_view body = text_.substr(skipped_);
		const int status = md_parse(body.data(), static_cast<MD_SIZE>(body.size()), &parser, this);
		if (canceled_)
			throw Error(Errc::kCancelled, "reading Markdown was canceled");
		if (status != 0)
			throw std::bad_alloc();
		if (result_.title.empty() && !result_.headings.empty())
			result_.title = result_.headings.front().heading;
		return std::move(result_);
	}

private:
	static constexpr std::size_t kNowhere = static_cast<std::size_t>(-1);

	template <typename Method, typename... Arguments>
	static int call(void *self, Method method, Arguments... arguments) noexcept
	{
		auto *reader = static_cast<Reader *>(self);
		reader->canceled_ = reader->stop_();
		if (reader->canceled_)
			return 1;
		try {
			(reader->*method)(arguments...);
			return 0;
		}
		catch (...) {  // bad_alloc
			return 1;
		}
	}

	static bool is_container(MD_BLOCKTYPE type)
	{
		return type == MD_BLOCK_QUOTE || type == MD_BLOCK_UL || type == MD_BLOCK_OL;
	}

	void enter(MD_BLOCKTYPE type, void *)
	{
		containers_ += is_container(type) ? 1 : 0;
		if (type != MD_BLOCK_H || containers_ > 0)
			return;
		in_heading_ = true;
		start_ = kNowhere;
		heading_.clear();
	}

	void read(MD_TEXTTYPE type, std::string_view text)
	{
		if (!in_heading_)
			return;
		// Most of what comes points into the text that is read; entities and the like may not.
		if (start_ == kNowhere && text.data() >= text_.data() && text.data() < text_.data() + text_.size())
			start_ = static_cast<std::size_t>(text.data() - text_.data());
		if (type == MD_TEXT_BR || type == MD_TEXT_SOFTBR)
			heading_ += ' ';
		else if (type != MD_TEXT_NULLCHAR)
			heading_ += text;
	}

	void leave(MD_BLOCKTYPE type, void *detail)
	{
		containers_ -= is_container(type) ? 1 : 0;
		if (type != MD_BLOCK_H || !in_heading_)
			return;
		in_heading_ = false;
		heading_ = without_blanks(heading_);
		make_title(heading_);
		if (heading_.empty() || start_ == kNowhere)
			return;
		const std::size_t line = start_ == 0 ? kNowhere : text_.rfind('\n', start_ - 1);
		const std::size_t level = static_cast<MD_BLOCK_H_DETAIL *>(detail)->level;
		result_.headings.push_back({line == kNowhere ? 0 : line + 1, path_.enter(level, heading_, result_.title)});
	}

	std::string_view text_;
	std::size_t skipped_;
	Stop stop_;
	Outline result_;
	HeadingPath path_;
	std::string heading_;
	std::size_t start_ = kNowhere;  // of its text
	int containers_ = 0;            // open quotes and lists
	bool in_heading_ = false;
	bool canceled_ = false;
};

bool ends_with(std::string_view path, std::string_view ending)
{
	auto same = [](char a, char b) { return (a >= 'A' && a <= 'Z' ? static_cast<char>(a + 32) : a) == b; };
	return path.size() > ending.size() && std::equal(ending.begin(), ending.end(), path.end() - static_cast<std::ptrdiff_t>(ending.size()),
													  [&](char b, char a) { return same(a, b); });
}

}  // namespace

Outline outline_markdown(std::string_view text, Stop stop)
{
	if (text.size() > kMaxInput)
		throw Error(Errc::kLimit, "a Markdown text has more than 256 MiB");
	const FrontMatter front = front_matter(text);
	return Reader(text, front.bytes, front.title, stop).run();
}

bool looks_like_markdown(std::string_view path)
{
	return ends_with(path, ".md") || ends_with(path, ".markdown") || ends_with(path, ".mdx");
}

}  // namespace vectorizer::txt
