#include "bridge/app/registry.h"

#include <atomic>
#include <filesystem>
#include <optional>
#include <sstream>

#include "bridge/app/anchors_given.h"
#include "bridge/app/backup_point.h"
#include "bridge/app/beside_ledger.h"
#include "bridge/app/broker_crl.h"
#include "bridge/app/carry_over.h"
#include "bridge/app/census.h"
#include "bridge/app/coming_ca_watch.h"
#include "bridge/app/console.h"
#include "bridge/app/crl_options.h"
#include "bridge/app/deciders.h"
#include "bridge/app/disk_space.h"
#include "bridge/app/forgetter.h"
#include "bridge/app/http.h"
#include "bridge/app/ingest_options.h"
#include "bridge/app/last_heard.h"
#include "bridge/app/ledger_place.h"
#include "bridge/app/material.h"
#include "bridge/app/metrics.h"
#include "bridge/app/mqtt_options.h"
#include "bridge/app/others_told.h"
#include "bridge/app/party_acts.h"
#include "bridge/app/party_reload.h"
#include "bridge/app/secondary_alarm.h"
#include "bridge/app/sessions_left.h"
#include "bridge/app/status.h"
#include "bridge/app/token_watch.h"
#include "bridge/app/zone_keys_kept.h"
#include "bridge/app/zone_options.h"
#include "bridge/ingest/pipeline.h"
#include "bridge/ledger/rocksdb/backup.h"
#include "bridge/mqtt/session.h"
#include "bridge/outbox/aside.h"
#include "bridge/outbox/relay.h"
#include "bridge/zone/publisher.h"
#include "bridge/zone/serials.h"
#include "workers/lifecycle/code_text.h"

namespace registry::app {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kDisconnectWithin{2000};

// Where registryctl writes it (bridge/ctl/party_history.h).
std::string PartyActsFile(const Config& config) { return InterfaceFolder(config) + "/parties.jsonl"; }

class Wired : public Registry {
 public:
  Wired(const Config& config, Log& log, bool took_over)
      : config_(config),
        log_(log),
        metrics_(REGISTRY_VERSION, log.For("ingest")),
        node_(config.ledger, REGISTRY_VERSION, took_over, log.For("node")) {}
  ~Wired() override {
    Stop();
    others_told_.To(nullptr);
  }

  Status Open();
  Result<Ports> Start() override;
  void Stop() override;
  void TakeParties() override;
  void ReadCertificatesAgain() override;
  Pulse pulse() const override { return heartbeat_->state(); }
  LedgerEnd ledger_end() const override { return node_.ledger_end(); }
  bool gives_way() const override { return node_.gives_way(); }

 private:
  Status OpenStores();
  Status Beat();
  Status MakePoint(const std::string& to);
  Status OpenZone();
  void OpenPipeline();
  void OpenMqtt();
  Status StartHttp();
  Status StartConsole();
  Sample Look() const;

