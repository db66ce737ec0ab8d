// Several registries on one ledger in PostgreSQL: who has it, who waits for it, when it changes hands, and that who lost it
// writes nothing more.
#include "bridge/ledger/postgres/nodes.h"

#include <gmock/gmock.h>

#include "bridge/ledger/postgres/schema.h"
#include "bridge/ledger/postgres/step.h"
#include "simulators/lab/probe.h"
#include "tests/unit/bridge/ledger/backends.h"

namespace registry::ledger {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::HasSubstr;
using testing::IsEmpty;
using Found = PostgresStandby::Found;

constexpr milliseconds kLasts{1200}, kLook{200};

class NodesTest : public testing::Test {
 protected:
  void SetUp() override { ASSERT_TRUE(MigratePostgresLedger(Of("a")).ok()); }
  PostgresOptions Of(const std::string& name) {
    PostgresOptions options = PostgresOf(folder_);
    options.node = {name, "1.2", std::make_shared<Lease>(kLasts)};
    options.lock_within = milliseconds(2000);
    return options;
  }
  std::string Told(const std::string& sql) {
    const auto said = test::SharedPostgres().Ask(sql);
    EXPECT_TRUE(said.ok()) << sql << ": " << said.error().message;
    return said ? said->substr(0, said->find('\n')) : "";
  }
  NodesSeen Nodes() {
    auto seen = NodesOfPostgres(PostgresOf(folder_));
    EXPECT_TRUE(seen.ok()) << seen.error().message;
    return seen ? std::move(*seen) : NodesSeen{};
  }
  // Looks until something else than kHeld is found; kHeld: not for as long as `within`.
  static Found LookFor(PostgresStandby& standby, milliseconds within, bool reaches_broker = true) {
    Found found = Found::kHeld;
    lab::WaitUntil(
        [&] {
          found = standby.Look(reaches_broker);
          return found != Found::kHeld;
        },
        within);
    return found;
  }
  void SaysNow(const std::string& name) {
    Told("UPDATE " + Of(name).schema + ".standby SET said = now() WHERE name = '" + name + "'");
  }
  // To 'c', which goes on to say that it waits.
  bool IsLeft(PostgresStandby& standby) {
    return lab::WaitUntil(
        [&] {
          SaysNow("c");
          return standby.Look(false) == Found::kLeft;
        },
        seconds(60));
  }
  samples::Folder folder_;
};

TEST_F(NodesTest, TheLedgerSaysWhoHasItAndWhoWaits) {
  const auto options = Of("a");
  const Lease::Span before = Lease::Now();
  const auto ledger = Opened(OpenPostgresLedger(options));
  PostgresStandby standby(Of("b"));
  EXPECT_EQ(standby.Look(true), Found::kHeld);
  EXPECT_EQ(standby.seen().node, "a");
  const NodesSeen seen = Nodes();
  EXPECT_EQ(seen.lease.node, "a");
  EXPECT_EQ(seen.lease.version, "1.2");
  EXPECT_EQ(seen.lease.lasts, kLasts);
  EXPECT_NE(seen.lease.process, 0);
  EXPECT_LE(seen.lease.since, seen.lease.now);
  EXPECT_LE(seen.lease.since, seen.lease.said);
  ASSERT_EQ(seen.standing_by.size(), 1u);
  EXPECT_EQ(seen.standing_by[0].name, "b");
  EXPECT_TRUE(seen.standing_by[0].reaches_broker);
  EXPECT_GE(options.node.lease->proved(), before) << "the opening proves it";
}

TEST_F(NodesTest, WhoWaitsIsForgottenWhenItEndsOrHasTheLedger) {
  auto ledger = Opened(OpenPostgresLedger(Of("a")));
  {
    PostgresStandby ends(Of("c"));
    EXPECT_EQ(ends.Look(false), Found::kHeld);
    EXPECT_EQ(Nodes().standing_by.size(), 1u);
  }
  EXPECT_EQ(Nodes().standing_by.size(), 0u);
  PostgresStandby standby(Of("b"));
  EXPECT_EQ(standby.Look(false), Found::kHeld);
  ledger.reset();
  EXPECT_EQ(LookFor(standby, seconds(20)), Found::kFree);
  EXPECT_FALSE(standby.ended_one());
  ledger = Opened(OpenPostgresLedger(Of("b")));
  EXPECT_EQ(Nodes().lease.node, "b");
  EXPECT_EQ(Nodes().standing_by.size(), 0u);
}

TEST_F(NodesTest, AHolderThatWritesKeepsItAndOneThatStopsLosesItForGood) {
  auto options = Of("a");
  int taken_over = 0, not_as_left = 0;
  options.when_taken_over = [&] { ++taken_over; };
  options.when_not_as_left = [&] { ++not_as_left; };
  const auto first = Opened(OpenPostgresLedger(options));
  PostgresStandby standby(Of("b"));
  for (std::uint64_t i = 0; i < 12; ++i) {
    ASSERT_TRUE(first->Commit(samples::Registration(i)).ok());
    ASSERT_EQ(LookFor(standby, kLook), Found::kHeld) << "twice the lease, and it wrote";
  }
  const Lease::Span proved = options.node.lease->proved();
  ASSERT_EQ(LookFor(standby, seconds(20)), Found::kFree);
  EXPECT_TRUE(standby.ended_one());
  EXPECT_EQ(options.node.lease->state(), Lease::State::kOver) << "its holder knew before";
  const auto second = Opened(OpenPostgresLedger(Of("b")));
  ASSERT_NE(second, nullptr);
  EXPECT_FALSE(first->Commit(samples::Registration(50)).ok());
  EXPECT_EQ(taken_over, 1);
  EXPECT_EQ(not_as_left, 0);
  EXPECT_EQ(options.node.lease->proved(), proved) << "what failed proves nothing";
  EXPECT_TRUE(second->Commit(samples::Registration(51)).ok());
  EXPECT_FALSE(second->LoadDevice(samples::DeviceOf(50))->has_value());
  EXPECT_THAT(Verify(*second)->faults, IsEmpty());
}

// It would have to give the ledger up again, and with three nodes the wrong one might be the faster one each time.
TEST_F(NodesTest, WhoDoesNotReachTheBrokerLeavesTheLedgerToOneThatDoes) {
  auto ledger = Opened(OpenPostgresLedger(Of("a")));
  PostgresStandby without(Of("b"));
  {
    PostgresStandby reaches(Of("c"));
    EXPECT_EQ(without.Look(false), Found::kHeld);
    EXPECT_EQ(reaches.Look(true), Found::kHeld);
    ledger.reset();
    EXPECT_TRUE(IsLeft(without));
    EXPECT_EQ(LookFor(reaches, seconds(20)), Found::kFree);
  }
  EXPECT_TRUE(IsLeft(without)) << "'c' is on its way to take it";
  ledger = Opened(OpenPostgresLedger(Of("c")));
  EXPECT_EQ(LookFor(without, kLook, false), Found::kHeld);
  // One that has said nothing lately is not waited for, nor one that does not reach the broker either.
  const std::string standby = Of("d").schema + ".standby";
  Told(
      "INSERT INTO " + standby +
      " (name, version, tables, reaches_broker, said) VALUES ('d', '1.2', 3, true, now() - interval '11 s'), "
      "('e', '1.2', 3, false, now())");
  ledger.reset();
  EXPECT_EQ(LookFor(without, seconds(20), false), Found::kFree);
}

TEST_F(NodesTest, WhoReachesTheBrokerAndNeverTakesTheLedgerIsNotWaitedForForever) {
  auto ledger = Opened(OpenPostgresLedger(Of("a")));
  PostgresStandby without(Of("b")), reaches(Of("c"));
  EXPECT_EQ(without.Look(false), Found::kHeld);
  EXPECT_EQ(reaches.Look(true), Found::kHeld);
  ledger.reset();
  EXPECT_TRUE(IsLeft(without));
  const auto takes_it = [&] {
    SaysNow("c");
    return without.Look(false) == Found::kFree;
  };
  EXPECT_TRUE(lab::WaitUntil(takes_it, kLeftWithin + seconds(60)));
}

TEST_F(NodesTest, AHolderThatSaidNoLeaseIsNotEnded) {
  auto options = Of("");
  options.node.lease = nullptr;
  const auto ledger = Opened(OpenPostgresLedger(options));
  ASSERT_TRUE(ledger->Commit(samples::Registration(1)).ok());
  PostgresStandby standby(Of("b"));
  EXPECT_EQ(LookFor(standby, kLasts * 3), Found::kHeld);
  EXPECT_TRUE(ledger->Commit(samples::Registration(2)).ok());
}

// A standby of PostgreSQL that lagged was promoted: what the one that had the ledger knows is known to the other one, too.
TEST_F(NodesTest, WhoWaitsTakesNoLedgerThatLostWhatWasAcknowledged) {
  auto of_b = Of("b");
  of_b.mark_file = folder_.path("mark-of-b");
  {
    const auto ledger = Opened(OpenPostgresLedger(Of("a")));
    for (const int n : {1, 2, 3}) ASSERT_TRUE(ledger->Commit(samples::Registration(n)).ok());
    PostgresStandby standby(of_b);
    EXPECT_EQ(standby.Look(true), Found::kHeld) << standby.why();
  }
  Told("UPDATE " + of_b.schema + ".writer SET number = number - 2, acked = acked - 2");
  PostgresStandby standby(of_b);
  EXPECT_EQ(standby.Look(true), Found::kAway);
  EXPECT_THAT(standby.why(), HasSubstr("has lost what it acknowledged"));
  const auto refused = OpenPostgresLedger(of_b);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().symbol, kLedgerDamaged);

