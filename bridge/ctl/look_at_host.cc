// `registryctl doctor`: files, the process, disk, clock and dates.
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <sys/timex.h>

#include <cmath>
#include <fstream>
#include <memory>
#include <sstream>

#include "bridge/app/broker_crl.h"
#include "bridge/app/check.h"
#include "bridge/app/disk_space.h"
#include "bridge/clock.h"
#include "bridge/ctl/finding.h"
#include "bridge/ctl/ledger_source.h"
#include "bridge/ctl/running.h"
#include "bridge/ledger/postgres/rights.h"

namespace registry::ctl {
namespace {

constexpr std::int64_t kWarnDays = 30;
constexpr std::uint64_t kLockedNeeded = 4u << 20;  // bridge/secret.h
// What is open beside sessions: listeners, probes and pages (app/http.h), logs.
constexpr std::uint64_t kOtherDescriptors = 128;
constexpr std::uint64_t kServerDescriptors = 16;  // connections to PostgreSQL

// ---- process

std::uint64_t Number(const std::string& word) {
  return word == "unlimited" ? ~std::uint64_t{0} : std::strtoull(word.c_str(), nullptr, 10);
}

// The soft limit of proc(5), /proc/PID/limits; nullopt: not said, or another user's process.
std::optional<std::uint64_t> LimitOf(int pid, const std::string& name) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/limits");
  for (std::string line; std::getline(file, line);) {
    if (!line.starts_with(name)) continue;
    std::istringstream rest(line.substr(name.size()));
    std::string soft;
    if (rest >> soft) return Number(soft);
  }
  return std::nullopt;
}

Finding Limit(int pid, const char* name, std::uint64_t needed, const char* unit, const char* setting) {
  const auto limit = LimitOf(pid, name);
  Finding finding{std::string("limit: ") + name};
  if (!limit) return {finding.check, Verdict::kSkipped, "/proc does not say it; ask as registryd's user"};
  const std::string has = *limit == ~std::uint64_t{0} ? "unlimited" : std::to_string(*limit) + unit;
  finding.says = has + ", and " + std::to_string(needed) + unit + " are enough";
  if (*limit >= needed) return finding;
  finding.verdict = Verdict::kWarning;
  finding.says = has + ", and it may need " + std::to_string(needed) + unit;
  finding.todo = std::string("raise it in the unit: ") + setting;
  return finding;
}

std::uint64_t FilesOf(const std::string& folder) {
  std::error_code ignored;
  std::uint64_t files = 0;
  for (auto it = std::filesystem::directory_iterator(folder, ignored); it != std::filesystem::end(it); ++it)
    ++files;
  return files;
}

// RocksDB keeps every table open, and a session takes one descriptor per party.
std::uint64_t DescriptorsFor(const app::Config& config) {
  return kOtherDescriptors + config.parties.size() + config.secondaries.size() +
         (config.ledger.in_postgres ? kServerDescriptors : 2 * FilesOf(config.ledger_folder));
}

bool StandsBy(const nlohmann::json& page) { return page.is_object() && page.value("node", "") == "standby"; }

Finding Readiness(const app::Config& config) {
  const std::string said = PageOf(config, "/readyz");
  const auto page = nlohmann::json::parse(said, nullptr, false);
  if (said.empty())
    return {"registryd", Verdict::kFault, "nobody answers at http.address and http.port",
            "start registryd; when it does not stay, its last error line says why"};
  if (page.is_object() && page.value("ok", false))
    return {"registryd", Verdict::kGood, "it runs and is ready"};
  if (StandsBy(page)) {
    const auto health = nlohmann::json::parse(PageOf(config, "/healthz"), nullptr, false);
    const bool may = health.is_object() && health.value("ok", false);
    return {"registryd", may ? Verdict::kGood : Verdict::kWarning, page.value("says", "it stands by"),
            may ? "" : "it will not take the ledger over: bridge/app/OPERATIONS.md, the ledger's server"};
  }
  return {"registryd", Verdict::kWarning, "it runs and is not ready: " + page.dump(),
          "what is missing is looked at below; right after a start it may take a while"};
}

// Registryd holds it; that it can be read is what is asked.
Finding LedgerServer(const app::Config& config) {
  const auto place = app::LedgerPlaceOf(config.ledger, config.ledger_folder);
  if (!place)
    return {"ledger", Verdict::kFault, place.error().message,
            "ledger.password_file: one line, that only registryd's user can read"};
  const auto there = ledger::CheckPostgresLedger(*place->postgres);
  const char* const set_up = "bridge/ledger/postgres/README.md says how the database is set up";
  if (!there) return {"ledger", Verdict::kFault, there.error().message, set_up};
  const auto missing = ledger::MissingRights(*place->postgres);
  if (!missing || !missing->empty())
    return {"ledger", Verdict::kFault, missing ? *missing : missing.error().message, set_up};
  return {"ledger", Verdict::kGood, "its server answers, and has a ledger of this release"};
}

// ---- dates

using X509Owner = std::unique_ptr<X509, decltype(&X509_free)>;
using CrlOwner = std::unique_ptr<X509_CRL, decltype(&X509_CRL_free)>;
using FileOwner = std::unique_ptr<std::FILE, int (*)(std::FILE*)>;

FileOwner Opened(const std::string& file) { return {std::fopen(file.c_str(), "r"), std::fclose}; }

// Whole days from now; nullopt: not readable.
std::optional<std::int64_t> DaysTo(const ASN1_TIME* time) {
  int days = 0, seconds = 0;
  if (time == nullptr || ASN1_TIME_diff(&days, &seconds, nullptr, time) != 1) return std::nullopt;
  return days - (seconds < 0 ? 1 : 0);
}

std::optional<std::int64_t> DaysOfCertificate(const std::string& file) {
  const FileOwner in = Opened(file);
  const X509Owner certificate(in ? PEM_read_X509(in.get(), nullptr, nullptr, nullptr) : nullptr, X509_free);
  return certificate ? DaysTo(X509_get0_notAfter(certificate.get())) : std::nullopt;
}

std::optional<std::int64_t> DaysOfCrl(const std::string& file) {
  const FileOwner in = Opened(file);
  const CrlOwner crl(in ? PEM_read_X509_CRL(in.get(), nullptr, nullptr, nullptr) : nullptr, X509_CRL_free);
  return crl ? DaysTo(X509_CRL_get0_nextUpdate(crl.get())) : std::nullopt;
}

Finding Ends(const std::string& what, std::optional<std::int64_t> days, const std::string& todo) {
  if (!days)
    return {what, Verdict::kSkipped, "it cannot be read; --check-config and the lines above say why"};
  const std::string says = *days < 0 ? "it has ended" : "it ends in " + std::to_string(*days) + " days";
  if (*days >= kWarnDays) return {what, Verdict::kGood, says};
  return {what, *days < 0 ? Verdict::kFault : Verdict::kWarning, says, todo};
}

// ---- clock

Finding KernelClock() {
  timex state{};
  const int synchronised = adjtimex(&state);  // mode 0: asks only (adjtimex(2))
  if (synchronised == -1) return {"clock", Verdict::kSkipped, "the kernel does not say whether it is set"};
  if (synchronised != TIME_ERROR && (state.status & STA_UNSYNC) == 0)
    return {"clock", Verdict::kGood, "the kernel says that it is kept by NTP"};
  return {"clock", Verdict::kWarning, "the kernel does not know of anything that sets it",
          "let chrony or systemd-timesyncd set it: signatures, certificates and TSIG go by it"};
}

Finding Space(const app::Config& config) {
  const auto warnings = app::SpaceWarnings(app::WatchedFolders(config), config.free_bytes_min);
  if (!warnings.empty())
    return {"disk space", Verdict::kFault, warnings.front(),
            "make room: new commands are refused until then"};
  std::string says;
  for (const auto& folder : app::WatchedFolders(config)) {
    const auto free = app::FreeIn(folder.path);
    if (free)
      says += (says.empty() ? "" : ", ") + folder.name + " has " + std::to_string(*free >> 20) + " MiB";
  }
  return {"disk space", Verdict::kGood,
          says + ", and ledger.free_bytes_min is " + std::to_string(config.free_bytes_min >> 20) + " MiB"};
}

}  // namespace

