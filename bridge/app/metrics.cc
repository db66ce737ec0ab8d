#include "bridge/app/metrics.h"

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/metric_family.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

#include <map>
#include <unordered_set>
#include <vector>

#include "bridge/app/known_series.h"
#include "schemas/wire/codec.h"

namespace registry::app {
namespace {

using prometheus::BuildCounter;
using prometheus::BuildGauge;
using prometheus::BuildHistogram;

// From a signature to a minute: 100 µs to 60 s.
const prometheus::Histogram::BucketBoundaries kSeconds = {0.0001, 0.0003, 0.001, 0.003, 0.01, 0.03, 0.1,
                                                          0.3,    1,      3,     10,    30,   60};

// A revocation: from one transfer to a secondary that was away for half an hour.
const prometheus::Histogram::BucketBoundaries kRevocationSeconds = {0.01, 0.03, 0.1, 0.2, 0.3, 0.5, 1,   2,
                                                                    3,    5,    10,  30,  60,  300, 1800};

using Families = std::vector<prometheus::MetricFamily>;

// Counted elsewhere and only looked up here; a prometheus::Counter cannot be set.
void AddTotal(Families& families, const char* name, const char* help, std::uint64_t value) {
  prometheus::ClientMetric metric;
  metric.counter.value = static_cast<double>(value);
  families.push_back({name, help, prometheus::MetricType::Counter, {metric}});
}

// The same for series that go again, as those of a party that was struck.
using Series = std::vector<std::pair<std::map<std::string, std::string>, double>>;
void AddGauges(Families& families, const char* name, const char* help, const Series& series) {
  std::vector<prometheus::ClientMetric> metrics;
  for (const auto& [labels, value] : series) {
    prometheus::ClientMetric metric;
    for (const auto& [label, text] : labels) metric.label.push_back({label, text});
    metric.gauge.value = value;
    metrics.push_back(std::move(metric));
  }
  if (!metrics.empty()) families.push_back({name, help, prometheus::MetricType::Gauge, std::move(metrics)});
}

void AddCensus(Families& families, const CensusCounts& census) {
  if (census.taken == UtcTime{}) return;  // nothing is known yet, which is not that there is nothing
  Series devices, certificates;
  for (const auto& [state, count] : census.states) {
    devices.push_back({{{"state", std::string(domain::StateName(state))}}, static_cast<double>(count)});
  }
  for (std::size_t at = 0; at < kEndsNames.size(); ++at)
    certificates.push_back({{{"ends", kEndsNames[at]}}, static_cast<double>(census.ends[at])});
  AddGauges(families, "registry_devices", "Devices by state, as the last census counted them", devices);
  AddGauges(families, "registry_devices_on_hold", "Devices on a hold of their MNO, their ASP or the operator",
            {{{}, static_cast<double>(census.on_hold)}});
  AddGauges(families, "registry_certificates", "Live certificates by when they end, each in one class",
            certificates);
  AddGauges(families, "registry_census_timestamp_seconds", "When the last census began",
            {{{}, static_cast<double>(census.taken.seconds())}});
}

void AddParties(Families& families, const Sample& sample) {
  Series jobs, heard;
  std::map<PartyId, domain::JobLoad> loads(sample.jobs.begin(), sample.jobs.end());
  for (const PartyHeard& one : sample.heard_last) {
    heard.push_back({{{"party", one.party.text()}}, static_cast<double>(one.at.seconds())});
    if (one.role == wire::Role::kMno) loads.try_emplace(one.party);
  }
  for (const auto& [mno, load] : loads) {
    jobs.push_back({{{"mno", mno.text()}, {"stage", "open"}}, static_cast<double>(load.open)});
    jobs.push_back({{{"mno", mno.text()}, {"stage", "unsent"}}, static_cast<double>(load.unsent)});
  }
  AddGauges(families, "registry_jobs", "Jobs of each MNO: sent and not ended, or waiting for room", jobs);
  AddGauges(families, "registry_party_last_heard_timestamp_seconds",
            "When a party was heard last, 0 when not since the start", heard);
}

void AddReloads(Families& families, std::uint64_t taken, std::uint64_t refused) {
  AddTotal(families, "registry_config_reloads_total",
           "Times the parties were taken from the configuration again", taken);
  AddTotal(families, "registry_config_reloads_refused_total",
           "Times it was wrong, and they stayed as they were", refused);
}

void AddNode(Families& families, const NodeSample& node) {
  if (!node.one_of_several) return;
  AddGauges(families, "registry_node_active", "1 at the node that has the ledger, 0 at one that stands by",
            {{{}, node.active ? 1.0 : 0.0}});
  AddGauges(families, "registry_node_lease_age_seconds",
            "Since the ledger proved to be this node's, or since one that stands by saw something new in it",
            {{{}, node.lease_age}});
  AddTotal(families, "registry_node_take_overs_total",
           "1 when this process has the ledger since another node had it, which this one waited for",
           node.take_overs);
  if (node.shared)
    AddGauges(families, "registry_node_deciding",
              "1 while a node that stands by decides commands beside the active one",
              {{{}, node.deciding ? 1.0 : 0.0}});
}

// Of every node that hears.
void AddTraffic(Families& families, const Sample& sample) {
  AddTotal(families, "registry_mqtt_reconnects_total", "Connections made after the first",
           sample.mqtt_reconnects);
  AddTotal(families, "registry_mqtt_heard_total", "Messages that came from the broker", sample.heard);
  AddTotal(families, "registry_mqtt_said_total", "Messages given to the broker", sample.said);
  AddTotal(families, "registry_changesets_total", "Changesets committed to the ledger", sample.changesets);
  AddTotal(families, "registry_read_replies_total", "Replies to reads that the broker has taken",
           sample.reads_said);
  AddTotal(
      families, "registry_read_replies_dropped_total",
      "Replies to reads that were dropped: the broker was away, or a party's share of what waits was full",
      sample.reads_dropped);
}

void AddCopy(Families& families, const std::optional<ZoneCopySample>& copy) {
  if (!copy) return;
  AddGauges(families, "registry_zone_copy_follows",
            "1 while the active node's zone is copied: one of zone.other_primaries answers",
            {{{}, copy->follows ? 1.0 : 0.0}});
  AddGauges(families, "registry_zone_copy_serial",
            "SOA serial of the copy of the zone, 0 while there is none",
            {{{}, static_cast<double>(copy->serial)}});
}

void AddTo(Totals::Step& step, const prometheus::ClientMetric& metric) {
  step.count += metric.histogram.sample_count;
  step.within.resize(kSeconds.size());
  // The last bucket is that of all.
  for (std::size_t i = 0; i < kSeconds.size() && i < metric.histogram.bucket.size(); ++i)
    step.within[i] += metric.histogram.bucket[i].cumulative_count;
}

std::string LabelOf(const prometheus::ClientMetric& metric, const std::string& name) {
  for (const auto& label : metric.label) {
    if (label.name == name) return label.value;
  }
  return "";
}

Totals TotalsOf(const Families& families) {
  Totals totals;
  Totals::Step command{"command", 0, {}};
  for (const prometheus::MetricFamily& family : families) {
    for (const prometheus::ClientMetric& metric : family.metric) {
      if (family.name == "registry_commands_total")
        totals.commands[LabelOf(metric, "outcome")] += static_cast<std::uint64_t>(metric.counter.value);
      if (family.name == "registry_command_seconds") AddTo(command, metric);
      if (family.name != "registry_step_seconds") continue;
      AddTo(totals.steps.emplace_back(Totals::Step{LabelOf(metric, "step"), 0, {}}), metric);
    }
  }
  totals.steps.push_back(std::move(command));
  return totals;
}

double InSeconds(std::chrono::microseconds time) { return std::chrono::duration<double>(time).count(); }

}  // namespace

class Metrics::Impl {
 public:
  Impl(const std::string& version, LogLine log) : log_(std::move(log)) {
    BuildGauge()
        .Name("registry_build_info")
        .Help("Always 1; the label says which version runs")
        .Register(registry_)
        .Add({{"version", version}})
        .Set(1);
  }

