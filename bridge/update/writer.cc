#include "bridge/update/writer.h"

#include <algorithm>

#include "bridge/zone/device_content.h"

namespace registry::update {
namespace {

using std::chrono::milliseconds;

constexpr std::size_t kNamesMax = 100;    // in one UPDATE; more cost BIND more for each (measured at 700)
constexpr int kTriesMax = 3;              // of names that somebody else changes at the same time
constexpr milliseconds kRefusedRest{25};  // longer after each try
constexpr milliseconds kSignedLook{50}, kSignedWithin{10'000};

}  // namespace

Writer::Writer(Terms terms, SigningServer& server, std::function<bool(milliseconds)> rest)
    : terms_(std::move(terms)), marker_(MarkerRdata(terms_.owner)), server_(server), rest_(std::move(rest)) {}

Result<Written> Writer::Write(std::span<const domain::ZoneChange> changes) {
  Written written;
  for (std::size_t at = 0; at < changes.size(); at += kNamesMax) {
    const auto some = changes.subspan(at, std::min(kNamesMax, changes.size() - at));
    if (auto done = WriteSome(some, written); !done) return done.error();
  }
  return written;
}

// Looks and changes until there is nothing left to do. A refusal says that a name was changed by somebody else in
//   between; when that does not end, the half is sought that it concerns, down to the one name.
Status Writer::WriteSome(std::span<const domain::ZoneChange> changes, Written& written) {
  std::vector<zone::Name> names;
  for (const domain::ZoneChange& change : changes) names.push_back(NameOf(change.device, terms_.zone));
  std::string refusal = "it takes the change and does not serve it";
  milliseconds unsigned_for{0};
  std::size_t least_undone = changes.size() + 1;
  for (int tries = 0;;) {
    const auto seen = server_.Look(names);
    if (!seen) return seen.error();
    const Plan plan = PlanOf(changes, *seen, written);
    if (plan.message.empty() && !plan.unsigned_left) return Done{};
    if (plan.message.empty()) {
      if (unsigned_for >= kSignedWithin) return UpdateFailed("it does not sign what it serves");
      if (!rest_(kSignedLook)) return UpdateFailed("stopped");
      unsigned_for += kSignedLook;
      continue;
    }
    if (plan.undone < least_undone) {
      least_undone = plan.undone;
    } else if (++tries == kTriesMax) {
      break;
    } else if (!rest_(kRefusedRest * tries)) {
      return UpdateFailed("stopped");
    }
    const auto outcome = server_.Change(plan.message, refusal);
    if (!outcome) return outcome.error();
    if (*outcome == SigningServer::Outcome::kDone) {
      for (const domain::ZoneChange* const change : plan.moved) written.changed.insert(change->device);
      written.names_more += plan.names_more;
    }
  }
  if (changes.size() == 1) {
    written.blocked[changes.front().device] = refusal;
    return Done{};
  }
  const std::size_t half = changes.size() / 2;
  if (auto first = WriteSome(changes.first(half), written); !first) return first;
  return WriteSome(changes.subspan(half), written);
}

Writer::Plan Writer::PlanOf(std::span<const domain::ZoneChange> changes, const std::vector<Seen>& seen,
                            Written& written) {
  Plan plan{UpdateMessage(terms_.zone, terms_.ttl), {}};
  for (std::size_t i = 0; i < changes.size(); ++i) {
    const domain::ZoneChange& change = changes[i];
    const Records wanted = Wanted(change, marker_);
    written.blocked.erase(change.device);
    if (!seen[i].refusal.empty()) {
      written.blocked[change.device] = seen[i].refusal;
      continue;
    }
    if (IsForeign(seen[i], marker_)) {
      // Nothing of ours is there, so a deletion is done.
      if (!wanted.empty()) written.blocked[change.device] = "a record there is not the registry's";
      continue;
    }
    const Records target = Beside(wanted, seen[i].records, marker_);
    if (seen[i].records == target) {
      plan.unsigned_left = plan.unsigned_left || !seen[i].all_signed();
      continue;
    }
    const bool shared = target.txt.size() != wanted.txt.size();
    if (!plan.message.Add({NameOf(change.device, terms_.zone), seen[i].records, target, shared})) {
      if (plan.message.empty()) {
        written.blocked[change.device] = "its records do not fit into one UPDATE";
      } else {
        ++plan.undone;  // the next look finds it so
      }
      continue;
    }
    ++plan.undone;
    plan.moved.push_back(&change);
    plan.names_more += static_cast<int>(seen[i].records.empty()) - static_cast<int>(wanted.empty());
  }
  return plan;
}

Status Writer::WriteApex() {
  const auto seen = server_.Look({terms_.zone});
  if (!seen) return seen.error();
  if (!seen->front().refusal.empty()) return UpdateFailed(seen->front().refusal);
  const Records& there = seen->front().records;
  UpdateMessage message(terms_.zone, terms_.apex_ttl);
  const auto add = [&](std::uint16_t type, const Bytes& rdata, const std::vector<Bytes>& have) {
    if (std::ranges::find(have, rdata) == have.end())
      message.AddRecord(terms_.zone, type, terms_.apex_ttl, rdata);
  };
  for (const Bytes& rdata : terms_.apex_tlsa) add(zone::kTypeTlsa, rdata, there.tlsa);
  add(zone::kTypeTxt, zone::TxtRdata(zone::kApexText), there.txt);
  if (message.empty()) return Done{};
  std::string refusal;
  const auto outcome = server_.Change(message, refusal);
  if (!outcome) return outcome.error();
  return *outcome == SigningServer::Outcome::kDone ? Status(Done{})
                                                   : Status(UpdateFailed("it answers " + refusal));
}

}  // namespace registry::update
