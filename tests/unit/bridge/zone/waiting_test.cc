// The changes between two versions: each is read once, and none is lost when a version cannot be made.
#include "bridge/zone/waiting.h"

#include <gtest/gtest.h>

#include "bridge/ledger/ledger.h"

namespace registry::zone {
namespace {

using std::chrono::milliseconds;

class WaitingTest : public ::testing::Test {
 protected:
  void Commit(std::uint64_t revision, bool published) {
    domain::Changeset changeset;
    domain::ZoneChange change{*DeviceId::Parse("b47ab6a4-6d05-4bd6-9a67-3a4a3e5ad9f1"), revision, {}, ""};
    if (published) change.tlsa.push_back({3, 0, 1, Bytes(32)});
    changeset.zone.push_back(std::move(change));
    ASSERT_TRUE(ledger_->Commit(std::move(changeset)).ok());
  }
  std::vector<std::uint64_t> Revisions(const Batch& batch) {
    std::vector<std::uint64_t> revisions;
    for (const auto& change : *batch.changes) revisions.push_back(change.revision);
    return revisions;
  }

  std::unique_ptr<ledger::Ledger> ledger_ = ledger::OpenMemoryLedger();
};

TEST_F(WaitingTest, WhatComesIsGatheredUntilItIsTaken) {
  Waiting waiting(*ledger_, 10);
  ASSERT_TRUE(waiting.Read(milliseconds(0)).ok());
  EXPECT_TRUE(waiting.empty());
  Commit(1, true);
  ASSERT_TRUE(waiting.Read(milliseconds(0)).ok());
  Commit(2, true);
  ASSERT_TRUE(waiting.Read(milliseconds(0)).ok());
  EXPECT_EQ(Revisions(waiting.batch()), (std::vector<std::uint64_t>{1, 2}));
  const ledger::Seq last = waiting.batch().last;
  const Batch taken = waiting.Take();
  EXPECT_EQ(Revisions(taken), (std::vector<std::uint64_t>{1, 2}));
  EXPECT_EQ(taken.last, last);
  EXPECT_TRUE(waiting.empty());
  EXPECT_EQ(waiting.batch().after, last);
  Commit(3, true);
  ASSERT_TRUE(waiting.Read(milliseconds(0)).ok());
  EXPECT_EQ(Revisions(waiting.batch()), (std::vector<std::uint64_t>{3}));
}

TEST_F(WaitingTest, MoreThanTheBoundStaysInTheLedger) {
  Waiting waiting(*ledger_, 2);
  for (std::uint64_t revision = 1; revision <= 3; ++revision) Commit(revision, true);
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(waiting.Read(milliseconds(0)).ok());
  EXPECT_EQ(Revisions(waiting.Take()), (std::vector<std::uint64_t>{1, 2}));
  ASSERT_TRUE(waiting.Read(milliseconds(0)).ok());
  EXPECT_EQ(Revisions(waiting.Take()), (std::vector<std::uint64_t>{3}));
}

TEST_F(WaitingTest, RevocationIsSeenUntilItIsTaken) {
  Waiting waiting(*ledger_, 10);
  Commit(1, true);
  ASSERT_TRUE(waiting.Read(milliseconds(0)).ok());
  EXPECT_FALSE(waiting.revokes());
  Commit(2, false);
  Commit(3, true);
  ASSERT_TRUE(waiting.Read(milliseconds(0)).ok());
  EXPECT_TRUE(waiting.revokes());
  (void)waiting.Take();
  EXPECT_FALSE(waiting.revokes());
}

}  // namespace
}  // namespace registry::zone
