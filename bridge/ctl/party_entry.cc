#include "bridge/ctl/party_entry.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <sstream>
#include <vector>

#define TOML_HEADER_ONLY 0
#include <toml++/toml.h>

#include "bridge/app/config.h"
#include "bridge/signing/file_write.h"

namespace registry::ctl {
namespace {

Error ConfigFault(std::string_view symbol, const std::string& message) {
  return Error::Make(Code::kFailed, symbol, message);
}

std::vector<std::string> LinesOf(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream input(text);
  for (std::string line; std::getline(input, line);) lines.push_back(line);
  return lines;
}

std::string Joined(const std::vector<std::string>& lines) {
  std::string text;
  for (const std::string& line : lines) text += line + "\n";
  return text;
}

// Of a line "key = value"; empty for any other.
std::string KeyOf(const std::string& line) {
  const std::size_t first = line.find_first_not_of(" \t"), equals = line.find('=');
  if (first == std::string::npos || equals == std::string::npos) return "";
  const std::string key = line.substr(first, equals - first);
  return key.substr(0, key.find_last_not_of(" \t") + 1);
}

// The lines of a table, counted from 1.
std::pair<std::size_t, std::size_t> PlaceOf(const toml::table& table) {
  std::size_t last = table.source().begin.line;
  for (const auto& [key, value] : table) last = std::max<std::size_t>(last, value.source().end.line);
  return {table.source().begin.line, last};
}

// The first and the last line of a list, counted from 1; 0: there is none.
std::pair<std::size_t, std::size_t> PlaceOf(const std::string& text, const std::string& table,
                                            const std::string& key) {
  const toml::table config = toml::parse(text);  // it was parsed before
  const toml::array* const list = config[table][key].as_array();
  if (list == nullptr) return {0, 0};
  return {list->source().begin.line, list->source().end.line};
}

}  // namespace

std::string TomlString(const std::string& text) {
  std::ostringstream out;
  out << toml::value<std::string>(text);  // as a basic string, with its escapes
  return out.str();
}

Result<RegistryToml> RegistryToml::Read(const std::string& file) {
  std::ifstream input(file, std::ios::binary);
  std::ostringstream text;
  if (!input || !(text << input.rdbuf()))
    return ConfigFault("config_invalid", file + ": cannot be read: " + std::strerror(errno));
  RegistryToml read(file, text.str());
  if (auto parsed = read.Parse(); !parsed) return parsed.error();
  return read;
}

Status RegistryToml::Parse() {
  entries_.clear();
  try {
    const toml::table config = toml::parse(text_, file_);
    const toml::array* const parties = config["party"].as_array();
    if (config.contains("party") && parties == nullptr)
      return ConfigFault("config_invalid", file_ + ": party must be written as [[party]]");
    for (std::size_t i = 0; parties != nullptr && i < parties->size(); ++i) {
      const toml::table* const party = parties->get(i)->as_table();
      const auto name = party != nullptr ? (*party)["name"].value<std::string>() : std::nullopt;
      if (!name) continue;
      const auto [first, last] = PlaceOf(*party);
      entries_.emplace(*name, Entry{first, last, (*party)["role"].value_or<std::string>("")});
    }
  } catch (const toml::parse_error& why) {
    return ConfigFault("config_invalid", file_ + ": " + std::string(why.description()));
  }
  return Done{};
}

std::optional<std::string> RegistryToml::RoleOf(const std::string& name) const {
  const auto entry = entries_.find(name);
  return entry == entries_.end() ? std::nullopt : std::optional(entry->second.role);
}

// One that is written in another way, as an inline table, is not taken apart here.
Result<RegistryToml::Entry> RegistryToml::Find(const std::string& name) const {
  const auto entry = entries_.find(name);
  if (entry == entries_.end()) return ConfigFault("party_missing", file_ + " names no party " + name);
  const auto lines = LinesOf(text_);
  const std::size_t at = entry->second.first;
  const bool headed = at >= 1 && at <= lines.size() && lines[at - 1].find("[[party]]") != std::string::npos;
  if (!headed)
    return ConfigFault("config_invalid",
                       file_ + ": " + name + " is not written as [[party]]; change it by hand");
  return entry->second;
}

void RegistryToml::Add(const std::string& name, const std::string& role, const PartyKeys& keys) {
  if (!text_.empty() && text_.back() != '\n') text_.push_back('\n');
  text_ += "\n[[party]]\nname = \"" + name + "\"\nrole = \"" + role + "\"\n";
  for (const auto& [key, value] : keys) text_ += key + " = " + value + "\n";
}

Status RegistryToml::Change(const std::string& name, const PartyKeys& keys) {
  const auto entry = Find(name);
  if (!entry) return entry.error();
  auto lines = LinesOf(text_);
  std::size_t last = entry->last;
  for (const auto& [key, value] : keys) {
    const auto begin = lines.begin() + static_cast<std::ptrdiff_t>(entry->first);
    const auto end = lines.begin() + static_cast<std::ptrdiff_t>(last);
    const auto there = std::find_if(
        begin, end, [&, &wanted = key](const std::string& line) { return KeyOf(line) == wanted; });
    if (there != end) {
      *there = key + " = " + value;
    } else {
      lines.insert(end, key + " = " + value);
      ++last;
    }
  }
  text_ = Joined(lines);
  return Parse();
}

Status RegistryToml::Remove(const std::string& name) {
  const auto entry = Find(name);
  if (!entry) return entry.error();
  return Cut(entry->first, entry->last);
}

Status RegistryToml::RemoveFrom(const std::string& list, std::size_t nth) {
  const Error other =
      ConfigFault("config_invalid", file_ + ": is not written with [[" + list + "]]; change it by hand");
  try {
    const toml::table config = toml::parse(text_, file_);
    const toml::array* const tables = config[list].as_array();
    const toml::table* const table =
        tables != nullptr && nth < tables->size() ? tables->get(nth)->as_table() : nullptr;
    if (table == nullptr) return other;
    const auto [first, last] = PlaceOf(*table);
    const auto lines = LinesOf(text_);
    const bool headed =
        first >= 1 && first <= lines.size() && lines[first - 1].find("[[" + list + "]]") != std::string::npos;
    return headed ? Cut(first, last) : Status(other);
  } catch (const toml::parse_error& why) {
    return ConfigFault("config_invalid", file_ + ": " + std::string(why.description()));
  }
}

Status RegistryToml::Cut(std::size_t first, std::size_t last) {
  auto lines = LinesOf(text_);
  if (first >= 2 && lines[first - 2].empty()) --first;  // what Add has put before it
  lines.erase(lines.begin() + static_cast<std::ptrdiff_t>(first) - 1,
              lines.begin() + static_cast<std::ptrdiff_t>(last));
  text_ = Joined(lines);
  return Parse();
}

Status RegistryToml::Set(const std::string& table, const std::string& key, const std::string& value) {
  auto lines = LinesOf(text_);
  const auto begin = std::find(lines.begin(), lines.end(), "[" + table + "]");
  const auto end = std::find_if(begin == lines.end() ? begin : begin + 1, lines.end(),
                                [](const std::string& line) { return line.starts_with('['); });
  const auto there = std::find_if(begin, end, [&](const std::string& line) { return KeyOf(line) == key; });
  if (there == end)
    return ConfigFault("config_invalid",
                       file_ + ": no line of [" + table + "] is " + key + " = …; change it by hand");
  *there = key + " = " + value;
  text_ = Joined(lines);
  return Parse();
}

Status RegistryToml::SetList(const std::string& table, const std::string& key,
                             const std::vector<std::string>& texts) {
  const auto by_hand = [&](const char* why) {
    return ConfigFault("config_invalid", file_ + ": " + key + " of [" + table + "] " + why +
                                             "; change it by hand, then repeat this");
  };
  const auto [first, last] = PlaceOf(text_, table, key);
  if (first == 0) return by_hand("is no list of its own lines");
  auto lines = LinesOf(text_);
  std::string value = "[";
  for (const std::string& text : texts) {
    if (texts.size() > 1) value += "\n  ";
    value += TomlString(text);
    if (texts.size() > 1) value += ",";
  }
  value += texts.size() > 1 ? "\n]" : "]";
  const std::string whole = Joined({lines.begin() + static_cast<std::ptrdiff_t>(first) - 1,
                                    lines.begin() + static_cast<std::ptrdiff_t>(last)});
  if (KeyOf(lines[first - 1]) != key) return by_hand("does not begin a line");
  const std::size_t end = whole.rfind(']');
  if (end == std::string::npos || whole.substr(0, end).find('#') != std::string::npos)
    return by_hand("has a comment between its texts");
  lines.erase(lines.begin() + static_cast<std::ptrdiff_t>(first),
              lines.begin() + static_cast<std::ptrdiff_t>(last));
  lines[first - 1] = key + " = " + value + whole.substr(end + 1, whole.size() - end - 2);
  text_ = Joined(lines);
  return Parse();
}

Status RegistryToml::Write() const {
  if (const auto config = app::ParseConfig(text_, file_); !config) {
    return ConfigFault("config_invalid",
                       "registryd would refuse it, so nothing was written: " + config.error().message);
  }
  struct stat before {};
  if (stat(file_.c_str(), &before) != 0)
    return ConfigFault("file_failed", file_ + ": cannot be read: " + std::strerror(errno));
  if (auto saved = signing::ReplaceFile(file_, text_, before.st_mode & 07777); !saved) return saved;
  struct stat after {};
  if (stat(file_.c_str(), &after) == 0 && after.st_uid == before.st_uid && after.st_gid == before.st_gid) {
    return Done{};
  }
  // Not through a link: whose folder it is may have put one there meanwhile, and it is root that gives away.
  if (lchown(file_.c_str(), before.st_uid, before.st_gid) == 0) return Done{};
  return ConfigFault("file_failed", file_ + ": cannot be given back to its owner: " + std::strerror(errno));
}

}  // namespace registry::ctl
