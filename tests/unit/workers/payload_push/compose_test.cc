#include <gmock/gmock.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#include "bridge/signing/crl.h"
#include "bridge/signing/rolling_signer.h"
#include "schemas/wire/envelope.h"
#include "tests/support/csr_maker.h"
#include "tests/support/device_ca.h"
#include "tests/support/device_maker.h"
#include "tests/support/openssl_tool.h"
#include "workers/crypto/der_writer.h"
#include "workers/crypto/p256.h"
#include "workers/domain/job_kinds.h"
#include "workers/payload_push/cms.h"
#include "workers/payload_push/payload_push.h"

namespace registry::payload_push {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

// Keeps what it is asked to sign.
class Listening : public domain::Signer {
 public:
  Result<Bytes> Sign(const Bytes& message) const override {
    heard.push_back(message);
    return test::Ca().signer->Sign(message);
  }
  const Bytes& certificate() const override { return test::Ca().signer->certificate(); }
  mutable std::vector<Bytes> heard;
};

// The first part of a SEQUENCE: what the signature of a certificate, CRL or request is over.
Bytes ToBeSigned(const Bytes& der) {
  crypto::DerReader parts(crypto::OnlyElement(der, crypto::tag::kSequence)->content);
  const auto first = parts.Next()->whole;
  return Bytes(first.begin(), first.end());
}

class ComposeTest : public testing::Test {
 protected:
  ComposeTest() {
    policy_.zone = "iotregistry.test";
    policy_.payload.bootstrap.registry_profile = "iot-registry-1";
    policy_.payload.bootstrap.root_certificate = test::Ca().root.certificate;
    policy_.payload.bootstrap.issuing_certificate = test::Ca().issuing.certificate;
    policy_.payload.bootstrap.resolver = {"127.0.0.1", 853, "resolver.test", test::Ca().root.certificate,
                                          Bytes(32, 7)};
    policy_.payload.bootstrap.trust_anchors = {
        ". IN DS 20326 8 2 E06D44B80B8F1D39A95C0B0D7C65D08458E880409BBC683457104237C7F8EC8D"};

    device_.id = test::NewDevice();
    device_.state = domain::State::kPublished;
    test::ProfileOf(device_).mno = *PartyId::Parse("mno-a");
    test::Bind(device_, *PartyId::Parse("asp-a"), *EndpointName::Parse("main"));
    test::ProfileOf(device_).agreement_key = test::PointOf(key_);
    test::CertificateOf(device_).der = test::Ca().issuing.certificate;
    test::BindingOf(device_).composed = 6;

    endpoint_.asp = *domain::Claimer(device_);
    endpoint_.endpoint.name = *domain::EndpointOf(device_);
    endpoint_.endpoint.fqdn = "mqtt.asp-a.test";
    endpoint_.endpoint.url = "mqtts://mqtt.asp-a.test";
    endpoint_.endpoint.port = 8883;
    endpoint_.endpoint.protocol = "mqtts";
    endpoint_.endpoint.trust = {wire::TrustKind::kTlsa, {}, "_8883._tcp.mqtt.asp-a.test"};
  }

  void TrustACertificate() {
    endpoint_.endpoint.trust = {wire::TrustKind::kCa, test::Ca().root.certificate, ""};
  }
  Status Compose() {
    auto job = payload_push::Compose(device_, endpoint_, policy_, test::Ca().context, *test::Ca().signer);
    if (!job) return job.error();
    job_ = std::move(*job);
    return Done{};
  }
  wire::PayloadPush Pushed() { return *wire::Decode<wire::PayloadPush>(nlohmann::json::parse(job_.body)); }
  // Signature with the issuing certificate's key, checked by OpenSSL.
  bool VerifiedByRegistry(const Bytes& content, const Bytes& signature) {
    folder_.Write("content", content);
    folder_.Write("signature", signature);
    folder_.Write("issuing.pem", ToPem("CERTIFICATE", test::Ca().issuing.certificate));
    EXPECT_TRUE(test::OpenSsl(folder_, "x509 -in issuing.pem -noout -pubkey -out issuing.pub").ok());
    return test::OpenSsl(folder_, "dgst -sha256 -verify issuing.pub -signature signature content").ok();
  }

