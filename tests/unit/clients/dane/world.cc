#include "tests/unit/clients/dane/world.h"

#include <fcntl.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "tests/support/loopback.h"

namespace registry::clients::test {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

std::string Slurp(const std::string& path) {
  std::ifstream in(path);
  std::stringstream text;
  text << in.rdbuf();
  return text.str();
}

// A validator may refuse a signature in the very second of its inception.
std::string AnHourAgo() {
  const std::time_t when = std::time(nullptr) - 3600;
  std::tm parts{};
  gmtime_r(&when, &parts);
  char text[16];
  std::strftime(text, sizeof text, "%Y%m%d%H%M%S", &parts);
  return text;
}

pid_t Spawn(const std::string& folder, const std::vector<std::string>& command, const std::string& out) {
  const pid_t child = fork();
  if (child != 0) return child;
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (chdir(folder.c_str()) != 0) _exit(126);
  const int log = open(out.c_str(), O_CREAT | O_WRONLY | O_TRUNC, 0600);
  dup2(log, 1);
  dup2(open((out + ".err").c_str(), O_CREAT | O_WRONLY | O_APPEND, 0600), 2);
  std::vector<char*> argv;
  for (const std::string& word : command) argv.push_back(const_cast<char*>(word.c_str()));
  argv.push_back(nullptr);
  execvp(argv[0], argv.data());
  _exit(127);
}

void End(pid_t& child) {
  if (child <= 0) return;
  kill(child, SIGKILL);
  waitpid(child, nullptr, 0);
  child = 0;
}

bool Connects(std::uint16_t port) {
  const int socket_fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const sockaddr_in address = registry::test::Loopback(port);
  const bool ok = connect(socket_fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  close(socket_fd);
  return ok;
}

}  // namespace

std::optional<std::string> Run(const std::string& folder, const std::vector<std::string>& command) {
  const std::string out = folder + "/run.out";
  const pid_t child = Spawn(folder, command, out);
  int status = 0;
  if (child < 0 || waitpid(child, &status, 0) != child || status != 0) {
    std::fprintf(stderr, "%s failed: %s\n", command[0].c_str(), Slurp(out + ".err").c_str());
    return std::nullopt;
  }
  return Slurp(out);
}

std::uint16_t FreePort() {
  const int socket_fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address = registry::test::Loopback(0);
  socklen_t size = sizeof address;
  const bool ok = bind(socket_fd, reinterpret_cast<sockaddr*>(&address), size) == 0 &&
                  getsockname(socket_fd, reinterpret_cast<sockaddr*>(&address), &size) == 0;
  close(socket_fd);
  return ok ? ntohs(address.sin_port) : 0;
}

bool WaitListening(std::uint16_t port, int deadline_ms) {
  const auto end = Clock::now() + std::chrono::milliseconds(deadline_ms);
  while (Clock::now() < end) {
    if (Connects(port)) return true;
    poll(nullptr, 0, 10);
  }
  return false;
}

bool WaitClosedByPeer(std::uint16_t port, int deadline_ms) {
  char peer[16];
  std::snprintf(peer, sizeof peer, "0100007F:%04X", port);
  const std::string close_wait = std::string(peer) + " 08";  // proc(5): rem_address, then the state
  const auto end = Clock::now() + std::chrono::milliseconds(deadline_ms);
  while (Clock::now() < end) {
    std::ifstream table("/proc/net/tcp");
    for (std::string line; std::getline(table, line);) {
      if (line.find(close_wait) != std::string::npos) return true;
    }
    poll(nullptr, 0, 10);
  }
  return false;
}

std::unique_ptr<World> World::Start(const Zones& zones, const std::map<std::string, std::string>& spoil,
                                    const Zones& unsigned_zones) {
  std::unique_ptr<World> world(new World());
  std::string pattern = (fs::temp_directory_path() / "dane-world-XXXXXX").string();
  if (mkdtemp(pattern.data()) == nullptr) return nullptr;
  world->folder_ = pattern;
  for (const auto& [zone, records] : zones) {
    if (!world->SignZone(zone, records, spoil)) return nullptr;
  }
  for (const auto& [zone, records] : unsigned_zones) world->LeaveUnsigned(zone, records);
  if (!world->SignZone("", world->delegations_, {})) return nullptr;
  if (!world->MakeResolverCertificate() || !world->StartServers()) return nullptr;
  return world;
}

World::~World() {
  End(unbound_);
  End(nsd_);
  std::error_code ignored;
  if (getenv("KEEP_WORLD") == nullptr) fs::remove_all(folder_, ignored);
}

bool World::HasIpv6() {
  std::ifstream addresses("/proc/net/if_inet6");
  for (std::string line; std::getline(addresses, line);) {
    if (line.starts_with(std::string(31, '0') + "1 ")) return true;
  }
  return false;
}

void World::StopResolver() { End(unbound_); }

std::string World::WriteZone(const std::string& zone, const std::vector<std::string>& records) {
  const std::string stem = zone.empty() ? "root" : zone;
  std::ofstream file(folder_ + "/" + stem);
  file << "$ORIGIN " << zone
       << ".\n$TTL 60\n@ IN SOA ns.test. hostmaster.test. 1 3600 600 86400 1\n@ IN NS ns.test.\n";
  for (const std::string& record : records) file << record << '\n';
  return stem;
}

void World::LeaveUnsigned(const std::string& zone, const std::vector<std::string>& records) {
  const std::string stem = WriteZone(zone, records);
  fs::copy_file(folder_ + "/" + stem, folder_ + "/" + stem + ".signed");
  delegations_.push_back(zone + ". 60 IN NS ns.test.");
  zones_.insert(zones_.begin(), zone);
}

bool World::SignZone(const std::string& zone, const std::vector<std::string>& records,
                     const std::map<std::string, std::string>& spoil) {
  const std::string origin = zone + ".", stem = WriteZone(zone, records);
  const auto key = Run(folder_, {"ldns-keygen", "-a", "ECDSAP256SHA256", "-k", "-r", "/dev/urandom", origin});
  if (!key) return false;
  const std::string name = key->substr(0, key->find_last_not_of("\n") + 1);
  if (!Run(folder_, {"ldns-signzone", "-n", "-t", "0", "-i", AnHourAgo(), "-o", origin, "-f",
                     stem + ".signed", stem, name}))
    return false;
  const auto ds = Run(folder_, {"ldns-key2ds", "-n", "-2", name + ".key"});
  if (!ds) return false;
  if (zone.empty()) {
    anchor_ = ds->substr(0, ds->find('\n'));
    std::replace(anchor_.begin(), anchor_.end(), '\t', ' ');
  } else {
    delegations_.push_back(origin + " 60 IN NS ns.test.");
    delegations_.push_back(ds->substr(0, ds->find('\n')));
  }
  zones_.push_back(zone);
  std::string text = Slurp(folder_ + "/" + stem + ".signed");
  for (const auto& [from, to] : spoil) {
    if (const auto at = text.find(from); at != std::string::npos) text.replace(at, from.size(), to);
  }
  std::ofstream(folder_ + "/" + stem + ".signed") << text;
  return true;
}

bool World::MakeResolverCertificate() {
  if (!Run(folder_,
           {"openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
            "-keyout", "dot.key", "-out", "dot.pem", "-subj", "/CN=resolver.test", "-days", "2"})) {
    return false;
  }
  FILE* file = std::fopen((folder_ + "/dot.pem").c_str(), "r");
  X509* certificate = file != nullptr ? PEM_read_X509(file, nullptr, nullptr, nullptr) : nullptr;
  if (file != nullptr) std::fclose(file);
  if (certificate == nullptr) return false;
  std::uint8_t* der = nullptr;
  const int size = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(certificate), &der);
  pin_.resize(32);
  EVP_Digest(der, static_cast<std::size_t>(size), pin_.data(), nullptr, EVP_sha256(), nullptr);
  OPENSSL_free(der);
  X509_free(certificate);
  return true;
}

