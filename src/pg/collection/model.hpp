// The built-in model at work: embedding texts by the rows of vectorizer.model and vectorizer.lexeme.
//
// Rows are read as the catalogue's owner and kept for as long as the reader: whoever calls has seen to it that the
// caller may read the collection. All functions need an SPI connection.
#pragma once

#include "core/text/lsa.hpp"
#include "pg/collection/lexemes.hpp"
#include "pg/collection/spi.hpp"
#include "pg/type/vector.hpp"

#include <unordered_map>

namespace vectorizer::pg {

/// The row of one lexeme. `vector` may be null where it is known: the model is one of words alone.
struct LexemeRow {
	bool known = false;
	float idf = 0;
	const float *vector = nullptr;
};

/// Lets a std::string_view look up a std::string.
struct StringHash {
	using is_transparent = void;
	std::size_t operator()(std::string_view s) const noexcept { return std::hash<std::string_view>{}(s); }
};

class ModelReader {
public:
	/// Rows are kept in a child of `context`, where this object is held too.
	void open(MemoryContext context, int64 collection, int32 generation, Sees sees = Sees::kNow);

	bool is_open(int64 collection, int32 generation) const
	{
		return collection_ == collection && generation_ == generation && context_ != nullptr;
	}

	/// Reads the rows of all lexemes of these texts that are not yet kept.
	void fetch(std::span<const TSVector> texts);

	/// The row of a lexeme that was fetched.
	LexemeRow row(std::string_view lexeme) const;

	/// The embedding of a text whose lexemes were fetched, palloc'd; null where there is none.
	Vector *embed(TSVector text) const;

	const txt::LsaWeighting &weighting() const { return weighting_; }
	int64 trained_chunks() const { return n_sampled_; }
	/// All that the collection had when these were chosen from them.
	int64 chunks() const { return n_chunks_; }
	/// Forgets all rows if more than so many are kept.
	void trim(std::size_t most)
	{
		if (rows_.size() > most)
			open(context_, collection_, generation_, sees_);
	}

private:
	uint64 run(const char *sql, std::initializer_list<Param> params) const;
	const float *keep(const char *lexeme, Datum embedding);

	MemoryContext context_ = nullptr;
	MemoryContext rows_context_ = nullptr;
	int64 collection_ = 0;
	int32 generation_ = 0;
	Sees sees_ = Sees::kNow;
	int32 dimension_ = 0;
	int64 imported_ = 0;  // vectorizer.imported_model whose vectors lexemes have that no chunk had; 0: none
	int64 n_sampled_ = 0;
	int64 n_chunks_ = 0;
	txt::LsaWeighting weighting_{};
	std::unordered_map<std::string, LexemeRow, StringHash, std::equal_to<>> rows_;
};

/// The type `vector` of this database.
Oid vector_type();

}  // namespace vectorizer::pg
