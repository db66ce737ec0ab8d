// `registryctl secondary-config`: it prints what the zone's page shows, and the servers' own checkers take it. That the
// page's examples serve the zone is the business of zone_interop_test.
#include "bridge/ctl/secondary_config.h"

#include <gmock/gmock.h>

#include <fstream>
#include <iostream>
#include <regex>
#include <sstream>

#include "tests/support/ran_command.h"
#include "tests/support/registry_home.h"
#include "tests/support/shell.h"

namespace registry::ctl {
namespace {

using testing::HasSubstr;
using testing::Not;

SecondarySide PageSide() {
  return {.zone = "iotregistry.test",
          .primary = "192.0.2.1",
          .address = "192.0.2.53",
          .primary_port = 5300,
          .key_name = "registry-transfer",
          .secret = "SECRET"};
}

TEST(SecondaryConfigPage, ShowsWhatIsPrintedForTls) {
  std::ostringstream page;
  page << std::ifstream(REGISTRY_SOURCE_DIR "/bridge/zone/TLS.md").rdbuf();
  SecondarySide side = PageSide();
  side.tls = TlsSide{"192.0.2.1", 853, "primary.iotregistry.test", "ns1.example"};
  for (const auto& text : {NsdConfig(side), BindConfig(side)})
    EXPECT_THAT(page.str(), HasSubstr("```\n" + text + "```\n"));
  side.tls->certificate.clear();
  EXPECT_THAT(NsdConfig(side), Not(HasSubstr("client-")));
  EXPECT_THAT(BindConfig(side), Not(HasSubstr("cert-file")));
}

TEST(SecondaryConfigPage, ShowsWhatIsPrinted) {
  std::ostringstream page;
  page << std::ifstream(REGISTRY_SOURCE_DIR "/bridge/zone/README.md").rdbuf();
  for (const auto& text : {NsdConfig(PageSide()), KnotConfig(PageSide()), BindConfig(PageSide())})
    EXPECT_THAT(page.str(), HasSubstr("```\n" + text + "```\n"));
}

TEST(SecondaryConfigPage, EveryNodeIsAPrimaryAndMayComeAndLook) {
  SecondarySide side = PageSide();
  side.other_primaries = {{"192.0.2.2", 5300}, {"2001:db8::3", 5301}};
  const std::string nsd = NsdConfig(side), knot = KnotConfig(side), bind = BindConfig(side);
  for (const char* const line :
       {"allow-notify: 192.0.2.2 registry-transfer\n", "request-xfr: 192.0.2.1@5300 registry-transfer\n",
        "request-xfr: 2001:db8::3@5301 registry-transfer\n", "provide-xfr: 2001:db8::3 registry-transfer\n"})
    EXPECT_THAT(nsd, HasSubstr(line));
  EXPECT_THAT(knot, HasSubstr("master: [registry, registry-2, registry-3]"));
  EXPECT_THAT(knot, HasSubstr("address: [192.0.2.1, 192.0.2.2, 2001:db8::3]"));
  EXPECT_THAT(bind, HasSubstr("192.0.2.2 port 5300 key \"registry-transfer\";"));
}

class SecondaryConfigTest : public testing::Test {
 protected:
  void SetUp() override {
    ds_ = test::MakeRegistryHome(folder_);
    folder_.Write("r/registry.toml",
                  folder_.Read("r/registry.toml") +
                      "[[secondary]]\nname = \"ns1\"\naddress = \"127.0.0.2\"\nport = 5353\n" + more_);
  }
  // Its output; what it failed with goes to standard error.
  std::string Printed(const std::string& arguments) {
    CLI::App app;
    AddSecondaryConfig(app);
    const auto ran = test::RanBy(
        [&] { app.parse("secondary-config " + arguments + " --config " + folder_.In("r/registry.toml")); });
    said_ = ran.err + ran.what;
    return ran.out;
  }
  // As the only content of a configuration, before the server's own checker.
  test::Ran Checked(const std::string& checker, const std::string& text) {
    const std::string file = folder_.Write("server.conf", text);
    return test::Shell(checker + " '" + file + "'" + (checker.starts_with("knotc") ? " conf-check" : "") +
                       " 2>&1");
  }

