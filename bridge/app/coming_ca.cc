#include "bridge/app/coming_ca.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "bridge/signing/file_write.h"
#include "bridge/update/publisher.h"
#include "bridge/zone/device_content.h"

namespace registry::app {
namespace {

using nlohmann::json;

constexpr mode_t kForEverybody = 0644;
// Resolvers count whole seconds: what one has asked for in the last moment of a second it may give almost a second longer.
constexpr std::chrono::seconds kWholeSeconds{1};

Error TimesInvalid(const std::string& file) {
  return Error::Make(Code::kFailed, "ca_times_invalid",
                     file + ": is not what registryd writes; delete it, and registryd begins to count anew");
}

std::optional<ServedTimes> TimesFrom(const json& served) {
  ServedTimes times;
  for (const auto& [server, text] : served.items()) {
    const auto time = text.is_string() ? FromRfc3339(text.get<std::string>()) : std::nullopt;
    if (!time) return std::nullopt;
    times.emplace(server, *time);
  }
  return times;
}

std::optional<ServedByRecord> RecordsFrom(const json& text) {
  if (!text.is_object() || !text.contains("coming") || !text["coming"].is_array()) return std::nullopt;
  ServedByRecord records;
  for (const json& one : text["coming"]) {
    if (!one.is_object() || !one.contains("tlsa") || !one["tlsa"].is_string() || !one.contains("served") ||
        !one["served"].is_object())
      return std::nullopt;
    auto times = TimesFrom(one["served"]);
    if (!times) return std::nullopt;
    records.emplace(one["tlsa"].get<std::string>(), std::move(*times));
  }
  return records;
}

}  // namespace

Bytes IssuingTlsa(const Bytes& certificate) { return zone::AuthorityTlsa({Bytes(), certificate}).back(); }

std::string IssuingTlsaText(const Bytes& certificate) {
  const Bytes rdata = IssuingTlsa(certificate);
  return "2 0 1 " + ToHex(Bytes(rdata.begin() + 3, rdata.end()));
}

std::string ServedFile(const Config& config) {
  return (std::filesystem::path(config.pki.crl_file).parent_path() / "coming-issuing.json").string();
}

Result<ServedByRecord> ReadServed(const std::string& file) {
  std::error_code ignored;
  if (!std::filesystem::exists(file, ignored)) return ServedByRecord();
  std::ifstream input(file, std::ios::binary);
  if (!input) return Error::Make(Code::kFailed, "file_failed", file + ": cannot be read");
  std::ostringstream text;
  text << input.rdbuf();
  auto records = RecordsFrom(json::parse(text.str(), nullptr, false));
  if (!records) return TimesInvalid(file);
  return std::move(*records);
}

Status WriteServed(const std::string& file, const ServedByRecord& served) {
  std::error_code failed;
  if (served.empty()) {
    std::filesystem::remove(file, failed);
    if (failed) return Error::Make(Code::kFailed, "file_failed", file + ": " + failed.message());
    return Done{};
  }
  json coming = json::array();
  for (const auto& [record, times] : served) {
    json by_server = json::object();
    for (const auto& [server, time] : times) by_server[server] = ToRfc3339(time);
    coming.push_back({{"tlsa", record}, {"served", std::move(by_server)}});
  }
  return signing::ReplaceFile(file, json{{"coming", std::move(coming)}}.dump(2) + "\n", kForEverybody);
}

std::vector<std::string> ZoneServers(const Config& config) {
  std::vector<std::string> names;
  if (config.dns.by_update()) names.emplace_back(update::kServerName);
  for (const SecondaryConfig& secondary : config.secondaries) names.push_back(secondary.name);
  return names;
}

SignFrom WhenToSign(const Config& config, const ServedTimes& served) {
  SignFrom from;
  UtcTime last;
  for (const std::string& server : ZoneServers(config)) {
    const auto since = served.find(server);
    if (since == served.end())
      from.missing.push_back(server);
    else
      last = std::max(last, since->second);
  }
  if (!from.missing.empty() || last == UtcTime()) return from;
  from.at = last + std::chrono::seconds(config.dns.apex_ttl) +
            std::chrono::seconds(config.dns.propagation_seconds) + kWholeSeconds;
  return from;
}

}  // namespace registry::app
