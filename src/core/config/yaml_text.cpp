#include "core/config/yaml_text.hpp"

#include "core/text/utf8.hpp"

#include <algorithm>
#include <array>
#include <charconv>

namespace vectorizer::config {

namespace {

constexpr std::size_t kWidth = 110;  // where lists go on in another line

bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/// Narrower than YAML: nothing that begins like a number or an indicator, nothing that could end a scalar in flow style or begin
/// a comment, no word that some version of YAML takes for a truth value.
bool can_be_plain(std::string_view text)
{
	constexpr std::string_view kInner = "_-./+ ()@*=";
	constexpr std::array<std::string_view, 9> kTaken{"true", "false", "yes", "no", "on", "off", "null", "y", "n"};
	if (text.empty() || !(is_letter(text.front()) || text.front() == '/' || text.front() == '_') || text.back() == ' ')
		return false;
	std::string word;
	for (const char c : text) {
		if (!is_letter(c) && !(c >= '0' && c <= '9') && kInner.find(c) == std::string_view::npos)
			return false;
		word += c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
	}
	return std::find(kTaken.begin(), kTaken.end(), word) == kTaken.end();
}

/// What would not be seen, or be taken for a line break or a byte order mark.
bool must_be_escaped(char32_t c)
{
	return c < ' ' || (c >= 0x7F && c < 0xA0) || c == 0xAD || (c >= 0x200B && c <= 0x200F) || (c >= 0x2028 && c <= 0x202E) ||
		   c == 0xFEFF || c == 0xFFFE || c == 0xFFFF;
}

std::string escaped(char32_t c)
{
	constexpr std::string_view kDigits = "0123456789ABCDEF";
	if (c == '\n')
		return "\\n";
	if (c == '\t')
		return "\\t";
	std::string result = "\\u";
	for (int shift = 12; shift >= 0; shift -= 4)
		result += kDigits[(c >> shift) & 15U];
	return result;
}

}  // namespace

std::string yaml_text(std::string_view text)
{
	if (can_be_plain(text))
		return std::string(text);
	std::string result = "\"";
	for (std::size_t at = 0; at < text.size();) {
		const txt::Decoded c = txt::decode(text, at);
		if (c.code_point == '"' || c.code_point == '\\')
			result += '\\';
		if (must_be_escaped(c.code_point))
			result += escaped(c.code_point);
		else
			result += text.substr(at, c.length);
		at += c.length;
	}
	return result + "\"";
}

std::string yaml_number(double number)
{
	std::array<char, 32> buffer;
	return {buffer.data(), std::to_chars(buffer.data(), buffer.data() + buffer.size(), number).ptr};
}

std::string yaml_map(const Fields &fields)
{
	std::string result = "{";
	for (const auto &[key, value] : fields)
		result += (result.size() == 1 ? "" : ", ") + key + ": " + value;
	return result + "}";
}

void YamlLines::indent()
{
	text_.append(static_cast<std::size_t>(2 * (dash_ ? depth_ - 1 : depth_)), ' ');
	if (dash_)
		text_ += "- ";
	dash_ = false;
}

void YamlLines::pair(std::string_view key, std::string_view value)
{
	indent();
	text_.append(key).append(": ").append(value).append("\n");
}

void YamlLines::pair(std::string_view key, std::span<const std::string> texts)
{
	indent();
	std::size_t line = text_.rfind('\n') + 1;  // npos + 1 is 0
	text_.append(key).append(": [");
	for (std::size_t i = 0; i < texts.size(); ++i) {
		const std::string one = yaml_text(texts[i]);
		if (i > 0)
			text_ += ',';
		if (i > 0 && text_.size() - line + one.size() > kWidth) {
			text_ += '\n';
			line = text_.size();
			text_.append(static_cast<std::size_t>(2 * depth_ + 2), ' ');
		} else if (i > 0) {
			text_ += ' ';
		}
		text_ += one;
	}
	text_ += "]\n";
}

void YamlLines::open(std::string_view key)
{
	indent();
	text_.append(key).append(":\n");
	++depth_;
}

void YamlLines::begin_item()
{
	++depth_;
	dash_ = true;
}

void YamlLines::item(std::string_view value)
{
	begin_item();
	indent();
	text_.append(value).append("\n");
	end_item();
}

}  // namespace vectorizer::config
