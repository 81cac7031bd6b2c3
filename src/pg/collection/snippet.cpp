#include "pg/collection/snippet.hpp"

extern "C" {
#include "commands/defrem.h"
#include "tsearch/ts_cache.h"
#include "tsearch/ts_public.h"
#include "tsearch/ts_utils.h"
#include "utils/hsearch.h"
#include "utils/inval.h"
#include "utils/syscache.h"
}

namespace vectorizer::pg {

namespace {

/// What dictionaries make of a word: its lexemes, none of which may be there. `known` is false where none of them knows it.
struct Lexemes {
	bool known;
	int count;
	TSLexeme *each;
};

constexpr std::size_t kLongest = 40;  // bytes of a word that is remembered

struct WordKey {
	Oid config;
	int16 type;    // as the parser names it
	uint16 length;
	char word[kLongest];
};
static_assert(sizeof(WordKey) == 48);  // no padding: it is compared byte by byte

struct Remembered {
	WordKey key;
	Lexemes lexemes;
};

constexpr long kMostWords = 16384;

constinit MemoryContext memory = nullptr;
constinit HTAB *words = nullptr;
constinit bool stale = false;

void forget(Datum, int, uint32)
{
	stale = true;
}

HTAB *remembered_words()
{
	if (memory == nullptr) {
		memory = AllocSetContextCreate(TopMemoryContext, "vectorizer words", ALLOCSET_DEFAULT_SIZES);
		for (const int cache : {TSCONFIGOID, TSCONFIGMAP, TSDICTOID, TSTEMPLATEOID})
			CacheRegisterSyscacheCallback(cache, forget, Datum{0});
	}
	if (words != nullptr && (stale || hash_get_num_entries(words) >= kMostWords)) {
		words = nullptr;
		MemoryContextReset(memory);
	}
	stale = false;
	if (words == nullptr) {
		HASHCTL control{};
		control.keysize = sizeof(WordKey);
		control.entrysize = sizeof(Remembered);
		control.hcxt = memory;
		words = hash_create("vectorizer words", 256, &control, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	}
	return words;
}

/// Asks the dictionaries of a kind of word, in their order. False if one of them wants to see the next words as well.
bool ask_dictionaries(const ListDictionary &dictionaries, const char *word, int length, Lexemes *result)
{
	*result = {};
	for (int i = 0; i < dictionaries.len; ++i) {
		TSDictionaryCacheEntry *dictionary = lookup_ts_dictionary_cache(dictionaries.dictIds[i]);
		DictSubState state{};
		auto *found = reinterpret_cast<TSLexeme *>(DatumGetPointer(
			FunctionCall4(&dictionary->lexize, PointerGetDatum(dictionary->dictData), PointerGetDatum(word), Int32GetDatum(length),
						  PointerGetDatum(&state))));
		if (state.getnext)
			return false;
		if (found == nullptr)
			continue;
		if ((found->flags & TSL_FILTER) != 0) {
			word = found->lexeme;
			length = static_cast<int>(std::strlen(word));
			continue;
		}
		int count = 0;
		while (found[count].lexeme != nullptr)
			++count;
		*result = {true, count, found};
		return true;
	}
	return true;
}

Lexemes copy_of(const Lexemes &lexemes, MemoryContext context)
{
	Lexemes copy = lexemes;
	if (lexemes.count == 0)
		return copy;
	copy.each = static_cast<TSLexeme *>(MemoryContextAlloc(context, sizeof(TSLexeme) * static_cast<std::size_t>(lexemes.count)));
	for (int i = 0; i < lexemes.count; ++i) {
		copy.each[i] = lexemes.each[i];
		copy.each[i].lexeme = MemoryContextStrdup(context, lexemes.each[i].lexeme);
	}
	return copy;
}

/// The same, remembered.
bool lexemes_of(const TSConfigCacheEntry &config, int type, const char *word, int length, Lexemes *result)
{
	*result = {};
	if (type >= config.lenmap || config.map[type].len == 0)
		return true;
	if (static_cast<std::size_t>(length) > kLongest)
		return ask_dictionaries(config.map[type], word, length, result);
	WordKey key{};
	key.config = config.cfgId;
	key.type = static_cast<int16>(type);
	key.length = static_cast<uint16>(length);
	std::memcpy(key.word, word, static_cast<std::size_t>(length));
	HTAB *known = remembered_words();
	if (const auto *found = static_cast<Remembered *>(hash_search(known, &key, HASH_FIND, nullptr))) {
		*result = found->lexemes;
		return true;
	}
	if (!ask_dictionaries(config.map[type], word, length, result))
		return false;
	*result = copy_of(*result, memory);
	auto *entry = static_cast<Remembered *>(hash_search(known, &key, HASH_ENTER, nullptr));
	entry->lexemes = *result;
	return true;
}

/// The words of a text, as hlparsetext() gives them.
class Words {
public:
	explicit Words(TSQuery terms) : terms_(terms)
	{
		parsed.lenwords = 256;
		parsed.words = static_cast<HeadlineWordEntry *>(palloc(sizeof(HeadlineWordEntry) * static_cast<std::size_t>(parsed.lenwords)));
	}

	void add(int type, const char *word, int length, const Lexemes &lexemes)
	{
		HeadlineWordEntry &entry = next();
		entry = {};
		entry.type = static_cast<uint8>(type);
		entry.len = static_cast<uint16>(length);
		entry.word = static_cast<char *>(palloc(static_cast<Size>(length)));  // generateHeadline() frees those that it leaves out
		std::memcpy(entry.word, word, static_cast<std::size_t>(length));
		if (!lexemes.known)
			return;
		++parsed.vectorpos;
		const int place = parsed.curwords - 1;
		for (int i = 0; i < lexemes.count; ++i) {
			if ((lexemes.each[i].flags & TSL_ADDPOS) != 0)
				++parsed.vectorpos;
			mark(place, lexemes.each[i].lexeme);
		}
	}

	HeadlineParsedText parsed{};

private:
	HeadlineWordEntry &next()
	{
		if (parsed.curwords == parsed.lenwords) {
			parsed.lenwords *= 2;
			parsed.words = static_cast<HeadlineWordEntry *>(
				repalloc(parsed.words, sizeof(HeadlineWordEntry) * static_cast<std::size_t>(parsed.lenwords)));
		}
		return parsed.words[parsed.curwords++];
	}

	/// Notes which operands of the query the word is; the second and further ones in copies of it.
	void mark(int place, const char *lexeme)
	{
		parsed.words[place].pos = LIMITPOS(parsed.vectorpos);
		QueryItem *items = GETQUERY(terms_);
		for (int i = 0; i < terms_->size; ++i) {
			if (items[i].type != QI_VAL)
				continue;
			QueryOperand &operand = items[i].qoperand;
			if (tsCompareString(GETOPERAND(terms_) + operand.distance, operand.length, const_cast<char *>(lexeme),
								static_cast<int>(std::strlen(lexeme)), operand.prefix) != 0)
				continue;
			if (parsed.words[place].item == nullptr) {
				parsed.words[place].item = &operand;
				continue;
			}
			HeadlineWordEntry &copy = next();
			copy = parsed.words[place];
			copy.item = &operand;
			copy.repeated = 1;
		}
	}

	TSQuery terms_;
};

/// False where a word is one of several that a dictionary takes together, or is too long: that is hlparsetext()'s affair.
bool split(const TSConfigCacheEntry &config, TSParserCacheEntry &parser, std::string_view content, Words &words_of_text)
{
	void *state = DatumGetPointer(FunctionCall2(&parser.prsstart, PointerGetDatum(content.data()), Int32GetDatum(static_cast<int32>(content.size()))));
	bool complete = true;
	for (;;) {
		char *word = nullptr;
		int length = 0;
		const int type = DatumGetInt32(
			FunctionCall3(&parser.prstoken, PointerGetDatum(state), PointerGetDatum(&word), PointerGetDatum(&length)));
		if (type <= 0)
			break;
		Lexemes lexemes;
		complete = length < MAXSTRLEN && lexemes_of(config, type, word, length, &lexemes);
		if (!complete)
			break;
		words_of_text.add(type, word, length, lexemes);
	}
	FunctionCall1(&parser.prsend, PointerGetDatum(state));
	return complete;
}

}  // namespace

Snippets::Snippets(Oid config, TSQuery terms)
	: config_(config), terms_(terms),
	  options_(deserialize_deflist(
		  PointerGetDatum(cstring_to_text("MaxFragments=2, MaxWords=30, MinWords=12, FragmentDelimiter=\" ... \", StartSel=**, StopSel=**"))))
{
}

text *Snippets::of(const text *content) const
{
	TSConfigCacheEntry *config = lookup_ts_config_cache(config_);
	TSParserCacheEntry *parser = lookup_ts_parser_cache(config->prsId);
	if (!OidIsValid(parser->headlineOid))
		ereport(ERROR, (errcode(ERRCODE_FEATURE_NOT_SUPPORTED), errmsg("text search parser does not support headline creation")));
	Words words_of_text(terms_);
	if (!split(*config, *parser, text_view(content), words_of_text)) {
		words_of_text = Words(terms_);
		hlparsetext(config_, &words_of_text.parsed, terms_, const_cast<char *>(VARDATA_ANY(content)), static_cast<int>(VARSIZE_ANY_EXHDR(content)));
	}
	FunctionCall3(&parser->prsheadline, PointerGetDatum(&words_of_text.parsed), PointerGetDatum(options_), PointerGetDatum(terms_));
	return generateHeadline(&words_of_text.parsed);
}

}  // namespace vectorizer::pg
