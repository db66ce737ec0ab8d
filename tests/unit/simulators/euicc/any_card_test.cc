// Whatever an issuer may lay out on a card is read from it completely, in answers every client's buffer takes.
#include <gmock/gmock.h>
#include <rapidcheck/gtest.h>

#include "simulators/euicc/applet.h"
#include "simulators/euicc/euicc.h"
#include "simulators/euicc/tags.h"

namespace registry::sim {
namespace {

Bytes AnyId() {
  const auto size = *rc::gen::inRange<std::size_t>(1, kIdMax + 1);
  return *rc::gen::container<Bytes>(size, rc::gen::arbitrary<std::uint8_t>());
}

const P256Key& AnyPair() {
  static const P256Key pair = *P256Key::Generate();
  return pair;
}

ObjectHead AnyHead() {
  ObjectHead head;
  const auto size = *rc::gen::inRange<std::size_t>(0, kLabelMax + 1);
  head.label = *rc::gen::container<std::string>(size, rc::gen::arbitrary<char>());
  head.active = *rc::gen::inRange(0, 8) != 0;
  head.readable = *rc::gen::inRange(0, 8) != 0;
  return head;
}

KeySlot AnySlot() {
  KeySlot slot;
  slot.functions = *rc::gen::inRange<std::uint8_t>(0, 16);
  slot.foreign = *rc::gen::arbitrary<bool>();
  slot.ephemeral = *rc::gen::arbitrary<bool>();
  slot.head = AnyHead();
  if (*rc::gen::arbitrary<bool>()) return slot;
  if (slot.foreign) {
    slot.peer_point = AnyPair().point();
  } else {
    slot.pair = AnyPair();
  }
  return slot;
}

CardMemory AnyCard() {
  CardMemory memory;
  const auto keys = *rc::gen::inRange<std::size_t>(0, 24), files = *rc::gen::inRange<std::size_t>(0, 64);
  for (std::size_t i = 0; i < keys; ++i) memory.keys[AnyId()] = AnySlot();
  for (std::size_t i = 0; i < files; ++i) {
    File& file = memory.files[AnyId()];
    file.content = Bytes(*rc::gen::inRange<std::size_t>(0, 600), 0xab);
    file.head = AnyHead();
  }
  const auto secrets = *rc::gen::inRange<std::size_t>(0, 8);
  for (std::size_t i = 0; i < secrets; ++i) {
    Secret& secret = memory.secrets[AnyId()];
    secret.value = Bytes(32, 0xcd);
    secret.head = AnyHead();
  }
  RC_PRE(memory.Fits());
  return memory;
}

// One who reads a card over its contacts.
class Reader {
 public:
  explicit Reader(CardMemory& memory) : applet_(memory) {
    Say(0x70, 0x00, 0x00, {});
    RC_ASSERT(Say(0xa4, 0x04, 0x00, Bytes(kGsmaAid.begin(), kGsmaAid.end())) == 0x9000);
  }
  std::uint16_t Say(std::uint8_t ins, std::uint8_t p1, std::uint8_t p2, const Bytes& data) {
    Bytes apdu = {0x01, ins, p1, p2, static_cast<std::uint8_t>(data.size())};
    if (ins == 0x70) apdu = {0x00, 0x70, 0x00, 0x00, 0x01};
    apdu.insert(apdu.end(), data.begin(), data.end());
    if (!data.empty()) apdu.push_back(0x00);
    answer_ = applet_.Transmit(apdu);
    RC_ASSERT(answer_.size() >= 2u && answer_.size() <= 257u);
    const auto status = static_cast<std::uint16_t>(answer_[answer_.size() - 2] << 8 | answer_.back());
    RC_ASSERT(status != 0x6f00);
    answer_.erase(answer_.end() - 2, answer_.end());
    return status;
  }
  // As P11 does it: CB 01 00, then CB 01 01 as long as there is more.
  std::vector<Tlv> List() {
    std::vector<Tlv> all;
    std::uint16_t status = Say(0xcb, 0x01, 0x00, {});
    for (; status == 0x6300; status = Say(0xcb, 0x01, 0x01, {})) TakePart(all);
    RC_ASSERT(status == 0x9000);
    TakePart(all);
    return all;
  }
  Bytes File(const Bytes& id, std::size_t size) {
    Bytes content, selector;
    AppendTlv(selector, kFileId, id);
    while (content.size() < size) {
      RC_ASSERT(Say(0xb0, static_cast<std::uint8_t>(content.size() >> 8),
                    static_cast<std::uint8_t>(content.size()), selector) == 0x9000);
      content.insert(content.end(), answer_.begin(), answer_.end());
    }
    return content;
  }
  const Bytes& answer() const { return answer_; }

 private:
  void TakePart(std::vector<Tlv>& all) {
    RC_ASSERT(answer_.size() <= 240u);
    const auto part = ParseTlvs(answer_);  // only whole structures come out even
    RC_ASSERT(part.has_value());
    all.insert(all.end(), part->begin(), part->end());
  }

