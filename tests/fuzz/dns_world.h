// tests/fuzz/dns_world.h: a small signed zone, its transfer key and a clock that stands still. Keys are new in every
// process: what an input does may not depend on them. Owns a folder under the temporary one until the process ends.
#pragma once

#include "bridge/zone/apex.h"
#include "bridge/zone/responder.h"
#include "tests/unit/bridge/zone/zone_files.h"

namespace registry::zone::testing {

class StandingClock : public Clock {
 public:
  UtcTime Now() const override { return UtcTime{1'790'000'000'000'000}; }
};

struct DnsWorld {
  DnsWorld() {
    std::vector<domain::ZoneChange> changes;
    for (std::uint64_t n = 0; n < 3; ++n) changes.push_back(Published(n));
    store.Load(changes, clock.Now());
    store.FinishLoad(5, clock.Now());
    const std::vector<domain::ZoneChange> later{Published(7)};
    store.Publish(later, 0, 6, clock.Now());
  }

  ZoneFiles files;
  StandingClock clock;
  TsigKey key = *LoadTsigKey(kTsigName, files.path("tsig.secret"));
  ZoneStore store{*ProfileOf(files.options()), 1u << 20, 100, clock.Now()};
  Responder responder{store, key, clock};
};

}  // namespace registry::zone::testing
