#include "tests/crash/campaign_lab.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <utility>

#include "simulators/lab/probe.h"
#include "simulators/lab/registry_setup.h"
#include "tests/support/built_lab.h"
#include "tests/support/test_lab.h"

namespace registry::test {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr int kNodes = 3;
constexpr std::uint64_t kServerOctets = std::uint64_t{900} << 20, kNodeOctets = std::uint64_t{64} << 20;
constexpr const char* kFreeMin = "8388608";
constexpr std::chrono::seconds kLabPatience{180};
// OPERATIONS.md: 0 told to stop, 1 a full disk, a server that is away, 4 another node has taken over. 3 is not among them:
// the standby is synchronous, so no server lacks what was acknowledged.
constexpr int kExpectedEnds[] = {0, 1, 4};

Error CampaignError(const std::string& what) { return Error::Make(Code::kFailed, "lab_failed", what); }

// Of the folders that servers make for themselves.
void SetTemporaryFolder(const std::string& folder) {
  ::setenv("TMPDIR", folder.c_str(), 1);  // NOLINT(concurrency-mt-unsafe): nobody else asks yet
}

Status ReplaceIn(std::string& text, const std::string& word, const std::string& by) {
  const std::size_t at = text.find(word);
  if (at == std::string::npos) return CampaignError("a node's configuration has no " + word);
  text.replace(at, word.size(), by);
  return Done{};
}

template <typename Relay>
Status OpenTo(std::uint16_t to, std::unique_ptr<Relay>& opened, std::uint16_t port = 0) {
  auto relay = Relay::Open(port, to);
  if (!relay) return relay.error();
  opened = std::move(*relay);
  return Done{};
}

std::string PortKey(std::uint16_t port) { return "port = " + std::to_string(port); }

}  // namespace

std::unique_ptr<CampaignLab> CampaignLab::Start(int devices, int register_first, bool shared,
                                                OnEvent on_event) {
  std::unique_ptr<CampaignLab> made(new CampaignLab);
  const auto start = [&]() -> Status {
    if (auto done = made->MakeFolders(devices, register_first, shared, std::move(on_event)); !done)
      return done;
    if (auto done = made->AddServers(); !done) return done;
    if (auto done = made->AddDisks(); !done) return done;
    if (auto done = made->lab_->StartServers(); !done) return done;
    return made->lab_->StartSimulators();
  };
  const auto started = start();
  if (started) return made;
  ADD_FAILURE() << started.error().message;
  return nullptr;
}

CampaignLab::~CampaignLab() {
  nsd_.reset();
  servers_.reset();
  lab_.reset();
  nodes_.clear();
  server_disks_.clear();
  std::error_code ignored;
  if (!testing::Test::HasFailure() && !folder_.empty()) fs::remove_all(folder_, ignored);
}

Status CampaignLab::MakeFolders(int devices, int register_first, bool shared, OnEvent on_event) {
  shared_ = shared;
  built_ = BuiltLab().program_folder;  // before the mount points are others than those it was started from
  has_disks_ = SmallDisk::MayMount();
  std::string folder = (fs::temp_directory_path() / "registry-campaign-XXXXXX").string();
  if (::mkdtemp(folder.data()) == nullptr || ::chmod(folder.c_str(), 0711) != 0)
    return CampaignError("no folder can be made");
  folder_ = folder;
  for (const char* const server : {"/server-1", "/server-2"}) {
    fs::create_directory(folder_ + server);
    if (!has_disks_) continue;
    auto disk = SmallDisk::Under(folder_ + server, kServerOctets, 0755);
    if (!disk) return disk.error();
    server_disks_.push_back(std::move(*disk));
  }
  const std::string programs = folder_ + "/programs";
  if (auto made = MakeSteppedPrograms(built_, programs); !made) return made;
  SetTemporaryFolder(folder_ + "/server-1");
  lab::LabOptions options;
  options.folder = folder_ + "/lab";
  options.program_folder = programs;
  options.devices = devices;
  options.register_first = register_first;
  options.retry_first_seconds = 2;
  options.bridges = kNodes;
  options.shared = shared;
  options.lease_seconds = 6;
  options.postgres = true;
  options.patience = kLabPatience;
  options.before_bridges = [this](const lab::Layout& layout) { return Prepare(layout); };
  options.on_event = std::move(on_event);
  lab_ = NewLab(std::move(options));
  return lab_ ? Status(Done{}) : Status(CampaignError("no lab"));
}

