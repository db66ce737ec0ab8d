// The parts of a verdict that need no server: names, options, whose a device is, what a feed says.
#include <gtest/gtest.h>

#include "clients/verdict/client_options.h"
#include "clients/verdict/notifications.h"
#include "schemas/wire/batch.h"
#include "tests/support/temporary_folder.h"
#include "tests/unit/simulators/device/test_registry.h"

namespace registry::clients {
namespace {

const std::string kDevice = "0b5e4c1e-8f0a-4c39-9a51-2b1f3c4d5e6f";

std::string Standing(const OwnDevices& own, const std::string& device = kDevice) {
  const Status status = own.MayTalk(device);
  return status ? "served" : status.error().symbol;
}

TEST(Verdicts, EachHasASymbolOfItsOwn) {
  std::set<std::string_view> symbols;
  for (std::size_t i = 0; i < kVerdicts; ++i) {
    const auto verdict = static_cast<Verdict>(i);
    symbols.insert(SymbolOf(verdict));
    if (verdict == Verdict::kAccepted) continue;
    EXPECT_EQ(VerdictOf(Status(Refusal(verdict))), verdict);
  }
  EXPECT_EQ(symbols.size(), kVerdicts);
  EXPECT_EQ(VerdictOf(Status(Error::Make(Code::kFailed, "something_else", ""))), Verdict::kFailed);
  EXPECT_EQ(VerdictOf(Status(Done{})), Verdict::kAccepted);
}

TEST(ClientDomains, KnowsTheNamesOfDevicesAndNoOthers) {
  const ClientDomains domains({"iot.test", "other.test"});
  EXPECT_EQ(*domains.DeviceOf(kDevice + "._device.iot.test"), kDevice);
  EXPECT_EQ(*domains.DeviceOf(kDevice + "._device.other.test"), kDevice);
  for (const std::string& name : std::vector<std::string>{
           kDevice + "._device.evil.test", kDevice + ".iot.test", "x._device.iot.test", "iot.test",
           "a." + kDevice + "._device.iot.test", kDevice + "._device.iot.test.", ""}) {
    EXPECT_FALSE(domains.DeviceOf(name)) << name;
  }
  EXPECT_EQ(domains.NamesOf(kDevice).back(), kDevice + "._device.other.test");
}

TEST(OwnDevices, AreServedFromTheClaimUntilTheFeedSaysOtherwise) {
  OwnDevices own;
  EXPECT_EQ(Standing(own), "device_not_claimed");
  own.Claimed(kDevice);
  EXPECT_EQ(Standing(own), "served");
  std::uint64_t seq = 1;
  for (const char* over : {"device.deactivated", "device.deleted", "device.released", "device.suspended"}) {
    own.Heard(over, kDevice, seq++);
    EXPECT_EQ(Standing(own), "device_not_active") << over;
    own.Heard("device.activated", kDevice, seq++);
    EXPECT_EQ(Standing(own), "served");
  }
  own.Heard("device.suspended", kDevice, seq++);
  own.Heard("device.resumed", kDevice, seq++);
  EXPECT_EQ(Standing(own), "served");
  own.Lost(kDevice, seq++);
  EXPECT_EQ(Standing(own), "device_not_claimed");
}

TEST(OwnDevices, OfTwoNotificationsTheLaterCounts) {
  OwnDevices own;
  own.Heard("device.deactivated", kDevice, 8);
  own.Heard("device.activated", kDevice, 7);
  EXPECT_EQ(Standing(own), "device_not_active");
  own.Heard("device.moved", kDevice, 9);
  EXPECT_EQ(Standing(own), "device_not_active") << "it says nothing of it";
}

// A feed is replayed.
TEST(OwnDevices, ANotificationThatComesAgainSaysNothing) {
  OwnDevices own;
  own.Heard("device.activated", kDevice, 7);
  own.Listed({kDevice});
  own.Listed({});
  own.Heard("device.activated", kDevice, 7);
  EXPECT_EQ(Standing(own), "device_not_claimed") << "it was taken off the list since";
  own.Claimed(kDevice);
  own.Lost(kDevice, 7);
  EXPECT_EQ(Standing(own), "served");
  own.Lost(kDevice, 8);
  EXPECT_EQ(Standing(own), "device_not_claimed");
}

TEST(OwnDevices, ANewClaimCounts) {
  OwnDevices own;
  own.Heard("device.released", kDevice, 4);
  own.Claimed(kDevice);
  EXPECT_EQ(Standing(own), "served");
  own.Heard("device.released", kDevice, 4);
  EXPECT_EQ(Standing(own), "served") << "that was before the claim";
  own.Lost(kDevice, 5);
  own.Claimed(kDevice);
  EXPECT_EQ(Standing(own), "served");
}

TEST(OwnDevices, WhereAnyDeviceWillDoNoneIsServedThatIsOver) {
  OwnDevices own;
  const auto standing = [&own] {
    const Status status = own.MayTalk(kDevice, Whose::kAny);
    return status ? "served" : status.error().symbol;
  };
  EXPECT_EQ(standing(), "served");
  own.Listed({kDevice});
  own.Heard("device.deactivated", kDevice, 3);
  EXPECT_EQ(standing(), "device_not_active");
  own.Listed({});
  EXPECT_EQ(standing(), "device_not_active");
  own.Lost(kDevice, 4);
  EXPECT_EQ(standing(), "served") << "it is another's, of whom nothing is heard here";
}

TEST(OwnDevices, AListSaysWhoIsClaimedAndTheFeedWhoIsOver) {
  OwnDevices own;
  own.Listed({kDevice});
  EXPECT_EQ(Standing(own), "served");
  own.Heard("device.deactivated", kDevice, 3);
  own.Listed({kDevice});
  EXPECT_EQ(Standing(own), "device_not_active") << "the list is older than the feed, for all that is known";
  own.Heard("device.reactivated", kDevice, 4);
  own.Listed({});
  EXPECT_EQ(Standing(own), "device_not_claimed");
  own.Listed({kDevice});
  EXPECT_EQ(Standing(own), "served");
}

class OptionTest : public ::testing::Test {
 protected:
  OptionTest() {
    folder_.Write("root.pem", ToPem("CERTIFICATE", registry_.root()));
    folder_.Write("issuing.pem", ToPem("CERTIFICATE", registry_.issuing()));
    folder_.Write("anchors", "; comment\n. 3600 IN DS 1 13 2 00 ; of a test\n\n");
    keys_ = {{"zone", "iot.test"},
             {"root_file", folder_.In("root.pem")},
             {"issuing_file", folder_.In("issuing.pem")},
             {"resolver", "127.0.0.1:8853"},
             {"resolver_pin", ToBase64(Bytes(32, 7))},
             {"trust_anchor_file", folder_.In("anchors")}};
  }
  Result<ClientOptions> Read() const {
    OptionReader reader;
    for (const auto& [key, value] : keys_) {
      if (auto set = reader.Set(key, value); !set) return set.error();
    }
    return std::move(reader).Ready();
  }
  std::string WhyNot() const {
    auto options = Read();
    return options ? "" : options.error().message;
  }

