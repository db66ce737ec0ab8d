// bridge/ctl/ledger_source.h: which ledger a reading command looks at, and the way every command prints.
// The ledger is read beside a running registryd or from a stopped one, never written. Private identifiers (EID, ICCID)
// are masked unless --reveal is given, so that a pasted output betrays nobody.
// Errors: a sentence on stderr, then CLI::RuntimeError with status 1 (wrong argument: 2; fault found: 3).
// Threads: the main one.
#pragma once

#include <CLI/CLI.hpp>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "bridge/app/config.h"
#include "bridge/app/ledger_place.h"
#include "bridge/ctl/scratch_folder.h"
#include "bridge/ledger/ledger.h"

namespace registry::ctl {

using Json = nlohmann::ordered_json;

struct ReadOptions {
  std::string ledger;  // folder
  std::string config;  // or the registry's configuration, whose [ledger] names it
  bool json = false;
  bool reveal = false;
};

void AddSourceOptions(CLI::App& command, ReadOptions& options);  // --ledger and --config
void AddReadOptions(CLI::App& command, ReadOptions& options);    // and --json
// Where the ledger is that they name.
app::LedgerPlace LedgerPlaceOf(const ReadOptions& options);
app::LedgerPlace LedgerPlaceOf(const app::Config& config);
// The folder they name; fails for a ledger in PostgreSQL, as what RocksDB alone needs or can do.
std::string LedgerFolder(const ReadOptions& options);
// Whether a [[party]] of the configuration has this name; nothing when no configuration was named.
std::optional<bool> IsRegistered(const ReadOptions& options, const std::string& party);
[[noreturn]] void FailUnregistered(const ReadOptions& options, const std::string& party);

class OpenLedger {
 public:
  explicit OpenLedger(const ReadOptions& options) : OpenLedger(LedgerPlaceOf(options)) {}
  explicit OpenLedger(const app::Config& config) : OpenLedger(LedgerPlaceOf(config)) {}
  explicit OpenLedger(const app::LedgerPlace& place);
  OpenLedger(const OpenLedger&) = delete;
  OpenLedger& operator=(const OpenLedger&) = delete;
  const ledger::LedgerReader& operator*() const { return *reader_; }
  const ledger::LedgerReader* operator->() const { return reader_.get(); }

 private:
  std::optional<ScratchFolder> scratch_;  // outlives the reader
  std::unique_ptr<ledger::LedgerReader> reader_;
};

[[noreturn]] void Fail(const std::string& sentence);
[[noreturn]] void FailWrong(const std::string& sentence);  // an argument that no ledger could answer

template <class T>
T OrFail(Result<T> result) {
  if (!result) Fail(result.error().message);
  return std::move(*result);
}
// With the symbol, which ERRORS.md explains.
template <class T>
T OrFailNamed(Result<T> result) {
  if (!result) Fail(result.error().message + " (" + result.error().symbol + ")");
  return std::move(*result);
}

std::string Masked(const std::string& identifier, bool reveal);
std::string Text(UtcTime time);  // empty for a time that was never set

// How wide a line may be: COLUMNS, or the terminal of standard output; nothing: a file or a pipe, whose lines stay whole.
std::optional<std::size_t> LineWidth();
// Broken at blanks where there is a width and it is wider. What follows the first line is indented.
std::string Wrapped(const std::string& text, std::optional<std::size_t> width, std::size_t indent);

// An object as "name: value" lines, or a list of objects as a table, whose rows go on in
// further lines where the terminal is narrower; --json prints the same as JSON.
void Print(const Json& value, bool json);
// A list of objects as Print does, or, where there is none, one line that says so; --json prints [].
void PrintList(const Json& rows, const std::string& when_empty, bool json);

// A long list of objects, printed page by page as it is read; the first page decides how wide columns are.
class Rows {
 public:
  explicit Rows(bool json) : json_(json) {}
  void Add(const Json& page);
  // Nothing was found of `party` (empty: of everybody): a name that nobody has is a wrong argument, not an empty list.
  void EndOf(const std::string& party, const ReadOptions& options, const std::string& when_empty);
  void End(const std::string& when_empty);  // as PrintList

 private:
  const bool json_;
  bool first_ = true;
  std::map<std::string, std::size_t> widths_;
};

}  // namespace registry::ctl
