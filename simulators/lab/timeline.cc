#include "simulators/lab/timeline.h"

namespace registry::lab {
namespace {

std::size_t CountOf(const std::map<std::string, std::size_t>& counts, const char* step) {
  const auto found = counts.find(step);
  return found == counts.end() ? 0 : found->second;
}

}  // namespace

std::string PartOf(const std::string& process) {
  // Those that stand by are numbered.
  if (process == "registryd" || process.starts_with("registryd-")) return "registry";
  if (process == "mosquitto") return "broker";
  if (process == "postgres") return "ledger";
  const bool dns = AuthorityOf(process).has_value() || process == "signing-server" || process == "unbound";
  return dns ? "dns" : "simulators";
}

const std::vector<std::pair<std::string, std::string>>& QueueMetrics() {
  static const std::vector<std::pair<std::string, std::string>> kMetrics{
      {"registry_pipeline_queued", "commands that wait for a lane"},
      {"registry_intake_undone", "acknowledged and not decided"},
      {"registry_outbox_depth", "committed and not said"},
      {"registry_zone_pending", "zone changes not served everywhere"}};
  return kMetrics;
}

Timeline::Timeline(const Lab& lab, const Progress& progress, std::function<ArrivalCount()> arrivals)
    : lab_(lab), progress_(progress), arrivals_(std::move(arrivals)) {
  Keep(Look());
  thread_.Start("timeline", [this] { Run(); });
}

// The last moment is the end of the run.
void Timeline::Stop() {
  if (thread_.stopping()) return;
  thread_.Stop();
  Keep(Look());
}

void Timeline::Run() {
  MutexLock lock(mutex_);
  while (thread_.Rest(lock, every_)) {
    lock.Unlock();
    Keep(Look());
    lock.Lock();
  }
}

Moment Timeline::Look() {
  Moment moment;
  moment.at_s = progress_.elapsed_ms() / 1000;
  moment.arrivals = arrivals_();
  moment.active = CountOf(progress_.counts(), "activated");
  moment.through = progress_.complete();
  moment.given_up = progress_.given_up();
  std::map<std::string, std::uint64_t> cpu_us;
  for (const auto& [process, usage] : lab_.UsageByProcess()) cpu_us[PartOf(process)] += usage.cpu_us;
  const double since_s = moment.at_s - cpu_at_s_;
  for (const auto& [part, micros] : cpu_us) {
    const std::uint64_t before = cpu_us_.contains(part) ? cpu_us_[part] : micros;
    const auto used = static_cast<double>(micros - std::min(before, micros));
    moment.cores[part] = since_s > 0 ? used / 1e6 / since_s : 0;
  }
  cpu_us_ = std::move(cpu_us);
  cpu_at_s_ = moment.at_s;
  const auto metrics = lab_.RegistryCounters();
  for (const auto& [metric, name] : QueueMetrics()) {
    if (const auto found = metrics.find(metric); found != metrics.end())
      moment.queues[metric] = found->second;
  }
  return moment;
}

void Timeline::Keep(Moment moment) {
  const MutexLock lock(mutex_);
  moments_.push_back(std::move(moment));
  if (moments_.size() < kMomentsMax) return;
  Thin(moments_);
  every_ *= 2;
}

std::vector<Moment> Timeline::moments() const {
  const MutexLock lock(mutex_);
  return moments_;
}

void Thin(std::vector<Moment>& moments) {
  std::size_t kept = 0;
  for (std::size_t i = (moments.size() - 1) % 2; i < moments.size(); i += 2, ++kept) {
    if (kept != i) moments[kept] = std::move(moments[i]);
  }
  moments.resize(kept);
}

}  // namespace registry::lab
