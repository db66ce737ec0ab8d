#include "bridge/app/overview.h"

#include <algorithm>

#include "bridge/ledger/postgres/node_list.h"

namespace registry::app {
namespace {

using Json = nlohmann::json;

constexpr std::uint64_t kFreeWanted = std::uint64_t{2} << 30;
constexpr std::int64_t kDay = 86'400, kSignatureLeft = 302'400;
constexpr double kRevocationWaits = 30;  // seconds

Json TimeOf(std::int64_t unix_time) {
  return unix_time == 0 ? Json() : Json(ToRfc3339({unix_time * 1'000'000}));
}

double Rate(std::uint64_t now, std::uint64_t before, double elapsed) {
  return elapsed <= 0 || now < before ? 0 : static_cast<double>(now - before) / elapsed;
}

double Between(const Counted& now, const Counted& last) {
  return std::chrono::duration<double>(now.at - last.at).count();
}

std::uint64_t CommandsOf(const Totals& totals, const char* outcome) {
  const auto found = totals.commands.find(outcome);
  return found == totals.commands.end() ? 0 : found->second;
}

const Totals::Step* StepOf(const Totals& totals, const std::string& name) {
  const auto found = std::find_if(totals.steps.begin(), totals.steps.end(),
                                  [&](const Totals::Step& step) { return step.name == name; });
  return found == totals.steps.end() ? nullptr : &*found;
}

Json StepsOf(const Counted& now, const Counted& oldest) {
  Json rows = Json::array();
  const Totals::Step none;
  for (const Totals::Step& step : now.totals.steps) {
    const Totals::Step* const found = StepOf(oldest.totals, step.name);
    const Totals::Step& before = found == nullptr ? none : *found;
    Json row = {{"step", step.name}, {"all", step.count}, {"count", step.count - before.count}};
    for (const auto& [name, share] : {std::pair("p50", 0.5), {"p95", 0.95}, {"p99", 0.99}}) {
      const auto quantile = QuantileOf(step, before, share);
      row[name] = quantile ? Json(*quantile) : Json();
    }
    rows.push_back(std::move(row));
  }
  return rows;
}

Json SecondariesOf(const Sample& sample) {
  Json rows = Json::array();
  for (const Sample::Secondary& one : sample.secondaries) {
    rows.push_back({{"name", one.name},
                    {"serial", one.serial},
                    {"lagSeconds", one.lag_seconds},
                    {"reachable", one.reachable}});
  }
  return rows;
}

Json CensusOf(const CensusCounts& census) {
  Json states = Json::object(), ends = Json::object();
  for (const auto& [state, count] : census.states) states[std::string(domain::StateName(state))] = count;
  for (std::size_t i = 0; i < kEndsNames.size(); ++i) ends[kEndsNames[i]] = census.ends[i];
  return {{"taken", TimeOf(census.taken.seconds())},
          {"states", states},
          {"onHold", census.on_hold},
          {"certificates", ends}};
}

Json LinesOf(const std::vector<Log::Line>& lines) {
  Json rows = Json::array();
  for (auto line = lines.rbegin(); line != lines.rend(); ++line) {
    rows.push_back({{"at", ToRfc3339(line->at)},
                    {"level", line->level >= Level::kError ? "error" : "warning"},
                    {"room", line->room},
                    {"message", line->message}});
  }
  return rows;
}

double InSeconds(std::chrono::milliseconds time) { return std::chrono::duration<double>(time).count(); }

Json OfNode(const ledger::ListedNode& node, std::chrono::milliseconds ago) {
  return {{"node", node.name},
          {"version", node.version},
          {"state", ledger::NodeStateName(node.state)},
          {"since", ToRfc3339(node.since)},
          {"saidSecondsAgo", InSeconds(node.said_ago + ago)},
          {"leaseSeconds", node.lease ? Json(InSeconds(*node.lease)) : Json()},
          {"epoch", node.epoch ? Json(*node.epoch) : Json()},
          {"reachesBroker", node.reaches_broker ? Json(*node.reaches_broker) : Json()}};
}

void AddZoneAlarms(const Sample& sample, UtcTime now, std::vector<Alarm>& alarms) {
  for (const Sample::Secondary& one : sample.secondaries) {
    if (!one.reachable) alarms.push_back({true, "Secondary " + one.name + " does not answer"});
    if (one.reachable && one.lag_seconds > 60)
      alarms.push_back({true, "Secondary " + one.name + " is " +
                                  std::to_string(static_cast<int>(one.lag_seconds)) + " s behind"});
    if (one.revocation_waits > kRevocationWaits)
      alarms.push_back({true, "Secondary " + one.name + " has served a revoked device for " +
                                  std::to_string(static_cast<int>(one.revocation_waits)) + " s"});
  }
  if (sample.zone_serial != 0 && sample.zone_first_expiry - now.seconds() < kSignatureLeft)
    alarms.push_back({true, "The zone's signatures are not made again"});
}

void AddCertificateAlarms(const Sample& sample, UtcTime now, std::vector<Alarm>& alarms) {
  const std::uint64_t ending = sample.census.ends[1];
  if (ending > 0) alarms.push_back({true, std::to_string(ending) + " live certificates end within a day"});
  if (sample.renewals_oldest > 0 && now.seconds() - sample.renewals_oldest > 30 * kDay)
    alarms.push_back({false, "A device has been due for another key for more than 30 days"});
  if (sample.crl_written > 0 && now.seconds() - sample.crl_written > 6 * kDay)
    alarms.push_back({true, "The CRL has not been written for more than six days"});
  if (sample.broker_crl_until > 0 && sample.broker_crl_until - now.seconds() < 14 * kDay)
    alarms.push_back({true, "The broker's list of withdrawn parties ends within two weeks"});
}

}  // namespace

std::optional<double> QuantileOf(const Totals::Step& now, const Totals::Step& before, double share) {
  const std::vector<double>& bounds = StepBounds();
  if (now.count <= before.count || now.within.size() != bounds.size()) return std::nullopt;
  const auto in = [&](std::size_t i) {
    return static_cast<double>(now.within[i] -
                               (before.within.size() == bounds.size() ? before.within[i] : 0));
  };
  const double rank = share * static_cast<double>(now.count - before.count);
  for (std::size_t i = 0; i < bounds.size(); ++i) {
    if (in(i) < rank) continue;
    const double below = i == 0 ? 0 : in(i - 1), from = i == 0 ? 0 : bounds[i - 1];
    return in(i) == below ? bounds[i] : from + (bounds[i] - from) * (rank - below) / (in(i)-below);
  }
  return std::nullopt;
}

std::vector<Alarm> AlarmsOf(const Sample& sample, UtcTime now) {
  std::vector<Alarm> alarms;
  if (!sample.mqtt_connected)
    alarms.push_back({true, "No connection to the broker" +
                                (sample.mqtt_trouble.empty() ? "" : ": " + sample.mqtt_trouble)});
  if (sample.disk_nearly_full) alarms.push_back({true, "The disk is nearly full: commands are refused"});
  for (const auto& [folder, free] : sample.free_bytes) {
    if (free < kFreeWanted && !sample.disk_nearly_full)
      alarms.push_back({false, "Less than 2 GiB are free where " + folder + " lies"});
  }
  if (sample.intake_damages > 0) alarms.push_back({true, "The intake of the last run is damaged"});
  AddZoneAlarms(sample, now, alarms);
  AddCertificateAlarms(sample, now, alarms);
  return alarms;
}

Json PointOf(const Counted& now, const Counted& last) {
  const double elapsed = Between(now, last);
  const auto commands = [&](const char* outcome) {
    return Rate(CommandsOf(now.totals, outcome), CommandsOf(last.totals, outcome), elapsed);
  };
  return {{"at", now.at.micros / 1000},
          {"heard", Rate(now.sample.heard, last.sample.heard, elapsed)},
          {"said", Rate(now.sample.said, last.sample.said, elapsed)},
          {"accepted", commands("accepted")},
          {"rejected", commands("rejected")},
          {"lanes", now.sample.pipeline_queued},
          {"intake", now.sample.intake_undone},
          {"outbox", now.sample.outbox_depth},
          {"zone", now.sample.zone_pending}};
}

Json OverviewOf(const Counted& now, const Counted& last, const Counted& oldest,
                const std::vector<Log::Line>& lines) {
  const Sample& sample = now.sample;
  Json alarms = Json::array(), free = Json::object();
  for (const Alarm& alarm : AlarmsOf(sample, now.at))
    alarms.push_back({{"severity", alarm.page ? "page" : "ticket"}, {"text", alarm.text}});
  for (const auto& [folder, octets] : sample.free_bytes) free[folder] = octets;
  return {{"point", PointOf(now, last)},
          {"stepsOverSeconds", Between(now, oldest)},
          {"steps", StepsOf(now, oldest)},
          {"mqtt", {{"connected", sample.mqtt_connected}, {"reconnects", sample.mqtt_reconnects}}},
          {"free", free},
          {"zone",
           {{"serial", sample.zone_serial},
            {"names", sample.zone_names},
            {"pending", sample.zone_pending},
            {"signaturesUntil", TimeOf(sample.zone_first_expiry)}}},
          {"secondaries", SecondariesOf(sample)},
          {"census", CensusOf(sample.census)},
          {"renewals",
           {{"due", sample.renewals_due},
            {"underWay", sample.renewals_under_way},
            {"oldest", TimeOf(sample.renewals_oldest)}}},
          {"crlWritten", TimeOf(sample.crl_written)},
          {"ordersOpen", sample.orders_open},
          {"alarms", alarms},
          {"lines", LinesOf(lines)}};
}

Json PartiesOf(const Sample& sample) {
  static constexpr const char* kRoles[] = {"mno", "asp", "operator"};
  Json rows = Json::array();
  for (const PartyHeard& one : sample.heard_last) {
    const auto held = sample.census.parties.find(one.party);
    const CensusCounts::Holdings holdings =
        held == sample.census.parties.end() ? CensusCounts::Holdings{} : held->second;
    domain::JobLoad load;
    for (const auto& [mno, jobs] : sample.jobs) {
      if (mno == one.party) load = jobs;
    }
    rows.push_back({{"party", one.party.text()},
                    {"role", kRoles[static_cast<std::size_t>(one.role)]},
                    {"heard", TimeOf(one.at.seconds())},
                    {"sponsored", holdings.sponsored},
                    {"claimed", holdings.claimed},
                    {"jobsOpen", load.open},
                    {"jobsUnsent", load.unsent}});
  }
  return {{"parties", rows}, {"counted", TimeOf(sample.census.taken.seconds())}};
}

Json NodesOf(const NodesLook& look, const std::string& self, const Sample& sample) {
  Json rows = Json::array();
  for (ledger::ListedNode node :
       look.nodes ? ledger::ListOf(*look.nodes) : std::vector<ledger::ListedNode>()) {
    // Who has the ledger says nothing of the broker there.
    if (node.state == ledger::NodeState::kActive && node.name == self)
      node.reaches_broker = sample.mqtt_connected;
    rows.push_back(OfNode(node, look.ago));
  }
  return {{"nodes", rows},
          {"lookedSecondsAgo", look.nodes ? Json(InSeconds(look.ago)) : Json()},
          {"trouble", look.trouble},
          {"tookOver", sample.node.take_overs > 0}};
}

}  // namespace registry::app
