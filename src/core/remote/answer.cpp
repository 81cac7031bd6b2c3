#include "core/remote/answer.hpp"

#include "core/error.hpp"
#include "core/remote/reason.hpp"

#include <cmath>
#include <cstdint>
#include <iterator>

#include <nlohmann/json.hpp>

namespace vectorizer::remote {

namespace {

constexpr int kDeepest = 64;

/// The body, as an iterator that asks for a stop now and then, so that a big one is left within a moment.
class Reading {
public:
	using iterator_category = std::input_iterator_tag;
	using value_type = char;
	using difference_type = std::ptrdiff_t;
	using pointer = const char *;
	using reference = const char &;

	Reading(std::string_view body, std::size_t at, Stop stop) : body_(body), at_(at), stop_(stop) {}

	reference operator*() const { return body_[at_]; }
	Reading &operator++()
	{
		constexpr std::size_t kBetween = std::size_t{1} << 19;
		if (++at_ % kBetween == 0 && stop_())
			throw Error(Errc::kCancelled, "reading embeddings was canceled");
		return *this;
	}
	bool operator==(const Reading &other) const { return at_ == other.at_; }

private:
	std::string_view body_;
	std::size_t at_;
	Stop stop_;
};

/// Takes the events of the parser. Each returns whether to go on; `fail` says why not.
class Reader final : public nlohmann::json_sax<nlohmann::json> {
public:
	Reader(std::size_t size, std::size_t texts, int dimension)
		: size_(size), texts_(texts), dimension_(static_cast<std::size_t>(dimension))
	{}

	/// After the parser has ended, well or not.
	Answer result()
	{
		Answer answer;
		if (failure_.empty() && !has_data_)
			failure_ = "has no \"data\"";
		else if (failure_.empty() && items_ == 0)
			failure_ = "has no embeddings";
		else if (failure_.empty() && !indexed_ && items_ < texts_)
			failure_ = "has " + std::to_string(items_) + " embeddings for " + std::to_string(texts_) +
				" texts, and no index that says whose they are";
		if (!failure_.empty()) {
			answer.outcome = cut_short_ ? Outcome::kRetry : Outcome::kWrong;
			answer.reason = "the answer " + failure_;
			return answer;
		}
		answer.outcome = items_ == texts_ ? Outcome::kOk : Outcome::kPartial;
		if (answer.outcome == Outcome::kPartial)
			answer.reason = "the answer has " + std::to_string(items_) + " embeddings for " + std::to_string(texts_) + " texts";
		answer.values = std::move(values_);
		answer.given = std::move(given_);
		return answer;
	}

	bool null() override { return value("null"); }
	bool boolean(bool) override { return value("a truth value"); }
	bool string(string_t &) override { return value("text"); }
	bool binary(binary_t &) override { return value("bytes"); }

	bool number_integer(number_integer_t number) override
	{
		if (at_index())
			return fail("has a negative index");
		return at_number() ? add(static_cast<double>(number)) : value("a number");
	}

	bool number_unsigned(number_unsigned_t number) override
	{
		if (at_index())
			return take_index(number);
		return at_number() ? add(static_cast<double>(number)) : value("a number");
	}

	bool number_float(number_float_t number, const string_t &) override
	{
		return at_number() ? add(number) : value("a number that is not whole");
	}

	bool start_object(std::size_t) override
	{
		if (++depth_ > kDeepest)
			return fail("is nested too deeply");
		if (skipping_ > 0 || (place_ == Place::kTop && key_ != Key::kData) || (place_ == Place::kItem && key_ == Key::kOther)) {
			++skipping_;
			return true;
		}
		if (place_ == Place::kOutside) {
			place_ = Place::kTop;
			key_ = Key::kOther;
			return true;
		}
		if (place_ != Place::kData)
			return value("an object");
		return begin_item();
	}

	bool key(string_t &name) override
	{
		if (skipping_ > 0)
			return true;
		key_ = Key::kOther;
		if (place_ == Place::kTop && name == "data") {
			key_ = Key::kData;
			if (has_data_)
				return fail("has \"data\" twice");
		}
		else if (place_ == Place::kItem && name == "index") {
			key_ = Key::kIndex;
			if (has_index_)
				return fail("has an item with \"index\" twice");
		}
		else if (place_ == Place::kItem && name == "embedding") {
			key_ = Key::kEmbedding;
			if (has_embedding_)
				return fail("has an item with \"embedding\" twice");
		}
		return true;
	}

	bool end_object() override
	{
		--depth_;
		if (skipping_ > 0) {
			--skipping_;
			return true;
		}
		if (place_ == Place::kItem)
			return end_item();
		place_ = Place::kOutside;
		return true;
	}

	bool start_array(std::size_t) override
	{
		if (++depth_ > kDeepest)
			return fail("is nested too deeply");
		if (skipping_ > 0 || (place_ == Place::kTop && key_ != Key::kData) || (place_ == Place::kItem && key_ == Key::kOther)) {
			++skipping_;
			return true;
		}
		if (place_ == Place::kTop) {
			place_ = Place::kData;
			has_data_ = true;
			return true;
		}
		if (place_ == Place::kItem && key_ == Key::kEmbedding) {
			place_ = Place::kEmbedding;
			has_embedding_ = true;
			numbers_ = 0;
			return true;
		}
		return value("a list");
	}

