// TLS with the key in the card against Debian's `openssl s_server`, which demands a certificate and knows nothing of this
// project: the card beside the program, behind a modem, in a reader; and what becomes of it when the card does not sign.
#include <gtest/gtest.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/pem.h>

#include <atomic>
#include <csignal>
#include <thread>

#include "simulators/device/csr.h"
#include "simulators/device/tls_connection.h"
#include "simulators/euicc/euicc.h"
#include "simulators/lab/ports.h"
#include "simulators/lab/probe.h"
#include "simulators/lab/process.h"
#include "simulators/terminal/modem_port.h"
#include "simulators/terminal/pty_modem.h"
#include "simulators/terminal/vpcd_card.h"
#include "tests/support/modem_line.h"
#include "tests/support/openssl_tool.h"
#include "tests/support/virtual_reader.h"

namespace registry::sim {
namespace {

using namespace std::chrono_literals;

constexpr std::uint8_t kSlot = 0x01, kSignUpdate = 0x2b, kSignInit = 0x2a;
constexpr auto kWithin = 60s;

// A card that may refuse, or give no answer any more, from a certain command on.
class FragileCard : public CardPort {
 public:
  Bytes Transmit(const Bytes& apdu) override {
    if (apdu.size() > 1) asked_.push_back(apdu[1]);
    if (apdu.size() > 1 && apdu[1] == fails_at_) return answer_;
    return euicc_->applet().Transmit(apdu);
  }
  void Reset() override { euicc_->applet().Reset(); }
  void FailAt(std::uint8_t instruction, Bytes answer) {
    fails_at_ = instruction;
    answer_ = std::move(answer);
  }
  std::vector<std::uint8_t> TakeAsked() { return std::exchange(asked_, {}); }

 private:
  const std::unique_ptr<Euicc> euicc_ = Euicc::Make();
  int fails_at_ = -1;
  Bytes answer_;
  std::vector<std::uint8_t> asked_;
};

class CardTlsTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    std::signal(SIGPIPE, SIG_IGN);  // as the programs do
    folder_ = new test::TemporaryFolder();
    const std::string made =
        "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=";
    ASSERT_TRUE(OpenSsl(made + "ca.test -keyout ca.key -out ca.pem"));
    ASSERT_TRUE(OpenSsl(made + "other.test -keyout other.key -out other.pem"));
    ASSERT_TRUE(OpenSsl(made + "server.test -addext subjectAltName=DNS:server.test -keyout server.key -out "
                               "server.pem"));
  }
  static void TearDownTestSuite() { delete folder_; }
  void TearDown() override { ERR_clear_error(); }

  static bool OpenSsl(const std::string& arguments) { return test::OpenSsl(*folder_, arguments).ok(); }
  static Bytes Der(const std::string& file) { return *FromPem("CERTIFICATE", folder_->Read(file)); }

  // The card makes a pair, and a CA of the openssl program certifies it.
  void Certify(Card::Transmit transmit) {
    card_ = std::make_unique<Card>(std::move(transmit));
    const auto point = card_->GenerateKeyPair(kSlot);
    ASSERT_TRUE(point) << point.error().message;
    key_ = CardKey::Make(*card_, kSlot, *point);
    const auto csr = MakeCsr(*key_, {}, "device-1");
    ASSERT_TRUE(csr) << csr.error().message;
    folder_->Write("device.csr", ToPem("CERTIFICATE REQUEST", *csr));
    ASSERT_TRUE(OpenSsl("req -in device.csr -noout -verify"));
    ASSERT_TRUE(OpenSsl("x509 -req -in device.csr -CA ca.pem -CAkey ca.key -days 1 -out device.pem"));
    const Bytes der = Der("device.pem");
    const std::uint8_t* at = der.data();
    certificate_.reset(d2i_X509(nullptr, &at, static_cast<long>(der.size())));
  }
  void CertifyBeside() {
    Certify([this](const Bytes& apdu) { return fragile_.Transmit(apdu); });
  }
  void CertifyBehindModem(std::chrono::milliseconds within) {
    auto modem = PtyModem::Start(folder_->In("modem"), fragile_, {});
    ASSERT_TRUE(modem) << modem.error().message;
    modem_ = std::move(*modem);
    auto port = ModemPort::Open(folder_->In("modem"), within);
    ASSERT_TRUE(port) << port.error().message;
    modem_port_ = std::move(*port);
    Certify([this](const Bytes& apdu) { return modem_port_->Transmit(apdu); });
  }

