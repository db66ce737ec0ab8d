// bridge/ctl/anchor_set.h: the trust anchors of a registry's devices, with the states of RFC 5011 §4.2, and the
// file that keeps them: interface/trust-anchors.json (anchor_life.h), JSON, replaced whole.
// `registry.trust_anchors` says what devices are given. It decides: an anchor that stands there is valid whatever the file
// says, and one that does not is not.
// Plain values; the file by one at a time (folder_lock.h). Errors (2400): file_failed, config_invalid (no such file).
// Limits: the last kRemovedMax that were removed stay known, so that none of them is believed again.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "bridge/app/trust_anchors.h"
#include "schemas/base/result.h"
#include "schemas/base/utc_time.h"

namespace registry::ctl {

enum class AnchorState {
  kComing,   // AddPend: known, and not given to devices before its hold-down is over
  kValid,    // Valid: every payload has it
  kLeaving,  // Revoked: no payload has it any more, devices may
  kRemoved,  // Removed: it never comes back
};
std::string_view NameOf(AnchorState state);

struct KnownAnchor {
  std::string record;
  AnchorState state = AnchorState::kValid;
  UtcTime since = {};  // 0: from before it was kept
  UtcTime until = {};  // the end of its hold-down (RFC 5011 §2.4.1, §2.4.2); 0: none
  std::string label() const;
};

struct AnchorSet {
  static constexpr std::size_t kRemovedMax = 64;
  std::vector<KnownAnchor> anchors;

  // By the record or by its key tag. Errors: anchor_refused: there is none, or several of this tag.
  Result<std::size_t> Find(const std::string& key) const;
  std::vector<std::string> Given() const;  // the valid ones, as registry.trust_anchors has them
};

// `given`: registry.trust_anchors. A file that is not there knows of none.
Result<AnchorSet> ReadAnchorSet(const std::string& file, const std::vector<std::string>& given);
Status WriteAnchorSet(const std::string& file, const AnchorSet& set);

Error AnchorRefused(const std::string& why);

}  // namespace registry::ctl