bool NodeStandsBy(const app::Config& config) {
  return StandsBy(nlohmann::json::parse(PageOf(config, "/readyz"), nullptr, false));
}

Findings LookAtFiles(const app::Config& config, const std::string& file) {
  Findings findings;
  for (const auto& fault : app::FaultsOf(config))
    findings.push_back({"configuration", Verdict::kFault, fault, "bridge/app/CONFIG.md has every key"});
  if (findings.empty())
    findings.push_back({"configuration", Verdict::kGood, file + " and every file that it names are good"});
  return findings;
}

Findings LookAtProcess(const app::Config& config) {
  Findings findings{Readiness(config)};
  const auto pid = ProcessOf(config);
  if (!pid) {
    findings.push_back(
        {"limits", Verdict::kSkipped, "no process is known: run.file is not set, or registryd is stopped"});
    return findings;
  }
  findings.push_back(Limit(*pid, "Max open files", DescriptorsFor(config), "", "LimitNOFILE=65536"));
  findings.push_back(Limit(*pid, "Max locked memory", kLockedNeeded, " octets", "LimitMEMLOCK=8M"));
  return findings;
}

Findings LookAtHost(const app::Config& config) {
  Findings findings{Space(config), KernelClock()};
  if (config.ledger.in_postgres) findings.push_back(LedgerServer(config));
  return findings;
}

