// Importing vectors of words: a file's tokens become lexemes by a text search configuration, the first token of a lexeme gives its vector.
#include "core/text/token_vectors.hpp"
#include "core/text/utf8.hpp"
#include "core/workspace/fd.hpp"
#include "pg/collection/held.hpp"
#include "pg/collection/lexemes.hpp"
#include "pg/collection/model.hpp"
#include "pg/collection/spi.hpp"
#include "pg/type/vector.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

extern "C" {
PG_FUNCTION_INFO_V1(vectorizer_run_import);
}

namespace vectorizer::pg {

namespace {

constexpr std::size_t kRead = 1 << 20;

/// What is read of a file so far.
struct Import {
	struct Token {
		std::string text;
		std::vector<float> numbers;
	};

	workspace::Fd file;
	txt::TokenVectors vectors;
	std::vector<char> buffer;
	std::vector<Token> tokens;  // of the last piece
	bool ended = false;

	void open(const char *folder, std::string_view name)
	{
		const workspace::Fd root = workspace::open_root(folder);
		file = workspace::open_beneath(root.get(), name, O_RDONLY | O_NONBLOCK);
		struct stat seen{};
		if (!file || fstat(file.get(), &seen) != 0)
			throw Error(Errc::kIo, "could not open \"" + std::string(folder) + "/" + std::string(name) + "\": " + workspace::errno_message(errno));
		if (!S_ISREG(seen.st_mode))
			throw Error(Errc::kIo, "\"" + std::string(folder) + "/" + std::string(name) + "\" is not a regular file");
		buffer.resize(kRead);
	}

	/// The tokens of the next piece of the file.
	void read()
	{
		tokens.clear();
		const auto take = [&](std::string_view token, std::span<const float> numbers) {
			tokens.push_back({std::string(token), {numbers.begin(), numbers.end()}});
			txt::make_valid(tokens.back().text);
			return true;
		};
		const ssize_t got = ::read(file.get(), buffer.data(), buffer.size());
		if (got < 0)
			throw Error(Errc::kIo, "could not read a file of word vectors: " + workspace::errno_message(errno));
		ended = got == 0;
		if (ended)
			vectors.finish(take);
		else
			vectors.feed({buffer.data(), static_cast<std::size_t>(got)}, take);
	}
};

}  // namespace

}  // namespace vectorizer::pg

extern "C" PGDLLEXPORT Datum vectorizer_run_import(PG_FUNCTION_ARGS)
{
	using namespace vectorizer;
	using namespace vectorizer::pg;
	const int64 model = PG_GETARG_INT64(0);
	const char *folder = text_to_cstring(PG_GETARG_TEXT_PP(1));
	const char *name = text_to_cstring(PG_GETARG_TEXT_PP(2));
	const Oid config = text_config_oid(text_to_cstring(PG_GETARG_TEXT_PP(3)));
	const int64 most = PG_GETARG_INT64(4);
	SPI_connect();
	auto &import = hold_in<Import>(CurrentMemoryContext);
	guard([&] { import.open(folder, name); });

	Statement insert("INSERT INTO vectorizer.token (model_id, lexeme, embedding) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING");
	const Oid type = vector_type();
	MemoryContext each = AllocSetContextCreate(CurrentMemoryContext, "vectorizer token", ALLOCSET_SMALL_SIZES);
	int64 tokens = 0;
	int64 lexemes = 0;
	while (!import.ended && tokens < most) {
		guard([&] { import.read(); });
		for (const Import::Token &token : import.tokens) {
			if (tokens++ >= most)
				break;
			MemoryContext outer = MemoryContextSwitchTo(each);
			TSVector tsv = to_tsvector(config, token.text);
			if (lexeme_count(tsv) == 1) {  // neither a stop word nor several words
				Vector *vector = make_vector(static_cast<int32>(token.numbers.size()));
				std::copy(token.numbers.begin(), token.numbers.end(), vector->x);
				lexemes += static_cast<int64>(insert.run({param(model), param(lexeme_at(tsv, 0).lexeme), {type, PointerGetDatum(vector)}}));
			}
			MemoryContextSwitchTo(outer);
			MemoryContextReset(each);
			CHECK_FOR_INTERRUPTS();
		}
	}
	spi_run("UPDATE vectorizer.imported_model SET dimension = $2 WHERE id = $1",
			{param(model), param(static_cast<int32>(import.vectors.dimension()))});
	SPI_finish();
	PG_RETURN_INT64(lexemes);
}
