// What `registryctl init` and `party add` leave behind, as openssl and the file system see it.
#include "bridge/ctl/registry_folder.h"

#include <gmock/gmock.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bridge/ctl/init_commands.h"
#include "bridge/ctl/party_life.h"
#include "bridge/ctl/party_life_commands.h"
#include "bridge/signing/file_write.h"
#include "bridge/signing/key_file.h"
#include "bridge/signing/private_key.h"
#include "bridge/zone/keys.h"
#include "tests/support/openssl_tool.h"
#include "tests/support/unprivileged.h"

namespace registry::ctl {
namespace {

namespace fs = std::filesystem;
using testing::EndsWith;
using testing::HasSubstr;

class RegistryFolderTest : public testing::Test {
 protected:
  Result<CreatedRegistry> Create() {
    return CreateFolder({registry_, "iotregistry.test", {"broker.test", "127.0.0.1"}, now_});
  }
  std::string Read(const std::string& file) { return folder_.Read("reg/" + file); }
  test::Ran OpenSsl(const std::string& arguments) { return test::OpenSsl(folder_, arguments); }

  test::TemporaryFolder folder_;
  std::string registry_ = folder_.In("reg");
  UtcTime now_{std::chrono::duration_cast<std::chrono::microseconds>(
                   std::chrono::system_clock::now().time_since_epoch())
                   .count()};
};

TEST_F(RegistryFolderTest, HoldsEverything) {
  const auto created = Create();
  ASSERT_TRUE(created.ok()) << created.error().message;
  for (const char* file : {"registry.toml",
                           "pki/root.pem",
                           "pki/root.key",
                           "pki/issuing.pem",
                           "pki/issuing.key",
                           "pki/crl.pem",
                           "pki/blocked-keys.txt",
                           "zone/ksk.pem",
                           "zone/zsk.pem",
                           "zone/tsig.key",
                           "zone/anchor.dnskey",
                           "zone/anchor.ds",
                           "interface/ca.pem",
                           "interface/ca.key",
                           "interface/broker.pem",
                           "interface/broker.key",
                           "interface/registryd.pem",
                           "interface/registryd.key",
                           "interface/crl.pem",
                           "interface/issued.txt"}) {
    EXPECT_TRUE(fs::is_regular_file(fs::path(registry_) / file)) << file;
  }
  for (const char* name : {"ledger", "intake", "interface/parties"})
    EXPECT_TRUE(fs::is_directory(fs::path(registry_) / name));
  EXPECT_EQ(std::distance(fs::directory_iterator(folder_.In("")), {}), 1)
      << "nothing is left beside the folder";
}

TEST_F(RegistryFolderTest, SecretsAreTheOwnersAlone) {
  ASSERT_TRUE(Create().ok());
  int secrets = 0;
  for (const auto& entry : fs::recursive_directory_iterator(registry_)) {
    const std::string path = entry.path().string();
    const bool secret = path.ends_with(".key") || path.ends_with("ksk.pem") || path.ends_with("zsk.pem") ||
                        path.ends_with("registry.toml");
    if (!secret) continue;
    ++secrets;
    struct stat info {};
    ASSERT_EQ(stat(path.c_str(), &info), 0);
    EXPECT_EQ(info.st_mode & 07777, 0600u) << path;
  }
  EXPECT_EQ(secrets, 10);
}

TEST_F(RegistryFolderTest, CertificatesAndKeysBelongTogether) {
  ASSERT_TRUE(Create().ok());
  EXPECT_EQ(OpenSsl("verify -x509_strict -CAfile reg/pki/root.pem reg/pki/issuing.pem").output,
            "reg/pki/issuing.pem: OK\n");
  EXPECT_TRUE(OpenSsl("verify -purpose sslserver -verify_hostname broker.test -CAfile reg/interface/ca.pem "
                      "reg/interface/broker.pem")
                  .ok());
  EXPECT_TRUE(
      OpenSsl("verify -purpose sslclient -CAfile reg/interface/ca.pem reg/interface/registryd.pem").ok());
  EXPECT_THAT(OpenSsl("x509 -in reg/interface/registryd.pem -noout -subject").output,
              EndsWith("CN = registryd\n"));
  EXPECT_THAT(OpenSsl("crl -in reg/pki/crl.pem -noout -CAfile reg/pki/issuing.pem -verify").output,
              HasSubstr("verify OK"));
  EXPECT_THAT(OpenSsl("crl -in reg/pki/crl.pem -noout -crlnumber").output, HasSubstr("crlNumber=0x00\n"))
      << "registryd's first is 1";
  EXPECT_TRUE(signing::LoadSigner(registry_ + "/pki/issuing.key", registry_ + "/pki/issuing.pem").ok());
}

TEST_F(RegistryFolderTest, TrustAnchorsAreTheKsks) {
  const auto created = Create();
  ASSERT_TRUE(created.ok());
  EXPECT_EQ(Read("zone/anchor.ds"), created->ds + "\n");
  EXPECT_EQ(Read("zone/anchor.dnskey"),
            *zone::DnskeyText("iotregistry.test", registry_ + "/zone/ksk.pem", 257) + "\n");
  EXPECT_THAT(Read("registry.toml"), HasSubstr("trust_anchors = [\"" + created->ds + "\"]"));
  EXPECT_EQ(FromBase64(Read("zone/tsig.key").substr(0, 44))->size(), 32u);
}

TEST_F(RegistryFolderTest, NobodyGuessesTheClientIdAtTheBroker) {
  const auto id_in = [](const std::string& text) {
    const std::string key = "client_id = \"registryd-";
    const std::size_t at = text.find(key) + key.size();
    return text.substr(at, text.find('"', at) - at);
  };
  ASSERT_TRUE(Create().ok());
  const std::string first = id_in(Read("registry.toml"));
  EXPECT_EQ(first.size(), 32u);
  std::filesystem::remove_all(registry_);
  ASSERT_TRUE(Create().ok());
  EXPECT_NE(id_in(Read("registry.toml")), first);
}

TEST_F(RegistryFolderTest, NeverOverwrites) {
  ASSERT_TRUE(Create().ok());
  const std::string key = Read("pki/root.key");
  const auto again = Create();
  ASSERT_FALSE(again.ok());
  EXPECT_EQ(again.error().symbol, "folder_exists");
  EXPECT_EQ(Read("pki/root.key"), key);
}

TEST_F(RegistryFolderTest, AnEmptyFolderMayBeThere) {
  fs::create_directory(registry_);
  EXPECT_TRUE(Create().ok());
}

// As a package makes it: /var/lib is root's, the folder in it the registry's user's.
TEST_F(RegistryFolderTest, AnEmptyFolderIsFilledWhereNothingMayBeMadeBesideIt) {
  fs::create_directory(registry_);
  fs::permissions(registry_, fs::perms::all);
  fs::permissions(folder_.In(""), fs::perms(0755));
  {
    const test::Unprivileged nobody;
    const auto missing = CreateFolder({folder_.In("other"), "iotregistry.test", {"localhost"}, now_});
    ASSERT_FALSE(missing.ok());
    EXPECT_THAT(missing.error().message, EndsWith("other: cannot be created: Permission denied"));
    const auto created = Create();
    ASSERT_TRUE(created.ok()) << created.error().message;
    const auto again = Create();
    ASSERT_FALSE(again.ok());
    EXPECT_EQ(again.error().symbol, "folder_exists");
  }
  EXPECT_THAT(Read("registry.toml"), HasSubstr("[registry]"));
  EXPECT_TRUE(fs::exists(registry_ + "/ledger/LEDGER"));
  for (const auto& entry : fs::directory_iterator(registry_))
    EXPECT_FALSE(entry.path().filename().string().starts_with('.')) << entry.path();
}

TEST_F(RegistryFolderTest, LeavesNothingWhenItFails) {
  const auto refused = CreateFolder({registry_, "iotregistry.test", {"not a host"}, now_});
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().symbol, "name_invalid");
  EXPECT_TRUE(fs::is_empty(folder_.In("")));
  for (const char* zone : {"", "UPPER.test", "dot.test.", "a b"}) {
    const auto bad = CreateFolder({registry_, zone, {"localhost"}, now_});
    ASSERT_FALSE(bad.ok());
    EXPECT_EQ(bad.error().symbol, "zone_invalid");
  }
}

TEST_F(RegistryFolderTest, AddsParties) {
  ASSERT_TRUE(Create().ok());
  const std::string before = Read("registry.toml");
  ASSERT_TRUE(AddParty({registry_, "mno-a", wire::Role::kMno, now_}).ok());
  ASSERT_TRUE(AddParty({registry_, "asp-a", wire::Role::kAsp, now_}).ok());
  EXPECT_EQ(
      Read("registry.toml"),
      before +
          "\n[[party]]\nname = \"mno-a\"\nrole = \"mno\"\n\n[[party]]\nname = \"asp-a\"\nrole = \"asp\"\n");
  EXPECT_TRUE(
      OpenSsl("verify -purpose sslclient -CAfile reg/interface/ca.pem reg/interface/parties/mno-a.pem").ok());
  EXPECT_THAT(OpenSsl("x509 -in reg/interface/parties/asp-a.pem -noout -subject").output,
              EndsWith("CN = asp-a\n"));
  EXPECT_TRUE(signing::PrivateKey::Load(registry_ + "/interface/parties/mno-a.key").ok()) << "owner only";
}

// registryd runs as another user than the operator who adds a party.
TEST_F(RegistryFolderTest, TheConfigurationStaysItsOwnersAndItsMode) {
  ASSERT_TRUE(Create().ok());
  const std::string file = registry_ + "/registry.toml";
  const uid_t owner = geteuid() == 0 ? 65534 : geteuid();
  ASSERT_EQ(chown(file.c_str(), owner, static_cast<gid_t>(-1)), 0);
  for (const mode_t mode : {0600u, 0640u}) {
    ASSERT_EQ(chmod(file.c_str(), mode), 0);
    ASSERT_TRUE(AddParty({registry_, "mno-" + std::to_string(mode), wire::Role::kMno, now_}).ok());
    struct stat info {};
    ASSERT_EQ(stat(file.c_str(), &info), 0);
    EXPECT_EQ(info.st_mode & 07777, mode);
    EXPECT_EQ(info.st_uid, owner);
  }
}

// A root that took the CA's key for itself would take it from the registry's user.
TEST_F(RegistryFolderTest, RootIsToldToBecomeTheRegistrysUser) {
  if (geteuid() != 0) GTEST_SKIP() << "only root can give a file away";
  ASSERT_TRUE(Create().ok());
  ASSERT_EQ(chown((registry_ + "/interface/ca.key").c_str(), 12345, static_cast<gid_t>(-1)), 0);
  const auto refused = AddParty({registry_, "mno-a", wire::Role::kMno, now_});
  ASSERT_FALSE(refused.ok());
  EXPECT_TRUE(refused.error().message.ends_with(" runs as root: run it as user id 12345"))
      << refused.error().message;
}

TEST_F(RegistryFolderTest, RefusesPartiesThatAreThereOrMustNotBe) {
  ASSERT_TRUE(Create().ok());
  ASSERT_TRUE(AddParty({registry_, "mno-a", wire::Role::kMno, now_}).ok());
  const std::string before = Read("registry.toml");
  for (const auto& [name, symbol] :
       std::vector<std::pair<std::string, std::string>>{{"mno-a", "party_exists"},
                                                        {"registryd", "party_name"},
                                                        {"registry", "party_name"},
                                                        {"a/../b", "party_name"},
                                                        {"UPPER", "party_name"},
                                                        {"a+b", "party_name"},
                                                        {"#", "party_name"},
                                                        {"", "party_name"}}) {
    const auto refused = AddParty({registry_, name, wire::Role::kMno, now_});
    ASSERT_FALSE(refused.ok()) << name;
    EXPECT_EQ(refused.error().symbol, symbol) << name;
  }
  EXPECT_EQ(Read("registry.toml"), before);
}

TEST_F(RegistryFolderTest, FinishesAPartyThatIsThereByHalf) {
  ASSERT_TRUE(Create().ok());
  const std::string whole = "\n[[party]]\nname = \"mno-a\"\nrole = \"mno\"\n";
  const std::string before = Read("registry.toml");
  const auto add = [&] { return AddParty({registry_, "mno-a", wire::Role::kMno, now_}); };
  // Died after the key file.
  ASSERT_TRUE(signing::CreateKeyFile(registry_ + "/interface/parties/mno-a.key").ok());
  const std::string key = Read("interface/parties/mno-a.key");
  ASSERT_TRUE(add().ok());
  EXPECT_EQ(Read("interface/parties/mno-a.key"), key);
  EXPECT_TRUE(
      OpenSsl("verify -purpose sslclient -CAfile reg/interface/ca.pem reg/interface/parties/mno-a.pem").ok());
  EXPECT_EQ(Read("registry.toml"), before + whole);
  // Died before the entry.
  ASSERT_TRUE(signing::ReplaceFile(registry_ + "/registry.toml", before, 0644).ok());
  ASSERT_TRUE(add().ok());
  EXPECT_EQ(Read("registry.toml"), before + whole);
  // Entered by hand, without key and certificate.
  for (const char* end : {"key", "pem"}) fs::remove(registry_ + "/interface/parties/mno-a." + end);
  ASSERT_TRUE(add().ok());
  EXPECT_EQ(Read("registry.toml"), before + whole);  // not twice
  EXPECT_TRUE(signing::PrivateKey::Load(registry_ + "/interface/parties/mno-a.key").ok());
  EXPECT_EQ(add().error().symbol, "party_exists");
}

TEST_F(RegistryFolderTest, APartyOfAnotherRoleOrWithoutItsKeyIsRefused) {
  ASSERT_TRUE(Create().ok());
  ASSERT_TRUE(AddParty({registry_, "mno-a", wire::Role::kMno, now_}).ok());
  EXPECT_EQ(AddParty({registry_, "mno-a", wire::Role::kAsp, now_}).error().symbol, "party_exists");
  fs::remove(registry_ + "/interface/parties/mno-a.key");
  EXPECT_EQ(AddParty({registry_, "mno-a", wire::Role::kMno, now_}).error().symbol, "party_exists");
  ASSERT_TRUE(signing::ReplaceFile(registry_ + "/registry.toml", "[registry\n", 0644).ok());
  EXPECT_EQ(AddParty({registry_, "mno-b", wire::Role::kMno, now_}).error().symbol, "config_invalid");
  EXPECT_FALSE(fs::exists(registry_ + "/interface/parties/mno-b.key"));
}

TEST_F(RegistryFolderTest, RenewsTheBrokersCertificate) {
  ASSERT_TRUE(Create().ok());
  const std::string key = Read("interface/broker.key");
  ASSERT_TRUE(RenewBroker(registry_, {"other.test"}, now_).ok());
  EXPECT_NE(Read("interface/broker.key"), key);
  EXPECT_TRUE(
      OpenSsl("verify -verify_hostname other.test -CAfile reg/interface/ca.pem reg/interface/broker.pem")
          .ok());
  EXPECT_TRUE(signing::PrivateKey::Load(registry_ + "/interface/broker.key").ok());
}

TEST_F(RegistryFolderTest, CommandsOnTheCommandLine) {
  const auto run = [](std::vector<std::string> arguments) {
    CLI::App app;
    AddInitCommands(app);
    AddPartyLife(app);
    AddBrokerCommands(app);
    std::reverse(arguments.begin(), arguments.end());
    try {
      app.parse(std::move(arguments));
      return 0;
    } catch (const CLI::Error& error) {
      return error.get_exit_code();
    }
  };
  testing::internal::CaptureStdout();
  EXPECT_EQ(run({"init", "--dir", registry_, "--zone", "iotregistry.test", "--broker-host", "10.0.0.1"}), 0);
  EXPECT_EQ(run({"party", "add", "guest-asp", "--role", "asp", "--dir", registry_}), 0);
  EXPECT_EQ(run({"party", "withdraw", "guest-asp", "--dir", registry_}), 0);
  EXPECT_EQ(run({"party", "withdraw", "--serial", "1234", "--dir", registry_}), 0);
  EXPECT_EQ(run({"broker", "certificate", "--dir", registry_, "--broker-host", "10.0.0.2"}), 0);
  const std::string said = testing::internal::GetCapturedStdout();
  EXPECT_THAT(said, HasSubstr("iotregistry.test. 3600 IN DS"));
  EXPECT_THAT(said, HasSubstr("guest-asp.{pem,key}"));
  EXPECT_THAT(said, HasSubstr(" of guest-asp is withdrawn\n"));
  EXPECT_THAT(said, HasSubstr("the certificate 1234 of nobody that is recorded here is withdrawn\n"));
  EXPECT_THAT(Read("registry.toml"), HasSubstr("host = \"10.0.0.1\""));
  testing::internal::CaptureStderr();
  EXPECT_NE(run({"init", "--dir", registry_, "--zone", "iotregistry.test"}), 0);
  EXPECT_NE(run({"party", "add", "x", "--role", "king", "--dir", registry_}), 0);
  EXPECT_THAT(testing::internal::GetCapturedStderr(), HasSubstr("folder_exists"));
}

}  // namespace
}  // namespace registry::ctl
