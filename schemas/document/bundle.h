// schemas/document/bundle.h: a schema of its own file, as a component of one document.
#pragma once

#include <string>
#include <string_view>

#include "schemas/document/asyncapi.h"

namespace registry::document {

// "csr.submit" -> "CsrSubmit": a name every language takes for a class.
std::string ClassName(std::string_view name);

// The schema of `stem` with its references pointing at components, its title that of a class, and a title for each part
// of it that would otherwise be an anonymous class. It accepts what the schema accepts.
Json Component(const std::string& stem, const Json& schema);

}  // namespace registry::document
