// `registryctl anchor` over a registry's folder, and what registryd says of the anchors that it gives.
#include "bridge/ctl/anchor_commands.h"

#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include "bridge/app/anchors_given.h"
#include "bridge/app/check.h"
#include "bridge/app/kept_folder.h"
#include "bridge/app/material.h"
#include "bridge/app/trust_anchors.h"
#include "bridge/ctl/party_entry.h"
#include "bridge/ledger/rocksdb/open.h"
#include "tests/support/ran_command.h"
#include "tests/support/registry_home.h"
#include "workers/payload_push/payload_push.h"

namespace registry::ctl {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;

// IANA's, as of 2026 (https://data.iana.org/root-anchors/root-anchors.xml, RFC 7958): of 2017 and of 2024.
constexpr char kIana2017[] =
    ". IN DS 20326 8 2 E06D44B80B8F1D39A95C0B0D7C65D08458E880409BBC683457104237C7F8EC8D";
constexpr char kIana2024[] =
    ". IN DS 38696 8 2 683D2D0ACB8C9B712A1948B27F741219298D0A450D612C483AF444A4C0FB2B16";

// The key of the first, as the root has it.
constexpr char kKsk2017[] =
    "AwEAAaz/tAm8yTn4Mfeh5eyI96WSVexTBAvkMgJzkKTOiW1vkIbzxeF3+/4RgWOq7HrxRixHlFlExOLAJr5emLvN"
    "7SWXgnLh4+B5xQlNVz8Og8kvArMtNROxVQuCaSnIDdD5LKyWbRd2n9WGe2R8PzgCmr3EgVLrjyBxWezF0jLHwVN8"
    "efS3rCj/EWgvIWgb9tarpVUDK/b58Da+sqqls3eNbuv7pr+eoZG+SrDK6nWeL3c6H5Apxz7LjVc1uTIdsIXxuOLY"
    "A4/ilBmSVIzuDWfdRUfhHdY6+cn8HFRm+2hM8AnXGXws9555KrUB5qihylGa8subX2Nn6UwNR1AkUTV74bU=";

class AnchorCommands : public testing::Test {
 protected:
  AnchorCommands() : own_(test::MakeRegistryHome(folder_)) {}
  test::RanCommand Run(std::vector<std::string> words) {
    CLI::App app("registryctl");
    AddAnchorCommands(app);
    words.insert(words.begin(), "anchor");
    words.insert(words.end(), {"--config", toml_});
    return test::RanWith(app, std::move(words));
  }
  nlohmann::json Show() { return nlohmann::json::parse(Run({"show", "--json"}).out); }
  app::Config Config() { return *app::LoadConfig(toml_); }
  // As a start of registryd does.
  void Begin(UtcTime now) {
    struct Stopped : Clock {
      UtcTime now;
      UtcTime Now() const override { return now; }
    } clock;
    clock.now = now;
    const auto ledger = ledger::OpenRocksDbLedger({folder_.In("r/ledger")});
    ASSERT_TRUE(ledger.ok()) << ledger.error().message;
    app::KeptFolder kept(folder_.path());
    EXPECT_TRUE(app::SayAnchorsGiven(Config().trust_anchors, kept, **ledger, clock));
  }

