// An issuing CA whose certificate is signed elsewhere: the openssl program is the offline root.
#include "bridge/ctl/ca_life.h"

#include <gmock/gmock.h>
#include <sys/stat.h>

#include "bridge/app/check.h"
#include "bridge/keys/key_source.h"
#include "bridge/signing/key_file.h"
#include "tests/support/registry_home.h"
#include "tests/support/soft_token.h"

namespace registry::ctl {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

class CaLifeTest : public testing::Test {
 protected:
  CaLifeTest() {
    test::MakeRegistryHome(folder_);
    // The root goes somewhere else.
    std::filesystem::create_directory(folder_.In("vault"));
    std::filesystem::rename(folder_.In("r/pki/root.key"), folder_.In("vault/root.key"));
    folder_.Write("vault/ca.cnf", "subjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid:always\n");
  }
  // As the holder of the root does; both streams.
  std::string SignAtRoot(const std::string& request, const std::string& out, const std::string& more = "") {
    const auto ran =
        test::OpenSsl(folder_, "x509 -req -in " + request +
                                   " -CA r/pki/root.pem -CAkey vault/root.key -days 3000 -copy_extensions "
                                   "copyall -extfile vault/ca.cnf -out " +
                                   out + " " + more);
    EXPECT_TRUE(ran.ok()) << ran.output;
    return folder_.In(out);
  }
  template <class T>
  static std::string SymbolOf(const Result<T>& result) {
    return result ? "" : result.error().symbol;
  }
  // After what openssl has made just now.
  static UtcTime Now() { return SystemClock().Now() + std::chrono::seconds(1); }
  app::OtherIssuingConfig Coming() const {
    return {folder_.In("r/pki/issuing-2027.pem"), folder_.In("r/pki/issuing-2027.key"),
            folder_.In("r/pki/crl-2027.pem")};
  }
  void Install() {
    const auto asked = RequestIssuing(options_);
    ASSERT_TRUE(asked.ok()) << asked.error().message;
    const auto installed = InstallIssuing(options_, SignAtRoot(asked->request, "vault/new.pem"), Now());
    ASSERT_TRUE(installed.ok()) << installed.error().message;
  }
  void Configure(const std::string& more) {
    folder_.Write("r/registry.toml", folder_.Read("r/registry.toml") + more);
  }
  app::Config Config() { return *app::LoadConfig(folder_.In("r/registry.toml")); }

