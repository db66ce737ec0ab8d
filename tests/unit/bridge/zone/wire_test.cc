#include "bridge/zone/wire.h"

#include <gtest/gtest.h>

#include <random>

namespace registry::zone {
namespace {

TEST(WireTest, Rfc4034_6_2_NamesAreHeldInLowerCase) {
  const auto name = NameFromText("Ns1.IoTRegistry.test.");
  ASSERT_TRUE(name.has_value());
  EXPECT_EQ(NameToText(*name), "ns1.iotregistry.test");
  EXPECT_EQ(LabelCount(*name), 3);
  EXPECT_EQ(*NameFromText("."), Name{0});
}

TEST(WireTest, Rfc1035_2_3_4_LimitsOfLabelsAndNames) {
  EXPECT_TRUE(NameFromText(std::string(63, 'a')).has_value());
  EXPECT_FALSE(NameFromText(std::string(64, 'a')).has_value());
  std::string longest;
  for (int i = 0; i < 4; ++i) longest += std::string(i == 3 ? 61 : 63, 'a') + (i == 3 ? "" : ".");
  EXPECT_TRUE(NameFromText(longest).has_value());
  EXPECT_EQ(NameFromText(longest)->size(), 255u);
  EXPECT_FALSE(NameFromText(longest + "a").has_value());
  for (const char* bad : {"", "..", "a..b", ".a", "a b", "a\\.b"})
    EXPECT_FALSE(NameFromText(bad).has_value()) << bad;
}

TEST(WireTest, PrefixInTheZoneAndOutsideIt) {
  const Name zone = *NameFromText("iot.test");
  EXPECT_EQ(PrefixIn(zone, zone), Bytes{});
  EXPECT_EQ(PrefixIn(*NameFromText("a.iot.test"), zone), (Bytes{1, 'a'}));
  EXPECT_FALSE(PrefixIn(*NameFromText("test"), zone).has_value());
  EXPECT_FALSE(PrefixIn(*NameFromText("xiot.test"), zone).has_value());
}

TEST(WireTest, Rfc1035_4_1_4_CompressionPointsStrictlyBackward) {
  const Bytes message{3, 'T', 'e', 'S', 0, 1, 'a', 0xc0, 0x00};
  Reader reader(message, 5);
  Name name;
  ASSERT_TRUE(reader.ReadName(name));
  EXPECT_EQ(NameToText(name), "a.tes");
  EXPECT_EQ(reader.left(), 0u);
  for (const Bytes& loop : {Bytes{0xc0, 0x00}, Bytes{1, 'a', 0xc0, 0x00}, Bytes{0xc0, 0x02, 0xc0, 0x00},
                            Bytes{0xc0}, Bytes{0x80, 1}, Bytes{5, 'a'}}) {
    Reader hostile(loop);
    EXPECT_FALSE(hostile.ReadName(name));
  }
}

TEST(WireTest, ReaderNeverLeavesItsOctets) {
  std::mt19937 random(1);
  for (int round = 0; round < 20'000; ++round) {
    Bytes octets(random() % 40);
    for (auto& octet : octets) octet = static_cast<std::uint8_t>(random() % 4 == 0 ? 0xc0 : random());
    Reader reader(octets);
    Name name;
    std::uint16_t value = 0;
    while (reader.ReadName(name) && reader.U16(value)) EXPECT_LE(name.size(), kNameMax);
    EXPECT_LE(reader.at(), octets.size());
  }
}

TEST(WireTest, Rfc1982_SerialArithmetic) {
  EXPECT_TRUE(SerialAhead(1, 0));
  EXPECT_TRUE(SerialAhead(0, 0xffffffffu));
  EXPECT_TRUE(SerialAhead(0x7fffffffu, 0));
  EXPECT_FALSE(SerialAhead(0x80000000u, 0));
  EXPECT_FALSE(SerialAhead(5, 5));
  EXPECT_FALSE(SerialAhead(4, 5));
}

}  // namespace
}  // namespace registry::zone
