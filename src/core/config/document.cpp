#include "core/config/document.hpp"

#include "core/text/utf8.hpp"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <sstream>
#include <unordered_set>

namespace vectorizer::config {

namespace {

/// Ends the reading, from wherever it is.
struct Refusal {
	Place place;
	std::string message;
};

int line_of(const YAML::Mark &mark)
{
	return std::max(mark.line, 0) + 1;
}

int line_at(std::string_view text, std::size_t at)
{
	return 1 + static_cast<int>(std::count(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(at), '\n'));
}

/// What yaml-cpp would take for something else: it repairs broken UTF-8, and a U+0004 ends its input.
void require_text(std::string_view yaml, std::size_t most_bytes)
{
	if (yaml.size() > most_bytes)
		throw Refusal{{}, "the document has more than " + std::to_string(most_bytes) + " bytes"};
	if (const std::size_t at = txt::find_invalid(yaml); at != std::string_view::npos)
		throw Refusal{{"", line_at(yaml, at)}, "the document is not UTF-8"};
	const auto control = std::find_if(yaml.begin(), yaml.end(),
		[](char c) { return static_cast<unsigned char>(c) < ' ' && c != '\t' && c != '\n' && c != '\r'; });
	if (control != yaml.end()) {
		const std::size_t at = static_cast<std::size_t>(control - yaml.begin());
		throw Refusal{
			{"", line_at(yaml, at)}, "control character " + txt::printable(yaml.substr(at, 1)) + ": only quoted and escaped"};
	}
}

}  // namespace

class Document::Builder final : public YAML::EventHandler {
public:
	Builder(Document &document, Findings &findings, std::uint64_t most_nodes)
		: document_(document), findings_(findings), most_nodes_(most_nodes)
	{}

	void OnDocumentStart(const YAML::Mark &mark) override
	{
		if (document_.root_)
			throw Refusal{{"", line_of(mark)}, "a second document begins here; a workspace file is one"};
	}
	void OnDocumentEnd() override {}

	void OnNull(const YAML::Mark &mark, YAML::anchor_t anchor) override
	{
		if (expects_key())
			refuse(mark, "a key is missing");
		Node &node = make(Node::Kind::kNull, mark, anchor);
		// What is not there has no line of its own: yaml-cpp says where the next thing begins.
		if (!frames_.empty() && frames_.back().node->kind == Node::Kind::kMap)
			node.line = frames_.back().key_line;
		place(node);
	}

	void OnScalar(const YAML::Mark &mark, const std::string &tag, YAML::anchor_t anchor, const std::string &text) override
	{
		if (!txt::is_valid(text))
			refuse(mark, "a text holds what no database takes (NUL)");
		Node &node = make(Node::Kind::kScalar, mark, anchor);
		node.plain = tag != "!" && tag != "tag:yaml.org,2002:str";
		node.text = text;
		if (expects_key())
			take_key(mark, text, node.plain);
		else
			place(node);
	}

	void OnAlias(const YAML::Mark &mark, YAML::anchor_t anchor) override
	{
		const Node *target = anchor < anchors_.size() ? anchors_[anchor] : nullptr;
		if (!target || target->weight == 0)
			refuse(mark, "an alias names what it is part of");
		if (!expects_key())
			return place(*target);
		if (target->kind != Node::Kind::kScalar)
			refuse(mark, "a key is not text, or a bracket is not closed");
		take_key(mark, target->text, false);
	}

	void OnSequenceStart(const YAML::Mark &mark, const std::string &, YAML::anchor_t anchor, YAML::EmitterStyle::value) override
	{
		open(Node::Kind::kSequence, mark, anchor);
	}
	void OnSequenceEnd() override { close(); }

	void OnMapStart(const YAML::Mark &mark, const std::string &, YAML::anchor_t anchor, YAML::EmitterStyle::value) override
	{
		open(Node::Kind::kMap, mark, anchor);
	}
	void OnMapEnd() override
	{
		merge(frames_.back());
		close();
	}

private:
	/// A collection whose end has not been read.
	struct Frame {
		Node *node;
		bool has_key = false;  // of a map: the next node is its value
		bool dropped = false;  // ... which nobody wants
		bool merges = false;   // ... which is merged in
		std::string key;
		int key_line = 1;
		std::unordered_set<std::string> keys;
		std::vector<const Node *> merged;
	};

	bool expects_key() const
	{
		return !frames_.empty() && frames_.back().node->kind == Node::Kind::kMap && !frames_.back().has_key;
	}

	/// Where the parser is.
	std::string path() const
	{
		std::string result;
		for (const Frame &frame : frames_) {
			if (frame.node->kind == Node::Kind::kSequence)
				result += "[" + std::to_string(frame.node->items.size()) + "]";
			else if (frame.has_key)
				result += (result.empty() ? "" : ".") + txt::printable(frame.key);
		}
		return result;
	}

