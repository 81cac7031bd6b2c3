#include "core/text/html.hpp"

#include "core/error.hpp"
#include "core/text/html_encoding.hpp"
#include "core/text/html_tags.hpp"
#include "core/text/headings.hpp"
#include "core/text/utf8.hpp"

#include <libxml/HTMLparser.h>
#include <libxml/tree.h>

#include <algorithm>
#include <array>
#include <memory>
#include <new>

namespace vectorizer::txt {

namespace {

constexpr std::size_t kMaxInput = 256U << 20;

std::string_view view(const xmlChar *text)
{
	return text == nullptr ? std::string_view() : reinterpret_cast<const char *>(text);
}

template <std::size_t N>
bool one_of(std::string_view word, const std::string_view (&list)[N])
{
	return std::find(std::begin(list), std::end(list), word) != std::end(list);
}

constexpr std::string_view kDropped[] = {"head", "script", "style", "noscript", "template", "svg", "iframe", "object", "canvas", "audio",
										 "video", "select", "button", "input", "textarea", "datalist", "nav"};

constexpr std::string_view kBlocks[] = {"address", "article", "aside", "blockquote", "body", "caption", "center", "details", "dialog", "dir",
										"div", "dl", "dt", "fieldset", "figcaption", "figure", "footer", "form", "h1", "h2", "h3", "h4",
										"h5", "h6", "header", "hr", "html", "legend", "main", "menu", "ol", "p", "pre", "section", "summary",
										"table", "ul"};

// Of class and id: whole words, in lower case.
constexpr std::string_view kNavigation[] = {"navheader", "navfooter", "toc", "indexdiv", "navbar", "navigation", "table-of-contents", "tableofcontents", "breadcrumb",
											"breadcrumbs", "pagination", "pager", "skip-link", "sphinxsidebar", "related", "headerlink", "site-header",
											"site-footer", "site-nav", "footer"};
constexpr std::string_view kNavigationIds[] = {"sidebar", "menu", "nav", "header"};
constexpr std::string_view kNavigationRoles[] = {"navigation", "contentinfo", "search", "menu", "menubar"};

// Elements whose headings title a box, not a section.
constexpr std::string_view kBoxes[] = {"note", "tip", "warning", "caution", "important", "admonition", "sidebar"};

std::string_view attribute(const xmlNode *element, const char *name)
{
	for (const xmlAttr *a = element->properties; a != nullptr; a = a->next) {
		if (view(a->name) == name)
			return a->children == nullptr ? std::string_view() : view(a->children->content);
	}
	return {};
}

bool has_attribute(const xmlNode *element, const char *name)
{
	for (const xmlAttr *a = element->properties; a != nullptr; a = a->next) {
		if (view(a->name) == name)
			return true;
	}
	return false;
}

// Whether `test` holds for one of the words of a class attribute, in lower case.
template <typename Test>
bool any_word(std::string_view words, Test test)
{
	std::string word;
	for (std::size_t i = 0; i <= words.size(); ++i) {
		if (i < words.size() && !is_space(static_cast<unsigned char>(words[i]))) {
			char c = words[i];
			word += c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
		} else if (!word.empty()) {
			if (test(word))
				return true;
			word.clear();
		}
	}
	return false;
}

bool is_element(const xmlNode *node, std::string_view name)
{
	return node->type == XML_ELEMENT_NODE && view(node->name) == name;
}

bool inside(const xmlNode *node, std::initializer_list<std::string_view> names)
{
	for (const xmlNode *up = node->parent; up != nullptr; up = up->parent) {
		if (up->type == XML_ELEMENT_NODE && std::find(names.begin(), names.end(), view(up->name)) != names.end())
			return true;
	}
	return false;
}

bool is_navigation(const xmlNode *element)
{
	auto says_navigation = [](std::string_view word) { return one_of(word, kNavigation); };
	return any_word(attribute(element, "class"), says_navigation) || any_word(attribute(element, "id"), [](std::string_view word) {
			   return one_of(word, kNavigation) || one_of(word, kNavigationIds);
		   }) || any_word(attribute(element, "role"), [](std::string_view word) { return one_of(word, kNavigationRoles); });
}

bool is_dropped(const xmlNode *element)
{
	std::string_view name = view(element->name);
	if (one_of(name, kDropped))
		return true;
	if (name == "html" || name == "body")
		return false;
	if ((name == "header" || name == "footer") && !inside(element, {"article", "main", "section"}))
		return true;
	return has_attribute(element, "hidden") || attribute(element, "aria-hidden") == "true" || is_navigation(element);
}

int heading_level(std::string_view name)
{
	return name.size() == 2 && name[0] == 'h' && name[1] >= '1' && name[1] <= '6' ? name[1] - '0' : 0;
}

bool titles_a_box(const xmlNode *heading)
{
	for (const xmlNode *up = heading->parent; up != nullptr; up = up->parent) {
		if (up->type != XML_ELEMENT_NODE)
			continue;
		if (is_element(up, "aside") || any_word(attribute(up, "class"), [](std::string_view word) { return one_of(word, kBoxes); }))
			return true;
	}
	return false;
}

// Visits every node in document order without recursion: enter(node) says whether to go below, leave(node) follows.
template <typename Enter, typename Leave>
void walk(xmlNode *root, Stop stop, Enter enter, Leave leave)
{
	std::size_t visited = 0;
	xmlNode *node = root;
	while (node != nullptr) {
		if (++visited % 4096 == 0 && stop())
			throw Error(Errc::kCancelled, "reading HTML was canceled");
		if (enter(node) && node->children != nullptr && node->type == XML_ELEMENT_NODE) {
			node = node->children;
			continue;
		}
		leave(node);
		while (node != root && node->next == nullptr) {
			node = node->parent;
			leave(node);
		}
		node = node == root ? nullptr : node->next;
	}
}

// The text under way: pauses are asked for and written only when text follows, so that they merge.
class Writer {
public:
	enum Pause { kNone, kLine, kParagraph };