  Applet applet_;
  Bytes answer_;
};

constexpr std::uint16_t kRead = 0x9000, kNotGiven = 0x6985;

RC_GTEST_PROP(AnyCard, IsReadCompletely, ()) {
  CardMemory memory = AnyCard();
  Reader reader(memory);
  RC_ASSERT(reader.Say(0xcb, 0x00, 0x00, {}) == kRead);
  std::map<std::uint8_t, std::size_t> count;
  for (const Tlv& object : reader.List()) {
    ++count[object.tag];
    const auto parts = ParseTlvs(object.value);
    RC_ASSERT(parts.has_value());
    const auto id_tag = static_cast<std::uint8_t>(kFileId + (0xc3 == object.tag   ? 0
                                                             : 0xc1 == object.tag ? 1
                                                             : 0xc2 == object.tag ? 2
                                                                                  : 3));
    const Bytes* id = FindTlv(*parts, id_tag);
    RC_ASSERT(id != nullptr);
    Bytes selector;
    AppendTlv(selector, id_tag, *id);
    RC_ASSERT(reader.Say(0xcb, object.tag, 0x00, selector) == kRead);
    const auto alone = ParseTlvs(reader.answer());
    RC_ASSERT(alone.has_value() && alone->size() == 1u && alone->front().value == object.value);
    if (object.tag == 0xc3) {
      const File& file = memory.files.at(*id);
      if (file.head.active && file.head.readable) {
        RC_ASSERT(reader.File(*id, file.content.size()) == file.content);
      } else {
        RC_ASSERT(reader.Say(0xb0, 0x00, 0x00, selector) == kNotGiven);
      }
    } else if (object.tag == 0xc2) {
      const KeySlot& slot = memory.keys.at(*id);
      const bool given = !slot.point().empty() && slot.head.active && slot.head.readable;
      RC_ASSERT(reader.Say(0xcd, 0x00, 0x00, selector) == (given ? kRead : kNotGiven));
    }
  }
  const auto pairs = static_cast<std::size_t>(std::count_if(
      memory.keys.begin(), memory.keys.end(), [](const auto& key) { return !key.second.foreign; }));
  RC_ASSERT(count[0xc1] == pairs && count[0xc2] == memory.keys.size());
  RC_ASSERT(count[0xc3] == memory.files.size() && count[0xc4] == memory.secrets.size());
}

RC_GTEST_PROP(AnyCard, GeneratesWhereItMay, ()) {
  CardMemory memory = AnyCard();
  Reader reader(memory);
  for (const auto& [id, slot] : memory.keys) {
    Bytes selector;
    AppendTlv(selector, kPrivateKeyId, id);
    const bool may = (slot.functions & kMayGenerate) != 0 && slot.head.active;
    RC_ASSERT(reader.Say(0xb9, 0x00, 0x00, selector) == (slot.foreign ? 0x6a82 : may ? kRead : kNotGiven));
  }
}

class LongList : public ::testing::Test {
 protected:
  void SetUp() override {
    for (std::uint8_t i = 0; i < 20; ++i) memory_.files[{i}].content = Bytes(i, 0xab);
    for (int i = 0; i < 2; ++i) Say("0070000001");
    Say("01a4040007a0000005590010");
    Say("02a4040007a0000005590010");
  }
  std::string Say(const std::string& hex) { return ToHex(applet_.Transmit(*FromHex(hex))); }
  static bool More(const std::string& answer) { return answer.ends_with("6300"); }

  CardMemory memory_;
  Applet applet_{memory_};
};

TEST_F(LongList, EveryChannelHasItsOwn) {
  const std::string first = Say("01cb010000"), other = Say("02cb010000");
  ASSERT_TRUE(More(first));
  EXPECT_EQ(other, first);
  const std::string rest = Say("01cb010100");
  EXPECT_TRUE(rest.ends_with("9000"));
  EXPECT_EQ(Say("02cb010100"), rest);
}

TEST_F(LongList, BeginsAgainWhenAsked) {
  const std::string first = Say("01cb010000");
  EXPECT_EQ(Say("01cb010000"), first);
  EXPECT_TRUE(Say("01cb010100").ends_with("9000"));
}

TEST_F(LongList, IsContinuedOnlyWhereOneWasBegun) {
  EXPECT_EQ(Say("01cb010100"), "6a86");
  Say("01cb010000");
  Say("01cb010100");
  EXPECT_EQ(Say("01cb010100"), "6a86") << "it has ended";
  EXPECT_EQ(Say("01cb010200"), "6a86");
  Say("01cb010000");
  Say("0170800100");
  EXPECT_EQ(Say("0070000001"), "019000");
  Say("01a4040007a0000005590010");
  EXPECT_EQ(Say("01cb010100"), "6a86") << "it went with the channel";
}

TEST_F(LongList, IsOfTheCardAsItWasAtTheBeginning) {
  OtaChannel ota(memory_);
  Say("01cb010000");
  ota.Transmit(StoreDataBlocks(ClearAllScript()).front());
  const std::string rest = Say("01cb010100");
  EXPECT_TRUE(rest.starts_with("c30d830110")) << rest;
}

}  // namespace
}  // namespace registry::sim
