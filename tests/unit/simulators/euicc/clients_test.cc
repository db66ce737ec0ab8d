// What clients written by others say, octet by octet, to a card laid out as `field`, and what they need to hear: to the card
// itself, through an AT modem on a pseudo-terminal, and in a PC/SC reader.
#include <gtest/gtest.h>

#include <mutex>

#include "simulators/terminal/modem_port.h"
#include "simulators/terminal/pty_modem.h"
#include "simulators/terminal/vpcd_card.h"
#include "tests/support/temporary_folder.h"
#include "tests/support/virtual_reader.h"
#include "tests/unit/simulators/euicc/conversation.h"

namespace registry::sim {
namespace {

constexpr const char* kHelloDigest = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824";

enum class Door { kContacts, kModem, kReader };

class BehindDoor : public Conversation {
 public:
  BehindDoor(Door door, CardLayout layout) : Conversation(std::move(layout)), port_(*this) {
    if (door == Door::kModem) OpenModem();
    if (door == Door::kReader) OpenReader();
  }

 private:
  // On the door's thread; one command at a time.
  class Port : public CardPort {
   public:
    explicit Port(BehindDoor& card) : card_(card) {}
    Bytes Transmit(const Bytes& apdu) override {
      const std::lock_guard lock(mutex_);
      return card_.applet().Transmit(apdu);
    }
    void Reset() override { card_.applet().Reset(); }

   private:
    BehindDoor& card_;
    std::mutex mutex_;
  };

  void OpenModem() {
    modem_ = *PtyModem::Start(folder_.In("modem"), port_, {});
    modem_port_ = *ModemPort::Open(folder_.In("modem"), std::chrono::seconds(10));
    Through([this](const Bytes& apdu) { return modem_port_->Transmit(apdu); });
  }
  void OpenReader() {
    reader_ = std::make_unique<registry::test::VirtualReader>();
    in_reader_ = *VpcdCard::Start(reader_->address(), port_, [](bool) {});
    REG_CHECK(reader_->Insert());
    Through([this](const Bytes& apdu) { return FromHex(reader_->Say(ToHex(apdu))).value_or(Bytes{}); });
  }

