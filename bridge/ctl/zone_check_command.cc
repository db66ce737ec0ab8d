#include "bridge/ctl/zone_check_command.h"

#include <iostream>
#include <optional>
#include <thread>

#include "bridge/app/certificates.h"
#include "bridge/app/zone_options.h"
#include "bridge/ctl/ledger_source.h"
#include "bridge/ctl/zone_names.h"
#include "bridge/signing/key_file.h"
#include "bridge/zone/apex.h"
#include "bridge/zone/ask_once.h"
#include "bridge/zone/fetch_zone.h"
#include "bridge/zone/key_set_file.h"
#include "bridge/zone/tsig_keys.h"
#include "bridge/zone/zone_check.h"

namespace registry::ctl {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kBetweenLooks{1000}, kForSerial{2000};
constexpr int kFaultFound = 3;
constexpr const char* kOurs = "registryd";

struct CheckArguments {
  std::string config, secondary;
  std::size_t limit = 100;
  int patience = 10;
  bool json = false;
};

// As registryd does: one that has ended is not in the zone.
void AddUnlessEnded(const std::vector<app::OtherIssuingConfig>& cas, std::vector<Bytes>& authorities) {
  for (const app::OtherIssuingConfig& ca : cas) {
    Bytes certificate = OrFail(signing::LoadCertificate(ca.certificate));
    if (!app::HasEnded(certificate, SystemClock().Now())) authorities.push_back(std::move(certificate));
  }
}

zone::Options OptionsOf(const app::Config& config) {
  std::vector<Bytes> authorities{OrFail(signing::LoadCertificate(config.pki.root_certificate)),
                                 OrFail(signing::LoadCertificate(config.pki.issuing_certificate))};
  AddUnlessEnded(config.former_issuing, authorities);
  AddUnlessEnded(config.coming_issuing, authorities);
  return app::ZoneOptions(config, std::move(authorities));
}

// The server that this configuration's registryd is.
zone::SecondaryAddress Registryd(const zone::Options& options) {
  std::string address = options.listen_address;
  if (address == "0.0.0.0") address = "127.0.0.1";
  if (address == "::") address = "::1";
  return {kOurs, address, options.listen_port};
}

struct Dnskeys {
  std::vector<Bytes> in_zone, may_sign;
};

Dnskeys DnskeysOf(const zone::Options& options) {
  Dnskeys dnskeys;
  for (const zone::KeyEntry& key : OrFail(zone::KeySetOfUnjudged(options, {})).keys) {
    const std::string path = zone::KeyPath(zone::KeyFolderOf(options), key.file);
    const auto flags = zone::SignsKeys(key.role) ? zone::kKskFlags : zone::kZskFlags;
    dnskeys.may_sign.push_back(OrFail(zone::PublicZoneKey(path, flags)).dnskey);
    if (key.in_zone()) dnskeys.in_zone.push_back(dnskeys.may_sign.back());
  }
  return dnskeys;
}

class ZoneCheck {
 public:
  ZoneCheck(const app::Config& config, const std::string& secondary)
      : options_(OptionsOf(config)),
        name_(*zone::NameFromText(config.zone)),
        keys_(OrFail(zone::LoadTsigKeys(options_))),
        ledger_(LedgerPlaceOf(config)) {
    std::erase_if(options_.secondaries,
                  [&](const auto& its) { return !secondary.empty() && its.name != secondary; });
    if (!secondary.empty() && options_.secondaries.empty())
      FailWrong("no [[secondary]] has the name '" + secondary + "'");
  }

  zone::Differences Look() {
    places_ = Json::array();
    zone::Differences found;
    const Dnskeys keys = DnskeysOf(options_);
    const std::vector<Bytes>& dnskeys = keys.may_sign;
    const zone::ZoneContent wanted = Wanted(keys.in_zone);
    auto ours = zone::FetchZone(Registryd(options_), name_, keys_.first(), clock_, {});
    if (!ours.content) Fail("the zone cannot be fetched from registryd: " + ours.why);
    if (!first_serial_) first_serial_ = ours.serial;
    Say(kOurs, ours);
    zone::CompareWithWanted(wanted, *ours.content, kOurs, found);
    zone::CheckSignatures(*ours.content, name_, dnskeys, clock_.Now(), kOurs, found);
    zone::CheckDenial(*ours.content, name_, options_.negative_ttl, kOurs, found);
    for (const zone::SecondaryAddress& secondary : options_.secondaries)
      LookAt(secondary, ours, dnskeys, found);
    return found;
  }
  const Json& places() const { return places_; }

 private:
  zone::ZoneContent Wanted(const std::vector<Bytes>& dnskeys) const {
    const OpenLedger ledger(ledger_);
    std::vector<domain::ZoneChange> devices;
    EachZonePage(*ledger, [&devices](auto&& page) {
      std::move(page.begin(), page.end(), std::back_inserter(devices));
    });
    auto fixed = OrFail(zone::FixedSetsOf(options_));
    fixed.push_back({{}, zone::kTypeDnskey, options_.apex_ttl, dnskeys});
    return zone::WantedContent(name_, fixed, devices, options_.tlsa_ttl);
  }

