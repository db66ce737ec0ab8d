// simulators/mno/config.h: the configuration file of mno-sim (JSON); every member is in README.md beside this file.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "schemas/ids/ids.h"
#include "simulators/link/frames.h"
#include "simulators/mno/over_the_air.h"
#include "simulators/mno/profiles.h"
#include "simulators/mqtt/client.h"
#include "simulators/party/transfers.h"

namespace registry::sim {

struct InventoryItem {
  Iccid iccid;
  Eid eid;
  std::string asp;  // whose desk gets the authorisation code
};

struct MnoConfig {
  ClientOptions mqtt;
  std::string radio_socket;
  std::string desk_socket;                   // where codes for transfers are brought; empty: nowhere
  std::map<std::string, std::string> desks;  // party -> socket
  std::vector<InventoryItem> inventory;
  std::vector<InventoryItem> spares;                 // eSIMs for devices that come here from another MNO
  TransferAnswer answer = TransferAnswer::kApprove;  // to a transfer by which it is to lose a device
  std::vector<std::string> fail;                     // actions it refuses, until the console says otherwise
  std::size_t register_first = SIZE_MAX;             // eSIMs registered at once; the rest on command
  std::size_t register_window = 200;                 // registrations that wait for replies at a time
  ProfileFaults profiles;
  OtaConfig ota;
  Faults faults;                                     // of the radio, towards the devices
  std::chrono::milliseconds repeat_after{2000};      // over radio and desk
  std::chrono::milliseconds again_after{2000};       // a rejection for the moment; doubled every time
  std::chrono::milliseconds gap_patience{2000};      // before a gap in the feed is asked for
  std::chrono::milliseconds radio_patience{120000};  // then the job is reported as failed at stage "radio"
  std::chrono::milliseconds work_after{0};    // a slow MNO: how long a job lies before it goes over the radio
  std::chrono::milliseconds report_every{0};  // and how often it says meanwhile that it has it; 0: never
};

Result<MnoConfig> ReadMnoConfig(const std::string& file);

}  // namespace registry::sim
