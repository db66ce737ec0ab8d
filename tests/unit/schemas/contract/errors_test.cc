// schemas/ERRORS.md, schemas/wire/symbols.cc and the code name the same errors, one code per symbol.
#include <gtest/gtest.h>

#include <map>
#include <regex>
#include <set>
#include <sstream>

#include "schemas/wire/symbols.h"
#include "tests/unit/schemas/contract/judge.h"
#include "tests/unit/schemas/contract/symbol_scan.h"

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
                                                 {"kAssociationProhibits", Code::kAssociationProhibits},
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
  EXPECT_EQ(wire::kCodes.size(), CodeNames().size());
}

// A code that no symbol has is said by nobody yet; the page says so, and says it of no other.
TEST(Errors, ThePageForPeopleListsEveryCode) {
  const std::string page = LoadText(SchemaFolder() / "ERRORS.md");
  std::set<Code> said;
  for (const SymbolRow& row : wire::Symbols()) said.insert(row.code);
  for (Code code : wire::kCodes) {
    const std::string begin = "\n| " + std::to_string(static_cast<int>(code)) + " | ";
    const std::size_t at = page.find(begin);
    ASSERT_NE(at, std::string::npos) << begin;
    const std::string row = page.substr(at + 1, page.find('\n', at + 1) - at - 1);
    EXPECT_EQ(row.find("reserved") == std::string::npos, said.contains(code)) << row;
  }
}

// The tables that list symbols make no errors.
std::vector<SourceText> Makers(const std::vector<std::string>& tops) {
  std::vector<SourceText> sources = Sources(tops);
  std::erase_if(sources, [](const SourceText& source) {
    return source.file.stem() == "symbols" || source.file.filename() == "errors_test.cc";
  });
  return sources;
}

TEST(Errors, EverySymbolInTheCodeIsListed) {
  const Scan scan = ScanSymbols(Makers({"schemas", "workers", "bridge"}));
  const std::map<std::string, int> table = Table();
  EXPECT_GT(scan.made.size(), 150u);
  for (const Made& made : scan.made) {
    const auto row = table.find(made.symbol);
    if (row == table.end()) {
      ADD_FAILURE() << made.file << ": add " << made.symbol
                    << " to schemas/wire/symbols.cc and schemas/ERRORS.md";
      continue;
    }
    EXPECT_EQ(row->second, static_cast<int>(CodeNames().at(made.code))) << made.file << ": " << made.symbol;
  }
  for (const std::string& place : scan.unread) {
    ADD_FAILURE() << place << ": say the symbol as a literal, a constant, or by a parameter named symbol";
  }
}

// The forms of values keep their symbols in tables; each begins with bad_ and is 2005.
TEST(Errors, EverySymbolOfAFormIsListed) {
  const std::vector<SourceText> sources = Makers({"schemas"});
  const std::map<std::string, int> table = Table();
  for (const std::string& word : WordsIn(sources, Constants(sources))) {
    if (!word.starts_with("bad_")) continue;
    EXPECT_TRUE(table.contains(word)) << word << ": not in schemas/wire/symbols.cc";
  }
}

TEST(Errors, EveryListedSymbolIsMadeSomewhere) {
  const std::vector<SourceText> sources = Makers({"schemas", "workers", "bridge", "simulators"});
  const std::set<std::string> words = WordsIn(sources, Constants(sources));
  for (const auto& [symbol, code] : Table()) {
    EXPECT_TRUE(words.contains(symbol))
        << symbol << ": nothing makes it; take it out of the table and ERRORS.md";
  }
}

// Symbols no test provokes, and why. Take a line out with the test that does.
const std::map<std::string_view, std::string_view>& NotProvoked() {
  static const std::map<std::string_view, std::string_view> reasons{
      {"busy", "needs other lanes to win the same record every time one command is decided"},
      {"certificate_failed", "OpenSSL refuses to build or sign a certificate: out of memory"},
      {"signing_failed", "OpenSSL refuses to sign with a key that was loaded: out of memory"},
      {"subscribe_refused",
       "Mosquitto's access control grants every subscription and filters what is delivered"},
      {"tls_policy", "OpenSSL does not start, or does not know TLS 1.3"},
  };
  return reasons;
}

TEST(Errors, EverySymbolIsInATest) {
  const std::vector<SourceText> tests = Makers({"tests"});
  std::set<std::string> words = WordsIn(tests, Constants(Makers({"schemas", "workers", "bridge"})));
  for (const auto& file : fs::recursive_directory_iterator(SchemaFolder() / "examples"))
    words.insert(file.path().stem().extension().string().erase(0, 1));  // "<what>.<symbol>.json"
  for (const auto& [symbol, code] : Table()) {
    if (NotProvoked().contains(symbol)) continue;
    EXPECT_TRUE(words.contains(symbol)) << symbol << ": no test names it; provoke it";
  }
  for (const auto& [symbol, reason] : NotProvoked())
    EXPECT_TRUE(Table().contains(std::string(symbol))) << symbol;
}

}  // namespace
}  // namespace registry::contract
