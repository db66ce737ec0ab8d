// bridge/zone/signature_watch.h: says when signatures have not been made again in time, before the zone is bogus for whoever
// validates it, and has those made again at once that a clock set back has put into the future.
// Threads: the publishing thread only. The store outlives it.
#pragma once

#include "bridge/zone/publisher.h"
#include "bridge/zone/store.h"

namespace registry::zone {

class SignatureWatch {
 public:
  SignatureWatch(ZoneStore& store, std::chrono::seconds refresh, LogLine log)
      : store_(store), refresh_(refresh), log_(std::move(log)) {}
  void Look(UtcTime now);

 private:
  ZoneStore& store_;
  const std::chrono::seconds refresh_;
  const LogLine log_;
  bool late_ = false;  // and said
};

}  // namespace registry::zone
