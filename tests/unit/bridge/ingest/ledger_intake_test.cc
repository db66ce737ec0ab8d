// What is the ledger's intake's own: appends that go together, a table that refuses, what an old folder holds.
#include <gmock/gmock.h>

#include <atomic>
#include <future>

#include "simulators/lab/probe.h"
#include "tests/unit/bridge/ingest/intake_places.h"

namespace registry::ingest {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

InboundMessage Numbered(int number) {
  return {"registry/v1/from/mno-a/esim.register", "{\"n\":" + std::to_string(number) + "}", "", ""};
}

class LedgerIntakeTest : public testing::Test {
 protected:
  std::unique_ptr<Intake> Open(Intake* before = nullptr) {
    auto opened = OpenLedgerIntake(table_, options_, before);
    EXPECT_TRUE(opened.ok()) << opened.error().message;
    return opened ? std::move(*opened) : nullptr;
  }

  TableInMemory table_;
  LedgerIntakeOptions options_;
};

// Of what one append takes in the table.
std::size_t SizeOfOne() {
  TableInMemory table;
  const auto intake = OpenLedgerIntake(table, {}, nullptr);
  EXPECT_TRUE(intake.ok() && (*intake)->Append(Numbered(100)).ok());
  return table.rows().begin()->second.size();
}

// The one too many is refused when all others have their room, so they wait by then, however slow the machine is.
TEST_F(LedgerIntakeTest, WhatPilesUpWhileAnAppendIsUnderWayGoesTogether) {
  constexpr int kAtOnce = 20;
  options_.bytes_max = kAtOnce * SizeOfOne();
  const auto intake = Open();
  table_.Hold(true);
  std::atomic<int> refused{0};
  std::vector<std::future<bool>> all;
  for (int i = 0; i <= kAtOnce; ++i) {
    all.push_back(std::async(std::launch::async, [&, i] {
      const bool kept = intake->Append(Numbered(100 + i)).ok();
      if (!kept) ++refused;
      return kept;
    }));
  }
  EXPECT_TRUE(lab::WaitUntil([&] { return table_.appends() == 1 && refused == 1; }, seconds(60)));
  EXPECT_EQ(intake->undone(), 0u) << "nobody has been told";
  table_.Hold(false);
  int kept = 0;
  for (auto& one : all) kept += one.get() ? 1 : 0;
  EXPECT_EQ(kept, kAtOnce);
  EXPECT_EQ(table_.appends(), 2) << "the first, and all the others together";
  EXPECT_THAT(table_.rows(), SizeIs(kAtOnce));
}

TEST_F(LedgerIntakeTest, WhatTheTableRefusesIsSaidAndTakesNoRoom) {
  options_.bytes_max = 150;
  const auto intake = Open();
  table_.Fail(true);
  for (int i = 0; i < 3; ++i) {
    const auto refused = intake->Append(Numbered(i));
    ASSERT_FALSE(refused.ok());
    EXPECT_EQ(refused.error().symbol, "intake_failed") << "and not full";
    EXPECT_THAT(refused.error().message, HasSubstr("the server is gone"));
  }
  EXPECT_EQ(intake->undone(), 0u);
  table_.Fail(false);
  EXPECT_TRUE(intake->Append(Numbered(1)).ok());
}

TEST_F(LedgerIntakeTest, WhatIsDoneIsErasedAndTriedAgain) {
  std::atomic<int> warnings{0};
  options_.erase_every = milliseconds(1);
  options_.log = LogLine([&](int, const std::string& line) {
    EXPECT_THAT(line, HasSubstr("the server is gone; tried again, 1 rows wait"));
    ++warnings;
  });
  const auto intake = Open();
  const auto ticket = intake->Append(Numbered(1));
  ASSERT_TRUE(ticket.ok());
  table_.Fail(true);
  intake->MarkDone(*ticket);
  EXPECT_TRUE(lab::WaitUntil([&] { return table_.erases() > 10; }, seconds(30)));
  EXPECT_EQ(warnings, 1) << "once a minute";
  EXPECT_EQ(intake->unerased(), 1u);
  EXPECT_THAT(table_.rows(), SizeIs(1));
  table_.Fail(false);
  EXPECT_TRUE(lab::WaitUntil([&] { return intake->unerased() == 0; }, seconds(30)));
  EXPECT_THAT(table_.rows(), IsEmpty());
}

TEST_F(LedgerIntakeTest, ARowThatIsNotWhatWasWrittenStaysAndIsCountedAtEveryStart) {
  ASSERT_TRUE(Open()->Append(Numbered(1)).ok());
  ASSERT_TRUE(table_.Append({{"9", "no record of an intake"}}).ok());
  for (int start = 0; start < 2; ++start) {
    const auto intake = Open();
    EXPECT_EQ(intake->damages(), 1u);
    EXPECT_THAT(intake->TakeLeftOver(), SizeIs(start == 0 ? 1u : 0u));
    intake->MarkDone(1);
  }
  EXPECT_THAT(table_.rows(), SizeIs(1));
}

TEST_F(LedgerIntakeTest, WithAKeyNoRowHoldsWhatWasSaid) {
  options_.key = Bytes(32, 1);
  ASSERT_TRUE(Open()->Append(Numbered(7)).ok());
  for (const auto& [key, octets] : table_.rows()) EXPECT_EQ(octets.find("\"n\""), std::string::npos);
}

TEST_F(LedgerIntakeTest, WhatAFolderHoldsOfATimeBeforeIsTakenOverOnce) {
  test::TemporaryFolder folder;
  IntakeOptions of_folder;
  of_folder.folder = folder.In("intake");
  {
    auto before = Intake::Open(of_folder);
    ASSERT_TRUE(before.ok());
    for (int i = 1; i <= 2; ++i) ASSERT_TRUE((*before)->Append(Numbered(i)).ok());
  }
  ASSERT_TRUE(Open()->Append(Numbered(0)).ok());
  {
    auto before = Intake::Open(of_folder);
    ASSERT_TRUE(before.ok());
    const auto intake = Open(before->get());
    EXPECT_EQ(intake->undone(), 3u);
    EXPECT_EQ((*before)->undone(), 0u);
    std::vector<std::string> payloads;
    for (const auto& record : intake->TakeLeftOver()) payloads.push_back(record.message.payload);
    EXPECT_THAT(payloads, ElementsAre("{\"n\":0}", "{\"n\":1}", "{\"n\":2}"));
  }
  EXPECT_THAT((*Intake::Open(of_folder))->TakeLeftOver(), IsEmpty());
  EXPECT_THAT(table_.rows(), SizeIs(3)) << "nobody has decided them yet";
}

// 300,000 at a rate of single commits would be a start of a quarter of an hour.
TEST_F(LedgerIntakeTest, AFolderIsTakenOverInFewAppendsAndBeyondTheBound) {
  constexpr std::size_t kCount = 600;
  test::TemporaryFolder folder;
  IntakeOptions of_folder;
  of_folder.folder = folder.In("intake");
  {
    const auto before = Intake::Open(of_folder);
    ASSERT_TRUE(before.ok());
    for (std::size_t i = 0; i < kCount; ++i)
      ASSERT_TRUE((*before)->Append(Numbered(static_cast<int>(i))).ok());
  }
  options_.bytes_max = 1000;
  const auto before = Intake::Open(of_folder);
  ASSERT_TRUE(before.ok());
  const auto intake = Open(before->get());
  ASSERT_NE(intake, nullptr);
  EXPECT_LE(table_.appends(), 5);
  EXPECT_THAT(table_.rows(), SizeIs(kCount));
  EXPECT_EQ((*before)->undone(), 0u);
  EXPECT_EQ(intake->Append(Numbered(1)).error().symbol, "intake_full") << "it holds for what comes new";
  const auto left = intake->TakeLeftOver();
  ASSERT_THAT(left, SizeIs(kCount));
  for (std::size_t i = 0; i < kCount; ++i) {
    EXPECT_EQ(left[i].message.payload, Numbered(static_cast<int>(i)).payload);
    intake->MarkDone(left[i].ticket);
  }
  EXPECT_TRUE(intake->Append(Numbered(1)).ok());
}

TEST_F(LedgerIntakeTest, WhatCannotBeTakenOverStaysInItsFolder) {
  test::TemporaryFolder folder;
  IntakeOptions of_folder;
  of_folder.folder = folder.In("intake");
  ASSERT_TRUE((*Intake::Open(of_folder))->Append(Numbered(1)).ok());
  table_.Fail(true);
  {
    auto before = Intake::Open(of_folder);
    ASSERT_TRUE(before.ok());
    const auto opened = OpenLedgerIntake(table_, options_, before->get());
    ASSERT_FALSE(opened.ok());
    EXPECT_EQ(opened.error().symbol, "intake_failed");
  }
  EXPECT_THAT((*Intake::Open(of_folder))->TakeLeftOver(), SizeIs(1));
}

class TakeOverTest : public LedgerIntakeTest {
 protected:
  // Rows as another node with this key writes them; the last one as nobody does.
  void LeaveSome(std::int64_t member) {
    TableInMemory of_other;
    {
      const auto other = OpenLedgerIntake(of_other, options_, nullptr);
      for (int i = 0; i < 3; ++i) ASSERT_TRUE((*other)->Append(Numbered(i)).ok());
    }
    for (const auto& [key, octets] : of_other.rows()) table_.PutOf(member, {"m" + key, octets});
    table_.PutOf(member, {"mz", "no record of an intake"});
  }
};

TEST_F(TakeOverTest, WhatAnotherNodeLeftIsThisOnesUntilItIsDone) {
  options_.key = Bytes(32, 1);
  options_.erase_every = milliseconds(1);
  LeaveSome(7);
  options_.bytes_max = 1;
  const auto intake = Open();
  const auto taken = intake->TakeOverOf(7);
  ASSERT_TRUE(taken.ok());
  ASSERT_THAT(*taken, SizeIs(3)) << "beyond the bound too";
  EXPECT_EQ(intake->undone(), 3u);
  EXPECT_EQ(intake->damages(), 1u);
  for (std::size_t i = 0; i < taken->size(); ++i) {
    EXPECT_EQ((*taken)[i].message.payload, Numbered(static_cast<int>(i)).payload);
    intake->MarkDone((*taken)[i].ticket);
  }
  EXPECT_TRUE(lab::WaitUntil([&] { return table_.rows().size() == 1; }, seconds(60)));
  EXPECT_TRUE(table_.rows().contains("mz")) << "nothing erases it";
  EXPECT_THAT(*intake->TakeOverOf(8), IsEmpty());
}

TEST_F(TakeOverTest, WhatCannotBeReadToTheEndIsNotTakenAtAll) {
  const auto intake = Open();
  LeaveSome(7);
  table_.Fail(true);
  const auto failed = intake->TakeOverOf(7);
  ASSERT_FALSE(failed.ok());
  EXPECT_EQ(failed.error().symbol, "intake_failed");
  EXPECT_EQ(intake->undone(), 0u);
  table_.Fail(false);
  EXPECT_THAT(*intake->TakeOverOf(7), SizeIs(3));
}

TEST_F(LedgerIntakeTest, ItsServerBacksItUp) {
  EXPECT_EQ(Open()->CopyTo("/nowhere").error().symbol, "intake_failed");
}

}  // namespace
}  // namespace registry::ingest
