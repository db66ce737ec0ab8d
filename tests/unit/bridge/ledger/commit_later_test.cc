// CommitLater: many under way at once, each answered once, in the order of the commits, behind what readers see.
#include <gmock/gmock.h>

#include <thread>

#include "bridge/ledger/answer.h"
#include "tests/unit/bridge/ledger/backends.h"

namespace registry::ledger {
namespace {

using domain::Changeset;

// What `done` was called with, in the order of the calls; no lock, for the port calls one at a time.
struct Told {
  std::vector<std::uint64_t> order;
  std::vector<std::string> symbols;
  void Add(std::uint64_t number, const Status& status) {
    order.push_back(number);
    symbols.push_back(status.ok() ? "" : status.error().symbol);
  }
};

class CommitLater : public EveryBackend {
 protected:
  void Later(std::uint64_t number, Changeset changes, Told& told) {
    ledger_->CommitLater(std::move(changes),
                         [&told, number](const Status& status) { told.Add(number, status); });
  }
  // What was handed over before is answered then.
  void WaitForAll() { EXPECT_TRUE(ledger_->Commit({}).ok()); }
};
INSTANTIATE_TEST_SUITE_P(Backends, CommitLater, kEveryBackendAndMember, BackendName);

std::vector<std::uint64_t> UpTo(std::uint64_t count) {
  std::vector<std::uint64_t> numbers(count);
  for (std::uint64_t i = 0; i < count; ++i) numbers[i] = i;
  return numbers;
}

TEST_P(CommitLater, AnswersInTheOrderOfTheCommits) {
  constexpr std::uint64_t kMany = 1000;
  Told told;
  for (std::uint64_t i = 0; i < kMany; ++i) Later(i, samples::Registration(i), told);
  WaitForAll();
  EXPECT_EQ(told.order, UpTo(kMany));
  EXPECT_THAT(told.symbols, testing::Each(""));
  const auto history = *ledger_->HistoryAfter(0, kMany);
  ASSERT_EQ(history.size(), kMany);
  for (std::uint64_t i = 0; i < kMany; ++i) EXPECT_EQ(history[i].entry.device, samples::DeviceOf(i));
  EXPECT_THAT(Verify(*ledger_)->faults, testing::IsEmpty());
}

TEST_P(CommitLater, SeesWhatWasHandedOverBefore) {
  Told told;
  Changeset again = samples::Registration(1);
  Changeset next;
  next.devices = {{samples::FullDevice(1), 1}};
  Changeset stale = next;
  Later(0, samples::Registration(1), told);
  Later(1, std::move(again), told);
  Later(2, std::move(next), told);
  Later(3, std::move(stale), told);
  WaitForAll();
  EXPECT_THAT(told.symbols, testing::ElementsAre("", kEventKnown, "", kStale));
  EXPECT_EQ((*ledger_->LoadDevice(samples::DeviceOf(1)))->version, 2u);
}

TEST_P(CommitLater, ReadersSeeItWhenItIsAnswered) {
  Answer seen;
  ledger_->CommitLater(samples::Registration(1), [&](const Status& status) {
    const bool there = ledger_->LoadDevice(samples::DeviceOf(1))->has_value();
    seen.Give(status && there ? Status(Done{}) : Status(Error::Make(Code::kFailed, "not_seen", "")));
  });
  EXPECT_TRUE(seen.Wait().ok());
}

// Nothing may have to be committed for that: what `done` holds may be what others wait for.
TEST_P(CommitLater, LetsGoOfWhatItCalledThoughNothingFollows) {
  auto held = std::make_shared<int>(0);
  const std::weak_ptr<int> watched = held;
  ledger_->CommitLater(samples::Registration(1),
                       [held = std::move(held)](const Status& status) { EXPECT_TRUE(status.ok()); });
  const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (!watched.expired() && std::chrono::steady_clock::now() < until) std::this_thread::yield();
  EXPECT_TRUE(watched.expired());
}

TEST_P(CommitLater, WhatWasHandedOverIsAnsweredBeforeTheLedgerEnds) {
  Told told;
  for (std::uint64_t i = 0; i < 300; ++i) Later(i, samples::Registration(i), told);
  ledger_.reset();
  EXPECT_EQ(told.order, UpTo(300));
}

TEST_P(CommitLater, EveryOneOfManyThreadsIsAnsweredInItsOwnOrder) {
  constexpr std::uint64_t kThreads = 8, kEach = 100;
  Told told;
  std::vector<std::thread> threads;
  for (std::uint64_t thread = 0; thread < kThreads; ++thread) {
    threads.emplace_back([&, thread] {
      for (std::uint64_t i = 0; i < kEach; ++i)
        Later(thread * kEach + i, samples::Registration(thread * kEach + i), told);
    });
  }
  for (auto& thread : threads) thread.join();
  WaitForAll();
  ASSERT_EQ(told.order.size(), kThreads * kEach);
  std::vector<std::uint64_t> next(kThreads, 0);
  for (const auto number : told.order) EXPECT_EQ(number % kEach, next[number / kEach]++);
  const auto history = *ledger_->HistoryAfter(0, kThreads * kEach);
  for (std::size_t i = 0; i < history.size(); ++i)
    EXPECT_EQ(history[i].entry.device, samples::DeviceOf(told.order[i]));
}

// At the bound it waits for room, and loses nothing.
TEST(CommitLaterOfRocksDb, WaitsForRoomAtItsBound) {
  const samples::Folder folder;
  ASSERT_TRUE(CreateRocksDbLedger(folder.path()).ok());
  RocksDbOptions options;
  options.folder = folder.path();
  options.waiting_commits_max = 2;
  options.batch_max = 1;
  const auto ledger = OpenRocksDbLedger(options);
  ASSERT_TRUE(ledger) << ledger.error().message;
  Told told;
  for (std::uint64_t i = 0; i < 50; ++i) {
    (*ledger)->CommitLater(samples::Registration(i),
                           [&told, i](const Status& status) { told.Add(i, status); });
  }
  EXPECT_TRUE((*ledger)->Commit({}).ok());
  EXPECT_EQ(told.order, UpTo(50));
  EXPECT_EQ((*ledger)->changesets(), 50u);
}

}  // namespace
}  // namespace registry::ledger
