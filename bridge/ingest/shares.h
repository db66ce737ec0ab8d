// bridge/ingest/shares.h: how many requests of one party may wait at once, so that a party that says too much fills its
// own share and not the room of the others. Safe from any thread.
#pragma once

#include <cstddef>
#include <map>
#include <mutex>

#include "schemas/ids/ids.h"

namespace registry::ingest {

class Shares {
 public:
  explicit Shares(std::size_t each) : each_(each) {}
  // False when the party's share is taken. Every true, and every TakeAnyway, is given back once.
  bool Take(const PartyId& party);
  void TakeAnyway(
      const PartyId& party);  // what the registry acknowledged before it stopped has been let in already
  void GiveBack(const PartyId& party);

 private:
  const std::size_t each_;
  std::mutex mutex_;
  std::map<PartyId, std::size_t> taken_;  // only parties that hold something
};

}  // namespace registry::ingest
