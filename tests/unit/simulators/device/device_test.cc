// What a device accepts and refuses over the radio, without any DNS.
#include "simulators/device/device.h"

#include <gtest/gtest.h>

#include <fstream>

#include "tests/unit/simulators/device/device_fixture.h"

namespace registry::sim {
namespace {

using test::TestRegistry;

using test::DeviceTest;
using test::kName;
using test::kNow;
using test::kOtherName;

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

// On a card laid out as `field`: whole parts of 255 octets, 00 behind the end, as CIRA's pilot reads it.
TEST_F(DeviceTest, ThePilotReadsItsFilesUnderItsOwnName) {
  Device::Options options;
  options.layout = FindLayout("field");
  device_ = Device::Make(store_, options);
  ASSERT_TRUE(device_->Boot(wire::Encode(Bootstrap(kName))));
  Certify();
  const auto payload = FullPayload(1);
  const auto containers = registry_.Containers(payload);
  ASSERT_EQ(SymbolWith(payload, containers), "success");
  const auto say = [&](const std::string& hex) {
    return ToHex(device_->card().applet().Transmit(*FromHex(hex)));
  };
  EXPECT_EQ(say("00a4040007a0000002480400"), "9000");
  for (const wire::Container& file : containers) {
    std::string read;
    for (const char* offset : {"0000", "00ff", "01fe", "02fd", "03fc", "04fb", "05fa", "06f9"}) {
      const std::string part = say("00b0" + std::string(offset) + "038301" + ToHex(Bytes{file.id}) + "00");
      ASSERT_EQ(part.size(), 2 * 257u);
      read += part.substr(0, 2 * 255);
    }
    const std::string content = ToHex(file.content);
    EXPECT_EQ(read, content + std::string(read.size() - content.size(), '0'));
  }
}

TEST_F(DeviceTest, OpensAPayloadAndFillsTheCard) {
  Certify();
  Card card(device_->card().applet());
  EXPECT_FALSE(card.ReadFile(0x02)) << "02 means provisioned, which a certificate alone does not make it";
  const auto payload = FullPayload(1);
  EXPECT_EQ(SymbolWith(payload, registry_.Containers(payload)), "success");
  EXPECT_EQ(*card.ReadFile(0x02), certificate_);
  EXPECT_EQ(*card.ReadFile(0x08), AsBytes(R"({"port":8884,"url":"mqtt.asp-a.test"})")) << "a bare host";
}

TEST_F(DeviceTest, WithoutThePilotFormTheCardHasNoneOfItsFiles) {
  Certify();
  Card card(device_->card().applet());
  const auto whole = FullPayload(1);
  EXPECT_EQ(SymbolWith(whole, registry_.Containers(whole)), "success");
  EXPECT_EQ(SymbolWith(Payload(2), registry_.Containers(whole)), "payload_container") << "it cannot be whole";
  EXPECT_TRUE(card.ReadFile(0x02)) << "nothing was changed";
  EXPECT_EQ(SymbolWith(Payload(2), {}), "success");
  for (const std::uint8_t file : {0x02, 0x03, 0x06, 0x07, 0x08, 0x09, 0x0a, 0x0f})
    EXPECT_FALSE(card.ReadFile(file)) << int{file};
  EXPECT_EQ(SymbolWith(FullPayload(3), {}), "payload_container") << "left out on the way";
}

TEST_F(DeviceTest, ALongNameOrHostHasNoPilotForm) {
  const std::string name = "5672476c-e9aa-4aa3-9cfd-2aef76f44f0f._device.a-zone-of-more-than-19.test";
  ASSERT_GT(name.size(), 64u);
  device_ = Device::Make(store_, {});
  ASSERT_TRUE(device_->Boot(wire::Encode(Bootstrap(name))));
  csr_ = *device_->GenerateKey("job-1");
  certificate_ = registry_.Issue(csr_, name);
  auto payload = FullPayload(1);
  payload.bootstrap.device_name = name;
  EXPECT_EQ(SymbolWith(payload, {}), "success");
  device_ = Device::Make(store_, {});
  ASSERT_TRUE(device_->Boot(wire::Encode(Bootstrap(kName))));
  Certify();
  payload = FullPayload(1);
  payload.endpoint->fqdn = std::string(60, 'a') + "." + std::string(17, 'b') + ".test";
  payload.endpoint->url = "tls://" + payload.endpoint->fqdn + ":8884";
  EXPECT_EQ(SymbolWith(payload, {}), "success");
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

// The registry has changed its issuing CA: the device goes over with a new certificate, and not before.
TEST_F(DeviceTest, FollowsItsRegistryToAnotherIssuingCa) {
  Certify();
  ASSERT_EQ(SymbolOf("p1", Seal(Payload(1))), "success");
  const TestRegistry next(TestRegistry::Below{registry_});
  csr_ = *device_->GenerateKey("job-2");
  certificate_ = next.Issue(csr_, kName);
  const Bytes key = TestRegistry::AgreementKeyIn(csr_);
  auto payload = Payload(2);
  EXPECT_EQ(SymbolOf("p2", next.Seal(wire::Encode(payload).dump(), key)), "signature_invalid")
      << "it names the CA of before";
  payload.bootstrap.issuing_certificate = next.issuing();
  EXPECT_EQ(SymbolOf("p3", Seal(payload)), "payload_certificate") << "the CA of before has signed it";
  const TestRegistry stranger;
  payload.bootstrap.issuing_certificate = stranger.issuing();
  EXPECT_EQ(SymbolOf("p4", stranger.Seal(wire::Encode(payload).dump(), key)), "signature_invalid")
      << "a CA below another root";
  payload.bootstrap.issuing_certificate = next.issuing();
  EXPECT_EQ(SymbolOf("p5", next.Seal(wire::Encode(payload).dump(), key)), "success");
  EXPECT_EQ(SymbolOf("p6", Seal(Payload(3))), "payload_certificate")
      << "a certificate is signed for by its own CA";
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

// The CMS is sound in all of these: only the files beside it were changed on the way.
class ContainerTest : public DeviceTest, public ::testing::WithParamInterface<int> {};

TEST_P(ContainerTest, RefusesAnotherContent) {
  Certify();
  const auto payload = FullPayload(1);
  auto containers = registry_.Containers(payload);
  for (auto& container : containers) {
    if (container.id == GetParam()) container.content.back() ^= 0x01;
  }
  EXPECT_EQ(SymbolWith(payload, containers), "payload_container");
  EXPECT_FALSE(Card(device_->card().applet()).ReadFile(0x06)) << "nothing was written";
  EXPECT_EQ(SymbolWith(payload, registry_.Containers(payload)), "success")
      << "the sound one is none the worse";
}

TEST_P(ContainerTest, RefusesOneThatIsMissingOrThereTwice) {
  Certify();
  const auto payload = FullPayload(1);
  const auto sound = registry_.Containers(payload);
  auto missing = sound, twice = sound;
  std::erase_if(missing, [](const auto& container) { return container.id == GetParam(); });
  twice.insert(twice.begin(), *std::find_if(sound.begin(), sound.end(), [](const auto& container) {
                 return container.id == GetParam();
               }));
  EXPECT_EQ(SymbolWith(payload, missing), "payload_container");
  EXPECT_EQ(SymbolWith(payload, twice), "payload_container");
}

INSTANTIATE_TEST_SUITE_P(Each, ContainerTest,
                         ::testing::Values(0x02, 0x03, 0x06, 0x07, 0x08, 0x09, 0x0a, 0x0f));

TEST_F(DeviceTest, RefusesContainersOfAnotherEndpointSignerOrOrder) {
  Certify();
  const auto payload = FullPayload(1);
  auto elsewhere = payload;
  elsewhere.endpoint->port = 1;
  EXPECT_EQ(SymbolWith(payload, registry_.Containers(elsewhere)), "payload_container")
      << "signed by the registry, for another endpoint";
  auto forged = registry_.Containers(payload);
  const TestRegistry stranger;
  for (auto& container : forged) {
    if (container.id == 0x0a) container.content = stranger.Sign(registry_.root());
  }
  EXPECT_EQ(SymbolWith(payload, forged), "payload_container");
  auto turned = registry_.Containers(payload);
  std::rotate(turned.begin(), turned.end() - 1, turned.end());
  EXPECT_EQ(SymbolWith(payload, turned), "payload_container") << "02 says provisioned and must be the last";
  auto early = registry_.Containers(payload);
  std::swap(early[early.size() - 2], early[early.size() - 3]);
  EXPECT_EQ(SymbolWith(payload, early), "payload_container") << "the mark stands behind what it is over";
  auto unknown = registry_.Containers(payload);
  unknown.insert(unknown.begin(), {0x10, {0x30}});
  EXPECT_EQ(SymbolWith(payload, unknown), "payload_container");
}

TEST_F(DeviceTest, ALaterBootstrapChangesNothing) {
  Certify();
  TestRegistry stranger;
  auto other = Bootstrap(kName);
  other.root_certificate = stranger.root();
  other.issuing_certificate = stranger.issuing();
  EXPECT_EQ(device_->Boot(wire::Encode(other)).error().symbol, "bootstrap_differs") << "a chain that holds";
  auto elsewhere = Bootstrap(kName);
  elsewhere.resolver.port = 854;
  EXPECT_EQ(device_->Boot(wire::Encode(elsewhere)).error().symbol, "bootstrap_differs");
  EXPECT_TRUE(device_->Boot(wire::Encode(Bootstrap(kName)))) << "the same again";
  EXPECT_EQ(SymbolOf("p1", Seal(Payload(1))), "success");
}

TEST_F(DeviceTest, TheFirstBootstrapAgainDoesNotUndoWhatASignedPayloadChanged) {
  Certify();
  TestRegistry next;
  auto payload = Payload(1);
  payload.bootstrap.root_certificate = next.root();
  payload.bootstrap.issuing_certificate = next.issuing();
  ASSERT_EQ(SymbolWith(payload, next.Containers(payload)), "success");
  EXPECT_TRUE(device_->Boot(wire::Encode(Bootstrap(kName))));
  EXPECT_EQ(SymbolOf("p2", Seal(Payload(2))), "signature_invalid")
      << "the registry before is no longer believed";
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
  Card card(device_->card().applet());
  const auto whole = FullPayload(1);
  ASSERT_EQ(SymbolWith(whole, registry_.Containers(whole)), "success");
  ASSERT_TRUE(card.ReadFile(0x02));
  ASSERT_TRUE(device_->Wipe("w1"));
  EXPECT_FALSE(card.ReadFile(0x02));
  EXPECT_FALSE(card.Sign(kSigningKey, Bytes(32)));
  Certify();
  EXPECT_TRUE(device_->Wipe("w1")) << "a repeated job";
  EXPECT_TRUE(card.Sign(kSigningKey, Bytes(32))) << "does not wipe the new life";
  EXPECT_EQ(SymbolOf("p2", Seal(Payload(2))), "success");
}

// ---- two keys in one applet

TEST_F(DeviceTest, GoesOnWithItsKeyUntilAPayloadBringsTheCertificateOfTheNext) {
  Certify();
  ASSERT_EQ(SymbolOf("p1", Seal(Payload(1))), "success");
  Card card(device_->card().applet());
  const Bytes before = *card.PublicPoint(kSigningKey);
  const Bytes old = certificate_;
  const std::string first_csr = csr_;
  csr_ = *device_->GenerateKey("job-2");
  EXPECT_NE(csr_, first_csr);
  EXPECT_EQ(*device_->GenerateKey("job-2"), csr_) << "a repeated job";
  EXPECT_EQ(*card.PublicPoint(kSigningKey), before) << "the key in use is as it was";
  EXPECT_NE(*card.PublicPoint(kOtherSigningKey), before);
  const Bytes next = registry_.Issue(csr_, kName);
  ASSERT_TRUE(device_->Install(next));
  EXPECT_EQ(SymbolOf("p2", Seal(Payload(2))), "success") << "once more with the certificate in use";

  certificate_ = next;
  EXPECT_EQ(SymbolOf("p3", Seal(Payload(3))), "success");
  certificate_ = old;
  EXPECT_EQ(SymbolOf("p4", Seal(Payload(4))), "payload_certificate") << "the old one is of no use any more";
  // The next but one is made where the first one was.
  const Bytes second = *card.PublicPoint(kOtherSigningKey);
  csr_ = *device_->GenerateKey("job-3");
  EXPECT_NE(*card.PublicPoint(kSigningKey), before);
  EXPECT_EQ(*card.PublicPoint(kOtherSigningKey), second);
}

TEST_F(DeviceTest, AKeyThatNoPayloadCameForIsMadeAnew) {
  Certify();
  ASSERT_EQ(SymbolOf("p1", Seal(Payload(1))), "success");
  const Bytes old = certificate_;
  const std::string given_up = *device_->GenerateKey("job-2");
  csr_ = *device_->GenerateKey("job-3");
  EXPECT_NE(csr_, given_up);
  EXPECT_FALSE(device_->Install(registry_.Issue(given_up, kName))) << "its key is gone";
  EXPECT_EQ(SymbolOf("p2", Seal(Payload(2))), "success") << "the key in use is still there";
  certificate_ = registry_.Issue(csr_, kName);
  EXPECT_EQ(SymbolOf("p3", Seal(Payload(3))), "success");
}

// ---- two profiles

class TwoProfilesTest : public DeviceTest {
 protected:
  void SetUp() override {
    DeviceTest::SetUp();
    Certify();
    ASSERT_EQ(SymbolOf("p1", Seal(Payload(1))), "success");
    second_csr_ = *device_->GenerateKey("job-2", 1);
    second_ = registry_.Issue(second_csr_, kName);
  }
  std::string TakeSecond(std::uint64_t version) {
    auto payload = Payload(version);
    payload.certificate = second_;
    const Bytes cms = registry_.Seal(wire::Encode(payload).dump(), TestRegistry::AgreementKeyIn(second_csr_));
    const std::string job = "second-" + std::to_string(version);
    const auto outcome = device_->TakePayload(job, Frame(cms, registry_.Containers(payload)), kNow, 1);
    return outcome.status ? "success" : outcome.status.error().symbol;
  }
  std::string second_csr_;
  Bytes second_;
};

TEST_F(TwoProfilesTest, EachHasKeysOfItsOwnAndAJobIsAnsweredOnce) {
  EXPECT_NE(TestRegistry::AgreementKeyIn(csr_), TestRegistry::AgreementKeyIn(second_csr_));
  EXPECT_EQ(*device_->GenerateKey("job-2", 1), second_csr_);
  EXPECT_EQ(*device_->GenerateKey("job-1", 0), csr_) << "the first one's key is as it was";
}

TEST_F(TwoProfilesTest, TheFirstOneServesUntilThePayloadOfTheOtherHasCome) {
  ASSERT_TRUE(device_->Install(second_));
  EXPECT_EQ(SymbolOf("p2", Seal(Payload(2))), "success") << "for the first one, still";
  EXPECT_EQ(TakeSecond(3), "success");
  EXPECT_EQ(SymbolOf("p4", Seal(Payload(4))), "bootstrap_missing") << "whose key serves no more";
}

TEST_F(TwoProfilesTest, OneThatIsDeletedBeforeItServesTakesNothingWithIt) {
  ASSERT_TRUE(device_->DeleteProfile(1));
  EXPECT_EQ(SymbolOf("p2", Seal(Payload(2))), "success");
  EXPECT_EQ(TakeSecond(3), "bootstrap_missing") << "it has no key";
}

TEST_F(TwoProfilesTest, TheFormerIsDeletedAndTheOtherServesOn) {
  ASSERT_EQ(TakeSecond(2), "success");
  ASSERT_TRUE(device_->DeleteProfile(0));
  EXPECT_EQ(TakeSecond(3), "success");
}

}  // namespace
}  // namespace registry::sim
