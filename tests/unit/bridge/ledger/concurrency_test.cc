// Many threads commit at once: every commit is one of a total order, and only one of rivals wins.
#include <gmock/gmock.h>

#include <thread>

#include "tests/unit/bridge/ledger/backends.h"

namespace registry::ledger {
namespace {

using domain::Changeset;
constexpr std::uint64_t kThreads = 8;
constexpr std::uint64_t kRounds = 40;

class LedgerConcurrency : public EveryBackend {
 protected:
  template <class Work>
  static void InParallel(Work work) {
    std::vector<std::thread> threads;
    for (std::uint64_t i = 0; i < kThreads; ++i) threads.emplace_back(work, i);
    for (auto& thread : threads) thread.join();
  }
};
INSTANTIATE_TEST_SUITE_P(Backends, LedgerConcurrency, kEveryBackendAndMember, BackendName);

TEST_P(LedgerConcurrency, EveryCommitIsThereOnceInOneOrder) {
  std::atomic<int> refused = 0;
  InParallel([&](std::uint64_t thread) {
    for (std::uint64_t i = 0; i < kRounds; ++i) {
      Changeset changes = samples::Registration(thread * kRounds + i);
      changes.notifications = {samples::Notification(i)};
      if (!ledger_->Commit(changes).ok()) ++refused;
      if (!ledger_->LoadDevice(samples::DeviceOf(thread * kRounds + i))->has_value())
        ++refused;  // read your commit
    }
  });
  EXPECT_EQ(refused, 0);
  EXPECT_EQ(ledger_->LoadFeed(samples::Party("asp-a"))->last, kThreads * kRounds);
  const auto entries = *ledger_->OutboxAfter(Sink::kMqtt, 0, 10'000, std::chrono::milliseconds(0));
  EXPECT_EQ(entries.size(), 2 * kThreads * kRounds);
  const auto report = *Verify(*ledger_);
  EXPECT_THAT(report.faults, testing::IsEmpty());
  EXPECT_EQ(report.history_entries, kThreads * kRounds);
}

TEST_P(LedgerConcurrency, OneOfRivalsWinsEveryRound) {
  std::atomic<std::uint64_t> won = 0, lost = 0;
  ASSERT_TRUE(ledger_->Commit(samples::Registration(1)).ok());
  InParallel([&](std::uint64_t) {
    for (std::uint64_t i = 0; i < kRounds; ++i) {
      domain::Device device = **ledger_->LoadDevice(samples::DeviceOf(1));
      Changeset changes;
      changes.devices = {{device, device.version}};
      const auto done = ledger_->Commit(changes);
      EXPECT_TRUE(done.ok() || done.error().symbol == kStale);
      ++(done.ok() ? won : lost);
    }
  });
  EXPECT_EQ(won + lost, kThreads * kRounds);
  EXPECT_EQ((*ledger_->LoadDevice(samples::DeviceOf(1)))->version, 1 + won);
}

TEST_P(LedgerConcurrency, OneOfTheSameEventWins) {
  std::atomic<std::uint64_t> won = 0;
  InParallel([&](std::uint64_t) {
    for (std::uint64_t i = 0; i < kRounds; ++i) {
      Changeset changes;
      changes.mark = samples::Mark(i);
      changes.history = {samples::History(i)};
      const auto done = ledger_->Commit(changes);
      EXPECT_TRUE(done.ok() || done.error().symbol == kEventKnown);
      if (done.ok()) ++won;
      EXPECT_TRUE(ledger_->FindEvent(samples::Party("mno-a"), changes.mark->id)->has_value());
    }
  });
  EXPECT_EQ(won, kRounds);
  EXPECT_EQ(ledger_->HistoryAfter(0, 10'000)->size(), kRounds);
}

TEST_P(LedgerConcurrency, AFollowerSeesEveryEntryInOrderWhileOthersCommit) {
  constexpr std::uint64_t kAll = kThreads * kRounds;
  std::uint64_t seen = 0;
  Seq after = 0;
  std::thread follower([&] {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    while (seen < kAll && std::chrono::steady_clock::now() < deadline) {
      const auto entries = *ledger_->OutboxAfter(Sink::kMqtt, after, 16, std::chrono::milliseconds(100));
      for (const auto& entry : entries) {
        EXPECT_GT(entry.seq, after);
        after = entry.seq;
        ++seen;
      }
      EXPECT_TRUE(ledger_->Advance(Sink::kMqtt, {after, ""}, seen % 2 == 0).ok());
    }
  });
  InParallel([&](std::uint64_t thread) {
    for (std::uint64_t i = 0; i < kRounds; ++i) {
      EXPECT_TRUE(ledger_->Commit(samples::Registration(thread * kRounds + i)).ok());
    }
  });
  follower.join();
  EXPECT_EQ(seen, kAll);
  EXPECT_EQ(ledger_->LoadSink(Sink::kMqtt)->cursor, kAll);
}

}  // namespace
}  // namespace registry::ledger
