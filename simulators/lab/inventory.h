// simulators/lab/inventory.h: eSIMs that exist only in the lab, with numbers that pass every check of the
// real ones, and the configuration files of the three simulator programs around them.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <random>
#include <string>
#include <vector>

#include "schemas/ids/ids.h"
#include "simulators/lab/layout.h"

namespace registry::lab {

struct LabEsim {
  Eid eid;
  Iccid iccid;
  int mno = 0, asp = 0;  // index into kMnos, kAsps
  bool checks = true;    // checks.h
  Iccid spare;           // of the other MNO, in case the device goes there
  nlohmann::json ota_keys = {},
                 spare_ota_keys = {};  // what each card shares with its MNO (simulators/ota/keys.h)
};

// SGP.29: 32 digits, the number mod 97 is 1. ITU-T E.118: 89, 17 digits, Luhn's check digit.
// Every pair of MNO and ASP gets its share of devices.
std::vector<LabEsim> MakeInventory(int devices, std::uint64_t seed);
// Real random keys, whatever the seed: they are secrets, as those that registryctl makes. False without randomness.
bool MakeCardKeys(std::vector<LabEsim>& inventory);

struct LinkFaults {
  double lose = 0, repeat = 0;
  int delay_max_ms = 0;
  std::uint64_t seed = 1;
};

// How MNOs reach their cards (simulators/mno/README.md, `ota`), and what goes wrong on the way.
struct OtaSetup {
  std::string bearer = "direct";  // sms, http
  double faults = 0;              // share of short messages, packets and sessions that something happens to
  std::uint64_t seed = 1;
  bool on() const { return bearer != "direct"; }
};

// An MNO that lets a job lie before it does it, and says meanwhile that it has it (0: not).
struct SlowMno {
  int work_after_ms = 0, report_every_ms = 0;
};

nlohmann::json MnoConfig(const Layout& layout, int mno, const std::vector<LabEsim>& inventory,
                         const LinkFaults& faults, const SlowMno& slow, const OtaSetup& ota = {});
// Of an ASP's configuration, where the lab has brokers for the ASPs.
nlohmann::json AspBrokerPart(const Layout& layout, int asp);
// `pilot`: the first ASP is named by its certificate, so that its devices' cards get the pilot's files.
nlohmann::json AspConfig(const Layout& layout, int asp, bool pilot = false);
// The devices' cards, for software by others (simulators/terminal/README.md).
struct CardDoorPlan {
  nlohmann::json layout = nullptr;  // a name or an object; null: the registry's own
  std::vector<std::string> modems = {},
                           readers = {};  // paths, ADDRESS:PORT: the first is the first device's, and so on
};
// As in the pilot: every card is one of the field at a modem of its own, where the pilot's software would look for it.
// What is named already stays.
CardDoorPlan PilotCards(const Layout& layout, CardDoorPlan named, std::size_t devices);
nlohmann::json DeviceConfig(const Layout& layout, const std::vector<LabEsim>& inventory, int threads,
                            const CardDoorPlan& cards = {}, const OtaSetup& ota = {});

}  // namespace registry::lab