  // A person has stepped it on at another node, and no mark is in the way.
  ASSERT_TRUE(StepPostgresNumbers(PostgresOf(folder_)).ok());
  EXPECT_FALSE(OpenPostgresLedger(of_b).ok()) << "it is stepped by half: the serial comes after that";
  ASSERT_TRUE(PassPostgresMarks(PostgresOf(folder_)).ok());
  PostgresStandby again(of_b);
  EXPECT_EQ(again.Look(true), Found::kFree) << again.why();
  EXPECT_NE(Opened(OpenPostgresLedger(of_b)), nullptr);
}

TEST_F(NodesTest, WhoWaitsSaysWhatIsTheMatterWithTheLedger) {
  Told("DELETE FROM " + PostgresOf(folder_).schema + ".meta");
  PostgresStandby standby(Of("b"));
  EXPECT_EQ(standby.Look(true), Found::kAway);
  EXPECT_THAT(standby.why(), HasSubstr("has no version"));
}

// The tables as version 1 made them, with a device in them.
TEST_F(NodesTest, MigrateRaisesTheTablesOfTheEarlierRelease) {
  const auto options = PostgresOf(folder_);
  ASSERT_TRUE(Opened(OpenPostgresLedger(options))->Commit(samples::Registration(1)).ok());
  const std::string schema = options.schema, number = Told("SELECT number FROM " + schema + ".writer");
  Told("DROP TABLE " + schema + ".standby, " + schema + ".member, " + schema + ".changes");
  Told("ALTER TABLE " + schema +
       ".writer DROP began, DROP lease_ms, DROP node, DROP version, DROP since, DROP said, DROP shared, "
       "DROP beats");
  Told("UPDATE " + schema + ".meta SET record = '\\x0000000000000001' WHERE key = 'schema'");
  const auto refused = OpenPostgresLedger(options);
  ASSERT_FALSE(refused.ok());
  EXPECT_THAT(refused.error().message, HasSubstr("registryctl ledger migrate"));
  const auto raised = MigratePostgresLedger(options);
  ASSERT_TRUE(raised.ok()) << raised.error().message;
  EXPECT_THAT(*raised, HasSubstr("were brought from version 1 to 4"));
  EXPECT_THAT(*MigratePostgresLedger(options), HasSubstr("nothing was done"));
  const auto ledger = Opened(OpenPostgresLedger(Of("a")));
  ASSERT_NE(ledger, nullptr);
  EXPECT_TRUE(ledger->LoadDevice(samples::DeviceOf(1))->has_value());
  EXPECT_GE(std::stol(Told("SELECT number FROM " + schema + ".writer")), std::stol(number));
  EXPECT_EQ(Nodes().lease.node, "a");
}

}  // namespace
}  // namespace registry::ledger
