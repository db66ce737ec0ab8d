// What an intake makes of octets that are not what it wrote: it says so, reads what is behind them and keeps the file.
#include <gmock/gmock.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>

#include "bridge/ingest/intake.h"
#include "bridge/ingest/intake_segment.h"
#include "bridge/ledger/crc32c.h"
#include "bridge/ledger/fields.h"
#include "tests/support/temporary_folder.h"

namespace registry::ingest {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

InboundMessage Message(int number) {
  return {"registry/v1/from/mno-a/esim.register", "{\"n\":" + std::to_string(number) + "}",
          "registry/v1/to/mno-a/answers", std::string("\0\xff", 2)};
}

std::string Contents(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}
void Write(const fs::path& file, const std::string& contents) {
  std::ofstream(file, std::ios::binary | std::ios::trunc) << contents;
}

// As it was written before segments had a header.
std::string OldRecord(const InboundMessage& message) {
  std::string body;
  for (const auto* text :
       {&message.topic, &message.payload, &message.response_topic, &message.correlation_data}) {
    ledger::AppendVarint(body, text->size());
    body += *text;
  }
  std::string record;
  for (const std::size_t number : {body.size(), std::size_t{ledger::Crc32c(body)}}) {
    for (int shift = 24; shift >= 0; shift -= 8) record += static_cast<char>(number >> shift);
  }
  return record + body;
}

class IntakeDamageTest : public testing::Test {
 protected:
  IntakeDamageTest() {
    options_.folder = folder_.In("intake");
    options_.log = [this](int level, const std::string& line) {
      if (level == 3) said_.push_back(line);
    };
  }

  // The octets of the segment a dead process leaves with these commands.
  std::string LeaveBehind(const std::vector<InboundMessage>& messages) {
    const auto intake = *Intake::Open(options_);
    for (const auto& message : messages) EXPECT_TRUE(intake->Append(message).ok());
    return Contents(first());
  }
  std::string LeaveBehind(int count) {
    std::vector<InboundMessage> messages;
    for (int i = 0; i < count; ++i) messages.push_back(Message(i));
    return LeaveBehind(messages);
  }
  // Starts with this segment alone and finishes everything in it: the payloads.
  std::vector<std::string> Process(const std::string& segment) {
    fs::remove_all(options_.folder);
    fs::create_directory(options_.folder);
    fs::permissions(options_.folder, fs::perms::owner_all);
    Write(first(), segment);
    said_.clear();
    const auto intake = *Intake::Open(options_);
    std::vector<std::string> payloads;
    for (const auto& record : intake->TakeLeftOver()) {
      payloads.push_back(record.message.payload);
      intake->MarkDone(record.ticket);
    }
    damages_ = intake->damages();
    torn_ = intake->torn_records();
    return payloads;
  }
  fs::path first() const { return fs::path(options_.folder) / "intake-1"; }
  fs::path aside() const { return fs::path(options_.folder) / "intake-1.damaged"; }

  test::TemporaryFolder folder_;
  IntakeOptions options_;
  std::vector<std::string> said_;
  std::uint64_t damages_ = 0, torn_ = 0;
};

// Marker, checksum, length, every field of the body and the segment's header: whichever bit it is, it costs the record
// it is in, and nothing is silent.
TEST_F(IntakeDamageTest, AnyFlippedBitCostsAtMostItsOwnRecord) {
  const std::string whole = LeaveBehind(3);
  const std::size_t record = (whole.size() - kIntakeHeaderSize) / 3;
  for (std::size_t bit = 0; bit < whole.size() * 8; bit += 3) {
    std::string flipped = whole;
    flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ 1 << bit % 8);
    std::vector<std::string> left;
    for (std::size_t i = 0; i < 3; ++i) {
      const std::size_t from = kIntakeHeaderSize + i * record;
      if (bit / 8 < from || bit / 8 >= from + record) left.push_back(Message(static_cast<int>(i)).payload);
    }
    ASSERT_EQ(Process(flipped), left) << "bit " << bit;
    ASSERT_EQ(damages_, 1u) << "bit " << bit;
    ASSERT_EQ(torn_, 0u) << "bit " << bit;
    ASSERT_THAT(said_, ElementsAre(HasSubstr(first().string() + " is damaged from octet "))) << "bit " << bit;
    ASSERT_EQ(Contents(aside()), flipped) << "bit " << bit;
    ASSERT_FALSE(fs::exists(first()));
  }
}

TEST_F(IntakeDamageTest, TheLogLineNamesWhereItBegins) {
  std::string segment = LeaveBehind(3);
  const std::size_t record = (segment.size() - kIntakeHeaderSize) / 3;
  const std::size_t second = kIntakeHeaderSize + record;
  segment.replace(second + 30, 5, "xxxxx");
  EXPECT_THAT(Process(segment), ElementsAre(Message(0).payload, Message(2).payload));
  EXPECT_THAT(said_, ElementsAre(HasSubstr("octet " + std::to_string(second) + " on: 2 commands")));
}