  // It reverses each line. `more`: options of s_server.
  void Serve(const std::string& more, const std::string& ca = "ca.pem") {
    server_.reset();
    port_ = *ports_.Take();
    folder_->Write("server.log", "");
    lab::ProcessSpec spec;
    spec.name = "s_server";
    spec.command = {"sh", "-c",
                    "cd '" + folder_->In("") + "' && exec stdbuf -oL openssl s_server -accept 127.0.0.1:" +
                        std::to_string(port_) + " -cert server.pem -key server.key -CAfile " + ca +
                        " -Verify 1 -verify_return_error -rev " + more};
    spec.log_file = folder_->In("server.log");
    auto started = lab::Process::Start(std::move(spec));
    ASSERT_TRUE(started);
    server_ = std::move(*started);
    ASSERT_TRUE(Logged("ACCEPT")) << folder_->Read("server.log");
  }
  bool Logged(const std::string& text) const {
    return lab::WaitUntil(
        [&] { return folder_->Read("server.log").find(text) != std::string::npos || !server_->running(); },
        10s);
  }
  AspTarget Target() const {
    AspTarget target;
    target.fqdn = "server.test";
    target.address = "127.0.0.1";
    target.port = port_;
    target.trust.kind = wire::TrustKind::kCa;
    target.trust.certificate = Der("server.pem");
    return target;
  }
  Result<std::unique_ptr<TlsConnection>> Connect(TlsVersion version) {
    return TlsConnection::Open(Target(), {certificate_.get(), key_.get(), "device-1.test"}, version, kWithin);
  }
  // What the server sends back, or the reason why not.
  std::string Say(TlsVersion version) {
    const auto connection = Connect(version);
    if (!connection) return Reason(connection.error());
    const auto said = (*connection)->Write("hello\n");
    const auto answer = said ? (*connection)->ReadLine() : Result<std::string>(said.error());
    return answer ? *answer : Reason(answer.error());
  }
  static std::string Reason(const Error& error) { return error.symbol + ": " + error.message; }

  void ExpectServed(TlsVersion version, const std::string& protocol) {
    Serve("");
    EXPECT_EQ(Say(version), "olleh");
    EXPECT_TRUE(Logged("CONNECTION CLOSED"));
    const std::string log = folder_->Read("server.log");
    for (const std::string& proof :
         {"Protocol version: " + protocol, std::string("Peer certificate: CN = device-1"),
          std::string("Hash used: SHA256"), std::string("Signature type: ECDSA"),
          std::string("Verification: OK")}) {
      EXPECT_NE(log.find(proof), std::string::npos) << proof << "\n" << log;
    }
  }
  void ExpectServedByBoth() {
    ExpectServed(TlsVersion::k13, "TLSv1.3");
    ExpectServed(TlsVersion::k12, "TLSv1.2");
  }

  static inline test::TemporaryFolder* folder_ = nullptr;
  lab::Ports ports_;
  std::uint16_t port_ = 0;
  std::unique_ptr<lab::Process> server_;
  FragileCard fragile_;
  std::unique_ptr<PtyModem> modem_;
  std::unique_ptr<ModemPort> modem_port_;
  test::VirtualReader reader_;
  std::unique_ptr<VpcdCard> in_reader_;
  std::unique_ptr<Card> card_;  // it closes its channel, through any of these
  std::unique_ptr<CardKey> key_;
  OwnedCertificate certificate_;
};

TEST_F(CardTlsTest, BothVersionsWithTheCardBesideTheProgram) {
  CertifyBeside();
  ExpectServedByBoth();
}

TEST_F(CardTlsTest, BothVersionsWithTheCardBehindAModem) {
  CertifyBehindModem(kWithin);
  ExpectServedByBoth();
}

TEST_F(CardTlsTest, BothVersionsWithTheCardInAReader) {
  auto in_reader = VpcdCard::Start(reader_.address(), fragile_, [](bool) {});
  ASSERT_TRUE(in_reader && reader_.Insert());
  in_reader_ = std::move(*in_reader);
  Certify([this](const Bytes& apdu) { return FromHex(reader_.Say(ToHex(apdu))).value_or(Bytes{}); });
  ExpectServedByBoth();
}