  Config config_;  // changed by TakeParties only
  Log& log_;
  const SystemClock clock_;
  Metrics metrics_;
  Material material_;
  Node node_;                                      // outlives the ledger, whose thread tells it
  std::atomic<bool> listens_{false};               // there is a session, and it has been started
  OthersTold others_told_;                         // likewise
  std::optional<ledger::PostgresOptions> shared_;  // the ledger's, where nodes decide beside this one
  std::unique_ptr<ledger::Ledger> ledger_;
  std::optional<BesideLedger> beside_;
  std::unique_ptr<ZoneKeysKept> zone_keys_;  // null: their files are enough
  std::unique_ptr<ingest::Pipeline> pipeline_;
  std::unique_ptr<SecondaryAlarm> secondary_alarm_;
  std::unique_ptr<zone::Publisher> zone_;
  std::unique_ptr<CrlWriter> crl_;
  std::unique_ptr<BrokerCrl> broker_crl_;
  std::unique_ptr<mqtt::Session> session_;
  std::unique_ptr<Deciders> deciders_;               // null: none decides beside this one
  std::unique_ptr<FormerSessions> former_sessions_;  // null: there are none
  std::unique_ptr<outbox::Aside> aside_;
  std::unique_ptr<outbox::MqttRelay> relay_;
  std::unique_ptr<HttpServer> http_;
  std::unique_ptr<DiskSpace> space_;
  std::unique_ptr<Heartbeat> heartbeat_;
  std::unique_ptr<Forgetter> forgetter_;
  std::unique_ptr<BackupPoint> backup_;
  std::unique_ptr<PartyActs> party_acts_;
  std::unique_ptr<TokenWatch> tokens_;
  std::unique_ptr<ComingCaWatch> coming_ca_;
  std::unique_ptr<Census> census_;
  LastHeard last_heard_;
  std::unique_ptr<Console> console_;
  bool started_ = false;
  std::atomic<std::uint64_t> parties_{0}, reloads_{0}, reloads_refused_{0};
};

Status Wired::Open() {
  auto material = Material::Load(config_);
  if (!material) return material.error();
  material_ = std::move(*material);
  if (auto stores = OpenStores(); !stores) return stores;
  OpenPipeline();
  if (auto zone = OpenZone(); !zone) return zone;
  OpenMqtt();
  tokens_ = std::make_unique<TokenWatch>(log_.For("keys"));
  crl_ = std::make_unique<CrlWriter>(CrlOptionsOf(config_, material_), *ledger_, *material_.signer, clock_,
                                     log_.For("crl"));
  broker_crl_ = std::make_unique<BrokerCrl>(BrokerCrl::Options{config_.mqtt.crl_file, config_.mqtt.ca_file},
                                            clock_, log_.For("mqtt"));
  coming_ca_ = std::make_unique<ComingCaWatch>(config_, material_.coming, clock_, log_.For("zone"),
                                               ComingCaWatch::AskingOf(config_, clock_));
  return Done{};
}

Status Wired::OpenStores() {
  space_ = std::make_unique<DiskSpace>(WatchedFolders(config_), config_.free_bytes_min, log_.For("disk"));
  space_->Look();
  auto place = LedgerPlaceOf(config_.ledger, config_.ledger_folder);
  if (!place) return place.error();
  if (place->postgres) node_.Complete(*place->postgres);
  auto ledger = OpenLedger(*place, log_.For("ledger"));
  if (!ledger) return ledger.error();
  ledger_ = std::move(*ledger);
  if (node_.shared()) {
    shared_ = place->postgres;
    ledger_->WhenOthersWrote([this](const ledger::Ledger::Others& what) { others_told_.Wrote(what); });
  }
  Heartbeat::Options beats;
  beats.every = node_.BeatsEvery();
  heartbeat_ = std::make_unique<Heartbeat>(std::move(beats), [this] { return Beat(); });
  // The lease does not wait for what a start has to do, and what is beside the ledger goes where its writer goes.
  if (config_.ledger.in_postgres) heartbeat_->Start();
  forgetter_ = std::make_unique<Forgetter>(*ledger_, config_.event_days, clock_, log_.For("ledger"));
  census_ = std::make_unique<Census>(*ledger_, clock_, log_.For("ledger"));
  auto beside = BesideLedger::Open(IntakeOptionsOf(config_, material_, log_.For("intake")), *place, *ledger_);
  if (!beside) return beside.error();
  beside_.emplace(std::move(*beside));
  backup_ = std::make_unique<BackupPoint>(
      config_.backup_folder, [this](const std::string& to) { return MakePoint(to); }, log_.For("backup"));
  party_acts_ = std::make_unique<PartyActs>(PartyActsFile(config_), beside_->kept(), *ledger_, clock_,
                                            log_.For("parties"));
  return Done{};
}

// The relay's cursor as it stands, again and synced: the smallest write there is that changes nothing. Space is looked at
// here because this thread may wait for a disk.
Status Wired::Beat() {
  space_->Look();
  const auto sink = ledger_->LoadSink(ledger::Sink::kMqtt);
  Status beaten = sink ? ledger_->Advance(ledger::Sink::kMqtt, *sink, true) : Status(sink.error());
  if (!beaten) log_.Write(Level::kError, "ledger", "cannot be written: " + beaten.error().message);
  if (beaten && listens_)
    node_.Watch(session_->connected(), [this] { return node_.AnotherReachesTheBroker(*ledger_); });
  return beaten;
}

Status Wired::MakePoint(const std::string& to) {
  if (config_.ledger.in_postgres)
    return Error::Make(Code::kFailed, "backup_failed",
                       "the ledger is in PostgreSQL, whose own tools back it up");
  if (auto copied = beside_->intake().CopyTo(to + "/intake"); !copied) return copied;
  return ledger::MakeCheckpoint(*ledger_, to + "/ledger");
}

void Wired::OpenPipeline() {
  ingest::Services services = ServicesOf(config_, material_);
  services.aside = [this](const PartyId& party, domain::OutgoingMessage reply) {
    if (aside_) aside_->Offer(party, std::move(reply));
  };
  services.backlog = [this] { return relay_ ? relay_->Depth() : 0; };
  services.space_low = [this] { return space_->low(); };
  pipeline_ = std::make_unique<ingest::Pipeline>(PipelineOptionsOf(config_), *ledger_, beside_->intake(),
                                                 clock_, std::move(services), metrics_);
  others_told_.To(pipeline_.get());
}

Status Wired::OpenZone() {
  std::vector<Bytes> authorities = material_.Authorities();
  zone::Visible visible = [this](const std::vector<domain::ZoneChange>& changes) {
    return pipeline_->Visible(changes);
  };
  metrics_.SetZoneTtl("tlsa", config_.dns.tlsa_ttl);
  // What is not there is the signing server's to say, where there is one.
  if (!config_.dns.by_update()) metrics_.SetZoneTtl("negative", config_.dns.negative_ttl);
  update::Options options = UpdateOptions(config_, std::move(authorities));
  options.zone.revocation_served = [this](const auto& secondary, auto after) {
    metrics_.RevocationServed(secondary, after);
  };
  secondary_alarm_ = std::make_unique<SecondaryAlarm>(*ledger_, clock_);
  options.zone.secondary_told = [this](const zone::SecondaryNews& news) {
    return secondary_alarm_->Tell(news);
  };
  if (config_.ledger.in_postgres && !config_.dns.by_update() && !config_.dns.key_set.empty()) {
    zone_keys_ = std::make_unique<ZoneKeysKept>(beside_->kept(), material_.zone_keys_key, config_.dns.key_set,
                                                log_.For("zone"));
    options.zone.key_set_stored = [this](const std::string& text) { return zone_keys_->Keep(text); };
    const auto taken = zone_keys_->Take(
        [this](const zone::KeySet& set) { return zone::CanSign(*ledger_, set, config_.dns.new_keys); });
    if (!taken) return taken;
  }
  auto zone =
      config_.dns.by_update()
          ? update::CreatePublisher(std::move(options), *ledger_, std::move(visible), log_.For("zone"))
          : zone::Publisher::Create(std::move(options.zone), *ledger_, std::move(visible), log_.For("zone"));
  if (!zone) return zone.error();
  zone_ = std::move(*zone);
  return Done{};
}

void Wired::OpenMqtt() {
  mqtt::SessionOptions session = MqttOptions(config_, log_.For("mqtt"));
  if (node_.one_of_several()) {
    session.may_connect = [this] { return node_.MayConnect([this] { heartbeat_->BeatNow(); }); };
    session.may_stay = [this] { return node_.MayStay(); };
    // The broker may be back, and one that stands by sees it: this one tries as often.
    session.backoff_max = std::min(session.backoff_max, node_.BeatsEvery());
  }
  // The PUBACK leaves when this returns (session.h). The process may have slept anywhere in between: what another node has
  // the ledger of is not kept any more, and so not acknowledged (bridge/ledger/postgres/owner.h).
  const mqtt::Session::Handler hear = [this](const ingest::InboundMessage& message) {
    last_heard_.Note(message.topic, clock_.Now());
    pipeline_->Receive(message);
  };
  if (shared_)
    deciders_ = std::make_unique<Deciders>(
        config_, Deciders::Around{*shared_, *ledger_, beside_->intake(), *pipeline_, beside_->kept(), log_},
        session, hear, [this] { session_->Stir(); });
  if (config_.ledger.in_postgres && !shared_) {
    auto former = FormerSessions::Of(beside_->kept(), session, hear, [this] { session_->Stir(); });
    if (former) former_sessions_ = std::move(*former);
  }
  session_ = std::make_unique<mqtt::Session>(std::move(session), hear);
  outbox::RelayOptions options;
  options.in_flight_max = static_cast<std::size_t>(config_.mqtt.in_flight);
  options.takes_batches = config_.takes_batches;
  options.fill_in = [key = material_.policy.authorisation.key](domain::OutgoingMessage& message) {
    lifecycle::FillInCode(key, message);
  };
  options.now = [this] { return clock_.Now(); };
  options.log = log_.For("outbox");
  outbox::Aside::Outbox durable;
  durable.last = [this] {
    const auto last = ledger_->OutboxLast(ledger::Sink::kMqtt);
    return last ? *last : 0;
  };
  durable.depth = [this] { return relay_->Depth(); };
  aside_ = std::make_unique<outbox::Aside>(*session_, std::move(durable));
  relay_ = std::make_unique<outbox::MqttRelay>(*ledger_, aside_->rest(), options);
}

Result<Ports> Wired::Start() {
  started_ = true;
  parties_ = config_.parties.size();
  last_heard_.Set(config_.parties);
  secondary_alarm_->Set(config_.parties);
  heartbeat_->Start();
  tokens_->Start();
  if (auto http = StartHttp(); !http) return http.error();
  // Before anybody is told what the ledger holds, and before the CRL that was published is written over.
  const PublishedTrust published{config_.pki.crl_file, *material_.signer, material_.policy};
  if (auto carried = CarryOver(published, *ledger_, clock_, log_.For("crl")); !carried)
    return carried.error();
  for (const Material::Former& former : material_.former) {
    const PublishedTrust before{former.crl_file, *former.signer, material_.policy};
    if (auto carried = CarryOver(before, *ledger_, clock_, log_.For("crl")); !carried) return carried.error();
  }
  // Before the first payload that has them.
  if (auto said = SayAnchorsGiven(config_.trust_anchors, beside_->kept(), *ledger_, clock_); !said)
    return said.error();
  if (auto crl = crl_->WriteNow(); !crl) return crl.error();
  crl_->Start();
  broker_crl_->Start();
  if (auto zone = zone_->Start(); !zone) return zone.error();
  coming_ca_->Start();
  pipeline_->Start();
  forgetter_->Start();
  backup_->Start();
  party_acts_->Start();
  census_->Start();
  relay_->Start();
  aside_->Start();
  session_->Start();
  listens_ = true;
  if (deciders_) {
    if (auto kept = deciders_->Keep(DecidingTermsOf(config_, material_)); !kept) return kept.error();
    deciders_->Start();
  }
  if (former_sessions_) former_sessions_->Start();
  if (auto console = StartConsole(); !console) return console.error();
  const zone::Snapshot zone = zone_->snapshot();
  return Ports{zone.port, http_->port(), console_ ? console_->port() : std::uint16_t{0}, zone.tls_port};
}

void Wired::Stop() {
  if (!started_) return;
  started_ = false;
  listens_ = false;
  console_.reset();
  http_.reset();
  if (deciders_) deciders_->Stop();
  former_sessions_.reset();
  coming_ca_->Stop();
  zone_->Stop();
  census_->Stop();
  forgetter_->Stop();
  backup_->Stop();
  party_acts_->Stop();
  pipeline_->Stop();
  aside_->Stop();
  relay_->Stop();
  session_->Stop(kDisconnectWithin);
  crl_->Stop();
  broker_crl_->Stop();
  tokens_->Stop();
  heartbeat_->Stop();
}

void Wired::TakeParties() {
  const auto log = log_.For("app");
  const auto read = ReadPartiesAgain(config_.file, log);
  if (!read) {
    ++reloads_refused_;
    return;
  }
  const PartyReload taken = app::TakeParties(config_, *read);
  config_ = taken.config;
  pipeline_->Change(PartyTermsOf(config_));
  relay_->ChangeBatches(config_.takes_batches);
  if (console_) console_->SetPolicy(PolicyToShow(config_));
  session_->ChangeParties(HeardAlone(config_));
  parties_ = config_.parties.size();
  last_heard_.Set(config_.parties);
  secondary_alarm_->Set(config_.parties);
  party_acts_->Took(taken.changes);
  if (deciders_) {
    if (auto kept = deciders_->Keep(DecidingTermsOf(config_, material_)); !kept)
      log(Level::kError, "nodes that decide are not told of it: " + kept.error().message);
  }
  SayTaken(taken, log);
  ++reloads_;
}

void Wired::ReadCertificatesAgain() {
  const auto read = zone_->ReadTlsAgain();
  if (!read)
    log_.Write(Level::kError, "zone",
               "the certificate for transfers over TLS stays as it was: " + read.error().message);
}

Status Wired::StartHttp() {
  HttpServer::Pages pages;
  pages["/metrics"] = [this] {
    return Page{200, "text/plain; version=0.0.4; charset=utf-8", metrics_.Text(Look())};
  };
  pages["/healthz"] = [this] { return HealthPage(pulse() == Pulse::kBeating); };
  pages["/readyz"] = [this] { return ReadyPage(Look()); };
  auto http = HttpServer::Start(config_.http_address, config_.http_port, std::move(pages), log_.For("http"));
  if (!http) return http.error();
  http_ = std::move(*http);
  return Done{};
}

Status Wired::StartConsole() {
  if (!config_.console.enabled) return Done{};
  auto console =
      Console::Start(config_, {*ledger_, clock_, metrics_, log_, last_heard_, [this] { return Look(); }},
                     log_.For("console"));
  if (!console) return console.error();
  console_ = std::move(*console);
  return Done{};
}

Sample Wired::Look() const {
  Sample sample;
  sample.outbox_depth = relay_->Depth();
  sample.intake_undone = beside_->intake().undone();
  sample.intake_unerased = beside_->intake().unerased();
  sample.intake_torn = beside_->intake().torn_records();
  sample.intake_damages = beside_->intake().damages();
  sample.pipeline_queued = pipeline_->queued();
  sample.orders_open = pipeline_->orders_open();
  sample.free_bytes = space_->free();
  sample.disk_nearly_full = space_->low();
  const ingest::RenewalsDue renewals = pipeline_->renewals_due();
  sample.renewals_due = renewals.due;
  sample.renewals_under_way = renewals.under_way;
  sample.renewals_oldest = renewals.oldest.seconds();
  sample.mqtt_connected = session_->connected();
  sample.mqtt_trouble = session_->trouble();
  sample.reads_said = aside_->said();
  sample.reads_dropped = aside_->dropped();
  sample.mqtt_reconnects = session_->reconnects();
  const mqtt::Session::Traffic traffic = session_->traffic();
  sample.heard = traffic.heard;
  sample.said = traffic.said;
  sample.batches_said = relay_->batched().batches;
  sample.batched_said = relay_->batched().entries;
  sample.changesets = ledger_->changesets();
  const auto marks = ledger_->LoadMarksKept();
  sample.marks_forgotten = marks ? marks->forgotten : 0;
  sample.marks_oldest = forgetter_->oldest();
  const zone::Snapshot zone = zone_->snapshot();
  sample.zone_serial = zone.serial;
  sample.zone_names = zone.names;
  sample.zone_pending = zone.pending;
  sample.zone_key_rolls = zone.rolls.size();
  sample.zone_ds_due = !zone.ds_due.empty();
  sample.zone_first_expiry = zone.first_expiry;
  sample.axfr = zone.axfr;
  sample.ixfr = zone.ixfr;
  sample.zone_refused = zone.refused;
  sample.zone_dropped = zone.dropped;
  sample.zone_tls_made = zone.tls_made;
  sample.zone_tls_refused = zone.tls_refused;
  for (const auto& lag : zone.secondaries) {
    using InSeconds = std::chrono::duration<double>;
    sample.secondaries.push_back({lag.name, InSeconds(lag.behind).count(), lag.serial, lag.reachable,
                                  lag.left_behind, InSeconds(lag.revocation_waits).count(),
                                  InSeconds(lag.left_for).count()});
  }
  sample.census = census_->counts();
  const auto loads = ledger_->JobLoads();
  if (loads) sample.jobs = *loads;
  sample.heard_last = last_heard_.all();
  sample.parties = parties_;
  sample.reloads = reloads_;
  sample.reloads_refused = reloads_refused_;
  for (const auto& state : tokens_->states()) sample.tokens.emplace_back(state.token, state.trouble.empty());
  sample.crl_written = crl_->written();
  sample.broker_crl_until = broker_crl_->until();
  sample.node = node_.sample();
  return sample;
}

}  // namespace

Result<std::unique_ptr<Registry>> Registry::Open(const Config& config, Log& log, bool took_over,
                                                 LedgerEnd* end) {
  auto registry = std::make_unique<Wired>(config, log, took_over);
  if (auto opened = registry->Open(); !opened) {
    if (end != nullptr) *end = registry->ledger_end();
    return opened.error();
  }
  return std::unique_ptr<Registry>(std::move(registry));
}

}  // namespace registry::app
