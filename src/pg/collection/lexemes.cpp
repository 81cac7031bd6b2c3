#include "pg/collection/lexemes.hpp"

extern "C" {
#include "utils/fmgrprotos.h"
}

namespace vectorizer::pg {

Oid text_config_oid(const char *qualified_name)
{
	return DatumGetObjectId(DirectFunctionCall1(regconfigin, CStringGetDatum(qualified_name)));
}

std::string_view under_heading(std::string_view heading, std::string_view content)
{
	if (heading.empty())
		return content;
	const std::size_t size = heading.size() + 2 + content.size();
	char *joined = static_cast<char *>(palloc(size));
	char *at = std::copy(heading.begin(), heading.end(), joined);
	at = std::fill_n(at, 2, '\n');
	std::copy(content.begin(), content.end(), at);
	return {joined, size};
}

TSVector to_tsvector(Oid config, std::string_view content)
{
	return DatumGetTSVector(DirectFunctionCall2(to_tsvector_byid, ObjectIdGetDatum(config), text_datum(content)));
}

}  // namespace vectorizer::pg
