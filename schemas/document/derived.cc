#include "schemas/document/derived.h"

#include <algorithm>
#include <cctype>
#include <set>

#include "schemas/document/life_cycle.h"
#include "schemas/document/page.h"
#include "schemas/wire/codec.h"

namespace registry::document {
namespace {

using Kind = wire::MessageName::Kind;

// As the examples' files are named: "a_b" would be a-b, "registryProfile" is registryprofile.
std::string InFileName(std::string member) {
  for (char& letter : member) {
    letter = letter == '_' ? '-' : static_cast<char>(std::tolower(static_cast<unsigned char>(letter)));
  }
  return member;
}

// The first required one, or the first of all where none is.
std::string FirstMember(const Json& schema) {
  const Json& required = schema.at("required");
  for (const auto& [name, rule] : schema.at("properties").items()) {
    if (required.empty() || std::find(required.begin(), required.end(), name) != required.end()) return name;
  }
  return {};
}

std::string ExampleFile(const std::string& stem, const std::string& kind, const std::string& name) {
  return "examples/" + stem + "/" + kind + "/" + name + ".json";
}

}  // namespace

std::map<std::string, Json> StandardInvalidExamples(const std::string& stem, const Sources& sources) {
  if (stem == "envelope") return {};
  const Json& valid = sources.Example(stem);
  const Json& schema = sources.schemas.at(stem);
  const std::string first = FirstMember(schema);
  std::map<std::string, Json> examples;
  examples["array.wrong_type"] = Json::array({valid});
  Json without = valid, null = valid, more = valid;
  without.erase(first);
  if (!schema.at("required").empty()) examples["missing-" + InFileName(first) + ".missing_field"] = without;
  null[first] = nullptr;
  if (!first.empty()) examples["null-" + InFileName(first) + ".wrong_type"] = null;
  more["surprise"] = 1;
  examples["unknown-member.unknown_field"] = more;
  return examples;
}

std::map<std::string, std::string> DerivedFiles(const std::string& folder) {
  const Sources sources = ReadSources(folder);
  std::map<std::string, std::string> files;
  files["asyncapi.json"] = Text(AsyncApi(sources, Form::kSplit));
  files["asyncapi.bundled.json"] = Text(AsyncApi(sources, Form::kBundled));
  files["README.md"] = WithTables(ReadText(folder + "/README.md"), sources);
  files["../README.md"] =
      WithLifeCycle(ReadText(folder + "/../README.md"), Json::parse(ReadText(folder + "/life-cycle.json")));
  for (const auto& [stem, schema] : sources.schemas) {
    files["messages/" + stem + ".schema.json"] = Text(schema);
    std::size_t number = 0;
    for (const Json& example : schema.at("examples")) {
      files[ExampleFile(stem, "valid", std::to_string(++number))] = Text(example);
    }
    for (const auto& [name, example] : StandardInvalidExamples(stem, sources)) {
      files[ExampleFile(stem, "invalid", name)] = Text(example);
    }
  }
  return files;
}

}  // namespace registry::document
