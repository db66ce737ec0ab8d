// What an intake promises wherever it is: what was appended and not done comes back, in order and whole.
#include <gmock/gmock.h>

#include <thread>

#include "tests/unit/bridge/ingest/intake_places.h"

namespace registry::ingest {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

InboundMessage Said(int number) {
  return {"registry/v1/from/mno-a/esim.register", "{\"n\":" + std::to_string(number) + "}",
          "registry/v1/to/mno-a/answers", std::string("\0\xff", 2)};
}

std::vector<std::string> PayloadsOf(const std::vector<Intake::Record>& records) {
  std::vector<std::string> payloads;
  for (const auto& record : records) payloads.push_back(record.message.payload);
  return payloads;
}

TEST_P(IntakeAtEveryPlace, GivesBackWhatWasNotDoneInOrder) {
  {
    Intake& intake = Open();
    EXPECT_THAT(intake.TakeLeftOver(), IsEmpty());
    for (int i = 0; i < 300; ++i) ASSERT_TRUE(intake.Append(Said(i)).ok());
    EXPECT_EQ(intake.undone(), 300u);
  }
  for (int run = 0; run < 2; ++run) {  // it stays there until it is done
    Intake& intake = Open();
    EXPECT_EQ(intake.undone(), 300u);
    const auto left = intake.TakeLeftOver();
    ASSERT_THAT(left, SizeIs(300));
    for (int i = 0; i < 300; ++i)
      EXPECT_EQ(left[static_cast<std::size_t>(i)].message.payload, Said(i).payload);
    EXPECT_EQ(left[7].message.topic, Said(7).topic);
    EXPECT_EQ(left[7].message.response_topic, Said(7).response_topic);
    EXPECT_EQ(left[7].message.correlation_data, Said(7).correlation_data);
    EXPECT_THAT(intake.TakeLeftOver(), IsEmpty()) << "once";
  }
}

TEST_P(IntakeAtEveryPlace, WhatIsAppendedNowComesBehindWhatWasLeftOver) {
  ASSERT_TRUE(Open().Append(Said(1)).ok());
  ASSERT_TRUE(Open().Append(Said(2)).ok());
  ASSERT_TRUE(Open().Append(Said(3)).ok());
  EXPECT_THAT(PayloadsOf(Open().TakeLeftOver()), ElementsAre("{\"n\":1}", "{\"n\":2}", "{\"n\":3}"));
}

TEST_P(IntakeAtEveryPlace, KeepsHowTheEventWasPutIntoTheMessage) {
  InboundMessage binary = Said(0), other = Said(1);
  binary.mode = wire::ContentMode::kBinary;
  binary.id_property = "an-id";
  other.mode = wire::ContentMode::kOtherFormat;
  {
    Intake& intake = Open();
    ASSERT_TRUE(intake.Append(binary).ok());
    ASSERT_TRUE(intake.Append(other).ok());
  }
  const auto left = Open().TakeLeftOver();
  ASSERT_THAT(left, SizeIs(2));
  EXPECT_EQ(left[0].message.mode, binary.mode);
  EXPECT_EQ(left[0].message.id_property, "an-id");
  EXPECT_EQ(left[1].message.mode, other.mode);
}

TEST_P(IntakeAtEveryPlace, AMessageOfManyCommandsIsDoneWithTheLastOfThem) {
  {
    Intake& intake = Open();
    const auto ticket = intake.Append(Said(0));
    ASSERT_TRUE(ticket.ok());
    intake.Expect(*ticket, 3);
    intake.MarkDone(*ticket);
    intake.MarkDone(*ticket);
    EXPECT_EQ(intake.undone(), 1u);
  }
  Intake& intake = Open();
  const auto left = intake.TakeLeftOver();
  ASSERT_THAT(left, SizeIs(1)) << "the whole comes back for its last command";
  intake.Expect(left[0].ticket, 2);
  intake.MarkDone(left[0].ticket);
  EXPECT_EQ(intake.undone(), 1u);
  intake.MarkDone(left[0].ticket);
  EXPECT_EQ(intake.undone(), 0u);
}

TEST_P(IntakeAtEveryPlace, WithEverythingDoneNothingIsLeft) {
  ASSERT_TRUE(Open().Append(Said(9)).ok());
  {
    Intake& intake = Open();
    for (const auto& record : intake.TakeLeftOver()) intake.MarkDone(record.ticket);
    for (int i = 0; i < 5; ++i) intake.MarkDone(*intake.Append(Said(i)));
    EXPECT_EQ(intake.undone(), 0u);
  }
  EXPECT_THAT(Open().TakeLeftOver(), IsEmpty());
}

TEST_P(IntakeAtEveryPlace, AFullOneRefusesUntilSomethingIsDone) {
  bytes_max_ = 400;
  Intake& intake = Open();
  const auto first = intake.Append(Said(0));
  ASSERT_TRUE(first.ok());
  auto last = intake.Append(Said(1));
  for (int i = 2; last.ok() && i < 10; ++i) last = intake.Append(Said(i));
  ASSERT_FALSE(last.ok());
  EXPECT_EQ(last.error().symbol, "intake_full");
  EXPECT_EQ(last.error().code, Code::kLimit);
  intake.MarkDone(*first);
  EXPECT_TRUE(intake.Append(Said(9)).ok());
}

// How many more it takes.
int Fill(Intake& intake) {
  int taken = 0;
  while (intake.Append(Said(taken)).ok()) ++taken;
  return taken;
}

TEST_P(IntakeAtEveryPlace, WhatWasLeftOverTakesRoomToo) {
  bytes_max_ = 4000;
  const int empty = Fill(Open());
  Intake& intake = Open();
  EXPECT_LT(Fill(intake), empty);
  for (const auto& record : intake.TakeLeftOver()) intake.MarkDone(record.ticket);
  EXPECT_TRUE(intake.Append(Said(2)).ok());
}

TEST_P(IntakeAtEveryPlace, ManyThreadsMayAppendAndFinish) {
  {
    Intake& intake = Open();
    std::vector<std::thread> threads;
    for (int thread = 0; thread < 4; ++thread) {
      threads.emplace_back([&intake, thread] {
        for (int i = 0; i < 100; ++i) {
          const auto ticket = intake.Append(Said(thread * 100 + i));
          ASSERT_TRUE(ticket.ok());
          if (i > 0) intake.MarkDone(*ticket);
        }
      });
    }
    for (auto& thread : threads) thread.join();
    EXPECT_EQ(intake.undone(), 4u);
  }
  const auto left = PayloadsOf(Open().TakeLeftOver());
  for (int thread = 0; thread < 4; ++thread) EXPECT_THAT(left, Contains(Said(thread * 100).payload));
}

TEST_P(IntakeAtEveryPlace, WhatAnotherKeyHasSealedIsCountedAndNotBelieved) {
  key_ = Bytes(32, 1);
  ASSERT_TRUE(Open().Append(Said(1)).ok());
  EXPECT_THAT(PayloadsOf(Open().TakeLeftOver()), ElementsAre(Said(1).payload));
  key_ = Bytes(32, 2);
  Intake& intake = Open();
  EXPECT_THAT(intake.TakeLeftOver(), IsEmpty());
  EXPECT_EQ(intake.damages(), 1u);
}

INSTANTIATE_TEST_SUITE_P(At, IntakeAtEveryPlace,
                         testing::Values(Place::kFolder, Place::kMemory, Place::kPostgres), PlaceName);

}  // namespace
}  // namespace registry::ingest
