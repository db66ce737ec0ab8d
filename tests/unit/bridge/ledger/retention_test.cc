// What the ledger forgets, and when: event marks by days, revocations by serial.
#include "bridge/ledger/retention.h"

#include <gmock/gmock.h>
#include <rocksdb/db.h>

#include <future>

#include "bridge/ledger/keyed/keys.h"
#include "tests/unit/bridge/ledger/backends.h"
#include "tests/unit/bridge/ledger/dump.h"

namespace registry::ledger {
namespace {

using domain::Changeset;
using domain::DayMark;
using std::chrono::hours;
using std::chrono::minutes;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

constexpr int kDays = 7;
const domain::Day kFirst = domain::DayOf(samples::kNoon);

UtcTime On(domain::Day day, hours hour = hours(12)) {
  return UtcTime{static_cast<std::int64_t>(day) * domain::kDayMicros} + hour;
}
domain::EventMark MarkOn(std::uint64_t number, UtcTime at) {
  auto mark = samples::Mark(number);
  mark.at = at;
  return mark;
}
DayMark Marked(domain::Day day, std::uint64_t number) {
  return {day, samples::Party("mno-a"), samples::Mark(number).id};
}

class LedgerRetention : public EveryBackend {
 protected:
  Status Commit(Changeset changes) { return ledger_->Commit(std::move(changes)); }
  void Say(std::uint64_t number, UtcTime at) {
    Changeset changes;
    changes.mark = MarkOn(number, at);
    ASSERT_TRUE(Commit(std::move(changes)).ok());
  }
  void From(domain::Day day) {
    Changeset changes;
    changes.marks_from = day;
    ASSERT_TRUE(Commit(std::move(changes)).ok());
  }
  Status Erase(std::vector<DayMark> marks) {
    Changeset changes;
    changes.marks_erase = std::move(marks);
    return Commit(std::move(changes));
  }
  bool Knows(std::uint64_t number) {
    return ledger_->FindEvent(samples::Party("mno-a"), samples::Mark(number).id)->has_value();
  }
  std::vector<DayMark> Days() { return *ledger_->DayMarksAfter(std::nullopt, 1000); }
  // As a day passes on a clock that is right: a tick every ten minutes.
  void Pass(Retention& retention, UtcTime from, hours time) {
    for (minutes passed{0}; passed <= time; passed += minutes(10)) {
      const auto done = retention.Tick(from + passed, steady_ += minutes(10));
      ASSERT_TRUE(done.ok()) << done.error().message;
    }
  }
  CarefulClock::Steady steady_{};
};
INSTANTIATE_TEST_SUITE_P(Backends, LedgerRetention, kEveryBackendAndMember, BackendName);

TEST_P(LedgerRetention, AMarkStandsUnderTheDayItWasMadeOn) {
  Say(1, On(kFirst + 1, hours(0)));
  Say(2, On(kFirst, hours(0)) + std::chrono::microseconds(domain::kDayMicros - 1));
  Say(3, UtcTime{-1});
  EXPECT_THAT(Days(), ElementsAre(Marked(0, 3), Marked(kFirst, 2), Marked(kFirst + 1, 1)));
  EXPECT_THAT(*ledger_->DayMarksAfter(Marked(0, 3), 1), ElementsAre(Marked(kFirst, 2)));
  EXPECT_THAT(*ledger_->DayMarksAfter(std::nullopt, 0), IsEmpty());
  EXPECT_EQ(ledger_->LoadMarksKept()->from, 0u);
}

TEST_P(LedgerRetention, OnlyWhatTheLedgerSaidItWouldForgetIsErased) {
  Say(1, On(kFirst));
  EXPECT_EQ(Erase({Marked(kFirst, 1)}).error().symbol, kStale);
  Changeset both;
  both.marks_from = kFirst + 1;
  both.marks_erase = {Marked(kFirst, 1)};
  EXPECT_EQ(Commit(both).error().symbol, kStale) << "not in the commit that says it";
  EXPECT_TRUE(Knows(1));
  From(kFirst + 1);
  EXPECT_TRUE(Knows(1)) << "until it is erased";
  EXPECT_TRUE(Erase({Marked(kFirst, 1)}).ok());
  EXPECT_FALSE(Knows(1));
  EXPECT_THAT(Days(), IsEmpty());
  EXPECT_EQ(ledger_->LoadMarksKept()->forgotten, 1u);
  From(kFirst);
  EXPECT_EQ(ledger_->LoadMarksKept()->from, kFirst + 1) << "only forward";
  Say(1, On(kFirst + 9));
  EXPECT_TRUE(Knows(1)) << "the same id, decided anew";
  EXPECT_THAT(Verify(*ledger_)->faults, IsEmpty());
}

TEST_P(LedgerRetention, AMarkOfAClockSetBackIsOfTheFirstDayKept) {
  From(kFirst + 1);
  Say(1, On(kFirst - 20));
  EXPECT_THAT(Days(), ElementsAre(Marked(kFirst + 1, 1)));
  EXPECT_THAT(Verify(*ledger_)->faults, IsEmpty());
}

TEST_P(LedgerRetention, ARevocationIsErasedBySerial) {
  Changeset changes;
  changes.revocations = {samples::Revocation(1), samples::Revocation(2)};
  ASSERT_TRUE(Commit(std::move(changes)).ok());
  Changeset erase;
  erase.revocations_erase = {samples::Revocation(1).serial, Bytes{9}};
  ASSERT_TRUE(Commit(std::move(erase)).ok());
  EXPECT_THAT(*ledger_->Revocations(), SizeIs(1));
  EXPECT_EQ(ledger_->Revocations()->front().serial, samples::Revocation(2).serial);
  EXPECT_THAT(Verify(*ledger_)->faults, IsEmpty());
}

TEST_P(LedgerRetention, MarksGoADayAfterTheirDays) {
  Retention retention(*ledger_, kDays);
  for (domain::Day day = 0; day < 3; ++day) Say(day, On(kFirst + day));
  Pass(retention, On(kFirst + 2), hours(24 * 5));
  EXPECT_EQ(retention.oldest(), On(kFirst, hours(0)).seconds());
  Pass(retention, On(kFirst + 8, hours(0)), hours(23));
  EXPECT_TRUE(Knows(0)) << "on the eighth day after its own";
  Pass(retention, On(kFirst + 9, hours(0)), hours(1));
  EXPECT_FALSE(Knows(0));
  EXPECT_TRUE(Knows(1));
  EXPECT_EQ(retention.oldest(), On(kFirst + 1, hours(0)).seconds());
  EXPECT_EQ(ledger_->LoadMarksKept()->from, kFirst + 1);
  Pass(retention, On(kFirst + 20), hours(24 * 2));
  EXPECT_THAT(Days(), IsEmpty());
  EXPECT_EQ(retention.oldest(), 0);
  EXPECT_EQ(ledger_->LoadMarksKept()->forgotten, 3u);
  EXPECT_THAT(Verify(*ledger_)->faults, IsEmpty());
}

TEST_P(LedgerRetention, AClockSetForwardForgetsADayAnHour) {
  Retention retention(*ledger_, kDays);
  for (domain::Day day = 0; day < 8; ++day) Say(day, On(kFirst + day));
  Pass(retention, On(kFirst + 7), hours(4));
  Pass(retention, On(kFirst + 400), hours(2));
  EXPECT_EQ(Days().size(), 6u) << "two hours";
  Pass(retention, On(kFirst + 8), hours(12));
  EXPECT_EQ(Days().size(), 6u) << "set right, nothing more goes";
  EXPECT_TRUE(Knows(2));
}

TEST_P(LedgerRetention, NothingGoesInTheFirstHourOfAStart) {
  for (domain::Day day = 0; day < 3; ++day) Say(day, On(kFirst + day));
  Retention retention(*ledger_, kDays);
  Pass(retention, On(kFirst + 400), hours(0));
  EXPECT_EQ(Days().size(), 3u);
  Pass(retention, On(kFirst + 400), hours(1));
  EXPECT_EQ(Days().size(), 2u) << "the oldest day alone";
}

TEST_P(LedgerRetention, ThousandsGoInManyCommitsAndTicks) {
  constexpr std::uint64_t kMany = 5000;
  std::vector<std::future<void>> saying;  // at once, so that they share synced writes
  for (std::uint64_t first = 0; first < 50; ++first) {
    saying.push_back(std::async(std::launch::async, [this, first] {
      for (std::uint64_t i = first; i < kMany; i += 50) Say(i, On(kFirst));
    }));
  }
  for (auto& said : saying) said.get();
  Say(kMany, On(kFirst + 1));
  Retention retention(*ledger_, kDays);
  const auto before = ledger_->changesets();
  ASSERT_TRUE(retention.Tick(On(kFirst + 9), steady_).ok());
  EXPECT_EQ(*retention.Tick(On(kFirst + 9), steady_ + hours(1)), false);
  EXPECT_GT(ledger_->changesets(), before + 3) << "one that says it, and thousands in each of the others";
  EXPECT_THAT(Days(), ElementsAre(Marked(kFirst + 1, kMany)));
  EXPECT_EQ(ledger_->LoadMarksKept()->forgotten, kMany);
}

TEST(MayBeForgottenOf, ACommandThatWasSaidBeforeTheDaysKeptOrADayLater) {
  EXPECT_FALSE(MayBeForgotten(UtcTime{0}, {})) << "nothing was forgotten yet";
  const MarksKept kept{kFirst, 1};
  EXPECT_TRUE(MayBeForgotten(On(kFirst - 30), kept));
  EXPECT_TRUE(MayBeForgotten(On(kFirst, hours(23)), kept)) << "a clock a day ahead";
  EXPECT_FALSE(MayBeForgotten(On(kFirst + 1, hours(0)), kept));
}

// What is never refused: anything younger than the days it is promised to be known.
TEST(MayBeForgottenOf, NothingYoungerThanItsDays) {
  const domain::Day today = kFirst + 100;
  const MarksKept kept{today - kDays - 1, 1};  // as Retention says it
  EXPECT_FALSE(MayBeForgotten(On(today, hours(0)) - hours(24 * kDays), kept));
}

class RetentionFolder : public testing::Test {
 protected:
  std::unique_ptr<Ledger> Open() { return OpenBackend(Backend::kRocksDb, folder_); }
  void Fill(Ledger& ledger) {
    for (std::uint64_t number = 0; number < 9; ++number) {
      Changeset changes;
      changes.mark = MarkOn(number, On(kFirst + number / 3));
      ASSERT_TRUE(ledger.Commit(std::move(changes)).ok());
    }
  }
  using Handle = rocksdb::ColumnFamilyHandle;
  void Tamper(const std::function<void(rocksdb::DB&, Handle* days, Handle* meta)>& work) {
    std::vector<std::string> names;
    ASSERT_TRUE(rocksdb::DB::ListColumnFamilies({}, folder_.path(), &names).ok());
    std::vector<rocksdb::ColumnFamilyDescriptor> columns;
    for (const auto& name : names) columns.emplace_back(name, rocksdb::ColumnFamilyOptions());
    std::vector<Handle*> handles;
    rocksdb::DB* opened = nullptr;
    ASSERT_TRUE(rocksdb::DB::Open({}, folder_.path(), columns, &handles, &opened).ok());
    const std::unique_ptr<rocksdb::DB> db(opened);
    const auto named = [&](const std::string& name) {
      return *std::find_if(handles.begin(), handles.end(),
                           [&](const Handle* handle) { return handle->GetName() == name; });
    };
    work(*db, named("day_marks"), named("meta"));
    for (auto* handle : handles) db->DestroyColumnFamilyHandle(handle);
  }
  samples::Folder folder_;
};

TEST_F(RetentionFolder, ARestartInTheMiddleGoesOnWhereItWas) {
  {
    const auto ledger = Open();
    Fill(*ledger);
    Changeset from, some;
    from.marks_from = kFirst + 2;
    ASSERT_TRUE(ledger->Commit(std::move(from)).ok());
    some.marks_erase = {Marked(kFirst, 0), Marked(kFirst, 1)};
    ASSERT_TRUE(ledger->Commit(std::move(some)).ok());
  }
  const auto ledger = Open();
  EXPECT_EQ(ledger->LoadMarksKept()->from, kFirst + 2);
  EXPECT_EQ(ledger->LoadMarksKept()->forgotten, 2u);
  EXPECT_THAT(*ledger->DayMarksAfter(std::nullopt, 100), SizeIs(7));
  EXPECT_THAT(Verify(*ledger)->faults, IsEmpty());
  Retention retention(*ledger, kDays);
  ASSERT_TRUE(retention.Tick(On(kFirst + 3), {}).ok());
  EXPECT_THAT(*ledger->DayMarksAfter(std::nullopt, 100), SizeIs(3)) << "without waiting: it was said before";
  EXPECT_EQ(ledger->LoadMarksKept()->forgotten, 6u);
  EXPECT_THAT(Verify(*ledger)->faults, IsEmpty());
}

TEST_F(RetentionFolder, AFolderWithoutDaysGetsThemWhenItIsOpenedForWriting) {
  std::string whole;
  {
    const auto ledger = Open();
    Fill(*ledger);
    whole = Dump(*ledger, {}, 9);
  }
  // As a making that was cut short leaves it.
  Tamper([](rocksdb::DB& db, Handle* days, Handle* meta) {
    ASSERT_TRUE(db.Delete({}, meta, "day_marks").ok());
    ASSERT_TRUE(db.DeleteRange({}, days, "", keys::OfDayMark(Marked(kFirst + 1, 4))).ok());
    ASSERT_TRUE(db.Put({}, days, keys::OfDayMark(Marked(kFirst, 77)), "").ok());
  });
  {
    const auto reader = OpenRocksDbReader(folder_.path(), folder_.path("scratch"));
    ASSERT_TRUE(reader.ok());
    EXPECT_EQ((*reader)->DayMarksAfter(std::nullopt, 1).error().symbol, kLedgerUnindexed);
    EXPECT_THAT(Verify(**reader)->faults, IsEmpty());
  }
  EXPECT_EQ(Dump(*Open(), {}, 9), whole);
}

TEST_F(RetentionFolder, VerifyFindsADayTooManyTooFewOrTooEarlyAndReindexMends) {
  Fill(*Open());
  Tamper([](rocksdb::DB& db, Handle* days, Handle*) {
    ASSERT_TRUE(db.Delete({}, days, keys::OfDayMark(Marked(kFirst, 0))).ok());
    ASSERT_TRUE(db.Put({}, days, keys::OfDayMark(Marked(kFirst, 77)), "").ok());
    ASSERT_TRUE(db.Put({}, days, keys::OfDayMark(Marked(kFirst, 8)), "").ok());
  });
  EXPECT_THAT(Verify(*Open())->faults,
              ElementsAre("event mark event-77 of mno-a: has a day and is not there",
                          "event mark event-8 of mno-a: is forgotten with a day before its own",
                          testing::HasSubstr("9 are there, and 10 are forgotten with a day")));
  ASSERT_TRUE(ReindexRocksDbLedger(folder_.path()).ok());
  EXPECT_THAT(Verify(*Open())->faults, IsEmpty());
}

TEST_F(RetentionFolder, AKeyThatIsNoDaysIsDamage) {
  Fill(*Open());
  Tamper([](rocksdb::DB& db, Handle* days, Handle*) { ASSERT_TRUE(db.Put({}, days, "short", "").ok()); });
  EXPECT_EQ(Open()->DayMarksAfter(std::nullopt, 100).error().symbol, kLedgerDamaged);
}

TEST(DayMarkKeys, AreTheOctetsOfTheFormat) {
  const DayMark mark{20'602, samples::Party("mno-a"), samples::Event("e-1")};
  EXPECT_EQ(ToHex(AsBytes(keys::OfDayMark(mark))), "000000000000507a6d6e6f2d6100652d31");
}

TEST(CarefulClock, AClockThatWasBehindIsFollowedAgainAsSoonAsItIsRight) {
  CarefulClock careful(On(kFirst), {});
  CarefulClock::Steady steady{};
  EXPECT_EQ(careful.Now(On(kFirst), steady += hours(1)), On(kFirst));
  EXPECT_EQ(careful.Now(On(kFirst - 365), steady += hours(1)), On(kFirst - 365))
      << "never ahead of the clock";
  EXPECT_EQ(careful.Now(On(kFirst), steady += hours(1)), On(kFirst));
  EXPECT_EQ(careful.Now(On(kFirst + 9), steady += hours(1)), On(kFirst + 1)) << "a day in an hour";
}

}  // namespace
}  // namespace registry::ledger