  registry::test::TemporaryFolder folder_;
  sim::test::TestRegistry registry_;
  std::map<std::string, std::string> keys_;
};

TEST_F(OptionTest, HasDefaultsForTheRest) {
  const auto options = Read();
  ASSERT_TRUE(options) << options.error().message;
  EXPECT_EQ(options->trust.zones, std::vector<std::string>{"iot.test"});
  EXPECT_EQ(options->trust.root, registry_.root());
  EXPECT_EQ(options->resolver.address, "127.0.0.1");
  EXPECT_EQ(options->resolver.port, 8853);
  EXPECT_EQ(options->resolver.anchors, std::vector<std::string>{". 3600 IN DS 1 13 2 00"});
  EXPECT_EQ(options->check.name_from, NameFrom::kExtension);
  EXPECT_EQ(options->check.freshness, Freshness::kCached);
  EXPECT_EQ(options->check.whose, Whose::kOwn);
}

TEST_F(OptionTest, EveryKeyIsRead) {
  keys_["timeout_ms"] = "250";
  keys_["client_name"] = "either";
  keys_["identity_extension"] = "65281";
  keys_["party"] = "asp-a";
  keys_["own_only"] = "no";
  keys_["cache_max"] = "9";
  keys_["claims_file"] = "claims";
  const auto options = Read();
  ASSERT_TRUE(options) << options.error().message;
  EXPECT_EQ(options->resolver.timeout.count(), 250);
  EXPECT_EQ(options->check.name_from, NameFrom::kEither);
  EXPECT_EQ(options->identity_extension, 65281u);
  EXPECT_EQ(options->party, "asp-a");
  EXPECT_EQ(options->check.whose, Whose::kAny);
  EXPECT_EQ(options->resolver.cache_max, 9u);
  EXPECT_EQ(options->claims_file, "claims");
}

TEST_F(OptionTest, AResolverIsAnAddressOfEitherKindAndAPort) {
  const std::tuple<const char*, const char*, int> resolvers[] = {
      {"192.0.2.53", "192.0.2.53", 853},
      {"192.0.2.53:8853", "192.0.2.53", 8853},
      {"2001:db8::53", "2001:db8::53", 853},
      {"[2001:db8::53]", "2001:db8::53", 853},
      {"[2001:db8::53]:8853", "2001:db8::53", 8853}};
  for (const auto& [text, address, port] : resolvers) {
    keys_["resolver"] = text;
    const auto options = Read();
    ASSERT_TRUE(options) << text << options.error().message;
    EXPECT_EQ(options->resolver.address, address);
    EXPECT_EQ(options->resolver.port, port);
  }
}

TEST_F(OptionTest, WhatIsMissingOrWrongIsNamed) {
  for (const char* key :
       {"zone", "root_file", "issuing_file", "resolver", "resolver_pin", "trust_anchor_file"}) {
    const auto before = keys_;
    keys_.erase(key);
    EXPECT_NE(WhyNot().find(key), std::string::npos) << key << ": " << WhyNot();
    keys_ = before;
  }
  for (const auto& [key, value] :
       std::vector<std::pair<std::string, std::string>>{{"zone", "Iot..test"},
                                                        {"root_file", "nowhere.pem"},
                                                        {"resolver", "127.0.0.1:99999"},
                                                        {"resolver", "[::1"},
                                                        {"resolver", "[::1]853"},
                                                        {"resolver", "[::1]:"},
                                                        {"resolver_pin", "c2hvcnQ="},
                                                        {"trust_anchor_file", "nowhere"},
                                                        {"timeout_ms", "0"},
                                                        {"timeout_ms", "5s"},
                                                        {"client_name", "san"},
                                                        {"identity_extension", "65536"},
                                                        {"own_only", "maybe"},
                                                        {"party", "ASP A"},
                                                        {"cache_max", "-1"},
                                                        {"colour", "blue"}}) {
    const auto before = keys_;
    keys_[key] = value;
    EXPECT_NE(WhyNot().find(key), std::string::npos) << key << ": " << WhyNot();
    keys_ = before;
  }
}

TEST_F(OptionTest, AFileNamesItsLine) {
  OptionReader reader;
  const std::string file = folder_.Write("client.conf", "# head\nzone = iot.test # ours\n\nzone iot.test\n");
  const auto set = reader.SetFile(file);
  ASSERT_FALSE(set);
  EXPECT_NE(set.error().message.find("client.conf:4"), std::string::npos) << set.error().message;
  EXPECT_FALSE(reader.SetFile(folder_.In("nowhere")));
}

TEST_F(OptionTest, ClaimsAreReadLineByLine) {
  const auto claims = ReadClaims(folder_.Write("claims", "# ours\n" + kDevice + "  # the first\r\n\n"));
  ASSERT_TRUE(claims) << claims.error().message;
  EXPECT_EQ(*claims, std::set<std::string>{kDevice});
  EXPECT_FALSE(ReadClaims(folder_.Write("claims", kDevice + "\nnonsense\n")));
  EXPECT_FALSE(ReadClaims(folder_.In("nowhere")));
}

class FeedTest : public OptionTest {
 protected:
  void SetUp() override {
    auto options = Read();
    check_ = *ClientCheck::Create(options->trust, &own_, nullptr);
  }
  static std::string Notification(const std::string& event, std::uint64_t seq, nlohmann::json data = {}) {
    wire::Envelope envelope;
    envelope.id = *EventId::Parse("n" + std::to_string(seq));
    envelope.source = "registry";
    envelope.type = wire::EventType(event);
    envelope.seq = seq;
    envelope.data = std::move(data);
    envelope.data["device"] = kDevice;
    return wire::EncodeEnvelope(envelope);
  }

