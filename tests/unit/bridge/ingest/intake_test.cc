// What the intake promises: what was appended and not done comes back, in order, whatever the end of the file is.
#include "bridge/ingest/intake.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <thread>

#include "bridge/ingest/intake_seal.h"
#include "bridge/ingest/intake_segment.h"
#include "tests/support/temporary_folder.h"

namespace registry::ingest {
namespace {

namespace fs = std::filesystem;
using testing::IsEmpty;
using testing::SizeIs;

InboundMessage Message(int number) {
  return {"registry/v1/from/mno-a/esim.register", "{\"n\":" + std::to_string(number) + "}",
          "registry/v1/to/mno-a/answers", std::string("\0\xff", 2)};
}

class IntakeTest : public testing::Test {
 protected:
  IntakeTest() { options_.folder = folder_.In("intake"); }

  std::unique_ptr<Intake> Open() { return *Intake::Open(options_); }
  std::vector<fs::path> Segments() {
    std::vector<fs::path> segments;
    for (const auto& file : fs::directory_iterator(options_.folder)) {
      if (file.path().filename() != "LOCK") segments.push_back(file.path());
    }
    std::sort(segments.begin(), segments.end());
    return segments;
  }
  static std::vector<std::string> Payloads(const std::vector<Intake::Record>& records) {
    std::vector<std::string> payloads;
    for (const auto& record : records) payloads.push_back(record.message.payload);
    return payloads;
  }
  // Appends `count` messages and dies without finishing any.
  void LeaveBehind(int count) {
    const auto intake = Open();
    for (int i = 0; i < count; ++i) ASSERT_TRUE(intake->Append(Message(i)).ok());
  }

