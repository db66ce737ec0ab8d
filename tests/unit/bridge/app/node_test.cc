// What a node may do with a lease that is fresh, ageing or over.
#include "bridge/app/node.h"

#include <gtest/gtest.h>

namespace registry::app {
namespace {

using namespace std::chrono_literals;
using ledger::Lease;

class NodeTest : public testing::Test {
 protected:
  static LedgerConfig Several() {
    LedgerConfig config;
    config.in_postgres = config.standby = true;
    config.node = "a";
    return config;
  }
  void SetUp() override { node_.Complete(options_); }
  void ProvedBefore(Lease::Span ago) { options_.node.lease->Proved(Lease::Now() - ago); }

  ledger::PostgresOptions options_;
  Node node_{Several(), "1.2", true, {}};
};

TEST_F(NodeTest, TheOnlyOneMayEverything) {
  Node alone{LedgerConfig{}, "1.2", false, {}};
  EXPECT_FALSE(alone.one_of_several());
  EXPECT_TRUE(alone.MayConnect([] { ADD_FAILURE() << "nothing is to be proved"; }));
  EXPECT_TRUE(alone.MayStay());
  EXPECT_EQ(alone.BeatsEvery(), 2s);
  ledger::PostgresOptions options;
  alone.Complete(options);
  EXPECT_EQ(options.node.lease, nullptr) << "and keeps the ledger with its connection";
}

TEST_F(NodeTest, ItBeatsFourTimesInALeaseAndSaysWhoItIs) {
  EXPECT_EQ(node_.BeatsEvery(), 2s);
  LedgerConfig shorter = Several();
  shorter.lease_seconds = 3;
  EXPECT_EQ(Node(shorter, "", false, {}).BeatsEvery(), 750ms);
  EXPECT_EQ(options_.node.name, "a");
  EXPECT_EQ(options_.node.lease->lasts(), 8s);
  EXPECT_EQ(node_.sample().take_overs, 1u);
}

// However fresh the lease is: the sessions may have been taken away by another node since.
TEST_F(NodeTest, ItConnectsOnlyAfterAProofThatWasBegunSinceItWasAsked) {
  ProvedBefore(0s);
  int beats = 0;
  const auto beat = [&] { ++beats; };
  EXPECT_FALSE(node_.MayConnect(beat));
  EXPECT_FALSE(node_.MayConnect(beat));
  EXPECT_EQ(beats, 1);
  ProvedBefore(0s);
  EXPECT_TRUE(node_.MayConnect(beat));
  EXPECT_FALSE(node_.MayConnect(beat)) << "the next time it is asked anew";
  EXPECT_EQ(beats, 2);
}

TEST_F(NodeTest, ItLeavesTheBrokerBeforeTheLeaseIsOver) {
  ProvedBefore(3s);
  EXPECT_TRUE(node_.MayStay());
  ledger::PostgresOptions other;
  Node ageing{Several(), "1.2", false, {}};
  ageing.Complete(other);
  other.node.lease->Proved(Lease::Now() - 5s);
  EXPECT_FALSE(ageing.MayStay());
}

class BrokerTest : public NodeTest {
 protected:
  // After so many seconds, each with a look; -1: not within two minutes.
  int GivesWayAfter() {
    for (int i = 0; i < 120; ++i, now_ += 1s) {
      node_.Watch(
          connected_, [this] { return reached_; }, now_);
      if (node_.gives_way()) return i;
    }
    return -1;
  }
  bool connected_ = true, reached_ = true;
  Node::Steady now_{1000s};
};

TEST_F(BrokerTest, ItKeepsTheLedgerWhileItHasABrokerOrNobodyElseHas) {
  EXPECT_EQ(GivesWayAfter(), -1);
  connected_ = reached_ = false;
  EXPECT_EQ(GivesWayAfter(), -1);
}

TEST_F(BrokerTest, ItGivesWayToOneThatReachesTheBrokerForHalfALease) {
  node_.Watch(
      true, [] { return false; }, now_);
  connected_ = false;
  EXPECT_EQ(GivesWayAfter(), 12);
}

// The broker was away and comes back: whoever stands by may see it first.
TEST_F(BrokerTest, ABrokerThatIsBackIsReachedByBothSoon) {
  node_.Watch(
      true, [] { return false; }, now_);
  connected_ = reached_ = false;
  for (int i = 0; i < 20; ++i, now_ += 1s)
    node_.Watch(
        false, [] { return false; }, now_);
  for (int i = 0; i < 3; ++i, now_ += 1s)
    node_.Watch(
        false, [] { return true; }, now_);
  EXPECT_FALSE(node_.gives_way());
  connected_ = reached_ = true;
  EXPECT_EQ(GivesWayAfter(), -1);
}

TEST_F(BrokerTest, OneThatNeverHadABrokerHasAMinute) {
  connected_ = false;
  EXPECT_EQ(GivesWayAfter(), 64);
}

TEST_F(NodeTest, HowTheLedgerEndsIsToldByWhoeverHoldsIt) {
  EXPECT_EQ(node_.ledger_end(), LedgerEnd::kFailed);
  options_.when_taken_over();
  EXPECT_EQ(node_.ledger_end(), LedgerEnd::kTakenOver);
  options_.when_not_as_left();
  EXPECT_EQ(node_.ledger_end(), LedgerEnd::kNotAsLeft);
}

}  // namespace
}  // namespace registry::app