Findings LookAtDates(const app::Config& config) {
  Findings findings{
      Ends("root certificate", DaysOfCertificate(config.pki.root_certificate),
           "bridge/app/CERTIFICATES.md, The registry's own CAs"),
      Ends("issuing certificate", DaysOfCertificate(config.pki.issuing_certificate),
           "bridge/app/CERTIFICATES.md, The registry's own CAs"),
      Ends("resolver's certificate", DaysOfCertificate(config.resolver.certificate),
           "give it another one, and devices a payload with it, before that day"),
      Ends("registryd's certificate", DaysOfCertificate(config.mqtt.certificate_file),
           "have the interface CA issue another one, and start registryd again"),
      Ends("broker's CA", DaysOfCertificate(config.mqtt.ca_file),
           "make another interface CA, with the parties"),
  };
  for (const auto& coming : config.coming_issuing)
    findings.push_back(Ends("coming issuing certificate", DaysOfCertificate(coming.certificate),
                            "bridge/app/CERTIFICATES.md, Another issuing CA"));
  const app::ZoneTlsConfig& tls = config.dns.tls;
  if (tls.on()) {
    const char* const todo = "have another one issued (bridge/zone/TLS.md), and send registryd SIGHUP";
    findings.push_back(Ends("certificate for transfers", DaysOfCertificate(tls.certificate_file), todo));
  }
  if (!tls.client_ca_file.empty())
    findings.push_back(Ends("CA of secondaries", DaysOfCertificate(tls.client_ca_file),
                            "make another one (bridge/zone/TLS.md)"));
  // Days are few here by intent: the CRL is made anew at half its time.
  const auto crl = DaysOfCrl(config.pki.crl_file);
  if (!crl || *crl < 0) {
    findings.push_back({"CRL of devices", crl ? Verdict::kFault : Verdict::kWarning,
                        crl ? "its nextUpdate has passed" : "it cannot be read",
                        "registryd makes it: its log (room crl) says why it does not"});
  } else {
    findings.push_back(
        {"CRL of devices", Verdict::kGood, "it is good for " + std::to_string(*crl) + " days more"});
  }
  const auto list = app::JudgeBrokerCrl(config.mqtt.crl_file, config.mqtt.ca_file, SystemClock().Now());
  if (list.level > 0) {
    findings.push_back({"list of withdrawn parties", list.level > 2 ? Verdict::kFault : Verdict::kWarning,
                        list.line,
                        "registryctl party withdraw makes one that lasts; bridge/app/CERTIFICATES.md"});
  } else if (!config.mqtt.crl_file.empty()) {
    findings.push_back({"list of withdrawn parties", Verdict::kGood, "the broker can use it"});
  }
  return findings;
}

}  // namespace registry::ctl
