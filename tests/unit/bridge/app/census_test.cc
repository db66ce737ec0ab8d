#include "bridge/app/census.h"

#include <gtest/gtest.h>

#include <atomic>
#include <future>

#include "bridge/app/last_heard.h"
#include "simulators/lab/probe.h"
#include "tests/support/wrapped_ledger.h"

namespace registry::app {
namespace {

constexpr UtcTime kNoon{1'790'000'000'000'000};

class StillClock : public Clock {
 public:
  UtcTime Now() const override { return kNoon; }
};

domain::DeviceBrief Brief(domain::State state, int days, const char* claimer = nullptr) {
  domain::DeviceBrief brief;
  brief.state = state;
  brief.sponsor = *PartyId::Parse("mno-a");
  if (claimer != nullptr) brief.claimer = PartyId::Parse(claimer);
  if (days != 0) brief.expires = kNoon + std::chrono::hours(24 * days);
  return brief;
}

TEST(Census, PutsADeviceIntoItsClasses) {
  CensusCounts counts;
  counts.taken = kNoon;
  counts.Add(Brief(domain::State::kRegistered, 0));
  for (const int days : {-1, 1, 2, 8, 31, 91, 365}) counts.Add(Brief(domain::State::kActive, days, "asp-a"));
  domain::DeviceBrief held = Brief(domain::State::kActive, 90, "asp-b");
  held.statuses = {domain::DeviceStatus::kSponsorHold, domain::DeviceStatus::kServerHold};
  counts.Add(held);
  domain::DeviceBrief moving = Brief(domain::State::kPublished, 30);
  moving.statuses = {domain::DeviceStatus::kPendingTransfer};
  counts.Add(moving);
  EXPECT_EQ(counts.states.at(domain::State::kActive), 8u);
  EXPECT_EQ(counts.ends, (std::array<std::uint64_t, 6>{1, 1, 1, 2, 2, 2}))
      << "ended, 1d, 7d, 30d, 90d, later";
  EXPECT_EQ(counts.on_hold, 1u) << "two holds are one device, and a transfer is no hold";
  EXPECT_EQ(counts.parties.at(*PartyId::Parse("mno-a")).sponsored, 10u);
  EXPECT_EQ(counts.parties.at(*PartyId::Parse("asp-a")).claimed, 7u);
}

TEST(Census, ATombstoneIsNobodysDevice) {
  CensusCounts counts;
  counts.taken = kNoon;
  counts.Add(Brief(domain::State::kDeleted, 10, "asp-a"));
  EXPECT_EQ(counts.states.at(domain::State::kDeleted), 1u);
  EXPECT_TRUE(counts.parties.empty());
  EXPECT_EQ(counts.ends, (std::array<std::uint64_t, 6>{}));
}

// The index of a registry with many devices, and nothing else.
class ManyDevices : public test::WrappedLedger {
 public:
  ManyDevices(ledger::Ledger& inner, std::size_t alive, std::size_t deleted)
      : WrappedLedger(inner), alive_(alive), deleted_(deleted) {}
  Result<std::vector<domain::DeviceBrief>> DevicesIn(const domain::DeviceGroup& group,
                                                     const std::optional<domain::DevicePosition>& after,
                                                     std::optional<UtcTime>,
                                                     std::size_t limit) const override {
    largest_ = std::max(largest_.load(), limit);
    const bool dead = group.kind == domain::GroupKind::kState;
    const std::size_t all = dead ? deleted_ : alive_;
    std::size_t at = after ? 1 + NumberOf(after->device) : 0;
    if (failing_ && at > 0) return Error::Make(Code::kFailed, "ledger_failed", "scripted");
    std::vector<domain::DeviceBrief> page;
    for (; at < all && page.size() < limit; ++at) {
      page.push_back(Brief(dead ? domain::State::kDeleted : domain::State::kActive, 100));
      page.back().id = IdOf(at);
    }
    return page;
  }
  static DeviceId IdOf(std::size_t number) {
    char text[37];
    std::snprintf(text, sizeof text, "00000000-0000-4000-8000-%012zx", number);
    return *DeviceId::Parse(text);
  }
  static std::size_t NumberOf(const DeviceId& id) { return std::stoul(id.text().substr(24), nullptr, 16); }

  std::atomic<bool> failing_{false};
  mutable std::atomic<std::size_t> largest_{0};

 private:
  const std::size_t alive_, deleted_;
};

CensusCounts WhenCounted(const Census& census) {
  lab::WaitUntil([&] { return census.counts().taken != UtcTime{}; }, std::chrono::seconds(20));
  return census.counts();
}

TEST(Census, GoesThroughAllInPages) {
  const auto inner = ledger::OpenMemoryLedger();
  ManyDevices ledger(*inner, 1700, 501);
  const StillClock clock;
  Census census(ledger, clock, {});
  EXPECT_EQ(census.counts(), CensusCounts{}) << "nothing is said before a round has ended";
  census.Start();
  const CensusCounts counts = WhenCounted(census);
  EXPECT_EQ(counts.states.at(domain::State::kActive), 1700u);
  EXPECT_EQ(counts.states.at(domain::State::kDeleted), 501u);
  EXPECT_EQ(counts.states.at(domain::State::kRegistered), 0u) << "a state without devices is there";
  EXPECT_LE(ledger.largest_, 1000u) << "no page is large";
}

TEST(Census, SaysWhyItCannotCount) {
  const auto inner = ledger::OpenMemoryLedger();
  ManyDevices ledger(*inner, 1700, 0);
  ledger.failing_ = true;
  const StillClock clock;
  std::promise<std::string> said;
  Census census(ledger, clock, [&](int level, const std::string& line) {
    EXPECT_EQ(level, Level::kError);
    said.set_value(line);
  });
  census.Start();
  auto line = said.get_future();
  ASSERT_EQ(line.wait_for(std::chrono::seconds(20)), std::future_status::ready);
  EXPECT_NE(line.get().find("scripted"), std::string::npos);
  EXPECT_EQ(census.counts(), CensusCounts{}) << "half a round is no figure";
}

TEST(LastHeard, KnowsTheConfiguredPartiesAndNobodyElse) {
  LastHeard heard;
  heard.Set({{*PartyId::Parse("mno-a"), wire::Role::kMno}, {*PartyId::Parse("asp-a"), wire::Role::kAsp}});
  heard.Note("registry/v1/from/mno-a/device.attach", kNoon);
  heard.Note("registry/v1/from/stranger/device.attach", kNoon);
  heard.Note("registry/v1/to/asp-a/event/x", kNoon);
  ASSERT_EQ(heard.all().size(), 2u);
  EXPECT_EQ(heard.all()[0].party.text(), "asp-a");
  EXPECT_EQ(heard.all()[0].at, UtcTime{});
  EXPECT_EQ(heard.all()[1].at, kNoon);
  heard.Set({{*PartyId::Parse("mno-a"), wire::Role::kMno}, {*PartyId::Parse("mno-b"), wire::Role::kMno}});
  ASSERT_EQ(heard.all().size(), 2u);
  EXPECT_EQ(heard.all()[0].at, kNoon) << "who stays keeps its time";
}

}  // namespace
}  // namespace registry::app
