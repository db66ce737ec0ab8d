// schemas/document/life_cycle.h: the tables of a device's life in the README, made of life-cycle.json, to which a test holds
// what decides (workers/domain/lifecycle.h). Plain functions, any thread.
#pragma once

#include <string>

#include "schemas/document/asyncapi.h"

namespace registry::document {

// `page` with the rows of its tables of commands and facts as `life_cycle` says them. A table is known by its heading row;
// all else stays. Throws std::runtime_error when a table is missing, and what Json throws when `life_cycle` lacks a member.
std::string WithLifeCycle(const std::string& page, const Json& life_cycle);

}  // namespace registry::document
