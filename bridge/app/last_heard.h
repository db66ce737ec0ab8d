// bridge/app/last_heard.h: when each configured party was heard last, since the start. What the broker delivers counts,
// whatever becomes of it; the broker holds the topic to the sender's certificate.
// Owns: the times. Threads: every call from any. Limits: the parties that are configured.
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "schemas/base/mutex.h"
#include "schemas/base/utc_time.h"
#include "schemas/ids/ids.h"
#include "schemas/wire/codec.h"

namespace registry::app {

struct PartyHeard {
  PartyId party;
  wire::Role role = wire::Role::kMno;
  UtcTime at;  // zero: not yet
};

class LastHeard {
 public:
  // Those that stay keep their times.
  void Set(const std::map<PartyId, wire::Role>& parties);
  void Note(std::string_view topic, UtcTime now);
  std::optional<wire::Role> RoleOf(std::string_view party) const;
  std::vector<PartyHeard> all() const;  // in order of name

 private:
  struct Known {
    PartyId party;
    wire::Role role;
    std::atomic<std::int64_t> at{0};
  };
  mutable SharedMutex mutex_;
  std::map<std::string, std::unique_ptr<Known>, std::less<>> known_ GUARDED_BY(mutex_);
};

}  // namespace registry::app
