#include "bridge/app/status.h"

#include <nlohmann/json.hpp>

namespace registry::app {

Page HealthPage(bool ledger_writable) {
  const nlohmann::json body = {
      {"ok", ledger_writable}, {"node", "active"}, {"ledger_writable", ledger_writable}};
  return {ledger_writable ? 200 : 503, "application/json", body.dump() + "\n"};
}

Page StandbyHealthPage(bool sees_ledger, bool decides, const std::string& says) {
  const nlohmann::json body = {
      {"ok", sees_ledger}, {"node", decides ? "deciding" : "standby"}, {"says", says}};
  return {sees_ledger ? 200 : 503, "application/json", body.dump() + "\n"};
}

Page StandbyReadyPage(const std::string& says) {
  const nlohmann::json body = {{"ok", false}, {"node", "standby"}, {"says", says}};
  return {503, "application/json", body.dump() + "\n"};
}

Page DecidingReadyPage(const Sample& sample, const std::string& says) {
  const nlohmann::json body = {{"ok", sample.mqtt_connected},
                               {"node", "deciding"},
                               {"mqtt_connected", sample.mqtt_connected},
                               {"mqtt_trouble", sample.mqtt_trouble},
                               {"says", says}};
  return {sample.mqtt_connected ? 200 : 503, "application/json", body.dump() + "\n"};
}

Page ReadyPage(const Sample& sample) {
  bool ready = sample.mqtt_connected && sample.zone_serial != 0 && !sample.disk_nearly_full;
  nlohmann::json secondaries = nlohmann::json::object();
  for (const Sample::Secondary& secondary : sample.secondaries) {
    const bool serves = secondary.reachable && secondary.serial != 0;
    ready = ready && serves;
    secondaries[secondary.name] = {{"serves", serves}, {"serial", secondary.serial}};
  }
  const nlohmann::json body = {{"ok", ready},
                               {"mqtt_connected", sample.mqtt_connected},
                               {"mqtt_trouble", sample.mqtt_trouble},
                               {"disk_nearly_full", sample.disk_nearly_full},
                               {"zone_serial", sample.zone_serial},
                               {"secondaries", std::move(secondaries)}};
  return {ready ? 200 : 503, "application/json", body.dump() + "\n"};
}

}  // namespace registry::app
