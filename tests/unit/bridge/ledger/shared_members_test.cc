// Who may commit beside the active one, and until when (bridge/ledger/postgres/members.h).
#include <gmock/gmock.h>

#include <atomic>
#include <future>

#include "bridge/ledger/postgres/intake.h"
#include "bridge/ledger/postgres/kept.h"
#include "bridge/ledger/postgres/nodes.h"
#include "bridge/ledger/postgres/shared_statements.h"
#include "simulators/lab/probe.h"
#include "tests/unit/bridge/ledger/shared_ledgers.h"

namespace registry::ledger {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;
using testing::UnorderedElementsAre;

class SharedMembersTest : public testing::Test {
 protected:
  std::vector<std::string> Names() {
    std::vector<std::string> names;
    const auto seen = all_.members().Look();
    EXPECT_TRUE(seen.ok()) << seen.error().message;
    if (!seen) return names;
    for (const MemberSeen& one : *seen) names.push_back(one.name + (one.ended ? " ended" : ""));
    return names;
  }
  static std::vector<std::string> RowsOf(const IntakeTable& table, std::int64_t member) {
    std::vector<std::string> rows;
    const auto visited =
        table.VisitOf(member, [&](IntakeTable::Row row) { rows.push_back(std::move(row.octets)); });
    EXPECT_TRUE(visited.ok()) << visited.error().message;
    return rows;
  }
  std::unique_ptr<IntakeTable> IntakeOf(const PostgresOptions& options, const Ledger& ledger) {
    auto table = OpenPostgresIntake(options, ledger);
    EXPECT_TRUE(table.ok()) << table.error().message;
    return table ? std::move(*table) : nullptr;
  }
  std::string Told(const std::string& sql) {
    const auto said = test::SharedPostgres().Ask(sql);
    EXPECT_TRUE(said.ok()) << sql << ": " << said.error().message;
    return said ? said->substr(0, said->find('\n')) : "";
  }

