// schemas/vectors: OpenSSL alone finds that all of it holds, and finds each file that is changed; and the product reads the
// same out of the files.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "clients/dane/tlsa.h"
#include "schemas/wire/codec.h"
#include "simulators/device/payload.h"
#include "simulators/euicc/euicc.h"
#include "tests/support/shell.h"
#include "tests/support/temporary_folder.h"
#include "workers/crypto/certificate.h"
#include "workers/crypto/enveloped.h"
#include "workers/csr_sign/pkcs10.h"

namespace registry::test {
namespace {

namespace fs = std::filesystem;

const std::string kVectors = REGISTRY_SOURCE_DIR "/schemas/vectors";

std::string TextOf(const std::string& name) {
  std::ifstream file(kVectors + "/" + name, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  EXPECT_FALSE(text.str().empty()) << name;
  return text.str();
}
std::string LineOf(const std::string& name) {
  const std::string text = TextOf(name);
  return text.substr(0, text.find('\n'));
}
Bytes CertificateIn(const std::string& name) { return *FromPem("CERTIFICATE", TextOf(name)); }
Bytes CsrIn(const std::string& name) { return *FromPem("CERTIFICATE REQUEST", TextOf(name)); }
UtcTime Then() { return {std::stoll(LineOf("time")) * 1'000'000}; }

Ran Check(const std::string& folder) { return Shell("bash " + kVectors + "/check.sh " + folder + " 2>&1"); }

TEST(Vectors, OpensslFindsThatAllOfItHolds) {
  const Ran ran = Check(kVectors);
  EXPECT_TRUE(ran.ok()) << ran.output;
  EXPECT_TRUE(ran.output.ends_with("\nall of it holds\n")) << ran.output;
}

// One octet of each file: in the middle, and in a trace in the last long answer, which is the secret.
TEST(Vectors, OpensslFindsEachFileThatIsChanged) {
  int files = 0;
  for (const auto& entry : fs::recursive_directory_iterator(kVectors)) {
    const std::string name = fs::relative(entry.path(), kVectors).string();
    if (entry.is_directory() || name == "README.md" || name == "check.sh" || name == "time") continue;
    ++files;
    const TemporaryFolder copy;
    fs::copy(kVectors, copy.In("vectors"), fs::copy_options::recursive);
    std::string text = TextOf(name);
    const std::size_t at =
        name.ends_with("trace.txt") ? text.rfind("< ", text.size() - 100) + 10 : text.size() / 2;
    text[at] = text[at] == 'A' ? 'B' : 'A';
    std::ofstream(copy.In("vectors/" + name), std::ios::binary) << text;
    const Ran ran = Check(copy.In("vectors"));
    EXPECT_FALSE(ran.ok()) << name << ": " << ran.output;
  }
  EXPECT_GT(files, 20);
}

TEST(Vectors, TheProductReadsTheSamePublicKeysFromCsrAndCertificate) {
  for (const std::string folder : {"", "card/"}) {
    const Bytes csr = CsrIn(folder + "device.csr");
    const auto request = csr_sign::ReadPkcs10(csr);
    ASSERT_TRUE(request) << request.error().message;
    const auto view = clients::CertificateView::Of(CertificateIn(folder + "device.pem"));
    ASSERT_TRUE(view);
    const Bytes key(request->key.whole.begin(), request->key.whole.end());
    EXPECT_EQ(key, view->spki);
    EXPECT_EQ(request->agreement_key.has_value(), folder == "card/");
  }
}

TEST(Vectors, TheProductFindsThatTheTlsaRecordFits) {
  std::istringstream line(LineOf("tlsa.txt"));
  std::string name, in, type, usage, selector, matching, digest;
  line >> name >> in >> type >> usage >> selector >> matching >> digest;
  EXPECT_EQ(name, LineOf("name") + ".");
  const clients::TlsaRecord record{static_cast<std::uint8_t>(std::stoi(usage)),
                                   static_cast<std::uint8_t>(std::stoi(selector)),
                                   static_cast<std::uint8_t>(std::stoi(matching)), *FromHex(digest)};
  EXPECT_TRUE(clients::MatchesAny({record}, clients::kDaneEe,
                                  *clients::CertificateView::Of(CertificateIn("device.pem"))));
  EXPECT_FALSE(clients::MatchesAny({record}, clients::kDaneEe,
                                   *clients::CertificateView::Of(CertificateIn("asp.pem"))));
}

TEST(Vectors, TheProductWritesThePayloadOctetForOctet) {
  const std::string text = TextOf("payload.json");
  const auto payload = wire::Decode<wire::RegistryPayload>(nlohmann::json::parse(text));
  ASSERT_TRUE(payload) << payload.error().message;
  EXPECT_EQ(wire::Encode(*payload).dump(), text);
  EXPECT_EQ(payload->bootstrap.device_name, LineOf("name"));
  EXPECT_GT(payload->expires, Then());
}

// The product's devices hold their keys in cards, so it opens no payload for a key that is a file. It must get as far as a
// device does to whom it is not encrypted: the signature is the registry's, the recipient is another.
TEST(Vectors, TheProductFindsThatTheRegistrySignedThePayload) {
  sim::RegistryTrust trust;
  trust.root = sim::ParseCertificate(CertificateIn("root.pem"));
  trust.issuing = sim::ParseCertificate(CertificateIn("issuing.pem"));
  trust.issuing_key = X509_get0_pubkey(trust.issuing.get());
  trust.authorities.reset(X509_STORE_new());
  X509_STORE_add_cert(trust.authorities.get(), trust.root.get());
  X509_STORE_add_cert(trust.authorities.get(), trust.issuing.get());
  X509_STORE_set_flags(trust.authorities.get(), X509_V_FLAG_NO_CHECK_TIME | X509_V_FLAG_PARTIAL_CHAIN);
  trust.root_view = *sim::CertificateView::Of(CertificateIn("root.pem"));
  trust.issuing_view = *sim::CertificateView::Of(CertificateIn("issuing.pem"));
  const auto euicc = sim::Euicc::Make();
  sim::Card card(euicc->applet());
  const auto key = sim::CardKey::Make(card, sim::kAgreementKey, *card.PublicPoint(sim::kAgreementKey));
  sim::PayloadExpectation expected;
  expected.device_name = LineOf("name");
  expected.now = Then();

  Bytes cms = AsBytes(TextOf("payload.cms"));
  const auto opened = sim::OpenPayload(cms, trust, *key, expected);
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().symbol, "payload_undecryptable");
  cms.back() ^= 1;
  EXPECT_EQ(sim::OpenPayload(cms, trust, *key, expected).error().symbol, "signature_invalid");

  const sim::OwnedCertificate device = sim::ParseCertificate(CertificateIn("device.pem"));
  const auto view = *sim::CertificateView::Of(CertificateIn("device.pem"));
  const Bytes point(view.spki.end() - 65, view.spki.end());
  EXPECT_TRUE(sim::CheckCertificate(device.get(), view, trust, point, LineOf("name")));
  EXPECT_TRUE(sim::CheckDates(device.get(), trust, Then()));
}

TEST(Vectors, TheProductTakesTheSealedPassphraseForWhatItIs) {
  EXPECT_TRUE(crypto::IsEnveloped(*FromBase64(LineOf("sealed-passphrase.b64"))));
}

// Keys, signatures and secrets are a card's own; lengths and status words are not.
TEST(Vectors, ASoftCardAnswersTheTraceAlike) {
  const auto euicc = sim::Euicc::Make();
  std::istringstream trace(TextOf("card/trace.txt"));
  std::string what, command;
  int pairs = 0;
  for (std::string line; std::getline(trace, line);) {
    if (line.starts_with("# ")) what = line.substr(2);
    if (line.starts_with("> ")) command = line.substr(2);
    if (!line.starts_with("< ")) continue;
    ++pairs;
    const Bytes expected = *FromHex(line.substr(2)), answer = euicc->applet().Transmit(*FromHex(command));
    EXPECT_EQ(answer.size(), expected.size()) << what;
    EXPECT_TRUE(std::equal(answer.end() - 2, answer.end(), expected.end() - 2)) << what;
  }
  EXPECT_EQ(pairs, 12);
}

}  // namespace
}  // namespace registry::test
