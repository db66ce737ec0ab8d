// The zone over TLS to NSD and BIND, as the page of it says (RFC 9103): with and without certificates of the secondary, and
// nothing where a name, a CA or a certificate is not right. Debian's Knot cannot transfer over TLS.
#include <gmock/gmock.h>

#include "tests/integration/zone/page_example.h"
#include "tests/integration/zone/zone_lab.h"
#include "tests/unit/bridge/zone/transfer_certificates.h"

namespace registry::zone::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr char kPage[] = REGISTRY_SOURCE_DIR "/bridge/zone/TLS.md";
constexpr char kOurName[] = "primary.iotregistry.test", kTheirName[] = "ns1.example";

class XotTest : public ZoneLab, public ::testing::WithParamInterface<Software> {
 protected:
  void SetUp() override {
    certificates_.Issue("transfer", kOurName);
    certificates_.Issue(kTheirName, kTheirName);
    for (const char* end : {".pem", ".key"})
      std::filesystem::rename(others_.path("other-ca" + std::string(end)),
                              others_.path("transfer-ca" + std::string(end)));
  }
  // The page's example, its files being those of `folder`, with `changes` made to it.
  void StartSecondary(const test::TemporaryFolder& folder,
                      std::vector<std::pair<std::string, std::string>> changes = {}) {
    primary_port_ = FreePort();
    tls_port_ = FreePort();
    secondary_ = std::make_unique<SecondaryProcess>(GetParam(), files_, "secondary", primary_port_);
    const std::string own = files_.path("secondary"), tls = std::to_string(tls_port_);
    changes.insert(changes.end(), {{"192.0.2.1@853", "127.0.0.1@" + tls},
                                   {"192.0.2.1 port 853", "127.0.0.1 port " + tls},
                                   {"192.0.2.1", "127.0.0.1"},
                                   {"registry-transfer", kTsigName},
                                   {"SECRET", kTsigSecret},
                                   {"/etc/nsd/", folder.In("") + "/"},
                                   {"/etc/bind/", folder.In("") + "/"}});
    std::ofstream(own + "/server.conf")
        << Exchanged(ExampleOf(kPage, GetParam(), own, std::to_string(secondary_->port())), changes);
    secondary_->Start();
  }
  void Serve(bool mutual) {
    tune_ = [this, mutual](Options& options) {
      options.tls.address = "127.0.0.1";
      options.tls.port = tls_port_;
      options.tls.files.certificate = certificates_.path("transfer.pem");
      options.tls.files.key = certificates_.path("transfer.key");
      if (mutual) options.tls.files.client_ca = certificates_.path("transfer-ca.pem");
      options.tls.only = true;
    };
    SecondaryAddress address = secondary_->address();
    if (mutual) address.tls_name = kTheirName;
    StartPublisher({address}, primary_port_);
    Commit({Published(1)});
  }
  bool Sees(std::size_t changes) {
    return Eventually([&] { return visible() == changes; }, std::chrono::seconds(60));
  }
  std::string Said() {
    const std::lock_guard lock(mutex_);
    return log_;
  }
  // It has tried, and was or did refuse.
  void ExpectNothingIsTransferred(const std::string& why) {
    const std::string said = "no TLS handshake: " + why;
    EXPECT_TRUE(Eventually([&] { return Said().find(said) != std::string::npos; }, std::chrono::seconds(60)))
        << Said() << secondary_->Log();
    EXPECT_EQ(publisher_->snapshot().axfr + publisher_->snapshot().ixfr, 0u);
    EXPECT_EQ(visible(), 0u);
  }

  TransferCertificates certificates_, others_{"other-ca"};
  std::uint16_t tls_port_ = 0;
};

TEST_P(XotTest, BothShowTheirCertificatesAndTheZoneIsServed) {
  StartSecondary(certificates_.folder());
  Serve(true);
  ASSERT_TRUE(Sees(1)) << Said() << secondary_->Log();
  const std::uint64_t before = publisher_->snapshot().tls_made;
  Commit({Published(2), Gone(1, 2)});
  ASSERT_TRUE(Sees(3)) << Said() << secondary_->Log();
  const Snapshot snapshot = publisher_->snapshot();
  EXPECT_EQ(snapshot.axfr, 1u);
  EXPECT_GE(snapshot.ixfr, 1u) << "differences, too";
  EXPECT_GE(before, 1u);
  EXPECT_GT(snapshot.tls_made, before);
  // NSD 4.6.1 shows its certificate from its second connection on.
  EXPECT_LE(snapshot.tls_refused, GetParam() == Software::kNsd ? 1u : 0u) << Said();
  const std::string verdict =
      Judge(secondary_->Dig("-y hmac-sha256:" + std::string(kTsigName) + ":" + kTsigSecret +
                            " +noall +answer +onesoa " + kZone + " AXFR | grep -v TSIG"));
  EXPECT_THAT(verdict, HasSubstr("Zone is verified and complete"));
  EXPECT_THAT(verdict, HasSubstr("dnssec-verify agrees"));
}

