// The mark of a ledger in PostgreSQL: a database that lacks what was acknowledged, or is another one, is not opened, until a
// person says so.
#include <gmock/gmock.h>

#include <filesystem>
#include <fstream>

#include "bridge/ledger/postgres/step.h"
#include "tests/unit/bridge/ledger/backends.h"

namespace registry::ledger {
namespace {

using testing::HasSubstr;

class PostgresMarkTest : public testing::Test {
 protected:
  void SetUp() override {
    std::filesystem::create_directories(folder_.path());
    options_ = PostgresOf(folder_);
    options_.mark_file = folder_.path("ledger-mark");
    ASSERT_TRUE(MigratePostgresLedger(options_).ok());
    const auto ledger = Opened(OpenPostgresLedger(options_));
    for (std::uint64_t i = 1; i <= 3; ++i) ASSERT_TRUE(ledger->Commit(samples::Registration(i)).ok());
  }
  static void Tell(const std::string& sql) {
    const auto done = test::SharedPostgres().Ask(sql);
    ASSERT_TRUE(done.ok()) << done.error().message;
  }
  // What a start would say; empty: it would start.
  std::string Refusal() {
    const auto opened = OpenPostgresLedger(options_);
    if (opened) return {};
    EXPECT_EQ(opened.error().symbol, kLedgerDamaged);
    return opened.error().message;
  }

  samples::Folder folder_;
  PostgresOptions options_;
};

TEST_F(PostgresMarkTest, WhatIsAsItWasLeftIsOpenedAgain) {
  EXPECT_EQ(Refusal(), "");
  EXPECT_THAT(*AdoptPostgresLedger(options_, false), HasSubstr("has its mark"));
  EXPECT_EQ(Refusal(), "");
}

TEST_F(PostgresMarkTest, ADatabaseThatWasSetBackIsRefusedUntilItsNumbersAreStepped) {
  Tell("UPDATE " + options_.schema + ".writer SET number = number - 2");
  EXPECT_THAT(Refusal(), HasSubstr("has lost what it acknowledged: transactions "));
  EXPECT_THAT(Refusal(), HasSubstr(options_.mark_file));
  EXPECT_NE(Refusal(), "") << "it is remembered";
  ASSERT_TRUE(StepPostgresNumbers(options_).ok());
  EXPECT_NE(Refusal(), "") << "not all is stepped";
  ASSERT_TRUE(PassPostgresMarks(options_).ok());
  EXPECT_EQ(Refusal(), "");
}

// The registry that had the ledger found the loss, and knew more than this machine's mark does.
TEST_F(PostgresMarkTest, WhatAnotherNodeKnewIsGivenUpByAPersonToo) {
  Tell("UPDATE " + options_.schema + ".writer SET acked = number + 3");
  EXPECT_THAT(Refusal(), HasSubstr("as the registry said that had it"));
  EXPECT_FALSE(AdoptPostgresLedger(options_, false).ok());
  EXPECT_NE(Refusal(), "");
  const auto adopted = AdoptPostgresLedger(options_, true);
  ASSERT_TRUE(adopted.ok()) << adopted.error().message;
  EXPECT_THAT(*adopted, HasSubstr("given up: it has lost what it acknowledged"));
  EXPECT_EQ(Refusal(), "");
}

TEST_F(PostgresMarkTest, AnEmptyLedgerInPlaceOfTheOneThatWasThereIsRefused) {
  Tell("DROP SCHEMA " + options_.schema + " CASCADE");
  ASSERT_TRUE(MigratePostgresLedger(options_).ok());
  EXPECT_THAT(Refusal(), HasSubstr("is another ledger"));
  const auto refused = AdoptPostgresLedger(options_, false);
  ASSERT_FALSE(refused.ok());
  EXPECT_THAT(refused.error().message, HasSubstr("--accept-loss"));
  const auto adopted = AdoptPostgresLedger(options_, true);
  ASSERT_TRUE(adopted.ok()) << adopted.error().message;
  EXPECT_THAT(*adopted, HasSubstr("given up: it is another ledger"));
  EXPECT_EQ(Refusal(), "");
}

TEST_F(PostgresMarkTest, AMarkThatCannotBeReadIsNoMark) {
  std::ofstream(options_.mark_file) << "torn";
  EXPECT_THAT(Refusal(), HasSubstr("is not what was written"));
  EXPECT_FALSE(AdoptPostgresLedger(options_, false).ok());
  EXPECT_TRUE(AdoptPostgresLedger(options_, true).ok());
  EXPECT_EQ(Refusal(), "");
}

TEST_F(PostgresMarkTest, AMarkThatCannotBeWrittenIsSaidAtTheStart) {
  options_.mark_file = folder_.path("none/ledger-mark");
  const auto opened = OpenPostgresLedger(options_);
  ASSERT_FALSE(opened.ok());
  EXPECT_EQ(opened.error().symbol, kLedgerFailed);
  EXPECT_THAT(opened.error().message, HasSubstr("none/ledger-mark: No such file"));
}

}  // namespace
}  // namespace registry::ledger
