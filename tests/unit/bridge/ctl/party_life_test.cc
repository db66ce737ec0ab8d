// A party from its entry to its end, in the folder: what its own request is held to, what stands in registry.toml, which
// certificates are accepted, and what the history says. The broker and registryd:
// tests/integration/mqtt/party_life_test.cc.
#include "bridge/ctl/party_life.h"

#include <gmock/gmock.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "bridge/app/config.h"
#include "bridge/clock.h"
#include "bridge/ctl/hand_over.h"
#include "bridge/ctl/party_history.h"
#include "bridge/ctl/registry_folder.h"
#include "bridge/ctl/withdraw.h"
#include "bridge/signing/party_request.h"
#include "tests/support/openssl_tool.h"

namespace registry::ctl {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using testing::SizeIs;

class PartyLifeTest : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(CreateFolder({registry_, "iotregistry.test", {"127.0.0.1"}, now_}).ok());
  }
  Status Add(const std::string& name, const std::string& request = "", const PartyKeys& keys = {}) {
    return AddParty({registry_, name, wire::Role::kAsp, now_, request, keys});
  }
  std::string Request(const std::string& key, const std::string& subject) {
    const std::string file = "request-" + std::to_string(++requests_) + ".csr";
    const auto ran = test::OpenSsl(folder_, "req -new -nodes -newkey " + key + " -keyout theirs.key -subj '" +
                                                subject + "' -out " + file);
    EXPECT_TRUE(ran.ok()) << ran.output;
    return folder_.In(file);
  }
  std::string WhyRefused(const std::string& request_file) {
    const auto refused = Add("asp-a", request_file);
    if (refused) return "";
    EXPECT_EQ(refused.error().symbol, "party_request");
    return refused.error().message;
  }
  std::string Judge(const std::string& certificate) {
    return test::OpenSsl(folder_,
                         "verify -crl_check -purpose sslclient -CAfile reg/interface/ca.pem -CRLfile "
                         "reg/interface/crl.pem " +
                             certificate)
        .output;
  }
  std::string Keep(const std::string& name) {
    const std::string copy = "kept-" + std::to_string(++requests_) + ".pem";
    fs::copy(Stem(name) + ".pem", folder_.In(copy));
    return copy;
  }
  std::string Stem(const std::string& name) const { return registry_ + "/interface/parties/" + name; }
  std::string Toml() const { return folder_.Read("reg/registry.toml"); }
  std::vector<std::string> EventNames(const std::string& party) {
    std::vector<std::string> names;
    for (const std::string& line : *EventsOf(registry_ + "/interface", party))
      names.push_back(nlohmann::json::parse(line).at("event"));
    return names;
  }

  test::TemporaryFolder folder_;
  const std::string registry_ = folder_.In("reg");
  const UtcTime now_ = SystemClock().Now();
  int requests_ = 0;
};

TEST_F(PartyLifeTest, ARequestIsCertifiedAndItsKeyNeverComesHere) {
  int number = 0;
  for (const std::string key : {"ec -pkeyopt ec_paramgen_curve:P-256", "ec -pkeyopt ec_paramgen_curve:P-384",
                                "ed25519", "rsa:2048"}) {
    const std::string name = "asp-" + std::to_string(++number);
    const auto added = Add(name, Request(key, "/O=Somebody/CN=" + name));
    ASSERT_TRUE(added.ok()) << key << added.error().message;
    EXPECT_FALSE(fs::exists(Stem(name) + ".key"));
    EXPECT_THAT(Judge("reg/interface/parties/" + name + ".pem"), HasSubstr("OK")) << key;
    const auto subject =
        test::OpenSsl(folder_, "x509 -noout -subject -in reg/interface/parties/" + name + ".pem");
    EXPECT_EQ(subject.output, "subject=CN = " + name + "\n") << "nothing but the key is taken from it";
  }
  EXPECT_TRUE(Add("asp-9", Request("ed25519", "/O=Somebody")).ok())
      << "one without a common name may be anybody's";
}

