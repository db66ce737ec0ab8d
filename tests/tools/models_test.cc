// Code that others generate from the contract carries its members: classes made by AsyncAPI's modelina, in six languages.
// The npm packages are installed by ./dev (tests/tools/package.json); without them the test fails and says so.
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>
#include <string>

#include "tests/support/shell.h"

namespace registry {
namespace {

using nlohmann::json;
using Classes = std::map<std::string, std::string>;  // name to text

const std::string kSource = REGISTRY_SOURCE_DIR;
const std::string kNode = kSource + "/build/node";

std::map<std::string, Classes> Made() {
  const std::string command = "node '" + kSource + "/tests/tools/models.mjs' '" + kNode + "' '" + kSource +
                              "/schemas/asyncapi.bundled.json'";
  const test::Ran ran = test::Shell(command);
  EXPECT_TRUE(ran.ok()) << "are Node.js and the packages of tests/tools/package.json below " << kNode << "?";
  std::map<std::string, Classes> made;
  std::istringstream lines(ran.output);
  for (std::string line; std::getline(lines, line);) {
    const json one = json::parse(line);
    made[one.at("language")][one.at("name")] = one.at("text");
  }
  return made;
}

json Schemas() {
  std::ifstream input(kSource + "/schemas/asyncapi.bundled.json");
  return json::parse(input).at("components").at("schemas");
}

// Languages write tlsaOwner, TlsaOwner or tlsa_owner.
std::string Folded(std::string text) {
  std::erase(text, '_');
  std::transform(text.begin(), text.end(), text.begin(), [](unsigned char c) { return std::tolower(c); });
  return text;
}

class Models : public testing::Test {
 protected:
  static void SetUpTestSuite() { made_ = Made(); }
  static std::map<std::string, Classes> made_;
};
std::map<std::string, Classes> Models::made_;

TEST_F(Models, AreMadeForSixLanguages) {
  std::set<std::string> languages;
  for (const auto& [language, classes] : made_) languages.insert(language);
  EXPECT_EQ(languages, (std::set<std::string>{"go", "java", "kotlin", "python", "rust", "typescript"}));
}

TEST_F(Models, HaveNames) {
  for (const auto& [language, classes] : made_) {
    for (const auto& [name, text] : classes)
      EXPECT_EQ(name.find("nonymous"), std::string::npos) << language << name;
  }
}

// Every class of a message's data and of its envelope has every member its schema has, beside those that are one word
// for ever, which languages may leave out.
TEST_F(Models, CarryTheMembersOfTheirSchemas) {
  std::size_t members = 0;
  const json schemas = Schemas();
  for (const auto& [name, schema] : schemas.items()) {
    if (!schema.contains("properties")) continue;
    for (const auto& [language, classes] : made_) {
      // Documents that no message carries, and MQTT's properties, are no classes.
      if (!classes.contains(name)) continue;
      const std::string text = Folded(classes.at(name));
      for (const auto& [member, rule] : schema.at("properties").items()) {
        if (rule.contains("const")) continue;
        ++members;
        EXPECT_NE(text.find(Folded(member)), std::string::npos) << language << ' ' << name << ' ' << member;
      }
    }
  }
  EXPECT_GT(members, 2000u);
}

TEST_F(Models, KnowTheTypeOfData) {
  for (const auto& [language, classes] : made_) {
    ASSERT_TRUE(classes.contains("CsrSubmitMessage")) << language;
    EXPECT_NE(classes.at("CsrSubmitMessage").find("CsrSubmit"), std::string::npos) << language;
    ASSERT_TRUE(classes.contains("CsrSubmit")) << language;
  }
}

// A condition inside a schema does not make constants of its members.
TEST_F(Models, KeepTheTypesOfMembersThatStandInAConditionToo) {
  for (const auto& [language, classes] : made_) {
    ASSERT_TRUE(classes.contains("EndpointTrust")) << language;
    EXPECT_EQ(classes.at("EndpointTrust").find("'tlsa'"), std::string::npos) << classes.at("EndpointTrust");
    EXPECT_EQ(classes.at("EndpointTrust").find("\"tlsa\""), std::string::npos) << classes.at("EndpointTrust");
  }
}

}  // namespace
}  // namespace registry
