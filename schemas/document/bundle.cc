#include "schemas/document/bundle.h"

#include <cctype>

namespace registry::document {
namespace {

constexpr std::string_view kFileEnding = ".schema.json";

std::string ComponentOf(const std::string& reference) {
  return "#/components/schemas/" + ClassName(reference.substr(0, reference.size() - kFileEnding.size()));
}

Json Rewritten(const Json& node) {
  if (!node.is_structured()) return node;
  Json result = node.is_object() ? Json::object() : Json::array();
  for (const auto& [key, value] : node.items()) {
    if (node.is_array()) {
      result.push_back(Rewritten(value));
    } else if (key == "$ref" && value.is_string() && value.get<std::string>().ends_with(kFileEnding)) {
      result[key] = ComponentOf(value.get<std::string>());
    } else {
      result[key] = Rewritten(value);
    }
  }
  return result;
}

// Generators take the members named under "then" and "else" for the class's own, and so lose their types. What is said
// there is said without naming members: one that must be away is "not required", one that may be anything says nothing.
void SayConditionWithoutMembers(Json& branch) {
  if (!branch.is_object() || !branch.contains("properties")) return;
  Json away = Json::array();
  for (const auto& [name, member] : branch["properties"].items()) {
    if (member == false) away.push_back({{"required", Json::array({name})}});
    if (!member.is_boolean()) return;  // it says more: left as it is
  }
  branch.erase("properties");
  if (!away.empty()) branch["not"] = {{"anyOf", std::move(away)}};
}

void Title(Json& schema, const std::string& title) {
  if (schema.is_object() && !schema.contains("$ref")) schema["title"] = title;
}

}  // namespace

std::string ClassName(std::string_view name) {
  std::string result;
  bool first = true;
  for (const char c : name) {
    const bool letter = std::isalnum(static_cast<unsigned char>(c)) != 0;
    if (letter) result.push_back(first ? static_cast<char>(std::toupper(static_cast<unsigned char>(c))) : c);
    first = !letter;
  }
  return result;
}

Json Component(const std::string& stem, const Json& schema) {
  Json component = Rewritten(schema);
  // Identifiers would give references inside another base than the document (JSON Schema 2020-12 §8.2.1).
  component.erase("$id");
  component.erase("$schema");
  component.erase("examples");  // a message shows its own
  component["title"] = ClassName(stem);
  for (auto& [name, member] : component["properties"].items()) {
    if (!member.is_object()) continue;
    Json& values = member.contains("items") ? member["items"] : member;
    if (values.is_object() && values.contains("enum")) Title(values, ClassName(stem) + ClassName(name));
  }
  for (const char* keyword : {"then", "else"}) {
    if (component.contains(keyword)) SayConditionWithoutMembers(component[keyword]);
  }
  // Members of other names: extension attributes of the envelope.
  if (component.contains("additionalProperties")) Title(component["additionalProperties"], "ExtensionValue");
  if (component.contains("patternProperties")) {
    for (auto& [pattern, member] : component["patternProperties"].items()) Title(member, "ExtensionValue");
  }
  return component;
}

}  // namespace registry::document