	void pause(Pause pause)
	{
		trim();
		pending_ = std::max(pending_, std::min(pause, most_));
	}

	/// For the end of a list item or a row: the pause is this one, whatever its content asked for.
	void set_pause(Pause pause)
	{
		trim();
		pending_ = pause;
	}

	/// What stands before the next text; until then no greater pause than `most` can be asked for.
	void lead(std::string_view prefix, Pause most)
	{
		prefix_ = prefix;
		most_ = most;
	}

	/// A table's cell after the first. Empty ones before it keep their places, some dozens at most.
	void lead_cell()
	{
		if (prefix_.size() < 100)
			prefix_ += " | ";
		most_ = kNone;
	}

	void line_break() { pause(pending_ == kNone ? kLine : kParagraph); }

	void add(std::string_view bytes, bool preformatted)
	{
		for (std::size_t at = 0; at < bytes.size();) {
			Decoded c = decode(bytes, at);
			at += c.length;
			if (c.code_point == 0xAD || c.code_point == 0x200B || c.code_point == 0xFEFF || c.code_point == 0)
				continue;
			if (preformatted)
				add_preformatted(c.code_point);
			else if (is_space(c.code_point))
				space_ = true;
			else
				add_character(c.code_point);
		}
	}

	/// From here on, start() is where the next text stands, once there is some.
	void await_start() { start_ = std::string::npos; }
	std::size_t start() const { return start_; }

	std::size_t size() const { return text_.size(); }
	std::string_view since(std::size_t position) const
	{
		return std::string_view(text_).substr(std::min(position, text_.size()));
	}

	std::string finish()
	{
		trim();
		if (!text_.empty())
			text_ += '\n';
		return std::move(text_);
	}

private:
	void add_preformatted(char32_t c)
	{
		if (c == '\r')
			return;
		if (c == '\n') {
			if (pending_ != kNone || text_.empty())  // nothing of this block written yet
				return;
			text_ += '\n';
			return;
		}
		if (pending_ != kNone || !prefix_.empty())
			write_pause();
		append(c == 0xA0 ? ' ' : c);
	}

	void add_character(char32_t c)
	{
		bool parted = pending_ != kNone || !prefix_.empty();
		if (parted)
			write_pause();
		else if (space_ && !text_.empty() && text_.back() != '\n')
			text_ += ' ';
		append(c);
	}

	void append(char32_t c)
	{
		start_ = std::min(start_, text_.size());
		append_utf8(text_, c);
		space_ = false;
		most_ = kParagraph;
	}

	void trim()
	{
		while (!text_.empty() && (text_.back() == ' ' || text_.back() == '\n' || text_.back() == '\t'))
			text_.pop_back();
	}

	void write_pause()
	{
		if (pending_ != kNone && !text_.empty())
			text_.append(pending_ == kParagraph ? "\n\n" : "\n");
		text_ += prefix_;
		prefix_.clear();
		pending_ = kNone;
		space_ = false;
	}

	std::string text_;
	std::size_t start_ = 0;
	std::string prefix_;
	Pause pending_ = kNone;
	Pause most_ = kParagraph;
	bool space_ = false;
};

class Extractor {
public:
	Extractor(xmlDoc *document, Stop stop) : document_(document), stop_(stop) {}

