// What a device accepts and refuses over the radio, without any DNS.
#include "simulators/device/device.h"

#include <gtest/gtest.h>

#include <fstream>

#include "simulators/device/der.h"
#include "tests/unit/simulators/device/test_registry.h"

namespace registry::sim {
namespace {

using test::TestRegistry;

constexpr const char* kName = "5672476c-e9aa-4aa3-9cfd-2aef76f44f0f._device.iotregistry.test";
constexpr const char* kOtherName = "0672476c-e9aa-4aa3-9cfd-2aef76f44f0f._device.iotregistry.test";
// Certificates are made in real time, so the device's clock is real, too.
const UtcTime kNow{
    std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::system_clock::now().time_since_epoch())
        .count()};

class DeviceTest : public ::testing::Test {
 protected:
  void SetUp() override {
    device_ = Device::Make(store_, {});
    ASSERT_TRUE(device_->Boot(wire::Encode(Bootstrap(kName))));
  }
  wire::Bootstrap Bootstrap(const std::string& name) const {
    wire::Bootstrap bootstrap;
    bootstrap.registry_profile = "iot-registry-1";
    bootstrap.device_name = name;
    bootstrap.root_certificate = registry_.root();
    bootstrap.issuing_certificate = registry_.issuing();
    bootstrap.resolver = {"127.0.0.1", 853, "resolver.test", registry_.root(), Bytes(32, 7)};
    bootstrap.trust_anchors = {
        ". 3600 IN DS 20326 8 2 E06D44B80B8F1D39A95C0B0D7C65D08458E880409BBC683457104237C7F8EC8D"};
    return bootstrap;
  }
  // A device with a key and its certificate.
  void Certify() {
    csr_ = *device_->GenerateKey("job-1");
    certificate_ = registry_.Issue(csr_, kName);
    ASSERT_TRUE(device_->Install(certificate_));
  }
  wire::RegistryPayload Payload(std::uint64_t version) const {
    wire::RegistryPayload payload;
    payload.version = version;
    payload.issued = kNow;
    payload.expires = kNow + std::chrono::hours(24);
    payload.bootstrap = Bootstrap(kName);
    payload.certificate = certificate_;
    payload.asp = *PartyId::Parse("asp-a");
    payload.endpoint.name = *EndpointName::Parse("gateway");
    payload.endpoint.fqdn = "mqtt.asp-a.test";
    payload.endpoint.url = "tls://mqtt.asp-a.test:8884";
    payload.endpoint.port = 8884;
    payload.endpoint.protocol = "tls";
    payload.endpoint.trust.tlsa_owner = "_8884._tcp.mqtt.asp-a.test";
    return payload;
  }
  nlohmann::json Frame(const Bytes& cms) const {
    nlohmann::json frame = {{"t", "payload"}, {"cms", ToBase64(cms)}};
    frame["containers"] = {wire::Encode(wire::Container{0x08, AsBytes("{}")}),
                           wire::Encode(wire::Container{0x02, certificate_})};
    return frame;
  }
  Bytes Seal(const wire::RegistryPayload& payload) const {
    return registry_.Seal(wire::Encode(payload).dump(), TestRegistry::AgreementKeyIn(csr_));
  }
  std::string SymbolOf(const std::string& job, const Bytes& cms, UtcTime now = kNow) {
    const auto outcome = device_->TakePayload(job, Frame(cms), now);
    return outcome.status ? "success" : outcome.status.error().symbol;
  }