  test::Key key_ = test::NewEcKey();
  test::TemporaryFolder folder_;
  domain::Policy policy_;
  domain::Device device_;
  domain::EndpointRecord endpoint_;
  domain::Job job_;
};

TEST_F(ComposeTest, MakesTheJobAndItsAction) {
  ASSERT_TRUE(SignLegacy(endpoint_, *test::Ca().signer).ok());
  const auto composed = Compose();
  ASSERT_TRUE(composed.ok()) << composed.error().message;
  EXPECT_EQ(domain::PayloadVersion(device_), 7u);
  EXPECT_EQ(device_.trace.back().step, "payload.push");
  EXPECT_EQ(job_.kind, domain::JobKind::kPayloadPush);
  EXPECT_EQ(job_.device(), device_.id);
  EXPECT_EQ(job_.version, 7u);
  EXPECT_EQ(job_.created, test::Ca().now);
  const auto action = Pushed();
  EXPECT_EQ(action.job, job_.id);
  EXPECT_EQ(action.device, device_.id);
  EXPECT_EQ(action.version, 7u);
  EXPECT_EQ(wire::Encode(action).dump(), job_.body);
}

TEST_F(ComposeTest, TheContentIsTheRegistryPayload) {
  ASSERT_TRUE(SignLegacy(endpoint_, *test::Ca().signer).ok());
  ASSERT_TRUE(Compose().ok());
  folder_.Write("signed.der", Pushed().cms);
  folder_.Write("root.pem", ToPem("CERTIFICATE", test::Ca().root.certificate));
  folder_.Write("issuing.pem", ToPem("CERTIFICATE", test::Ca().issuing.certificate));
  const auto verified =
      test::OpenSsl(folder_,
                    "cms -verify -binary -inform DER -in signed.der -out inner.der -certfile "
                    "issuing.pem -CAfile root.pem -attime " +
                        std::to_string(test::Ca().now.seconds()));
  ASSERT_TRUE(verified.ok()) << verified.output;
  unsigned char* der = nullptr;
  const int size = i2d_PrivateKey(key_.get(), &der);
  folder_.Write("device.der", Bytes(der, der + size));
  OPENSSL_free(der);
  ASSERT_TRUE(test::OpenSsl(folder_, "pkey -inform DER -in device.der -out device.key").ok());
  ASSERT_TRUE(
      test::OpenSsl(folder_, "cms -decrypt -binary -inform DER -in inner.der -inkey device.key -out plain")
          .ok());
  const std::string plain = folder_.Read("plain");
  const auto payload = wire::Decode<wire::RegistryPayload>(nlohmann::json::parse(plain));
  ASSERT_TRUE(payload.ok()) << payload.error().message << plain;
  EXPECT_EQ(payload->version, 7u);
  EXPECT_EQ(payload->issued, test::Ca().now);
  EXPECT_EQ(payload->expires, test::Ca().now + std::chrono::days(30));
  EXPECT_EQ(payload->bootstrap.device_name, DeviceName(device_.id, "iotregistry.test"));
  EXPECT_EQ(payload->bootstrap.trust_anchors, policy_.payload.bootstrap.trust_anchors);
  EXPECT_EQ(payload->certificate, domain::LiveCertificate(device_)->der);
  EXPECT_EQ(payload->endpoint->url, endpoint_.endpoint.url);
  EXPECT_EQ(nlohmann::json::parse(plain).dump(), plain) << "canonical: members sorted, no white space";
}

TEST_F(ComposeTest, ContainersWithTheClientCertificateLast) {
  const auto ids = [this] {
    std::vector<int> all;
    for (const auto& container : Pushed().containers) all.push_back(container.id);
    return all;
  };
  ASSERT_TRUE(SignLegacy(endpoint_, *test::Ca().signer).ok());
  ASSERT_TRUE(Compose().ok());
  EXPECT_THAT(ids(), ElementsAre())
      << "an ASP named by TLSA has no certificate to store, and a part is worse than none";
  EXPECT_EQ(Pushed().pilot_form_absent, "trust_is_tlsa");
  TrustACertificate();
  ASSERT_TRUE(SignLegacy(endpoint_, *test::Ca().signer).ok());
  ASSERT_TRUE(Compose().ok());
  EXPECT_THAT(ids(), ElementsAre(6, 7, 3, 8, 9, 10, 15, 2));
  EXPECT_EQ(Pushed().pilot_form_absent, "");
}

// Both forms of one content: the number is that of the CMS, and the digest that of all files, by openssl.
TEST_F(ComposeTest, TheMarkNamesTheGenerationAndEveryFile) {
  TrustACertificate();
  ASSERT_TRUE(SignLegacy(endpoint_, *test::Ca().signer).ok());
  ASSERT_TRUE(Compose().ok());
  auto files = Pushed().containers;
  const auto mark = nlohmann::json::parse(AsText(files.at(6).content));
  EXPECT_EQ(mark.at("generation"), Pushed().version);
  EXPECT_EQ(mark.size(), 2u);
  files.erase(files.begin() + 6);
  std::sort(files.begin(), files.end(), [](const auto& a, const auto& b) { return a.id < b.id; });
  Bytes octets;
  for (const auto& file : files) {
    for (const std::size_t octet :
         {std::size_t{file.id}, file.content.size() / 256, file.content.size() % 256})
      octets.push_back(static_cast<std::uint8_t>(octet));
    octets.insert(octets.end(), file.content.begin(), file.content.end());
  }
  folder_.Write("files", octets);
  const auto digest = test::OpenSsl(folder_, "dgst -sha256 -r files");
  ASSERT_TRUE(digest.ok());
  EXPECT_EQ(mark.at("files"), digest.output.substr(0, 64));
}

// The pilot looks the device up by its CN: the form is refused, not the device.
TEST_F(ComposeTest, ALongZoneHasNoPilotForm) {
  TrustACertificate();
  ASSERT_TRUE(SignLegacy(endpoint_, *test::Ca().signer).ok());
  policy_.zone = std::string(14, 'z') + ".test";
  ASSERT_TRUE(Compose().ok());
  EXPECT_EQ(DeviceName(device_.id, policy_.zone).size(), 64u);
  EXPECT_EQ(Pushed().containers.size(), 8u);
  policy_.zone = std::string(15, 'z') + ".test";
  ASSERT_TRUE(Compose().ok());
  EXPECT_TRUE(Pushed().containers.empty());
  EXPECT_EQ(Pushed().pilot_form_absent, "name_too_long");
}

// An earlier version put the URL there.
TEST_F(ComposeTest, AnEarlierRecordIsSignedAgain) {
  TrustACertificate();
  endpoint_.legacy_json = AsBytes(R"({"port":8883,"url":"mqtts://mqtt.asp-a.test"})");
  endpoint_.legacy_json_signature = endpoint_.legacy_cert_signature = Bytes(70, 0x30);
  ASSERT_TRUE(Compose().ok());
  const auto containers = Pushed().containers;
  ASSERT_EQ(containers.size(), 8u);
  EXPECT_EQ(AsText(containers[3].content), R"({"port":8883,"url":"mqtt.asp-a.test"})");
  EXPECT_TRUE(VerifiedByRegistry(containers[3].content, containers[4].content));
  EXPECT_TRUE(VerifiedByRegistry(containers[2].content, containers[5].content));
}

// A device sees one issuing CA at a time: that of its own certificate.
TEST_F(ComposeTest, InARollOverEachDeviceIsToldByTheCaOfItsCertificate) {
  const auto next = *signing::CreateIssuing(test::Ca().root, "Next Issuing CA", {test::Ca().now});
  std::vector<std::unique_ptr<domain::Signer>> former;
  former.push_back(*signing::MakeSigner(test::Ca().issuing.key, test::Ca().issuing.certificate));
  const signing::RollingSigner both(*signing::MakeSigner(next.key, next.certificate), std::move(former));
  const auto device_below = [&](const signing::Authority& ca) {
    return *signing::CreatePartyCertificate(ca, *signing::PrivateKey::Generate(), *PartyId::Parse("d"),
                                            {test::Ca().now});
  };
  TrustACertificate();
  ASSERT_TRUE(SignLegacy(endpoint_, *test::Ca().signer).ok()) << "published before the roll-over";
  policy_.payload.bootstrap.issuing_certificate = next.certificate;
  for (const signing::Authority* ca : {&test::Ca().issuing, &next}) {
    test::CertificateOf(device_).der = device_below(*ca);
    auto job = payload_push::Compose(device_, endpoint_, policy_, test::Ca().context, both);
    ASSERT_TRUE(job.ok()) << job.error().message;
    job_ = std::move(*job);
    const auto containers = Pushed().containers;
    ASSERT_EQ(containers.size(), 8u);
    EXPECT_EQ(containers[1].content, ca->certificate) << "07";
    const Bytes point = ca->key.point();
    EXPECT_TRUE(crypto::VerifyP256(point, crypto::Sha256({containers[3].content}), containers[4].content))
        << "09";
    EXPECT_TRUE(crypto::VerifyP256(point, crypto::Sha256({containers[2].content}), containers[5].content))
        << "0A";
    folder_.Write("payload.cms", Pushed().cms);
    folder_.Write("by.pem", ToPem("CERTIFICATE", ca->certificate));
    folder_.Write("root.pem", ToPem("CERTIFICATE", test::Ca().root.certificate));
    const auto verified =
        test::OpenSsl(folder_,
                      "cms -verify -binary -inform DER -in payload.cms -certfile by.pem -CAfile "
                      "root.pem -no_check_time -out sealed.der");
    EXPECT_TRUE(verified.ok()) << verified.output;
  }
}

TEST_F(ComposeTest, LegacySignaturesVerify) {
  TrustACertificate();
  ASSERT_TRUE(SignLegacy(endpoint_, *test::Ca().signer).ok());
  EXPECT_EQ(AsText(endpoint_.legacy_json), R"({"port":8883,"url":"mqtt.asp-a.test"})");
  EXPECT_TRUE(VerifiedByRegistry(endpoint_.legacy_json, endpoint_.legacy_json_signature));
  EXPECT_TRUE(VerifiedByRegistry(endpoint_.endpoint.trust.certificate, endpoint_.legacy_cert_signature));
  EXPECT_FALSE(VerifiedByRegistry(AsBytes("{}"), endpoint_.legacy_json_signature));
  endpoint_.endpoint.trust = {wire::TrustKind::kTlsa, {}, "_8883._tcp.mqtt.asp-a.test"};
  ASSERT_TRUE(SignLegacy(endpoint_, *test::Ca().signer).ok());
  EXPECT_TRUE(endpoint_.legacy_cert_signature.empty()) << "a former certificate's signature goes with it";
  EXPECT_TRUE(endpoint_.legacy_json.empty() && endpoint_.legacy_json_signature.empty());
}

// The key behind container 0A issues certificates: what an ASP calls its certificate must not become one of the
// registry's certificates, CRLs or payloads by being signed.
TEST_F(ComposeTest, SignsNothingForAnAspButACertificate) {
  const Bytes& good = test::Ca().root.certificate;
  const auto crl = signing::BuildCrl(*test::Ca().signer, {}, test::Ca().now, test::Ca().now, 1);
  Listening attributes;
  ASSERT_TRUE(SignContent(AsBytes("content"), attributes, test::Ca().now).ok());
  Bytes trailing = good, cut = good, version_1 = good;
  trailing.push_back(0);
  cut.pop_back();
  const Bytes version_3 = *FromHex("a003020102");
  *(std::search(version_1.begin(), version_1.end(), version_3.begin(), version_3.end()) + 4) = 0;
  const std::pair<const char*, Bytes> cases[] = {{"TBSCertificate", ToBeSigned(good)},
                                                 {"CertificationRequest", test::MakeCsr()},
                                                 {"TBSCertList", ToBeSigned(*crl)},
                                                 {"CertificateList", *crl},
                                                 {"signed attributes", attributes.heard.at(0)},
                                                 {"empty SET", Bytes{0x31, 0x00}},
                                                 {"JSON", AsBytes(R"({"port":8883,"url":"tls://x"})")},
                                                 {"PEM", AsBytes(ToPem("CERTIFICATE", good))},
                                                 {"trailing octet", trailing},
                                                 {"cut short", cut},
                                                 {"version 1", version_1},
                                                 {"wrapped once more", crypto::DerSequence({good})},
                                                 {"one octet", Bytes{0x30}}};
  for (const auto& [what, octets] : cases) {
    Listening signer;
    endpoint_.endpoint.trust = {wire::TrustKind::kCa, octets, ""};
    const auto refused = SignLegacy(endpoint_, signer);
    ASSERT_FALSE(refused.ok()) << what;
    EXPECT_EQ(refused.error().symbol, "trust_certificate_invalid") << what;
    EXPECT_EQ(refused.error().code, Code::kValueSyntax);
    EXPECT_EQ(refused.error().field, "/endpoint/trust/certificate");
    EXPECT_TRUE(signer.heard.empty()) << what;
  }
}

// What stands for an ASP's octets in container 09 begins like nothing in DER that this key signs.
TEST_F(ComposeTest, TheSignedJsonIsNoOtherStructure) {
  constexpr std::uint8_t kSequence = 0x30, kSet = 0x31;
  TrustACertificate();
  for (const char* host : {"mqtt.asp-a.test", "x", "0", "\"\\"}) {
    Listening signer;
    endpoint_.endpoint.fqdn = host;
    ASSERT_TRUE(SignLegacy(endpoint_, signer).ok());
    ASSERT_EQ(signer.heard.size(), 2u);
    const Bytes& json = signer.heard[0];
    EXPECT_NE(json[0], kSequence);
    EXPECT_NE(json[0], kSet);
    EXPECT_TRUE(AsText(json).starts_with("{\"port\":8883,\"url\":\"")) << AsText(json);
    EXPECT_EQ(nlohmann::json::parse(AsText(json)).size(), 2u);
  }
}

TEST_F(ComposeTest, AContainerHas2040Octets) {
  // As a certificate looks on the outside, with as many octets as wanted.
  const auto padded = [](std::size_t size) {
    const Bytes version = *FromHex("a003020102"), algorithm = *FromHex("3000"),
                signature = *FromHex("030100");
    const std::size_t around = 4 + 4 + version.size() + 4 + algorithm.size() + signature.size();
    const Bytes filler = crypto::Der(crypto::tag::kOctetString, {Bytes(size - around, 0)});
    return crypto::DerSequence({crypto::DerSequence({version, filler}), algorithm, signature});
  };
  endpoint_.endpoint.trust = {wire::TrustKind::kCa, padded(kLegacyContainerMax), ""};
  ASSERT_EQ(endpoint_.endpoint.trust.certificate.size(), kLegacyContainerMax);
  EXPECT_TRUE(SignLegacy(endpoint_, *test::Ca().signer).ok());
  endpoint_.endpoint.trust.certificate = padded(kLegacyContainerMax + 1);
  const auto refused = SignLegacy(endpoint_, *test::Ca().signer);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().symbol, "trust_certificate_too_large");
  EXPECT_EQ(refused.error().code, Code::kRange);
}

TEST_F(ComposeTest, LegacyJsonHasAHundredOctets) {
  TrustACertificate();
  const std::size_t frame = std::string(R"({"port":8883,"url":""})").size();
  endpoint_.endpoint.fqdn = std::string(kLegacyJsonMax - frame, 'u');
  ASSERT_TRUE(SignLegacy(endpoint_, *test::Ca().signer).ok());
  EXPECT_EQ(endpoint_.legacy_json.size(), kLegacyJsonMax);
  EXPECT_EQ(PilotFormAbsent(endpoint_.endpoint), "");
  endpoint_.endpoint.fqdn += 'u';
  Listening signer;
  EXPECT_TRUE(SignLegacy(endpoint_, signer).ok()) << "the form is refused, not the endpoint";
  EXPECT_TRUE(signer.heard.empty());
  EXPECT_EQ(PilotFormAbsent(endpoint_.endpoint), "host_too_long");
}

TEST_F(ComposeTest, RefusesADeviceThatIsNotReady) {
  const auto expect_refused = [this](auto spoil) {
    const domain::Device before = device_;
    spoil(device_);
    const auto refused = Compose();
    ASSERT_FALSE(refused.ok());
    EXPECT_EQ(refused.error().symbol, "payload_failed");
    EXPECT_EQ(domain::PayloadVersion(device_), domain::PayloadVersion(before));
    device_ = before;
  };
  expect_refused([](domain::Device& device) { device.credentials.clear(); });
  expect_refused([](domain::Device& device) { test::ProfileOf(device).agreement_key.clear(); });
  expect_refused([](domain::Device& device) { device.bindings[0].phase = domain::BindingPhase::kEnded; });
  expect_refused([](domain::Device& device) { test::BindingOf(device).asp = *PartyId::Parse("asp-b"); });
  expect_refused(
      [](domain::Device& device) { test::BindingOf(device).endpoint = *EndpointName::Parse("other"); });
}

}  // namespace
}  // namespace registry::payload_push
