// What is made in schemas/ is what the catalogue and the schemas make it, and the bundled AsyncAPI document
// judges messages as the schemas do.
#include "schemas/document/asyncapi.h"

#include <gtest/gtest.h>

#include "schemas/document/bundle.h"
#include "schemas/document/derived.h"
#include "tests/unit/schemas/contract/judge.h"

namespace registry::contract {
namespace {

using nlohmann::json;

constexpr char kMakeIt[] = "made anew by: build/dev/bin/asyncapi-document schemas";

json Bundled() { return LoadJson(SchemaFolder() / "asyncapi.bundled.json"); }

// The AsyncAPI documents, the replies' descriptions, the files of the examples.
TEST(AsyncApi, EveryFileThatIsMadeIsWhatTheCatalogueAndTheSchemasMakeIt) {
  const auto files = document::DerivedFiles(SchemaFolder().string());
  EXPECT_TRUE(files.count("asyncapi.json") == 1 && files.count("asyncapi.bundled.json") == 1);
  EXPECT_TRUE(files.count("messages/device.state.schema.json") == 1);
  EXPECT_TRUE(files.count("examples/device.state/valid/2.json") == 1);
  EXPECT_TRUE(files.count("examples/device.claim/invalid/missing-device.missing_field.json") == 1);
  EXPECT_TRUE(files.count("examples/device.list/invalid/null-state.wrong_type.json") == 1);
  for (const auto& [name, text] : files) {
    const auto file = SchemaFolder() / name;
    EXPECT_TRUE(std::filesystem::exists(file) && LoadText(file) == text) << name << ": " << kMakeIt;
  }
}

TEST(AsyncApi, EveryValidExampleStandsInItsSchema) {
  const auto files = document::DerivedFiles(SchemaFolder().string());
  for (const auto& folder : std::filesystem::directory_iterator(SchemaFolder() / "examples")) {
    for (const auto& file : std::filesystem::directory_iterator(folder.path() / "valid")) {
      const std::string name = std::filesystem::relative(file.path(), SchemaFolder()).string();
      EXPECT_TRUE(files.contains(name)) << name << ": no schema has it among its examples";
    }
  }
}

void ExpectReferencesInside(const json& document, const json& node) {
  if (!node.is_structured()) return;
  if (node.is_object() && node.contains("$ref")) {
    const std::string to = node.at("$ref");
    ASSERT_TRUE(to.starts_with("#/")) << to;
    EXPECT_TRUE(document.contains(json::json_pointer(to.substr(1)))) << to;
  }
  for (const json& child : node) ExpectReferencesInside(document, child);
}

TEST(AsyncApi, TheBundledOneNeedsNoOtherFile) {
  const json document = Bundled();
  ExpectReferencesInside(document, document);
  EXPECT_EQ(document.dump().find("schema.json"), std::string::npos);
}

TEST(AsyncApi, TheBundledOneSaysTheMembersOfAMessageInOnePlace) {
  const json schemas = Bundled().at("components").at("schemas");
  const json& submitted = schemas.at("CsrSubmitMessage").at("properties");
  EXPECT_EQ(submitted.at("data"), json({{"$ref", "#/components/schemas/CsrSubmit"}}));
  EXPECT_EQ(submitted.at("type"), json({{"const", "registry.v1.csr.submit"}}));
  EXPECT_TRUE(submitted.contains("traceparent"));
  EXPECT_TRUE(schemas.at("CsrSubmit").at("properties").contains("csr"));
  EXPECT_EQ(schemas.at("EndpointTrust").at("properties").at("kind").at("title"), "EndpointTrustKind");
}

// Every message of the document, as its example and with each member of its data taken away in turn: the bundled schemas
// of messages and the separate ones of envelope and data give the same verdict.
TEST(AsyncApi, TheBundledOneJudgesAsTheSchemasDo) {
  const json document = Bundled();
  std::vector<Case> cases;
  for (const auto& [key, message] : document.at("components").at("messages").items()) {
    const json payload = message.at("examples").at(0).at("payload");
    const auto add = [&cases, stem = key](const json& instance) { cases.push_back({stem, instance.dump()}); };
    add(payload);
    if (payload.is_array()) {
      add(json::array());
      add(json::array({1}));
      continue;
    }
    for (const auto& [member, value] : payload.at("data").items()) {
      json without = payload;
      without["data"].erase(member);
      add(without);
    }
    json foreign = payload;
    foreign["data"]["nobody_knows_it"] = 1;
    add(foreign);
    json typed = payload;
    typed["type"] = "registry.v1.something.else";
    add(typed);
  }
  const std::vector<bool> verdicts = JudgeMessages("asyncapi.bundled.json", cases);
  EXPECT_EQ(verdicts, JudgeMessages("asyncapi.json", cases));
  EXPECT_GT(std::count(verdicts.begin(), verdicts.end(), false), 100);
  EXPECT_GT(std::count(verdicts.begin(), verdicts.end(), true), 45);
}

TEST(AsyncApi, EveryExampleIsValid) {
  const json document = Bundled();
  std::vector<Case> cases;
  for (const auto& [key, message] : document.at("components").at("messages").items()) {
    ASSERT_FALSE(message.at("examples").empty()) << key;
    cases.push_back({key, message.at("examples").at(0).at("payload").dump()});
  }
  const std::vector<bool> verdicts = JudgeMessages("asyncapi.bundled.json", cases);
  for (std::size_t i = 0; i < cases.size(); ++i) EXPECT_TRUE(verdicts[i]) << cases[i].stem;
}

TEST(AsyncApi, ClassNamesAreNamesOfClasses) {
  EXPECT_EQ(document::ClassName("csr.submit"), "CsrSubmit");
  EXPECT_EQ(document::ClassName("registry-payload"), "RegistryPayload");
  EXPECT_EQ(document::ClassName("tlsaOwner"), "TlsaOwner");
  EXPECT_EQ(document::ClassName(""), "");
}

}  // namespace
}  // namespace registry::contract
