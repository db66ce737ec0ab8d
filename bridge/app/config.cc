#include "bridge/app/config.h"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <thread>

#include "bridge/app/config_issuing.h"
#include "bridge/app/config_section.h"
#include "bridge/app/config_zone.h"

namespace registry::app {
namespace {

// Decisions keep a core busy each; one more than one, so that a long one is not in everybody's way.
int Cores() { return static_cast<int>(std::max(std::thread::hardware_concurrency(), 2u)); }

constexpr std::int64_t kPortMax = 65535;
constexpr int kDaysMax = 3650;
constexpr std::int64_t kShardsMax = 4096;
constexpr int kCodeDaysMax = 365;
constexpr int kDaySeconds = 86400, kYearSeconds = 366 * kDaySeconds;
constexpr int kAttemptsMax = 30;
constexpr std::size_t kContactMax = 200;  // octets
constexpr std::int64_t kOpenMax = 1'000'000, kRateMax = 1'000'000;
// Of a whole network operator; who has less to say is given less. By LimitClass.
constexpr ingest::Rates kUsualRates{{{2000, 120'000}, {1000, 10'000}, {10, 200}, {1, 500}}};

constexpr std::array kTables = {
    "registry", "mqtt",           "ledger",         "intake",    "pki",           "process",  "payload",
    "resolver", "zone",           "http",           "secondary", "log",           "party",    "pipeline",
    "limits",   "retry",          "renewal",        "run",       "authorisation", "transfer", "backup",
    "console",  "former_issuing", "coming_issuing", "node"};

std::int64_t Said(std::uint64_t number) { return static_cast<std::int64_t>(number); }
bool NotEmpty(const std::string& text) { return !text.empty(); }
bool IsContact(const std::string& text) {
  return text.size() <= kContactMax && std::all_of(text.begin(), text.end(), [](char octet) {
           return static_cast<unsigned char>(octet) >= 0x20 && octet != 0x7f;
         });
}

// Reads the tables of one file into a Config; what is wrong goes to faults.
class Reader {
 public:
  Reader(const toml::table& root, std::string folder, Faults& faults)
      : root_(root), tables_(root, std::move(folder), faults), faults_(faults) {}

  Config Read() {
    CheckTables();
    ReadRegistry();
    ReadMqtt();
    ReadFolders();
    ReadPki();
    ReadOtherIssuing(tables_, config_);
    ReadResolver();
    config_.dns = ReadZone(tables_, config_.zone);
    config_.secondaries = ReadSecondaries(tables_, config_.dns.tls);
    ReadRetry();
    ReadRenewal();
    ReadTransfer();
    ReadLimits();
    ReadParties();
    ReadRunning();
    return std::move(config_);
  }

 private:
  void CheckTables() {
    for (const auto& [key, node] : root_) {
      const bool known = std::find(kTables.begin(), kTables.end(), key.str()) != kTables.end();
      const bool list = key == "secondary" || key == "party" || key.str().ends_with("_issuing");
      if (!known) faults_.Add(key.source(), "unknown table [" + std::string(key.str()) + "]");
      if (known && list != node.is_array_of_tables()) {
        faults_.Add(key.source(), std::string(key.str()) +
                                      (list ? " must be written as [[" : " must be written as [") +
                                      std::string(key.str()) + (list ? "]]" : "]"));
      }
    }
  }

  void ReadRegistry() {
    Section s = tables_.Open("registry");
    config_.zone = s.Checked("zone", "a domain name in lower case, without a trailing dot", IsDomainName);
    config_.profile = s.Checked("profile", "a name", NotEmpty, "iot-registry-1");
    config_.restore_days = s.As<int>("restore_days", 5, 1, kDaysMax);
    config_.trust_anchors = s.Texts("trust_anchors", "DS or DNSKEY records in presentation form", NotEmpty);
    s.Finish();
  }