TEST_F(IntakeDamageTest, ADamagedFileKeepsItsNameUntilWhatIsInItIsDone) {
  std::string segment = LeaveBehind(3);
  segment[kIntakeHeaderSize + 20] ^= 1;
  Write(first(), segment);
  for (int start = 0; start < 2; ++start) {
    const auto intake = *Intake::Open(options_);
    EXPECT_EQ(intake->TakeLeftOver().size(), 2u) << "start " << start;  // dies before they are done
    EXPECT_TRUE(fs::exists(first()));
  }
  EXPECT_EQ(Process(segment).size(), 2u);
  const auto intake = *Intake::Open(options_);
  EXPECT_EQ(intake->damages(), 0u) << "said by the start that found it";
  EXPECT_TRUE(fs::exists(aside()));
}

TEST_F(IntakeDamageTest, ADamagedFileIsNeverOverwritten) {
  std::string segment = LeaveBehind(1);
  segment[kIntakeHeaderSize + 20] ^= 1;
  EXPECT_THAT(Process(segment), IsEmpty());
  for (int i = 0; i < 3; ++i) {
    const auto intake = *Intake::Open(options_);
    for (const auto& record : intake->TakeLeftOver()) intake->MarkDone(record.ticket);
    EXPECT_TRUE(intake->Append(Message(i)).ok());
  }
  EXPECT_EQ(Contents(aside()), segment);
  EXPECT_FALSE(fs::exists(first())) << "its number is taken";
}

// What a party writes into a payload is no record, however it looks.
TEST_F(IntakeDamageTest, NothingInsideAPayloadIsTakenForARecord) {
  InboundMessage forged = Message(9);
  forged.topic = "registry/v1/from/another/device.delete";
  InboundMessage carrier = Message(1);
  carrier.payload = EncodeIntakeRecord("12345678", forged) + OldRecord(forged);
  carrier.correlation_data = carrier.payload;
  std::string segment = LeaveBehind({Message(0), carrier, Message(2)});
  const std::size_t second = segment.find(segment.substr(8, 8), kIntakeHeaderSize + 1);
  ASSERT_NE(second, segment.npos);
  for (const std::size_t octet : {0, 9, 13, 15, 40}) {
    std::string damaged = segment;
    damaged[second + octet] ^= 1;
    EXPECT_THAT(Process(damaged), ElementsAre(Message(0).payload, Message(2).payload)) << octet;
  }
}

TEST_F(IntakeDamageTest, ZerosBehindTheLastRecordAreATornEnd) {
  EXPECT_EQ(Process(LeaveBehind(2) + std::string(500, '\0')).size(), 2u);
  EXPECT_EQ(torn_, 1u);
  EXPECT_EQ(damages_, 0u);
  EXPECT_FALSE(fs::exists(aside()));
}

TEST_F(IntakeDamageTest, ASegmentOfAnOlderRegistryIsReadPastADamagedRecord) {
  const std::string one = OldRecord(Message(0)), two = OldRecord(Message(1)), three = OldRecord(Message(2));
  EXPECT_THAT(Process(one + two + three),
              ElementsAre(Message(0).payload, Message(1).payload, Message(2).payload));
  EXPECT_EQ(damages_, 0u);
  std::string flipped = two;
  flipped[50] ^= 1;
  EXPECT_THAT(Process(one + flipped + three), ElementsAre(Message(0).payload, Message(2).payload));
  EXPECT_EQ(damages_, 1u);
  EXPECT_EQ(Contents(aside()), one + flipped + three);
  flipped = two;
  flipped[1] ^= 1;  // a length of no use: what is behind is kept aside, not guessed at
  EXPECT_THAT(Process(one + flipped + three), ElementsAre(Message(0).payload));
  EXPECT_EQ(damages_, 1u);
  EXPECT_EQ(Contents(aside()), one + flipped + three);
}

TEST_F(IntakeDamageTest, AFolderThatIsOpenToOthersIsRefused) {
  LeaveBehind(1);
  for (const mode_t mode : {0755, 0777, 0710, 0701}) {
    ASSERT_EQ(::chmod(options_.folder.c_str(), mode), 0);
    const auto opened = Intake::Open(options_);
    ASSERT_FALSE(opened.ok()) << mode;
    EXPECT_EQ(opened.error().symbol, "folder_permissions");
    EXPECT_THAT(opened.error().message, HasSubstr("chmod 700 " + options_.folder));
  }
  ASSERT_EQ(::chmod(options_.folder.c_str(), 0700), 0);
  ASSERT_EQ(::chmod(first().c_str(), 0644), 0);
  ASSERT_TRUE(Intake::Open(options_).ok());
  for (const auto& file : fs::directory_iterator(options_.folder)) {
    EXPECT_EQ(file.status().permissions() & fs::perms(077), fs::perms::none) << file.path();
  }
}

TEST_F(IntakeDamageTest, AFolderOfSomebodyElseIsRefused) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root gives a folder away";
  LeaveBehind(1);
  const auto refusal = [&] { return Intake::Open(options_); };
  ASSERT_EQ(::chown(first().c_str(), 65534, 65534), 0);
  ASSERT_FALSE(refusal().ok());
  EXPECT_THAT(refusal().error().message, HasSubstr(first().string() + " belongs to user 65534"));
  ASSERT_EQ(::chown(first().c_str(), 0, 0), 0);
  ASSERT_EQ(::chown(options_.folder.c_str(), 65534, 65534), 0);
  ASSERT_FALSE(refusal().ok());
  EXPECT_THAT(refusal().error().message, HasSubstr(options_.folder + " belongs to user 65534"));
}

}  // namespace
}  // namespace registry::ingest
