// Several ledgers that commit to one database (bridge/ledger/postgres/members.h): one order, one chain, and each sees what
// the others did before it decides anything.
#include <gmock/gmock.h>

#include <atomic>
#include <future>
#include <random>
#include <thread>

#include "bridge/ledger/postgres/intake.h"
#include "bridge/ledger/postgres/kept.h"
#include "bridge/ledger/postgres/nodes.h"
#include "simulators/lab/probe.h"
#include "tests/unit/bridge/ledger/dump.h"
#include "tests/unit/bridge/ledger/shared_ledgers.h"

namespace registry::ledger {
namespace {

using domain::Changeset;
using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

constexpr milliseconds kNoWait{0};

class SharedLedgerTest : public testing::Test {
 protected:
  static Changeset Put(domain::Device device) {
    Changeset changes;
    const std::uint64_t version = device.version;
    changes.devices = {{std::move(device), version}};
    return changes;
  }
  static domain::Device Load(const Ledger& ledger, std::uint64_t number) {
    auto device = ledger.LoadDevice(samples::DeviceOf(number));
    EXPECT_TRUE(device.ok() && device->has_value()) << number;
    return device && *device ? std::move(**device) : domain::Device{};
  }
  std::string Told(const std::string& sql) {
    const auto said = test::SharedPostgres().Ask(sql);
    EXPECT_TRUE(said.ok()) << sql << ": " << said.error().message;
    return said ? said->substr(0, said->find('\n')) : "";
  }
  std::string schema() const { return PostgresOf(folder_).schema; }
  void ExpectSound() {
    const auto reader = OpenPostgresReader(PostgresOf(folder_));
    ASSERT_TRUE(reader.ok()) << reader.error().message;
    EXPECT_THAT(Verify(**reader)->faults, IsEmpty());
  }