// What is in the log of a server that writes much and is copied often fits on its disk.
Status CampaignLab::AddServers() {
  servers_ = std::make_unique<LedgerServers>(*lab_);
  for (const char* const sql : {"ALTER SYSTEM SET max_wal_size = '128MB'", "SELECT pg_reload_conf()"}) {
    if (const auto done = lab_->postgres()->Ask(sql); !done) return done.error();
  }
  SetTemporaryFolder(folder_ + "/server-2");
  if (auto added = servers_->AddStandby(); !added) return added;
  server_ports_ = servers_->ports();
  SetTemporaryFolder(folder_);
  return Done{};
}

Status CampaignLab::AddDisks() {
  const lab::Layout& layout = lab_->layout();
  nodes_.resize(kNodes);
  nodes_[0].name = "registryd";
  nodes_[0].config_file = layout.ConfigFile();
  for (std::size_t i = 1; i < nodes_.size(); ++i) {
    const lab::OtherBridge& bridge = layout.other_bridges.at(i - 1);
    nodes_[i].name = bridge.name;
    nodes_[i].config_file = bridge.ConfigFile();
  }
  for (CampaignNode& node : nodes_) {
    if (!has_disks_) break;
    auto disk = SmallDisk::Under(fs::path(node.config_file).parent_path(), kNodeOctets, 0700);
    if (!disk) return disk.error();
    node.disk = std::move(*disk);
  }
  if (auto set = lab::SetKeys(layout, "mqtt", {{"keep_alive_seconds", "2"}}); !set) return set;
  return lab::SetKeys(layout, "ledger", {{"free_bytes_min", kFreeMin}});
}

Status CampaignLab::Prepare(const lab::Layout& layout) {
  if (auto started = StartSecondSecondary(layout); !started) return started;
  for (CampaignNode& node : nodes_) {
    node.clock = std::make_unique<NodeClock>(fs::path(node.config_file).parent_path());
    if (auto put = PutBehindRelays(layout, node); !put) return put;
  }
  return Done{};
}

Status CampaignLab::StartSecondSecondary(const lab::Layout& layout) {
  const auto key = lab::ReadTsigKey(layout);
  if (!key) return key.error();
  const auto port = ports_.Take();
  if (!port) return port.error();
  second_secondary_ = *port;
  lab::AuthorityOptions options{
      layout.In("authority-2"), second_secondary_, lab::kZone, layout.primary, key->name, key->secret, {}};
  for (const lab::OtherBridge& bridge : layout.other_bridges)
    options.other_primaries.push_back(bridge.primary);
  fs::create_directory(options.folder);
  const std::string file = options.folder + "/server.conf";
  std::ofstream(file) << lab::ConfigOf(lab::Authority::kNsd, options);
  auto started = lab::Process::Start({.name = "nsd",
                                      .command = lab::CommandOf(lab::Authority::kNsd, file),
                                      .folder = {},
                                      .log_file = layout.LogFile("nsd"),
                                      .on_line = {},
                                      .on_exit = {}});
  if (!started) return started.error();
  nsd_ = std::move(*started);
  return Done{};
}

