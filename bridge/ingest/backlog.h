// bridge/ingest/backlog.h: how many messages were decided and have not reached the broker yet, as far as the ledger knows:
// the relay stores its cursor a little later than it moves it, so the number may be some hundreds too high.
// Threads: any. Errors: the ledger's.
#pragma once

#include <algorithm>

#include "bridge/ledger/ledger.h"

namespace registry::ingest {

inline Result<ledger::Seq> MqttBacklog(const ledger::LedgerReader& reader) {
  const auto last = reader.OutboxLast(ledger::Sink::kMqtt);
  if (!last) return last.error();
  const auto sent = reader.LoadSink(ledger::Sink::kMqtt);
  if (!sent) return sent.error();
  return *last - std::min(*last, sent->cursor);
}

}  // namespace registry::ingest
