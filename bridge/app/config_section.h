// bridge/app/config_section.h: typed reading of one TOML table, collecting faults instead of stopping at the
// first. A key is known when it has been asked for; Finish reports the others. Tables opens them by name. One thread.
#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <optional>
#include <set>
#include <string>
#include <vector>

#define TOML_HEADER_ONLY 0
#include <toml++/toml.h>

namespace registry::app {

// One sentence per fault, "file:line: …".
class Faults {
 public:
  explicit Faults(std::string file) : file_(std::move(file)) {}
  void Add(const toml::source_region& where, const std::string& what);
  bool empty() const { return lines_.empty(); }
  std::string text() const;

 private:
  std::string file_;
  std::vector<std::string> lines_;
};

class Section {
 public:
  using Valid = std::function<bool(const std::string&)>;

  // `table` may be null: then every key without a default is missing.
  Section(const toml::table* table, std::string name, std::string folder, Faults& faults)
      : table_(table), name_(std::move(name)), folder_(std::move(folder)), faults_(faults) {}

  std::string Text(const char* key, const std::optional<std::string>& otherwise = std::nullopt);
  // Text that must satisfy `valid`; `wanted` completes the sentence "… must be".
  std::string Checked(const char* key, const char* wanted, const Valid& valid,
                      const std::optional<std::string>& otherwise = std::nullopt);
  // Made absolute against the file's folder; an empty default stays empty.
  std::string Path(const char* key, const std::optional<std::string>& otherwise = std::nullopt);
  // A path, or the URI of a key in a token, which stays as it is.
  std::string Key(const char* key, bool may_miss = false);
  std::int64_t Number(const char* key, std::int64_t min, std::int64_t max,
                      std::optional<std::int64_t> otherwise = std::nullopt);
  template <class Integer>
  Integer As(const char* key, std::optional<std::int64_t> otherwise, std::int64_t min = 1,
             std::int64_t max = std::numeric_limits<Integer>::max()) {
    return static_cast<Integer>(Number(key, min, max, otherwise));
  }
  bool Flag(const char* key, bool otherwise);
  // `may_miss`: no such key is an empty list, and an empty list is good.
  std::vector<std::string> Texts(const char* key, const char* wanted, const Valid& valid,
                                 bool may_miss = false);
  std::vector<std::vector<std::string>> Tuples(const char* key, std::size_t size, const char* wanted);
  void Fault(const char* key, const std::string& what);
  void Finish();

 private:
  const toml::node* Find(const char* key);
  void Missing(const char* key);
  std::optional<std::vector<std::string>> TextsOf(const toml::node& node) const;

  const toml::table* table_;
  const std::string name_, folder_;
  Faults& faults_;
  std::set<std::string, std::less<>> asked_;
};

// The tables of one file; the Faults outlive it.
class Tables {
 public:
  Tables(const toml::table& root, std::string folder, Faults& faults)
      : root_(root), folder_(std::move(folder)), faults_(faults) {}
  const std::string& folder() const { return folder_; }  // of the file
  Section Open(const char* name) const { return {root_[name].as_table(), name, folder_, faults_}; }
  // Calls `read` for every table of the list [[name]].
  template <class Read>
  void Each(const char* name, Read read) const {
    const auto* list = root_[name].as_array();
    if (list == nullptr || !root_[name].is_array_of_tables()) return;
    for (const toml::node& element : *list) {
      Section section(element.as_table(), name, folder_, faults_);
      read(section);
      section.Finish();
    }
  }

 private:
  const toml::table& root_;
  const std::string folder_;
  Faults& faults_;
};

// What keys of several tables must be.
bool IsAddress(const std::string& text);  // of IPv4 or IPv6
bool IsDomainName(const std::string& text);

}  // namespace registry::app
