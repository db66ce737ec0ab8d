#include "simulators/device/config.h"

#include <fstream>

#include "simulators/device/layout_file.h"

namespace registry::sim {
namespace {

using nlohmann::json;

Error Malformed(const std::string& what) { return Error::Make(Code::kValueSyntax, "config_malformed", what); }

void ReadMs(const json& object, const char* name, std::chrono::milliseconds& out) {
  if (object.contains(name)) out = std::chrono::milliseconds(object.at(name).get<std::uint32_t>());
}

void ReadFaults(const json& object, Faults& faults) {
  if (!object.contains("faults")) return;
  const json& part = object.at("faults");
  faults.lose = part.value("lose", 0.0);
  faults.repeat = part.value("repeat", 0.0);
  ReadMs(part, "delay_max_ms", faults.delay_max);
  faults.seed = part.value("seed", faults.seed);
}

void ReadCardFaults(const json& object, ota::CardFaults& faults) {
  if (!object.contains("card_faults")) return;
  const json& part = object.at("card_faults");
  faults.no_room = part.value("no_room", 0.0);
  faults.no_memory = part.value("no_memory", 0.0);
  faults.counter = part.value("counter", 0.0);
  faults.seed = part.value("seed", faults.seed);
}

// Of a card, if it has any.
Status ReadOtaKeys(const json& holder, std::optional<ota::KeySet>& keys) {
  if (!holder.contains("ota")) return Done{};
  auto read = ota::ReadKeys(holder.at("ota"));
  if (!read) return read.error();
  keys = std::move(*read);
  return Done{};
}

Result<DeviceConfig> Read(const json& object) {
  DeviceConfig config;
  config.radio_sockets = object.at("radio_sockets").get<std::map<std::string, std::string>>();
  for (const json& item : object.at("inventory")) {
    const json spare = item.value("spare", json::object());
    config.inventory.push_back({item.at("iccid"),
                                item.at("eid"),
                                item.at("mno"),
                                spare.value("iccid", ""),
                                spare.value("mno", ""),
                                item.value("checks", true),
                                item.value("modem", ""),
                                item.value("vpcd", ""),
                                {},
                                {}});
    InventoryDevice& device = config.inventory.back();
    if (auto keys = ReadOtaKeys(item, device.ota_keys); !keys) return keys.error();
    if (auto keys = ReadOtaKeys(spare, device.spare_ota_keys); !keys) return keys.error();
  }
  config.threads = object.value("threads", config.threads);
  config.asp_address = object.value("asp_address", "");
  ReadMs(object, "power_on_every_ms", config.power_on_every);
  ReadMs(object, "verify_within_ms", config.verify_within);
  ReadMs(object, "session_within_ms", config.session_within);
  config.telemetry = object.value("telemetry", config.telemetry);
  ReadFaults(object, config.faults);
  ReadCardFaults(object, config.card_faults);
  config.admin_sockets = object.value("admin_sockets", config.admin_sockets);
  return config;
}

}  // namespace

Result<DeviceConfig> ParseDeviceConfig(const json& object) {
  try {
    auto read = Read(object);
    if (!read) return read.error();
    DeviceConfig config = std::move(*read);
    if (object.contains("card_layout")) {
      auto layout = ReadLayout(object.at("card_layout"));
      if (!layout) return layout.error();
      config.card_layout = std::move(*layout);
    }
    const auto tls = TlsVersionOf(object.value("tls", "1.3"));
    if (!tls) return Malformed("tls is 1.2, 1.3 or any");
    config.tls = *tls;
    if (config.threads < 1 || config.threads > 256) return Malformed("threads must be 1 to 256");
    for (const InventoryDevice& device : config.inventory) {
      if (!config.radio_sockets.contains(device.mno)) return Malformed("no radio socket for " + device.mno);
      if (!device.spare_mno.empty() && !config.radio_sockets.contains(device.spare_mno))
        return Malformed("no radio socket for " + device.spare_mno);
    }
    return config;
  } catch (const json::exception& error) {  // nlohmann's only way to say so; it ends here
    return Malformed(error.what());
  }
}

Result<DeviceConfig> ReadDeviceConfig(const std::string& file) {
  std::ifstream in(file);
  if (!in) return Malformed("cannot read " + file);
  const json object = json::parse(in, nullptr, false);
  if (object.is_discarded()) return Malformed(file + " is not JSON");
  return ParseDeviceConfig(object);
}

}  // namespace registry::sim