  OwnDevices own_;
  std::unique_ptr<ClientCheck> check_;
};

TEST_F(FeedTest, ATransferToAnotherEndsItAndOneToUsDoesNot) {
  const auto transferred = [](const char* kind, const char* from) {
    const std::string text =
        Notification("transfer.completed", 5, {{"kind", kind}, {"from", from}, {"to", "asp-c"}});
    OwnDevices own;
    own.Claimed(kDevice);
    Hear(*wire::DecodeEnvelope(text), "asp-a", own);
    return Standing(own);
  };
  EXPECT_EQ(transferred("asp", "asp-a"), "device_not_claimed");
  EXPECT_EQ(transferred("asp", "asp-b"), "served");
  EXPECT_EQ(transferred("mno", "asp-a"), "served");
}

TEST_F(FeedTest, WhatIsNoNotificationIsPassedOver) {
  own_.Claimed(kDevice);
  wire::Envelope reply;
  reply.id = *EventId::Parse("r");
  reply.source = "registry";
  reply.type = wire::AcceptedType("device.deactivate");
  reply.data = {{"device", kDevice}};
  EXPECT_EQ(Hear(reply, "asp-a", own_), "");
  EXPECT_EQ(Standing(own_), "served");
}

TEST_F(FeedTest, WhatCannotBeReadChangesNothing) {
  own_.Claimed(kDevice);
  for (const std::string& payload : {std::string("nonsense"), std::string(), std::string("[]"),
                                     '[' + Notification("device.deactivated", 1) + ",{}]"}) {
    EXPECT_FALSE(HearPayload(payload, "asp-a", own_, *check_)) << payload;
    EXPECT_EQ(Standing(own_), "served") << payload;
  }
}

}  // namespace
}  // namespace registry::clients
