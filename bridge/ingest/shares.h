// bridge/ingest/shares.h: how many messages of one sender may wait at once, and how many octets they may have, so that a
// party that says too much fills its own share and not the room of the others. Safe from any thread.
// Limits: both are looked at before a message is taken, so they may go over by one message. A batch
//   (schemas/wire/batch.h) counts as many messages.
#pragma once

#include <cstddef>
#include <map>
#include <string>

#include "schemas/base/mutex.h"

namespace registry::ingest {

struct Load {
  std::size_t messages = 0, octets = 0;
};

class Shares {
 public:
  explicit Shares(Load each) : each_(each) {}
  // False when the sender's share is taken. Every true, and every TakeAnyway, is given back once.
  bool Take(const std::string& sender, std::size_t octets, std::size_t messages = 1);
  // What the registry acknowledged before it stopped has been let in already.
  void TakeAnyway(const std::string& sender, std::size_t octets, std::size_t messages = 1);
  void GiveBack(const std::string& sender, std::size_t octets, std::size_t messages = 1);

 private:
  const Load each_;
  Mutex mutex_;
  std::map<std::string, Load> taken_ GUARDED_BY(mutex_);  // only senders that hold something
};

}  // namespace registry::ingest