  test::TemporaryFolder folder_;
  const std::string own_, toml_ = folder_.In("r/registry.toml");
};

TEST_F(AnchorCommands, LeadOverFromThePrivateToThePublicRoot) {
  const auto added =
      Run({"add", kIana2024, "--hold-down", "0", "--reason", "the zone is signed below the root"});
  ASSERT_EQ(added.status, 0) << added.err;
  EXPECT_THAT(added.out, HasSubstr(". DS 38696 8 2 683d2d0acb8c9b71 is valid"));
  EXPECT_THAT(added.out, HasSubstr("next start of registryd"));
  EXPECT_THAT(Config().trust_anchors, ElementsAre(own_, kIana2024));
  EXPECT_THAT(app::FaultsOf(Config()), IsEmpty());
  EXPECT_THAT(Show().at("waits_for"), HasSubstr("next start"));
  Begin(SystemClock().Now());
  const auto shown = Show();
  EXPECT_FALSE(shown.contains("waits_for"));
  EXPECT_EQ(shown.at("devices"), 0);
  EXPECT_THAT(Run({"lacking"}).out, HasSubstr("every device has confirmed"));
  ASSERT_THAT(shown.at("anchors"), SizeIs(2));
  EXPECT_EQ(shown.at("anchors")[1].at("state"), "valid");

  const std::string tag = std::to_string(app::ParseTrustAnchor(own_)->first);
  ASSERT_EQ(Run({"revoke", tag, "--reason", "all believe the root"}).status, 0);
  EXPECT_THAT(Config().trust_anchors, ElementsAre(kIana2024));
  const auto again = Run({"revoke", "38696", "--force", "--reason", "a slip"});
  EXPECT_EQ(again.status, 1);
  EXPECT_THAT(again.err, HasSubstr("the only one"));
  EXPECT_THAT(again.err, HasSubstr("anchor_refused"));
  const auto early = Run({"remove", tag, "--reason", "tidy"});
  EXPECT_THAT(early.err, HasSubstr("hold-down"));
  ASSERT_EQ(Run({"remove", tag, "--force", "--reason", "tidy"}).status, 0);
  EXPECT_EQ(Show().at("anchors")[0].at("state"), "removed");
  EXPECT_EQ(Run({"add", own_, "--reason", "back"}).status, 1) << "it never comes back";

  const std::string acts = folder_.Read("r/interface/parties.jsonl");
  for (const char* act :
       {"anchor-added", "anchor-revoked", "anchor-removed", "the zone is signed below the root"})
    EXPECT_THAT(acts, HasSubstr(act));
}

TEST_F(AnchorCommands, ADryRunAndARefusalChangeNothing) {
  const std::string before = folder_.Read("r/registry.toml");
  const auto dry = Run({"add", kIana2017, "--hold-down", "0", "--reason", "a try", "--dry-run"});
  EXPECT_EQ(dry.status, 0) << dry.err;
  EXPECT_THAT(dry.out, HasSubstr("it would come to: . DS 20326"));
  const std::string foreign = "other.test. IN DS 1 13 2 " + std::string(64, 'a');
  EXPECT_THAT(Run({"add", foreign, "--reason", "a slip"}).err, HasSubstr("nor for a zone above it"));
  EXPECT_THAT(Run({"trust", "17", "--reason", "a slip"}).err, HasSubstr("no anchor is known"));
  EXPECT_EQ(folder_.Read("r/registry.toml"), before);
  EXPECT_FALSE(std::filesystem::exists(folder_.In("r/interface/trust-anchors.json")));
  EXPECT_FALSE(std::filesystem::exists(folder_.In("r/interface/parties.jsonl")));
}

TEST_F(AnchorCommands, AComingOneIsKeptAndNotGiven) {
  ASSERT_EQ(Run({"add", kIana2024, "--reason", "comes"}).status, 0);
  EXPECT_THAT(Config().trust_anchors, ElementsAre(own_));
  EXPECT_EQ(Show().at("anchors")[1].at("state"), "coming");
  EXPECT_EQ(Run({"trust", "38696", "--reason", "too soon"}).status, 1);
  ASSERT_EQ(Run({"remove", "38696", "--reason", "it does not come"}).status, 0);
  EXPECT_THAT(Show().at("anchors"), SizeIs(1));
}

TEST_F(AnchorCommands, TheConfigurationDecidesAndADamagedFileIsRefused) {
  ASSERT_EQ(Run({"add", kIana2024, "--reason", "comes"}).status, 0);
  auto toml = *RegistryToml::Read(toml_);
  ASSERT_TRUE(toml.SetList("registry", "trust_anchors", {own_, kIana2024}));
  ASSERT_TRUE(toml.Write());
  EXPECT_EQ(Show().at("anchors")[1].at("state"), "valid") << "the operator's hand has given it";
  folder_.Write("r/interface/trust-anchors.json",
                R"({"format":1,"anchors":[{"record":"nothing","state":"valid"}]})");
  const auto damaged = Run({"show"});
  EXPECT_EQ(damaged.status, 1);
  EXPECT_THAT(damaged.err, HasSubstr("has an anchor that cannot be read"));
  folder_.Write("r/interface/trust-anchors.json", R"({"format":2})");
  EXPECT_THAT(Run({"show"}).err, HasSubstr("another format"));
}

// Killed between its two files, a step has been done or is there to be repeated.
TEST_F(AnchorCommands, AnInterruptedStepIsDoneOrRepeated) {
  ASSERT_EQ(Run({"add", kIana2024, "--reason", "comes"}).status, 0);
  const auto list = [&](const std::vector<std::string>& anchors) {
    auto toml = *RegistryToml::Read(toml_);
    ASSERT_TRUE(toml.SetList("registry", "trust_anchors", anchors));
    ASSERT_TRUE(toml.Write());
  };
  list({own_, kIana2024});  // what trust writes first
  EXPECT_EQ(Show().at("anchors")[1].at("state"), "valid");
  const std::string tag = std::to_string(app::ParseTrustAnchor(own_)->first);
  ASSERT_EQ(Run({"revoke", tag, "--reason", "goes"}).status, 0);
  list({own_, kIana2024});  // what revoke has not written yet
  ASSERT_EQ(Run({"revoke", tag, "--reason", "goes"}).status, 0);
  EXPECT_THAT(Config().trust_anchors, ElementsAre(kIana2024));
}

TEST_F(AnchorCommands, AListKeepsWhatStandsAroundIt) {
  const auto set = [&](const std::string& text, const std::vector<std::string>& texts) {
    folder_.Write("list.toml", text);
    auto toml = RegistryToml::Read(folder_.In("list.toml"));
    EXPECT_TRUE(toml.ok());
    const auto done = toml->SetList("registry", "trust_anchors", texts);
    return done ? toml->text() : done.error().message;
  };
  EXPECT_EQ(set("[registry]\ntrust_anchors = [\"a\"]  # ours\nzone = \"z\"\n", {"a", "b"}),
            "[registry]\ntrust_anchors = [\n  'a',\n  'b',\n]  # ours\nzone = \"z\"\n");
  EXPECT_EQ(set("[registry]\n# first\ntrust_anchors = [\n  \"a\",\n  \"b\"\n]\n[mqtt]\n", {"b"}),
            "[registry]\n# first\ntrust_anchors = ['b']\n[mqtt]\n");
  EXPECT_THAT(set("[registry]\ntrust_anchors = [\n  \"a\",  # of 2024\n]\n", {"b"}), HasSubstr("by hand"));
  EXPECT_THAT(set("[registry]\nzone = \"z\"\n", {"b"}), HasSubstr("by hand"));
  EXPECT_THAT(set("registry = { trust_anchors = [\"a\"] }\n", {"b"}), HasSubstr("by hand"));
}

TEST_F(AnchorCommands, WhatIsGivenIsSaidOnceForEachChange) {
  const UtcTime first{1'000'000}, later{9'000'000};
  Begin(first);
  Begin(later);
  ASSERT_EQ(Run({"add", kIana2024, "--hold-down", "0", "--reason", "more"}).status, 0);
  Begin(later);
  const auto ledger = ledger::OpenRocksDbLedger({folder_.In("r/ledger")});
  ASSERT_TRUE(ledger.ok());
  const auto given = app::ReadAnchorsGiven(**ledger);
  ASSERT_TRUE(given.ok());
  ASSERT_THAT(*given, SizeIs(2));
  EXPECT_EQ((*given)[0].since, first);
  EXPECT_EQ((*given)[0].labels, app::LabelsOf({own_}));
  EXPECT_EQ((*given)[1].since, later);
  EXPECT_EQ((*given)[1].labels, app::LabelsOf({own_, kIana2024}));
}

// RFC 5011 §2.1, §7: the key is the same with the REVOKE bit, though its tag is another.
TEST(TrustAnchorOfAKey, IsTheRootsAlsoWhenItIsRevoked) {
  const auto ds = *app::ParseTrustAnchor(kIana2017);
  const auto dnskey = *app::ParseTrustAnchor(std::string(". 172800 IN DNSKEY 257 3 8 ") + kKsk2017);
  EXPECT_EQ(app::KeyTagOf(dnskey), 20326);
  EXPECT_THAT(app::LabelOf(dnskey), testing::StartsWith(". DNSKEY 20326 8 "));
  Bytes rdata{0x01, 0x01, 3, 8};
  rdata.insert(rdata.end(), dnskey.octets.begin(), dnskey.octets.end());
  for (const std::uint8_t flags : {0x01, 0x81}) {
    rdata[1] = flags;
    EXPECT_TRUE(app::IsAnchorOf(ds, rdata));
    EXPECT_TRUE(app::IsAnchorOf(dnskey, rdata));
    EXPECT_FALSE(app::IsAnchorOf(*app::ParseTrustAnchor(kIana2024), rdata));
  }
  rdata.back() ^= 1;
  EXPECT_FALSE(app::IsAnchorOf(ds, rdata));
  EXPECT_FALSE(app::IsAnchorOf(dnskey, rdata));
  EXPECT_FALSE(app::IsAnchorOf(ds, Bytes{1, 1, 3, 8}));
}

// A public ecosystem: nothing of the registry's own is an anchor, and every device is given the root's keys.
TEST_F(AnchorCommands, UnderTheIanaRootADeviceIsGivenTheRootsKeysAlone) {
  auto toml = *RegistryToml::Read(toml_);
  ASSERT_TRUE(toml.SetList("registry", "trust_anchors", {kIana2017, kIana2024}));
  ASSERT_TRUE(toml.Write());
  EXPECT_THAT(app::FaultsOf(Config()), IsEmpty());
  const auto material = app::Material::Load(Config());
  ASSERT_TRUE(material.ok()) << material.error().message;
  const auto device = *DeviceId::Parse("0189c2f6-6d52-4bb3-9a41-2d3ce9a0f5b7");
  const auto said = wire::Encode(payload_push::BootstrapOf(material->policy, device));
  const auto heard = wire::Decode<wire::Bootstrap>(said);
  ASSERT_TRUE(heard.ok()) << heard.error().message;
  EXPECT_THAT(heard->trust_anchors, ElementsAre(kIana2017, kIana2024));
  EXPECT_THAT(heard->trust_anchors, Not(testing::Contains(own_)));
  EXPECT_EQ(heard->device_name, device.text() + "._device.iotregistry.test");
}

}  // namespace
}  // namespace registry::ctl
