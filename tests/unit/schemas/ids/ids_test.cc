// schemas/ids: what each standard accepts, and nothing else.
#include "schemas/ids/ids.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace registry {
namespace {

constexpr char kDevice[] = "3f0c9a52-6a1e-4d57-9b1a-2f5c7e9d1b34";

TEST(DeviceId, TextIsLowerCaseUuidVersion4) {
  ASSERT_TRUE(DeviceId::Parse(kDevice));
  EXPECT_EQ(DeviceId::Parse(kDevice)->text(), kDevice);
  for (const char* text : {"", "3F0C9A52-6A1E-4D57-9B1A-2F5C7E9D1B34", "3f0c9a52-6a1e-1d57-9b1a-2f5c7e9d1b34",
                           "3f0c9a52-6a1e-4d57-7b1a-2f5c7e9d1b34", "3f0c9a526a1e4d579b1a2f5c7e9d1b34",
                           "3f0c9a52-6a1e-4d57-9b1a-2f5c7e9d1b3", "3f0c9a52-6a1e-4d57-9b1a-2f5c7e9d1b345",
                           "3f0c9a52-6a1e-4d57-9b1a-2f5c7e9d1b3g"}) {
    EXPECT_FALSE(DeviceId::Parse(text)) << text;
  }
}

RC_GTEST_PROP(DeviceId, EveryRandomOneParses, (DeviceId::Octets random)) {
  const DeviceId id = DeviceId::FromRandom(random);
  RC_ASSERT(DeviceId::Parse(id.text()) == id);
  RC_ASSERT(DeviceId::FromOctets(id.octets()) == id);
}

TEST(DeviceId, NameInTheZone) {
  EXPECT_EQ(DeviceName(*DeviceId::Parse(kDevice), "iot.example"),
            std::string(kDevice) + "._device.iot.example");
}

// SGP.29: exactly one pair of check digits makes a number of 30 digits an EID.
RC_GTEST_PROP(Eid, OnePairOfCheckDigitsHolds, ()) {
  std::string body = *rc::gen::container<std::string>(30, rc::gen::inRange('0', static_cast<char>('9' + 1)));
  int accepted = 0;
  for (int check = 0; check < 100; ++check) {
    const std::string digits = (check < 10 ? "0" : "") + std::to_string(check);
    if (Eid::Parse(body + digits)) ++accepted;
  }
  RC_ASSERT(accepted >= 1 && accepted <= 2);  // 0..99 holds each remainder once, a few twice
}

TEST(Eid, AnyOneWrongDigitIsFound) {
  const std::string eid = "89049032005008882600000000000117";
  std::string good;
  for (int check = 0; check < 97 && good.empty(); ++check) {
    const std::string text = eid.substr(0, 30) + (check < 10 ? "0" : "") + std::to_string(check);
    if (Eid::Parse(text)) good = text;
  }
  ASSERT_FALSE(good.empty());
  for (std::size_t i = 0; i < good.size(); ++i) {
    std::string wrong = good;
    wrong[i] = wrong[i] == '9' ? '0' : static_cast<char>(wrong[i] + 1);
    EXPECT_FALSE(Eid::Parse(wrong)) << i;
  }
  EXPECT_FALSE(Eid::Parse(good + "0"));
  EXPECT_FALSE(Eid::Parse(good.substr(1)));
}

TEST(Iccid, LuhnAndPrefix) {
  EXPECT_TRUE(Iccid::Parse("8944500102198304826"));   // 19 digits
  EXPECT_FALSE(Iccid::Parse("8944500102198304827"));  // check digit
  EXPECT_FALSE(Iccid::Parse("8944500102198304862"));  // neighbours swapped
  EXPECT_FALSE(Iccid::Parse("7944500102198304827"));  // not telecommunications
  EXPECT_FALSE(Iccid::Parse("894450010219830482"));   // 18 digits
  EXPECT_FALSE(Iccid::Parse("89445001021983048 6"));
}

TEST(PartyId, CannotBreakATopic) {
  for (const char* text : {"mno-a", "a", "0", "asp-1-b"}) EXPECT_TRUE(PartyId::Parse(text)) << text;
  for (const char* text : {"", "-a", "A", "a/b", "a+", "#", "a b", "a.b", "mno_a", "\xc3\xa4"}) {
    EXPECT_FALSE(PartyId::Parse(text)) << text;
  }
  EXPECT_TRUE(PartyId::Parse(std::string(32, 'a')));
  EXPECT_FALSE(PartyId::Parse(std::string(33, 'a')));
}

TEST(EventId, VisibleAsciiUpTo128) {
  EXPECT_TRUE(EventId::Parse("!~\"\\"));
  EXPECT_TRUE(EventId::Parse(std::string(128, 'x')));
  EXPECT_FALSE(EventId::Parse(std::string(129, 'x')));
  for (const char* text : {"", "a b", "a\n", "\x7f", "\xc3\xa4"}) EXPECT_FALSE(EventId::Parse(text));
}

TEST(DomainName, LowerCaseLabels) {
  for (const char* text : {"a", "_8883._tcp.mqtt.asp-a.test", "xn--4ca.example", "1.2"}) {
    EXPECT_TRUE(ValidDomainName(text)) << text;
  }
  for (const char* text :
       {"", ".", "a.", ".a", "a..b", "A", "-a", "a-", "_", "__a", "a_b", "a b", "\xc3\xa4"}) {
    EXPECT_FALSE(ValidDomainName(text)) << text;
  }
  EXPECT_TRUE(ValidDomainName(std::string(63, 'a')));
  EXPECT_FALSE(ValidDomainName(std::string(64, 'a')));
  EXPECT_FALSE(
      ValidDomainName("_" + std::string(63, 'a')));  // RFC 1035 §2.3.4: 63 octets with the underscore
  std::string long_name = "a";
  while (long_name.size() < 253) long_name += ".a";
  EXPECT_TRUE(ValidDomainName(long_name));
  EXPECT_FALSE(ValidDomainName(long_name + "a.a"));
}

}  // namespace
}  // namespace registry
