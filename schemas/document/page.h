// schemas/document/page.h: the tables of messages in schemas/README.md, made from the catalogue and the schemas.
#pragma once

#include <string>

#include "schemas/document/asyncapi.h"

namespace registry::document {

// `page` with the rows of its tables of commands, actions, notifications and parts as they are now. A table is known by
// its heading row; all else stays. Throws std::runtime_error when a table is missing.
std::string WithTables(const std::string& page, const Sources& sources);

// The rows below this heading row become `rows`. Throws std::runtime_error when the page has no such table.
void ReplaceRows(std::string& page, const std::string& heading, const std::string& rows);

}  // namespace registry::document