  test::TemporaryFolder folder_;
  IssuingRequest options_{folder_.In("r"), "2027", ""};
};

TEST_F(CaLifeTest, ACertificateThatTheRootSignedElsewhereIsInstalled) {
  const auto asked = RequestIssuing(options_);
  ASSERT_TRUE(asked.ok()) << asked.error().message;
  const std::string shown =
      test::OpenSsl(folder_, "req -in " + asked->request + " -noout -text -verify").output;
  EXPECT_THAT(shown, HasSubstr("Certificate request self-signature verify OK"));
  EXPECT_THAT(shown, HasSubstr("CN = iotregistry.test Issuing CA 2027"));
  EXPECT_THAT(shown, HasSubstr("CA:TRUE, pathlen:0"));
  EXPECT_THAT(shown, HasSubstr("Digital Signature, Certificate Sign, CRL Sign"));
  const auto installed = InstallIssuing(options_, SignAtRoot(asked->request, "vault/new.pem"), Now());
  ASSERT_TRUE(installed.ok()) << installed.error().message;
  EXPECT_EQ(Config().pki.issuing_certificate, folder_.In("r/pki/issuing.pem")) << "it signs nothing yet";
  EXPECT_EQ(Config().coming_issuing, std::vector{Coming()});
  EXPECT_THAT(app::FaultsOf(Config()), IsEmpty());
  const auto again = InstallIssuing(options_, folder_.In("vault/new.pem"), Now());
  ASSERT_FALSE(again.ok());
  EXPECT_EQ(again.error().symbol, "file_exists");

  const std::string before = folder_.Read("r/pki/issuing.key");
  const auto switched = SwitchIssuing({folder_.In("r"), "2027", true}, Now());
  ASSERT_TRUE(switched.ok()) << switched.error().message;
  EXPECT_THAT(*switched, HasSubstr("nobody can be asked"));
  EXPECT_EQ(Config().pki.issuing_key, folder_.In("r/pki/issuing-2027.key"));
  EXPECT_EQ(Config().pki.issuing_certificate, folder_.In("r/pki/issuing-2027.pem"));
  EXPECT_EQ(folder_.Read("r/pki/issuing.key"), before);
  EXPECT_EQ(Config().pki.crl_file, folder_.In("r/pki/crl-2027.pem"));
  const app::OtherIssuingConfig former{folder_.In("r/pki/issuing.pem"), folder_.In("r/pki/issuing.key"),
                                       folder_.In("r/pki/crl.pem")};
  EXPECT_EQ(Config().former_issuing, std::vector{former});
  EXPECT_THAT(Config().coming_issuing, IsEmpty());
  EXPECT_EQ(InstallIssuing(options_, folder_.In("vault/new.pem"), Now()).error().symbol, "file_exists");
  EXPECT_THAT(app::FaultsOf(Config()), IsEmpty());
  const auto chain = test::OpenSsl(folder_, "verify -CAfile r/pki/root.pem r/pki/issuing-2027.pem");
  EXPECT_TRUE(chain.ok()) << chain.output;
  const auto crl = test::OpenSsl(folder_, "crl -in r/pki/crl-2027.pem -noout -CAfile r/pki/issuing-2027.pem");
  EXPECT_THAT(crl.output, HasSubstr("verify OK"));
}

TEST_F(CaLifeTest, ItsKeyMayBeInAToken) {
  const test::SoftToken token;
  options_.key = token.Uri("issuing");
  EXPECT_EQ(RequestIssuing(options_).error().symbol, "token_key") << "there is none yet";
  ASSERT_TRUE(keys::GenerateTokenKey(options_.key).ok());
  const auto asked = RequestIssuing(options_);
  ASSERT_TRUE(asked.ok()) << asked.error().message;
  const auto installed = InstallIssuing(options_, SignAtRoot(asked->request, "vault/new.pem"), Now());
  ASSERT_TRUE(installed.ok()) << installed.error().message;
  EXPECT_EQ(Config().coming_issuing.at(0).key, options_.key);
  ASSERT_TRUE(SwitchIssuing({folder_.In("r"), "2027", true}, Now()).ok());
  EXPECT_EQ(Config().pki.issuing_key, options_.key);
  EXPECT_FALSE(std::filesystem::exists(folder_.In("r/pki/issuing-2027.key")));
  EXPECT_THAT(app::FaultsOf(Config()), IsEmpty());
}

TEST_F(CaLifeTest, ARequestThatWasLostIsMadeAgainWithTheSameKey) {
  ASSERT_TRUE(RequestIssuing(options_).ok());
  const std::string key = folder_.Read("r/pki/issuing-2027.key");
  ASSERT_TRUE(RequestIssuing(options_).ok());
  EXPECT_EQ(folder_.Read("r/pki/issuing-2027.key"), key);
}

TEST_F(CaLifeTest, WhatIsNotTheAnswerIsRefusedAndNothingChanges) {
  const std::string before = folder_.Read("r/registry.toml");
  const auto asked = *RequestIssuing(options_);
  EXPECT_EQ(SymbolOf(InstallIssuing(options_, folder_.In("none.pem"), Now())), "certificate_file_invalid");
  EXPECT_EQ(SymbolOf(InstallIssuing(options_, folder_.In("r/pki/issuing.pem"), Now())), "key_mismatch");
  const std::string good = SignAtRoot(asked.request, "vault/new.pem");
  EXPECT_EQ(SymbolOf(InstallIssuing(options_, good, Now() + std::chrono::days(3001))), "chain_invalid")
      << "ended";
  folder_.Write("vault/ca.cnf", "subjectKeyIdentifier=hash\nbasicConstraints=CA:FALSE\n");
  const auto leaf = test::OpenSsl(
      folder_, "x509 -req -in " + asked.request +
                   " -CA r/pki/root.pem -CAkey vault/root.key -extfile vault/ca.cnf -out leaf.pem");
  ASSERT_TRUE(leaf.ok()) << leaf.output;
  EXPECT_EQ(SymbolOf(InstallIssuing(options_, folder_.In("leaf.pem"), Now())), "chain_invalid");
  ASSERT_TRUE(
      test::OpenSsl(folder_, "req -x509 -new -key r/pki/issuing-2027.key -subj /CN=own -out own.pem").ok());
  EXPECT_EQ(SymbolOf(InstallIssuing(options_, folder_.In("own.pem"), Now())), "chain_invalid");
  options_.name = "../2027";
  EXPECT_EQ(SymbolOf(InstallIssuing(options_, good, Now())), "name_invalid");
  EXPECT_EQ(RequestIssuing(options_).error().symbol, "name_invalid");
  EXPECT_EQ(folder_.Read("r/registry.toml"), before);
}

TEST_F(CaLifeTest, NothingIsSignedBeforeTheRecordIsInEveryCache) {
  ASSERT_NO_FATAL_FAILURE(Install());
  Configure("\n[[secondary]]\nname = \"ns1\"\naddress = \"192.0.2.1\"\n");
  const IssuingSwitch options{folder_.In("r"), "2027"};
  const std::string before = folder_.Read("r/registry.toml");
  const auto unseen = SwitchIssuing(options, Now());
  ASSERT_FALSE(unseen.ok());
  EXPECT_EQ(unseen.error().symbol, "ca_too_early");
  EXPECT_THAT(unseen.error().message, HasSubstr("not yet seen at ns1"));

  const UtcTime since = Now();
  const std::string record = app::IssuingTlsaText(*signing::LoadCertificate(Coming().certificate));
  ASSERT_TRUE(app::WriteServed(app::ServedFile(Config()), {{record, {{"ns1", since}}}}).ok());
  const UtcTime from = since + std::chrono::seconds(3600 + 3600 + 1);
  const auto early = SwitchIssuing(options, from - std::chrono::seconds(1));
  ASSERT_FALSE(early.ok());
  EXPECT_EQ(early.error().symbol, "ca_too_early");
  EXPECT_THAT(early.error().message, HasSubstr("before " + ToRfc3339(from)));
  EXPECT_EQ(folder_.Read("r/registry.toml"), before);

  const auto switched = SwitchIssuing(options, from);
  ASSERT_TRUE(switched.ok()) << switched.error().message;
  EXPECT_EQ(*switched, "") << "nothing goes wrong";
  EXPECT_EQ(Config().pki.issuing_certificate, Coming().certificate);
  EXPECT_EQ(SymbolOf(SwitchIssuing(options, from)), "ca_missing") << "it is no coming one any more";
}

TEST_F(CaLifeTest, TimesThatCannotBeReadAreNoTimes) {
  ASSERT_NO_FATAL_FAILURE(Install());
  folder_.Write("r/pki/coming-issuing.json", "since yesterday");
  const IssuingSwitch options{folder_.In("r"), "2027"};
  EXPECT_EQ(SymbolOf(SwitchIssuing(options, Now())), "ca_times_invalid");
  EXPECT_EQ(SymbolOf(SwitchIssuing({folder_.In("r"), "2028"}, Now())), "ca_missing");
}

TEST_F(CaLifeTest, TheOneOfSeveralThatIsSwitchedToLeavesTheOthers) {
  ASSERT_NO_FATAL_FAILURE(Install());
  Configure("# mine\n");
  options_.name = "2028";
  ASSERT_NO_FATAL_FAILURE(Install());
  ASSERT_TRUE(SwitchIssuing({folder_.In("r"), "2027", true}, Now()).ok());
  ASSERT_EQ(Config().coming_issuing.size(), 1u);
  EXPECT_EQ(Config().coming_issuing[0].certificate, folder_.In("r/pki/issuing-2028.pem"));
  EXPECT_THAT(folder_.Read("r/registry.toml"), HasSubstr("# mine\n"));
}

}  // namespace
}  // namespace registry::ctl
