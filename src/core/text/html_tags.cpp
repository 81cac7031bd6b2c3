#include "core/text/html_tags.hpp"

#include "core/error.hpp"

#include <algorithm>
#include <array>

namespace vectorizer::txt {

namespace {

constexpr std::string_view kKept[] = {"class", "id", "role", "hidden", "aria-hidden"};
constexpr std::size_t kMaxValue = 1000;  // a longer value is left out with its attribute

// Their content is no markup: it ends at their own end tag. Dropped, or (title, textarea) kept as text.
constexpr std::string_view kRaw[] = {"script", "style", "xmp", "iframe", "noembed", "noframes", "title", "textarea"};

bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

bool is_blank(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
}

class Rewriter {
public:
	Rewriter(std::string_view bytes, Stop stop) : in_(bytes), stop_(stop) { out_.reserve(bytes.size()); }

	std::string run()
	{
		std::size_t tags = 0;
		while (at_ < in_.size()) {
			std::size_t open = std::min(in_.find('<', at_), in_.size());
			out_ += in_.substr(at_, open - at_);
			at_ = open;
			if (at_ == in_.size())
				break;
			if (++tags % 4096 == 0 && stop_())
				throw Error(Errc::kCancelled, "reading HTML was canceled");
			markup();
		}
		return std::move(out_);
	}

private:
	char peek(std::size_t ahead) const { return at_ + ahead < in_.size() ? in_[at_ + ahead] : '\0'; }

	void skip_past(std::string_view end)
	{
		std::size_t found = in_.find(end, at_);
		at_ = found == std::string_view::npos ? in_.size() : found + end.size();
	}

	// At a '<'.
	void markup()
	{
		if (in_.substr(at_).starts_with("<!--")) {
			at_ += 4;
			skip_past("-->");
		} else if (peek(1) == '!' || peek(1) == '?' || (peek(1) == '/' && !is_letter(peek(2)))) {
			skip_past(">");
		} else if (peek(1) == '/') {
			at_ += 2;
			std::string name = tag_name();
			skip_past(">");
			out_ += "</" + name + ">";
		} else if (is_letter(peek(1))) {
			++at_;
			start_tag();
		} else {
			out_ += "&lt;";
			++at_;
		}
	}

	std::string tag_name()
	{
		std::string name;
		for (; at_ < in_.size() && !is_blank(in_[at_]) && in_[at_] != '>' && in_[at_] != '/' && in_[at_] != '<'; ++at_) {
			if (name.size() < 64)
				name += lower(in_[at_]);
		}
		return name;
	}

	void start_tag()
	{
		std::string tag = tag_name();
		std::string name = tag;
		std::array<bool, std::size(kKept)> seen{};
		bool empty = false;
		while (true) {
			while (at_ < in_.size() && (is_blank(in_[at_]) || in_[at_] == '/')) {
				empty = in_[at_] == '/';
				++at_;
			}
			if (at_ == in_.size())
				return;
			if (in_[at_] == '>')
				break;
			empty = false;
			attribute(tag, seen);
		}
		++at_;
		out_ += "<" + tag + (empty ? " />" : ">");
		if (!empty && std::find(std::begin(kRaw), std::end(kRaw), name) != std::end(kRaw))
			raw_content(name);
	}

	void attribute(std::string &tag, std::array<bool, std::size(kKept)> &seen)
	{
		std::size_t begin = at_;
		do
			++at_;
		while (at_ < in_.size() && !is_blank(in_[at_]) && in_[at_] != '>' && in_[at_] != '/' && in_[at_] != '=');
		std::string_view name = in_.substr(begin, at_ - begin);
		std::string_view value = attribute_value();

		auto same = [&](std::string_view kept) {
			return std::equal(kept.begin(), kept.end(), name.begin(), name.end(),
							  [](char a, char b) { return a == lower(b); });
		};
		const std::string_view *kept = std::find_if(std::begin(kKept), std::end(kKept), same);
		auto which = static_cast<std::size_t>(kept - std::begin(kKept));
		if (kept == std::end(kKept) || seen[which] || value.size() > kMaxValue)
			return;
		seen[which] = true;
		tag.append(" ").append(*kept).append("=\"");
		for (char c : value) {
			if (c == '"' || c == '<' || c == '>')
				c = ' ';  // no word that html.cpp looks for holds one
			tag += c;
		}
		tag += '"';
	}

	std::string_view attribute_value()
	{
		std::size_t look = at_;
		while (look < in_.size() && is_blank(in_[look]))
			++look;
		if (look == in_.size() || in_[look] != '=') {
			at_ = look;
			return {};
		}
		at_ = look + 1;
		while (at_ < in_.size() && is_blank(in_[at_]))
			++at_;
		std::size_t begin = at_;
		if (peek(0) == '"' || peek(0) == '\'') {
			char quote = in_[at_];
			std::size_t end = in_.find(quote, at_ + 1);
			at_ = end == std::string_view::npos ? in_.size() : end + 1;
			return in_.substr(begin + 1, at_ - begin - 1 - (end != std::string_view::npos));
		}
		while (at_ < in_.size() && !is_blank(in_[at_]) && in_[at_] != '>')
			++at_;
		return in_.substr(begin, at_ - begin);
	}

	// After the start tag: to the end tag, which is left to be read.
	void raw_content(std::string_view name)
	{
		std::size_t begin = at_;
		std::size_t end = in_.size();
		for (std::size_t close = in_.find("</", at_); close != std::string_view::npos; close = in_.find("</", close + 2)) {
			std::string_view word = in_.substr(close + 2, name.size());
			if (std::equal(name.begin(), name.end(), word.begin(), word.end(), [](char a, char b) { return a == lower(b); })) {
				end = close;
				break;
			}
		}
		at_ = end;
		if (name != "title" && name != "textarea")
			return;
		for (char c : in_.substr(begin, end - begin)) {
			if (c == '<')
				out_ += "&lt;";
			else
				out_ += c;
		}
	}

	std::string_view in_;
	Stop stop_;
	std::size_t at_ = 0;
	std::string out_;
};

}  // namespace

std::string plain_html(std::string_view bytes, Stop stop)
{
	return Rewriter(bytes, stop).run();
}

}  // namespace vectorizer::txt
