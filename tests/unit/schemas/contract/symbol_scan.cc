#include "tests/unit/schemas/contract/symbol_scan.h"

#include <algorithm>
#include <regex>

#include "tests/unit/schemas/contract/judge.h"

namespace registry::contract {
namespace {

namespace fs = std::filesystem;
using Names = std::map<std::string, std::string>;

const std::regex& Word() {
  static const std::regex word("\"([a-z][a-z0-9_]*)\"");
  return word;
}
const std::regex& Constant() {
  static const std::regex constant("\\bk[A-Z]\\w*");
  return constant;
}

template <class Take>
void EachMatch(const std::string& text, const std::regex& regex, Take take) {
  for (std::sregex_iterator it(text.begin(), text.end(), regex), end; it != end; ++it) take(*it);
}

bool IsNameChar(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_'; }

// Past the end of a literal that opens at `at`.
std::size_t PastLiteral(const std::string& text, std::size_t at) {
  const char quote = text[at];
  for (++at; at < text.size() && text[at] != quote; ++at) {
    if (text[at] == '\\') ++at;
  }
  return at + 1;
}

// The arguments from `at`, just inside a bracket or behind a comma, to the bracket's end.
std::vector<std::string> Arguments(const std::string& text, std::size_t at) {
  std::vector<std::string> arguments(1);
  int depth = 0;
  while (at < text.size()) {
    const char c = text[at];
    if (c == '"' || c == '\'') {
      const std::size_t past = PastLiteral(text, at);
      arguments.back().append(text, at, past - at);
      at = past;
      continue;
    }
    if (c == '(' || c == '{' || c == '[') ++depth;
    if ((c == ')' || c == '}' || c == ']') && depth-- == 0) break;
    if (c == ';') break;
    if (c == ',' && depth == 0) {
      arguments.emplace_back();
    } else {
      arguments.back().push_back(c);
    }
    ++at;
  }
  return arguments;
}

std::set<std::string> SymbolsIn(const std::string& expression, const Names& constants) {
  std::set<std::string> symbols;
  EachMatch(expression, Word(), [&](const std::smatch& match) { symbols.insert(match[1]); });
  EachMatch(expression, Constant(), [&](const std::smatch& match) {
    if (const auto found = constants.find(match.str()); found != constants.end())
      symbols.insert(found->second);
  });
  return symbols;
}

// A function that is told the symbol by its caller.
struct Teller {
  fs::path file;
  std::string name;
  std::size_t parameter = 0;
  std::string code;
};

// The nearest function above `at` with a parameter `symbol`; its name is empty when there is none.
Teller TellerAbove(const SourceText& source, std::size_t at, const std::string& code) {
  std::size_t declared = std::string::npos;
  for (const char* form : {"string_view symbol", "string& symbol", "char* symbol"}) {
    const std::size_t found = source.text.rfind(form, at);
    if (found != std::string::npos && (declared == std::string::npos || found > declared)) declared = found;
  }
  if (declared == std::string::npos) return {};
  const std::size_t open = source.text.rfind('(', declared);
  std::size_t begin = open;
  while (begin > 0 && IsNameChar(source.text[begin - 1])) --begin;
  const auto commas = std::count(source.text.begin() + static_cast<std::ptrdiff_t>(open),
                                 source.text.begin() + static_cast<std::ptrdiff_t>(declared), ',');
  return {source.file, source.text.substr(begin, open - begin), static_cast<std::size_t>(commas), code};
}

// Its own file; its whole folder when a header there declares it.
bool MayCall(const Teller& teller, const SourceText& source, const std::vector<SourceText>& sources) {
  if (source.file == teller.file) return true;
  if (source.file.parent_path() != teller.file.parent_path()) return false;
  return std::any_of(sources.begin(), sources.end(), [&](const SourceText& other) {
    return other.file.extension() == ".h" && other.file.parent_path() == teller.file.parent_path() &&
           other.text.find(" " + teller.name + "(std::string_view symbol") != std::string::npos;
  });
}

void ReadCalls(const Teller& teller, const SourceText& source, const Names& constants, Scan* scan) {
  EachMatch(source.text, std::regex("\\b" + teller.name + "\\("), [&](const std::smatch& match) {
    const auto arguments =
        Arguments(source.text, static_cast<std::size_t>(match.position() + match.length()));
    if (arguments.size() <= teller.parameter) return;
    const std::string& told = arguments[teller.parameter];
    if (told.find("symbol") != std::string::npos) return;  // the declaration, or passed on from a table
    const auto symbols = SymbolsIn(told, constants);
    if (symbols.empty()) scan->unread.push_back(source.file.string() + ": " + match.str() + told);
    for (const std::string& symbol : symbols) scan->made.push_back({source.file, teller.code, symbol});
  });
}

}  // namespace

std::vector<SourceText> Sources(const std::vector<std::string>& tops) {
  std::vector<SourceText> sources;
  for (const std::string& top : tops) {
    for (const auto& file : fs::recursive_directory_iterator(fs::path(REGISTRY_SOURCE_DIR) / top)) {
      if (file.path().extension() != ".cc" && file.path().extension() != ".h") continue;
      sources.push_back({file.path(), LoadText(file.path())});
    }
  }
  return sources;
}

Names Constants(const std::vector<SourceText>& sources) {
  static const std::regex constant("\\b(k[A-Z]\\w*)\\s*(?:\\[\\])?\\s*[={]\\s*\"([a-z][a-z0-9_]*)\"");
  Names constants;
  for (const SourceText& source : sources) {
    EachMatch(source.text, constant, [&](const std::smatch& match) { constants[match[1]] = match[2]; });
  }
  return constants;
}

std::set<std::string> WordsIn(const std::vector<SourceText>& sources, const Names& constants) {
  std::set<std::string> words;
  for (const SourceText& source : sources) words.merge(SymbolsIn(source.text, constants));
  return words;
}

Scan ScanSymbols(const std::vector<SourceText>& sources) {
  static const std::regex coded("Code::(k[A-Za-z]+)\\s*,");
  const Names constants = Constants(sources);
  Scan scan;
  std::vector<Teller> tellers;
  for (const SourceText& source : sources) {
    EachMatch(source.text, coded, [&](const std::smatch& match) {
      const auto behind = static_cast<std::size_t>(match.position() + match.length());
      const std::string told = Arguments(source.text, behind).front();
      const auto symbols = SymbolsIn(told, constants);
      for (const std::string& symbol : symbols) scan.made.push_back({source.file, match[1], symbol});
      if (!symbols.empty()) return;
      const Teller teller = TellerAbove(source, static_cast<std::size_t>(match.position()), match[1]);
      if (told.find("symbol") == std::string::npos || teller.name.empty()) {
        scan.unread.push_back(source.file.string() + ": " + match.str() + told);
      } else {
        tellers.push_back(teller);
      }
    });
  }
  for (const Teller& teller : tellers) {
    for (const SourceText& source : sources) {
      if (MayCall(teller, source, sources)) ReadCalls(teller, source, constants, &scan);
    }
  }
  return scan;
}

}  // namespace registry::contract