// RFC 8446 §9.1: what costs least comes first in the list, and a server that wants another of it gets that.
TEST_F(CardTlsTest, TheMandatoryCipherUnlessTheServerWantsAnother) {
  CertifyBeside();
  const std::pair<const char*, const char*> servers[] = {
      {"", "TLS_AES_128_GCM_SHA256"},
      {"-ciphersuites TLS_AES_256_GCM_SHA384", "TLS_AES_256_GCM_SHA384"},
      {"-ciphersuites TLS_CHACHA20_POLY1305_SHA256", "TLS_CHACHA20_POLY1305_SHA256"}};
  for (const auto& [options, cipher] : servers) {
    Serve(options);
    const auto connection = Connect(TlsVersion::k13);
    ASSERT_TRUE(connection) << options << Reason(connection.error());
    EXPECT_EQ((*connection)->Described(), std::string("TLSv1.3 ") + cipher);
  }
}

// What is agreed on is made outside the card, so the curve of that is free; the signature's is not.
TEST_F(CardTlsTest, AnyCurveToAgreeOnAndOneToSignWith) {
  CertifyBeside();
  const std::pair<TlsVersion, const char*> agreements[] = {
      {TlsVersion::k13, "P-256"},
      {TlsVersion::k13, "P-384"},
      {TlsVersion::k13, "X25519"},
      {TlsVersion::k12, "P-256"},
      // RFC 8422 §5.1.1: in TLS 1.2 the list is about the curves of certificates, too.
      {TlsVersion::k12, "P-384:P-256 -serverpref"},
      {TlsVersion::k12, "X25519:P-256 -serverpref"},
      {TlsVersion::kEither, "P-384"}};
  for (const auto& [version, groups] : agreements) {
    Serve(std::string("-groups ") + groups);
    EXPECT_EQ(Say(version), "olleh") << groups;
  }
  Serve("-client_sigalgs ECDSA+SHA384:RSA+SHA256");
  EXPECT_EQ(Say(TlsVersion::k12), "refused: refused alert_40") << "it has no certificate to show";
  EXPECT_EQ(Say(TlsVersion::k13), "refused: refused certificate_required");
}

TEST_F(CardTlsTest, WhatTheServerSaysOfTheCertificateIsToldOn) {
  CertifyBeside();
  Serve("", "other.pem");
  for (const TlsVersion version : {TlsVersion::k12, TlsVersion::k13})
    EXPECT_EQ(Say(version), "refused: refused alert_48") << "unknown_ca";
}

TEST_F(CardTlsTest, ACertificateOfAnotherKeyIsNotShown) {
  CertifyBeside();
  const auto point = card_->GenerateKeyPair(0x02);
  key_ = CardKey::Make(*card_, 0x02, *point);
  Serve("");
  EXPECT_EQ(Say(TlsVersion::k13).substr(0, 13), "asp_untrusted");
  EXPECT_EQ(folder_->Read("server.log").find("ESTABLISHED"), std::string::npos);
}

TEST_F(CardTlsTest, ACardThatDoesNotSignEndsTheHandshakeWithItsReason) {
  CertifyBeside();
  const struct {
    std::uint8_t at;
    Bytes answer;
    const char* reason;
  } failures[] = {
      {kSignInit, {0x69, 0x85}, "applet_refused: the applet answered 6985"},
      {kSignUpdate, {0x69, 0x89}, "applet_refused: the applet answered 6989"},
      {kSignUpdate, {}, "applet_refused: the card gives no answer"},
      {kSignUpdate, {0x33, 0x40, 0x01, 0x90, 0x00}, "applet_refused: the card's answer is malformed"}};
  Serve("");
  for (const auto& failure : failures) {
    for (const TlsVersion version : {TlsVersion::k12, TlsVersion::k13}) {
      fragile_.FailAt(failure.at, failure.answer);
      EXPECT_EQ(Say(version), failure.reason);
    }
  }
  EXPECT_EQ(folder_->Read("server.log").find("ESTABLISHED"), std::string::npos);
  fragile_.FailAt(0, {});
  EXPECT_EQ(Say(TlsVersion::k13), "olleh") << "the next handshake is none the worse for it";
}