	bool end_array() override
	{
		--depth_;
		if (skipping_ > 0) {
			--skipping_;
			return true;
		}
		if (place_ == Place::kData) {
			place_ = Place::kTop;
			key_ = Key::kOther;
			return true;
		}
		place_ = Place::kItem;
		key_ = Key::kOther;
		return numbers_ == dimension_ ||
			fail("has an embedding of dimension " + std::to_string(numbers_) + ", not " + std::to_string(dimension_));
	}

	bool parse_error(std::size_t position, const std::string &, const nlohmann::detail::exception &error) override
	{
		// 406 is a number past the range of double, which is JSON all the same.
		if (error.id == 406)
			return fail("has a number that does not fit");
		cut_short_ = size_ > 0 && position > size_;
		if (size_ == 0)
			return fail("is empty");
		return fail(cut_short_ ? "ends in the middle" : "is not JSON, from byte " + std::to_string(position) + " on");
	}

private:
	enum class Place { kOutside, kTop, kData, kItem, kEmbedding };
	enum class Key { kOther, kData, kIndex, kEmbedding };

	bool fail(const std::string &why)
	{
		if (failure_.empty())
			failure_ = why;
		return false;
	}

	bool at_index() const { return skipping_ == 0 && place_ == Place::kItem && key_ == Key::kIndex; }
	bool at_number() const { return skipping_ == 0 && place_ == Place::kEmbedding; }

	/// A value that is neither a number of an embedding nor an index: good where nobody looks, wrong everywhere else.
	bool value(const char *what)
	{
		if (skipping_ > 0)
			return true;
		switch (place_) {
			case Place::kOutside: return fail(std::string("is ") + what + ", not an object");
			case Place::kTop: return key_ != Key::kData || fail(std::string("has ") + what + " as \"data\", not a list");
			case Place::kData: return fail(std::string("has ") + what + " among its embeddings");
			case Place::kItem:
				if (key_ == Key::kIndex)
					return fail(std::string("has ") + what + " as an index");
				return key_ != Key::kEmbedding || fail(std::string("has ") + what + " as an embedding, not a list of numbers");
			case Place::kEmbedding: break;
		}
		return fail(std::string("has ") + what + " in an embedding, where numbers belong");
	}

	bool begin_item()
	{
		if (items_ == texts_)
			return fail("has more embeddings than the " + std::to_string(texts_) + " asked for");
		if (values_.empty()) {
			values_.resize(texts_ * dimension_);
			given_.resize(texts_);
			item_.resize(dimension_);
		}
		place_ = Place::kItem;
		key_ = Key::kOther;
		has_index_ = has_embedding_ = false;
		return true;
	}

	bool take_index(std::uint64_t index)
	{
		if (index >= texts_)
			return fail("has index " + std::to_string(index) + ", for " + std::to_string(texts_) + " texts");
		has_index_ = true;
		index_ = static_cast<std::size_t>(index);
		return true;
	}

	bool add(double number)
	{
		const float narrow = static_cast<float>(number);
		if (!std::isfinite(narrow))
			return fail("has a number that does not fit");
		if (numbers_ < dimension_)
			item_[numbers_] = narrow;
		++numbers_;  // all are counted: the message says how many there were
		return true;
	}

	bool end_item()
	{
		place_ = Place::kData;
		if (!has_embedding_)
			return fail("has an item without \"embedding\"");
		if (items_ > 0 && has_index_ != indexed_)
			return fail("has an index with some embeddings and none with others");
		indexed_ = has_index_;
		const std::size_t text = has_index_ ? index_ : items_;
		if (given_[text])
			return fail("has index " + std::to_string(text) + " twice");
		given_[text] = true;
		std::copy(item_.begin(), item_.end(), values_.begin() + static_cast<std::ptrdiff_t>(text * dimension_));
		++items_;
		return true;
	}

	const std::size_t size_;
	const std::size_t texts_;
	const std::size_t dimension_;

	Place place_ = Place::kOutside;
	Key key_ = Key::kOther;  // in an object, what the last key was
	int depth_ = 0;
	int skipping_ = 0;       // containers open that nobody looks into
	bool has_data_ = false;
	bool indexed_ = false;   // whether items have an index, all of them or none
	bool has_index_ = false;
	bool has_embedding_ = false;
	std::size_t index_ = 0;
	std::size_t numbers_ = 0;
	std::size_t items_ = 0;
	std::vector<float> item_;  // an embedding whose index may come after it
	std::vector<float> values_;
	std::vector<bool> given_;
	std::string failure_;
	bool cut_short_ = false;
};

}  // namespace

const char *outcome_name(Outcome outcome)
{
	switch (outcome) {
		case Outcome::kOk: return "ok";
		case Outcome::kPartial: return "partial";
		case Outcome::kRetry: return "retry";
		case Outcome::kRefused: return "refused";
		case Outcome::kWrong: break;
	}
	return "wrong";
}

Answer read_answer(std::string_view body, std::size_t texts, int dimension, Stop stop)
{
	Reader reader(body.size(), texts, dimension);
	nlohmann::json::sax_parse(Reading(body, 0, stop), Reading(body, body.size(), stop), &reader);
	return reader.result();
}

}  // namespace vectorizer::remote
