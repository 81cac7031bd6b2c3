// Writing YAML: values that read back as what they were, and lines at their depth.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace vectorizer::config {

/// A scalar that every reader of YAML takes for this text: plain where nothing could be meant by it but itself, in double quotes
/// else. REQUIRES: valid UTF-8.
std::string yaml_text(std::string_view text);

/// The shortest decimal form that reads back as the same number.
std::string yaml_number(double number);

/// Keys and values, both as they are to be written.
using Fields = std::vector<std::pair<std::string, std::string>>;

/// `{a: 1, b: 2}`
std::string yaml_map(const Fields &fields);

/// Two spaces a level; lists of items begin with "- " one level in.
class YamlLines {
public:
	/// `key: value`, the value as it is to be written.
	void pair(std::string_view key, std::string_view value);

	/// The same with texts in flow style, on more lines if they do not fit one.
	void pair(std::string_view key, std::span<const std::string> texts);

	/// `key:`, and what follows is in it until close().
	void open(std::string_view key);
	void close() { --depth_; }

	/// What follows is an item of the list that is open, until end_item().
	void begin_item();
	void end_item() { --depth_; }

	/// An item that is a scalar, as it is to be written.
	void item(std::string_view value);

	void blank() { text_ += '\n'; }
	const std::string &text() const { return text_; }

private:
	void indent();

	std::string text_;
	int depth_ = 0;
	bool dash_ = false;  // the next line is the first one of an item
};

}  // namespace vectorizer::config