	HtmlText run()
	{
		xmlNode *root = xmlDocGetRootElement(document_);
		if (root == nullptr)
			return {};
		survey(root);
		walk(root, stop_, [this](xmlNode *node) { return enter(node); }, [this](xmlNode *node) { leave(node); });
		result_.text = writer_.finish();
		if (result_.title.empty() && !result_.headings.empty())
			result_.title = result_.headings.front().heading;
		return std::move(result_);
	}

private:
	// Before the text: the title, and which tables only lay out the page (they hold headings or other tables).
	void survey(xmlNode *root)
	{
		Writer title;
		bool titled = false;
		std::vector<xmlNode *> tables;
		walk(
			root, stop_,
			[&](xmlNode *node) {
				if (node->type != XML_ELEMENT_NODE)
					return true;
				std::string_view name = view(node->name);
				if (name == "table" || heading_level(name) != 0) {
					for (auto table = tables.rbegin(); table != tables.rend() && (*table)->_private == nullptr; ++table)
						(*table)->_private = *table;
				}
				if (name == "table")
					tables.push_back(node);
				if (name == "title" && !titled && is_element(node->parent, "head")) {
					for (const xmlNode *part = node->children; part != nullptr; part = part->next)
						title.add(view(part->content), false);
					titled = title.size() > 0;
				}
				return true;
			},
			[&](xmlNode *node) {
				if (!tables.empty() && tables.back() == node)
					tables.pop_back();
			});
		result_.title = title.finish();
		if (!result_.title.empty())
			result_.title.pop_back();  // finish() ends a text with a line feed
		result_.title.resize(prefix_bytes(result_.title, kMaxTitle));
	}

	bool enter(xmlNode *node)
	{
		if (node->type == XML_TEXT_NODE || node->type == XML_CDATA_SECTION_NODE) {
			writer_.add(view(node->content), preformatted_ > 0);
			return false;
		}
		if (node->type != XML_ELEMENT_NODE || is_dropped(node))
			return false;

		std::string_view name = view(node->name);
		if (name == "br") {
			writer_.line_break();
		} else if (name == "li") {
			writer_.pause(Writer::kLine);
			writer_.lead("- ", Writer::kLine);
			starts_.push_back(writer_.size());
		} else if (name == "dd") {
			writer_.pause(Writer::kLine);
			writer_.lead({}, Writer::kLine);
		} else if (name == "tr") {
			enter_row(node);
		} else if (name == "td" || name == "th") {
			enter_cell(node);
		} else if (one_of(name, kBlocks)) {
			block_pause(node, name);
			preformatted_ += name == "pre";
			if (heading_level(name) != 0 && heading_ == nullptr)
				enter_heading(node);
		}
		return true;
	}

	void leave(xmlNode *node)
	{
		if (node->type != XML_ELEMENT_NODE || is_dropped(node))
			return;
		std::string_view name = view(node->name);
		if (name == "li" || name == "dd" || name == "tr")
			writer_.lead({}, Writer::kParagraph);  // an empty one leaves nothing for what follows
		if (name == "li") {
			bool loose = writer_.since(starts_.back()).find("\n\n", 2) != std::string_view::npos;
			starts_.pop_back();
			writer_.set_pause(loose ? Writer::kParagraph : Writer::kLine);
		} else if (name == "dt") {
			writer_.pause(Writer::kLine);
		} else if (name == "dd") {
			writer_.pause(cells_ > 0 ? Writer::kLine : Writer::kParagraph);
		} else if (name == "tr") {
			leave_row(node);
		} else if (name == "td" || name == "th") {
			leave_cell(node);
		} else if (one_of(name, kBlocks)) {
			if (node == heading_)
				leave_heading();
			block_pause(node, name);
			preformatted_ -= name == "pre";
		}
	}

	// Lists inside an item, and blocks inside a table's cell, follow on the next line.
	void block_pause(const xmlNode *node, std::string_view name)
	{
		bool list = name == "ul" || name == "ol";
		bool tight = cells_ > 0 || (list && !starts_.empty() && inside(node, {"li"}));
		writer_.pause(tight ? Writer::kLine : Writer::kParagraph);
	}

	static bool lays_out(const xmlNode *part)
	{
		const xmlNode *up = part->parent;
		while (up != nullptr && !is_element(up, "table"))
			up = up->parent;
		return up == nullptr || up->_private != nullptr;
	}

	void enter_row(const xmlNode *row)
	{
		if (lays_out(row)) {
			writer_.pause(Writer::kParagraph);
			return;
		}
		writer_.pause(Writer::kLine);
		row_ = writer_.size();
	}

