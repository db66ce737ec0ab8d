// tests/unit/schemas/contract/judge.h: the second opinion: python3-jsonschema and ajv, implementations that are not
// ours. Fails the test loudly when one is missing.
#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace registry::contract {

std::filesystem::path SchemaFolder();  // schemas/
nlohmann::json LoadJson(const std::filesystem::path& file);
std::string LoadText(const std::filesystem::path& file);

struct Case {
  std::string stem;  // of the schema
  std::string text;  // the instance, maybe not even JSON
};
// One verdict per case, in order: does the schema accept it? Both judges must agree.
std::vector<bool> Judge(const std::vector<Case>& cases);
// The same by an AsyncAPI document of schemas/: a case's stem names one of its messages.
std::vector<bool> JudgeMessages(const std::string& document, const std::vector<Case>& cases);
// ajv's alone, under these options (JSON). Fails the test unless every schema compiles under them without a warning.
std::vector<bool> JudgeByAjv(const std::vector<Case>& cases, const std::string& options);

}  // namespace registry::contract