  void LookAt(const zone::SecondaryAddress& secondary, const zone::FetchedZone& ours,
              const std::vector<Bytes>& dnskeys, zone::Differences& found) {
    const auto its = zone::KeysOf(secondary, options_, keys_);
    const auto fetch = [&](const zone::TsigKey& key) {
      return zone::FetchZone(secondary, name_, key, clock_, options_.listen_address);
    };
    auto theirs = fetch(*its.now);
    if (!theirs.content && theirs.tsig != zone::TsigError::kNone && its.former != nullptr)
      theirs = fetch(*its.former);
    Say(secondary.name, theirs);
    const auto note = [&](const char* type, const std::string& what) {
      found.Add({secondary.name, options_.zone, type, what});
    };
    if (!theirs.content) return note("AXFR", "cannot be fetched: " + theirs.why);
    // Where the zone goes on all the time, so does whoever follows it: it has to arrive where the first look was.
    if (zone::SerialAhead(*first_serial_, theirs.serial)) note("SOA", "behind registryd");
    if (zone::SerialAhead(theirs.serial, ours.serial) && AheadOfUs(theirs.serial))
      note("SOA", "ahead of registryd");
    const auto owners = zone::CompareWithPrimary(*ours.content, *theirs.content, secondary.name, found);
    // What is as registryd has it has been verified there.
    auto look = owners;
    look.insert(name_);
    zone::CheckSignatures(*theirs.content, name_, dnskeys, clock_.Now(), secondary.name, found, &look);
  }

  // Not only because the zone has gone on since registryd's was fetched.
  bool AheadOfUs(std::uint32_t serial) const {
    const auto now = zone::AskSerial(Registryd(options_), name_, keys_.first(), clock_, {}, kForSerial);
    return !now.serial || zone::SerialAhead(serial, *now.serial);
  }

  void Say(const std::string& place, const zone::FetchedZone& zone) {
    Json row{{"place", place}};
    if (zone.content) {
      row["serial"] = zone.serial;
      row["records"] = zone.content->size();
    } else {
      row["serial"] = nullptr;
      row["records"] = nullptr;
    }
    places_.push_back(std::move(row));
  }

  zone::Options options_;
  const zone::Name name_;
  const zone::TsigKeys keys_;
  const app::LedgerPlace ledger_;
  const SystemClock clock_;
  std::optional<std::uint32_t> first_serial_;  // registryd's at the first look
  Json places_;
};

Json Rows(const zone::Differences& differences, std::size_t limit) {
  Json rows = Json::array();
  for (const zone::Difference& difference : differences.kept()) {
    if (rows.size() == limit) break;
    rows.push_back({{"place", difference.place},
                    {"name", difference.name},
                    {"type", difference.type},
                    {"difference", difference.what}});
  }
  return rows;
}

void Check(const CheckArguments& arguments) {
  const app::Config config = OrFail(app::LoadConfig(arguments.config));
  if (config.dns.by_update())
    Fail("zone.publisher is \"update\": the zone is the signing server's, which has its own check of it");
  ZoneCheck check(config, arguments.secondary);
  const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(arguments.patience);
  zone::Differences differences = check.Look();
  while (!differences.empty() && std::chrono::steady_clock::now() < until) {
    std::this_thread::sleep_for(kBetweenLooks);
    differences = check.Look().AlsoIn(differences);
  }
  const Json rows = Rows(differences, arguments.limit);
  if (arguments.json) {
    Print({{"agree", differences.empty()},
           {"places", check.places()},
           {"differences", rows},
           {"differences_total", differences.total()}},
          true);
  } else {
    PrintList(check.places(), "", false);
    std::cout << '\n';
    PrintList(rows, "the ledger, registryd and every secondary agree; signatures and NSEC3 chain are right",
              false);
    if (rows.size() < differences.total())
      std::cout << differences.total() - rows.size() << " more differences\n";
  }
  if (!differences.empty()) throw CLI::RuntimeError(kFaultFound);
}

}  // namespace

void AddZoneCheck(CLI::App& zone) {
  const auto arguments = std::make_shared<CheckArguments>();
  auto* check = zone.add_subcommand(
      "check",
      "compare the ledger, the zone of registryd and that of every secondary, and name each difference");
  check->add_option("--config", arguments->config, "configuration of registryd")->required();
  check->add_option("--secondary", arguments->secondary, "only this [[secondary]]");
  check->add_option("--limit", arguments->limit, "differences to print")->capture_default_str();
  check->add_option("--patience", arguments->patience, "seconds in which changes on their way may arrive")
      ->check(CLI::Range(0, 3600))
      ->capture_default_str();
  check->add_flag("--json", arguments->json, "print JSON");
  check->callback([arguments] { Check(*arguments); });
}

}  // namespace registry::ctl
