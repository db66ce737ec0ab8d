// simulators/lab/lab.h: a whole world on loopback: Mosquitto, registryd, a name server, Unbound and the simulators,
// started, watched and stopped. Used by registry-lab (./dev demo, up) and by the integration tests alike.
// Owns: every process it starts, the folder and the ports while it lives. Stop (also by the destructor) ends the
//   processes in the reverse order of their start.
// Threads: Create, Start*, Stop, Restart from one thread that lives as long as the program (see process.h); the other
//   calls from any. `on_event` runs on the reader thread of the program that said it.
// Errors: a server that ends by itself is reported once, with the end of its log: by a Start that waits meanwhile, or by
//   TakeFailure later. Create: lab_runs when a lab still runs in the folder, which is then left as it is (described.h).
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "schemas/base/mutex.h"
#include "simulators/lab/authority_config.h"
#include "simulators/lab/described.h"
#include "simulators/lab/inventory.h"
#include "simulators/lab/layout.h"
#include "simulators/lab/postgres_server.h"
#include "simulators/lab/process.h"
#include "simulators/lab/static_zone.h"
#include "simulators/lab/usage.h"

namespace registry::lab {

struct LabOptions {
  enum class Publisher { kOwn, kUpdate };  // who holds the zone: the registry, or a signing server
  std::string folder = {};                 // empty: a fresh one
  std::string program_folder = {};         // where registryd, registryctl and the simulators are
  std::string broker_config_folder = {};   // mosquitto.conf.in and acl.conf
  int devices = 10;
  int device_threads = 4;
  int register_first = -1;  // devices registered at once, the rest by SendTo(MNO, "register"); -1: all
  double check_share = 1;   // of the devices, checks.h
  std::uint64_t seed = 0;   // 0: a new inventory every time
  Authority authority = Authority::kBind;  // the public name server
  // The root has a stand-by KSK (RFC 5011 §6.6): resolver and ASPs believe both from the start, devices the first alone.
  bool root_stand_by = false;
  Publisher publisher = Publisher::kOwn;
  LinkFaults faults = {};
  OtaSetup ota = {};
  std::array<SlowMno, 2> slow_mnos = {};  // mno-a, mno-b
  int retry_first_seconds = 10;           // of the registry's actions to MNOs
  int validity_seconds = 0;  // of certificates; 0: a year. A short one makes all of a renewal fast
  bool pilot = false;        // as AspConfig and PilotCards say (inventory.h)
  bool batches = false;    // between registry and simulators, both ways; not where parties are played by hand
  bool telemetry = false;  // a broker for each ASP, to which its devices speak MQTT once they are active
  bool console = false;    // registryd's, for people
  int bridges = 1;  // registryd, of which one is active and the others stand by; more than one needs postgres
  int lease_seconds = 8;  // of theirs
  bool shared = false;    // those that stand by decide commands meanwhile
  // Each has its folder then, and none runs: what they do not have in common is written there.
  std::function<Status(const Layout& layout)> before_bridges = nullptr;
  bool postgres = false;  // the ledger is in a server of the lab's own, and ends with it; else RocksDB
  CardDoorPlan cards = {};
  std::chrono::milliseconds patience{30000};       // for one server to be there
  const std::atomic<bool>* interrupted = nullptr;  // set by a signal: starting gives up
  std::function<void(const std::string& line)> say = nullptr;
  std::function<void(const std::string& program, const nlohmann::json& event)> on_event = nullptr;
};

class Lab {
 public:
  static Result<std::unique_ptr<Lab>> Create(LabOptions options);
  ~Lab();

  Status
  StartServers();  // broker, registryd, name server, Unbound; each is really answering when this returns
  Status StartSimulators();  // ASPs, MNOs, devices: provisioning begins
  void Stop();

