// simulators/lab/postgres_server.h: a PostgreSQL server of a lab's or a test's own, the installed program with a cluster in
// a new folder, on a free loopback port. PostgreSQL refuses to run as root, so root starts it as the user postgres, or
// nobody.
// Owns: the process, its folder and its port. The destructor ends the one and removes the other.
// Fault model: Kill is a crash of the whole server (the next start recovers from its log); Stop(kFast) cuts every connection
//   off as an operator's restart does; Pause and Resume are a server that hangs (SIGSTOP to every process of it).
//   StartAgainAsStandby is the server that a failover is about to promote: it has what the other had, answers questions and
//   writes nothing until `SELECT pg_promote()`. A standby made by StartStandbyOf or FollowAnew has what the other one
//   streams to it; a failover is MakeSynchronous, Kill of the primary, Promote of the standby.
//   Without `durable` nothing is synced, which a crash of the server survives and one of the machine would not.
// Threads: as process.h says. Errors: not_started, with what the programs said.
#pragma once

#include <memory>
#include <string>

#include "simulators/lab/ports.h"
#include "simulators/lab/process.h"
#include "simulators/lab/usage.h"

namespace registry::lab {

class PostgresServer {
 public:
  struct Options {
    bool durable = false;
    std::vector<std::string> settings = {};  // "name=value", as postgres -c takes them
    std::chrono::milliseconds patience{30000};
  };
  static Result<std::unique_ptr<PostgresServer>> Start(Options options);
  // With a copy of what is in `primary` (pg_basebackup), its password, and everything that comes there later.
  static Result<std::unique_ptr<PostgresServer>> StartStandbyOf(const PostgresServer& primary,
                                                                Options options);
  ~PostgresServer();
  PostgresServer(const PostgresServer&) = delete;
  PostgresServer& operator=(const PostgresServer&) = delete;

  // libpq's keywords for the database of the superuser `registry`, without its password.
  std::string connection() const;
  const std::string& password() const { return password_; }
  std::string password_file() const;     // as registryd reads one
  std::string certificate_file() const;  // of localhost, which vouches for itself
  std::uint16_t port() const { return port_; }
  const std::string& folder() const { return folder_; }
  Process* process() const { return process_.get(); }

  Usage UsageOfAll() const;  // of all its processes

  // What psql prints, without head and frame.
  Result<std::string> Ask(const std::string& sql) const;

  void Kill();
  void StopFast();
  Status StartAgain();  // after either; answers when the server accepts connections
  Status StartAgainAsStandby();
  // After StopFast: tables that are made from now on have such a number and those behind it.
  Status StartAgainWithOidsFrom(std::uint32_t oid);
  // After Kill or StopFast: what it had is removed, and it is a standby of `primary` on the same port.
  Status FollowAnew(const PostgresServer& primary);
  // Of a primary: it acknowledges what its standby has too, from now on. Waits until the standby is there.
  Status MakeSynchronous();
  Status Promote();  // of a standby; when this returns, it is written to
  void Pause();
  void Resume();

 private:
  explicit PostgresServer(Options options) : options_(std::move(options)) {}
  Status MakeFolder();
  Status MakeCluster();
  Status CopyCluster(const PostgresServer& primary);
  Status Run();
  std::vector<pid_t> Children() const;
  void SignalAll(int signal) const;
  std::vector<std::string> AsItsUser(std::vector<std::string> command) const;

  const Options options_;
  Ports ports_;
  std::uint16_t port_ = 0;
  std::string user_;  // empty: ours
  std::string folder_, password_;
  std::unique_ptr<Process> process_;
};

}  // namespace registry::lab
