#include "tests/integration/zone/secondary_process.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <sstream>
#include <vector>

#include "tests/support/loopback.h"
#include "tests/support/shell.h"

namespace registry::zone::testing {
namespace {

// The next look, later: the calling thread rests on a poll of nothing.
void Rest(int milliseconds) { poll(nullptr, 0, milliseconds); }

const char* const kNsdConfig = R"(server:
    ip-address: 127.0.0.1@%PORT%
    username: ""
    chroot: ""
    zonesdir: "%DIR%"
    database: ""
    pidfile: "%DIR%/nsd.pid"
    xfrdfile: "%DIR%/xfrd.state"
    xfrdir: "%DIR%"
    zonelistfile: "%DIR%/zone.list"
    logfile: "%DIR%/server.log"
    verbosity: 3
    server-count: 1
    xfrd-reload-timeout: 0
    zonefiles-write: 1
remote-control:
    control-enable: no
key:
    name: "%KEY%"
    algorithm: hmac-sha256
    secret: "%SECRET%"
zone:
    name: "%ZONE%"
    zonefile: "sec.zone"
    allow-notify: 127.0.0.1 %KEY%
    request-xfr: 127.0.0.1@%PRIMARY% %KEY%
    provide-xfr: 127.0.0.1 NOKEY
    provide-xfr: 127.0.0.1 %KEY%
)";

const char* const kKnotConfig = R"(remote:
  - id: primary
    address: 127.0.0.1@%PRIMARY%
    key: %KEY%
acl:
  - id: notify
    address: 127.0.0.1
    key: %KEY%
    action: [notify, transfer]
  - id: dump
    address: 127.0.0.1
    action: transfer
template:
  - id: default
    storage: %DIR%
    zonefile-sync: -1
    zonefile-load: none
    journal-content: all
zone:
  - domain: %ZONE%
    master: primary
    acl: [notify, dump]
)";

const char* const kBindConfig = R"(key %KEY% { algorithm hmac-sha256; secret "%SECRET%"; };
options {
  directory "%DIR%"; pid-file "%DIR%/named.pid"; session-keyfile "%DIR%/session.key";
  listen-on port %PORT% { 127.0.0.1; }; listen-on-v6 { none; }; recursion no; allow-transfer { 127.0.0.1; };
  dnssec-validation no; notify no; serial-query-rate 1000;
};
controls { };
logging { channel f { file "%DIR%/server.log"; severity info; print-time yes; }; category default { f; }; };
primaries hp { 127.0.0.1 port %PRIMARY% key %KEY%; };
zone "%ZONE%" { type secondary; file "sec.db"; masterfile-format raw; primaries { hp; };
  allow-notify { 127.0.0.1; key %KEY%; }; };
)";

std::vector<std::string> CommandOf(Software software, const std::string& config) {
  switch (software) {
    case Software::kNsd:
      return {"/usr/sbin/nsd", "-d", "-c", config};
    case Software::kKnot:
      return {"/usr/sbin/knotd", "-c", config};
    default:
      return {"/usr/sbin/named", "-g", "-c", config, "-n", "1"};
  }
}

}  // namespace

std::uint16_t FreePort() {
  for (int attempt = 0; attempt < 100; ++attempt) {
    const int tcp = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const int udp = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    sockaddr_in address = registry::test::Loopback();
    socklen_t size = sizeof address;
    auto* any = reinterpret_cast<sockaddr*>(&address);
    const bool free =
        bind(tcp, any, size) == 0 && getsockname(tcp, any, &size) == 0 && bind(udp, any, size) == 0;
    close(tcp);
    close(udp);
    if (free) return ntohs(address.sin_port);
  }
  return 0;
}

const char* const kKnotBasics = R"(server:
    listen: 127.0.0.1@%PORT%
    rundir: %DIR%
    udp-workers: 1
    tcp-workers: 1
    background-workers: 1
log:
  - target: %DIR%/server.log
    any: info
database:
    storage: %DIR%
key:
  - id: %KEY%
    algorithm: hmac-sha256
    secret: %SECRET%
)";

