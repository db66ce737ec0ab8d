#include "simulators/lab/lab.h"

#include <sys/stat.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <random>

#include "simulators/lab/asp_broker.h"
#include "simulators/lab/checks.h"
#include "simulators/lab/confined.h"
#include "simulators/lab/credential.h"
#include "simulators/lab/probe.h"
#include "simulators/lab/registry_setup.h"
#include "simulators/lab/server_config.h"
#include "simulators/lab/signing_server.h"

namespace registry::lab {
namespace {

Error LabError(const std::string& what) { return Error::Make(Code::kFailed, "lab_failed", what); }

// Its user's alone: EIDs, the transfer key, what is being tested.
Status WriteText(const std::string& file, const std::string& text) {
  std::ofstream out(file, std::ios::trunc);
  if (::chmod(file.c_str(), 0600) != 0) return LabError("cannot write " + file);
  out << text;
  if (!out.flush()) return LabError("cannot write " + file);
  return Done{};
}

Result<std::string> ReadText(const std::string& file) {
  std::ifstream in(file);
  if (!in) return LabError("cannot read " + file);
  return std::string(std::istreambuf_iterator<char>(in), {});
}

// dig, delv and kdig take keys and anchors in BIND's form.
std::string BindAnchor(const std::string& ds) {
  std::istringstream fields(ds.substr(ds.find("DS") + 2));
  std::string tag, algorithm, type, digest, part;
  fields >> tag >> algorithm >> type;
  while (fields >> part && part[0] != ';') digest += part;
  return "trust-anchors { . static-ds " + tag + " " + algorithm + " " + type + " \"" + digest + "\"; };\n";
}

// A folder that an earlier version made has no list, and Mosquitto does not start without a file it is told of.
std::string CrlLine(const Layout& layout) {
  const std::string file = layout.Registry("interface/crl.pem");
  return std::filesystem::exists(file) ? "crlfile " + file : std::string();
}

// A session takes hundreds of blocks of the same few sizes from the heap and gives them back at its end; a thread of glibc
// keeps seven of each size for itself, and looks for every other in a heap that all share ("Memory Allocation Tunables").
std::vector<std::string> EnvironmentOf(const std::string& program) {
  const bool sessions = program == "asp-sim" || program == "device-sim";
  return sessions ? std::vector<std::string>{"GLIBC_TUNABLES=glibc.malloc.tcache_count=500"}
                  : std::vector<std::string>();
}

}  // namespace

Result<std::unique_ptr<Lab>> Lab::Create(LabOptions options) {
  ::signal(SIGPIPE, SIG_IGN);  // a simulator that has ended must not end us
  std::unique_ptr<Lab> lab(new Lab(std::move(options)));
  if (Status status = lab->Prepare(); !status) return status.error();
  return lab;
}

Lab::~Lab() { Stop(); }

void Lab::Say(const std::string& line) const {
  if (options_.say) options_.say(line);
}

std::string Lab::Program(const std::string& name) const { return options_.program_folder + "/" + name; }

Status Lab::Prepare() {
  auto folder = MakeFolder(options_.folder);
  if (!folder) return folder.error();
  auto claim = FolderClaim::Take(*folder);
  if (!claim) return claim.error();
  claim_ = std::move(*claim);
  auto layout = MakeLayout(*folder, ports_);
  if (!layout) return layout.error();
  layout_ = *layout;
  if (options_.bridges > 1 && !options_.postgres)
    return LabError("several bridges need a ledger in postgres");
  if (options_.shared && options_.bridges < 2) return LabError("one bridge shares its work with nobody");
  if (auto added = AddBridges(layout_, options_.bridges, ports_); !added) return added;
  const std::uint64_t seed = options_.seed != 0 ? options_.seed : std::random_device{}();
  inventory_ = MakeInventory(options_.devices, seed);
  ChooseChecked(inventory_, options_.check_share, seed);
  if (options_.ota.on() && !MakeCardKeys(inventory_)) return LabError("no randomness for the cards' keys");
  Say("making keys, certificates and zones in " + layout_.folder);
  if (Status status = InitRegistry(layout_, Program("registryctl")); !status) return status.error();
  if (options_.postgres) {
    auto server = PostgresServer::Start({.durable = true, .settings = {}, .patience = options_.patience});
    if (!server) return server.error();
    postgres_ = std::move(*server);
    Say("postgres is up");
  }
  if (Status status = PrepareZones(); !status) return status;
  return PrepareLedger();
}

// What `registryctl init` made is a ledger of RocksDB.
Status Lab::PrepareLedger() {
  if (!postgres_) return Done{};
  const auto made = RunToEnd({Program("registryctl"), "ledger", "migrate", "--config", layout_.ConfigFile()});
  return made ? Status(Done{}) : Status(made.error());
}

Status Lab::PrepareZones() {
  if (Status status = MakeZones(); !status) return status;
  if (Status status = MakeStandBy(); !status) return status;
  const std::string known = root_ds_ + "\n" + (options_.root_stand_by ? stand_by_.ds + "\n" : "");
  if (Status status = WriteText(layout_.TrustAnchor(), known); !status) return status;
  if (Status status = WriteText(layout_.In("zones/trust-anchor.bind"), BindAnchor(root_ds_)); !status)
    return status;
  auto resolver = MakeCredential(layout_.In("tls/resolver"), kResolverName);
  if (!resolver) return resolver.error();
  RegistrySetup setup;
  setup.resolver_certificate_file = resolver->certificate_file;
  setup.trust_anchor = root_ds_;
  setup.authority = options_.authority;
  setup.by_update = options_.publisher == LabOptions::Publisher::kUpdate;
  setup.batches = options_.batches;
  setup.console = options_.console;
  setup.retry_first_seconds = options_.retry_first_seconds;
  setup.validity_seconds = options_.validity_seconds;
  if (postgres_) {
    setup.postgres = postgres_->connection();
    setup.postgres_password_file = postgres_->password_file();
    if (options_.bridges > 1) setup.lease_seconds = options_.lease_seconds;
    setup.shared = options_.shared;
  }
  return CompleteConfig(layout_, setup);
}

Status Lab::StartServers() {
  for (auto start : {&Lab::StartBroker, &Lab::StartSigningServer, &Lab::StartRegistry, &Lab::StartAuthority,
                     &Lab::StartResolver, &Lab::StartAspBrokers, &Lab::AwaitReady}) {
    if (Interrupted()) return LabError("interrupted");
    if (Status status = (this->*start)(); !status) return status;
  }
  return Done{};
}

Status Lab::StartBroker() {
  auto text = ReadText(options_.broker_config_folder + "/mosquitto.conf.in");
  if (!text) return text.error();
  auto config = FillTemplate(
      *text, {{"ADDRESS", kAddress},
              {"PORT", std::to_string(layout_.mqtt)},
              {"CA_FILE", layout_.BrokerCa()},
              {"CERTIFICATE_FILE", layout_.Registry("interface/broker.pem")},
              {"KEY_FILE", layout_.Registry("interface/broker.key")},
              {"CRL_LINE", CrlLine(layout_)},
              {"GUARD_CRL_LINE", GuardCrlLine(CrlLine(layout_))},
              {"ACL_FILE", options_.broker_config_folder + "/acl.conf"},
              {"GUARD_FILE", Program("registry-subscribe-guard.so")},
              {"STATE_DIR", layout_.In("broker")},
              {"LOG_FILE", layout_.LogFile("mosquitto")},
              {"USER", "root"}});  // started by others, Mosquitto ignores it and stays what it is
  if (!config) return config.error();
  const std::string file = layout_.In("broker/mosquitto.conf");
  if (Status status = WriteText(file, *config); !status) return status;
  return Launch("mosquitto", {"mosquitto", "-c", file},
                [this] { return TcpAnswers(kAddress, layout_.mqtt); });
}

Status Lab::StartSigningServer() {
  if (options_.publisher != LabOptions::Publisher::kUpdate) return Done{};
  const auto key = ReadTsigKey(layout_);
  if (!key) return key.error();
  if (Status made = PrepareSigningServer(layout_, *key); !made) return made;
  return Launch("signing-server", SigningServerCommand(layout_),
                [this] { return SoaAnswers(kAddress, layout_.primary, kZone); });
}

Status Lab::StartRegistry() {
  // Before the first one runs, which writes into its folder.
  for (const OtherBridge& bridge : layout_.other_bridges) {
    if (auto copied = CopyRegistry(layout_, bridge); !copied) return copied;
  }
  if (options_.before_bridges) {
    if (auto prepared = options_.before_bridges(layout_); !prepared) return prepared;
  }
  const Status first = Launch("registryd", {Program("registryd"), "--config", layout_.ConfigFile()},
                              [this] { return HttpOk(kAddress, layout_.http, "/healthz"); });
  if (!first) return first;
  // It answers when it stands by, and the next one would be as fast.
  const auto active = [this] { return Interrupted() || HasFailure() || ActiveBridge() == "registryd"; };
  if (!layout_.other_bridges.empty() && !WaitUntil(active, options_.patience))
    return LabError("the first registryd does not take the ledger");
  for (const OtherBridge& bridge : layout_.other_bridges) {
    const auto answers = [port = bridge.http] { return HttpOk(kAddress, port, "/healthz"); };
    const Status started =
        Launch(bridge.name, {Program("registryd"), "--config", bridge.ConfigFile()}, answers);
    if (!started) return started;
  }
  return Done{};
}

Status Lab::StartAuthority() {
  auto key = ReadTsigKey(layout_);
  if (!key) return key.error();
  AuthorityOptions authority{layout_.In("authority"),
                             layout_.authority,
                             kZone,
                             layout_.primary,
                             key->name,
                             key->secret,
                             static_zones_};
  for (const OtherBridge& bridge : layout_.other_bridges) authority.other_primaries.push_back(bridge.primary);
  const std::string file = layout_.In("authority/server.conf");
  Status status = WriteText(file, ConfigOf(options_.authority, authority));
  if (!status) return status;
  status =
      WriteText(layout_.In("zones/tsig.conf"),
                "key \"" + key->name + "\" { algorithm hmac-sha256; secret \"" + key->secret + "\"; };\n");
  if (!status) return status;
  std::vector<std::string> command = CommandOf(options_.authority, file);
  auto program = Unconfined(command[0], layout_.In("authority"), IsConfined(FindProgram(command[0])));
  if (!program) return program.error();
  command[0] = *program;
  return Launch(NameOf(options_.authority), command, [this] {
    return SoaAnswers(kAddress, layout_.authority, "") && SoaAnswers(kAddress, layout_.authority, kZone);
  });
}

Status Lab::StartResolver() {
  ResolverOptions unbound;
  unbound.folder = layout_.In("unbound");
  unbound.port = layout_.resolver;
  unbound.dot_port = layout_.dot;
  unbound.key_file = layout_.In("tls/resolver.key");
  unbound.certificate_file = layout_.In("tls/resolver.pem");
  unbound.trust_anchor_file = layout_.TrustAnchor();
  unbound.authority_port = layout_.authority;
  unbound.zones.emplace_back(kZone);
  for (const auto& zone : static_zones_) unbound.zones.push_back(zone.name);
  const std::string file = layout_.In("unbound/unbound.conf");
  if (Status status = WriteText(file, UnboundConfig(unbound)); !status) return status;
  auto program = Unconfined("unbound", layout_.In("unbound"), IsConfined(FindProgram("unbound")));
  if (!program) return program.error();
  return Launch("unbound", {*program, "-d", "-c", file}, [this] {
    return TcpAnswers(kAddress, layout_.dot) && ResolverValidates(kAddress, layout_.resolver, kZone);
  });
}

// A port answers before the files are read and the plug-in is there; the log says when.
Status Lab::StartAspBrokers() {
  if (auto gathered = GatherIssuing(layout_); !gathered) return gathered;
  for (int i = 0; i < 2 && options_.telemetry; ++i) {
    if (auto made = PrepareAspBroker(layout_, i, Program("registry-mosquitto-plugin.so")); !made) return made;
    const AspBroker broker = AspBrokerOf(layout_, i);
    const auto answers = [broker] {
      return TailOf(broker.log_file, 100).find(" running\n") != std::string::npos;
    };
    const auto launched =
        Launch(std::string("mosquitto-") + kAsps[i], {"mosquitto", "-c", broker.config_file}, answers);
    if (!launched) return launched;
  }
  return Done{};
}

// With its broker and its secondary there: what it still misses it says itself.
Status Lab::AwaitReady() {
  const auto ready = [this] { return HttpOk(kAddress, ActiveHttp(), "/readyz"); };
  if (WaitUntil(ready, options_.patience, [this] { return Interrupted() || HasFailure(); })) return Done{};
  if (Interrupted()) return LabError("interrupted while registryd was getting ready");
  if (const auto failure = TakeFailure()) return LabError(*failure);
  const auto page = HttpAnswer(kAddress, ActiveHttp(), "/readyz");
  return LabError("registryd is not ready; /readyz says: " + (page ? page->body : "nothing\n"));
}

Status Lab::StartSimulators() {
  if (auto gathered = GatherIssuing(layout_); !gathered) return gathered;
  for (int i = 0; i < 2; ++i) {
    auto config = AspConfig(layout_, i, options_.pilot);
    config["batches"] = options_.batches;
    if (options_.telemetry) config["broker"] = AspBrokerPart(layout_, i);
    if (Status status = StartProgram(kAsps[i], "asp-sim", config); !status) return status;
  }
  for (int i = 0; i < 2; ++i) {
    auto config = MnoConfig(layout_, i, inventory_, options_.faults, options_.slow_mnos[i], options_.ota);
    config["batches"] = options_.batches;
    // Devices belong to the MNOs in turn.
    if (options_.register_first >= 0) config["register_first"] = (options_.register_first + 1 - i) / 2;
    if (Status status = StartProgram(kMnos[i], "mno-sim", config); !status) return status;
  }
  const CardDoorPlan cards =
      options_.pilot ? PilotCards(layout_, options_.cards, inventory_.size()) : options_.cards;
  auto devices = DeviceConfig(layout_, inventory_, options_.device_threads, cards, options_.ota);
  devices["telemetry"] = options_.telemetry;
  return StartProgram("devices", "device-sim", devices);
}

Status Lab::StartProgram(const std::string& name, const std::string& program, const nlohmann::json& config) {
  const std::string file = layout_.In("simulators/" + name + ".json");
  if (Status status = WriteText(file, config.dump(1) + "\n"); !status) return status;
  const auto said_ready = [this, name] {
    const MutexLock lock(mutex_);
    return ready_[name];
  };
  return Launch(name, {Program(program), "--config", file}, said_ready, EnvironmentOf(program), true);
}

Status Lab::Launch(const std::string& name, std::vector<std::string> command, std::function<bool()> answers,
                   std::vector<std::string> environment, bool talks) {
  auto server = std::make_unique<Server>();
  server->spec.name = name;
  server->spec.command = std::move(command);
  server->spec.environment = std::move(environment);
  server->spec.log_file = layout_.LogFile(name);
  if (talks) server->spec.on_line = [this, name](const std::string& line) { Heard(name, line); };
  server->spec.on_exit = [this, name] { Ended(name); };
  server->answers = std::move(answers);
  Server& kept = *server;
  {
    const MutexLock lock(mutex_);
    servers_.push_back(std::move(server));
  }
  return LaunchAgain(kept);
}

Status Lab::LaunchAgain(Server& server) {
  std::unique_ptr<Process> earlier;
  {
    const MutexLock lock(mutex_);
    server.expected_end = true;  // of the earlier one, should it still be about to end
    earlier = std::move(server.process);
    ready_[server.spec.name] = false;
  }
  earlier.reset();
  {
    const MutexLock lock(mutex_);
    server.expected_end = false;
  }
  auto started = Process::Start(server.spec);
  if (!started) return started.error();
  Process* process = started->get();
  {
    const MutexLock lock(mutex_);
    server.process = std::move(*started);
  }
  const auto give_up = [this, process] { return !process->running() || Interrupted() || HasFailure(); };
  if (WaitUntil(server.answers, options_.patience, give_up)) {
    Say(server.spec.name + " is up");
    return Done{};
  }
  const auto failure = TakeFailure();
  if (!process->running()) return LabError(process->Obituary());
  if (Interrupted()) return LabError("interrupted while " + server.spec.name + " was starting");
  if (failure) return LabError(*failure);
  return LabError(server.spec.name + " does not answer; the end of its log:\n" +
                  TailOf(server.spec.log_file, 20));
}

void Lab::Ended(const std::string& name) {
  const MutexLock lock(mutex_);
  if (stopping_) return;
  for (const auto& server : servers_) {
    if (server->spec.name != name || server->expected_end) continue;
    failures_.push_back(server->process ? server->process->Obituary() : name + " ended at once");
  }
}

void Lab::Heard(const std::string& name, const std::string& line) {
  const auto event = nlohmann::json::parse(line, nullptr, false);
  if (!event.is_object() || !event.contains("event")) return;
  if (event["event"] == "ready") {
    const MutexLock lock(mutex_);
    ready_[name] = true;
  }
  if (options_.on_event) options_.on_event(name, event);
}

void Lab::Stop() {
  {
    const MutexLock lock(mutex_);
    stopping_ = true;
  }
  // Only this thread adds or removes servers, so the vector may be read without the lock, which handlers
  // need.
  for (auto server = servers_.rbegin(); server != servers_.rend(); ++server) {
    if ((*server)->process) (*server)->process->Stop();
  }
  for (auto server = servers_.rbegin(); server != servers_.rend(); ++server) (*server)->process.reset();
}

bool Lab::SendTo(const std::string& program, const nlohmann::json& command) {
  const MutexLock lock(mutex_);
  for (const auto& server : servers_) {
    if (server->spec.name == program && server->process) return server->process->WriteLine(command.dump());
  }
  return false;
}

void Lab::Kill(const std::string& program) {
  for (const auto& server : servers_) {
    if (server->spec.name != program) continue;
    std::unique_ptr<Process> process;
    {
      const MutexLock lock(mutex_);
      server->expected_end = true;
      process = std::move(server->process);
    }
    if (process) process->Signal(SIGKILL);
    // Its destructor, here and without the lock, waits for the end and for the handlers that hear of it.
  }
}

void Lab::ExpectEnd(const std::string& program) {
  const MutexLock lock(mutex_);
  for (const auto& server : servers_) {
    if (server->spec.name == program) server->expected_end = true;
  }
}

void Lab::Signal(const std::string& program, int signal) {
  ExpectEnd(program);
  const MutexLock lock(mutex_);
  for (const auto& server : servers_) {
    if (server->spec.name == program && server->process) server->process->Signal(signal);
  }
}

void Lab::Replace(const std::string& program, const std::string& executable) {
  for (const auto& server : servers_) {
    if (server->spec.name == program) server->spec.command.front() = executable;
  }
}

Status Lab::Restart(const std::string& program) {
  for (const auto& server : servers_) {
    if (server->spec.name == program) return LaunchAgain(*server);
  }
  return LabError("nothing here is called " + program);
}

const Process* Lab::process(const std::string& program) const {
  for (const auto& server : servers_) {
    if (server->spec.name == program) return server->process.get();
  }
  return nullptr;
}

bool Lab::Interrupted() const { return options_.interrupted != nullptr && *options_.interrupted; }

bool Lab::HasFailure() const {
  const MutexLock lock(mutex_);
  return !failures_.empty();
}

std::optional<std::string> Lab::TakeFailure() {
  const MutexLock lock(mutex_);
  if (failures_.empty()) return std::nullopt;
  std::string text;
  for (const auto& failure : failures_) text += failure + "\n";
  failures_.clear();
  return text;
}

}  // namespace registry::lab
