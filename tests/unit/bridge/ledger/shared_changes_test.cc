// What one transaction tells the other ledgers (bridge/ledger/keyed/change.h), and what they remember of it (heard.h).
#include <gmock/gmock.h>

#include "bridge/ledger/keyed/change.h"
#include "tests/unit/bridge/ledger/samples.h"

namespace registry::ledger {
namespace {

using testing::ElementsAre;

Change Whole() {
  Change change;
  change.head.emplace();
  change.head->history = 7;
  change.head->chain = Bytes(kChainSize, 0x42);
  change.head->outbox_mqtt = 300;
  change.head->marks = {20'000, 5};
  change.feeds = {{samples::Party("asp-a"), {9, 4}}, {samples::Party("asp-b"), {0, 0}}};
  change.sinks = {{Sink::kZone, {12, "4711 1/2"}}, {Sink::kMqtt, {3, ""}}};
  const auto sent = JobTable::EntryOf(samples::SentJob(1)), unsent = JobTable::EntryOf(samples::UnsentJob(2));
  change.jobs = {{samples::JobOf(1), sent}, {samples::JobOf(2), unsent}, {samples::JobOf(3), std::nullopt}};
  change.devices = {{samples::DeviceOf(1), 300}, {samples::DeviceOf(2), 1}};
  change.orders = true;
  return change;
}

TEST(Change, IsReadAsItWasTold) {
  const auto read = DecodeChange(EncodeChange(Whole()));
  ASSERT_TRUE(read.ok()) << read.error().message;
  EXPECT_EQ(Encode(*read->head), Encode(*Whole().head));
  ASSERT_EQ(read->feeds.size(), 2u);
  EXPECT_EQ(read->feeds[0].second.last, 9u);
  EXPECT_EQ(read->feeds[0].second.acked, 4u);
  EXPECT_EQ(read->sinks[0].second.state, "4711 1/2");
  EXPECT_EQ(read->sinks[1].first, Sink::kMqtt);
  EXPECT_TRUE(read->jobs[0].second->Open());
  EXPECT_TRUE(read->jobs[1].second->unsent);
  EXPECT_FALSE(read->jobs[2].second.has_value());
  EXPECT_EQ(read->devices, Whole().devices);
  EXPECT_TRUE(read->orders);
  EXPECT_EQ(EncodeChange(*read), EncodeChange(Whole()));
  EXPECT_FALSE(DecodeChange(EncodeChange({}))->head.has_value());
}

TEST(Change, ThatCannotBeReadIsRefused) {
  const std::string told = EncodeChange(Whole());
  EXPECT_EQ(DecodeChange("").error().symbol, kLedgerDamaged);
  EXPECT_EQ(DecodeChange(told.substr(0, told.size() - 1)).error().symbol, kLedgerDamaged);
  EXPECT_EQ(DecodeChange("\x02" + told.substr(1)).error().symbol, kLedgerNewer);
}

TEST(Change, MayBeAppliedAgain) {
  Live live;
  live.shared = true;
  for (int i = 0; i < 2; ++i) {
    Apply(Whole(), live);
    const ReadLock lock(live.mutex);
    EXPECT_EQ(live.jobs.LoadOf(samples::Party("mno-a")).open, 1u);
    EXPECT_EQ(live.jobs.LoadOf(samples::Party("mno-a")).unsent, 1u);
    EXPECT_EQ(live.feeds.at(samples::Party("asp-a")).last, 9u);
    EXPECT_EQ(live.heard.VersionOf(samples::DeviceOf(1)), 300u);
    EXPECT_EQ(live.heard.VersionOf(samples::DeviceOf(5)), std::nullopt);
    EXPECT_TRUE(live.heard.WasErased(samples::JobOf(3)));
    EXPECT_FALSE(live.heard.WasErased(samples::JobOf(1)));
  }
}

TEST(Heard, ForgetsWhoWasFirst) {
  Heard heard;
  for (std::uint64_t i = 0; i <= Heard::kKept; ++i) {
    heard.Note(samples::DeviceOf(i), 1);
    heard.NoteErased(samples::JobOf(i));
  }
  EXPECT_EQ(heard.VersionOf(samples::DeviceOf(0)), std::nullopt);
  EXPECT_EQ(heard.VersionOf(samples::DeviceOf(1)), 1u);
  EXPECT_FALSE(heard.WasErased(samples::JobOf(0)));
  EXPECT_TRUE(heard.WasErased(samples::JobOf(Heard::kKept)));
}

}  // namespace
}  // namespace registry::ledger
