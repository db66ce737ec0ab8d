#include "clients/verdict/counters.h"

#include <cstdio>

namespace registry::clients {
namespace {

std::string Headed(const std::string& name, const char* help, const std::string& samples) {
  return "# HELP " + name + ' ' + help + "\n# TYPE " + name + " counter\n" + samples;
}

std::string One(const std::string& name, const char* help, const std::string& value) {
  return Headed(name, help, name + ' ' + value + '\n');
}

std::string Seconds(std::uint64_t micros) {
  char text[32];
  std::snprintf(text, sizeof text, "%.6f", static_cast<double>(micros) * 1e-6);
  return text;
}

}  // namespace

std::string Counters::Text() const {
  const std::string verdicts = "registry_client_verdicts_total";
  std::string samples;
  for (std::size_t i = 0; i < kVerdicts; ++i) {
    samples += verdicts + "{verdict=\"" + std::string(SymbolOf(static_cast<Verdict>(i))) + "\"} " +
               std::to_string(verdicts_[i].load()) + '\n';
  }
  return Headed(verdicts, "Clients judged, by verdict.", samples) +
         One("registry_client_cache_hits_total", "Record sets that were cached.",
             std::to_string(cache_hits_.load())) +
         One("registry_client_lookups_total", "Record sets that were asked for.",
             std::to_string(look_ups_.load())) +
         One("registry_client_lookup_seconds_total", "Time spent waiting for the resolver.",
             Seconds(look_up_micros_.load())) +
         One("registry_client_notifications_total", "Notifications about a device that were heard.",
             std::to_string(notifications_.load()));
}

}  // namespace registry::clients
