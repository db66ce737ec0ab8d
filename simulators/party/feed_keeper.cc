#include "simulators/party/feed_keeper.h"

#include <algorithm>

#include "schemas/wire/messages.h"
#include "simulators/mqtt/again.h"

namespace registry::sim {

void FeedKeeper::Saw(std::uint64_t seq) {
  const MutexLock lock(mutex_);
  const bool earlier = std::to_string(seq) < std::to_string(highest_);
  if (earlier && faults_.contains(ProtocolFault::kSeqAsText)) return;
  highest_ = std::max(highest_, seq);
  position_.Saw(seq, Clock::now());
}

void FeedKeeper::Keep(PartyClient& client) {
  FeedPosition::Due due;
  {
    const MutexLock lock(mutex_);
    const auto now = Clock::now();
    if (now < next_) return;
    next_ = now + every_;
    due = position_.TakeDue(now, gap_patience_);
    if (faults_.contains(ProtocolFault::kGapIgnored)) due.replay_from.reset();
    if (faults_.contains(ProtocolFault::kAckBeyond) && highest_ > told_) due.ack = told_ = highest_;
  }
  if (const auto from = due.replay_from) {
    const auto replayed = [this, from](const Reply& reply) { Replayed(*from, reply); };
    if (!client.Send(wire::FeedReplay{*from}, replayed)) replayed(NotSent());
  }
  if (due.ack) client.Send(wire::FeedAck{*due.ack}, nullptr);
}

void FeedKeeper::Replayed(std::uint64_t from, const Reply& reply) {
  {
    const MutexLock lock(mutex_);
    position_.Replayed(reply.accepted, Clock::now());
  }
  report_.Say({{"event", "replay"}, {"from", from}, {"ok", reply.accepted}, {"reason", ReasonOf(reply)}});
}

}  // namespace registry::sim
