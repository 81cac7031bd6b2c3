// What each part of the module contributes to _PG_init (module.cpp). Nothing here may throw.
#pragma once

#include "pg/pg.hpp"
