// bridge/update/writer.h: brings names of the signing server to what they shall be, and knows which of them are not ours.
// Threads: one.
// Errors: zone_update_failed, after which any part of it may have been done; asking again is safe (compare and set).
#pragma once

#include <map>
#include <unordered_set>

#include "bridge/update/signing_server.h"
#include "schemas/base/mutex.h"

namespace registry::update {

struct Written {
  std::map<DeviceId, std::string> blocked;  // nothing of these was done, and why
  std::unordered_set<DeviceId> changed;
  std::int64_t names_more = 0;  // names that have records now and had none, less those the other way round
};

class Writer {
 public:
  struct Terms {
    zone::Name zone;
    std::string owner;
    std::uint32_t ttl = 60, apex_ttl = 3600;
    std::vector<Bytes> apex_tlsa;  // RDATA
  };
  Writer(Terms terms, SigningServer& server, std::function<bool(std::chrono::milliseconds)> rest);

  // One change for each device. Returns when all that is not blocked is served and signed there.
  Result<Written> Write(std::span<const domain::ZoneChange> changes);
  // The registry's own records at the apex, beside whatever stands there.
  Status WriteApex();

 private:
  Status WriteSome(std::span<const domain::ZoneChange> changes, Written& written);
  // What is to be done; empty and `unsigned_left` false: nothing.
  struct Plan {
    UpdateMessage message;
    std::vector<const domain::ZoneChange*> moved;
    std::size_t undone =
        0;  // names that are not as they shall be, also those that found no room in the message
    bool unsigned_left = false;
    std::int64_t names_more = 0;
  };
  Plan PlanOf(std::span<const domain::ZoneChange> changes, const std::vector<Seen>& seen, Written& written);

  const Terms terms_;
  const Bytes marker_;
  SigningServer& server_;
  const std::function<bool(std::chrono::milliseconds)> rest_;  // false: stopping
};

}  // namespace registry::update