  test::TemporaryFolder folder_;
  IntakeOptions options_;
};

TEST_F(IntakeTest, GivesBackWhatWasNotDoneInOrder) {
  {
    const auto intake = Open();
    EXPECT_THAT(intake->TakeLeftOver(), IsEmpty());
    std::vector<Intake::Ticket> tickets;
    for (int i = 0; i < 5; ++i) tickets.push_back(*intake->Append(Message(i)));
    intake->MarkDone(tickets[1]);
    EXPECT_EQ(intake->undone(), 4u);
  }
  const auto intake = Open();
  const auto left = intake->TakeLeftOver();
  // A segment goes as a whole; a command done twice is told from its identity.
  ASSERT_THAT(left, SizeIs(5));
  EXPECT_EQ(left[0].message.topic, Message(0).topic);
  EXPECT_EQ(left[4].message.payload, Message(4).payload);
  EXPECT_EQ(left[4].message.response_topic, Message(4).response_topic);
  EXPECT_EQ(left[4].message.correlation_data, Message(4).correlation_data);
  EXPECT_THAT(intake->TakeLeftOver(), IsEmpty()) << "once";
}

TEST_F(IntakeTest, KeepsHowTheEventWasPutIntoTheMessage) {
  InboundMessage binary = Message(0), other = Message(1);
  binary.mode = wire::ContentMode::kBinary;
  binary.id_property = "an-id";
  other.mode = wire::ContentMode::kOtherFormat;
  {
    const auto intake = Open();
    for (const auto& message : {binary, other, Message(2)}) ASSERT_TRUE(intake->Append(message).ok());
  }
  const auto left = Open()->TakeLeftOver();
  ASSERT_THAT(left, SizeIs(3));
  EXPECT_EQ(left[0].message.mode, binary.mode);
  EXPECT_EQ(left[0].message.id_property, "an-id");
  EXPECT_EQ(left[0].message.correlation_data, binary.correlation_data);
  EXPECT_EQ(left[1].message.mode, other.mode);
  EXPECT_EQ(left[1].message.id_property, "");
  EXPECT_EQ(left[2].message.mode, wire::ContentMode::kStructured);
}

TEST_F(IntakeTest, AMessageOfManyCommandsIsDoneWithTheLastOfThem) {
  InboundMessage batch = Message(0);
  batch.mode = wire::ContentMode::kBatch;
  {
    const auto intake = Open();
    const Intake::Ticket ticket = *intake->Append(batch);
    intake->Expect(ticket, 3);
    intake->MarkDone(ticket);
    intake->MarkDone(ticket);
    EXPECT_EQ(intake->undone(), 1u);
  }
  const auto intake = Open();
  const auto left = intake->TakeLeftOver();
  ASSERT_THAT(left, SizeIs(1)) << "the whole comes back for its last command";
  EXPECT_EQ(left[0].message.mode, batch.mode);
  EXPECT_EQ(left[0].message.payload, batch.payload);
  intake->Expect(left[0].ticket, 2);
  intake->MarkDone(left[0].ticket);
  EXPECT_EQ(intake->undone(), 1u);
  intake->MarkDone(left[0].ticket);
  EXPECT_EQ(intake->undone(), 0u);
}

TEST_F(IntakeTest, WithEverythingDoneNothingIsLeft) {
  {
    const auto intake = Open();
    for (int i = 0; i < 5; ++i) intake->MarkDone(*intake->Append(Message(i)));
    EXPECT_EQ(intake->undone(), 0u);
  }
  EXPECT_THAT(Open()->TakeLeftOver(), IsEmpty());
}

TEST_F(IntakeTest, ASegmentGoesWhenItsLastRecordIsDone) {
  options_.segment_bytes = 300;
  const auto intake = Open();
  std::vector<Intake::Ticket> tickets;
  for (int i = 0; i < 20; ++i) tickets.push_back(*intake->Append(Message(i)));
  const std::size_t full = Segments().size();
  EXPECT_GT(full, 4u);
  for (int i = 0; i < 10; ++i) intake->MarkDone(tickets[static_cast<std::size_t>(i)]);
  EXPECT_LT(Segments().size(), full);
  for (int i = 19; i >= 10; --i) intake->MarkDone(tickets[static_cast<std::size_t>(i)]);
  EXPECT_THAT(Segments(), SizeIs(1)) << "the one being written";
}

TEST_F(IntakeTest, LeftOversGoWithTheirSegment) {
  LeaveBehind(3);
  const auto intake = Open();
  const auto left = intake->TakeLeftOver();
  for (const auto& record : left) intake->MarkDone(record.ticket);
  EXPECT_THAT(Segments(), SizeIs(1));
  EXPECT_EQ(intake->undone(), 0u);
}

TEST_F(IntakeTest, ATornEndAtAnyOctetCostsOnlyTheLastRecord) {
  LeaveBehind(3);
  const fs::path segment = Segments().at(0);
  const auto whole = fs::file_size(segment);
  for (std::uintmax_t cut = 1; cut < (whole - kIntakeHeaderSize) / 3; ++cut) {
    fs::resize_file(segment, whole - cut);
    const auto intake = Open();
    EXPECT_EQ(intake->torn_records(), 1u);
    ASSERT_THAT(Payloads(intake->TakeLeftOver()),
                testing::ElementsAre(Message(0).payload, Message(1).payload));
  }
}

TEST_F(IntakeTest, AFullIntakeRefusesUntilSomethingIsDone) {
  options_.bytes_max = 300;
  const auto intake = Open();
  const auto first = intake->Append(Message(0));
  ASSERT_TRUE(first.ok());
  auto last = intake->Append(Message(1));
  for (int i = 2; last.ok() && i < 10; ++i) last = intake->Append(Message(i));
  ASSERT_FALSE(last.ok());
  EXPECT_EQ(last.error().symbol, "intake_full");
  EXPECT_EQ(last.error().code, Code::kLimit);
  intake->MarkDone(*first);
  EXPECT_TRUE(intake->Append(Message(9)).ok());
}

TEST_F(IntakeTest, TheFolderBelongsToOneProcess) {
  const auto intake = Open();
  const auto second = Intake::Open(options_);
  ASSERT_FALSE(second.ok());
  EXPECT_EQ(second.error().symbol, "intake_failed");
  EXPECT_EQ(fs::status(options_.folder).permissions() & fs::perms::others_all, fs::perms::none);
}

TEST_F(IntakeTest, ManyThreadsMayAppendAndFinish) {
  options_.segment_bytes = 2000;
  {
    const auto intake = Open();
    std::vector<std::thread> threads;
    for (int thread = 0; thread < 4; ++thread) {
      threads.emplace_back([&, thread] {
        for (int i = 0; i < 200; ++i) {
          const auto ticket = intake->Append(Message(thread * 200 + i));
          ASSERT_TRUE(ticket.ok());
          if (i > 0) intake->MarkDone(*ticket);
        }
      });
    }
    for (auto& thread : threads) thread.join();
    EXPECT_EQ(intake->undone(), 4u);
  }
  const auto intake = Open();
  const auto left = Payloads(intake->TakeLeftOver());
  EXPECT_EQ(intake->torn_records(), 0u);
  for (int thread = 0; thread < 4; ++thread)
    EXPECT_THAT(left, testing::Contains(Message(thread * 200).payload));
}

// ---- sealed

std::string OctetsOf(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  return std::string(std::istreambuf_iterator<char>(in), {});
}

TEST_F(IntakeTest, WithAKeyNoFileHoldsWhatWasSaid) {
  const std::string said = "{\"n\":2}";
  LeaveBehind(3);
  EXPECT_NE(OctetsOf(Segments().at(0)).find(said), std::string::npos) << "without one it does";
  options_.key = Bytes(32, 1);
  EXPECT_THAT(Payloads(Open()->TakeLeftOver()), SizeIs(3)) << "what was not sealed is read";
  {
    const auto intake = Open();
    for (const auto& record : intake->TakeLeftOver()) intake->MarkDone(record.ticket);
    for (int i = 0; i < 3; ++i) ASSERT_TRUE(intake->Append(Message(i)).ok());
    for (const auto& file : Segments()) EXPECT_EQ(OctetsOf(file).find(said), std::string::npos) << file;
  }
  for (int run = 0; run < 2; ++run) {  // under the run's own key and under an earlier one's
    const auto intake = Open();
    EXPECT_THAT(Payloads(intake->TakeLeftOver()), testing::ElementsAre("{\"n\":0}", "{\"n\":1}", said));
    EXPECT_EQ(intake->damages(), 0u);
  }
}

TEST_F(IntakeTest, WhatAnotherKeyHasSealedIsSaidAndKeptAside) {
  options_.key = Bytes(32, 1);
  LeaveBehind(2);
  options_.key = Bytes(32, 2);
  {
    const auto intake = Open();
    EXPECT_THAT(intake->TakeLeftOver(), IsEmpty());
    EXPECT_EQ(intake->damages(), 2u);
  }
  options_.key.clear();
  EXPECT_THAT(Open()->TakeLeftOver(), IsEmpty());
}

TEST_F(IntakeTest, ACopyHoldsWhatIsUndoneWhateverHappensToTheIntakeMeanwhile) {
  options_.key = Bytes(32, 1);
  const auto intake = Open();
  std::vector<Intake::Ticket> tickets;
  for (int i = 0; i < 6; ++i) tickets.push_back(*intake->Append(Message(i)));
  intake->MarkDone(tickets[1]);
  ASSERT_TRUE(intake->CopyTo(folder_.In("copy")).ok());
  for (int i = 6; i < 9; ++i) tickets.push_back(*intake->Append(Message(i)));
  for (const Intake::Ticket ticket : tickets) intake->MarkDone(ticket);
  IntakeOptions copied = options_;
  copied.folder = folder_.In("copy");
  const auto copy = Intake::Open(copied);
  ASSERT_TRUE(copy.ok()) << copy.error().message;
  // What is done stays in a file beside what is not; to do it again is harmless.
  EXPECT_THAT(Payloads((*copy)->TakeLeftOver()), testing::ElementsAre("{\"n\":0}", "{\"n\":1}", "{\"n\":2}",
                                                                      "{\"n\":3}", "{\"n\":4}", "{\"n\":5}"));
  EXPECT_EQ((*copy)->damages(), 0u);
  EXPECT_EQ((*copy)->torn_records(), 0u);
}

TEST_F(IntakeTest, ACopyOfAnIntakeWithNothingToDoIsEmpty) {
  const auto intake = Open();
  intake->MarkDone(*intake->Append(Message(1)));
  ASSERT_TRUE(intake->CopyTo(folder_.In("copy")).ok());
  EXPECT_TRUE(fs::is_empty(folder_.In("copy")));
  EXPECT_TRUE(intake->Append(Message(2)).ok());
}

TEST(IntakeSeal, OpensWhatItSealedAndNothingThatWasTouched) {
  IntakeSeal seal(Bytes(32, 1));
  for (const std::string& payload : {std::string(), std::string("x"), std::string(100'000, '\xff')}) {
    const std::string sealed = seal.Seal(payload);
    EXPECT_TRUE(IntakeSeal::IsSealed(sealed));
    EXPECT_EQ(IntakeSeal(Bytes(32, 1)).Open(sealed), payload);
    EXPECT_NE(seal.Seal(payload), sealed) << "no nonce comes again";
    for (const std::size_t at : {std::size_t{8}, std::size_t{30}, sealed.size() - 1}) {
      std::string touched = sealed;
      touched[at] = static_cast<char>(touched[at] ^ 1);
      EXPECT_EQ(seal.Open(touched), std::nullopt) << at;
    }
    EXPECT_EQ(seal.Open(sealed.substr(0, sealed.size() - 1)), std::nullopt);
  }
}

}  // namespace
}  // namespace registry::ingest
