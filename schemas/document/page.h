// schemas/document/page.h: the tables of messages in schemas/README.md, made from the catalogue and the schemas.
#pragma once

#include <string>

#include "schemas/document/asyncapi.h"

namespace registry::document {

// `page` with the rows of its tables of commands, actions, notifications and parts as they are now. A table is known by
// its heading row; all else stays. Throws std::runtime_error when a table is missing.
std::string WithTables(const std::string& page, const Sources& sources);

}  // namespace registry::document