TEST_F(CardTlsTest, AModemThatGoesAwayInTheMiddleIsACardWithoutAnswer) {
  CertifyBehindModem(1s);
  Serve("");
  modem_.reset();
  for (const TlsVersion version : {TlsVersion::k12, TlsVersion::k13})
    EXPECT_EQ(Say(version), "applet_refused: the card gives no answer");
}

// Neither OpenSSL's object nor any command that a handshake sends has the private key.
TEST_F(CardTlsTest, TheKeyCannotBeExported) {
  CertifyBeside();
  fragile_.TakeAsked();
  Serve("");
  EXPECT_EQ(Say(TlsVersion::k12), "olleh");
  EXPECT_EQ(fragile_.TakeAsked(), (std::vector<std::uint8_t>{kSignInit, kSignUpdate}));
  EVP_PKEY* const handle = key_->handle();
  BIGNUM* scalar = nullptr;
  EVP_PKEY_get_bn_param(handle, OSSL_PKEY_PARAM_PRIV_KEY, &scalar);
  EXPECT_TRUE(scalar == nullptr || BN_is_zero(scalar)) << BN_num_bits(scalar);
  BN_free(scalar);
  const OwnedBio file(BIO_new(BIO_s_mem()));
  EXPECT_NE(PEM_write_bio_PrivateKey(file.get(), handle, nullptr, nullptr, 0, nullptr, nullptr), 1);
  EXPECT_LE(i2d_PrivateKey(handle, nullptr), 0);
  EXPECT_EQ(BIO_pending(file.get()), 0);
}

// The program, as a person calls it, with the card of device-sim.
TEST_F(CardTlsTest, ByHand) {
  const std::string bin = std::string(REGISTRY_BINARY_DIR) + "/bin/", modem = folder_->In("by-hand");
  lab::ProcessSpec spec;
  spec.name = "device-sim";
  spec.command = {bin + "device-sim", "--modem", modem};
  spec.log_file = folder_->In("device-sim.log");
  spec.on_line = [](const std::string&) {};
  const auto sim = lab::Process::Start(std::move(spec));
  ASSERT_TRUE(sim);
  ASSERT_TRUE(
      lab::WaitUntil([&] { return test::SayToModem(modem, "AT").find("OK") != std::string::npos; }, 10s));
  const std::string with = " --modem " + modem + " 2>&1";
  const auto csr = test::Shell(bin + "card-tls csr --new --name device-2" + with);
  ASSERT_TRUE(csr.ok()) << csr.output;
  folder_->Write("hand.csr", csr.output);
  ASSERT_TRUE(OpenSsl("x509 -req -in hand.csr -CA ca.pem -CAkey ca.key -days 1 -out hand.pem"));
  for (const std::string version : {"1.2", "1.3"}) {
    Serve("");
    const auto said = test::Shell(
        "echo hello | " + bin + "card-tls connect 127.0.0.1:" + std::to_string(port_) + " --certificate " +
        folder_->In("hand.pem") + " --trust " + folder_->In("server.pem") + " --tls " + version + with);
    EXPECT_TRUE(said.ok()) << said.output;
    EXPECT_NE(said.output.find("TLSv" + version), std::string::npos) << said.output;
    EXPECT_NE(said.output.find("olleh"), std::string::npos) << said.output;
  }
  Serve("", "other.pem");
  const auto refused = test::Shell("echo hello | " + bin +
                                   "card-tls connect 127.0.0.1:" + std::to_string(port_) + " --certificate " +
                                   folder_->In("hand.pem") + " --trust " + folder_->In("server.pem") + with);
  EXPECT_EQ(WEXITSTATUS(refused.status), 1);
  EXPECT_NE(refused.output.find("card-tls: refused alert_48"), std::string::npos) << refused.output;
  const auto wrong = test::Shell(bin + "card-tls csr --modem /nowhere 2>&1");
  EXPECT_EQ(WEXITSTATUS(wrong.status), 1);
  EXPECT_NE(wrong.output.find("/nowhere: No such file"), std::string::npos) << wrong.output;
  EXPECT_EQ(WEXITSTATUS(test::Shell(bin + "card-tls csr --slot 1" + with).status), 2);
}

}  // namespace
}  // namespace registry::sim
