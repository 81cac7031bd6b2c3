// amvalidate: is an operator class one that the access method can work with?
#pragma once

#include "pg/pg.hpp"

namespace vectorizer::hnsw {

bool am_validate(Oid opclass);

}  // namespace vectorizer::hnsw