  void Command(const std::string& command, const std::string& outcome, const std::string& symbol,
               std::chrono::microseconds latency) {
    // What a sender invents is found under no name of its own.
    const std::string name = command_names_.contains(command) ? command : "unknown";
    known_commands_
        .Of(
            {name, outcome, symbol},
            [&]() -> auto& {
              return commands_.Add({{"command", name}, {"outcome", outcome}, {"symbol", symbol}});
            })
        .Increment();
    Observe(known_command_seconds_, command_seconds_, "command", name, latency);
  }
  void Step(const std::string& step, std::chrono::microseconds latency) {
    Observe(known_steps_, step_seconds_, "step", step, latency);
  }
  void OrderItem(const std::string& kind, const std::string& outcome) {
    order_items_.Add({{"kind", kind}, {"outcome", outcome}}).Increment();
  }
  void Transfer(const std::string& kind, const std::string& outcome) {
    transfers_.Add({{"kind", kind}, {"outcome", outcome}}).Increment();
  }
  void Renewal(const std::string& outcome) { renewals_.Add({{"outcome", outcome}}).Increment(); }
  void Limited(const std::string& party, const std::string& limit) {
    limited_.Add({{"party", party}, {"limit", limit}}).Increment();
  }
  void RevocationServed(const std::string& secondary, std::chrono::microseconds after) {
    known_revocations_
        .Of(
            {secondary, "", ""},
            [&]() -> auto& {
              return revocation_seconds_.Add({{"secondary", secondary}}, kRevocationSeconds);
            })
        .Observe(InSeconds(after));
  }
  void SetZoneTtl(const std::string& record, std::uint32_t seconds) {
    zone_ttl_.Add({{"record", record}}).Set(seconds);
  }
  void Line(int level, const std::string& line) {
    if (level >= 2) (level == 2 ? warnings_ : errors_).Increment();
    log_(level, line);
  }

