// schemas/wire/field_tables.h: what the decoders demand, as data, in the words of JSON Schema.
// The same tables drive Decode and Encode; tests/unit/schemas holds them equal to
// schemas/messages/*.schema.json. Plain values, any thread.
#pragma once

#include <cstdint>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "schemas/base/result.h"

namespace registry::wire {

enum class Shape { kText, kInteger, kBoolean, kObject, kArray };

// What one value must look like. Members that do not belong to the shape keep their defaults.
struct Rule {
  Shape shape = Shape::kText;
  bool nullable = false;  // null means absent
  std::uint64_t min = 0;  // characters of a text, value of an integer, items of an array
  std::uint64_t max = 0;
  std::string pattern;                // of a text; what it accepts is never narrower than the decoder
  std::vector<std::string> choices;   // of a text
  std::vector<std::int64_t> numbers;  // the only values of an integer
  std::string part;                   // object: stem of its schema, empty: any object
  std::shared_ptr<const Rule> item;   // array
};

struct FieldRule {
  std::string name;
  bool required = false;
  Rule rule;
};

// The envelope's attributes; it is no struct with a stem, because what its data must be depends on its type.
std::vector<FieldRule> EnvelopeRules();
// Other attributes that may ride along (CloudEvents §"Naming Conventions"): a name of lower-case letters and digits,
// a short text, an integer or a boolean, or null, which means absent.
struct ExtensionRule {
  std::size_t name_max = 0;  // characters
  std::size_t text_max = 0;
  std::int64_t integer_min = 0, integer_max = 0;
};
ExtensionRule EnvelopeExtensions();

// Stems of every struct that has a table: messages, parts and documents, all but "envelope".
std::vector<std::string> TableStems();
// Empty when no struct has this stem.
std::vector<FieldRule> FieldRules(std::string_view stem);
// Decodes strictly and encodes again: the canonical form of `data`, or why the struct's decoder refuses it.
// 2303 schema_unknown when no struct has this stem.
Result<nlohmann::json> Recode(std::string_view stem, const nlohmann::json& data);

}  // namespace registry::wire
