#include "pg/collection/lexemes.hpp"

extern "C" {
#include "utils/fmgrprotos.h"
}

namespace vectorizer::pg {

Oid text_config_oid(const char *qualified_name)
{
	return DatumGetObjectId(DirectFunctionCall1(regconfigin, CStringGetDatum(qualified_name)));
}

TSVector to_tsvector(Oid config, std::string_view content)
{
	text *source = cstring_to_text_with_len(content.data(), static_cast<int>(content.size()));
	return DatumGetTSVector(DirectFunctionCall2(to_tsvector_byid, ObjectIdGetDatum(config), PointerGetDatum(source)));
}

}  // namespace vectorizer::pg
