// Random changesets: a model of a few maps says which must be refused and why; both backends must agree with it, hold
// the same contents afterwards, and still hold them after being closed and opened.
#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <map>

#include "tests/unit/bridge/ledger/backends.h"
#include "tests/unit/bridge/ledger/dump.h"

namespace registry::ledger {
namespace {

using domain::Changeset;

constexpr std::uint64_t kNumbers = 6;  // few, so that changesets collide
const std::vector<std::string> kParties = {"asp-a", "asp-b"};

// Each case opens a ledger on disk twice, so the usual hundred are for RC_PARAMS=max_success=100.
[[maybe_unused]] const int kFewCases = ::setenv("RC_PARAMS", "max_success=15", 0);

// What decides whether a changeset is taken.
struct Model {
  std::map<EventId, bool> marks;
  std::map<DeviceId, std::uint64_t> versions;
  std::map<Bytes, DeviceId> holders;
  std::map<JobId, PartyId> open;

  std::string Apply(const Changeset& changes) {
    if (changes.mark && marks.contains(changes.mark->id)) return std::string(kEventKnown);
    Model next = *this;
    if (changes.mark) next.marks[changes.mark->id] = true;
    for (const auto& put : changes.devices) {
      if (next.versions[put.device.id]++ != put.expected_version) return std::string(kStale);
    }
    for (const auto& release : changes.releases) next.holders.erase(release.value);
    for (const auto& [value, device] : changes.claims) {
      const auto [holder, free] = next.holders.emplace(value.value, device);
      if (!free && holder->second != device) return std::string(kStale);
    }
    for (const JobId& id : changes.jobs_erase) next.open.erase(id);
    for (const domain::Job& job : changes.jobs_put) {
      next.open.erase(job.id);
      if (!job.unsent) next.open.emplace(job.id, *job.to);
    }
    for (const auto& bound : changes.open_bounds) {
      const auto of_mno = [&](const auto& entry) { return entry.second == bound.mno; };
      const auto open_now = std::count_if(next.open.begin(), next.open.end(), of_mno);
      if (static_cast<std::size_t>(open_now) > bound.max) return std::string(kStale);
    }
    *this = std::move(next);
    return "";
  }
};

std::uint64_t Below(std::uint64_t end) { return *rc::gen::inRange<std::uint64_t>(0, end); }
bool OneIn(std::uint64_t count) { return Below(count) == 0; }

domain::UniqueValue EidValue(std::uint64_t number) {
  return {domain::UniqueKind::kEid, AsBytes(samples::EidOf(number).text())};
}

void DrawRecords(const Model& model, Changeset& changes) {
  if (OneIn(2)) changes.mark = samples::Mark(Below(kNumbers * 3));
  for (std::uint64_t i = Below(3); i > 0; --i) {
    domain::Device device =
        OneIn(2) ? samples::Device(Below(kNumbers)) : samples::FullDevice(Below(kNumbers));
    const auto known = model.versions.find(device.id);
    const std::uint64_t version = known == model.versions.end() ? 0 : known->second;
    changes.devices.push_back({device, OneIn(8) ? version + 1 : version});
  }
  for (std::uint64_t i = Below(3); i > 0; --i) {
    changes.claims.emplace_back(EidValue(Below(kNumbers)), samples::DeviceOf(Below(2)));
  }
  if (OneIn(4)) changes.releases.push_back(EidValue(Below(kNumbers)));
}

void DrawConsequences(Changeset& changes) {
  for (std::uint64_t i = Below(3); i > 0; --i) {
    const std::uint64_t number = Below(kNumbers);
    const std::string mno = OneIn(3) ? "mno-b" : "mno-a";
    changes.jobs_put.push_back(OneIn(3) ? samples::UnsentJob(number, mno) : samples::SentJob(number, mno));
  }
  if (OneIn(2)) changes.open_bounds = {{samples::Party("mno-a"), Below(kNumbers / 2)}};
  if (OneIn(3)) changes.jobs_erase.push_back(samples::JobOf(Below(kNumbers)));
  for (std::uint64_t i = Below(3); i > 0; --i) changes.history.push_back(samples::History(Below(kNumbers)));
  for (std::uint64_t i = Below(3); i > 0; --i) changes.messages.push_back(samples::Message(Below(100)));
  for (std::uint64_t i = Below(4); i > 0; --i) {
    changes.notifications.push_back(samples::Notification(Below(100), kParties[Below(2)]));
  }
  for (std::uint64_t i = Below(3); i > 0; --i) {
    changes.zone.push_back(samples::Zone(Below(kNumbers), Below(9)));
    if (OneIn(3)) changes.zone.back().tlsa.clear();
  }
  if (OneIn(4)) changes.revocations.push_back(samples::Revocation(Below(kNumbers)));
  if (OneIn(4)) changes.dead_letters.push_back(samples::DeadLetter(Below(100)));
  if (OneIn(3)) changes.feed_acks.push_back({samples::Party(kParties[Below(2)]), Below(20)});
}

RC_GTEST_PROP(LedgerModel, BothBackendsDoWhatTheModelSays, ()) {
  const samples::Folder folder;
  const auto memory = OpenMemoryLedger();
  auto rocks = OpenBackend(Backend::kRocksDb, folder);
  Model model;
  for (std::uint64_t step = 0; step < 40; ++step) {
    Changeset changes;
    DrawRecords(model, changes);
    DrawConsequences(changes);
    const std::string expected = model.Apply(changes);
    const auto in_memory = memory->Commit(changes), in_rocks = rocks->Commit(changes);
    RC_ASSERT((in_memory ? "" : in_memory.error().symbol) == expected);
    RC_ASSERT((in_rocks ? "" : in_rocks.error().symbol) == expected);
    if (OneIn(4)) {
      const auto sink = static_cast<Sink>(1 + Below(3));
      const SinkState state{Below(60), std::to_string(step)};
      const bool durable = OneIn(2);
      RC_ASSERT(memory->Advance(sink, state, durable).ok() && rocks->Advance(sink, state, durable).ok());
    }
  }
  const std::string contents = Dump(*memory, kParties, kNumbers * 3);
  RC_ASSERT(Dump(*rocks, kParties, kNumbers * 3) == contents);
  rocks.reset();
  rocks = OpenBackend(Backend::kRocksDb, folder);
  RC_ASSERT(Dump(*rocks, kParties, kNumbers * 3) == contents);
}

}  // namespace
}  // namespace registry::ledger
