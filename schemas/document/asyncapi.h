// schemas/document/asyncapi.h: the AsyncAPI document, made from what is said once elsewhere: which messages exist and who
// may say them (catalogue), topics and types (wire), the JSON Schemas with their examples.
// Two forms of one document. Split: refers to the files beside it, as people read it. Bundled: holds every schema itself
// and says a message's members in one place, for code generators, which resolve "$ref" against the folder they run in and
// do not put "allOf" together.
// Pure; any thread. Spec: AsyncAPI 3.0.0. 3.1.0 adds nothing but a binding for ROS 2, and the tools of 2026 that make
// code (modelina 5) do not read it yet.
#pragma once

#include <map>
#include <nlohmann/json.hpp>
#include <string>

namespace registry::document {

using Json = nlohmann::ordered_json;  // members stand in the order in which they are read

struct Sources {
  std::map<std::string, Json> schemas;  // by stem: schemas/messages/<stem>.schema.json
  // The first of the schema's `examples`, which the documents show.
  const Json& Example(const std::string& stem) const { return schemas.at(stem).at("examples").at(0); }
};

// `folder` is schemas/. A reply's schema is described by the commands the catalogue answers with it, and the words of a
// member are those of its field table. Throws what the standard library and the JSON library throw when it is not
// readable, and std::runtime_error with the path of a schema that is missing or has no example.
Sources ReadSources(const std::string& folder);
std::string ReadText(const std::string& file);

enum class Form { kSplit, kBundled };
Json AsyncApi(const Sources& sources, Form form);

// As it stands in schemas/: asyncapi.json, asyncapi.bundled.json.
std::string Text(const Json& document);

}  // namespace registry::document
