#include "clients/conformance/broker.h"

#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <regex>
#include <sstream>
#include <thread>

namespace registry::conformance {
namespace {

namespace fs = std::filesystem;

constexpr std::chrono::seconds kStartsWithin{10};
constexpr std::chrono::milliseconds kLookAgain{20};

Error BrokerError(const std::string& what) { return Error::Make(Code::kFailed, "broker_failed", what); }

// The lab's own, but for where it listens, what it keeps and what it writes.
std::string OwnConfig(const std::string& lab_config, const std::string& folder, std::uint16_t port) {
  std::istringstream in(lab_config);
  std::string text;
  for (std::string line; std::getline(in, line);) {
    if (line.starts_with("log_") || line.starts_with("persistence_location ")) continue;
    if (line.starts_with("listener ")) line = "listener " + std::to_string(port) + " 127.0.0.1";
    text += line + "\n";
  }
  return text + "persistence_location " + folder + "/\nlog_dest file " + folder +
         "/mosquitto.log\nlog_type all\n";
}

}  // namespace

Result<std::unique_ptr<Broker>> Broker::Start(const LabFiles& files, std::uint16_t port) {
  std::string folder = (fs::temp_directory_path() / "registry-conformance-XXXXXX").string();
  if (::mkdtemp(folder.data()) == nullptr)
    return BrokerError("cannot make a folder in " + fs::temp_directory_path().string());
  std::unique_ptr<Broker> broker(new Broker());
  broker->folder_ = folder;
  if (Status status = broker->Launch(files); !status) return status.error();
  auto relay = Relay::Open(port, broker->own_port_);
  if (!relay) return relay.error();
  broker->relay_ = std::move(*relay);
  return broker;
}

// A free port may be taken by somebody else before Mosquitto has it: then it ends, and another one is tried.
Status Broker::Launch(const LabFiles& files) {
  constexpr int kTries = 5;
  const auto until = std::chrono::steady_clock::now() + kStartsWithin;
  for (int left = kTries; left > 0 && std::chrono::steady_clock::now() < until; --left) {
    own_port_ = FreePort();
    const std::string file = folder_ + "/mosquitto.conf";
    std::ofstream(file) << OwnConfig(files.broker_config, folder_, own_port_);
    auto process = Child::Start({"mosquitto", "-c", file}, folder_ + "/mosquitto.out");
    if (!process) return process.error();
    process_ = std::move(*process);
    while (process_->running() && std::chrono::steady_clock::now() < until) {
      if (SaysThatItRuns() && Listens(own_port_)) return Done{};
      std::this_thread::sleep_for(kLookAgain);
    }
  }
  std::string end;
  for (const std::string& line : Log()) end = line;
  return BrokerError("Mosquitto does not start: " + end);
}

// A port that answers may be somebody else's.
bool Broker::SaysThatItRuns() const {
  static const std::regex kRuns("mosquitto version \\S+ running$");
  for (const std::string& line : Log()) {
    if (std::regex_search(line, kRuns)) return true;
  }
  return false;
}

Broker::~Broker() {
  relay_.reset();
  process_.reset();
  std::error_code ignored;
  if (!folder_.empty()) fs::remove_all(folder_, ignored);
}

std::vector<std::string> Broker::Log() const {
  std::ifstream in(folder_ + "/mosquitto.log");
  std::vector<std::string> lines;
  for (std::string line; std::getline(in, line);) lines.push_back(std::move(line));
  return lines;
}

std::vector<SeenConnection> Broker::Connections(const std::string& user) const {
  static const std::regex kConnected(
      R"(New client connected from \S+ as (.*) \(p(\d), c(\d), k\d+, u'([^']*)'\)\.)");
  constexpr int kVersionOf[] = {0, 3, 4, 0, 0, 5};  // by Mosquitto's own numbers: 1, 2 and 5
  std::vector<SeenConnection> seen;
  for (const std::string& line : Log()) {
    std::smatch match;
    if (line.find("New client connected") == std::string::npos || !std::regex_search(line, match, kConnected))
      continue;
    if (match[4] != user) continue;
    const int number = std::stoi(match[2]);
    seen.push_back({match[1], match[4], number < 6 ? kVersionOf[number] : number, match[3] == "1"});
  }
  return seen;
}

int Broker::SubscribedQos(const std::string& client_id, const std::string& filter) const {
  const std::string begin = ": " + client_id + " ";
  int qos = -1;
  for (const std::string& line : Log()) {
    const std::size_t at = line.find(begin);
    const std::size_t digit = at + begin.size();
    if (at == std::string::npos || !line.ends_with(filter) || digit + 1 >= line.size()) continue;
    if (line[digit] >= '0' && line[digit] <= '2' && line[digit + 1] == ' ')
      qos = std::max(qos, line[digit] - '0');
  }
  return qos;
}

std::size_t Broker::SentTo(const std::string& client_id) const {
  const std::string what = "Sending PUBLISH to " + client_id + " ";
  std::size_t count = 0;
  for (const std::string& line : Log()) count += line.find(what) != std::string::npos;
  return count;
}

}  // namespace registry::conformance
