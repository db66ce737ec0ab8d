// clients/conformance/clauses.h: what the contract asks of a party, clause by clause. The numbers stand in schemas/README.md
// ("What binds a party"), and a test holds the two equal. A number is never used again for something else.
// Plain values, any thread.
#pragma once

#include <string_view>
#include <vector>

namespace registry::conformance {

struct Clause {
  std::string_view number;  // "P7"
  bool mno = false, asp = false;
  std::string_view text;
};

// In the order of the page.
const std::vector<Clause>& Clauses();
// nullptr: there is no such clause.
const Clause* FindClause(std::string_view number);

}  // namespace registry::conformance
