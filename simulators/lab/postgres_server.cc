#include "simulators/lab/postgres_server.h"

#include <pwd.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "simulators/lab/credential.h"
#include "simulators/lab/probe.h"

namespace registry::lab {
namespace {

namespace fs = std::filesystem;

constexpr const char* kOwner = "registry";
constexpr const char* kReadyToAccept =
    "ready to accept ";  // connections; of a standby: read-only connections

Error ServerNotStarted(const std::string& why) {
  return Error::Make(Code::kFailed, "not_started", "postgres: " + why);
}

// The newest of those that Debian keeps beside each other, or what is in the path.
std::string ProgramOf(const std::string& name) {
  std::vector<fs::path> found;
  std::error_code ignored;
  for (const auto& version : fs::directory_iterator("/usr/lib/postgresql", ignored)) {
    if (fs::exists(version.path() / "bin" / name, ignored)) found.push_back(version.path() / "bin" / name);
  }
  if (found.empty()) return FindProgram(name);
  return *std::max_element(found.begin(), found.end());
}

const passwd* ServersUser() {
  for (const char* const name : {"postgres", "nobody"}) {
    if (const passwd* const user = ::getpwnam(name))
      return user;  // NOLINT(concurrency-mt-unsafe): at the start
  }
  return nullptr;
}

// Of proc(5), /proc/PID/stat, behind the name in brackets: T stopped, Z ended and not waited for; 0: there is none.
char StateOf(pid_t pid) {
  std::ifstream in("/proc/" + std::to_string(pid) + "/stat");
  std::string line;
  std::getline(in, line);
  const std::size_t name_ends = line.rfind(')');
  return name_ends == std::string::npos || name_ends + 2 >= line.size() ? '\0' : line[name_ends + 2];
}

bool WritePrivate(const std::string& file, const std::string& text) {
  const mode_t before = ::umask(077);
  std::ofstream out(file);
  ::umask(before);
  out << text;
  return static_cast<bool>(out.flush());
}

}  // namespace

Result<std::unique_ptr<PostgresServer>> PostgresServer::Start(Options options) {
  std::unique_ptr<PostgresServer> server(new PostgresServer(std::move(options)));
  const auto port = server->ports_.Take();
  if (!port) return port.error();
  server->port_ = *port;
  server->password_ = "of-this-lab-" + std::to_string(server->port_);
  if (auto made = server->MakeFolder(); !made) return made.error();
  if (auto made = server->MakeCluster(); !made) return made.error();
  if (auto runs = server->Run(); !runs) return runs.error();
  return server;
}

Result<std::unique_ptr<PostgresServer>> PostgresServer::StartStandbyOf(const PostgresServer& primary,
                                                                       Options options) {
  std::unique_ptr<PostgresServer> server(new PostgresServer(std::move(options)));
  const auto port = server->ports_.Take();
  if (!port) return port.error();
  server->port_ = *port;
  server->password_ = primary.password();
  if (auto made = server->MakeFolder(); !made) return made.error();
  if (auto runs = server->FollowAnew(primary); !runs) return runs.error();
  return server;
}

// The folder is in the temporary folder itself: what lies above it lets the server's user pass. passfile is for our psql,
// server-passfile for what runs as that user.
Status PostgresServer::MakeFolder() {
  std::string name = (fs::temp_directory_path() / "registry-postgres-XXXXXX").string();
  if (::mkdtemp(name.data()) == nullptr) return ServerNotStarted("no folder can be made for it");
  folder_ = name;
  const std::string any_host = "*:*:*:*:" + password_ + "\n";
  if (!WritePrivate(password_file(), password_ + "\n") ||
      !WritePrivate(folder_ + "/first-password", password_) ||
      !WritePrivate(folder_ + "/passfile", any_host) || !WritePrivate(folder_ + "/server-passfile", any_host))
    return ServerNotStarted("cannot write in " + folder_);
  if (auto made = MakeCredential(folder_ + "/server", "localhost"); !made) return made.error();
  if (::geteuid() != 0) return Done{};
  const passwd* const user = ServersUser();
  if (user == nullptr) return ServerNotStarted("there is no user postgres and no user nobody to run it as");
  user_ = user->pw_name;
  for (const char* const file : {"", "/first-password", "/server-passfile", "/server.key"}) {
    if (::chown((folder_ + file).c_str(), user->pw_uid, user->pw_gid) != 0)
      return ServerNotStarted("cannot give " + folder_ + file + " to " + user_);
  }
  return Done{};
}

Status PostgresServer::MakeCluster() {
  const std::string initdb = ProgramOf("initdb");
  if (initdb.empty()) return ServerNotStarted("initdb is not installed (Debian's package postgresql-15)");
  const auto made =
      RunToEnd(AsItsUser({initdb, "--pgdata=" + folder_ + "/data", "--username=" + std::string(kOwner),
                          "--pwfile=" + folder_ + "/first-password", "--auth=scram-sha-256",
                          "--encoding=UTF8", "--locale=C", "--no-sync"}),
               "/", options_.patience * 2);
  return made ? Status(Done{}) : Status(ServerNotStarted(made.error().message));
}

Status PostgresServer::CopyCluster(const PostgresServer& primary) {
  const auto made =
      RunToEnd(AsItsUser({ProgramOf("pg_basebackup"), "--pgdata=" + folder_ + "/data",
                          "--write-recovery-conf", "--wal-method=stream", "--checkpoint=fast", "--no-sync",
                          "--dbname=" + primary.connection() + " passfile=" + folder_ + "/server-passfile"}),
               "/", options_.patience * 2);
  return made ? Status(Done{}) : Status(ServerNotStarted(made.error().message));
}

std::vector<std::string> PostgresServer::AsItsUser(std::vector<std::string> command) const {
  if (user_.empty()) return command;
  std::vector<std::string> all = {"setpriv", "--reuid=" + user_, "--regid=" + user_, "--init-groups",
                                  "--pdeathsig=TERM"};
  if (user_ == "nobody") all[2] = "--regid=nogroup";
  all.insert(all.end(), command.begin(), command.end());
  return all;
}

Status PostgresServer::Run() {
  std::vector<std::string> command = {ProgramOf("postgres"), "-D", folder_ + "/data", "-p",
                                      std::to_string(port_)};
  std::vector<std::string> settings = {"ssl=on",
                                       "ssl_cert_file=" + folder_ + "/server.pem",
                                       "ssl_key_file=" + folder_ + "/server.key",
                                       "listen_addresses=127.0.0.1",
                                       "unix_socket_directories=" + folder_,
                                       "max_connections=100",
                                       "shared_buffers=64MB",
                                       "wal_keep_size=64MB",  // a standby finds what came since its copy
                                       "log_checkpoints=off"};
  if (!options_.durable) {
    for (const char* const setting : {"fsync=off", "full_page_writes=off"}) settings.emplace_back(setting);
  }
  settings.insert(settings.end(), options_.settings.begin(), options_.settings.end());
  for (const std::string& setting : settings) command.insert(command.end(), {"-c", setting});
  const std::string log = folder_ + "/log";
  std::error_code ignored;
  fs::remove(log, ignored);
  auto process = Process::Start({.name = "postgres",
                                 .command = AsItsUser(command),
                                 .folder = "/",
                                 .log_file = log,
                                 .on_line = {},
                                 .on_exit = {}});
  if (!process) return process.error();
  process_ = std::move(*process);
  const auto ready = [&log] {
    std::ifstream in(log);
    for (std::string line; std::getline(in, line);) {
      if (line.find(kReadyToAccept) != std::string::npos) return true;
    }
    return false;
  };
  if (WaitUntil(ready, options_.patience, [this] { return !process_->running(); })) return Done{};
  return ServerNotStarted(process_->running() ? "does not accept connections: " + TailOf(log, 3)
                                              : process_->Obituary());
}

PostgresServer::~PostgresServer() {
  if (process_ && process_->running()) {
    Resume();
    process_->Signal(SIGQUIT);  // nothing of it is kept, so it need not put anything in order
    process_->WaitExit(std::chrono::seconds(10));
  }
  process_.reset();
  std::error_code ignored;
  if (!folder_.empty()) fs::remove_all(folder_, ignored);
}

std::string PostgresServer::connection() const {
  return "host=127.0.0.1 port=" + std::to_string(port_) + " dbname=postgres user=" + kOwner;
}

Result<std::string> PostgresServer::Ask(const std::string& sql) const {
  return RunToEnd({ProgramOf("psql"), "--no-psqlrc", "--no-align", "--tuples-only", "--command=" + sql,
                   connection() + " passfile=" + folder_ + "/passfile"});
}

std::string PostgresServer::certificate_file() const { return folder_ + "/server.pem"; }
std::string PostgresServer::password_file() const { return folder_ + "/password"; }

// Stopped, the first process starts none any more and still says which it has. Each has to be gone before the next start:
// one that is left holds the shared memory, and PostgreSQL refuses to start beside it.
void PostgresServer::Kill() {
  if (!process_->running()) return;
  process_->Signal(SIGSTOP);
  WaitUntil([this] { return StateOf(process_->pid()) == 'T'; }, std::chrono::seconds(10));
  const std::vector<pid_t> children = Children();
  process_->Signal(SIGKILL);
  for (const pid_t child : children) ::kill(child, SIGKILL);
  process_->WaitExit(std::chrono::seconds(10));
  const auto gone = [](pid_t child) { return StateOf(child) == 0 || StateOf(child) == 'Z'; };
  WaitUntil([&] { return std::ranges::all_of(children, gone); }, std::chrono::seconds(10));
}

void PostgresServer::StopFast() {
  process_->Signal(SIGINT);
  process_->WaitExit(options_.patience);
}

Status PostgresServer::StartAgain() { return Run(); }

Status PostgresServer::StartAgainAsStandby() {
  std::ofstream signal(folder_ + "/data/standby.signal");
  if (!signal) return ServerNotStarted("cannot write in " + folder_ + "/data");
  signal.close();
  const passwd* const user = user_.empty() ? nullptr : ServersUser();
  if (user != nullptr && ::chown((folder_ + "/data/standby.signal").c_str(), user->pw_uid, user->pw_gid) != 0)
    return ServerNotStarted("cannot give standby.signal to " + user_);
  return Run();
}

Status PostgresServer::StartAgainWithOidsFrom(std::uint32_t oid) {
  const auto set = RunToEnd(AsItsUser({ProgramOf("pg_resetwal"), "--next-oid=" + std::to_string(oid),
                                       "--pgdata=" + folder_ + "/data"}),
                            "/", options_.patience);
  return set ? Run() : Status(ServerNotStarted(set.error().message));
}

Status PostgresServer::FollowAnew(const PostgresServer& primary) {
  std::error_code failed;
  fs::remove_all(folder_ + "/data", failed);
  if (failed) return ServerNotStarted("cannot remove " + folder_ + "/data: " + failed.message());
  if (auto copied = CopyCluster(primary); !copied) return copied;
  return Run();
}

Status PostgresServer::MakeSynchronous() {
  for (const char* const sql :
       {"ALTER SYSTEM SET synchronous_standby_names = '*'", "SELECT pg_reload_conf()"}) {
    if (const auto done = Ask(sql); !done) return done.error();
  }
  const auto there = [this] {
    const auto count =
        Ask("SELECT count(*) FROM pg_stat_replication WHERE sync_state = 'sync' AND state = 'streaming'");
    return count && *count == "1\n";
  };
  if (WaitUntil(there, options_.patience)) return Done{};
  return ServerNotStarted("no standby streams from it: " + TailOf(folder_ + "/log", 3));
}

Status PostgresServer::Promote() {
  // On a busy host the one who asks may be cut off, and whether it was promoted is to be seen by asking again.
  Result<std::string> promoted = std::string();
  const auto is_promoted = [&] {
    promoted = Ask("SELECT CASE WHEN pg_is_in_recovery() THEN pg_promote() ELSE true END");
    return promoted && *promoted == "t\n";
  };
  if (WaitUntil(is_promoted, std::chrono::seconds(120))) return Done{};
  return promoted ? Status(ServerNotStarted("is not promoted")) : Status(promoted.error());
}

void PostgresServer::Pause() { SignalAll(SIGSTOP); }
void PostgresServer::Resume() { SignalAll(SIGCONT); }

// Each of its processes is a session of its own, but all are the first one's children (proc(5)).
std::vector<pid_t> PostgresServer::Children() const {
  const std::string pid = std::to_string(process_->pid());
  std::vector<pid_t> children;
  std::ifstream in("/proc/" + pid + "/task/" + pid + "/children");
  for (pid_t child = 0; in >> child;) children.push_back(child);
  return children;
}

Usage PostgresServer::UsageOfAll() const {
  std::vector<pid_t> groups = Children();
  groups.push_back(process_->pid());
  Usage all;
  for (const auto& [group, usage] : UsageOfGroups(groups)) {
    all.cpu_us += usage.cpu_us;
    all.switches += usage.switches;
    all.written += usage.written;
    all.peak_octets = std::max(all.peak_octets, usage.peak_octets);
  }
  return all;
}

void PostgresServer::SignalAll(int signal) const {
  if (!process_ || !process_->running()) return;
  process_->Signal(signal);  // first: a stopped one starts none
  for (const pid_t child : Children()) ::kill(child, signal);
}

}  // namespace registry::lab
