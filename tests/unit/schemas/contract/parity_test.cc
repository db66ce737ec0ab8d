// The C++ field tables and schemas/messages/*.schema.json say the same: names, required, limits, patterns,
// choices. A field added on one side only fails here.
#include <gtest/gtest.h>

#include <map>
#include <set>

#include "schemas/wire/codec.h"
#include "schemas/wire/field_tables.h"
#include "schemas/wire/symbols.h"
#include "tests/unit/schemas/contract/judge.h"

namespace registry::contract {
namespace {

using nlohmann::json;
using wire::FieldRule;
using wire::Rule;
using wire::Shape;

constexpr char kIdPrefix[] = "https://schemas.iot-registry.example/v1/";

json Schema(const std::string& stem) {
  return LoadJson(SchemaFolder() / "messages" / (stem + ".schema.json"));
}

json WithNull(json schema) {
  schema["type"] = {schema["type"], "null"};
  return schema;
}

// What a rule says in the words of JSON Schema; annotations are left to the schema.
json AsSchema(Rule rule) {
  if (std::exchange(rule.nullable, false)) return WithNull(AsSchema(rule));
  switch (rule.shape) {
    case Shape::kBoolean:
      return {{"type", "boolean"}};
    case Shape::kObject:
      if (rule.part.empty()) return {{"type", "object"}};
      return {{"$ref", rule.part + ".schema.json"}};
    case Shape::kArray:
      return {
          {"type", "array"}, {"minItems", rule.min}, {"maxItems", rule.max}, {"items", AsSchema(*rule.item)}};
    case Shape::kInteger:
      if (!rule.numbers.empty()) return {{"type", "integer"}, {"enum", rule.numbers}};
      return {{"type", "integer"}, {"minimum", rule.min}, {"maximum", rule.max}};
    case Shape::kText:
      if (!rule.choices.empty()) return {{"type", "string"}, {"enum", rule.choices}};
      json text = {{"type", "string"}, {"minLength", rule.min}, {"maxLength", rule.max}};
      if (!rule.pattern.empty()) text["pattern"] = rule.pattern;
      return text;
  }
  return nullptr;
}

json WithoutAnnotations(json schema) {
  for (const char* name : {"description", "format", "contentEncoding"}) schema.erase(name);
  if (schema.contains("items")) schema["items"] = WithoutAnnotations(schema["items"]);
  // A choice of one, as the tables say it.
  if (schema.contains("const")) return {{"type", "string"}, {"enum", json::array({schema["const"]})}};
  return schema;
}

std::set<std::string> Keys(const json& object) {
  std::set<std::string> keys;
  for (const auto& [key, value] : object.items()) keys.insert(key);
  return keys;
}

// What a schema says beside its table, word for word. Anything else at the top of a schema binds parties to what no
// decoder demands, or the other way round.
json Beside(const std::string& stem) {
  if (stem == "envelope") {
    const wire::ExtensionRule rule = wire::EnvelopeExtensions();
    const json text = {{"type", {"string", "null"}}, {"maxLength", rule.text_max}};
    const json integer = {{"type", "integer"}, {"minimum", rule.integer_min}, {"maximum", rule.integer_max}};
    return {{"propertyNames", {{"pattern", "^[a-z0-9]{1," + std::to_string(rule.name_max) + "}$"}}},
            {"additionalProperties", {{"anyOf", {text, integer, {{"type", "boolean"}}}}}}};
  }
  if (stem == "endpoint-trust") {
    return {{"if", {{"properties", {{"kind", {{"const", "tlsa"}}}}}, {"required", json::array({"kind"})}}},
            {"then",
             {{"properties", {{"certificate", false}, {"tlsaOwner", true}}},
              {"required", json::array({"tlsaOwner"})}}},
            {"else",
             {{"properties", {{"certificate", true}, {"tlsaOwner", false}}},
              {"required", json::array({"certificate"})}}}};
  }
  return json::object();
}

json BesideOrClosed(const std::string& stem) {
  json beside = Beside(stem);
  if (!beside.contains("additionalProperties")) beside["additionalProperties"] = false;
  return beside;
}

void ExpectFrame(const std::string& stem, const json& schema) {
  EXPECT_EQ(schema.at("$schema"), "https://json-schema.org/draft/2020-12/schema");
  EXPECT_EQ(schema.at("$id"), kIdPrefix + stem + ".schema.json");
  EXPECT_EQ(schema.at("title"), stem);
  EXPECT_EQ(schema.at("type"), "object");
  std::set<std::string> keys{"$schema", "$id",      "title",      "description",
                             "type",    "required", "properties", "examples"};
  const json more = BesideOrClosed(stem);
  for (const auto& [key, beside] : more.items()) {
    keys.insert(key);
    ASSERT_TRUE(schema.contains(key)) << key;
    json said = schema.at(key);
    if (said.is_object()) said.erase("description");
    EXPECT_EQ(said, beside) << key;
  }
  EXPECT_EQ(Keys(schema), keys);
}

void ExpectParity(const std::string& stem, const std::vector<FieldRule>& fields) {
  SCOPED_TRACE(stem);
  const json schema = Schema(stem);
  ASSERT_EQ(fields.empty(), schema.at("properties").empty());  // quota.get takes nothing
  ExpectFrame(stem, schema);
  std::set<std::string> required;
  std::set<std::string> names;
  for (const FieldRule& field : fields) {
    SCOPED_TRACE(field.name);
    names.insert(field.name);
    if (field.required) required.insert(field.name);
    ASSERT_TRUE(schema.at("properties").contains(field.name)) << "only the C++ table has this field";
    EXPECT_EQ(WithoutAnnotations(schema.at("properties").at(field.name)), AsSchema(field.rule));
  }
  for (const auto& [name, rule] : schema.at("properties").items()) {
    EXPECT_TRUE(names.count(name)) << name << ": only the schema has this field";
    EXPECT_TRUE(rule.contains("description")) << name;
  }
  EXPECT_EQ(schema.at("required").get<std::set<std::string>>(), required);
}

TEST(Parity, EveryTableHasItsSchema) {
  for (const std::string& stem : wire::TableStems()) ExpectParity(stem, wire::FieldRules(stem));
}

TEST(Parity, TheEnvelopeHasItsSchema) { ExpectParity("envelope", wire::EnvelopeRules()); }

TEST(Parity, EverySchemaHasItsTableAndItsPlaceInTheCatalogue) {
  std::set<std::string> known{"envelope"};
  for (const std::string& stem : wire::TableStems()) known.insert(stem);
  std::set<std::string> catalogued;
  for (const wire::MessageName& name : wire::Catalogue()) catalogued.insert(std::string(name.schema));
  std::set<std::string> files;
  for (const auto& file : std::filesystem::directory_iterator(SchemaFolder() / "messages")) {
    const std::string name = file.path().filename().string();
    files.insert(name.substr(0, name.find(".schema.json")));
  }
  EXPECT_EQ(files, known) << "schemas/messages, and schemas/wire/message_lists.h";
  EXPECT_EQ(files, catalogued) << "schemas/messages, and schemas/wire/message_lists.h";
}

TEST(Parity, TheCatalogueForPeopleNamesEveryMessage) {
  const std::string page = LoadText(SchemaFolder() / "README.md");
  for (const wire::MessageName& name : wire::Catalogue()) {
    EXPECT_NE(page.find("`" + std::string(name.name) + "`"), std::string::npos) << name.name;
    EXPECT_NE(page.find("`" + std::string(name.schema) + "`"), std::string::npos) << name.schema;
  }
}

}  // namespace
}  // namespace registry::contract