  void ReadMqtt() {
    Section s = tables_.Open("mqtt");
    MqttConfig& mqtt = config_.mqtt;
    mqtt.host = s.Checked("host", "a host name or an address", NotEmpty);
    mqtt.port = s.As<std::uint16_t>("port", 8883);
    mqtt.ca_file = s.Path("ca_file");
    mqtt.certificate_file = s.Path("certificate_file");
    mqtt.key_file = s.Path("key_file");
    mqtt.client_id = s.Checked("client_id", "a client identifier", NotEmpty, "registryd");
    mqtt.crl_file = s.Path("crl_file", "");
    mqtt.broker_reload = s.Texts("broker_reload", "words, a command first", NotEmpty, true);
    mqtt.session_per_party = s.Flag("session_per_party", true);
    mqtt.keep_alive_seconds = s.As<int>("keep_alive_seconds", 30, 1, kPortMax);
    mqtt.session_expiry_seconds = s.As<int>("session_expiry_seconds", 86400, 60);
    mqtt.in_flight = s.As<int>("in_flight", 1000, 1, 60000);
    mqtt.receive_maximum = s.As<int>("receive_maximum", 10000, 1, kPortMax);
    s.Finish();
  }

  void ReadFolders() {
    Section ledger = tables_.Open("ledger");
    config_.ledger = ReadLedgerConfig(ledger, config_.ledger_folder);
    config_.event_days = ledger.As<int>("event_days", 7, 1, kDaysMax);
    config_.free_bytes_min =
        ledger.As<std::uint64_t>("free_bytes_min", std::int64_t{512} << 20, 0, std::int64_t{1} << 40);
    ledger.Finish();
    Section node = tables_.Open("node");
    config_.ledger.node = node.Checked("name", "1 to 64 letters, digits, '.', '-' and '_'", IsNodeName, "");
    node.Finish();
    Section intake = tables_.Open("intake");
    config_.intake_folder = intake.Path("folder");
    config_.intake_bytes_max = intake.As<std::uint64_t>("bytes_max", std::int64_t{1} << 30,
                                                        std::int64_t{1} << 20, std::int64_t{1} << 40);
    intake.Finish();
    Section backup = tables_.Open("backup");
    config_.backup_folder = backup.Path("folder", "backup");
    backup.Finish();
  }

