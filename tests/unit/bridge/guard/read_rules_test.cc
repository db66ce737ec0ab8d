#include "bridge/guard/read_rules.h"

#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

namespace registry::guard {
namespace {

ReadRules FromText(const std::string& text) {
  std::istringstream file(text);
  return ReadRules::Parse(file);
}

ReadRules Shipped() {
  std::ifstream file(REGISTRY_SOURCE_DIR "/broker-config/acl.conf");
  return ReadRules::Parse(file);
}

// MQTT 5 §4.7: every topic of the filter must be one of the rule's.
TEST(Within, IsContainment) {
  for (const char* filter : {"a/b", "a/b/c", "a/b/+/d", "a/b/#", "a/b/+", "a/b//"}) {
    EXPECT_TRUE(Within(filter, "a/b/#")) << filter;
    EXPECT_TRUE(Within(filter, "a/+/#")) << filter;
    EXPECT_TRUE(Within(filter, "#")) << filter;
    EXPECT_FALSE(Within(filter, "a/c/#")) << filter;
  }
  for (const char* filter :
       {"", "a", "#", "+", "a/#", "a/+", "+/b", "a/+/c", "a/bb", "A/b", "/a/b", "$SYS/a"}) {
    EXPECT_FALSE(Within(filter, "a/b/#")) << filter;
  }
  EXPECT_TRUE(Within("a/+/c", "a/+/c"));
  EXPECT_TRUE(Within("a/b/c", "a/+/c"));
  EXPECT_FALSE(Within("a/#", "a/+/c"));
  EXPECT_FALSE(Within("a/b", "a/+/c"));
  EXPECT_FALSE(Within("a/b/c/d", "a/+/c"));
  EXPECT_FALSE(Within("$SYS/#", "#")) << "section 4.7.2";
  EXPECT_TRUE(Within("$SYS/broker/uptime", "$SYS/#"));
}

TEST(ReadRules, APartyHearsItsOwnSpaceAndNothingElse) {
  const ReadRules rules = Shipped();
  for (const char* filter :
       {"registry/v1/to/mno-a/#", "registry/v1/to/mno-a/event/+", "$share/group/registry/v1/to/mno-a/#",
        "registry/v1/to/mno-a/esim.register/accepted"}) {
    EXPECT_TRUE(rules.Grants("mno-a", filter)) << filter;
    EXPECT_FALSE(rules.Grants("mno-b", filter)) << filter;
    EXPECT_FALSE(rules.Grants("mno-aa", filter)) << filter;
    EXPECT_FALSE(rules.Grants("", filter)) << filter;
  }
  for (const char* filter :
       {"#", "+/#", "registry/#", "registry/v1/to/#", "registry/v1/to/+/#", "registry/v1/+/mno-a/#", "$SYS/#",
        "$share/group/#", "$share/group/registry/v1/to/+/#", "$share/group", "$share/group/", "$share//#",
        "$share/g/$share/h/registry/v1/to/mno-a/#", "registry/v1/from/mno-a/#", "registry/v1/from/#"}) {
    EXPECT_FALSE(rules.Grants("mno-a", filter)) << filter;
  }
}

TEST(ReadRules, TheRegistryHearsWhatPartiesSay) {
  EXPECT_TRUE(Shipped().Grants("registryd", "registry/v1/from/#"));
  EXPECT_TRUE(Shipped().Grants("registryd", "$share/registry/registry/v1/from/#"));
  EXPECT_FALSE(Shipped().Grants("mno-a", "$share/registry/registry/v1/from/#"));
  EXPECT_FALSE(Shipped().Grants("mno-a", "$share/registry/registry/v1/from/mno-a/#")) << "not even its own";
  EXPECT_FALSE(Shipped().Grants("registryd", "registry/v1/to/mno-a/#"));
  EXPECT_FALSE(Shipped().Grants("registryd", "#"));
}

TEST(ReadRules, ANameWithWildcardsOpensNothing) {
  for (const char* name : {"+", "#", "mno-a/x", "+/+"}) {
    EXPECT_FALSE(Shipped().Grants(name, "registry/v1/to/" + std::string(name) + "/#")) << name;
    EXPECT_FALSE(Shipped().Grants(name, "registry/v1/to/mno-a/#")) << name;
  }
}

// An operator's own lines: mosquitto.conf(5), acl_file.
TEST(ReadRules, EveryAccessWordIsUnderstood) {
  const ReadRules rules = FromText(
      "topic read nameless/#\r\n# topic read comment/#\n\nuser the monitor\r\n  topic read $SYS/#\ntopic "
      "plain/+\n"
      "topic readwrite both/#\ntopic write written/#\ntopic deny denied/#\ntopic  read   with blanks/#  \n"
      "pattern read %c/#\n");
  for (const char* filter : {"$SYS/broker/uptime", "plain/x", "both/#", "with blanks/x"}) {
    EXPECT_TRUE(rules.Grants("the monitor", filter)) << filter;
    EXPECT_FALSE(rules.Grants("another", filter)) << filter;
  }
  for (const char* filter : {"nameless/x", "comment/x", "written/x", "denied/x", "plain/#", "%c/x"}) {
    EXPECT_FALSE(rules.Grants("the monitor", filter)) << filter;
  }
}

}  // namespace
}  // namespace registry::guard
