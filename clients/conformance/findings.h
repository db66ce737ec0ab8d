// clients/conformance/findings.h: what a run has found: by case what was asked, what was said meanwhile, and by clause what
// came of it. Plain values, any thread.
// Limits: of a case at most kSaidMax messages are kept, and kOctetsMax octets of each.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "schemas/base/utc_time.h"

namespace registry::conformance {

// kNotCovered: no case asks. kNotObservable: what was asked cannot be seen of this party from outside. kNotRun: a case that
// asks was left out, or could not begin.
enum class Finding { kPassed, kFailed, kNotObservable, kNotRun, kNotCovered };
const char* NameOf(Finding finding);

// A message, as it went over the broker.
struct Said {
  static constexpr std::size_t kOctetsMax = 16384;
  UtcTime at;
  bool by_party = false;
  std::string topic, payload;
  std::size_t octets = 0;  // of the whole payload
};

struct Check {
  std::string clause;
  Finding finding = Finding::kPassed;
  std::string what;  // what was seen, or what was missing
};

struct CaseRun {
  static constexpr std::size_t kSaidMax = 200;
  std::string name, about;
  std::vector<std::string> clauses;  // that it asks about
  std::vector<Check> checks;
  std::vector<Said> said;
  std::size_t left_out = 0;  // messages beyond kSaidMax
  double seconds = 0;
  Finding outcome() const;
};

struct ConformanceRun {
  std::string role, party;
  UtcTime begun;
  double seconds = 0;
  std::uint64_t seed = 0;
  std::string trouble;  // why the run ended early; empty: it did not
  std::vector<CaseRun> cases;

  bool Good() const;  // something was asked, nothing failed, and there was no trouble
  // The worst of what the cases found; of clauses that bind the role.
  std::map<std::string, Finding> ByClause() const;
};

}  // namespace registry::conformance
