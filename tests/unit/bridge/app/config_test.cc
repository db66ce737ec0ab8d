#include "bridge/app/config.h"

#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <regex>
#include <set>
#include <sstream>
#include <thread>

#include "bridge/ctl/config_template.h"
#include "tests/support/openssl_tool.h"
#include "tests/support/smallest_config.h"

namespace registry::app {
namespace {

constexpr auto& kSmallest = test::kSmallestConfig;

class ConfigTest : public ::testing::Test {
 protected:
  Result<Config> Load(const std::string& text) { return LoadConfig(folder_.Write("registry.toml", text)); }
  // The faults of kSmallest with `from` replaced by `to`.
  std::string FaultsWith(const std::string& from, const std::string& to) {
    std::string text = kSmallest;
    const auto at = text.find(from);
    EXPECT_NE(at, std::string::npos) << from;
    auto config = Load(text.replace(at, from.size(), to));
    return config ? "" : config.error().message;
  }
  std::string FaultsPlus(const std::string& more) {
    auto config = Load(kSmallest + more);
    if (config) return "";
    EXPECT_EQ(config.error().symbol, "config_invalid");
    return config.error().message;
  }
  test::TemporaryFolder folder_;
};

TEST_F(ConfigTest, TheSmallestHasDefaultsAndAbsolutePaths) {
  auto config = Load(kSmallest);
  ASSERT_TRUE(config.ok()) << config.error().message;
  EXPECT_EQ(config->zone, "iotregistry.test");
  EXPECT_EQ(config->profile, "iot-registry-1");
  EXPECT_EQ(config->mqtt.port, 8883);
  EXPECT_EQ(config->mqtt.client_id, "registryd");
  EXPECT_EQ(config->mqtt.certificate_file, "/etc/r.pem");
  EXPECT_EQ(config->mqtt.key_file, folder_.In("r.key"));
  EXPECT_EQ(config->pki.crl_file,
            std::filesystem::path(folder_.In("")).parent_path().parent_path() / "crl.pem");
  EXPECT_EQ(config->pki.tlsa, dns::TlsaProfile::kCertificate);
  EXPECT_EQ(config->dns.contact, "hostmaster.iotregistry.test");
  EXPECT_TRUE(config->secondaries.empty());
  EXPECT_TRUE(config->log_file.empty());
  EXPECT_TRUE(config->run_file.empty());
}

TEST_F(ConfigTest, WhatInitWritesIsGood) {
  ctl::ConfigValues values;
  values.zone = "iotregistry.test";
  values.client_id = "registryd-0123";
  values.broker_host = "broker.example";
  values.trust_anchor = "iotregistry.test. 3600 IN DS 1 13 2 00";
  auto config = Load(ctl::ConfigText(values) +
                     "[[party]]\nname = \"mno-a\"\nrole = \"mno\"\n"
                     "[[party]]\nname = \"operator\"\nrole = \"operator\"\n");
  ASSERT_TRUE(config.ok()) << config.error().message;
  EXPECT_EQ(config->mqtt.host, "broker.example");
  ASSERT_EQ(config->parties.size(), 2u);
  EXPECT_EQ(config->parties.at(*PartyId::Parse("mno-a")), wire::Role::kMno);
  EXPECT_EQ(config->dns.glue.size(), 1u);
}

TEST_F(ConfigTest, SecondariesAndTlsaProfile) {
  std::string text = kSmallest;
  text.insert(text.find("[resolver]"), "tlsa = \"3 1 1\"\n");
  auto config = Load(text +
                     "[[secondary]]\nname = \"a\"\naddress = \"::1\"\nport = 5353\n"
                     "[[secondary]]\nname = \"b\"\naddress = \"192.0.2.2\"\n");
  ASSERT_TRUE(config.ok()) << config.error().message;
  EXPECT_EQ(config->pki.tlsa, dns::TlsaProfile::kPublicKey);
  ASSERT_EQ(config->secondaries.size(), 2u);
  EXPECT_EQ(config->secondaries[0].port, 5353);
  EXPECT_EQ(config->secondaries[1].port, 53);
}

TEST_F(ConfigTest, AnotherServersZoneNeedsNoKeysAndAnAddress) {
  std::string text = kSmallest;
  for (const char* line :
       {"ksk = \"ksk.pem\"\n", "zsk = \"zsk.pem\"\n", "name_servers = [\"ns1.iotregistry.test\"]\n"})
    text.erase(text.find(line), std::string(line).size());
  text.insert(text.find("tsig_name"), "publisher = \"update\"\n");
  const auto without = Load(text);
  ASSERT_FALSE(without.ok());
  EXPECT_NE(without.error().message.find("zone.update_address must be an IP address"), std::string::npos)
      << without.error().message;
  text.insert(text.find("tsig_name"), "update_address = \"192.0.2.53\"\n");
  const auto config = Load(text);
  ASSERT_TRUE(config.ok()) << config.error().message;
  EXPECT_TRUE(config->dns.by_update());
  EXPECT_EQ(config->dns.update_port, 53);
  EXPECT_EQ(config->dns.update_owner, "registry");
  EXPECT_NE(FaultsWith("ksk =", "publisher = \"theirs\"\nksk =").find("zone.publisher"), std::string::npos);
  EXPECT_NE(FaultsWith("ksk =", "update_owner = \"a b\"\nksk =").find("zone.update_owner"),
            std::string::npos);
}

TEST_F(ConfigTest, APartyTakesBatchesWhenItSaysSo) {
  const auto config = Load(std::string(kSmallest) +
                           "[[party]]\nname = \"many\"\nrole = \"asp\"\nbatches = true\n"
                           "[[party]]\nname = \"one\"\nrole = \"mno\"\nbatches = false\n"
                           "[[party]]\nname = \"usual\"\nrole = \"mno\"\n");
  ASSERT_TRUE(config.ok()) << config.error().message;
  EXPECT_EQ(config->takes_batches, std::set<PartyId>{*PartyId::Parse("many")});
  EXPECT_FALSE(Load(std::string(kSmallest) + "[[party]]\nname = \"m\"\nrole = \"mno\"\nbatches = 1\n").ok());
}

TEST_F(ConfigTest, AnMnoMayHaveItsOwnPlan) {
  const auto config =
      Load(std::string(kSmallest) +
           "[retry]\nfirst_seconds = 20\nopen = 500\n"
           "[[party]]\nname = \"slow\"\nrole = \"mno\"\nretry_first_seconds = 900\n"
           "retry_attempts = 3\nretry_progress_seconds = 3600\nretry_reported_seconds = 86400\n"
           "retry_open = 10\n"
           "[[party]]\nname = \"other\"\nrole = \"mno\"\nretry_attempts = 9\n"
           "[[party]]\nname = \"usual\"\nrole = \"mno\"\n"
           "[[party]]\nname = \"asp\"\nrole = \"asp\"\n");
  ASSERT_TRUE(config.ok()) << config.error().message;
  using std::chrono::seconds;
  const auto of = [&](const char* party) { return config->retry.Of(*PartyId::Parse(party)); };
  EXPECT_EQ(of("usual"), (domain::RetryPlan{seconds(20), 6, seconds(600), seconds(604'800), 500}));
  EXPECT_EQ(of("other"), (domain::RetryPlan{seconds(20), 9, seconds(600), seconds(604'800), 500}));
  EXPECT_EQ(of("slow"), (domain::RetryPlan{seconds(900), 3, seconds(3600), seconds(86'400), 10}));
  EXPECT_EQ(of("nobody"), of("usual"));
}

TEST_F(ConfigTest, WhoDecidesATransfer) {
  const auto usual = Load(kSmallest);
  ASSERT_TRUE(usual.ok()) << usual.error().message;
  EXPECT_EQ(usual->transfer, (domain::TransferPolicy{std::chrono::hours(120), false, {}}));
  const auto config = Load(std::string(kSmallest) +
                           "[transfer]\ndecide_within_seconds = 60\nauto = \"approved\"\n"
                           "[[party]]\nname = \"easy\"\nrole = \"asp\"\nauto_approve = true\n"
                           "[[party]]\nname = \"usual\"\nrole = \"mno\"\n");
  ASSERT_TRUE(config.ok()) << config.error().message;
  EXPECT_EQ(config->transfer,
            (domain::TransferPolicy{std::chrono::seconds(60), true, {*PartyId::Parse("easy")}}));
}

TEST_F(ConfigTest, UnknownKeysAndTablesAreRefusedWithTheirLine) {
  EXPECT_EQ(FaultsWith("[mqtt]\n", "[mqtt]\nprot = 1\n"),
            folder_.In("registry.toml") + ":5: unknown key mqtt.prot");
  EXPECT_NE(FaultsPlus("[http]\nadress = \"127.0.0.1\"\n").find("unknown key http.adress"),
            std::string::npos);
  EXPECT_NE(FaultsPlus("[metrics]\nx = 1\n").find("unknown table [metrics]"), std::string::npos);
}

TEST_F(ConfigTest, EveryWrongValueIsNamed) {
  const std::pair<const char*, const char*> kCases[] = {
      {"[http]\nport = 70000\n", "http.port must be a whole number from 0 to 65535"},
      {"[http]\nport = \"80\"\n", "http.port must be a whole number"},
      {"[http]\naddress = \"localhost\"\n", "http.address must be an IP address"},
      {"[log]\nlevel = \"loud\"\n", "log.level must be"},
      {"[pipeline]\nlanes = 0\n", "pipeline.lanes must be"},
      {"[retry]\nattempts = 1.5\n", "retry.attempts must be"},
      {"[transfer]\ndecide_within_seconds = 0\n", "transfer.decide_within_seconds must be"},
      {"[transfer]\nauto = \"maybe\"\n", "transfer.auto must be"},
      {"[payload]\nvalidity_days = 0\n", "payload.validity_days must be"},
      {"[[party]]\nname = \"Mno\"\nrole = \"mno\"\n", "party.name must be"},
      {"[[party]]\nname = \"mno\"\nrole = \"boss\"\n", "party.role must be"},
      {"[[party]]\nname = \"asp\"\nrole = \"asp\"\nretry_open = 5\n", "party.role must be \"mno\": no other"},
      {"[[party]]\nname = \"mno\"\nrole = \"mno\"\nretry_open = 0\n", "party.retry_open must be"},
      {"[[party]]\nname = \"m\"\nrole = \"mno\"\n[[party]]\nname = \"m\"\nrole = \"asp\"\n",
       "party.name is used twice"},
      {"[[party]]\nname = \"registryd\"\nrole = \"mno\"\n", "party.name is the registry's own name"},
      {"[[secondary]]\nname = \"a\"\naddress = \"ns1.test\"\n", "secondary.address must be an IP address"},
      {"[[secondary]]\nname = \"a\"\naddress = \"192.0.2.1\"\ntsig_name = \"k\"\n",
       "secondary.tsig_secret is missing beside tsig_name"},
      {"[[secondary]]\nname = \"a\"\naddress = \"192.0.2.1\"\nformer_tsig_secret = \"k\"\n",
       "secondary.former_tsig_name is missing beside former_tsig_secret"},
      {"[[secondary]]\nname = \"a\"\naddress = \"192.0.2.1\"\ntsig_name = \"a b\"\ntsig_secret = \"k\"\n",
       "secondary.tsig_name must be a domain name"},
      {"[party]\nname = \"m\"\n", "party must be written as [[party]]"},
      {"[[http]]\nport = 1\n", "http must be written as [http]"},
      {"[run]\nfile = 1\n", "run.file must be a string"},
      {"[process]\ncore_dumps = 1\n", "process.core_dumps must be true or false"},
  };
  for (const auto& [more, fault] : kCases) EXPECT_NE(FaultsPlus(more).find(fault), std::string::npos) << more;
  EXPECT_NE(FaultsWith("iotregistry.test\"\nt", "Iot.test.\"\nt").find("registry.zone must be"),
            std::string::npos);
  EXPECT_NE(FaultsWith("[\". IN DS 1 13 2 00\"]", "[]").find("registry.trust_anchors must be"),
            std::string::npos);
  EXPECT_NE(
      FaultsWith("tsig_secret = ", "glue = [[\"ns1\", \"x\"]]\ntsig_secret = ").find("zone.glue must be"),
      std::string::npos);
}

// Renewal, transfer, limits and what orders, codes and restores go by.
TEST_F(ConfigTest, EveryWrongValueOfADevicesLifeIsNamed) {
  const std::string mno = "[[party]]\nname = \"mno\"\nrole = \"mno\"\n";
  const std::pair<std::string, const char*> kCases[] = {
      {"[renewal]\nfrom_percent = 9\n", "renewal.from_percent must be a whole number from 10 to 85"},
      {"[renewal]\nfrom_percent = 86\n", "renewal.from_percent must be"},
      {"[renewal]\nfrom_percent = \"66 %\"\n", "renewal.from_percent must be"},
      {"[renewal]\njitter_percent = -1\n", "renewal.jitter_percent must be a whole number from 0 to 14"},
      {"[renewal]\njitter_percent = 15\n", "renewal.jitter_percent must be"},
      {"[renewal]\nagain_seconds = 0\n", "renewal.again_seconds must be"},
      {"[renewal]\nagain_seconds = 31622401\n", "renewal.again_seconds must be"},
      {"[renewal]\nlook_seconds = 0\n", "renewal.look_seconds must be"},
      {"[renewal]\nlook_seconds = 86401\n", "renewal.look_seconds must be"},
      {"[renewal]\nfrom_per_cent = 50\n", "unknown key renewal.from_per_cent"},
      {"[transfer]\ndecide_within_seconds = 31622401\n", "transfer.decide_within_seconds must be"},
      {"[transfer]\ndecide_within_seconds = 1.5\n", "transfer.decide_within_seconds must be"},
      {"[transfer]\nauto = true\n", "transfer.auto must be"},
      {"[transfer]\nauto_approve = true\n", "unknown key transfer.auto_approve"},
      {mno + "auto_approve = \"yes\"\n", "party.auto_approve must be true or false"},
      {"[limits]\nledger_octets_per_hour = 1\n", "limits.ledger_octets_per_hour must be"},
      {"[limits]\nwrite_per_minute = 5\n", "unknown key limits.write_per_minute"},
      {"[authorisation]\nvalidity_days = 0\n", "authorisation.validity_days must be"},
      {"[authorisation]\nvalidity_days = 366\n", "authorisation.validity_days must be"},
      {"[authorisation]\nkey_file = 1\n", "authorisation.key_file must be"},
      {"[order]\nrate = 50\n", "unknown table [order]"},
  };
  for (const auto& [more, fault] : kCases) EXPECT_NE(FaultsPlus(more).find(fault), std::string::npos) << more;
  for (const char* which : {"write", "read", "bulk", "authorise"}) {
    for (const char* what : {"_per_second", "_burst"}) {
      const std::string key = std::string(which) + what;
      for (const char* value : {"0", "1000001", "-1", "\"many\""}) {
        const std::string line = key + " = " + value + "\n";
        EXPECT_NE(FaultsPlus("[limits]\n" + line).find("limits." + key + " must be"), std::string::npos)
            << line;
        EXPECT_NE(FaultsPlus(mno + "limit_" + line).find("party.limit_" + key + " must be"),
                  std::string::npos)
            << line;
      }
    }
  }
  EXPECT_NE(FaultsWith("zone = ", "restore_days = 0\nzone = ").find("registry.restore_days must be"),
            std::string::npos);
}

TEST_F(ConfigTest, WhenCertificatesAreRenewed) {
  const auto usual = Load(kSmallest);
  ASSERT_TRUE(usual.ok()) << usual.error().message;
  EXPECT_EQ(usual->renewal, domain::RenewalPolicy());
  EXPECT_EQ(usual->pki.validity(), std::chrono::hours(24) * 365);
  std::string text = kSmallest;
  text.insert(text.find("[resolver]"), "validity_days = 30\nvalidity_seconds = 600\n");
  const auto config =
      Load(text + "[renewal]\nfrom_percent = 50\njitter_percent = 0\nagain_seconds = 20\nlook_seconds = 1\n");
  ASSERT_TRUE(config.ok()) << config.error().message;
  domain::RenewalPolicy policy;
  policy.from_percent = 50;
  policy.jitter_percent = 0;
  policy.again = std::chrono::seconds(20);
  EXPECT_EQ(config->renewal, policy);
  EXPECT_EQ(config->renewal_look_seconds, 1);
  EXPECT_EQ(config->pki.validity(), std::chrono::seconds(600));
}

TEST_F(ConfigTest, AllFaultsAreSaidAtOnce) {
  const std::string faults = FaultsWith("folder = \"ledger\"", "folders = \"ledger\"");
  EXPECT_NE(faults.find(":9: ledger.folder is missing"), std::string::npos) << faults;
  EXPECT_NE(faults.find(":10: unknown key ledger.folders"), std::string::npos) << faults;
  const auto nothing = Load("");
  ASSERT_FALSE(nothing.ok());
  for (const char* key :
       {"registry.zone", "mqtt.host", "pki.issuing_key", "zone.ksk", "resolver.certificate"}) {
    EXPECT_NE(nothing.error().message.find(std::string(key) + " is missing"), std::string::npos) << key;
  }
}

TEST_F(ConfigTest, WhatIsNotTomlIsSaidWithItsLine) {
  const auto config = Load("[registry]\nzone = \n");
  ASSERT_FALSE(config.ok());
  EXPECT_EQ(config.error().symbol, "config_unreadable");
  EXPECT_NE(config.error().message.find("registry.toml:2: "), std::string::npos) << config.error().message;
  EXPECT_EQ(LoadConfig(folder_.In("missing.toml")).error().symbol, "config_unreadable");
}

// "section.key" for every key that a source of the program asks for. Its first keys are of `section`.
std::set<std::string> KeysIn(const std::string& file, std::string section) {
  static const std::regex kAsked(
      R"re((Open|Each)\("(\w+)"|\w+\.(?:Text|Checked|Path|Key|As<[\w:]+>|Texts|Tuples|Flag)\(\s*"(\w+)")re");
  std::stringstream text;
  text << std::ifstream(REGISTRY_SOURCE_DIR "/bridge/app/" + file).rdbuf();
  const std::string source = text.str();
  std::set<std::string> keys;
  for (std::sregex_iterator at(source.begin(), source.end(), kAsked), end; at != end; ++at) {
    if ((*at)[1].matched) section = (*at)[2];
    if (!(*at)[1].matched) keys.insert(section + "." + (*at)[3].str());
  }
  return keys;
}

std::set<std::string> KeysInSource() {
  auto keys = KeysIn("ledger_config.cc", "ledger");
  for (const char* file : {"config.cc", "config_issuing.cc", "config_zone.cc"}) keys.merge(KeysIn(file, ""));
  return keys;
}

TEST(ConfigPage, DocumentsExactlyTheKeysThereAre) {
  static const std::regex kRow(R"(^\| `(\w+\.\w+)` \|)");
  std::set<std::string> documented;
  std::ifstream page(REGISTRY_SOURCE_DIR "/bridge/app/CONFIG.md");
  for (std::string line; std::getline(page, line);) {
    std::smatch match;
    if (std::regex_search(line, match, kRow)) documented.insert(match[1]);
  }
  EXPECT_GT(documented.size(), 50u);
  EXPECT_EQ(documented, KeysInSource());
}

// kSmallest and one secondary, with `line` added to `section`.
std::string With(const std::string& section, const std::string& line) {
  std::string text = std::string(kSmallest) + "[[secondary]]\nname = \"a\"\naddress = \"::1\"\n";
  std::string head = "[" + section + "]\n";
  if (section == "secondary") head = "[[secondary]]\n";
  if (section == "former_issuing") head = "[[former_issuing]]\ncertificate = \"c\"\ncrl_file = \"f\"\n";
  if (section == "party") head = "[[party]]\nname = \"mno-a\"\nrole = \"mno\"\n";
  const auto at = text.find(head);
  if (at == std::string::npos) return text + head + line + "\n";
  return text.insert(at + head.size(), line + "\n");
}

// The second column of the page, by "section.key".
std::map<std::string, std::string> DefaultsOnPage() {
  static const std::regex kRow(R"(^\| `(\w+\.\w+)` \| ([^|]*?) \|)");
  std::map<std::string, std::string> defaults;
  std::ifstream page(REGISTRY_SOURCE_DIR "/bridge/app/CONFIG.md");
  for (std::string line; std::getline(page, line);) {
    std::smatch match;
    if (!std::regex_search(line, match, kRow)) continue;
    defaults[match[1]] = std::regex_replace(match[2].str(), std::regex("`"), "");
  }
  return defaults;
}

TEST_F(ConfigTest, TheDefaultsOnThePageAreTheProgramsDefaults) {
  const auto rows = DefaultsOnPage();
  const auto plain = Load(With("registry", ""));
  const auto with_party = Load(With("party", "")), with_former = Load(With("former_issuing", ""));
  const auto missing = Load("[[secondary]]\n[[party]]\n[[former_issuing]]\n[[coming_issuing]]\n");
  ASSERT_TRUE(plain.ok() && with_party.ok() && with_former.ok() && !missing.ok());
  int defaults = 0;
  for (const auto& [key, said] : rows) {
    const auto other = rows.find(said);  // the default of another key
    std::string value = other == rows.end() ? said : other->second;
    if (value == "–") {
      EXPECT_NE(missing.error().message.find(key + " is missing"), std::string::npos) << key;
      continue;
    }
    if (value == "none") value = "[]";
    if (value == "cores, at least 2")
      value = std::to_string(std::max(std::thread::hardware_concurrency(), 2u));
    if (value == "hostmaster. zone") value = "\"hostmaster.iotregistry.test\"";
    const std::string section = key.substr(0, key.find('.'));
    const auto written = Load(With(section, key.substr(section.size() + 1) + " = " + value));
    ASSERT_TRUE(written.ok()) << key << ": " << written.error().message;
    const auto& without = section == "party" ? with_party : section == "former_issuing" ? with_former : plain;
    EXPECT_TRUE(*written == *without) << key << " is not " << value << " by default";
    ++defaults;
  }
  EXPECT_GT(defaults, 25);
}

TEST_F(ConfigTest, TheConsoleLeavesLoopbackOnlyInTls) {
  EXPECT_FALSE(Load(With("console", ""))->console.enabled) << "it is off unless it is asked for";
  EXPECT_TRUE(Load(With("console", "enabled = true\naddress = \"::1\"")).ok());
  const auto open = Load(With("console", "enabled = true\naddress = \"192.0.2.1\""));
  ASSERT_FALSE(open.ok());
  EXPECT_NE(open.error().message.find("console.address must be of loopback"), std::string::npos)
      << open.error().message;
  const auto half = Load(With("console", "certificate_file = \"c.pem\""));
  ASSERT_FALSE(half.ok());
  EXPECT_NE(half.error().message.find("console.key_file go together"), std::string::npos);
  const std::string both = "address = \"192.0.2.1\"\ncertificate_file = \"c.pem\"\nkey_file = \"c.key\"";
  EXPECT_TRUE(Load(With("console", both)).ok());
}

TEST_F(ConfigTest, TransfersOverTlsHaveWhatBelongsTogether) {
  const auto plain = Load(With("zone", ""));
  EXPECT_FALSE(plain->dns.tls.on()) << "it is off unless it is asked for";
  const auto faults = [&](const std::string& section, const std::string& line) {
    const auto config = Load(With(section, line));
    return config.ok() ? "" : config.error().message;
  };
  const std::string both = "tls_certificate = \"t.pem\"\ntls_key = \"t.key\"\n";
  const auto on = Load(With("zone", both + "listen_address = \"::1\""));
  ASSERT_TRUE(on.ok()) << on.error().message;
  EXPECT_TRUE(on->dns.tls.on());
  EXPECT_EQ(on->dns.tls.key_file, folder_.In("t.key"));
  EXPECT_EQ(on->dns.tls.address, "::1");
  EXPECT_NE(faults("zone", "tls_key = \"t.key\"").find("zone.tls_key go together"), std::string::npos);
  EXPECT_NE(faults("zone", "tls_only = true").find("zone.tls_only needs"), std::string::npos);
  EXPECT_NE(faults("zone", "tls_client_ca = \"ca.pem\"").find("zone.tls_client_ca needs"), std::string::npos);
  EXPECT_NE(
      faults("secondary", "tls_name = \"ns1.test\"").find("secondary.tls_name needs zone.tls_client_ca"),
      std::string::npos);
}

TEST_F(ConfigTest, TheKeySetOfKeysInATokenLiesBesideTheFile) {
  std::string text = kSmallest;
  for (const char* key : {"ksk", "zsk"}) {
    const std::string file = "\"" + std::string(key) + ".pem\"";
    text.replace(text.find(file), file.size(), "\"pkcs11:token=t;object=" + std::string(key) + "\"");
  }
  const auto config = Load(text);
  ASSERT_TRUE(config.ok()) << config.error().message;
  EXPECT_EQ(config->dns.key_set, folder_.In("key-set.json"));
}

// "1..9" as a fault says it of a key that has a string where it wants a number; empty for any other key.
std::string RangeIn(const std::string& faults, const std::string& key) {
  std::smatch match;
  const std::regex wanted(key + " must be a whole number from (-?\\d+) to (\\d+)");
  return std::regex_search(faults, match, wanted) ? match[1].str() + ".." + match[2].str() : "";
}

// Every key of the page gets a string: what wants a number says so, and which.
TEST_F(ConfigTest, TheRangesOnThePageAreTheProgramsRanges) {
  static const std::regex kRow(R"(^\| `(\w+)\.(\w+)` \| [^|]* \| (\S*)[^|]*\|)");
  std::map<std::string, std::string> ranges;    // by key, "" where it is no number
  std::map<std::string, std::string> sections;  // name -> its keys, one a line
  std::ifstream page(REGISTRY_SOURCE_DIR "/bridge/app/CONFIG.md");
  for (std::string line; std::getline(page, line);) {
    std::smatch match;
    if (!std::regex_search(line, match, kRow)) continue;
    ranges[match[1].str() + "." + match[2].str()] = match[3] == "|" ? "" : match[3].str();
    sections[match[1]] += match[2].str() + " = \"x\"\n";
  }
  std::string text;
  for (const auto& [section, keys] : sections) {
    const bool list = section == "secondary" || section == "party";
    text += (list ? "[[" : "[") + section + (list ? "]]\n" : "]\n") + keys;
  }
  const auto config = Load(text);
  ASSERT_FALSE(config.ok());
  int numbers = 0;
  for (const auto& [key, range] : ranges) {
    EXPECT_EQ(range, RangeIn(config.error().message, key)) << key;
    numbers += range.empty() ? 0 : 1;
  }
  EXPECT_EQ(numbers, 69);
}

}  // namespace
}  // namespace registry::app
