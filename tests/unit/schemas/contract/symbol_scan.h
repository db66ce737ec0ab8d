// tests/unit/schemas/contract/symbol_scan.h: reads the sources for the errors they make: what a test of behaviour alone
// would miss. Understands a symbol that follows a Code as a literal, as a k… constant, as a choice of these, or as the
// parameter `symbol` of a function, whose calls are read then. One thread.
#pragma once

#include <filesystem>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace registry::contract {

struct SourceText {
  std::filesystem::path file;
  std::string text;
};
// C++ sources below these top folders.
std::vector<SourceText> Sources(const std::vector<std::string>& tops);

struct Made {
  std::filesystem::path file;
  std::string code;    // "kRange"
  std::string symbol;  // "too_long"
};
struct Scan {
  std::vector<Made> made;
  std::vector<std::string> unread;  // file and expression nobody here understands
};
Scan ScanSymbols(const std::vector<SourceText>& sources);

// Every word between quotes, and the values of the k… constants that are named.
std::set<std::string> WordsIn(const std::vector<SourceText>& sources,
                              const std::map<std::string, std::string>& constants);
// kStale -> "stale", for every constant that holds one word.
std::map<std::string, std::string> Constants(const std::vector<SourceText>& sources);

}  // namespace registry::contract
