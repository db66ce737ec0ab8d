#include "bridge/ingest/dispatch.h"

#include <algorithm>

#include "bridge/ingest/backlog.h"
#include "workers/domain/compose.h"
#include "workers/lifecycle/reads.h"

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

template <class... Callables>
struct Overloaded : Callables... {
  using Callables::operator()...;
};
template <class... Callables>
Overloaded(Callables...) -> Overloaded<Callables...>;

}  // namespace

Result<domain::Origin> Dispatcher::Identify(const PartyId& party, const std::string& command,
                                            const EventId& id) const {
  const auto known = services_.parties.find(party);
  if (known == services_.parties.end()) {
    return Error::Make(Code::kNotAuthorised, "party_unknown", "this registry does not know the party");
  }
  const auto roles = wire::RolesOf(command);
  if (std::find(roles.begin(), roles.end(), known->second) == roles.end()) {
    return Error::Make(
        Code::kNotAuthorised, "role_not_allowed",
        "a party of role " + std::string(wire::RoleName(known->second)) + " does not send " + command);
  }
  return domain::Origin{party, known->second, id};
}

Result<domain::Decision> Dispatcher::Decide(const wire::Command& command, const domain::Origin& origin,
                                            const domain::Context& context) const {
  domain::Case at{origin, reader_, context, services_.policy, *services_.signer};
  using Answer = Result<domain::Reply>;
  auto reply = std::visit(
      Overloaded{
          [&](const wire::CsrSubmit& c) -> Answer { return csr_sign::Decide(c, at, *services_.issuer); },
          [&](const wire::EsimRegister& c) -> Answer { return Register(c, at); },
          [&](const wire::FeedReplay& c) -> Answer { return Replay(c, at); },
          [&](const wire::FeedAck& c) -> Answer { return Acknowledge(c, at); },
          [&](const auto& c) -> Answer { return lifecycle::Decide(c, at); },
      },
      command);
  if (!reply) return reply.error();
  return domain::Decision{std::move(at.changes), std::move(*reply)};
}

Result<nlohmann::json> Dispatcher::Read(const wire::Query& query, const domain::Origin& origin) const {
  return std::visit(
      [&](const auto& asked) -> Result<nlohmann::json> {
        auto told = lifecycle::Read(asked, origin, reader_, services_.policy);
        if (!told) return told.error();
        return wire::Encode(*told);
      },
      query);
}

Result<domain::Reply> Dispatcher::Register(const wire::EsimRegister& command, domain::Case& at) const {
  const PartyId& party = at.origin.party;
  if (auto may = guard_.MayRegister(party, at.context.now); !may) return may.error();
  auto reply = lifecycle::Decide(command, at);
  if (!reply && reply.error().symbol == "esim_unavailable") guard_.Refused(party, at.context.now);
  return reply;
}

Status Dispatcher::MayReplay(const PartyId& party, UtcTime now) const {
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

Result<domain::Reply> Dispatcher::Replay(const wire::FeedReplay& command, domain::Case& at) const {
  const domain::Origin& origin = at.origin;
  auto state = reader_.LoadFeed(origin.party);
  if (!state) return state.error();
  // The one behind the last is what a party asks for that has all there is and cannot know it.
  if (command.from_seq > state->last + 1) return SeqUnknown("/from_seq");
  if (auto may = MayReplay(origin.party, at.context.now); !may) return may.error();
  auto items = reader_.FeedFrom(origin.party, command.from_seq, kReplayMax);
  if (!items) return items.error();
  for (const ledger::FeedItem& item : *items) {
    at.changes.messages.push_back(domain::Render(item.notification, item.seq));
  }
  return wire::Encode(wire::FeedStatus{state->last, state->acked, items->size()});
}

Result<domain::Reply> Dispatcher::Acknowledge(const wire::FeedAck& command, domain::Case& at) const {
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
