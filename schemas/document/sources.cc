#include <filesystem>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <vector>

#include "schemas/document/asyncapi.h"
#include "schemas/wire/codec.h"
#include "schemas/wire/field_tables.h"

namespace registry::document {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kEnding = ".schema.json";

Json Read(const fs::path& file) { return Json::parse(ReadText(file.string())); }

// "Reply to do.progress and do.result.": what a reply's schema is described with. The catalogue knows it; what the file
// says is what it was last told (derived.h).
void DescribeReplies(std::map<std::string, Json>& schemas) {
  std::map<std::string, std::vector<std::string>> commands;
  for (const wire::MessageName& name : wire::Catalogue()) {
    if (name.kind == wire::MessageName::Kind::kReply)
      commands[std::string(name.schema)].emplace_back(name.name);
  }
  for (const auto& [stem, names] : commands) {
    std::string sentence = "Reply to " + names.front();
    for (std::size_t i = 1; i < names.size(); ++i) {
      sentence += (i + 1 == names.size() ? " and " : ", ") + names[i];
    }
    schemas.at(stem)["description"] = sentence + ".";
  }
}

void SayChoices(const wire::Rule& rule, Json& schema) {
  if (rule.item != nullptr && schema.contains("items")) SayChoices(*rule.item, schema["items"]);
  if (!rule.choices.empty() && schema.contains("enum")) schema["enum"] = rule.choices;
}

// The words a member may be are those of its field table: states, statuses, what a device waits for.
void SayChoices(std::map<std::string, Json>& schemas) {
  for (const std::string& stem : wire::TableStems()) {
    Json& members = schemas.at(stem).at("properties");
    for (const wire::FieldRule& field : wire::FieldRules(stem)) {
      if (members.contains(field.name)) SayChoices(field.rule, members[field.name]);
    }
  }
}

void ExpectComplete(const Sources& sources) {
  for (const std::string& stem : wire::TableStems()) {
    if (!sources.schemas.contains(stem))
      throw std::runtime_error("schemas/messages/" + stem + ".schema.json is missing");
  }
  for (const auto& [stem, schema] : sources.schemas) {
    const auto examples = schema.find("examples");
    if (examples == schema.end() || !examples->is_array() || examples->empty())
      throw std::runtime_error("schemas/messages/" + stem + ".schema.json has no examples");
  }
}

}  // namespace

std::string ReadText(const std::string& file) {
  std::ifstream input(file, std::ios::binary);
  if (!input) throw std::runtime_error(file + " cannot be read");
  return {std::istreambuf_iterator<char>(input), {}};
}

Sources ReadSources(const std::string& folder) {
  Sources sources;
  for (const auto& entry : fs::directory_iterator(fs::path(folder) / "messages")) {
    const std::string name = entry.path().filename().string();
    if (!name.ends_with(kEnding)) continue;
    sources.schemas[name.substr(0, name.size() - kEnding.size())] = Read(entry.path());
  }
  ExpectComplete(sources);
  DescribeReplies(sources.schemas);
  SayChoices(sources.schemas);
  return sources;
}

std::string Text(const Json& document) { return document.dump(2) + "\n"; }

}  // namespace registry::document
