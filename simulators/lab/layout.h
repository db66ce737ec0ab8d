// simulators/lab/layout.h: where everything of one lab lies and listens; the names fixed by lab.json.
// Plain values; paths are absolute.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "schemas/base/result.h"
#include "simulators/lab/ports.h"

namespace registry::lab {

struct PartyName {
  std::string name, role;
};
// The guests are for people who take part by hand; no simulator uses them.
const std::vector<PartyName>& Parties();
inline constexpr const char* kMnos[] = {"mno-a", "mno-b"};
inline constexpr const char* kAsps[] = {"asp-a", "asp-b"};
inline constexpr const char* kTopLevel = "test";  // between the root and every zone of the lab
inline constexpr const char* kZone = "iotregistry.test";
inline constexpr const char* kResolverName = "resolver.lab.test";
inline constexpr const char* kAddress = "127.0.0.1";

// A registryd beside the first one, on the same ledger (LabOptions::bridges).
struct OtherBridge {
  std::string name;    // "registryd-2"
  std::string folder;  // of its configuration, its keys and its intake
  std::uint16_t primary = 0, http = 0, console = 0;
  std::string ConfigFile() const { return folder + "/registry.toml"; }
};

struct Layout {
  std::string folder;
  std::string socket_folder;  // short enough for Unix-domain addresses
  std::uint16_t mqtt = 0, primary = 0, http = 0, console = 0, authority = 0, resolver = 0, dot = 0;
  std::uint16_t asp_tls[2] = {0, 0};
  // Of the ASPs' own brokers, where the lab has them: for devices over TLS, and for the ASP's own programs.
  std::uint16_t asp_mqtt[2] = {0, 0}, asp_back_end[2] = {0, 0};

  std::vector<OtherBridge> other_bridges;

  std::string In(const std::string& path) const { return folder + "/" + path; }
  std::string Registry(const std::string& path) const { return folder + "/registry/" + path; }
  std::string ConfigFile() const { return Registry("registry.toml"); }
  std::string PartyCertificate(const std::string& party) const {
    return Registry("interface/parties/" + party + ".pem");
  }
  std::string PartyKey(const std::string& party) const {
    return Registry("interface/parties/" + party + ".key");
  }
  std::string BrokerCa() const { return Registry("interface/ca.pem"); }
  std::string LogFile(const std::string& process) const { return folder + "/logs/" + process + ".log"; }
  std::string TrustAnchor() const { return In("zones/trust-anchor.ds"); }
  std::string RadioSocket(const std::string& mno) const { return socket_folder + "/radio-" + mno; }
  std::string AdminSocket(const std::string& mno) const { return socket_folder + "/ota-" + mno; }
  std::string Modem(std::size_t device) const { return folder + "/modem-" + std::to_string(device); }
  std::string DeskSocket(const std::string& asp) const { return socket_folder + "/desk-" + asp; }
  static std::string AspZone(const std::string& asp) { return asp + ".test"; }
  static std::string AspHost(const std::string& asp) { return "mqtt." + asp + ".test"; }
  static std::string TlsaOwnerAt(std::uint16_t port, int asp) {
    return "_" + std::to_string(port) + "._tcp." + AspHost(kAsps[asp]);
  }
  std::string TlsaOwner(int asp) const { return TlsaOwnerAt(asp_tls[asp], asp); }
};

// Makes sure of the run folder and answers its full path; an empty name: a fresh one among the temporary files. What it
// makes is its user's alone, and marked as a lab's (kMark). A folder that is there must be empty, have the mark, or a
// lab.json: anything else in it is somebody's, and a lab would write over it. Errors: no_folder, not_a_lab.
Result<std::string> MakeFolder(const std::string& folder);
inline constexpr const char* kMark = ".iot-registry-lab";
// Makes the folders inside it and takes the ports.
Result<Layout> MakeLayout(const std::string& folder, Ports& ports);
// So that there are `bridges` in all.
Status AddBridges(Layout& layout, int bridges, Ports& ports);

}  // namespace registry::lab
