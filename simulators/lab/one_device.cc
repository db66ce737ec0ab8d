#include "simulators/lab/one_device.h"

#include <nlohmann/json.hpp>
#include <sstream>

#include "simulators/lab/process.h"
#include "simulators/lab/static_zone.h"

namespace registry::lab {
namespace {

using nlohmann::json;

constexpr std::chrono::milliseconds kAskWithin{10000};

std::string NoAnswer(const Error& error) {
  return "not to be had: " + error.message.substr(0, error.message.find('\n'));
}

// As the registry keeps it.
std::string CertificateOf(const Layout& layout, const std::string& program_folder,
                          const std::string& device) {
  const auto shown = RunToEnd(
      {program_folder + "/registryctl", "device", "show", device, "--json", "--config", layout.ConfigFile()},
      {}, kAskWithin);
  if (!shown) return NoAnswer(shown.error());
  const json record = json::parse(*shown, nullptr, false);
  const json credentials = record.is_object() ? record.value("credentials", json::array()) : json::array();
  if (credentials.empty()) return "none";
  return "serial " + credentials[0].value("serial", "?") + ", good until " +
         credentials[0].value("not_after", "?");
}

}  // namespace

ShownTlsa TlsaOf(const std::string& dig) {
  ShownTlsa shown;
  std::istringstream lines(dig);
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with(";; flags:")) shown.validated = line.find(" ad") < line.find(';', 2);
    std::istringstream words(line);
    std::string name, ttl, kind, type;
    if (!(words >> name >> ttl >> kind >> type) || name.starts_with(";") || type != "TLSA") continue;
    std::getline(words >> std::ws, shown.record);
    shown.record.erase(shown.record.find_last_not_of(" \t\r") + 1);
  }
  return shown;
}

Described DescribeDevice(const Layout& layout, const std::string& program_folder, const std::string& device) {
  const std::string name = device + "._device." + kZone;
  // RFC 6840 §5.7: a question with AD set asks for AD in the answer.
  const auto answer =
      RunToEnd({"dig", "+nosplit", "+noall", "+comments", "+answer", "+adflag", "+time=2", "+tries=2",
                "@" + std::string(kAddress), "-p", std::to_string(layout.resolver), name, "TLSA"},
               {}, kAskWithin);
  const ShownTlsa shown = answer ? TlsaOf(*answer) : ShownTlsa{NoAnswer(answer.error()), false};
  return {{"name", name},
          {"certificate", CertificateOf(layout, program_folder, device)},
          {"TLSA", shown.record.empty() ? "none" : shown.record},
          {"DNSSEC", shown.validated ? "the resolver set ad: it has validated the record from the root down"
                                     : "the resolver did not set ad"}};
}

}  // namespace registry::lab