Status CampaignLab::PutBehindRelays(const lab::Layout& layout, CampaignNode& node) {
  std::ostringstream read;
  read << std::ifstream(node.config_file).rdbuf();
  std::string config = read.str();
  std::string servers = "port=", relays = "port=";
  for (std::size_t i = 0; i < server_ports_.size(); ++i) {
    if (auto opened = OpenTo(server_ports_[i], node.to_ledger[i]); !opened) return opened;
    servers += (i == 0 ? "" : ",") + std::to_string(server_ports_[i]);
    relays += (i == 0 ? "" : ",") + std::to_string(node.to_ledger[i]->port());
  }
  if (auto done = ReplaceIn(config, servers, relays); !done) return done;
  if (auto opened = OpenTo(layout.mqtt, node.to_broker); !opened) return opened;
  if (auto done = ReplaceIn(config, PortKey(layout.mqtt), PortKey(node.to_broker->port())); !done)
    return done;
  const std::array secondaries{layout.authority, second_secondary_};
  std::array<std::uint16_t, 2> asked{};
  for (std::size_t i = 0; i < secondaries.size(); ++i) {
    const auto port = ports_.Take();
    if (!port) return port.error();
    asked[i] = *port;
    if (auto opened = OpenTo(secondaries[i], node.to_secondaries[i], *port); !opened) return opened;
    if (auto opened = OpenTo(secondaries[i], node.for_looks_at_secondary[i], *port); !opened) return opened;
  }
  if (auto done = ReplaceIn(config, PortKey(layout.authority), PortKey(asked[0])); !done) return done;
  config += "\n[[secondary]]\nname = \"nsd\"\naddress = \"127.0.0.1\"\n" + PortKey(asked[1]) + "\n";
  std::ofstream out(node.config_file);
  out << config;
  return out.flush() ? Status(Done{}) : Status(CampaignError("cannot write " + node.config_file));
}

SmallDisk* CampaignLab::DiskOfPrimary() {
  for (const auto& disk : server_disks_) {
    if (servers_->primary()->folder().starts_with(disk->folder())) return disk.get();
  }
  return nullptr;
}

void CampaignLab::Supervise() {
  // Of a node, it is judged by its status below; of anything else it may not be.
  const std::string failure = lab_->TakeFailure().value_or("registryd");
  EXPECT_TRUE(failure.starts_with("registryd")) << failure;
  for (const CampaignNode& node : nodes_) {
    const lab::Process* const process = lab_->process(node.name);
    if (process != nullptr && process->running()) continue;
    if (process != nullptr) {
      const int status = process->exit_status().value_or(0);
      const bool expected = WIFEXITED(status) && std::ranges::count(kExpectedEnds, WEXITSTATUS(status)) > 0;
      EXPECT_TRUE(expected) << process->Obituary();
      ++ends_[WIFEXITED(status) ? WEXITSTATUS(status) : -1];
    }
    (void)lab_->Restart(node.name);  // one that ends at its start is started again the next time
    lab_->ExpectEnd(node.name);
    (void)lab_->TakeFailure();
  }
}

CampaignNode* CampaignLab::Active() {
  const std::string active = lab_->ActiveBridge();
  for (CampaignNode& node : nodes_) {
    if (node.name == active) return &node;
  }
  return nullptr;
}

bool CampaignLab::Serves() {
  for (const CampaignNode& node : nodes_) {
    const lab::Process* const process = lab_->process(node.name);
    if (process == nullptr || !process->running()) return false;
  }
  // One that decides is ready, too; one that stands by never is.
  const auto ready = [](std::uint16_t http) { return lab::HttpOk(lab::kAddress, http, "/readyz"); };
  const std::string active = lab_->ActiveBridge();
  const auto serves = [&](const std::string& name, std::uint16_t http) {
    return (name != active && !shared_) || ready(http);
  };
  return !active.empty() && serves(nodes_[0].name, lab_->layout().http) &&
         std::ranges::all_of(lab_->layout().other_bridges,
                             [&](const lab::OtherBridge& one) { return serves(one.name, one.http); });
}

json CampaignLab::Registryctl(std::vector<std::string> words) {
  const CampaignNode* const active = Active();
  EXPECT_NE(active, nullptr) << "no node is active";
  if (active == nullptr) return {};
  words.insert(words.begin(), built_ + "/registryctl");
  words.insert(words.end(), {"--json", "--config", active->config_file});
  const auto said = lab::RunToEnd(words, {}, std::chrono::minutes(3));
  EXPECT_TRUE(said) << words.at(1) << ": " << said.error().message;
  return said ? json::parse(*said, nullptr, false) : json();
}

}  // namespace registry::test
