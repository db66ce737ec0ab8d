// clients/dane/zone_keys.h: the keys of zones, each validated once from the trust anchors and then used to
// judge many answers: one signature check instead of one per step of the chain (measured: 0.08 ms against 0.6
// ms of CPU). An answer the kept keys do not prove is judged again from the anchors, so a roll-over costs
// time, never a wrong answer.
// Owns: the keys, at most for their TTL. Threads: all calls from any thread. Errors: as in resolver.h.
#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <string>

#include "clients/dane/getdns_context.h"
#include "schemas/base/mutex.h"

namespace registry::clients {

class ZoneKeys {
 public:
  // The reply to (name, type), proved: positive, or a proof of absence. Its sections are then believed.
  Result<Dict> Prove(GetdnsContext& context, const std::string& name, std::uint32_t type);

 private:
  using Clock = std::chrono::steady_clock;
  struct Keys {
    std::shared_ptr<const getdns_list> list;
    Clock::time_point expiry;
  };
  enum class Trust { kKept, kFresh };
  Result<Dict> Prove(GetdnsContext& context, const std::string& name, std::uint32_t type, Trust trust);
  static Error WhyUnsigned(GetdnsContext& context, const std::string& name, std::uint32_t type);
  std::shared_ptr<const getdns_list> Find(const std::string& zone);
  Result<std::shared_ptr<const getdns_list>> Fetch(GetdnsContext& context, const std::string& zone);
  void Forget(const std::string& zone);

  Mutex mutex_;
  std::map<std::string, Keys> zones_ GUARDED_BY(mutex_);
};

}  // namespace registry::clients
