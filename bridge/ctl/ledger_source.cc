#include "bridge/ctl/ledger_source.h"

#include <sys/ioctl.h>
#include <toml++/toml.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <map>

#include "bridge/app/command_line.h"
#include "bridge/app/config_section.h"
#include "schemas/base/folded.h"

namespace registry::ctl {
namespace {

namespace fs = std::filesystem;

std::string Cell(const Json& value) { return value.is_string() ? value.get<std::string>() : value.dump(); }

void PrintObject(const Json& object, const std::string& indent) {
  for (const auto& [name, value] : object.items()) {
    if (value.is_array() && !value.empty() && value[0].is_object()) {
      std::cout << indent << name << ":\n";
      for (const auto& element : value) PrintObject(element, indent + "  ");
    } else if (value.is_object()) {
      std::cout << indent << name << ":\n";
      PrintObject(value, indent + "  ");
    } else {
      std::cout << indent << name << ": " << Cell(value) << '\n';
    }
  }
}

using Widths = std::map<std::string, std::size_t>;

// A cell that is wider, such as a stranger's topic, moves what follows in its own row and widens no other.
constexpr std::size_t kWidthMax = 48;

void Widen(Widths& widths, const Json& rows) {
  for (const auto& row : rows) {
    for (const auto& [name, value] : row.items()) {
      widths[name] = std::max({widths[name], name.size(), std::min(Cell(value).size(), kWidthMax)});
    }
  }
}

void PrintLine(const std::string& line) {
  std::cout << line.substr(0, line.find_last_not_of(' ') + 1) << '\n';
}

// Every row breaks before the same columns, so that they stand below each other.
void PrintRows(Widths& widths, const Json& rows, bool with_head) {
  constexpr std::size_t kIndent = 4;
  const auto width = LineWidth();
  const auto print = [&](const Json& row, bool head) {
    std::string line;
    std::size_t column = 0;
    for (const auto& [name, value] : row.items()) {
      const std::string cell = head ? name : Cell(value);
      if (width && column > 0 && column + widths[name] > *width) {
        PrintLine(line);
        line.assign(column = kIndent, ' ');
      }
      line += cell + std::string(std::max(widths[name], cell.size()) - cell.size() + 2, ' ');
      column += widths[name] + 2;
    }
    PrintLine(line);
  };
  if (with_head && !rows.empty()) print(rows[0], true);
  for (const auto& row : rows) print(row, false);
}

toml::table ConfigOf(const ReadOptions& options) {
  if (auto can = app::ConfigCanBeRead(options.config); !can) Fail(can.error().message);
  try {
    return toml::parse_file(options.config);
  } catch (const toml::parse_error& error) {
    Fail(options.config + ": " + std::string(error.description()));
  }
}

}  // namespace

void AddSourceOptions(CLI::App& command, ReadOptions& options) {
  command.add_option("--ledger", options.ledger, "folder of the ledger");
  command.add_option("--config", options.config, "configuration of registryd; says where the ledger is");
}

void AddReadOptions(CLI::App& command, ReadOptions& options) {
  AddSourceOptions(command, options);
  command.add_flag("--json", options.json, "print JSON");
}

// A relative path is meant from where the configuration lies, as registryd reads it. The rest of it is not judged here.
app::LedgerPlace LedgerPlaceOf(const ReadOptions& options) {
  app::LedgerPlace place;
  place.folder = options.ledger;
  if (!place.folder.empty()) return place;
  if (options.config.empty()) FailWrong("name the ledger with --ledger DIR or --config FILE");
  const auto table = ConfigOf(options);
  app::Faults faults(options.config);
  app::Section section(table["ledger"].as_table(), "ledger", fs::path(options.config).parent_path(), faults);
  const auto config = app::ReadLedgerConfig(section, place.folder);
  if (!faults.empty()) Fail(faults.text());
  return OrFail(app::LedgerPlaceOf(config, place.folder));
}

app::LedgerPlace LedgerPlaceOf(const app::Config& config) {
  return OrFail(app::LedgerPlaceOf(config.ledger, config.ledger_folder));
}

std::string LedgerFolder(const ReadOptions& options) {
  const auto place = LedgerPlaceOf(options);
  if (place.postgres)
    FailWrong(
        "the ledger is in PostgreSQL, and this is for the files of one in a folder: PostgreSQL's own tools "
        "do it");
  return place.folder;
}

std::optional<bool> IsRegistered(const ReadOptions& options, const std::string& party) {
  if (options.config.empty()) return std::nullopt;
  const auto config = ConfigOf(options);
  const auto* const parties = config["party"].as_array();
  return parties != nullptr && std::any_of(parties->begin(), parties->end(), [&](const toml::node& node) {
           const auto* const table = node.as_table();
           return table != nullptr && (*table)["name"].value<std::string>() == party;
         });
}

void FailUnregistered(const ReadOptions& options, const std::string& party) {
  FailWrong("'" + party + "' is not registered: no [[party]] of " + options.config + " has this name");
}

OpenLedger::OpenLedger(const app::LedgerPlace& place) {
  scratch_.emplace(OrFail(ScratchFolder::Make()));
  auto reader = app::OpenLedgerReader(place, scratch_->path());
  if (!reader) Fail(reader.error().message);
  reader_ = std::move(*reader);
}

void Fail(const std::string& sentence) {
  std::cerr << "registryctl: " << sentence << '\n';
  throw CLI::RuntimeError(app::kExitFailed);
}

void FailWrong(const std::string& sentence) {
  std::cerr << "registryctl: " << sentence << '\n';
  throw CLI::RuntimeError(app::kExitWrong);
}

std::string Masked(const std::string& identifier, bool reveal) {
  constexpr std::size_t kShown = 4;
  if (reveal || identifier.size() <= kShown) return identifier;
  return std::string(identifier.size() - kShown, '*') + identifier.substr(identifier.size() - kShown);
}

std::optional<std::size_t> LineWidth() {
  constexpr std::size_t kNarrowest = 40;
  std::size_t columns = 0;
  if (const char* const said = std::getenv("COLUMNS"))  // NOLINT(concurrency-mt-unsafe): one thread
    std::from_chars(said, said + std::strlen(said), columns);
  winsize size{};
  if (columns == 0 && ::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0) columns = size.ws_col;
  return columns == 0 ? std::nullopt : std::optional(std::max(columns, kNarrowest));
}

std::string Wrapped(const std::string& text, std::optional<std::size_t> width, std::size_t indent) {
  return width && *width > indent ? Folded(text, *width, indent) : text;
}

std::string Text(UtcTime time) { return time.micros == 0 ? "" : ToRfc3339(time); }

void Print(const Json& value, bool json) {
  if (json) {
    std::cout << value.dump(2) << '\n';
  } else if (value.is_array()) {
    Widths widths;
    Widen(widths, value);
    PrintRows(widths, value, true);
  } else {
    PrintObject(value, "");
  }
}

void PrintList(const Json& rows, const std::string& when_empty, bool json) {
  if (rows.empty() && !json) {
    std::cout << when_empty << '\n';
  } else {
    Print(rows, json);
  }
}

void Rows::Add(const Json& page) {
  if (json_) {
    for (const auto& row : page) {
      std::cout << (first_ ? "[\n  " : ",\n  ") << row.dump();
      first_ = false;
    }
    return;
  }
  if (first_) Widen(widths_, page);
  PrintRows(widths_, page, first_);
  first_ = first_ && page.empty();
}

void Rows::EndOf(const std::string& party, const ReadOptions& options, const std::string& when_empty) {
  if (!first_ || party.empty()) return End(when_empty);
  const auto registered = IsRegistered(options, party);
  if (registered == false) FailUnregistered(options, party);
  End(registered ? when_empty : when_empty + "; with --config FILE it is known who is registered");
}

void Rows::End(const std::string& when_empty) {
  if (first_) {
    PrintList(Json::array(), when_empty, json_);
  } else if (json_) {
    std::cout << "\n]\n";
  }
}

}  // namespace registry::ctl
