// What a parcel writes on a card is what the device's software reads from it.
#include "simulators/ota/parcel.h"

#include <gtest/gtest.h>

#include "simulators/euicc/euicc.h"
#include "simulators/ota/keys.h"

namespace registry::sim::ota {
namespace {

using nlohmann::json;

class ParcelTest : public ::testing::Test {
 protected:
  std::string Write(const Bytes& script) {
    std::string last;
    card_->ota().Transmit(InstallForPersonalization());
    for (const Bytes& block : StoreDataBlocks(script)) last = ToHex(card_->ota().Transmit(block));
    return last;
  }
  json Read() {
    return FrameFromCard([&](std::uint8_t file) -> std::optional<Bytes> {
      Bytes answer = ReadInParts(file);
      if (answer.empty()) return std::nullopt;
      return answer;
    });
  }
  Bytes ReadInParts(std::uint8_t file) {
    if (!open_) {
      card_->applet().Transmit(*FromHex("0070000001"));
      card_->applet().Transmit(*FromHex("01a4040007a0000005590010"));
      open_ = true;
    }
    Bytes content;
    while (true) {
      Bytes part =
          card_->applet().Transmit({0x01, 0xb0, static_cast<std::uint8_t>(content.size() >> 8),
                                    static_cast<std::uint8_t>(content.size()), 0x03, 0x83, 0x01, file, 0x00});
      if (part[part.size() - 2] != 0x90) return content;
      content.insert(content.end(), part.begin(), part.end() - 2);
      if (part.size() < 257) return content;
    }
  }
  const json action_{{"version", 3},
                     {"cms", ToBase64(Bytes(2500, 0x31))},
                     {"containers",
                      {{{"id", "06"}, {"content", ToBase64(Bytes(435, 0x06))}},
                       {{"id", "02"}, {"content", ToBase64(Bytes(410, 0x02))}}}}};
  std::unique_ptr<Euicc> card_ = Euicc::Make();
  bool open_ = false;
};

TEST_F(ParcelTest, IsReadAsTheFrameThatWasSent) {
  ASSERT_EQ(Write(PayloadParcel("job-1", action_)->script), "9000");
  json expected = action_;
  expected["t"] = "payload";
  expected["job"] = "job-1";
  EXPECT_EQ(Read(), expected);
}

TEST_F(ParcelTest, WithoutFilesThePilotsFilesGo) {
  ASSERT_EQ(Write(PayloadParcel("job-1", action_)->script), "9000");
  json action = action_;
  action["containers"] = json::array();
  ASSERT_EQ(Write(PayloadParcel("job-2", action)->script), "9000");
  EXPECT_EQ(Read()["containers"], json::array());
  EXPECT_TRUE(ReadInParts(0x02).empty());
}

// Also on a card that carries a script out command by command, and loses its power between any two.
TEST_F(ParcelTest, TheFilesComeInTheSafeOrder) {
  json action = action_;
  const json mark = {{"id", "0F"}, {"content", ToBase64(Bytes(9, 0x0f))}};
  action["containers"].insert(action["containers"].begin() + 1, mark);
  Bytes expected = RemoveFileScript(0x02);
  for (const auto& [file, size] :
       std::vector<std::pair<std::uint8_t, int>>{{0x06, 435}, {0x0f, 9}, {0x02, 410}}) {
    const Bytes write = WriteFileScript(file, Bytes(static_cast<std::size_t>(size), file));
    expected.insert(expected.end(), write.begin(), write.end());
  }
  const Bytes script = PayloadParcel("job-1", action)->script;
  ASSERT_GT(script.size(), expected.size());
  EXPECT_EQ(Bytes(script.begin(), script.begin() + std::ssize(expected)), expected);
}

TEST_F(ParcelTest, WithoutFilesTheMarkGoesAsWell) {
  json action = action_;
  action["containers"].push_back({{"id", "0F"}, {"content", ToBase64(Bytes(9, 0x0f))}});
  ASSERT_EQ(Write(PayloadParcel("job-1", action)->script), "9000");
  EXPECT_FALSE(ReadInParts(0x0f).empty());
  action["containers"] = json::array();
  ASSERT_EQ(Write(PayloadParcel("job-2", action)->script), "9000");
  EXPECT_TRUE(ReadInParts(0x0f).empty());
}

TEST_F(ParcelTest, AWipeLeavesItsHeadOnly) {
  ASSERT_EQ(Write(PayloadParcel("job-1", action_)->script), "9000");
  ASSERT_EQ(Write(WipeParcel("job-2").script), "9000");
  EXPECT_EQ(Read(), (json{{"t", "wipe"}, {"job", "job-2"}}));
  EXPECT_TRUE(ReadInParts(kPayloadFile).empty());
}

TEST_F(ParcelTest, RoomCanBeMadeTwice) {
  ASSERT_EQ(Write(PayloadParcel("job-1", action_)->script), "9000");
  EXPECT_EQ(Write(MakeRoomScript()), "9000");
  EXPECT_EQ(Write(MakeRoomScript()), "9000");
  EXPECT_TRUE(Read().is_null());
  EXPECT_FALSE(ReadInParts(0x02).empty()) << "the pilot's files stay";
}

TEST_F(ParcelTest, WhatIsNoActionIsNoParcel) {
  for (const char* member : {"cms", "containers"}) {
    json action = action_;
    action[member] = 7;
    EXPECT_FALSE(PayloadParcel("job", action).has_value()) << member;
  }
  json action = action_;
  action["containers"][0]["id"] = "0606";
  EXPECT_FALSE(PayloadParcel("job", action).has_value());
}

TEST(KeysTest, AreReadOrNamed) {
  json keys{{"version", 3}, {"checksum_octets", 4}};
  for (const char* name : {"kic", "kid", "kik", "psk"}) keys[name] = "000102030405060708090a0b0c0d0e0f";
  EXPECT_EQ(ReadKeys(keys)->version, 3);
  EXPECT_EQ(ReadKeys(keys)->checksum_octets, 4u);
  const std::pair<const char*, json> wrong[] = {{"version", 16},        {"version", 0}, {"version", "1"},
                                                {"checksum_octets", 5}, {"kic", "00"},  {"kid", 1},
                                                {"psk", nullptr}};
  for (const auto& [name, value] : wrong) {
    json changed = keys;
    changed[name] = value;
    const auto read = ReadKeys(changed);
    ASSERT_FALSE(read.ok()) << name;
    EXPECT_NE(read.error().message.find(name), std::string::npos);
    EXPECT_EQ(read.error().message.find("0001"), std::string::npos) << "no key in a message";
  }
}

}  // namespace
}  // namespace registry::sim::ota
