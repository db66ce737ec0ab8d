// bridge/ctl/party_entry.h: a party's `[[party]]` in the text of registry.toml, which stays as its operator wrote it:
// comments, order and everything else. A text that registryd would refuse is never written.
// Threads: one at a time per folder (folder_lock.h). Errors (2400): config_unreadable, config_invalid, party_missing,
//   file_failed.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "schemas/base/result.h"

namespace registry::ctl {

// Keys of [[party]] beside name and role, with their values as TOML writes them.
using PartyKeys = std::map<std::string, std::string>;

std::string TomlString(const std::string& text);

class RegistryToml {
 public:
  static Result<RegistryToml> Read(const std::string& file);
  // The role a [[party]] of this name has; nullopt: there is none.
  std::optional<std::string> RoleOf(const std::string& name) const;
  // At the end. TOML 1.0 "Array of Tables": a new element may stand there whatever stands before it.
  void Add(const std::string& name, const std::string& role, const PartyKeys& keys);
  Status Change(const std::string& name, const PartyKeys& keys);
  Status Remove(const std::string& name);
  // The nth table of the list [[list]], counted from 0; config_invalid where it is not written that way.
  Status RemoveFrom(const std::string& list, std::size_t nth);
  // The value of a key that stands in [table], each in a line of its own; config_invalid where it does not.
  Status Set(const std::string& table, const std::string& key, const std::string& value);
  // A list of texts that stands in [table], in one line or in several; config_invalid where it does not, or where a comment
  // stands between its texts.
  Status SetList(const std::string& table, const std::string& key, const std::vector<std::string>& texts);
  // At the end, a table of its own.
  void Append(const std::string& text) { text_ += (text_.ends_with('\n') ? "\n" : "\n\n") + text; }
  // In place; owner and mode stay, since registryd must read it after a root's `party add` too.
  Status Write() const;
  const std::string& text() const { return text_; }

 private:
  struct Entry {
    std::size_t first = 0, last = 0;  // lines, counted from 1
    std::string role;
  };
  RegistryToml(std::string file, std::string text) : file_(std::move(file)), text_(std::move(text)) {}
  Status Parse();
  Result<Entry> Find(const std::string& name) const;
  Status Cut(std::size_t first, std::size_t last);

  std::string file_, text_;
  std::map<std::string, Entry> entries_;
};

}  // namespace registry::ctl
