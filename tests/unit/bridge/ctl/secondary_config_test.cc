// `registryctl secondary-config`: it prints what the zone's page shows, and the servers' own checkers take it. That the
// page's examples serve the zone is the business of zone_interop_test.
#include "bridge/ctl/secondary_config.h"

#include <gmock/gmock.h>

#include <fstream>
#include <iostream>
#include <regex>
#include <sstream>

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

TEST(SecondaryConfigPage, ShowsWhatIsPrinted) {
  std::ostringstream page;
  page << std::ifstream(REGISTRY_SOURCE_DIR "/bridge/zone/README.md").rdbuf();
  for (const auto& text : {NsdConfig(PageSide()), KnotConfig(PageSide()), BindConfig(PageSide())})
    EXPECT_THAT(page.str(), HasSubstr("```\n" + text + "```\n"));
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
    std::ostringstream out, err;
    auto *const cout = std::cout.rdbuf(out.rdbuf()), *const cerr = std::cerr.rdbuf(err.rdbuf());
    try {
      app.parse("secondary-config " + arguments + " --config " + folder_.In("r/registry.toml"));
    } catch (const CLI::Error& error) {
      err << error.what();
    }
    std::cout.rdbuf(cout);
    std::cerr.rdbuf(cerr);
    said_ = err.str();
    return out.str();
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