  samples::Folder folder_;
  SharedLedgers all_{PostgresOf(folder_)};
};

TEST_F(SharedMembersTest, NobodyJoinsWhereNobodyAdmits) {
  EXPECT_EQ(JoinPostgresLedger(all_.Of("b")).error().symbol, kLedgerInUse) << "nobody has the ledger";
  const auto alone = Opened(OpenPostgresLedger(all_.Of("a")));
  EXPECT_EQ(JoinPostgresLedger(all_.Of("b")).error().symbol, kLedgerInUse) << "it has not admitted anybody";
  Members members(all_.Of("a"), *alone);
  ASSERT_TRUE(members.Admit().ok());
  EXPECT_NE(SharedLedgers::Join(all_.Of("b")), nullptr);
}

TEST_F(SharedMembersTest, AMemberSaysThatItLivesAndIsListed) {
  const auto a = all_.Open(all_.Of("a"));
  const auto options = all_.Of("b");
  const auto b = SharedLedgers::Join(options);
  EXPECT_EQ(MemberNumber(*a), 0);
  EXPECT_EQ(MemberNumber(*b), 1);
  EXPECT_EQ(SymbolOf(SayMember(*a)), kLedgerInUse);
  const std::int64_t before = all_.members().Look()->at(0).beats;
  const Lease::Span begun = Lease::Now();
  ASSERT_TRUE(SayMember(*b).ok());
  EXPECT_GE(options.node.lease->proved(), begun);
  EXPECT_GT(all_.members().Look()->at(0).beats, before);
  PostgresStandby stands_by(options);
  EXPECT_EQ(stands_by.Look(true), PostgresStandby::Found::kHeld) << stands_by.why();
  const auto nodes = NodesOfPostgres(options);
  ASSERT_TRUE(nodes.ok());
  EXPECT_TRUE(nodes->lease.shared);
  EXPECT_THAT(nodes->deciding, ElementsAre("b"));
  ASSERT_THAT(nodes->standing_by, SizeIs(1));
  EXPECT_TRUE(nodes->standing_by[0].deciding);
  EXPECT_THAT(NodesOfOpen(*a)->deciding, ElementsAre("b"));
}

// Its commits move the number, and are no sign of life of the active one.
TEST_F(SharedMembersTest, AMemberDoesNotKeepTheLeaseOfTheActiveOne) {
  const auto a = all_.Open(all_.Of("a"));
  const auto b = SharedLedgers::Join(all_.Of("b"));
  ASSERT_TRUE(a->Commit(samples::Registration(1)).ok());
  const auto before = NodesOfPostgres(all_.Of("c"))->lease;
  ASSERT_TRUE(b->Commit(samples::Registration(2)).ok());
  const auto after = NodesOfPostgres(all_.Of("c"))->lease;
  EXPECT_GT(after.number, before.number);
  EXPECT_EQ(after.beats, before.beats);
  LeaseWatch watch;
  const auto now = std::chrono::steady_clock::now();
  (void)watch.Look(before, now);
  (void)watch.Look(after, now + seconds(1));
  EXPECT_EQ(watch.stood_still(now + seconds(1)), seconds(1));
  ASSERT_TRUE(a->Commit(samples::Registration(3)).ok());
  (void)watch.Look(NodesOfPostgres(all_.Of("c"))->lease, now + seconds(2));
  EXPECT_EQ(watch.stood_still(now + seconds(2)), seconds(0));
}

TEST_F(SharedMembersTest, WhoWasEndedCommitsNothingAndAppendsNothing) {
  const auto a = all_.Open(all_.Of("a"));
  auto options = all_.Of("b");
  std::atomic<int> told = 0;
  options.when_taken_over = [&] { ++told; };
  const auto b = SharedLedgers::Join(options);
  const auto of_a = IntakeOf(all_.Of("a"), *a), of_b = IntakeOf(options, *b);
  ASSERT_TRUE(b->Commit(samples::Registration(1)).ok());
  ASSERT_TRUE(of_b->Append({{of_b->NewKey(), "kept"}}).ok());
  const std::string key = of_b->NewKey();
  const std::int64_t member = MemberNumber(*b);
  ASSERT_TRUE(all_.members().End(member).ok());
  ASSERT_TRUE(all_.members().End(member).ok()) << "again";
  EXPECT_EQ(SymbolOf(b->Commit(samples::Registration(2))), kLedgerFailed);
  EXPECT_EQ(SymbolOf(of_b->Append({{key, "late"}})), kLedgerInUse);
  EXPECT_EQ(SymbolOf(SayMember(*b)), kLedgerInUse);
  EXPECT_EQ(told, 1);
  EXPECT_FALSE(b->CatchUp().ok());
  EXPECT_FALSE(a->LoadDevice(samples::DeviceOf(2))->has_value());
  EXPECT_THAT(RowsOf(*of_a, member), ElementsAre("kept"));
  EXPECT_THAT(Names(), ElementsAre("b ended"));
  ASSERT_TRUE(all_.members().Forget(member).ok());
  EXPECT_THAT(Names(), IsEmpty());
  EXPECT_EQ(SymbolOf(of_b->Append({{key, "late"}})), kLedgerInUse);
  const auto again = SharedLedgers::Join(options);
  EXPECT_GT(MemberNumber(*again), member) << "a number never comes again";
  EXPECT_TRUE(again->Commit(samples::Registration(2)).ok());
}

TEST_F(SharedMembersTest, RowsOfTheIntakeAreKnownByWhoAppendedThem) {
  const auto a = all_.Open(all_.Of("a"));
  const auto b = SharedLedgers::Join(all_.Of("b")), c = SharedLedgers::Join(all_.Of("c"));
  const auto of_a = IntakeOf(all_.Of("a"), *a), of_b = IntakeOf(all_.Of("b"), *b),
             of_c = IntakeOf(all_.Of("c"), *c);
  ASSERT_TRUE(of_a->Append({{of_a->NewKey(), "a1"}}).ok());
  ASSERT_TRUE(of_b->Append({{of_b->NewKey(), "b1"}, {of_b->NewKey(), "b2"}}).ok());
  const std::string key = of_c->NewKey();
  ASSERT_TRUE(of_c->Append({{key, "c1"}}).ok());
  EXPECT_THAT(RowsOf(*of_a, MemberNumber(*b)), ElementsAre("b1", "b2"));
  EXPECT_THAT(RowsOf(*of_a, MemberNumber(*c)), ElementsAre("c1"));
  ASSERT_TRUE(of_a->Erase({key}).ok()) << "who took it over erases it";
  EXPECT_THAT(RowsOf(*of_a, MemberNumber(*c)), IsEmpty());
  std::vector<std::string> own;
  ASSERT_TRUE(of_b->Visit([&](IntakeTable::Row row) { own.push_back(row.octets); }).ok());
  EXPECT_THAT(own, ElementsAre("b1", "b2"));
}

TEST_F(SharedMembersTest, WithTheEpochItsMembersEndAndTheNextFindsThem) {
  auto a = all_.Open(all_.Of("a"));
  auto options = all_.Of("b");
  std::atomic<int> told = 0;
  options.when_taken_over = [&] { ++told; };
  const auto b = SharedLedgers::Join(options);
  const auto of_b = IntakeOf(options, *b);
  ASSERT_TRUE(of_b->Append({{of_b->NewKey(), "kept"}}).ok());
  a.reset();
  ASSERT_TRUE(b->Commit(samples::Registration(1)).ok()) << "nobody has taken over yet";
  EXPECT_EQ(JoinPostgresLedger(all_.Of("d")).error().symbol, kLedgerInUse);
  const auto c = Opened(OpenPostgresLedger(all_.Of("c")));
  EXPECT_TRUE(c->LoadDevice(samples::DeviceOf(1))->has_value());
  EXPECT_EQ(SymbolOf(b->Commit(samples::Registration(2))), kLedgerFailed);
  EXPECT_EQ(told, 1);
  const auto of_c = IntakeOf(all_.Of("c"), *c);
  EXPECT_EQ(SymbolOf(of_b->Append({{of_b->NewKey(), "late"}})), kLedgerInUse);
  std::vector<std::string> left;
  ASSERT_TRUE(of_c->Visit([&](IntakeTable::Row row) { left.push_back(row.octets); }).ok());
  EXPECT_THAT(left, ElementsAre("kept"));
  Members members(all_.Of("c"), *c);
  ASSERT_TRUE(members.Admit().ok());
  const auto seen = members.Look();
  ASSERT_THAT(*seen, SizeIs(2));
  EXPECT_TRUE(seen->at(0).ended && seen->at(1).ended);
  EXPECT_THAT((std::vector{seen->at(0).name, seen->at(1).name}), UnorderedElementsAre("a", "b"))
      << "the active one of before, too: its session at the broker is to be inherited";
  EXPECT_NE(SharedLedgers::Join(all_.Of("b")), nullptr);
}

TEST_F(SharedMembersTest, AMemberReadsWhatIsKeptAndWritesNothingThere) {
  const auto a = all_.Open(all_.Of("a"));
  const auto b = SharedLedgers::Join(all_.Of("b"));
  const auto of_a = OpenPostgresKept(all_.Of("a"), *a), of_b = OpenPostgresKept(all_.Of("b"), *b);
  ASSERT_TRUE(of_a.ok() && of_b.ok());
  ASSERT_TRUE((*of_a)->Write("terms", "some").ok());
  EXPECT_EQ(**(*of_b)->Read("terms"), "some");
  EXPECT_EQ(SymbolOf((*of_b)->Write("terms", "others")), kLedgerInUse);
  EXPECT_TRUE((*of_a)->Write("terms", "more").ok());
}

// Another client of the server takes what a member would take, and stops as a member would that is stopped.
class StoppedInTheMiddle {
 public:
  StoppedInTheMiddle(const PostgresOptions& options, milliseconds cut_off_after) : shared_(options.schema) {
    auto made = Connection::Open(options, Connection::Server::kWritable);
    connection_ = std::get<std::unique_ptr<Connection>>(std::move(made));
    const std::string never = Int8(0), still = Int8(cut_off_after.count());
    const auto answers = connection_->Run(
        {{&Statements::kBegin}, {&SharedStatements::kBounds, {never, still}}, {&shared_.take_writer}},
        std::chrono::steady_clock::now() + seconds(60));
    EXPECT_TRUE(std::holds_alternative<std::vector<Rows>>(answers));
  }