  TestRegistry registry_;
  TrustStore store_;
  std::unique_ptr<Device> device_;
  std::string csr_;
  Bytes certificate_;
};

TEST_F(DeviceTest, OpenSslAcceptsItsCertificateRequest) {
  const auto csr = device_->GenerateKey("job-1");
  ASSERT_TRUE(csr);
  const std::string file = ::testing::TempDir() + "/device_test.csr";
  std::ofstream(file) << *csr;
  EXPECT_EQ(std::system(("openssl req -verify -noout -in " + file + " >/dev/null 2>&1").c_str()), 0);
  EXPECT_EQ(TestRegistry::AgreementKeyIn(*csr).size(), P256Spki(Bytes(65)).size());
  EXPECT_NE(TestRegistry::AgreementKeyIn(*csr), Bytes());
  std::remove(file.c_str());
}

TEST_F(DeviceTest, ARepeatedJobGivesTheSameRequestANewOneANewKey) {
  const auto first = device_->GenerateKey("job-1");
  EXPECT_EQ(*device_->GenerateKey("job-1"), *first);
  EXPECT_NE(*device_->GenerateKey("job-2"), *first);
}

TEST_F(DeviceTest, InstallsItsCertificateAndNoOther) {
  Certify();
  auto stranger = Device::Make(store_, {});
  ASSERT_TRUE(stranger->Boot(wire::Encode(Bootstrap(kOtherName))));
  const Bytes foreign = registry_.Issue(*stranger->GenerateKey("job-9"), kName);
  EXPECT_EQ(device_->Install(foreign).error().symbol, "payload_certificate") << "another key";
  EXPECT_EQ(device_->Install(registry_.Issue(csr_, kOtherName)).error().symbol, "payload_certificate")
      << "another name";
  EXPECT_EQ(device_->Install(TestRegistry().Issue(csr_, kName)).error().symbol, "payload_certificate")
      << "another CA";
  EXPECT_EQ(device_->Install({0x30, 0x03, 1}).error().symbol, "certificate_malformed");
}

TEST_F(DeviceTest, OpensAPayloadAndFillsTheCard) {
  Certify();
  EXPECT_EQ(SymbolOf("p1", Seal(Payload(1))), "success");
  Card card(device_->card().applet());
  EXPECT_EQ(*card.ReadFile(0x02), certificate_);
  EXPECT_EQ(*card.ReadFile(0x08), AsBytes("{}"));
}

TEST_F(DeviceTest, OpensAPayloadWithACertificateItDidNotSeeBefore) {
  csr_ = *device_->GenerateKey("job-1");
  certificate_ = registry_.Issue(csr_, kName);
  EXPECT_EQ(SymbolOf("p1", Seal(Payload(1))), "success") << "the certificate frame was lost";
}

TEST_F(DeviceTest, ARepeatedJobIsAnsweredButNotCarriedOutAgain) {
  Certify();
  const Bytes cms = Seal(Payload(1));
  EXPECT_EQ(SymbolOf("p1", cms), "success");
  EXPECT_TRUE(device_->TakePayload("p1", Frame(cms), kNow).repeated);
  EXPECT_EQ(SymbolOf("p1", cms), "success");
  EXPECT_EQ(SymbolOf("p2", cms), "payload_replayed") << "the same content as another job is a replay";
}

TEST_F(DeviceTest, RefusesAnOlderPayload) {
  Certify();
  EXPECT_EQ(SymbolOf("p5", Seal(Payload(5))), "success");
  EXPECT_EQ(SymbolOf("p4", Seal(Payload(4))), "payload_replayed");
  EXPECT_EQ(SymbolOf("p6", Seal(Payload(6))), "success");
}

TEST_F(DeviceTest, RefusesAPayloadForAnotherDevice) {
  Certify();
  auto payload = Payload(1);
  payload.bootstrap.device_name = kOtherName;
  EXPECT_EQ(SymbolOf("p1", Seal(payload)), "payload_wrong_device");
  const auto other = Device::Make(store_, {});
  ASSERT_TRUE(other->Boot(wire::Encode(Bootstrap(kOtherName))));
  const Bytes other_key = TestRegistry::AgreementKeyIn(*other->GenerateKey("job-1"));
  EXPECT_EQ(SymbolOf("p2", registry_.Seal(wire::Encode(Payload(1)).dump(), other_key)),
            "payload_undecryptable");
}

TEST_F(DeviceTest, RefusesEveryTamperedOctet) {
  Certify();
  const Bytes good = Seal(Payload(1));
  for (std::size_t at = 0; at < good.size(); at += 37) {
    Bytes bad = good;
    bad[at] ^= 0x01;
    EXPECT_NE(SymbolOf("p" + std::to_string(at), bad), "success") << "octet " << at;
  }
  Bytes cut(good.begin(), good.end() - 1);
  EXPECT_EQ(SymbolOf("cut", cut), "signature_invalid");
  EXPECT_EQ(SymbolOf("good", good), "success") << "and is none the worse for it";
}

TEST_F(DeviceTest, RefusesAnotherSigner) {
  Certify();
  const Bytes key = TestRegistry::AgreementKeyIn(csr_);
  EXPECT_EQ(SymbolOf("p1", registry_.Seal(wire::Encode(Payload(1)).dump(), key, true)), "signature_invalid");
  EXPECT_EQ(SymbolOf("p2", TestRegistry().Seal(wire::Encode(Payload(1)).dump(), key)), "signature_invalid");
}

TEST_F(DeviceTest, RefusesAnExpiredPayload) {
  Certify();
  EXPECT_EQ(SymbolOf("p1", Seal(Payload(1)), kNow + std::chrono::hours(25)), "payload_expired");
}

TEST_F(DeviceTest, RefusesACertificateThatIsNotInTime) {
  Certify();
  const Bytes cms = Seal(Payload(1));
  EXPECT_EQ(SymbolOf("late", cms, kNow + std::chrono::hours(2)), "payload_certificate");
  EXPECT_EQ(SymbolOf("early", Seal(Payload(2)), kNow - std::chrono::hours(2)), "payload_certificate");
  certificate_ = registry_.Issue(csr_, kName, -10);
  EXPECT_EQ(SymbolOf("over", Seal(Payload(3))), "payload_certificate") << "one it did not see before";
}

TEST_F(DeviceTest, ADamagedDeliveryDecidesNothingAboutTheSoundOne) {
  Certify();
  const Bytes good = Seal(Payload(5));
  Bytes bad = good;
  bad[bad.size() / 2] ^= 0x01;
  EXPECT_NE(SymbolOf("p1", bad), "success");
  EXPECT_TRUE(device_->TakePayload("p1", Frame(bad), kNow).repeated);
  EXPECT_EQ(SymbolOf("p1", good), "success");
  EXPECT_NE(SymbolOf("p1", bad), "success") << "the job's good name does not help another content";
  EXPECT_EQ(SymbolOf("p1", Seal(Payload(4))), "payload_replayed");
  EXPECT_EQ(SymbolOf("p1", good), "success") << "repeated";
}

TEST_F(DeviceTest, RefusesWhatIsNoPayload) {
  Certify();
  const Bytes key = TestRegistry::AgreementKeyIn(csr_);
  EXPECT_EQ(SymbolOf("p1", registry_.Seal("{}", key)), "payload_malformed");
  EXPECT_EQ(SymbolOf("p2", registry_.Seal("not json", key)), "payload_malformed");
  EXPECT_EQ(device_->TakePayload("p3", {{"cms", "%"}}, kNow).status.error().symbol, "payload_malformed");
}

TEST_F(DeviceTest, WithoutBootstrapItAsksToTryAgain) {
  const auto fresh = Device::Make(store_, {});
  EXPECT_EQ(fresh->GenerateKey("job-1").error().symbol, "bootstrap_missing");
  const auto outcome = fresh->TakePayload("p1", {{"cms", ""}}, kNow);
  EXPECT_EQ(outcome.status.error().symbol, "bootstrap_missing");
  EXPECT_TRUE(outcome.retriable());
}

TEST_F(DeviceTest, KeepsItsFirstNameAndRefusesAForgedChain) {
  EXPECT_EQ(device_->Boot(wire::Encode(Bootstrap(kOtherName))).error().symbol, "bootstrap_differs");
  auto forged = Bootstrap(kName);
  forged.root_certificate = TestRegistry().root();
  EXPECT_EQ(Device::Make(store_, {})->Boot(wire::Encode(forged)).error().symbol, "bootstrap_untrusted");
  EXPECT_FALSE(Device::Make(store_, {})->Boot({{"deviceName", 5}}));
}

TEST_F(DeviceTest, AWipedCardHoldsNothingAndLivesAgain) {
  Certify();
  ASSERT_EQ(SymbolOf("p1", Seal(Payload(1))), "success");
  ASSERT_TRUE(device_->Wipe("w1"));
  Card card(device_->card().applet());
  EXPECT_FALSE(card.ReadFile(0x02));
  EXPECT_FALSE(card.Sign(kSigningKey, Bytes(32)));
  Certify();
  EXPECT_TRUE(device_->Wipe("w1")) << "a repeated job";
  EXPECT_TRUE(card.ReadFile(0x02)) << "does not wipe the new life";
  EXPECT_EQ(SymbolOf("p2", Seal(Payload(2))), "success");
}

}  // namespace
}  // namespace registry::sim