std::string Filled(std::string text, const std::vector<std::pair<std::string, std::string>>& values) {
  for (const auto& [name, value] : values) {
    const std::string mark = "%" + name + "%";
    for (std::size_t at = 0; (at = text.find(mark, at)) != text.npos; at += value.size())
      text.replace(at, mark.size(), value);
  }
  return text;
}

std::string RunCommand(const std::string& line) { return test::Shell(line + " 2>&1").output; }

bool Eventually(const std::function<bool()>& done, std::chrono::milliseconds limit) {
  const auto until = std::chrono::steady_clock::now() + limit;
  while (!done()) {
    if (std::chrono::steady_clock::now() > until) return false;
    Rest(5);
  }
  return true;
}

SecondaryProcess::SecondaryProcess(Software software, const ZoneFiles& files, const std::string& name,
                                   std::uint16_t primary_port, std::uint16_t port)
    : software_(software),
      name_(name),
      folder_(files.path(name)),
      port_(port != 0 ? port : FreePort()),
      primary_port_(primary_port) {
  std::filesystem::create_directory(folder_);
  config_ = Configure();
}

void SecondaryProcess::GiveKey(const std::string& name, const std::string& secret) {
  key_name_ = name;
  secret_ = secret;
  config_ = Configure();
}

std::string SecondaryProcess::Configure() const {
  const std::string text = software_ == Software::kNsd    ? kNsdConfig
                           : software_ == Software::kKnot ? std::string(kKnotBasics) + kKnotConfig
                                                          : kBindConfig;
  const std::string file = folder_ + "/server.conf";
  std::ofstream(file) << Filled(text, {{"PRIMARY", std::to_string(primary_port_)},
                                       {"PORT", std::to_string(port_)},
                                       {"DIR", folder_},
                                       {"KEY", key_name_},
                                       {"SECRET", secret_},
                                       {"ZONE", kZone}});
  return file;
}

void SecondaryProcess::Start() {
  std::vector<std::string> words = CommandOf(software_, config_);
  std::vector<char*> arguments;
  for (std::string& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  const std::string output = folder_ + "/output.log";
  posix_spawn_file_actions_addopen(&actions, 1, output.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0644);
  posix_spawn_file_actions_adddup2(&actions, 1, 2);
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  // Its own process group: NSD has children that must end with it.
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP);
  REG_CHECK(posix_spawn(&pid_, words[0].c_str(), &actions, &attributes, arguments.data(), environ) == 0);
  posix_spawn_file_actions_destroy(&actions);
  posix_spawnattr_destroy(&attributes);
}

void SecondaryProcess::End(int signal) {
  if (pid_ < 0) return;
  const pid_t group = pid_;
  kill(signal == SIGKILL ? -group : group, signal);
  const bool ended =
      Eventually([this] { return waitpid(pid_, nullptr, WNOHANG) == pid_; }, std::chrono::seconds(10));
  kill(-group, SIGKILL);
  if (!ended) waitpid(pid_, nullptr, 0);
  pid_ = -1;
}

void SecondaryProcess::Freeze() const { kill(-pid_, SIGSTOP); }
void SecondaryProcess::Thaw() const { kill(-pid_, SIGCONT); }
void SecondaryProcess::Stop() { End(SIGTERM); }
void SecondaryProcess::Kill() { End(SIGKILL); }

std::string SecondaryProcess::Log() const {
  std::string all;
  for (const char* const name : {"/server.log", "/output.log"}) {
    std::ostringstream text;  // of each its own: an empty file would be a failure to all that comes behind
    text << std::ifstream(folder_ + name).rdbuf();
    all += text.str();
  }
  return all;
}

std::string SecondaryProcess::TransferLog() const {
  std::ostringstream text;
  text << std::ifstream(folder_ + (software_ == Software::kBind ? "/output.log" : "/server.log")).rdbuf();
  return text.str();
}

std::string SecondaryProcess::Dig(const std::string& arguments) const {
  return RunCommand("dig @127.0.0.1 -p " + std::to_string(port_) + " +time=5 +tries=2 " + arguments);
}

std::string SecondaryProcess::Dump() const {
  return Dig(std::string("+noall +answer +onesoa ") + kZone + " AXFR");
}

}  // namespace registry::zone::testing
