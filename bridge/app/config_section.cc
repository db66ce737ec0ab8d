#include "bridge/app/config_section.h"

#include <arpa/inet.h>

#include <filesystem>

#include "bridge/keys/key_source.h"
#include "schemas/ids/ids.h"

namespace registry::app {

void Faults::Add(const toml::source_region& where, const std::string& what) {
  const bool placed = where.begin.line > 0;
  lines_.push_back(file_ + (placed ? ":" + std::to_string(where.begin.line) : "") + ": " + what);
}

std::string Faults::text() const {
  std::string text;
  for (const std::string& line : lines_) text += (text.empty() ? "" : "\n") + line;
  return text;
}

const toml::node* Section::Find(const char* key) {
  asked_.insert(key);
  return table_ == nullptr ? nullptr : table_->get(key);
}

void Section::Fault(const char* key, const std::string& what) {
  const toml::node* node = table_ == nullptr ? nullptr : table_->get(key);
  const toml::node* where = node != nullptr ? node : table_;
  faults_.Add(where == nullptr ? toml::source_region{} : where->source(), name_ + "." + key + " " + what);
}

void Section::Missing(const char* key) { Fault(key, "is missing"); }

std::string Section::Text(const char* key, const std::optional<std::string>& otherwise) {
  const toml::node* node = Find(key);
  if (node == nullptr) {
    if (!otherwise) Missing(key);
    return otherwise.value_or("");
  }
  const auto* text = node->as_string();
  if (text == nullptr) Fault(key, "must be a string");
  return text == nullptr ? "" : text->get();
}

std::string Section::Checked(const char* key, const char* wanted, const Valid& valid,
                             const std::optional<std::string>& otherwise) {
  std::string text = Text(key, otherwise);
  const toml::node* node = Find(key);
  if (node != nullptr && node->is_string() && !valid(text)) Fault(key, std::string("must be ") + wanted);
  return text;
}

std::string Section::Path(const char* key, const std::optional<std::string>& otherwise) {
  const bool needed = !otherwise.has_value();
  const std::string text = Text(key, otherwise);
  if (needed && text.empty() && Find(key) != nullptr && Find(key)->is_string())
    Fault(key, "must name a file");
  return text.empty() ? text : (std::filesystem::path(folder_) / text).lexically_normal().string();
}

std::string Section::Key(const char* key, bool may_miss) {
  const toml::node* node = Find(key);
  const auto* text = node == nullptr ? nullptr : node->as_string();
  return text != nullptr && keys::IsKeyUri(text->get()) ? text->get() : may_miss ? Path(key, "") : Path(key);
}

std::int64_t Section::Number(const char* key, std::int64_t min, std::int64_t max,
                             std::optional<std::int64_t> otherwise) {
  const toml::node* node = Find(key);
  if (node == nullptr) {
    if (!otherwise) Missing(key);
    return otherwise.value_or(min);
  }
  const auto* number = node->as_integer();
  if (number != nullptr && number->get() >= min && number->get() <= max) return number->get();
  Fault(key, "must be a whole number from " + std::to_string(min) + " to " + std::to_string(max));
  return min;
}

bool Section::Flag(const char* key, bool otherwise) {
  const toml::node* node = Find(key);
  if (node == nullptr) return otherwise;
  const auto* flag = node->as_boolean();
  if (flag == nullptr) Fault(key, "must be true or false");
  return flag == nullptr ? otherwise : flag->get();
}

std::optional<std::vector<std::string>> Section::TextsOf(const toml::node& node) const {
  const auto* array = node.as_array();
  if (array == nullptr) return std::nullopt;
  std::vector<std::string> texts;
  for (const toml::node& element : *array) {
    const auto* text = element.as_string();
    if (text == nullptr) return std::nullopt;
    texts.push_back(text->get());
  }
  return texts;
}

std::vector<std::string> Section::Texts(const char* key, const char* wanted, const Valid& valid,
                                        bool may_miss) {
  const toml::node* node = Find(key);
  if (node == nullptr) {
    if (!may_miss) Missing(key);
    return {};
  }
  auto texts = TextsOf(*node);
  bool good = texts && (may_miss || !texts->empty());
  for (std::size_t i = 0; good && i < texts->size(); ++i) good = valid((*texts)[i]);
  if (!good) Fault(key, std::string("must be a list of ") + wanted);
  return good ? *texts : std::vector<std::string>{};
}

std::vector<std::vector<std::string>> Section::Tuples(const char* key, std::size_t size, const char* wanted) {
  const toml::node* node = Find(key);
  if (node == nullptr) return {};
  std::vector<std::vector<std::string>> tuples;
  const auto* array = node->as_array();
  bool good = array != nullptr;
  for (std::size_t i = 0; good && i < array->size(); ++i) {
    auto texts = TextsOf(*array->get(i));
    good = texts && texts->size() == size;
    if (good) tuples.push_back(std::move(*texts));
  }
  if (!good) Fault(key, std::string("must be a list of ") + wanted);
  return tuples;
}

void Section::Finish() {
  if (table_ == nullptr) return;
  for (const auto& [key, node] : *table_) {
    const std::string name(key.str());
    if (!asked_.contains(name)) faults_.Add(key.source(), "unknown key " + name_ + "." + name);
  }
}

bool IsAddress(const std::string& text) {
  in6_addr any{};
  return inet_pton(AF_INET, text.c_str(), &any) == 1 || inet_pton(AF_INET6, text.c_str(), &any) == 1;
}

bool IsDomainName(const std::string& text) { return ValidDomainName(text); }

}  // namespace registry::app
