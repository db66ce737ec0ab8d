// simulators/device/config.h: the configuration file of device-sim (JSON); every member is in README.md
// beside this file.
// Errors: 2005 config_malformed, naming the member.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "schemas/base/result.h"
#include "simulators/device/tls_client.h"
#include "simulators/euicc/layout.h"
#include "simulators/link/frames.h"
#include "simulators/ota/card_agent.h"

namespace registry::sim {

struct InventoryDevice {
  std::string iccid, eid, mno;
  std::string spare_iccid, spare_mno;  // of the profile it may be given; empty: none
  bool checks = true;                  // verifies in the DNS and talks to its ASP once it has its payload
  std::string modem, vpcd;  // where software by others finds its card (card_doors.h); empty: nowhere
  std::optional<ota::KeySet> ota_keys, spare_ota_keys;  // none: the card takes nothing over the air by itself
};

struct DeviceConfig {
  std::map<std::string, std::string> radio_sockets;  // MNO -> socket
  std::vector<InventoryDevice> inventory;
  std::size_t threads = 4;
  std::string asp_address;                           // fallback when an endpoint's name has no address record
  std::chrono::milliseconds power_on_every{3000};    // until the bootstrap has come
  std::chrono::milliseconds verify_within{75000};    // longer than a negative answer may live in a cache
  std::chrono::milliseconds session_within{10000};   // deadline of a session with the ASP
  bool telemetry = false;                            // to the ASP's broker, where the ASP names one
  TlsVersion tls = TlsVersion::k13;                  // with the ASP
  Faults faults;                                     // of the radio, towards the MNO
  CardLayout card_layout = DefaultLayout();          // of every device's applets
  ota::CardFaults card_faults;                       // of every card's remote administration
  std::map<std::string, std::string> admin_sockets;  // MNO -> socket of its HTTP sessions
};

Result<DeviceConfig> ReadDeviceConfig(const std::string& file);
Result<DeviceConfig> ParseDeviceConfig(const nlohmann::json& json);

}  // namespace registry::sim
