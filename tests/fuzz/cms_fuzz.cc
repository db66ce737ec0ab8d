// Attacked: a device's opening of a registry payload. The first octet says how far the octets behind it get on their own:
// 0 the whole CMS; 1 the encrypted part, signed by the registry; 2 the content, encrypted to the card and signed.
// A fault: a crash; a payload taken that the registry did not sign, was not for this device, is not newer or has expired.
#include "simulators/device/payload.h"
#include "simulators/euicc/euicc.h"
#include "tests/fuzz/input.h"
#include "tests/support/device_ca.h"
#include "workers/payload_push/cms.h"

namespace registry::sim {
namespace {

constexpr std::size_t kContentMax = 16 * 1024;
// Of the payload in the corpus.
constexpr const char* kDevice = "3f0c9a52-6a1e-4d57-9b1a-2f5c7e9d1b34._device.iot.example";

struct World {
  std::unique_ptr<Euicc> euicc = Euicc::Make();
  Card card{euicc->applet()};
  Bytes point = *card.PublicPoint(kAgreementKey);
  std::unique_ptr<CardKey> agreement = CardKey::Make(card, kAgreementKey, point);
  RegistryTrust trust;
  PayloadExpectation expected;

  World() {
    const auto& ca = test::Ca();
    trust.root = ParseCertificate(ca.root.certificate);
    trust.issuing = ParseCertificate(ca.issuing.certificate);
    trust.issuing_key = X509_get0_pubkey(trust.issuing.get());
    trust.authorities.reset(X509_STORE_new());
    X509_STORE_add_cert(trust.authorities.get(), trust.issuing.get());
    X509_STORE_set_flags(trust.authorities.get(), X509_V_FLAG_PARTIAL_CHAIN | X509_V_FLAG_NO_CHECK_TIME);
    trust.root_view = *CertificateView::Of(ca.root.certificate);
    trust.issuing_view = *CertificateView::Of(ca.issuing.certificate);
    expected.device_name = kDevice;
    expected.last_version = 0;
    expected.signing_point = *card.GenerateKeyPair(kSigningKey);
    // As if it had been installed before, so that a payload can be whole: {1, 2, 3} in the corpus.
    expected.installed = {1, 2, 3};
    expected.installed_parsed = trust.issuing.get();
    expected.now = ca.now;
  }
};

Result<Bytes> Made(std::uint8_t how, Bytes octets) {
  if (how == 0) return octets;
  const auto& ca = test::Ca();
  return payload_push::SignContent(octets, *ca.signer, ca.now);
}

}  // namespace
}  // namespace registry::sim

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace registry;
  using namespace registry::sim;
  static World world;
  fuzz::Input input(data, size);
  const auto how = static_cast<std::uint8_t>(input.Octet() % 3);
  Bytes octets = input.Take(kContentMax);
  if (how == 2) octets = *payload_push::Encrypt(octets, world.point);
  const auto cms = Made(how, octets);
  REG_CHECK(cms.ok());
  const auto payload = OpenPayload(*cms, world.trust, *world.agreement, world.expected);
  if (!payload) {
    REG_CHECK(payload.error().symbol.starts_with("payload_") ||
              payload.error().symbol == "signature_invalid");
    return 0;
  }
  REG_CHECK(how == 2);
  REG_CHECK(payload->bootstrap.device_name == kDevice && payload->version > world.expected.last_version);
  REG_CHECK(payload->expires > world.expected.now && payload->certificate == world.expected.installed);
  return 0;
}
