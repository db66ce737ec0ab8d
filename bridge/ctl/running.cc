#include "bridge/ctl/running.h"

#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <nlohmann/json.hpp>
#include <regex>
#include <sstream>
#include <thread>
#include <vector>

#include "bridge/app/http_client.h"

namespace registry::ctl {
namespace {

using SteadyClock = std::chrono::steady_clock;

constexpr std::chrono::milliseconds kLookAgain{50};

nlohmann::json RunOf(const app::Config& config) {
  std::ifstream file(config.run_file);
  auto run = nlohmann::json::parse(file, nullptr, false);
  return run.is_object() ? std::move(run) : nlohmann::json::object();
}

// Where the metrics page is: a port that was taken freely is in the file written when ready.
int HttpPort(const app::Config& config) {
  if (config.http_port != 0 || config.run_file.empty()) return config.http_port;
  return RunOf(config).value("http_port", 0);
}

// A file that outlived its registryd may name somebody else's process by now.
bool IsRegistryd(pid_t pid) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/comm");
  std::string name;
  return std::getline(file, name) && name == "registryd";
}

struct Reloads {
  double taken = 0, refused = 0;
  bool told = false;
};
Reloads ReloadsOf(const app::Config& config) {
  const std::string metrics = MetricsOf(config);
  return {Values(metrics, "registry_config_reloads_total")[""],
          Values(metrics, "registry_config_reloads_refused_total")[""], !metrics.empty()};
}

std::string Words(const std::vector<std::string>& command) {
  std::string text;
  for (const std::string& word : command) text += (text.empty() ? "" : " ") + word;
  return text;
}

// Null when it could not be started.
pid_t Spawn(const std::vector<std::string>& command) {
  std::vector<std::string> words = command;
  std::vector<char*> arguments;
  for (std::string& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  pid_t pid = 0;
  const int why = posix_spawnp(&pid, arguments[0], nullptr, nullptr, arguments.data(), environ);
  errno = why;
  return why == 0 ? pid : 0;
}

// The status, or nullopt when it was ended because it took too long.
std::optional<int> WaitForIt(pid_t pid) {
  const auto until = SteadyClock::now() + kReloadWithin;
  int status = 0;
  while (waitpid(pid, &status, WNOHANG) == 0) {
    if (SteadyClock::now() >= until) {
      kill(pid, SIGKILL);
      waitpid(pid, &status, 0);
      return std::nullopt;
    }
    std::this_thread::sleep_for(kLookAgain);
  }
  return status;
}

}  // namespace

std::string PageOf(const app::Config& config, const std::string& path) {
  const int port = HttpPort(config);
  std::string host = config.http_address;
  if (host == "0.0.0.0") host = "127.0.0.1";
  if (host == "::") host = "::1";
  return port <= 0 ? "" : app::Fetch(host, static_cast<std::uint16_t>(port), path);
}

std::string MetricsOf(const app::Config& config) { return PageOf(config, "/metrics"); }

std::optional<int> ProcessOf(const app::Config& config) {
  const int pid = config.run_file.empty() ? 0 : RunOf(config).value("pid", 0);
  return pid > 0 && IsRegistryd(pid) ? std::optional(pid) : std::nullopt;
}

std::map<std::string, double> Values(const std::string& metrics, const std::string& name) {
  static const std::regex kLine(R"re(^(\w+)(?:\{\w+="((?:[^"\\]|\\.)*)"\})? (\S+)$)re");
  std::map<std::string, double> values;
  std::istringstream lines(metrics);
  for (std::string line; std::getline(lines, line);) {
    std::smatch match;
    if (!line.starts_with(name) || !std::regex_match(line, match, kLine) || match[1] != name) continue;
    values[match[2]] = std::strtod(match[3].str().c_str(), nullptr);
  }
  return values;
}

Told TellRegistryd(const app::Config& config) {
  if (config.run_file.empty())
    return {false, "next: send registryd SIGHUP, so that it takes its parties again (run.file is not set)"};
  const auto pid = static_cast<pid_t>(RunOf(config).value("pid", 0));
  if (pid <= 0 || !IsRegistryd(pid))
    return {false, "registryd is not running; its next start takes its parties"};
  const Reloads before = ReloadsOf(config);
  if (kill(pid, SIGHUP) != 0)
    return {true, "registryd (process " + std::to_string(pid) + ") was not told: " + std::strerror(errno) +
                      "; send it SIGHUP"};
  const std::string told = "registryd (process " + std::to_string(pid) + ") ";
  if (!before.told) return {false, told + "was sent SIGHUP; its log says whether it has taken its parties"};
  for (const auto until = SteadyClock::now() + kTakenWithin; SteadyClock::now() < until;) {
    const Reloads now = ReloadsOf(config);
    if (now.refused > before.refused) return {true, told + "has refused the configuration; its log says why"};
    if (now.taken > before.taken) return {false, told + "has taken its parties again"};
    std::this_thread::sleep_for(kLookAgain);
  }
  return {true, told + "has not said within " + std::to_string(kTakenWithin.count()) +
                    " s that it has taken its parties"};
}

Told TellBroker(const app::Config& config) {
  const auto& command = config.mqtt.broker_reload;
  if (command.empty())
    return {
        false,
        "next: send the broker SIGHUP, so that it refuses what is withdrawn (mqtt.broker_reload is not set)"};
  const std::string words = Words(command);
  const pid_t pid = Spawn(command);
  if (pid == 0) return {true, "the broker was not told: " + words + ": " + std::strerror(errno)};
  const auto status = WaitForIt(pid);
  if (!status) return {true, "the broker may not have been told: " + words + " did not end"};
  if (WIFEXITED(*status) && WEXITSTATUS(*status) == 0) return {false, "the broker was told: " + words};
  return {true, "the broker was not told: " + words + " failed"};
}

}  // namespace registry::ctl
