// bridge/app/overview.h: what the console's first page shows, as JSON: rates, latencies of each step, queues, secondaries,
// devices, certificates, alarms, nodes. Pure, any thread.
// Rates are over the time between two samples; latencies are estimated from the histogram of what was counted between the
// oldest sample kept and the newest, as Prometheus' histogram_quantile does.
#pragma once

#include <nlohmann/json.hpp>

#include "bridge/app/log.h"
#include "bridge/app/metrics.h"
#include "bridge/app/nodes_watch.h"

namespace registry::app {

struct Counted {
  UtcTime at;
  Sample sample;
  Totals totals;
};

// The upper bound of the share of what was counted between; nullopt: nothing was, or it took longer than the last bound.
std::optional<double> QuantileOf(const Totals::Step& now, const Totals::Step& before, double share);

struct Alarm {
  bool page = true;  // a person is needed now
  std::string text;
};
// What holds now of registry-alerts.yml, without its waiting times.
std::vector<Alarm> AlarmsOf(const Sample& sample, UtcTime now);

// What a chart keeps of a moment.
nlohmann::json PointOf(const Counted& now, const Counted& last);
nlohmann::json OverviewOf(const Counted& now, const Counted& last, const Counted& oldest,
                          const std::vector<Log::Line>& lines);
nlohmann::json PartiesOf(const Sample& sample);
// The nodes on the ledger in PostgreSQL. `self`: this one's name, whose way to the broker the sample knows.
nlohmann::json NodesOf(const NodesLook& look, const std::string& self, const Sample& sample);

}  // namespace registry::app