  bool SendTo(const std::string& program, const nlohmann::json& command);  // a line on its standard input
  void Kill(const std::string& program);                                   // SIGKILL, and not a failure
  // Its end is no failure from now on, until it is started again.
  void ExpectEnd(const std::string& program);
  void Signal(const std::string& program, int signal);  // other than SIGKILL; that it ends is no failure
  // What is started under this name from now on; the owner calls it.
  void Replace(const std::string& program, const std::string& executable);
  Status Restart(const std::string& program);  // after Kill; waits until it answers again (servers only)
  // The one that was started last; null after Kill. Until the next of these calls for it, on their thread.
  const Process* process(const std::string& program) const;

  // The DS of the root's KSKs: the one that the registry knows, and the stand-by one, if there is one.
  const std::string& root_ds() const { return root_ds_; }
  const std::string& stand_by_ds() const { return stand_by_.ds; }
  // The root's DNSKEY set is of these KSKs from now on, and each signs it (RFC 6781 §4.1.2). The name server reads it at
  // once, and the resolver forgets what it had.
  enum class RootKeys { kFirst, kBoth, kStandBy };
  Status SignRoot(RootKeys keys);

  const Layout& layout() const { return layout_; }
  PostgresServer* postgres() const {
    return postgres_.get();
  }  // where it has one; until the lab is destroyed
  const std::vector<LabEsim>& inventory() const { return inventory_; }
  std::optional<std::string> TakeFailure();  // an unexpected end of a process
  std::map<std::string, Usage> UsageByProcess() const;
  // The registryd that is active: "registryd", "registryd-2"; empty when none says so.
  std::string ActiveBridge() const;
  // The registry's metrics, each the sum over its labels, and over all registryd that decide; empty when it does not answer.
  std::map<std::string, double> RegistryCounters() const;
  nlohmann::json Description() const;  // what lab.json says
  // DIR/lab.json, whole or not at all; `supervisor` (may be null) is listed as its first process.
  Status WriteDescription(const nlohmann::json& supervisor) const;

 private:
  struct Server {
    ProcessSpec spec;
    std::function<bool()> answers;
    std::unique_ptr<Process> process;
    bool expected_end = false;
  };

  explicit Lab(LabOptions options) : options_(std::move(options)) {}
  Status Prepare();
  Status PrepareZones();
  // Signed, with a DS in the zone above for each below: the ASPs' zones, the top-level domain and, last, the root.
  Status MakeZones();
  Status MakeStandBy();
  Status PrepareLedger();
  Status StartBroker();
  Status StartSigningServer();
  Status StartRegistry();
  std::uint16_t ActiveHttp() const;
  static void AddCounters(std::uint16_t http, std::map<std::string, double>& sums);
  Status StartAuthority();
  Status StartResolver();
  Status StartAspBrokers();
  Status StartProgram(const std::string& name, const std::string& program, const nlohmann::json& config);
  Status Launch(const std::string& name, std::vector<std::string> command, std::function<bool()> answers,
                std::vector<std::string> environment = {}, bool talks = false);
  Status LaunchAgain(Server& server);
  void Ended(const std::string& name);
  void Heard(const std::string& name, const std::string& line);
  std::string Program(const std::string& name) const;
  void Say(const std::string& line) const;
  Status AwaitReady();
  bool Interrupted() const;
  bool HasFailure() const;

  const LabOptions options_;
  FolderClaim claim_;
  Ports ports_;
  Layout layout_;
  std::vector<LabEsim> inventory_;
  std::string root_ds_;
  KeySigningKey stand_by_;  // of the root
  std::vector<SignedZone> static_zones_;
  std::unique_ptr<PostgresServer> postgres_;
  mutable Mutex mutex_;
  // In the order of their start. Only the owner's thread adds and removes, with mutex_, so that it reads without it.
  std::vector<std::unique_ptr<Server>> servers_;
  std::map<std::string, bool> ready_ GUARDED_BY(mutex_);  // programs that said so
  std::vector<std::string> failures_ GUARDED_BY(mutex_);
  bool stopping_ GUARDED_BY(mutex_) = false;
};

}  // namespace registry::lab