 private:
  const SharedStatements shared_;
  std::unique_ptr<Connection> connection_;
};

TEST_F(SharedMembersTest, WhoStopsInTheMiddleOfATransactionHoldsUpTheOthersForAWhile) {
  const auto a = all_.Open(all_.Of("a"));
  const auto b = SharedLedgers::Join(all_.Of("b"));
  {
    const StoppedInTheMiddle cut_off(PostgresOf(folder_), kHeldAtMost);
    EXPECT_TRUE(b->Commit(samples::Registration(1)).ok());
  }
  // One that the server does not cut off by itself is ended by whoever waits for it.
  const StoppedInTheMiddle stays(PostgresOf(folder_), milliseconds(0));
  const auto done = a->Commit(samples::Registration(2));
  EXPECT_TRUE(done.ok()) << done.error().message;
  const StoppedInTheMiddle once_more(PostgresOf(folder_), milliseconds(0));
  EXPECT_TRUE(all_.members().End(MemberNumber(*b)).ok());
  EXPECT_NE(Told("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'"), "0")
      << "the active one still has the ledger";
}

TEST_F(SharedMembersTest, TheNextActiveOneDoesNotWaitForAMemberThatStopped) {
  const auto options = all_.Of("a");
  auto a = all_.Open(options);
  a.reset();
  const StoppedInTheMiddle stays(PostgresOf(folder_), milliseconds(0));
  a = all_.Open(options);
  ASSERT_NE(a, nullptr);
  EXPECT_TRUE(a->Commit(samples::Registration(1)).ok());
}

TEST_F(SharedMembersTest, AnUnsharedLedgerIsAsItWas) {
  PostgresOptions options = PostgresOf(folder_);
  const auto alone = Opened(OpenPostgresLedger(options));
  ASSERT_TRUE(alone->Commit(samples::Registration(1)).ok());
  EXPECT_TRUE(alone->CatchUp().ok());
  EXPECT_EQ(Told("SELECT count(*) FROM " + options.schema + ".changes"), "0");
  EXPECT_EQ(JoinPostgresLedger(all_.Of("b")).error().symbol, kLedgerInUse);
}

}  // namespace
}  // namespace registry::ledger
