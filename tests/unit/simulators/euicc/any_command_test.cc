// Whatever is said to a card, by the device or by the issuer: no private key and no secret ever leaves it, a command that is
// refused changes nothing, and every answer is one.
#include <gmock/gmock.h>
#include <rapidcheck/gtest.h>

#include "simulators/euicc/euicc.h"
#include "simulators/euicc/tags.h"
#include "tests/support/made_keys.h"

namespace registry::sim {
namespace {

// A tag with a value that often fits.
Bytes AnyField() {
  static const std::vector<Bytes> fields = {
      *FromHex("840101"),       *FromHex("840104"), *FromHex("850101"),   *FromHex("850105"),
      *FromHex("86010d"),       *FromHex("86010e"), *FromHex("830102"),   *FromHex("a10101"),
      *FromHex("a10102"),       *FromHex("a10103"), *FromHex("91020001"), *FromHex("91020002"),
      *FromHex("920104"),       *FromHex("920108"), *FromHex("9b0161"),   *FromHex("9f0161"),
      *FromHex("9d0400000040"), *FromHex("d301ff"), *FromHex("d20161"),   *FromHex("d10161"),
      *FromHex("610107"),       *FromHex("4b01a0"), *FromHex("4a0101"),   *FromHex("600101"),
      *FromHex("5003310000")};
  if (*rc::gen::inRange(0, 4) != 0) return *rc::gen::elementOf(fields);
  Bytes field;
  const auto tag =
      *rc::gen::element<std::uint8_t>(0x33, 0x34, 0x53, 0x74, 0x76, 0x83, 0x9c, 0x9e, 0xd4, 0xd5);
  const auto size = *rc::gen::element<std::size_t>(0, 1, 16, 32, 64);
  AppendTlv(field, tag, *rc::gen::container<Bytes>(size, rc::gen::arbitrary<std::uint8_t>()));
  return field;
}

Bytes AnyFields() {
  Bytes fields;
  const auto count = *rc::gen::inRange(0, 5);
  for (int i = 0; i < count; ++i) {
    const Bytes field = AnyField();
    fields.insert(fields.end(), field.begin(), field.end());
  }
  return fields;
}

Bytes AnyCommand() {
  if (*rc::gen::inRange(0, 16) == 0) return *rc::gen::arbitrary<Bytes>();
  Bytes apdu = {*rc::gen::element<std::uint8_t>(0x00, 0x01, 0x81),
                *rc::gen::element<std::uint8_t>(0x2a, 0x2b, 0x2c, 0x2d, 0xb9, 0x24, 0xd8, 0xcd, 0x46, 0x48,
                                                0x4a, 0xcb, 0xb0, 0x84, 0xc0, 0x70, 0xa4),
                *rc::gen::element<std::uint8_t>(0x00, 0x00, 0x01, 0x02, 0x80, 0xc1, 0xc2, 0xc3, 0xc4),
                *rc::gen::element<std::uint8_t>(0x00, 0x00, 0x01)};
  const Bytes data = AnyFields();
  apdu.push_back(static_cast<std::uint8_t>(data.size()));
  apdu.insert(apdu.end(), data.begin(), data.end());
  if (*rc::gen::arbitrary<bool>()) apdu.push_back(*rc::gen::element<std::uint8_t>(0x00, 0x10));
  return apdu;
}

Bytes AnyScript() {
  Bytes script;
  AppendTlv(
      script,
      *rc::gen::element<std::uint8_t>(0x70, 0x74, 0x75, 0x76, 0x77, 0x79, 0x7a, 0x7b, 0x7c, 0x7d, 0x7e, 0x7f),
      AnyFields());
  return script;
}

bool Same(const KeySlot& a, const KeySlot& b) {
  return a.functions == b.functions && a.point() == b.point() && a.pair.has_value() == b.pair.has_value() &&
         a.head.touched == b.head.touched;
}

bool Same(const CardMemory& a, const CardMemory& b) {
  const auto keys = [](const auto& one, const auto& other) {
    return one.first == other.first && Same(one.second, other.second);
  };
  const auto files = [](const auto& one, const auto& other) {
    return one.first == other.first && one.second.content == other.second.content &&
           one.second.head.touched == other.second.head.touched;
  };
  const auto secrets = [](const auto& one, const auto& other) {
    return one.first == other.first && one.second.value == other.second.value;
  };
  return std::equal(a.keys.begin(), a.keys.end(), b.keys.begin(), b.keys.end(), keys) &&
         std::equal(a.files.begin(), a.files.end(), b.files.begin(), b.files.end(), files) &&
         std::equal(a.secrets.begin(), a.secrets.end(), b.secrets.begin(), b.secrets.end(), secrets);
}

bool Done(std::uint16_t status) {
  return status == 0x9000 || status == 0x6300 || status == 0x63cf || status >> 8 == 0x61;
}

struct FieldCard {
  CardLayout layout = *FindLayout("field");
  CardMemory memory = *LayOut(layout);
  Applet applet{memory, layout};
  OtaChannel ota{memory, layout};

  FieldCard() {
    layout.habits.always_get_response = *rc::gen::arbitrary<bool>();
    memory.files[{0x02}].content = Bytes(300, 0xab);
    memory.keys.at({0x01}).pair = P256Key::Generate();
    for (const char* select : {"00a4040007a0000005590010", "01a4040007a0000005590010"})
      RC_ASSERT(ToHex(applet.Transmit(*FromHex(select))) == "9000");
  }
  bool Leaks(const Bytes& answer) const {
    const bool secret = std::any_of(memory.secrets.begin(), memory.secrets.end(), [&](const auto& entry) {
      const Bytes& value = entry.second.value;
      return value.size() >= 16 &&
             std::search(answer.begin(), answer.end(), value.begin(), value.begin() + 16) != answer.end();
    });
    return secret || test::HoldMadeKey(answer);
  }
  void Judge(const Bytes& answer, const CardMemory& before) const {
    RC_ASSERT(answer.size() >= 2u && answer.size() <= 257u);
    const auto status = static_cast<std::uint16_t>(answer[answer.size() - 2] << 8 | answer.back());
    RC_ASSERT(status != 0x6f00 && status >> 12 >= 6 && status >> 12 <= 9);
    RC_ASSERT(Done(status) || Same(before, memory));
    RC_ASSERT(!Leaks(answer));
  }
};

RC_GTEST_PROP(AnyCommand, LeavesTheCardsSecretsInTheCard, ()) {
  test::MadeKeys().clear();
  FieldCard card;
  RC_ASSERT(test::MadeKeys().size() ==
            2u);  // of the layout's and of this test's pair: they are being watched
  const auto steps = *rc::gen::inRange(1, 60);
  for (int i = 0; i < steps; ++i) {
    const CardMemory before = card.memory;
    if (*rc::gen::inRange(0, 6) != 0) {
      card.Judge(card.applet.Transmit(AnyCommand()), before);
      continue;
    }
    for (const Bytes& block : StoreDataBlocks(AnyScript())) card.Judge(card.ota.Transmit(block), before);
  }
}

// The watch above sees a key where there is one.
TEST(AnyCommand, IsWatched) {
  test::MadeKeys() = {*FromHex("000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f")};
  EXPECT_TRUE(test::HoldMadeKey(*FromHex("ff101112131415161718191a1b1c1d1e1fff")));
  EXPECT_FALSE(test::HoldMadeKey(*FromHex("ff1112131415161718191a1b1c1d1e1fff")));
}

}  // namespace
}  // namespace registry::sim
