#include "simulators/lab/server_config.h"

#include <gmock/gmock.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "simulators/lab/authority_config.h"
#include "simulators/lab/credential.h"
#include "simulators/lab/process.h"

namespace registry::lab {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

class ServerConfigTest : public testing::Test {
 protected:
  ServerConfigTest() : folder_(testing::TempDir() + "server-config-" + std::to_string(::getpid())) {
    fs::create_directories(folder_);
  }
  ~ServerConfigTest() override { fs::remove_all(folder_); }
  const std::string folder_;
};

TEST_F(ServerConfigTest, ATemplateIsFilledWholeOrNamesWhatIsMissing) {
  EXPECT_EQ(*FillTemplate("listen @PORT@ on @ADDRESS@, mail a@b.test", {{"PORT", "1"}, {"ADDRESS", "@PORT"}}),
            "listen 1 on @PORT, mail a@b.test");
  const auto left = FillTemplate("x @PORT@ @CA_FILE@", {{"PORT", "1"}});
  ASSERT_FALSE(left.ok());
  EXPECT_THAT(left.error().message, HasSubstr("@CA_FILE@"));
}

TEST_F(ServerConfigTest, EachNameServerAcceptsItsConfiguration) {
  AuthorityOptions options;
  options.folder = folder_;
  options.port = 5301;
  options.zone = "iotregistry.test";
  options.primary_port = 5300;
  options.other_primaries = {5302, 5304};
  options.tsig_name = "transfer";
  options.tsig_secret = "ERERERERERERERERERERERERERERERERERERERERERE=";
  options.static_zones.push_back({"", folder_ + "/root.zone", "", ""});
  std::ofstream(folder_ + "/root.zone") << ". 60 IN SOA a. b. 1 1 1 1 1\n. 60 IN NS a.\n";
  const std::string file = folder_ + "/server.conf";
  const std::map<Authority, std::vector<std::string>> judges{
      {Authority::kNsd, {"nsd-checkconf", file}},
      {Authority::kKnot, {"knotc", "-c", file, "conf-check"}},
      {Authority::kBind, {"named-checkconf", file}}};
  for (const Authority software : kAuthorities) {
    const std::string text = ConfigOf(software, options);
    for (const char* const port : {"5300", "5302", "5304"})
      EXPECT_THAT(text, HasSubstr(port)) << NameOf(software);
    std::ofstream(file) << text;
    const auto checked = RunToEnd(judges.at(software));
    EXPECT_TRUE(checked.ok()) << NameOf(software) << ": " << checked.error().message;
    EXPECT_EQ(AuthorityOf(NameOf(software)), software);
  }
  EXPECT_EQ(AuthorityOf("named"), std::nullopt);
}

TEST_F(ServerConfigTest, UnboundAcceptsItsConfiguration) {
  const auto credential = MakeCredential(folder_ + "/resolver", "resolver.lab.test");
  ASSERT_TRUE(credential.ok());
  std::ofstream(folder_ + "/anchor.ds")
      << ". IN DS 20326 8 2 E06D44B80B8F1D39A95C0B0D7C65D08458E880409BBC683457104237C7F8EC8D\n";
  ResolverOptions options;
  options.folder = folder_;
  options.port = 5303;
  options.dot_port = 8853;
  options.key_file = credential->key_file;
  options.certificate_file = credential->certificate_file;
  options.trust_anchor_file = folder_ + "/anchor.ds";
  options.zones = {"", "iotregistry.test"};
  options.authority_port = 5301;
  std::ofstream(folder_ + "/unbound.conf") << UnboundConfig(options);
  const auto checked = RunToEnd({"unbound-checkconf", folder_ + "/unbound.conf"});
  EXPECT_TRUE(checked.ok()) << checked.error().message;
}

TEST_F(ServerConfigTest, ASelfMadeCertificateIsValidForItsNameAndItsDigestsAreOfItsKey) {
  const auto credential = MakeCredential(folder_ + "/server", "mqtt.asp-a.test");
  ASSERT_TRUE(credential.ok());
  const auto verified = RunToEnd({"openssl", "verify", "-x509_strict", "-verify_hostname", "mqtt.asp-a.test",
                                  "-CAfile", credential->certificate_file, credential->certificate_file});
  EXPECT_TRUE(verified.ok()) << verified.error().message;
  const auto digest = RunToEnd({"/bin/sh", "-c",
                                "openssl x509 -in \"$1\" -noout -pubkey | openssl pkey -pubin -outform DER | "
                                "openssl dgst -sha256 -r",
                                "sh", credential->certificate_file});
  ASSERT_TRUE(digest.ok()) << digest.error().message;
  EXPECT_EQ(digest->substr(0, 64), credential->spki_sha256_hex);
  const auto mode = fs::status(credential->key_file).permissions();
  EXPECT_EQ(mode, fs::perms::owner_read | fs::perms::owner_write);
}

}  // namespace
}  // namespace registry::lab