  test::TemporaryFolder folder_;
  std::string ds_, said_, more_;
};

TEST_F(SecondaryConfigTest, TheServersOwnCheckersTakeIt) {
  const std::string secret = folder_.Read("r/zone/tsig.key").substr(0, 40);
  const std::pair<const char*, std::string> judges[] = {
      {"nsd", "nsd-checkconf"}, {"knot", "knotc -c"}, {"bind", "named-checkconf"}};
  for (const auto& [software, judge] : judges) {
    const std::string text = Printed(software);
    EXPECT_EQ(said_, "");
    EXPECT_THAT(text, HasSubstr(secret)) << software;
    EXPECT_THAT(text, HasSubstr("iotregistry.test"));
    const auto judged = Checked(judge, text);
    EXPECT_TRUE(judged.ok()) << software << judged.output << text;
    EXPECT_FALSE(Checked(judge, text + "no line of it\n").ok()) << software << ": the judge looks";
  }
  EXPECT_THAT(Printed("nsd"), HasSubstr("ip-address: 127.0.0.2@5353"));
}

TEST_F(SecondaryConfigTest, OverTlsItNamesThePrimaryAsItsCertificateDoes) {
  EXPECT_EQ(Printed("bind --tls"), "");
  EXPECT_THAT(said_, HasSubstr("zone.tls_certificate is not set"));
  const std::string text = folder_.Read("r/registry.toml"), zone = "[zone]\n";
  const std::size_t at = text.find(zone) + zone.size();
  const std::string keys =
      "tls_certificate = \"interface/resolver.pem\"\ntls_key = \"interface/resolver.key\"\n";
  folder_.Write("r/registry.toml", text.substr(0, at) + keys + text.substr(at));
  EXPECT_THAT(Printed("bind --tls"),
              testing::AllOf(HasSubstr("remote-hostname \"resolver.iotregistry.test\""),
                             HasSubstr("127.0.0.1 port 853 key"), Not(HasSubstr("cert-file"))));
  EXPECT_THAT(Printed("nsd --tls"), HasSubstr("request-xfr: 127.0.0.1@853 registry-transfer registry-tls\n"));
  const std::string ca = "tls_client_ca = \"interface/ca.pem\"\n";
  folder_.Write("r/registry.toml", text.substr(0, at) + keys + ca + text.substr(at));
  EXPECT_THAT(Printed("nsd --tls"), HasSubstr("client-cert: \"/etc/nsd/ns1.pem\""));
  for (const auto& [software, judge] : {std::pair("nsd", "nsd-checkconf"), {"bind", "named-checkconf"}}) {
    // The checkers open the files that the text names.
    const std::string here = folder_.In("r/interface/");
    std::string there = std::regex_replace(Printed(std::string(software) + " --tls"),
                                           std::regex("/etc/(nsd|bind)/(transfer-)?"), here);
    there = std::regex_replace(there, std::regex("ns1\\.(pem|key)"), "resolver.$1");
    const auto judged = Checked(judge, there);
    EXPECT_TRUE(judged.ok()) << judged.output << there;
  }
  EXPECT_EQ(Printed("knot --tls"), "");
  EXPECT_THAT(said_, HasSubstr("Knot transfers over TLS from version 3.3 on"));
}

TEST_F(SecondaryConfigTest, ASecondaryWithAKeyOfItsOwnGetsThatOne) {
  const std::string secret = "IiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIiI=";
  folder_.Write("r/zone/own.key", secret + "\n");
  ASSERT_EQ(::chmod(folder_.In("r/zone/own.key").c_str(), 0600), 0);
  const std::string text = folder_.Read("r/registry.toml");
  const std::size_t at = text.rfind("[[secondary]]") + 13;
  folder_.Write(
      "r/registry.toml",
      text.substr(0, at) + "\ntsig_name = \"own-key\"\ntsig_secret = \"zone/own.key\"" + text.substr(at));
  const std::string printed = Printed("bind");
  EXPECT_THAT(printed, testing::AllOf(HasSubstr("key \"own-key\""), HasSubstr(secret)));
  EXPECT_THAT(printed, Not(HasSubstr(folder_.Read("r/zone/tsig.key").substr(0, 40))));
}

TEST_F(SecondaryConfigTest, TheResolverTrustsWhatDevicesTrust) {
  const std::string text = Printed("unbound");
  EXPECT_THAT(text, HasSubstr("trust-anchor: \"" + ds_));
  EXPECT_THAT(text, HasSubstr("stub-addr: 127.0.0.2@5353\n")) << "nobody delegates to a private zone";
  EXPECT_THAT(text, Not(HasSubstr(folder_.Read("r/zone/tsig.key").substr(0, 40))));
  // unbound-checkconf opens the key that the text names; the operator makes it.
  std::string there = text;
  for (const char* end : {"key", "pem"}) {
    const std::string name = "/etc/unbound/resolver.iotregistry.test." + std::string(end);
    ASSERT_THAT(there, HasSubstr(name));
    there.replace(there.find(name), name.size(), folder_.In("r/interface/resolver." + std::string(end)));
  }
  const auto judged = Checked("unbound-checkconf", there);
  EXPECT_TRUE(judged.ok()) << judged.output << there;
}

TEST_F(SecondaryConfigTest, APrimaryThatTheOtherSideCannotReachIsNotPrinted) {
  const std::string text = folder_.Read("r/registry.toml");
  folder_.Write("r/registry.toml", std::regex_replace(text, std::regex("127\\.0\\.0\\.2"), "192.0.2.53"));
  EXPECT_EQ(Printed("nsd"), "");
  EXPECT_THAT(said_,
              HasSubstr("zone.listen_address is 127.0.0.1: set the address at which ns1 reaches this host"));
}

TEST_F(SecondaryConfigTest, OneOfSeveralIsNamed) {
  folder_.Write("r/registry.toml",
                folder_.Read("r/registry.toml") + "[[secondary]]\nname = \"ns2\"\naddress = \"127.0.0.3\"\n");
  EXPECT_EQ(Printed("bind"), "");
  EXPECT_THAT(said_, HasSubstr("--secondary says which one: ns1, ns2"));
  EXPECT_EQ(Printed("bind --secondary ns3"), "");
  EXPECT_THAT(said_, HasSubstr("no [[secondary]] has the name 'ns3'; there are: ns1, ns2"));
  EXPECT_THAT(Printed("nsd --secondary ns2"), HasSubstr("ip-address: 127.0.0.3\n"));
  EXPECT_EQ(Printed("powerdns"), "");
  EXPECT_THAT(said_, HasSubstr("powerdns"));
}

}  // namespace
}  // namespace registry::ctl