// Without zone.tls_client_ca the secondary shows nothing, whatever it has.
TEST_P(XotTest, OnlyOurCertificateIsLookedAt) {
  StartSecondary(certificates_.folder());
  Serve(false);
  ASSERT_TRUE(Sees(1)) << Said() << secondary_->Log();
  EXPECT_GE(publisher_->snapshot().tls_made, 1u);
}

TEST_P(XotTest, TheSecondaryTakesNothingFromAnotherName) {
  StartSecondary(certificates_.folder(), {{kOurName, "another.iotregistry.test"}});
  Serve(true);
  ExpectNothingIsTransferred("");
}

TEST_P(XotTest, TheSecondaryTakesNothingUnderAnotherCa) {
  const std::string ca = "transfer-ca.pem";
  StartSecondary(certificates_.folder(), {{ca, "another-ca.pem"}});
  std::filesystem::copy_file(others_.path(ca), certificates_.path("another-ca.pem"));
  secondary_->Stop();
  secondary_->Start();
  Serve(true);
  ExpectNothingIsTransferred("");
}

TEST_P(XotTest, ASecondaryWithoutACertificateGetsNothing) {
  StartSecondary(
      certificates_.folder(),
      {{"    client-cert: ", "#"}, {"    client-key: ", "#"}, {"  cert-file ", "#"}, {"  key-file ", "#"}});
  Serve(true);
  ExpectNothingIsTransferred("peer did not return a certificate");
}

TEST_P(XotTest, ASecondaryWithACertificateForAnotherNameGetsNothing) {
  certificates_.Issue(kTheirName, "ns2.example");
  StartSecondary(certificates_.folder());
  Serve(true);
  ExpectNothingIsTransferred("hostname mismatch");
}

INSTANTIATE_TEST_SUITE_P(Secondaries, XotTest, ::testing::Values(Software::kNsd, Software::kBind), NameOf);

// The commands on the page, as they stand there; and what BIND's dig gets over TLS is what it gets over TCP.
class XotToolTest : public XotTest {};

TEST_P(XotToolTest, ThePagesCertificatesServeDig) {
  const test::TemporaryFolder folder;
  const auto made = test::Shell("cd '" + folder.In("") + "' && set -e\n" +
                                ExampleThatBegins(kPage, "openssl req") + "2>&1");
  ASSERT_TRUE(made.ok()) << made.output;
  tls_port_ = FreePort();
  tune_ = [&](Options& options) {
    options.tls = {"127.0.0.1",
                   tls_port_,
                   {folder.In("transfer.pem"), folder.In("transfer.key"), folder.In("transfer-ca.pem"), ""},
                   true};
  };
  StartPublisher({});
  Commit({Published(1), Published(2)});
  ASSERT_TRUE(Sees(2));
  const std::string asks = " -y hmac-sha256:" + std::string(kTsigName) + ":" + kTsigSecret + " " + kZone +
                           " AXFR +onesoa +noall +answer +time=5 +tries=1";
  const std::string tls = "-p " + std::to_string(tls_port_) +
                          " +tls +tls-ca=" + folder.In("transfer-ca.pem") + " +tls-hostname=" + kOurName;
  const std::string mutual = tls + " +tls-certfile=" + folder.In("ns1.example.pem") +
                             " +tls-keyfile=" + folder.In("ns1.example.key");
  const std::string plain = "-p " + std::to_string(publisher_->snapshot().port);
  const auto dig = [&](const std::string& how, const char* from = "127.0.0.1") {
    return RunCommand("dig @127.0.0.1 -b " + std::string(from) + " " + how + asks + " | grep -v TSIG");
  };
  const std::string whole = dig(mutual);
  EXPECT_THAT(whole, HasSubstr("TLSA"));
  EXPECT_EQ(whole, dig(plain)) << "from this very host";
  EXPECT_THAT(dig(plain, "127.0.0.2"), Not(HasSubstr("TLSA"))) << "zone.tls_only";
  EXPECT_THAT(dig(tls), Not(HasSubstr("TLSA"))) << "without a certificate";
  EXPECT_THAT(dig(Exchanged(mutual, {{kOurName, "another.test"}})), Not(HasSubstr("TLSA")));
  const auto s_client = [&](const std::string& more) {
    return RunCommand("openssl s_client -connect 127.0.0.1:" + std::to_string(tls_port_) + " " + more +
                      " </dev/null");
  };
  EXPECT_THAT(s_client("-alpn dot"), HasSubstr("ALPN protocol: dot"));
  EXPECT_THAT(s_client(""), HasSubstr("no application protocol"));
  EXPECT_THAT(s_client("-alpn dot -tls1_2"), HasSubstr("protocol version"));
}

INSTANTIATE_TEST_SUITE_P(Tools, XotToolTest, ::testing::Values(Software::kBind), NameOf);

}  // namespace
}  // namespace registry::zone::testing