  samples::Folder folder_;
  SharedLedgers all_{PostgresOf(folder_)};
  std::unique_ptr<Ledger> a_ = all_.Open(all_.Of("a")), b_ = SharedLedgers::Join(all_.Of("b")),
                          c_ = SharedLedgers::Join(all_.Of("c"));
};

TEST_F(SharedLedgerTest, CommitsOfSeveralAreOneOrderWithoutAGap) {
  const std::vector<Ledger*> nodes = {a_.get(), b_.get(), c_.get()};
  for (std::uint64_t i = 0; i < 12; ++i) {
    Changeset changes = samples::Registration(i);
    changes.notifications = {samples::Notification(i)};
    const auto done = nodes[i % 3]->Commit(std::move(changes));
    ASSERT_TRUE(done.ok()) << i << ": " << done.error().message;
  }
  for (Ledger* const node : nodes) {
    ASSERT_TRUE(node->CatchUp().ok());
    EXPECT_EQ(node->LoadFeed(samples::Party("asp-a"))->last, 12u);
    EXPECT_EQ(*node->OutboxLast(Sink::kMqtt), 24u);
    EXPECT_THAT(*node->OutboxAfter(Sink::kMqtt, 0, 100, kNoWait), SizeIs(24));
    EXPECT_THAT(*node->HistoryAfter(0, 100), SizeIs(12));
    EXPECT_THAT(Verify(*node)->faults, IsEmpty());
  }
}

TEST_F(SharedLedgerTest, WhatOneKnowsOfADeviceIsNotOlderThanWhatAnotherWrote) {
  ASSERT_TRUE(a_->Commit(samples::Registration(1)).ok());
  ASSERT_TRUE(b_->Commit(Put(Load(*b_, 1))).ok());
  EXPECT_EQ(Load(*a_, 1).version, 2u);
  domain::Device old = Load(*a_, 1);
  ASSERT_TRUE(c_->Commit(Put(Load(*c_, 1))).ok());
  EXPECT_EQ(SymbolOf(a_->Commit(Put(old))), kStale);
  ASSERT_TRUE(a_->Commit(Put(Load(*a_, 1))).ok());
  EXPECT_EQ(Load(*b_, 1).version, 4u);
  ExpectSound();
}

TEST_F(SharedLedgerTest, AnEventIsAdmittedByOneOfThem) {
  Changeset one, two;
  one.mark = two.mark = samples::Mark(1);
  ASSERT_TRUE(b_->Commit(one).ok());
  EXPECT_EQ(SymbolOf(a_->Commit(two)), kEventKnown);
  EXPECT_EQ(SymbolOf(c_->Commit(two)), kEventKnown);
  EXPECT_TRUE(a_->FindEvent(samples::Party("mno-a"), samples::Event("event-1"))->has_value());
}

TEST_F(SharedLedgerTest, AUniqueValueHasOneHolder) {
  Changeset one, two;
  const domain::UniqueValue eid{domain::UniqueKind::kEid, AsBytes(samples::EidOf(7).text())};
  one.claims = {{eid, samples::DeviceOf(1)}};
  two.claims = {{eid, samples::DeviceOf(2)}};
  ASSERT_TRUE(c_->Commit(one).ok());
  EXPECT_EQ(SymbolOf(b_->Commit(two)), kStale);
  EXPECT_EQ(**b_->FindUnique(eid), samples::DeviceOf(1));
  Changeset released;
  released.releases = {eid};
  ASSERT_TRUE(a_->Commit(released).ok());
  EXPECT_TRUE(b_->Commit(two).ok());
}

TEST_F(SharedLedgerTest, TheJobsOfAnMnoAreBoundedForAllOfThem) {
  const auto open_one = [](std::uint64_t number, std::size_t max) {
    Changeset changes;
    changes.jobs_put = {samples::SentJob(number)};
    changes.open_bounds = {{samples::Party("mno-a"), max}};
    return changes;
  };
  ASSERT_TRUE(b_->Commit(open_one(1, 2)).ok());
  ASSERT_TRUE(c_->Commit(open_one(2, 2)).ok());
  EXPECT_EQ(SymbolOf(a_->Commit(open_one(3, 2))), kStale);
  EXPECT_EQ(a_->LoadOf(samples::Party("mno-a"))->open, 2u);
  Changeset ends;
  ends.jobs_erase = {samples::JobOf(1)};
  ASSERT_TRUE(c_->Commit(ends).ok());
  EXPECT_TRUE(a_->Commit(open_one(3, 2)).ok());
}

TEST_F(SharedLedgerTest, AJobThatAMemberPutIsDueAtTheActiveOneWhichIsTold) {
  std::atomic<int> jobs = 0, orders = 0;
  a_->WhenOthersWrote([&](const Ledger::Others& others) {
    if (others.jobs) ++jobs;
    if (others.orders) ++orders;
  });
  Changeset changes;
  changes.jobs_put = {samples::SentJob(1)};
  ASSERT_TRUE(b_->Commit(changes).ok());
  EXPECT_TRUE(lab::WaitUntil([&] { return jobs > 0; }, seconds(60))) << "nobody asked for it";
  EXPECT_EQ(orders, 0);
  EXPECT_THAT(*a_->JobsDue({UtcTime{INT64_MAX - 1}}, 10), SizeIs(1));
  changes = {};
  changes.orders = {{samples::Order(1), 0}};
  ASSERT_TRUE(c_->Commit(changes).ok());
  EXPECT_TRUE(lab::WaitUntil([&] { return orders > 0; }, seconds(60)));
  EXPECT_TRUE(a_->LoadOrder(samples::OrderOf(1))->has_value());
}

TEST_F(SharedLedgerTest, AJobThatAnotherErasedDoesNotComeBack) {
  Changeset put, again, erased;
  put.jobs_put = again.jobs_put = {samples::SentJob(1)};
  erased.jobs_erase = {samples::JobOf(1)};
  ASSERT_TRUE(a_->Commit(put).ok());
  ASSERT_TRUE(b_->Commit(again).ok()) << "it is put off";
  ASSERT_TRUE(c_->Commit(erased).ok());
  EXPECT_EQ(SymbolOf(b_->Commit(again)), kStale);
  EXPECT_EQ(SymbolOf(c_->Commit(again)), kStale);
  Changeset replaced = again;
  replaced.jobs_erase = {samples::JobOf(1)};
  EXPECT_TRUE(a_->Commit(replaced).ok());
}

TEST_F(SharedLedgerTest, TheActiveOneWaitsForWhatOthersPutIntoTheOutbox) {
  auto entries = std::async(std::launch::async,
                            [this] { return a_->OutboxAfter(Sink::kMqtt, 0, 10, seconds(60))->size(); });
  ASSERT_TRUE(b_->Commit(samples::Registration(1)).ok());
  EXPECT_EQ(entries.get(), 1u);
  ASSERT_TRUE(a_->Advance(Sink::kMqtt, {1, ""}, false).ok());
  ASSERT_TRUE(c_->CatchUp().ok());
  EXPECT_EQ(c_->LoadSink(Sink::kMqtt)->cursor, 1u);
}

// Rivals on three nodes, with threads: which of them wins is open, and everything else is not.
TEST_F(SharedLedgerTest, RivalsOnSeveralNodesLeaveOneSoundLedger) {
  constexpr std::uint64_t kThreads = 2, kRounds = 40, kDevices = 6;
  const std::uint64_t seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  for (std::uint64_t i = 0; i < kDevices; ++i) ASSERT_TRUE(a_->Commit(samples::Registration(i)).ok());
  std::atomic<std::uint64_t> won = 0;
  std::vector<std::jthread> threads;
  const auto work = [&](Ledger& node, std::uint64_t of) {
    std::mt19937_64 random(seed + of);
    for (std::uint64_t i = 0; i < kRounds; ++i) {
      const std::uint64_t device = random() % kDevices;
      Changeset changes = Put(Load(node, device));
      const std::uint64_t number = kDevices + random() % (kRounds * 2);
      changes.mark = samples::Mark(number);
      changes.history = {samples::History(device)};
      changes.notifications = {samples::Notification(number)};
      const auto done = node.Commit(std::move(changes));
      EXPECT_TRUE(done.ok() || done.error().symbol == kStale || done.error().symbol == kEventKnown)
          << done.error().message;
      if (done) ++won;
    }
  };
  for (std::uint64_t thread = 0; thread < kThreads; ++thread) {
    std::uint64_t of = 3 * thread;
    for (Ledger* const node : {a_.get(), b_.get(), c_.get()})
      threads.emplace_back([&work, node, number = of++] { work(*node, number); });
  }
  threads.clear();
  EXPECT_GT(won, 0u);
  std::string contents;
  for (Ledger* const node : {a_.get(), b_.get(), c_.get()}) {
    ASSERT_TRUE(node->CatchUp().ok());
    EXPECT_EQ(node->LoadFeed(samples::Party("asp-a"))->last, won);
    std::uint64_t versions = 0;
    for (std::uint64_t i = 0; i < kDevices; ++i) versions += Load(*node, i).version;
    EXPECT_EQ(versions, kDevices + won);
    const std::string dump = Dump(*node, {"asp-a", "mno-a"}, kDevices);
    EXPECT_TRUE(contents.empty() || contents == dump);
    contents = dump;
  }
  ExpectSound();
  b_.reset();
  c_.reset();
  a_.reset();
  EXPECT_EQ(Dump(*Opened(OpenPostgresLedger(PostgresOf(folder_))), {"asp-a", "mno-a"}, kDevices), contents)
      << "what each had in memory is what is there";
}

TEST_F(SharedLedgerTest, WhoJoinsWhileOthersCommitHasWhatTheyHave) {
  std::atomic<bool> stops{false};
  std::atomic<std::uint64_t> count{0};
  std::jthread commits([&] {
    for (std::uint64_t i = 0; !stops; ++i) {
      Changeset changes = samples::Registration(i);
      changes.notifications = {samples::Notification(i)};
      EXPECT_TRUE((i % 2 == 0 ? a_ : b_)->Commit(std::move(changes)).ok());
      ++count;
    }
  });
  std::vector<std::unique_ptr<Ledger>> joined;
  for (std::uint64_t i = 0; i < 4; ++i) {
    joined.push_back(SharedLedgers::Join(all_.Of("d")));
    const std::uint64_t until = count + 10;
    EXPECT_TRUE(lab::WaitUntil([&] { return count >= until; }, seconds(120)));
  }
  stops = true;
  commits.join();
  ASSERT_TRUE(a_->CatchUp().ok());
  const std::string expected = Dump(*a_, {"asp-a", "mno-a"}, 5);
  for (const auto& node : joined) {
    ASSERT_TRUE(node->CatchUp().ok());
    EXPECT_EQ(node->LoadFeed(samples::Party("asp-a"))->last, count);
    EXPECT_EQ(Dump(*node, {"asp-a", "mno-a"}, 5), expected);
  }
}

}  // namespace
}  // namespace registry::ledger
