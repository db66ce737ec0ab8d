// bridge/app/console.h: the read-only web console: a server of its own, a look at the registry every two seconds, which
// goes to all who watch, and the ledger's pages (bridge/console). CONSOLE.md says what it shows and to whom.
// Owns: the server, one thread, and with a ledger in PostgreSQL the look at its nodes (nodes_watch.h). What the services
// name outlives it. Threads: Start and the end of it from one thread.
// Access: in TLS, whoever comes under a certificate of a party with the role operator (http_tls.h). Without TLS it listens
//   on loopback only, which config.h sees to, and refuses a Host that is none of loopback, so that a page of somebody else's
//   in the operator's browser cannot read it (DNS rebinding).
// Limits: as http.h; kPointsMax points of the past; one page of the ledger is read at a time.
#pragma once

#include <deque>

#include "bridge/app/config.h"
#include "bridge/app/http.h"
#include "bridge/app/http_tls.h"
#include "bridge/app/last_heard.h"
#include "bridge/app/nodes_watch.h"
#include "bridge/app/overview.h"
#include "bridge/console/reads.h"
#include "schemas/base/mutex.h"
#include "schemas/base/own_thread.h"

namespace registry::app {

struct ConsoleServices {
  const ledger::LedgerReader& ledger;
  const Clock& clock;
  const Metrics& metrics;
  const Log& log;
  const LastHeard& parties;
  std::function<Sample()> look;
};

// What the pages need of the configuration.
domain::Policy PolicyToShow(const Config& config);
TlsServerFiles ConsoleTlsFiles(const Config& config);

class Console {
 public:
  static constexpr std::chrono::seconds kEvery{2};
  static constexpr std::size_t kPointsMax = 450, kCountedMax = 150;  // 15 min, 5 min

  static Result<std::unique_ptr<Console>> Start(const Config& config, ConsoleServices services, LogLine log);
  ~Console();
  std::uint16_t port() const { return server_->port(); }
  void SetPolicy(domain::Policy policy);

 private:
  Console(const Config& config, ConsoleServices services);
  Status WatchNodes(const Config& config);
  Status Listen(const Config& config, LogLine log);
  void Run();
  void Look();
  std::optional<Page> Refuse(const HttpRequest& request) const;
  Page Asked(const HttpRequest& request) const;
  std::string OverviewText() const;

  const ConsoleServices services_;
  const std::string zone_, node_;
  mutable Mutex mutex_;
  CondVar wake_;
  domain::Policy policy_ GUARDED_BY(mutex_);
  std::deque<Counted> counted_ GUARDED_BY(mutex_);
  std::deque<nlohmann::json> points_ GUARDED_BY(mutex_);
  nlohmann::json overview_ GUARDED_BY(mutex_);
  console::Reads reads_;
  std::unique_ptr<NodesWatch> nodes_;  // null: the ledger is in a folder, which this registryd alone uses
  std::unique_ptr<HttpServer> server_;
  OwnThread thread_{mutex_, wake_};
};

}  // namespace registry::app
