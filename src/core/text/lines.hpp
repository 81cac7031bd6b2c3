// The lines of a text, one after the other.
#pragma once

#include "core/error.hpp"
#include "core/stop.hpp"

#include <cstddef>
#include <string_view>

namespace vectorizer::txt {

struct Line {
	std::string_view text;  // without its LF
	std::size_t offset;     // of its first byte
};

/// for (Line line : Lines(text, stop)): every line, an empty one at the end left out. `stop` is asked every 4,096 lines; then, and
/// only then, it throws (Errc::kCancelled).
class Lines {
public:
	Lines(std::string_view text, Stop stop) : text_(text), stop_(stop) {}

	class Iterator {
	public:
		Iterator(const Lines *lines, std::size_t offset) : lines_(lines), offset_(offset) { find_end(); }
		Line operator*() const { return {lines_->text_.substr(offset_, end_ - offset_), offset_}; }
		bool operator!=(const Iterator &other) const { return offset_ != other.offset_; }
		Iterator &operator++()
		{
			if (++count_ % 4096 == 0 && lines_->stop_())
				throw Error(Errc::kCancelled, "reading a text was canceled");
			offset_ = end_ == lines_->text_.size() ? end_ : end_ + 1;
			find_end();
			return *this;
		}

	private:
		void find_end()
		{
			const std::size_t end = lines_->text_.find('\n', offset_);
			end_ = end == std::string_view::npos ? lines_->text_.size() : end;
		}

		const Lines *lines_;
		std::size_t offset_;
		std::size_t end_ = 0;
		std::size_t count_ = 0;
	};

	Iterator begin() const { return {this, 0}; }
	Iterator end() const { return {this, text_.size()}; }

private:
	std::string_view text_;
	Stop stop_;
};

}  // namespace vectorizer::txt