  Totals totals() const { return TotalsOf(registry_.Collect()); }
  // Not what another node does: a gauge that said 0 of it would be an alarm here.
  std::string MemberText(const Sample& sample, const std::optional<ZoneCopySample>& copy) {
    Set("registry_intake_undone", "Acknowledged to the broker and not yet in the ledger",
        sample.intake_undone);
    Set("registry_pipeline_queued", "Pieces of work waiting for a lane", sample.pipeline_queued);
    Set("registry_mqtt_connected", "1 while connected and subscribed", sample.mqtt_connected ? 1 : 0);
    Families families = registry_.Collect();
    std::erase_if(families, [](const prometheus::MetricFamily& family) { return family.metric.empty(); });
    AddTraffic(families, sample);
    AddReloads(families, sample.node.reloads, sample.node.reloads_refused);
    AddNode(families, sample.node);
    AddCopy(families, copy);
    return prometheus::TextSerializer().Serialize(families);
  }
  std::string Text(const Sample& sample) {
    Set("registry_outbox_depth", "Committed for MQTT and not yet confirmed by the broker",
        sample.outbox_depth);
    Set("registry_intake_undone", "Acknowledged to the broker and not yet in the ledger",
        sample.intake_undone);
    Set("registry_intake_unerased", "Rows of the intake that are decided and not erased yet",
        sample.intake_unerased);
    Set("registry_intake_torn_records", "Records of the last run that were cut short", sample.intake_torn);
    Set("registry_intake_damages", "Places in the intake of the last run that are not what was written",
        sample.intake_damages);
    Set("registry_pipeline_queued", "Pieces of work waiting for a lane", sample.pipeline_queued);
    Set("registry_orders_open", "Orders that are running or paused", sample.orders_open);
    Set("registry_renewals_due", "Devices whose certificate is to be replaced by now", sample.renewals_due);
    Set("registry_renewals_under_way", "Of those, devices that were asked for a key or await a certificate",
        sample.renewals_under_way);
    Set("registry_renewals_oldest_due_timestamp_seconds",
        "Since when the first of the devices due for renewal is so, 0 when there is none",
        sample.renewals_oldest);
    Set("registry_disk_nearly_full", "1 while nothing new is begun for want of space",
        sample.disk_nearly_full ? 1 : 0);
    for (const auto& [folder, octets] : sample.free_bytes) {
      free_bytes_.Add({{"folder", folder}}).Set(static_cast<double>(octets));
    }
    for (const auto& [token, answers] : sample.tokens) {
      token_up_.Add({{"token", token}}).Set(answers ? 1 : 0);
    }
    Set("registry_mqtt_connected", "1 while connected and subscribed", sample.mqtt_connected ? 1 : 0);
    Set("registry_parties", "Parties that are configured", sample.parties);
    Set("registry_zone_serial", "SOA serial served to secondaries", sample.zone_serial);
    Set("registry_zone_names", "Device names in the zone", sample.zone_names);
    Set("registry_zone_pending", "Changes not yet served by every secondary", sample.zone_pending);
    Set("registry_zone_key_rolls", "Roll-overs of the zone's keys under way", sample.zone_key_rolls);
    Set("registry_zone_ds_due", "1 while a roll-over waits for a DS at the parent",
        sample.zone_ds_due ? 1 : 0);
    Set("registry_zone_first_signature_expiry_timestamp_seconds",
        "When the zone's first signature expires, 0 when one must be made again at once",
        sample.zone_first_expiry);
    Set("registry_event_marks_oldest_timestamp_seconds",
        "The start of the oldest day of which commands are remembered, 0 when there are none",
        sample.marks_oldest);
    Set("registry_crl_written_timestamp_seconds", "When the CRL file was written last", sample.crl_written);
    Set("registry_mqtt_crl_next_update_timestamp_seconds",
        "When the broker's list of withdrawn parties ends, 0 when none is watched", sample.broker_crl_until);
    for (const Sample::Secondary& secondary : sample.secondaries) {
      const std::map<std::string, std::string> label = {{"secondary", secondary.name}};
      zone_lag_.Add(label).Set(secondary.lag_seconds);
      zone_reachable_.Add(label).Set(secondary.reachable ? 1 : 0);
      zone_left_behind_.Add(label).Set(secondary.left_behind ? 1 : 0);
      zone_left_behind_seconds_.Add(label).Set(secondary.left_for);
      secondary_serial_.Add(label).Set(secondary.serial);
      revocation_waits_.Add(label).Set(secondary.revocation_waits);
    }
    Families families = registry_.Collect();
    AddTraffic(families, sample);
    AddTotal(families, "registry_mqtt_batches_said_total", "Of those, batches", sample.batches_said);
    AddTotal(families, "registry_mqtt_batched_said_total", "Envelopes in batches given to the broker",
             sample.batched_said);
    AddTotal(families, "registry_event_marks_forgotten_total",
             "Commands whose ids and replies were forgotten, since the ledger was made",
             sample.marks_forgotten);
    AddReloads(families, sample.reloads, sample.reloads_refused);
    AddTotal(families, "registry_zone_axfr_total", "Whole zone transfers served", sample.axfr);
    AddTotal(families, "registry_zone_ixfr_total", "Incremental zone transfers served", sample.ixfr);
    AddTotal(families, "registry_zone_refused_total", "DNS requests refused", sample.zone_refused);
    AddTotal(families, "registry_zone_dropped_total",
             "Requests and connections beyond what one peer may have, not answered", sample.zone_dropped);
    AddTotal(families, "registry_zone_tls_handshakes_total", "TLS handshakes of secondaries",
             sample.zone_tls_made);
    AddTotal(families, "registry_zone_tls_refused_total", "TLS handshakes that did not succeed",
             sample.zone_tls_refused);
    AddCensus(families, sample.census);
    AddParties(families, sample);
    AddNode(families, sample.node);
    return prometheus::TextSerializer().Serialize(families);
  }

