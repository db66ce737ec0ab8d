// tests/unit/schemas/contract/judge.h: the second opinion: python3-jsonschema, an implementation that is not
// ours. Fails the test loudly when the package is missing.
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
// One verdict per case, in order: does the schema accept it?
std::vector<bool> Judge(const std::vector<Case>& cases);

}  // namespace registry::contract