  void ReadPki() {
    Section s = tables_.Open("pki");
    PkiConfig& pki = config_.pki;
    pki.root_certificate = s.Path("root_certificate");
    pki.issuing_certificate = s.Path("issuing_certificate");
    pki.issuing_key = s.Key("issuing_key");
    pki.crl_file = s.Path("crl_file");
    pki.crl_url = s.Text("crl_url", "");
    pki.blocked_keys = s.Path("blocked_keys", "");
    pki.validity_days = s.As<int>("validity_days", 365, 1, kDaysMax);
    pki.validity_seconds = s.As<int>("validity_seconds", 0, 0, kYearSeconds);
    pki.crl_shards = s.As<std::uint32_t>("crl_shards", 0, 0, kShardsMax);
    // The shard's number goes into the last part of the path.
    const std::size_t host = pki.crl_url.find("://");
    const bool has_path = host != std::string::npos && pki.crl_url.find('/', host + 3) != std::string::npos;
    if (pki.crl_shards > 0 && !has_path) s.Fault("crl_shards", "needs a crl_url with a path");
    pki.crl_shard_above = s.As<std::size_t>("crl_shard_above", 10'000, 0, 100'000'000);
    pki.crl_days = s.As<int>("crl_days", 7, 1, kDaysMax);
    const auto known = [](const std::string& text) { return text == "3 0 1" || text == "3 1 1"; };
    const std::string tlsa = s.Checked("tlsa", "\"3 0 1\" or \"3 1 1\"", known, "3 0 1");
    pki.tlsa = tlsa == "3 1 1" ? dns::TlsaProfile::kPublicKey : dns::TlsaProfile::kCertificate;
    s.Finish();
    Section payload = tables_.Open("payload");
    config_.payload_validity_days = payload.As<int>("validity_days", 30, 1, kDaysMax);
    payload.Finish();
    Section authorisation = tables_.Open("authorisation");
    config_.code_key_file = authorisation.Path("key_file", "authorisation.key");
    config_.code_validity_days = authorisation.As<int>("validity_days", 14, 1, kCodeDaysMax);
    authorisation.Finish();
  }

  void ReadResolver() {
    Section s = tables_.Open("resolver");
    config_.resolver.address = s.Checked("address", "an IP address", IsAddress);
    config_.resolver.port = s.As<std::uint16_t>("port", 853);
    config_.resolver.name = s.Checked("name", "a domain name", IsDomainName);
    config_.resolver.certificate = s.Path("certificate");
    s.Finish();
  }

  void ReadRetry() {
    using std::chrono::seconds;
    Section s = tables_.Open("retry");
    domain::RetryPlan& plan = config_.retry.usual;
    plan.first = seconds(s.As<int>("first_seconds", 30, 1, kDaySeconds));
    plan.attempts_max = s.As<std::uint32_t>("attempts", 6, 1, kAttemptsMax);
    plan.progress = seconds(s.As<int>("progress_seconds", 600, 1, kDaySeconds));
    plan.reported = seconds(s.As<int>("reported_seconds", 7 * kDaySeconds, 1, kYearSeconds));
    plan.open_max = s.As<std::size_t>("open", 10'000, 1, kOpenMax);
    config_.visible_within_seconds = s.As<int>("visible_within_seconds", 120, 1, kDaySeconds);
    s.Finish();
  }

  // The two percentages leave some time for the renewal itself.
  void ReadRenewal() {
    Section s = tables_.Open("renewal");
    domain::RenewalPolicy& renewal = config_.renewal;
    renewal.from_percent = s.As<int>("from_percent", 66, 10, 85);
    renewal.jitter_percent = s.As<int>("jitter_percent", 10, 0, 14);
    renewal.again = std::chrono::seconds(s.As<int>("again_seconds", kDaySeconds, 1, kYearSeconds));
    config_.renewal_look_seconds = s.As<int>("look_seconds", 60, 1, kDaySeconds);
    s.Finish();
  }

  void ReadTransfer() {
    Section s = tables_.Open("transfer");
    domain::TransferPolicy& transfer = config_.transfer;
    transfer.decide_within =
        std::chrono::seconds(s.As<int>("decide_within_seconds", 5 * kDaySeconds, 1, kYearSeconds));
    const auto known = [](const std::string& text) { return text == "approved" || text == "rejected"; };
    transfer.approve_unanswered =
        s.Checked("auto", "\"approved\" or \"rejected\"", known, "rejected") == "approved";
    s.Finish();
  }

  void ReadLimits() {
    Section s = tables_.Open("limits");
    config_.kept_per_hour = s.As<std::uint64_t>("ledger_octets_per_hour", std::int64_t{256} << 20,
                                                std::int64_t{1} << 20, std::int64_t{1} << 40);
    ingest::Rates usual = kUsualRates;
    usual[0] = {s.As<std::uint64_t>("write_per_second", Said(usual[0].per_second), 1, kRateMax),
                s.As<std::uint64_t>("write_burst", Said(usual[0].burst), 1, kRateMax)};
    usual[1] = {s.As<std::uint64_t>("read_per_second", Said(usual[1].per_second), 1, kRateMax),
                s.As<std::uint64_t>("read_burst", Said(usual[1].burst), 1, kRateMax)};
    usual[2] = {s.As<std::uint64_t>("bulk_per_second", Said(usual[2].per_second), 1, kRateMax),
                s.As<std::uint64_t>("bulk_burst", Said(usual[2].burst), 1, kRateMax)};
    usual[3] = {s.As<std::uint64_t>("authorise_per_second", Said(usual[3].per_second), 1, kRateMax),
                s.As<std::uint64_t>("authorise_burst", Said(usual[3].burst), 1, kRateMax)};
    config_.limits.usual = usual;
    s.Finish();
  }

  void ReadParties() {
    static const std::map<std::string, wire::Role> kRoles = {
        {"mno", wire::Role::kMno}, {"asp", wire::Role::kAsp}, {"operator", wire::Role::kOperator}};
    tables_.Each("party", [&](Section& s) {
      const auto id = PartyId::Parse(s.Text("name"));
      const auto role = kRoles.find(s.Text("role"));
      const domain::RetryPlan plan = ReadOwnPlan(s);
      const ingest::Rates rates = ReadOwnRates(s);
      const bool batches = s.Flag("batches", false);
      const bool auto_approve = s.Flag("auto_approve", false);
      const std::string contact = s.Checked("contact", "one line of at most 200 octets", IsContact, "");
      if (!id) s.Fault("name", "must be letters a to z, digits and '-', at most 32");
      if (role == kRoles.end()) s.Fault("role", "must be \"mno\", \"asp\" or \"operator\"");
      if (id && IsReserved(id->text())) s.Fault("name", "is the registry's own name");
      if (!id || role == kRoles.end()) return;
      if (!config_.parties.emplace(*id, role->second).second) s.Fault("name", "is used twice");
      if (batches) config_.takes_batches.insert(*id);
      if (!contact.empty()) config_.contacts.emplace(*id, contact);
      if (auto_approve) config_.transfer.auto_approve.insert(*id);
      if (rates != config_.limits.usual) config_.limits.own.emplace(*id, rates);
      if (plan == config_.retry.usual) return;
      if (role->second != wire::Role::kMno)
        s.Fault("role", "must be \"mno\": no other is asked for anything");
      config_.retry.own.emplace(*id, plan);
    });
  }

  // Of one MNO; what is not said is as in [retry].
  domain::RetryPlan ReadOwnPlan(Section& s) const {
    using std::chrono::seconds;
    domain::RetryPlan plan = config_.retry.usual;
    plan.first = seconds(s.As<int>("retry_first_seconds", plan.first.count(), 1, kDaySeconds));
    plan.attempts_max = s.As<std::uint32_t>("retry_attempts", plan.attempts_max, 1, kAttemptsMax);
    plan.progress = seconds(s.As<int>("retry_progress_seconds", plan.progress.count(), 1, kDaySeconds));
    plan.reported = seconds(s.As<int>("retry_reported_seconds", plan.reported.count(), 1, kYearSeconds));
    plan.open_max = s.As<std::size_t>("retry_open", static_cast<std::int64_t>(plan.open_max), 1, kOpenMax);
    return plan;
  }

  // Of one party; what is not said is as in [limits].
  ingest::Rates ReadOwnRates(Section& s) const {
    ingest::Rates own = config_.limits.usual;
    own[0] = {s.As<std::uint64_t>("limit_write_per_second", Said(own[0].per_second), 1, kRateMax),
              s.As<std::uint64_t>("limit_write_burst", Said(own[0].burst), 1, kRateMax)};
    own[1] = {s.As<std::uint64_t>("limit_read_per_second", Said(own[1].per_second), 1, kRateMax),
              s.As<std::uint64_t>("limit_read_burst", Said(own[1].burst), 1, kRateMax)};
    own[2] = {s.As<std::uint64_t>("limit_bulk_per_second", Said(own[2].per_second), 1, kRateMax),
              s.As<std::uint64_t>("limit_bulk_burst", Said(own[2].burst), 1, kRateMax)};
    own[3] = {s.As<std::uint64_t>("limit_authorise_per_second", Said(own[3].per_second), 1, kRateMax),
              s.As<std::uint64_t>("limit_authorise_burst", Said(own[3].burst), 1, kRateMax)};
    return own;
  }

  void ReadConsole() {
    Section s = tables_.Open("console");
    ConsoleConfig& console = config_.console;
    console.enabled = s.Flag("enabled", false);
    console.address = s.Checked("address", "an IP address", IsAddress, "127.0.0.1");
    console.port = s.As<std::uint16_t>("port", 9181, 0);
    console.certificate_file = s.Path("certificate_file", "");
    console.key_file = s.Path("key_file", "");
    console.private_identifiers = s.Flag("private_identifiers", false);
    if (console.certificate_file.empty() != console.key_file.empty())
      s.Fault("certificate_file", "and console.key_file go together");
    if (console.certificate_file.empty() && !IsLoopback(console.address))
      s.Fault("address", "must be of loopback where there is no console.certificate_file");
    s.Finish();
  }

  void ReadRunning() {
    Section http = tables_.Open("http");
    config_.http_address = http.Checked("address", "an IP address", IsAddress, "127.0.0.1");
    config_.http_port = http.As<std::uint16_t>("port", 9180, 0);
    http.Finish();
    ReadConsole();
    Section log = tables_.Open("log");
    static constexpr std::array<std::string_view, 4> kLevels = {"debug", "info", "warning", "error"};
    const auto level_of = [](const std::string& text) {
      return std::find(kLevels.begin(), kLevels.end(), text) - kLevels.begin();
    };
    const std::string level = log.Checked(
        "level", "\"debug\", \"info\", \"warning\" or \"error\"",
        [&](const std::string& text) { return level_of(text) < 4; }, "info");
    config_.log_level = static_cast<int>(level_of(level));
    config_.log_file = log.Path("file", "");
    log.Finish();
    Section pipeline = tables_.Open("pipeline");
    config_.lanes = pipeline.As<int>("lanes", Cores(), 1, 1024);
    config_.queue_max = pipeline.As<int>("queue", 8192, 1, 1 << 20);
    pipeline.Finish();
    Section run = tables_.Open("run");
    config_.run_file = run.Path("file", "");
    run.Finish();
    Section process = tables_.Open("process");
    config_.core_dumps = process.Flag("core_dumps", false);
    process.Finish();
  }

  const toml::table& root_;
  const Tables tables_;
  Faults& faults_;
  Config config_;
};

}  // namespace

bool IsLoopback(const std::string& address) {
  in_addr v4{};
  in6_addr v6{};
  if (inet_pton(AF_INET, address.c_str(), &v4) == 1) return ntohl(v4.s_addr) >> 24 == 127;
  return inet_pton(AF_INET6, address.c_str(), &v6) == 1 && IN6_IS_ADDR_LOOPBACK(&v6);
}

bool IsReserved(const std::string& party) {
  return party == "registry" || party == "registryd" || party == "broker";
}

std::chrono::seconds PkiConfig::validity() const {
  return std::chrono::seconds(validity_seconds > 0 ? validity_seconds
                                                   : std::int64_t{validity_days} * kDaySeconds);
}

Result<Config> LoadConfig(const std::string& file) {
  if (auto can = ConfigCanBeRead(file); !can) return can.error();
  std::ifstream input(file, std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(input), {}};
  if (!input.is_open() || input.bad())
    return Error::Make(Code::kFailed, "config_unreadable", file + ": cannot be read");
  return ParseConfig(text, file);
}

Result<Config> ParseConfig(const std::string& text, const std::string& file) {
  toml::table root;
  try {
    root = toml::parse(text, file);
  } catch (const toml::parse_error& why) {
    const std::string line = why.source().begin.line > 0 ? ":" + std::to_string(why.source().begin.line) : "";
    return Error::Make(Code::kFailed, "config_unreadable",
                       file + line + ": " + std::string(why.description()));
  }
  Faults faults(file);
  std::error_code ignored;
  const auto folder = std::filesystem::absolute(file, ignored).parent_path();
  Config config = Reader(root, folder.string(), faults).Read();
  if (!faults.empty()) return Error::Make(Code::kFailed, "config_invalid", faults.text());
  config.file = file;
  return config;
}

}  // namespace registry::app