 private:
  static std::unordered_set<std::string_view> CommandNames() {
    std::unordered_set<std::string_view> names;
    for (const wire::MessageName& name : wire::Catalogue()) {
      if (name.kind == wire::MessageName::Kind::kCommand && !name.roles.empty()) names.insert(name.name);
    }
    return names;
  }
  using KnownHistograms = KnownSeries<prometheus::Histogram>;
  static void Observe(KnownHistograms& known, prometheus::Family<prometheus::Histogram>& family,
                      const std::string& label, const std::string& value, std::chrono::microseconds latency) {
    known
        .Of(
            {value, "", ""},
            [&]() -> auto& {
              return family.Add({{label, value}}, kSeconds);
            })
        .Observe(InSeconds(latency));
  }
  template <class Number>
  void Set(const char* name, const char* help, Number value) {
    BuildGauge().Name(name).Help(help).Register(registry_).Add({}).Set(static_cast<double>(value));
  }

  const LogLine log_;
  // Merge: asking for a family that exists gives that family.
  prometheus::Registry registry_{prometheus::Registry::InsertBehavior::Merge};
  prometheus::Family<prometheus::Counter>& commands_ =
      BuildCounter()
          .Name("registry_commands_total")
          .Help("Commands by outcome: accepted, rejected, duplicate, conflict, dead_letter, failed")
          .Register(registry_);
  prometheus::Family<prometheus::Histogram>& command_seconds_ =
      BuildHistogram()
          .Name("registry_command_seconds")
          .Help("From a lane taking a command to its durable consequence")
          .Register(registry_);
  prometheus::Family<prometheus::Histogram>& step_seconds_ =
      BuildHistogram()
          .Name("registry_step_seconds")
          .Help("Steps of an activation, each from the one before")
          .Register(registry_);
  prometheus::Family<prometheus::Counter>& order_items_ =
      BuildCounter()
          .Name("registry_order_items_total")
          .Help("Devices of orders by outcome: done, refused, failed, skipped")
          .Register(registry_);
  prometheus::Family<prometheus::Counter>& transfers_ =
      BuildCounter()
          .Name("registry_transfers_total")
          .Help("Transfers by outcome: requested, approved, rejected, cancelled, completed, failed")
          .Register(registry_);
  prometheus::Family<prometheus::Counter>& renewals_ =
      BuildCounter()
          .Name("registry_renewals_total")
          .Help("Renewals of device certificates: begun, rekey, done, failed, expired, dropped")
          .Register(registry_);
  prometheus::Family<prometheus::Counter>& limited_ =
      BuildCounter()
          .Name("registry_limited_total")
          .Help("Commands refused because a limit of their sender was reached")
          .Register(registry_);
  prometheus::Family<prometheus::Counter>& alarms_ = BuildCounter()
                                                         .Name("registry_alarms_total")
                                                         .Help("Warnings and errors logged by the pipeline")
                                                         .Register(registry_);
  prometheus::Counter& warnings_ = alarms_.Add({{"level", "warning"}});  // there before the first one
  prometheus::Counter& errors_ = alarms_.Add({{"level", "error"}});
  prometheus::Family<prometheus::Gauge>& free_bytes_ = BuildGauge()
                                                           .Name("registry_free_bytes")
                                                           .Help("Octets that are free where a folder lies")
                                                           .Register(registry_);
  prometheus::Family<prometheus::Gauge>& token_up_ = BuildGauge()
                                                         .Name("registry_token_up")
                                                         .Help("1 while a token that keys are in answers")
                                                         .Register(registry_);
  prometheus::Family<prometheus::Gauge>& zone_lag_ = BuildGauge()
                                                         .Name("registry_zone_lag_seconds")
                                                         .Help("For how long a secondary has been behind")
                                                         .Register(registry_);
  prometheus::Family<prometheus::Gauge>& zone_reachable_ = BuildGauge()
                                                               .Name("registry_zone_secondary_reachable")
                                                               .Help("1 while a secondary answers")
                                                               .Register(registry_);
  prometheus::Family<prometheus::Histogram>& revocation_seconds_ =
      BuildHistogram()
          .Name("registry_zone_revocation_served_seconds")
          .Help("From the decision of a revocation to a secondary's service without the record")
          .Register(registry_);
  prometheus::Family<prometheus::Gauge>& revocation_waits_ =
      BuildGauge()
          .Name("registry_zone_revocation_waiting_seconds")
          .Help("Age of the oldest revocation that a secondary does not serve, 0 when there is none")
          .Register(registry_);
  prometheus::Family<prometheus::Gauge>& zone_ttl_ =
      BuildGauge()
          .Name("registry_zone_ttl_seconds")
          .Help("How long a resolver may keep what it was told")
          .Register(registry_);
  const std::unordered_set<std::string_view> command_names_ = CommandNames();
  KnownSeries<prometheus::Counter> known_commands_;
  KnownHistograms known_command_seconds_, known_steps_, known_revocations_;
  prometheus::Family<prometheus::Gauge>& zone_left_behind_ =
      BuildGauge()
          .Name("registry_zone_secondary_left_behind")
          .Help("1 while changes become visible without this secondary")
          .Register(registry_);
  prometheus::Family<prometheus::Gauge>& zone_left_behind_seconds_ =
      BuildGauge()
          .Name("registry_zone_secondary_left_behind_seconds")
          .Help("For how long a secondary that is left behind has served nothing new")
          .Register(registry_);
  prometheus::Family<prometheus::Gauge>& secondary_serial_ = BuildGauge()
                                                                 .Name("registry_zone_secondary_serial")
                                                                 .Help("SOA serial a secondary serves")
                                                                 .Register(registry_);
};

Metrics::Metrics(const std::string& version, LogLine log)
    : impl_(std::make_unique<Impl>(version, std::move(log))) {}
Metrics::~Metrics() = default;
void Metrics::CommandDone(const std::string& command, const std::string& outcome, const std::string& symbol,
                          std::chrono::microseconds latency) {
  impl_->Command(command, outcome, symbol, latency);
}
void Metrics::StepDone(const std::string& step, std::chrono::microseconds latency) {
  impl_->Step(step, latency);
}
void Metrics::Limited(const std::string& party, const std::string& limit) { impl_->Limited(party, limit); }
void Metrics::OrderItemDone(const std::string& kind, const std::string& outcome) {
  impl_->OrderItem(kind, outcome);
}
void Metrics::TransferMoved(const std::string& kind, const std::string& outcome) {
  impl_->Transfer(kind, outcome);
}
void Metrics::RenewalMoved(const std::string& outcome) { impl_->Renewal(outcome); }
void Metrics::Log(int level, const std::string& line) { impl_->Line(level, line); }
void Metrics::RevocationServed(const std::string& secondary, std::chrono::microseconds after) {
  impl_->RevocationServed(secondary, after);
}
std::string StandbyText(const std::string& version, const NodeSample& node,
                        const std::optional<ZoneCopySample>& copy) {
  Families families;
  AddGauges(families, "registry_build_info", "Always 1; the label says which version runs",
            {{{{"version", version}}, 1.0}});
  if (node.shared) AddReloads(families, node.reloads, node.reloads_refused);
  AddNode(families, node);
  AddCopy(families, copy);
  return prometheus::TextSerializer().Serialize(families);
}
Totals Metrics::totals() const { return impl_->totals(); }
const std::vector<double>& StepBounds() { return kSeconds; }
void Metrics::SetZoneTtl(const std::string& record, std::uint32_t seconds) {
  impl_->SetZoneTtl(record, seconds);
}
std::string Metrics::Text(const Sample& sample) { return impl_->Text(sample); }
std::string Metrics::MemberText(const Sample& sample, const std::optional<ZoneCopySample>& copy) {
  return impl_->MemberText(sample, copy);
}

}  // namespace registry::app
