#include "core/text/json.hpp"

#include "core/error.hpp"
#include "core/text/headings.hpp"
#include "core/text/utf8.hpp"

namespace vectorizer::txt {

namespace {

constexpr std::size_t kMaxDepth = 32;  // containers further in have no names of their own
constexpr std::size_t kMaxKey = 4 * kMaxTitle;  // bytes of a key that names show

/// The containers around a place that moves forward. `Seen` is told of each comma: the offset after it and the depth it stands at.
class Walk {
public:
	Walk(std::string_view text, Stop stop) : text_(text), stop_(stop) {}

	template <typename Seen>
	void go(std::size_t to, Seen &&comma)
	{
		for (; at_ < to; ++at_) {
			if (at_ % (1 << 20) == 0 && stop_())
				throw Error(Errc::kCancelled, "reading JSON was canceled");
			const char c = text_[at_];
			if (quoted_) {
				if (c == '\\')
					escaped_ = !escaped_;
				else if (c == '"' && !escaped_)
					end_string();
				if (c != '\\')
					escaped_ = false;
				continue;
			}
			switch (c) {
				case '"':
					quoted_ = true;
					string_begin_ = at_ + 1;
					break;
				case '{':
				case '[': open(c == '['); break;
				case '}':
				case ']': close(); break;
				case ':':
					if (Container *inner = innermost(); inner != nullptr && !inner->array)
						inner->key = last_string_;
					break;
				case ',':
					if (Container *inner = innermost(); inner != nullptr)
						++inner->index;
					if (depth_ > 0)
						comma(at_ + 1, depth_);
					break;
				default: break;
			}
		}
	}

	/// The path of the container that the place is in.
	std::string path() const
	{
		std::string result;
		const std::size_t named = std::min(depth_, kMaxDepth);
		for (std::size_t i = 0; i + 1 < named; ++i) {  // the innermost's key or index is what comes next
			const Container &each = containers_[i];
			if (each.array)
				result += '[' + std::to_string(each.index) + ']';
			else
				result += (result.empty() ? "" : ".") + std::string(each.key);
			if (result.size() > kMaxKey)
				break;
		}
		make_title(result);
		result.shrink_to_fit();
		return result;
	}

private:
	struct Container {
		bool array = false;
		std::size_t index = 0;
		std::string_view key;
	};

	Container *innermost() { return depth_ > 0 && depth_ <= kMaxDepth ? &containers_[depth_ - 1] : nullptr; }

	void open(bool array)
	{
		if (depth_ < kMaxDepth)
			containers_[depth_] = {array, 0, {}};
		++depth_;
	}

	void close()
	{
		if (depth_ > 0)
			--depth_;
	}

	void end_string()
	{
		quoted_ = false;
		last_string_ = text_.substr(string_begin_, cut_before(text_, std::min(at_, string_begin_ + kMaxKey)) - string_begin_);
	}

	std::string_view text_;
	Stop stop_;
	std::size_t at_ = 0;
	std::size_t depth_ = 0;
	Container containers_[kMaxDepth];
	bool quoted_ = false;
	bool escaped_ = false;
	std::size_t string_begin_ = 0;
	std::string_view last_string_;
};

}  // namespace

std::vector<Break> json_breaks(std::string_view text, Stop stop)
{
	std::vector<Break> breaks;
	Walk walk(text, stop);
	walk.go(text.size(), [&](std::size_t offset, std::size_t depth) {
		breaks.push_back({static_cast<std::uint32_t>(std::min<std::size_t>(depth, 3) - 1), static_cast<std::uint32_t>(offset)});
	});
	return breaks;
}

std::vector<std::string> json_paths(std::string_view text, std::span<const std::size_t> offsets, Stop stop)
{
	std::vector<std::string> paths;
	paths.reserve(offsets.size());
	Walk walk(text, stop);
	for (const std::size_t offset : offsets) {
		if (stop())
			throw Error(Errc::kCancelled, "reading JSON was canceled");
		walk.go(offset, [](std::size_t, std::size_t) {});
		paths.push_back(walk.path());
	}
	return paths;
}

}  // namespace vectorizer::txt
