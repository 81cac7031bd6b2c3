// Includes the server's base headers for C++, after the standard headers that its printf macros would break.
// Every file of src/pg includes this one first, and further server headers inside extern "C" { }.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <memory>
#include <new>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

extern "C" {
#include "postgres.h"

#include "access/genam.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#if __has_include("varatt.h")  // VARSIZE and its kin moved there with 16
#include "varatt.h"
#endif
}

namespace vectorizer::pg {

/// A text's bytes, as long as it lasts; it must not be toasted.
inline std::string_view text_view(const text *value)
{
	return {VARDATA_ANY(value), VARSIZE_ANY_EXHDR(value)};
}

/// A text of these bytes, palloc'd.
inline Datum text_datum(std::string_view value)
{
	return PointerGetDatum(cstring_to_text_with_len(value.data(), static_cast<int>(value.size())));
}

}  // namespace vectorizer::pg