bool World::StartServers() {
  dns_port_ = FreePort();
  dot_port_ = FreePort();
  std::ofstream nsd(folder_ + "/nsd.conf");
  nsd << "server:\n ip-address: 127.0.0.1@" << dns_port_ << "\n username: \"\"\n chroot: \"\"\n zonesdir: \""
      << folder_ << "\"\n database: \"\"\n pidfile: \"" << folder_ << "/nsd.pid\"\n xfrdfile: \"" << folder_
      << "/xfrd.state\"\n zonelistfile: \"" << folder_
      << "/zone.list\"\n server-count: 1\n rrl-ratelimit: 0\n"
      << "remote-control:\n control-enable: no\n";
  for (const std::string& zone : zones_) {
    nsd << "zone:\n name: \"" << zone << ".\"\n zonefile: \"" << (zone.empty() ? "root" : zone)
        << ".signed\"\n";
  }
  nsd.close();
  std::ofstream(folder_ + "/anchor") << anchor_ << '\n';
  std::ofstream unbound(folder_ + "/unbound.conf");
  unbound
      << "server:\n tcp-idle-timeout: " << kResolverIdle.count() << "\n interface: 127.0.0.1@" << dot_port_
      << (HasIpv6() ? "\n access-control: ::1 allow\n interface: ::1@" + std::to_string(dot_port_)
                    : std::string())
      << "\n tls-port: " << dot_port_
      << "\n tls-service-key: \"dot.key\"\n tls-service-pem: \"dot.pem\"\n username: \"\"\n chroot: \"\"\n"
      << " directory: \"" << folder_ << "\"\n pidfile: \"unbound.pid\"\n use-syslog: no\n"
      << " do-not-query-localhost: no\n access-control: 127.0.0.0/8 allow\n module-config: \"validator "
         "iterator\"\n"
      << " local-zone: \"test.\" nodefault\n trust-anchor-file: \"anchor\"\n cache-max-negative-ttl: 1\n"
      << " do-daemonize: no\n num-threads: 1\nremote-control:\n control-enable: no\n"
      << "stub-zone:\n name: \".\"\n stub-addr: 127.0.0.1@" << dns_port_ << "\n";
  for (const std::string& zone : zones_) {
    if (!zone.empty())
      unbound << "stub-zone:\n name: \"" << zone << "\"\n stub-addr: 127.0.0.1@" << dns_port_ << "\n";
  }
  unbound.close();
  nsd_ = Spawn(folder_, {"/usr/sbin/nsd", "-d", "-c", "nsd.conf"}, "nsd.log");
  unbound_ = Spawn(folder_, {"/usr/sbin/unbound", "-d", "-c", "unbound.conf"}, "unbound.log");
  return nsd_ > 0 && unbound_ > 0 && WaitListening(dns_port_, 10000) && WaitListening(dot_port_, 10000);
}

}  // namespace registry::clients::test
