// simulators/party/say_trouble.h: how a party tells of a connection to the broker that does not come about
// (ClientOptions::on_trouble). The report outlives what is returned. Threads: any.
#pragma once

#include <functional>
#include <string>

#include "simulators/console/report.h"

namespace registry::sim {

inline std::function<void(const std::string&)> SayTrouble(Report& report) {
  return [&report](const std::string& trouble) {
    report.Say({{"event", "connect_failed"}, {"reason", trouble}});
  };
}

}  // namespace registry::sim
