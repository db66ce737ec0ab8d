#include "simulators/mno/config.h"

#include <fstream>

namespace registry::sim {
namespace {

using nlohmann::json;

Error ConfigError(const std::string& what) { return Error::Make(Code::kSyntax, "config", what); }

Faults ReadFaults(const json& config) {
  Faults faults;
  const json part = config.value("faults", json::object());
  faults.lose = part.value("lose", 0.0);
  faults.repeat = part.value("repeat", 0.0);
  faults.delay_max = std::chrono::milliseconds(part.value("delay_max_ms", 0));
  faults.seed = part.value("seed", std::uint64_t{1});
  return faults;
}

void ReadMqtt(const json& config, ClientOptions& mqtt) {
  const json& part = config.at("mqtt");
  mqtt.host = part.at("host").get<std::string>();
  mqtt.port = part.at("port").get<int>();
  mqtt.ca_file = part.at("ca_file").get<std::string>();
  mqtt.party = config.at("party").get<std::string>();
  mqtt.certificate_file = config.at("cert_file").get<std::string>();
  mqtt.key_file = config.at("key_file").get<std::string>();
  // The registry may be away for a while; what it has accepted it will answer.
  mqtt.give_up_after = std::chrono::minutes(10);
  mqtt.in_flight_max = 100'000;
  mqtt.repeat_after =
      std::chrono::seconds(15);  // nothing is lost on the way; a repetition makes a busy registry busier
  mqtt.batches = config.value("batches", false);
}

Result<std::vector<InventoryItem>> ReadEsims(const json& list) {
  std::vector<InventoryItem> esims;
  for (const json& item : list) {
    const auto iccid = Iccid::Parse(item.at("iccid").get<std::string>());
    const auto eid = Eid::Parse(item.at("eid").get<std::string>());
    if (!iccid || !eid) return ConfigError("an ICCID or EID of the inventory is not valid");
    esims.push_back({*iccid, *eid, item.value("asp", "")});
  }
  return esims;
}

Result<MnoConfig> Read(const json& config) {
  MnoConfig mno;
  ReadMqtt(config, mno.mqtt);
  mno.radio_socket = config.at("radio_socket").get<std::string>();
  mno.desks = config.value("desks", std::map<std::string, std::string>());
  mno.register_first = config.value("register_first", mno.register_first);
  mno.register_window = config.value("register_window", mno.register_window);
  mno.repeat_after = std::chrono::milliseconds(config.value("repeat_after_ms", mno.repeat_after.count()));
  mno.radio_patience =
      std::chrono::milliseconds(config.value("radio_patience_ms", mno.radio_patience.count()));
  mno.work_after = std::chrono::milliseconds(config.value("work_after_ms", 0));
  mno.report_every = std::chrono::milliseconds(config.value("report_every_ms", 0));
  mno.faults = ReadFaults(config);
  const json profiles = config.value("profiles", json::object());
  mno.profiles.refuse = profiles.value("refuse", 0.0);
  mno.profiles.silence = profiles.value("silence", 0.0);
  mno.profiles.seed = profiles.value("seed", mno.faults.seed);
  auto ota = ReadOtaConfig(config.value("ota", json::object()));
  if (!ota) return ota.error();
  mno.ota = std::move(*ota);
  mno.desk_socket = config.value("desk_socket", "");
  mno.fail = config.value("fail", mno.fail);
  const auto answer = TransferAnswerOf(config.value("transfers", "approve"));
  if (!answer) return ConfigError("transfers is not approve, reject or none");
  mno.answer = *answer;
  auto inventory = ReadEsims(config.at("inventory"));
  if (!inventory) return inventory.error();
  mno.inventory = std::move(*inventory);
  auto spares = ReadEsims(config.value("spares", json::array()));
  if (!spares) return spares.error();
  mno.spares = std::move(*spares);
  return mno;
}

}  // namespace

Result<MnoConfig> ReadMnoConfig(const std::string& file) {
  std::ifstream in(file);
  const json config = json::parse(in, nullptr, false);
  if (!config.is_object()) return ConfigError(file + " is not a JSON object");
  try {
    return Read(config);
  } catch (const json::exception& error) {
    return ConfigError(file + ": " + error.what());
  }
}

}  // namespace registry::sim
