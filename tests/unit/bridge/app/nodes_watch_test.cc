// Who shows the nodes on a ledger in PostgreSQL is answered at once, whatever the ledger's server does.
#include "bridge/app/nodes_watch.h"

#include <gmock/gmock.h>

#include "simulators/lab/probe.h"
#include "tests/support/test_postgres.h"

namespace registry::app {
namespace {

using lab::WaitUntil;
using testing::HasSubstr;

constexpr std::chrono::seconds kPatience{60};

class NodesWatchTest : public testing::Test {
 protected:
  void SetUp() override {
    options_ = test::PostgresOptionsFor(test::SharedPostgres(), "watched");
    ASSERT_TRUE(ledger::MigratePostgresLedger(options_).ok());
    options_.node = {"a", "1.2", nullptr};
    watched_ = options_;
    watched_.connection += " connect_timeout=2";
    watched_.answer_within = std::chrono::milliseconds(500);
    auto ledger = ledger::OpenPostgresLedger(options_);
    ASSERT_TRUE(ledger.ok()) << ledger.error().message;
    ledger_ = std::move(*ledger);
  }
  void TearDown() override { test::SharedPostgres().Resume(); }  // `ledger_` ends with it
  static bool Answered(const NodesWatch& watch) {
    return WaitUntil([&] { return watch.seen().nodes && watch.seen().trouble.empty(); }, kPatience);
  }
  ledger::PostgresOptions options_, watched_;
  std::unique_ptr<ledger::Ledger> ledger_;
};

TEST_F(NodesWatchTest, AServerThatHangsIsSaidAndWhatItSaidLastStays) {
  const NodesWatch watch(watched_);
  ASSERT_TRUE(Answered(watch));
  EXPECT_EQ(watch.seen().nodes->lease.node, "a");
  test::SharedPostgres().Pause();
  EXPECT_TRUE(WaitUntil([&] { return !watch.seen().trouble.empty(); }, kPatience));
  const NodesLook look = watch.seen();
  ASSERT_TRUE(look.nodes);
  EXPECT_EQ(look.nodes->lease.node, "a");
  EXPECT_GT(look.ago.count(), 0);
  EXPECT_THAT(look.trouble, HasSubstr("looking at the nodes"));
  test::SharedPostgres().Resume();
  EXPECT_TRUE(Answered(watch)) << watch.seen().trouble;
}

TEST_F(NodesWatchTest, ItEndsWhileTheServerHangs) {
  auto watch = std::make_unique<NodesWatch>(watched_);
  ASSERT_TRUE(Answered(*watch));
  test::SharedPostgres().Pause();
  EXPECT_TRUE(WaitUntil([&] { return !watch->seen().trouble.empty(); }, kPatience)) << "it asks it again";
  watch.reset();  // or the test never ends
}

}  // namespace
}  // namespace registry::app
