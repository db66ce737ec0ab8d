// schemas/ERRORS.md, schemas/wire/symbols.cc and the code name the same errors, one code per symbol.
#include <gtest/gtest.h>

#include <map>
#include <regex>
#include <set>
#include <sstream>

#include "schemas/wire/symbols.h"
#include "tests/unit/schemas/contract/judge.h"

namespace registry::contract {
namespace {

namespace fs = std::filesystem;
using wire::SymbolRow;

const std::map<std::string, Code>& CodeNames() {
  static const std::map<std::string, Code> names{{"kDone", Code::kDone},
                                                 {"kPending", Code::kPending},
                                                 {"kUnknownCommand", Code::kUnknownCommand},
                                                 {"kSyntax", Code::kSyntax},
                                                 {"kUseError", Code::kUseError},
                                                 {"kMissingParameter", Code::kMissingParameter},
                                                 {"kRange", Code::kRange},
                                                 {"kValueSyntax", Code::kValueSyntax},
                                                 {"kUnsupportedVersion", Code::kUnsupportedVersion},
                                                 {"kUnimplemented", Code::kUnimplemented},
                                                 {"kNotAuthorised", Code::kNotAuthorised},
                                                 {"kBadAuthorisationCode", Code::kBadAuthorisationCode},
                                                 {"kExists", Code::kExists},
                                                 {"kNotFound", Code::kNotFound},
                                                 {"kStatusProhibits", Code::kStatusProhibits},
                                                 {"kPolicy", Code::kPolicy},
                                                 {"kFailed", Code::kFailed},
                                                 {"kLimit", Code::kLimit}};
  return names;
}

std::map<std::string, int> Table() {
  std::map<std::string, int> table;
  for (const SymbolRow& row : wire::Symbols()) table[std::string(row.symbol)] = static_cast<int>(row.code);
  return table;
}

TEST(Errors, OneCodePerSymbol) { EXPECT_EQ(Table().size(), wire::Symbols().size()); }

TEST(Errors, ThePageForPeopleIsTheTable) {
  const std::string page = LoadText(SchemaFolder() / "ERRORS.md");
  const std::regex row("\\| `([a-z0-9_]+)` \\| ([0-9]{4}) \\|");
  std::map<std::string, int> listed;
  for (std::sregex_iterator it(page.begin(), page.end(), row), end; it != end; ++it) {
    EXPECT_TRUE(listed.emplace((*it)[1], std::stoi((*it)[2])).second) << (*it)[1] << " is listed twice";
  }
  EXPECT_EQ(listed, Table());
  for (Code code : wire::kCodes) {
    EXPECT_NE(page.find("| " + std::to_string(static_cast<int>(code)) + " |"), std::string::npos);
  }
  EXPECT_EQ(wire::kCodes.size(), CodeNames().size());
}

// Reads the sources for Code::k…, "symbol": what a test of behaviour alone would miss.
TEST(Errors, EverySymbolInTheCodeIsListed) {
  const std::regex made("Code::(k[A-Za-z]+),\\s*\"([a-z0-9_]+)\"");
  const std::map<std::string, int> table = Table();
  for (const char* room : {"schemas", "workers", "bridge"}) {
    for (const auto& file : fs::recursive_directory_iterator(fs::path(REGISTRY_SOURCE_DIR) / room)) {
      if (file.path().extension() != ".cc" && file.path().extension() != ".h") continue;
      const std::string text = LoadText(file.path());
      for (std::sregex_iterator it(text.begin(), text.end(), made), end; it != end; ++it) {
        const auto row = table.find((*it)[2]);
        if (row == table.end()) {
          ADD_FAILURE() << file.path() << ": add " << (*it)[2]
                        << " to schemas/wire/symbols.cc and schemas/ERRORS.md";
          continue;
        }
        EXPECT_EQ(row->second, static_cast<int>(CodeNames().at((*it)[1]))) << file.path() << ": " << (*it)[2];
      }
    }
  }
}

}  // namespace
}  // namespace registry::contract