TEST_F(PartyLifeTest, ARequestThatMustNotBeCertifiedIsRefusedWithTheReason) {
  EXPECT_THAT(WhyRefused(Request("ed25519", "/CN=asp-b")), HasSubstr("it is made for asp-b, not for asp-a"));
  EXPECT_THAT(WhyRefused(Request("ed25519", "/CN=Mr. X")),
              HasSubstr("the common name in its subject is not asp-a"));
  EXPECT_THAT(WhyRefused(Request("ed25519", "/CN=asp-a/CN=asp-b")), HasSubstr("more than one common name"));
  EXPECT_THAT(WhyRefused(Request("rsa:1024", "/CN=asp-a")), HasSubstr("2048 to 8192 bits, this one 1024"));
  EXPECT_THAT(WhyRefused(Request("ec -pkeyopt ec_paramgen_curve:secp224r1", "/CN=asp-a")),
              HasSubstr("its curve must be P-256, P-384 or P-521, and is secp224r1"));
  EXPECT_THAT(WhyRefused(folder_.In("none")), HasSubstr("cannot be read: No such file"));
  EXPECT_THAT(WhyRefused(folder_.Write("junk", "junk")), HasSubstr("is no certificate request"));
  EXPECT_THAT(WhyRefused(folder_.Write("long", std::string(20'000, 'x'))),
              HasSubstr("larger than a request"));
  // Somebody else's signature over it: DER ends with the signature's octets.
  ASSERT_TRUE(
      test::OpenSsl(folder_, "req -in " + Request("ed25519", "/CN=asp-a") + " -outform DER -out r.der").ok());
  std::string der = folder_.Read("r.der");
  EXPECT_TRUE(signing::PartyRequest::Read(der, *PartyId::Parse("asp-a")).ok());
  der.back() = static_cast<char>(der.back() ^ 1);
  EXPECT_THAT(WhyRefused(folder_.Write("forged.der", der)), HasSubstr("is not signed by its own key"));
  EXPECT_THAT(Toml(), Not(HasSubstr("asp-a")));
  EXPECT_FALSE(fs::exists(Stem("asp-a") + ".pem"));
}

TEST_F(PartyLifeTest, OneRequestIsOnePartyHoweverOftenItIsTaken) {
  const std::string request = Request("ed25519", "/CN=asp-a");
  const std::string before = Toml();
  ASSERT_TRUE(Add("asp-a", request).ok());
  const std::string whole = Toml();
  EXPECT_EQ(Add("asp-a", request).error().symbol, "party_exists");
  EXPECT_EQ(Add("asp-a", Request("ed25519", "/CN=asp-a")).error().symbol, "party_exists");
  folder_.Write("reg/registry.toml", before);  // as if it had died before the entry
  ASSERT_TRUE(Add("asp-a", request).ok());
  EXPECT_EQ(Toml(), whole);
}

TEST_F(PartyLifeTest, ARenewedPartysOlderCertificatesAreWithdrawn) {
  ASSERT_TRUE(Add("asp-a").ok() && Add("asp-b").ok());
  const std::string first = Keep("asp-a"), other = Keep("asp-b");
  const auto renewed = RenewParty({registry_, "asp-a", now_});
  ASSERT_TRUE(renewed.ok()) << renewed.error().message;
  EXPECT_THAT(*renewed, SizeIs(1));
  const std::string second = Keep("asp-a");
  EXPECT_THAT(Judge(first), HasSubstr("certificate revoked"));
  EXPECT_THAT(Judge(second), HasSubstr("OK"));
  EXPECT_THAT(Judge(other), HasSubstr("OK"));
  // With time to change over, and from then on with a key of its own.
  ASSERT_TRUE(RenewParty({registry_, "asp-a", now_, Request("ed25519", "/CN=asp-a"), true}).ok());
  EXPECT_FALSE(fs::exists(Stem("asp-a") + ".key"));
  const std::string third = Keep("asp-a");
  for (const std::string& one : {second, third}) EXPECT_THAT(Judge(one), HasSubstr("OK"));
  EXPECT_THAT(*AcceptedOf(registry_, "asp-a"), SizeIs(2));
  ASSERT_TRUE(RenewParty({registry_, "asp-a", now_}).ok());
  for (const std::string& one : {second, third}) EXPECT_THAT(Judge(one), HasSubstr("certificate revoked"));
  EXPECT_THAT(EventNames("asp-a"), ElementsAre("added", "renewed", "renewed", "renewed"));
  EXPECT_EQ(RenewParty({registry_, "nobody", now_}).error().symbol, "party_missing");
  // What is refused has withdrawn nothing.
  EXPECT_EQ(RenewParty({registry_, "asp-b", now_, folder_.Write("junk", "junk")}).error().symbol,
            "party_request");
  EXPECT_THAT(Judge(other), HasSubstr("OK"));
}

TEST_F(PartyLifeTest, WhatHoldsForAPartyIsChangedInPlace) {
  folder_.Write(
      "reg/registry.toml",
      Toml() +
          "# ours\n[[party]]\nname = \"mno-a\"  # first\nrole = \"mno\"\nbatches = true\n\n"
          "# theirs\n[[party]]\nname = \"asp-a\"\nrole = \"asp\"\n\n[process]\ncore_dumps = false\n");
  ASSERT_TRUE(
      ChangeParty(registry_, "mno-a", {{"batches", "false"}, {"contact", TomlString("call \"us\"")}}, now_)
          .ok());
  ASSERT_TRUE(ChangeParty(registry_, "asp-a", {{"limit_read_burst", "7"}}, now_).ok());
  EXPECT_THAT(
      Toml(),
      HasSubstr("# ours\n[[party]]\nname = \"mno-a\"  # first\nrole = \"mno\"\nbatches = false\ncontact = "));
  EXPECT_THAT(
      Toml(),
      HasSubstr(
          "# theirs\n[[party]]\nname = \"asp-a\"\nrole = \"asp\"\nlimit_read_burst = 7\n\n[process]\n"));
  const auto config = app::LoadConfig(registry_ + "/registry.toml");
  ASSERT_TRUE(config.ok()) << config.error().message;
  EXPECT_EQ(config->contacts.at(*PartyId::Parse("mno-a")), "call \"us\"");
  EXPECT_EQ(config->limits.Of(*PartyId::Parse("asp-a"))[1].burst, 7u);
  // What registryd would refuse is not written.
  const std::string good = Toml();
  const auto refused =
      ChangeParty(registry_, "asp-a", {{"contact", TomlString(std::string(201, 'x'))}}, now_);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().symbol, "config_invalid");
  EXPECT_EQ(ChangeParty(registry_, "asp-a", {{"limit_read_burst", "0"}}, now_).error().symbol,
            "config_invalid");
  EXPECT_EQ(ChangeParty(registry_, "nobody", {{"batches", "true"}}, now_).error().symbol, "party_missing");
  EXPECT_EQ(Toml(), good);
  EXPECT_THAT(EventNames("asp-a"), ElementsAre("changed"));
}

TEST_F(PartyLifeTest, ARemovedPartyIsGoneAndWhatStandsAroundItIsNot) {
  const std::string before = Toml();
  ASSERT_TRUE(Add("asp-a").ok());
  const std::string kept = Keep("asp-a");
  const std::string only_a = Toml();
  ASSERT_TRUE(Add("asp-b", "", {{"batches", "true"}}).ok());
  ASSERT_TRUE(HandOver(registry_, "asp-b").ok());
  ASSERT_TRUE(RemoveParty(registry_, "asp-b", now_).ok());
  EXPECT_EQ(Toml(), only_a);
  EXPECT_FALSE(fs::exists(registry_ + "/interface/hand-over/asp-b"));
  ASSERT_TRUE(RemoveParty(registry_, "asp-a", now_).ok());
  EXPECT_EQ(Toml(), before);
  EXPECT_THAT(Judge(kept), HasSubstr("certificate revoked"));
  EXPECT_FALSE(fs::exists(Stem("asp-a") + ".pem"));
  EXPECT_EQ(RemoveParty(registry_, "asp-a", now_).error().symbol, "party_missing");
  ASSERT_TRUE(Add("asp-a").ok()) << "the name may come again";
  EXPECT_THAT(EventNames("asp-a"), ElementsAre("added", "removed", "added"));
}

TEST_F(PartyLifeTest, ACertificateOfAnotherCaIsNamedAndNothingIsDoneWithIt) {
  ASSERT_TRUE(CreateFolder({folder_.In("other"), "iotregistry.test", {"127.0.0.1"}, now_}).ok());
  ASSERT_TRUE(AddParty({folder_.In("other"), "asp-a", wire::Role::kAsp, now_}).ok());
  for (const char* end : {".pem", ".key"})
    fs::copy(folder_.In("other/interface/parties/asp-a") + end, Stem("asp-a") + end);
  const std::string crl = folder_.Read("reg/interface/crl.pem");
  const auto added = Add("asp-a");
  ASSERT_FALSE(added.ok());
  EXPECT_THAT(added.error().message, HasSubstr("asp-a.pem: is of another CA than interface/ca.pem"));
  const auto withdrawn = WithdrawByName(registry_, "asp-a", now_);
  ASSERT_FALSE(withdrawn.ok());
  EXPECT_THAT(withdrawn.error().message, HasSubstr("is of another CA"));
  EXPECT_EQ(folder_.Read("reg/interface/crl.pem"), crl);
}

TEST_F(PartyLifeTest, AnEntryInAnotherFormIsLeftToItsWriter) {
  folder_.Write("reg/registry.toml", "party = [{name = \"asp-a\", role = \"asp\"}]\n" + Toml());
  const auto refused = RemoveParty(registry_, "asp-a", now_);
  ASSERT_FALSE(refused.ok());
  EXPECT_THAT(refused.error().message, HasSubstr("change it by hand"));
}

TEST_F(PartyLifeTest, WhatAPartnerIsGivenHoldsItsKeyOnlyIfItWasMadeHere) {
  ASSERT_TRUE(Add("asp-a").ok() && Add("asp-b", Request("ed25519", "/CN=asp-b")).ok());
  const auto made = HandOver(registry_, "asp-a"), theirs = HandOver(registry_, "asp-b");
  ASSERT_TRUE(made.ok() && theirs.ok());
  EXPECT_EQ(fs::status(*made).permissions(), fs::perms::owner_all);
  EXPECT_EQ(fs::status(*made + "/asp-a.key").permissions(), fs::perms::owner_read | fs::perms::owner_write);
  EXPECT_FALSE(fs::exists(*theirs + "/asp-b.key"));
  EXPECT_THAT(folder_.Read("reg/interface/hand-over/asp-b/README.md"),
              HasSubstr("Copy your private key to `asp-b.key`"));
  const auto facts = nlohmann::json::parse(folder_.Read("reg/interface/hand-over/asp-a/registry.json"));
  EXPECT_EQ(facts.at("broker").at("port"), 8883);
  EXPECT_EQ(facts.at("zone"), "iotregistry.test");
  for (const auto& entry : fs::recursive_directory_iterator(*made)) {
    if (!entry.is_regular_file()) continue;
    const std::string text = folder_.Read(fs::relative(entry.path(), folder_.In("")).string());
    EXPECT_EQ(text.find('@'), std::string::npos) << entry.path() << ": a place-holder is left";
  }
  folder_.Write("reg/interface/hand-over/asp-a/stale", "");
  ASSERT_TRUE(HandOver(registry_, "asp-a").ok());
  EXPECT_FALSE(fs::exists(*made + "/stale"));
  EXPECT_EQ(HandOver(registry_, "nobody").error().symbol, "party_missing");
}

TEST_F(PartyLifeTest, APartnerIsGivenTheIssuingCaThatIsToCome) {
  ASSERT_TRUE(Add("asp-a").ok());
  const std::string present = folder_.Read("reg/pki/issuing.pem");
  folder_.Write("reg/pki/issuing-2027.pem", "the next one\n");
  folder_.Write("reg/registry.toml", Toml() +
                                         "\n[[coming_issuing]]\ncertificate = \"pki/issuing-2027.pem\"\n"
                                         "key = \"pki/issuing-2027.key\"\ncrl_file = \"pki/crl-2027.pem\"\n");
  ASSERT_TRUE(HandOver(registry_, "asp-a").ok());
  EXPECT_EQ(folder_.Read("reg/interface/hand-over/asp-a/registry-issuing.pem"), present + "the next one\n");
}

}  // namespace
}  // namespace registry::ctl
