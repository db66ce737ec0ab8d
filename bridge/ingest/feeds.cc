#include "bridge/ingest/feeds.h"

#include <algorithm>

#include "bridge/ingest/backlog.h"
#include "workers/domain/compose.h"

namespace registry::ingest {
namespace {

constexpr std::size_t kReplayMax = 1000;         // sent again by one feed.replay; the reply says how many
constexpr std::chrono::seconds kReplayEvery{1};  // of one party
constexpr ledger::Seq kReplayDepthMax = 10'000;  // messages that wait for the broker
constexpr int kReplayDepthSeconds = 10;

Error ReplayTooSoon(std::string_view why, int retry_after_seconds) {
  Error error = Error::Make(Code::kLimit, "replay_too_soon", why);
  error.retry_after_seconds = retry_after_seconds;
  return error;
}

Error SeqUnknown(std::string_view field) {
  return Error::Make(Code::kRange, "seq_unknown", "the feed has not come that far", field);
}

}  // namespace

Status Feeds::MayReplay(const PartyId& party, UtcTime now) {
  const auto backlog = MqttBacklog(reader_);
  if (!backlog) return backlog.error();
  if (*backlog > kReplayDepthMax) {
    return ReplayTooSoon("too many messages wait to be sent", kReplayDepthSeconds);
  }
  const MutexLock lock(mutex_);
  const auto [before, first] = replayed_at_.emplace(party, now);
  if (first) return Done{};
  // A clock that was set back must not lock anybody out.
  if (now >= before->second && now - before->second < kReplayEvery) {
    return ReplayTooSoon("the last replay was a moment ago", static_cast<int>(kReplayEvery.count()));
  }
  before->second = now;
  return Done{};
}

Result<domain::Reply> Feeds::Replay(const wire::FeedReplay& command, domain::Case& at) {
  const domain::Origin& origin = at.origin;
  auto state = reader_.LoadFeed(origin.party);
  if (!state) return state.error();
  // The one behind the last is what a party asks for that has all there is and cannot know it.
  if (command.from_seq > state->last + 1) return SeqUnknown("/fromSeq");
  if (auto may = MayReplay(origin.party, at.context.now); !may) return may.error();
  auto items = reader_.FeedFrom(origin.party, command.from_seq, kReplayMax);
  if (!items) return items.error();
  for (const ledger::FeedItem& item : *items) {
    at.changes.messages.push_back(domain::Render(item.notification, item.seq));
  }
  return wire::Encode(wire::FeedStatus{state->last, state->acked, items->size()});
}

Result<domain::Reply> Feeds::Acknowledge(const wire::FeedAck& command, domain::Case& at) {
  const domain::Origin& origin = at.origin;
  auto state = reader_.LoadFeed(origin.party);
  if (!state) return state.error();
  if (command.seq > state->last) {
    return SeqUnknown("/seq");
  }
  at.changes.feed_acks.push_back({origin.party, command.seq});
  return wire::Encode(wire::FeedStatus{state->last, std::max(state->acked, command.seq), 0});
}

}  // namespace registry::ingest
