#include "simulators/party/feed_keeper.h"

#include "schemas/wire/messages.h"
#include "simulators/mqtt/again.h"

namespace registry::sim {

void FeedKeeper::Saw(std::uint64_t seq) {
  const MutexLock lock(mutex_);
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