  Port port_;
  const registry::test::TemporaryFolder folder_;
  std::unique_ptr<PtyModem> modem_;
  std::unique_ptr<ModemPort> modem_port_;
  std::unique_ptr<registry::test::VirtualReader> reader_;
  std::unique_ptr<VpcdCard> in_reader_;
};

class ForeignClient : public ::testing::TestWithParam<Door> {};
std::string DoorName(const ::testing::TestParamInfo<Door>& info) {
  if (info.param == Door::kContacts) return "Contacts";
  return info.param == Door::kModem ? "Modem" : "Reader";
}
INSTANTIATE_TEST_SUITE_P(Behind, ForeignClient,
                         ::testing::Values(Door::kContacts, Door::kModem, Door::kReader), DoorName);

// CIRA's pilot: every call opens a channel, selects, does one thing and closes; it reads eight parts of 255 octets of every
// file, however long the file is, and ends when one is refused or empty.
TEST_P(ForeignClient, PilotMiddlewareReadsOnBehindTheEndOfEveryFile) {
  BehindDoor card(GetParam(), *FindLayout("field"));
  const Bytes certificate(566, 0x30);
  ASSERT_EQ(card.Write(0x02, certificate), "9000");
  std::string read;
  for (const std::string offset : {"0000", "00ff", "01fe", "02fd", "03fc", "04fb", "05fa", "06f9"}) {
    ASSERT_EQ(card.Say("0070000001"), "019000");
    ASSERT_EQ(card.Say("01a4040007a0000002480400"), "9000");
    const std::string part = card.Say("01b0" + offset + "0383010200");
    ASSERT_EQ(part.size(), 2 * 257u) << offset;
    read += part.substr(0, 510);
    ASSERT_EQ(card.Say("0170800100"), "9000");
  }
  EXPECT_EQ(read, ToHex(certificate) + std::string(2 * (2040 - 566), '0'));
  card.Say("0070000001");
  card.Say("01a4040007a0000002480400");
  EXPECT_EQ(card.Say("01b000000383010900"), "6a82") << "\"not provisioned\" must be told";
  EXPECT_EQ(card.Say("01b002360383010204"), "000000009000");
}

TEST_P(ForeignClient, PilotMiddlewareNoOtherNameIsPadded) {
  BehindDoor card(GetParam(), *FindLayout("field"));
  ASSERT_EQ(card.Write(0x02, Bytes(5, 0x30)), "9000");
  for (const std::string name : {"07a0000005590010", "0fa00000003053f12401770101495341"}) {
    ASSERT_EQ(card.Say("01a40400" + name), "9000");
    EXPECT_EQ(card.Say("01b000000383010200"), "30303030309000");
    EXPECT_EQ(card.Say("01b000050383010200"), "6a86");
  }
}

TEST_P(ForeignClient, PilotMiddlewareRecoversFromASignatureThatWasLeft) {
  BehindDoor card(GetParam(), *FindLayout("field"));
  card.Say("01a4040007a0000005590010");
  card.Generate();
  ASSERT_EQ(card.Say("01a4040007a0000002480400"), "9000");
  ASSERT_EQ(card.Say("012a00000d840101a1010391020001920104"), "9000");
  EXPECT_EQ(card.Say("012b9000069b040102030400"), "6a86");
  EXPECT_EQ(card.Say("012a00000d840101a1010391020001920104"), "9000");
  EXPECT_EQ(card.Say("012b8000229e20" + std::string(kHelloDigest) + "00").substr(0, 4), "3340");
}

TEST_P(ForeignClient, ThalesRunsItsUnitTests) {
  BehindDoor card(GetParam(), *FindLayout("field"));
  ASSERT_EQ(card.Say("00a404000fa00000003053f12401770101495341"), "9000") << "on the basic channel";
  EXPECT_EQ(card.Say("00b900000384010400").substr(0, 24), "840104850104344549438641");
  EXPECT_EQ(card.Say("002400000385010500"), "9000");
  const auto peer = P256Key::Generate();
  ASSERT_TRUE(peer);
  EXPECT_EQ(card.Say("00d8800047344549438641" + ToHex(peer->point()) + "00"), "9000");
  EXPECT_EQ(card.Say("004600000684010485010500").size(), 2 * 34u);
  EXPECT_EQ(card.Say("004800005dd120" + Conversation::Repeated("11", 32) + "d236" +
                     Conversation::Repeated("22", 54) + "d301ff00")
                .size(),
            2 * 257u);
  for (const std::string number : {"00", "01", "02", "03", "04", "05"})
    EXPECT_EQ(card.Say("002a01" + number + "00"), "6a86") << "it closes all sessions there may be";
}

// P11 reads the list in parts, takes tag 92 for "may sign", and is killed by an empty slot of type 13.
TEST_P(ForeignClient, ThalesPkcs11FindsWhatItLooksForInTheList) {
  BehindDoor card(GetParam(), *FindLayout("field"));
  for (std::uint8_t file = 2; file <= 10; ++file) {
    if (file == 4 || file == 5) continue;
    ASSERT_EQ(card.Write(file, Bytes(70, 0x30)), "9000");
  }
  ASSERT_EQ(card.Say("0070000001"), "019000");
  ASSERT_EQ(card.Say("01a404000fa00000003053f1240177010149534100"), "9000");
  card.Generate();
  std::string list, part = card.Say("01cb010000");
  int parts = 1;
  for (; part.ends_with("6300"); part = card.Say("01cb010100"), ++parts)
    list += part.substr(0, part.size() - 4);
  ASSERT_TRUE(part.ends_with("9000"));
  list += part.substr(0, part.size() - 4);
  EXPECT_GT(parts, 1);
  const auto objects = ParseTlvs(*FromHex(list));
  ASSERT_TRUE(objects.has_value());
  int certificates = 0, signing = 0;
  for (const Tlv& object : *objects) {
    const auto about = *ParseTlvs(object.value);
    if (object.tag == 0xc3 && FindTlv(about, 0x21) != nullptr && FindTlv(about, 0x21)->front() == 2) {
      EXPECT_NE(FindTlv(about, 0x73), nullptr) << "one without a label is its end";
      ++certificates;
    }
    if (object.tag != 0xc1) continue;
    const bool empty = FindTlv(about, 0x4a)->front() == 0;
    EXPECT_EQ(FindTlv(about, 0x4b)->front(), empty || FindTlv(about, 0x84)->front() == 4 ? 0x14 : 0x13);
    if (FindTlv(about, 0x92) != nullptr && !empty) ++signing;
  }
  EXPECT_EQ(certificates, 4);
  EXPECT_EQ(signing, 1);
  // An AES key is known by AES-CMAC in tag 92, whatever its type, unless that is A0.
  EXPECT_NE(card.Say("01cbc4000386010e").find("920108"), std::string::npos);
  EXPECT_EQ(card.Say("01cbc4000386010d").find("9201"), std::string::npos) << "an HMAC secret";
}

TEST_P(ForeignClient, OrangeVerifiesAndReadsInThirtyTwos) {
  BehindDoor card(GetParam(), *FindLayout("field"));
  ASSERT_EQ(card.Write(0x02, Bytes(70, 0x30)), "9000");
  card.Select();
  card.Generate();
  EXPECT_EQ(card.Say("012a010100"), "6a86");
  EXPECT_EQ(card.Say("012a00010d840101a1010191020001920104"), "9000");
  const std::string signature = card.Say("012b8001059b03abcdef00");
  ASSERT_EQ(signature.substr(0, 4), "3340");
  EXPECT_EQ(card.Say("012c00010d850101a1010191020001920104"), "9000");
  EXPECT_EQ(card.Say("012d8001479b03abcdef" + signature.substr(0, 132)), "9000");
  EXPECT_EQ(card.Say("01b000000383010220").size(), 2 * 34u);
  EXPECT_EQ(card.Say("01b000400383010220").size(), 2 * 8u);
  EXPECT_TRUE(card.Say("01cbc30003830102").ends_with("4a0101200200462101029000"))
      << "the size directly behind the state";
}

TEST_P(ForeignClient, OrangeReadsAnApplicationThatIsAnOctetOff) {
  BehindDoor card(GetParam(), Conversation::Field({.short_application = true}));
  card.Select();
  EXPECT_EQ(card.Say("01cb000044"),
            "1001011108a0000005590010b10100b20104b30106b4010290010f91010792010c930101940103b701089000");
}

// wolfSSL, TLS 1.3: no MANAGE CHANNEL, class 81, no Le, lengths of two octets.
TEST_P(ForeignClient, WolfSslShakesHands) {
  BehindDoor card(GetParam(), *FindLayout("field"));
  ASSERT_EQ(card.Write(0x02, Bytes(300, 0x30)), "9000");
  EXPECT_EQ(card.Say("01a4040007a0000005590010"), "9000");
  card.Generate();
  EXPECT_EQ(card.Say("8184000034").size(), 2 * 54u);
  EXPECT_EQ(card.Say("81cbc30003830102").substr(0, 2), "c3");
  EXPECT_EQ(card.Say("81b0000003830102").size(), 2 * 257u);
  EXPECT_EQ(card.Say("81b900000384010"
                     "4")
                .substr(0, 6),
            "840104");
  const auto peer = P256Key::Generate();
  ASSERT_TRUE(peer);
  EXPECT_EQ(card.Say("8124000203850105"), "9000");
  EXPECT_EQ(card.Say("81d8800247344549438641" + ToHex(peer->point())), "9000");
  EXPECT_EQ(card.Say("812401020"
                     "0"),
            "6a86")
      << "closed by its last block; harmless";
  EXPECT_EQ(card.Say("8146000006840104850105").size(), 2 * 34u);
  EXPECT_EQ(card.Say("814a000048d120" + Conversation::Repeated("0b", 32) + "d520" + std::string(64, '0') +
                     "91020001")
                .size(),
            2 * 34u);
  const std::string signature = ToHex(*peer->Sign(*FromHex(kHelloDigest)));
  EXPECT_EQ(card.Say("812c00010d850105a1010391020001920104"), "9000");
  EXPECT_EQ(card.Say("812d8001659e20" + std::string(kHelloDigest) + "330040" + signature), "9000");
  EXPECT_EQ(card.Say("812c010100"), "9000");
  EXPECT_EQ(card.Say("812a00010d840101a1010391020001920104"), "9000");
  EXPECT_EQ(card.Say("812b8001229e20" + std::string(kHelloDigest)).substr(0, 6), "330040");
  EXPECT_EQ(card.Say("812a010100"), "9000");
}

// Ids are opaque: what is an integer in a client's memory is as many octets here.
TEST_P(ForeignClient, AnyClientFindsAnIdOfAnyLength) {
  CardLayout layout = *FindLayout("field");
  layout.keys.clear();
  for (const char* id : {"1234", "0200", "303031", "01"})
    layout.keys.push_back({*FromHex(id), "", kMaySign | kMayGenerate});
  BehindDoor card(GetParam(), layout);
  card.Select();
  for (const std::string id : {"1234", "0200", "303031", "01"}) {
    const std::string selector = ToHex({static_cast<std::uint8_t>(id.size() / 2)}) + id;
    EXPECT_TRUE(card.Say(Conversation::With("81b90000", "84" + selector)).ends_with("9000")) << id;
  }
  EXPECT_EQ(card.Say("81b9000003840102"), "6a82");
}

TEST_P(ForeignClient, AnyClientSaysALabelOrAnIdAndNotBoth) {
  BehindDoor card(GetParam(), *FindLayout("field"));
  ASSERT_EQ(card.Write(0x08, {0x7b}), "9000");
  card.Select();
  const std::string label = "7308656e64706f696e74";
  EXPECT_EQ(card.Say("01b000000a" + label + "00"), "7b9000");
  EXPECT_EQ(card.Say("01cbc3000a" + label + "00").substr(0, 24), "c31a" + label);
  EXPECT_EQ(card.Say("01b000000d" + label + "83010800"), "6a80");
  EXPECT_EQ(card.Say("01b0000000"), "6a80") << "neither";
  EXPECT_EQ(card.Say("01b00000027300"), "6a82") << "no label is not every object without one";
}

}  // namespace
}  // namespace registry::sim
