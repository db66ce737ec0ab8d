// bridge/app/metrics.h: what the registry counts, in Prometheus' text format. OPERATIONS.md says what each
// one means.
// Threads: all calls from any. Labels are bounded: commands nobody defined count as "unknown"; symbols come
// from one table (schemas/wire/symbols.h).
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "bridge/app/census.h"
#include "bridge/app/last_heard.h"
#include "bridge/app/node.h"
#include "bridge/ingest/pipeline.h"
#include "bridge/log_line.h"

namespace registry::app {

// What is looked up when somebody asks, rather than counted when it happens.
struct Sample {
  std::uint64_t outbox_depth = 0, intake_undone = 0, intake_torn = 0, intake_damages = 0, pipeline_queued = 0;
  std::uint64_t intake_unerased = 0;
  std::vector<std::pair<std::string, std::uint64_t>> free_bytes;  // by folder: "ledger", "intake"
  bool disk_nearly_full = false;
  bool mqtt_connected = false;
  std::string mqtt_trouble;  // why not; not a metric, since it is text
  std::uint64_t orders_open = 0;
  std::uint64_t renewals_due = 0, renewals_under_way = 0;
  std::int64_t renewals_oldest = 0;  // Unix time, 0 where none is due
  std::uint64_t mqtt_reconnects = 0, reads_said = 0, reads_dropped = 0;
  std::uint64_t changesets = 0, heard = 0, said = 0;
  std::uint64_t batches_said = 0, batched_said = 0;  // of what was said: messages, and envelopes in them
  std::uint64_t marks_forgotten = 0;
  std::int64_t marks_oldest = 0;  // Unix time, 0 where none is kept
  std::uint32_t zone_serial = 0;
  std::uint64_t zone_names = 0, zone_pending = 0, axfr = 0, ixfr = 0, zone_refused = 0;
  std::uint64_t zone_tls_made = 0, zone_tls_refused = 0;  // handshakes
  std::uint64_t zone_dropped = 0;
  std::size_t zone_key_rolls = 0;
  bool zone_ds_due = false;
  std::int64_t zone_first_expiry = 0;  // Unix time; 0 before the zone is signed
  struct Secondary {
    std::string name;
    double lag_seconds = 0;
    std::uint32_t serial = 0;
    bool reachable = false, left_behind = false;
    double revocation_waits = 0;  // seconds
    double left_for = 0;          // seconds
  };
  std::vector<Secondary> secondaries;
  std::vector<std::pair<std::string, bool>> tokens;  // in which keys are, and whether they answer
  CensusCounts census;
  std::vector<ledger::LedgerReader::MnoLoad> jobs;
  std::vector<PartyHeard> heard_last;
  std::uint64_t parties = 0, reloads = 0, reloads_refused = 0;
  std::int64_t crl_written = 0;       // Unix time, 0 before the first
  std::int64_t broker_crl_until = 0;  // Unix time, 0 where none is watched
  NodeSample node;
};

// What has been counted so far, for whoever makes rates of it.
struct Totals {
  struct Step {
    std::string name;
    std::uint64_t count = 0;
    std::vector<std::uint64_t> within;  // of each of StepBounds, cumulative
  };
  std::map<std::string, std::uint64_t> commands;  // by outcome
  std::vector<Step> steps;                        // "command" is the decision of any command
};
// Of the zone, while it stands by.
struct ZoneCopySample {
  bool follows = false;
  std::uint32_t serial = 0;  // 0: there is no copy
};
// All that a node that stands by has to say. `copy`: where it is to keep one.
std::string StandbyText(const std::string& version, const NodeSample& node,
                        const std::optional<ZoneCopySample>& copy);

// In seconds.
const std::vector<double>& StepBounds();

class Metrics : public ingest::Observer {
 public:
  Metrics(const std::string& version, LogLine log);
  ~Metrics() override;

  void CommandDone(const std::string& command, const std::string& outcome, const std::string& symbol,
                   std::chrono::microseconds latency) override;
  void StepDone(const std::string& step, std::chrono::microseconds latency) override;
  void Limited(const std::string& party, const std::string& limit) override;
  void OrderItemDone(const std::string& kind, const std::string& outcome) override;
  void TransferMoved(const std::string& kind, const std::string& outcome) override;
  void RenewalMoved(const std::string& outcome) override;
  void Log(int level, const std::string& line) override;
  // From the decision on (bridge/zone/revocation_watch.h).
  void RevocationServed(const std::string& secondary, std::chrono::microseconds after);

  // How long a resolver may keep a record (`tlsa`) or its absence (`negative`).
  void SetZoneTtl(const std::string& record, std::uint32_t seconds);

  std::string Text(const Sample& sample);
  // Of a node that decides while another one is active: what it does itself.
  std::string MemberText(const Sample& sample, const std::optional<ZoneCopySample>& copy);
  Totals totals() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace registry::app