	void leave_row(const xmlNode *row)
	{
		if (lays_out(row)) {
			writer_.pause(Writer::kParagraph);
			return;
		}
		std::string_view text = writer_.since(row_);
		std::size_t begin = text.find_first_not_of('\n');
		bool lines = begin != std::string_view::npos && text.find('\n', begin) != std::string_view::npos;
		writer_.set_pause(lines ? Writer::kParagraph : Writer::kLine);
	}

	void enter_cell(const xmlNode *cell)
	{
		if (lays_out(cell)) {
			writer_.pause(Writer::kParagraph);
			return;
		}
		++cells_;
		if (writer_.size() == row_) {
			writer_.lead({}, Writer::kNone);
		} else {
			writer_.set_pause(Writer::kNone);
			writer_.lead_cell();
		}
	}

	void leave_cell(const xmlNode *cell)
	{
		if (lays_out(cell))
			writer_.pause(Writer::kParagraph);
		else
			--cells_;
	}

	void enter_heading(const xmlNode *node)
	{
		heading_ = node;
		writer_.await_start();
	}

	void leave_heading()
	{
		const xmlNode *node = heading_;
		heading_ = nullptr;
		std::size_t start = writer_.start();
		std::string title(writer_.since(start));
		make_title(title);
		if (title.empty() || titles_a_box(node))
			return;
		auto level = static_cast<std::size_t>(heading_level(view(node->name)));
		result_.headings.push_back({start, path_.enter(level, title, result_.title)});
	}

	xmlDoc *document_;
	Stop stop_;
	HtmlText result_;
	Writer writer_;
	std::vector<std::size_t> starts_;    // of the open list items
	HeadingPath path_;
	const xmlNode *heading_ = nullptr;   // the open heading
	std::size_t row_ = 0;
	int preformatted_ = 0;
	int cells_ = 0;
};

template <typename ErrorPointer>
void ignore_error(void *, ErrorPointer)
{
}

/// Puts aside the thread's own error handler while a page is parsed: which of its several handlers libxml2 calls for an
/// error differs from version to version, this one is heard by all.
class QuietParser {
public:
	QuietParser() { xmlSetStructuredErrorFunc(nullptr, ignore_error); }
	~QuietParser() { xmlSetStructuredErrorFunc(context_, handler_); }
	QuietParser(const QuietParser &) = delete;
	QuietParser &operator=(const QuietParser &) = delete;

private:
	xmlStructuredErrorFunc handler_ = xmlStructuredError;
	void *context_ = xmlStructuredErrorContext;
};

/// Whether the parser gave up before the end: at elements that are nested too deeply, for one.
bool stopped(htmlParserCtxt *context)
{
#if LIBXML_VERSION >= 21400
	return xmlCtxtIsStopped(context) != 0;
#else
	return context->disableSAX != 0;
#endif
}

}  // namespace

HtmlText html_to_text(std::string_view bytes, Stop stop)
{
	if (bytes.size() > kMaxInput)
		throw Error(Errc::kLimit, "HTML is larger than 256 MB");
	HtmlSource source = html_source(bytes);
	std::string plain = plain_html(source.bytes, stop);
	if (plain.empty())
		return {};

	std::unique_ptr<htmlParserCtxt, decltype(&htmlFreeParserCtxt)> context(htmlNewParserCtxt(), htmlFreeParserCtxt);
	if (context == nullptr)
		throw std::bad_alloc();
	QuietParser quiet;
	constexpr int kOptions = HTML_PARSE_RECOVER | HTML_PARSE_NOERROR | HTML_PARSE_NOWARNING | HTML_PARSE_NONET;
	std::unique_ptr<xmlDoc, decltype(&xmlFreeDoc)> document(
		htmlCtxtReadMemory(context.get(), plain.data(), static_cast<int>(plain.size()), nullptr, source.encoding, kOptions),
		xmlFreeDoc);
	if (document == nullptr)
		return {};
	HtmlText result = Extractor(document.get(), stop).run();
	result.cut_short = stopped(context.get());
	return result;
}

bool looks_like_html(std::string_view path, std::string_view bytes)
{
	auto lower = [](std::string_view text) {
		std::string result(text);
		for (char &c : result)
			c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
		return result;
	};
	std::string name = lower(path.substr(path.size() - std::min<std::size_t>(path.size(), 6)));
	if (name.ends_with(".html") || name.ends_with(".htm") || name.ends_with(".xhtml"))
		return true;
	std::string head = lower(to_utf8(bytes.substr(0, 512)).text);
	std::size_t begin = head.find_first_not_of(" \t\r\n");
	std::string_view start = begin == std::string::npos ? std::string_view() : std::string_view(head).substr(begin);
	return start.starts_with("<!doctype html") || start.starts_with("<html");
}

}  // namespace vectorizer::txt