	[[noreturn]] void refuse(const YAML::Mark &mark, std::string message) const
	{
		throw Refusal{{path(), line_of(mark)}, std::move(message)};
	}

	[[noreturn]] void refuse_size(int line) const
	{
		throw Refusal{{path(), line}, "the document has more than " + std::to_string(most_nodes_) + " nodes, aliases followed"};
	}

	Node &make(Node::Kind kind, const YAML::Mark &mark, YAML::anchor_t anchor)
	{
		if (document_.nodes_.size() >= most_nodes_)
			refuse_size(line_of(mark));
		Node &node = document_.nodes_.emplace_back();
		node.kind = kind;
		node.line = line_of(mark);
		if (anchor != 0) {
			anchors_.resize(std::max<std::size_t>(anchors_.size(), anchor + 1));
			anchors_[anchor] = &node;
		}
		return node;
	}

	void open(Node::Kind kind, const YAML::Mark &mark, YAML::anchor_t anchor)
	{
		if (expects_key())
			refuse(mark, "a key is not text, or a bracket is not closed");
		if (frames_.size() >= kMostDepth)
			refuse(mark, "the document is nested deeper than " + std::to_string(kMostDepth));
		Node &node = make(kind, mark, anchor);
		node.weight = 0;
		frames_.push_back(Frame{&node, false, false, false, {}, node.line, {}, {}});
	}

	void close()
	{
		Node &node = *frames_.back().node;
		std::uint64_t weight = 1;
		for (const Node *item : node.items)
			weight += item->weight;
		for (const Entry &entry : node.entries)
			weight += entry.value->weight;
		frames_.pop_back();
		if (weight > most_nodes_)
			refuse_size(node.line);
		node.weight = weight;
		place(node);
	}

	void take_key(const YAML::Mark &mark, const std::string &text, bool plain)
	{
		Frame &frame = frames_.back();
		frame.key = text;
		frame.key_line = line_of(mark);
		frame.has_key = true;
		frame.merges = plain && text == "<<";
		frame.dropped = !frame.keys.insert(text).second;
		if (frame.dropped)
			findings_.error({path(), frame.key_line}, "the key is here twice");
	}

	/// Puts a finished node where it belongs.
	void place(const Node &node)
	{
		if (frames_.empty()) {
			document_.root_ = &node;
			return;
		}
		Frame &frame = frames_.back();
		if (frame.node->kind == Node::Kind::kSequence) {
			frame.node->items.push_back(&node);
			return;
		}
		if (!frame.dropped && frame.merges)
			frame.merged.push_back(&node);
		else if (!frame.dropped)
			frame.node->entries.push_back({frame.key, frame.key_line, &node});
		frame.has_key = false;
	}

	void merge(Frame &frame)
	{
		for (const Node *source : frame.merged) {
			if (source->kind == Node::Kind::kSequence) {
				for (const Node *one : source->items)
					merge_map(frame, *one);
			} else {
				merge_map(frame, *source);
			}
		}
	}

	void merge_map(Frame &frame, const Node &source)
	{
		if (source.kind != Node::Kind::kMap)
			throw Refusal{{path(), source.line}, "\"<<\" merges maps only"};
		// Counted, for each of many maps may take all keys of the one before.
		merged_ += source.entries.size() + 1;
		if (merged_ > most_nodes_)
			refuse_size(frame.node->line);
		for (const Entry &entry : source.entries) {
			if (frame.keys.insert(entry.key).second)
				frame.node->entries.push_back(entry);
		}
	}

	Document &document_;
	Findings &findings_;
	std::uint64_t most_nodes_;
	std::vector<Frame> frames_;
	std::vector<const Node *> anchors_;  // by yaml-cpp's numbers
	std::uint64_t merged_ = 0;
};

Document::Document(std::string_view yaml, Findings &findings, const DocumentLimits &limits)
{
	try {
		require_text(yaml, limits.bytes);
		std::istringstream in{std::string(yaml)};
		YAML::Parser parser(in);
		Builder builder(*this, findings, limits.nodes);
		while (parser.HandleNextDocument(builder))
			continue;
		if (!root_ || root_->kind == Node::Kind::kNull)
			throw Refusal{{}, "the document is empty"};
	}
	catch (const Refusal &refusal) {
		root_ = nullptr;
		findings.error(refusal.place, refusal.message);
	}
	catch (const YAML::Exception &error) {
		root_ = nullptr;
		findings.error({"", line_of(error.mark)},
			"not YAML: " + error.msg + " (column " + std::to_string(std::max(error.mark.column, 0) + 1) + ")");
	}
}

}  // namespace vectorizer::config
