#include "bridge/ctl/crl_commands.h"

#include <filesystem>
#include <fstream>
#include <iostream>
#include <set>

#include "bridge/app/carry_over.h"
#include "bridge/app/crl_options.h"
#include "bridge/app/material.h"
#include "bridge/clock.h"
#include "bridge/ctl/change.h"
#include "bridge/ctl/running.h"
#include "bridge/ledger/sound.h"
#include "bridge/signing/crl.h"
#include "bridge/signing/file_write.h"
#include "bridge/signing/key_file.h"
#include "bridge/signing/read_x509.h"
#include "workers/csr_sign/csr_sign.h"
#include "workers/domain/compose.h"

namespace registry::ctl {
namespace {

namespace fs = std::filesystem;

constexpr int kCrlFault = 3;
constexpr mode_t kForAll = 0644;
// registryd gathers what is revoked for a second, and has it on the CRL soon after.
constexpr std::chrono::seconds kOnItWithin{60};

std::string ContentOf(const std::string& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

struct ShowCrl {
  ReadOptions source;
  std::string serial;
  bool entries = false;
};

struct CrlJudged {
  signing::PublishedCrl crl;
  std::vector<std::string> missing, faults;  // serials; sentences
};

// What the ledger has revoked for a minute, and of certificates that have not ended, must be on it.
std::vector<std::string> MissingOn(const std::set<Bytes>& listed, const ledger::LedgerReader& ledger,
                                   UtcTime now) {
  std::vector<std::string> missing;
  for (const auto& revoked : OrFail(ledger.Revocations())) {
    const bool due = revoked.at + kOnItWithin < now && now < revoked.certificate_not_after;
    if (due && !listed.contains(revoked.serial)) missing.push_back(ToHex(revoked.serial));
  }
  return missing;
}

CrlJudged JudgeOne(const std::string& certificate, const std::string& file, const ReadOptions& source) {
  const auto issuer = OrFail(signing::LoadCertificate(certificate));
  auto read = signing::ReadPemCrl(ContentOf(file), issuer);
  if (!read) Fail(file + ": " + read.error().message);
  CrlJudged judged{std::move(*read), {}, {}};
  const UtcTime now = SystemClock().Now();
  std::set<Bytes> listed;
  for (const auto& entry : judged.crl.entries) listed.insert(entry.serial);
  judged.missing = MissingOn(listed, *OpenLedger(source), now);
  if (judged.crl.next_update && *judged.crl.next_update <= now)
    judged.faults.emplace_back("its nextUpdate has passed: relying parties take it no more");
  if (now < judged.crl.this_update)
    judged.faults.emplace_back("its thisUpdate is to come: the clock was ahead, or is behind");
  if (!judged.missing.empty())
    judged.faults.emplace_back("certificates that the ledger has revoked are not on it");
  return judged;
}

// Of the present issuing CA; what is wrong with the list of one before it is a fault, too.
CrlJudged JudgeCrl(const app::Config& config, const ReadOptions& source) {
  CrlJudged judged = JudgeOne(config.pki.issuing_certificate, config.pki.crl_file, source);
  for (const auto& former : config.former_issuing) {
    for (const std::string& fault : JudgeOne(former.certificate, former.crl_file, source).faults)
      judged.faults.push_back(former.crl_file + ": " + fault);
  }
  return judged;
}

Json EntryOf(const domain::Revocation& entry) {
  return {{"serial", ToHex(entry.serial)}, {"at", Text(entry.at)}, {"reason", entry.reason}};
}

void ShowOne(const signing::PublishedCrl& crl, const ShowCrl& wanted) {
  const auto serial = FromHex(wanted.serial);
  if (!serial) FailWrong("'" + wanted.serial + "' is no serial number in hexadecimal");
  for (const auto& entry : crl.entries) {
    if (entry.serial == *serial) return Print(EntryOf(entry), wanted.source.json);
  }
  Fail("no certificate " + wanted.serial + " is on it");
}

void Show(const ShowCrl& wanted) {
  const auto config = OrFail(app::LoadConfig(wanted.source.config));
  const CrlJudged judged = JudgeCrl(config, wanted.source);
  if (!wanted.serial.empty()) return ShowOne(judged.crl, wanted);
  Json out{{"file", config.pki.crl_file},
           {"number", judged.crl.number.value_or(0)},
           {"this_update", Text(judged.crl.this_update)},
           {"next_update", Text(judged.crl.next_update.value_or(UtcTime{}))},
           {"entries", judged.crl.entries.size()},
           {"shards", app::CrlOptionsOf(config).shards},
           {"url", config.pki.crl_url},
           {"missing", judged.missing},
           {"faults", judged.faults}};
  if (wanted.entries) {
    out["list"] = Json::array();
    for (const auto& entry : judged.crl.entries) out["list"].push_back(EntryOf(entry));
  }
  Print(out, wanted.source.json);
  if (!judged.faults.empty()) throw CLI::RuntimeError(kCrlFault);
}

struct PublishCrl {
  ChangeOptions options;  // of which it sends nothing
  std::string to;
};

// As registryd does it at a start, the revocations carried over that only the file knows. False: registryd runs, and makes
// it itself.
bool Make(const app::Config& config, const PublishCrl& wanted, const PartyId& party) {
  // To open a ledger for writing may write.
  if (wanted.options.dry_run) return PageOf(config, "/healthz").empty();
  auto opened = app::OpenLedger(LedgerPlaceOf(config), {});
  if (!opened && opened.error().symbol == ledger::kLedgerInUse) return false;
  const auto ledger = OrFail(std::move(opened));
  const auto material = OrFail(app::Material::Load(config));
  const SystemClock clock;
  const LogLine say = [](int level, const std::string& line) {
    if (level >= 2) std::cerr << "registryctl: " << line << '\n';
  };
  const app::PublishedTrust published{config.pki.crl_file, *material.signer, material.policy};
  OrFail(app::CarryOver(published, *ledger, clock, say));
  domain::Changeset changes;
  changes.history.push_back(domain::History(party, "CRL made: " + wanted.options.reason, clock.Now()));
  OrFail(ledger::CommitSound(*ledger, std::move(changes)));
  OrFail(
      app::CrlWriter(app::CrlOptionsOf(config, material), *ledger, *material.signer, clock, say).WriteNow());
  return true;
}

std::vector<std::string> FilesOf(const app::Config& config) {
  const app::CrlOptions crl = app::CrlOptionsOf(config);
  std::vector<std::string> files;
  // The whole one last, as it is written: what it tells the others tell as well.
  for (std::uint32_t shard = 0; shard < crl.shards; ++shard)
    files.push_back(csr_sign::CrlShardName(crl.file, shard, crl.shards));
  for (const auto& former : config.former_issuing) files.push_back(former.crl_file);
  files.push_back(crl.file);
  std::set<std::string> names;
  for (const std::string& file : files) {
    if (!names.insert(fs::path(file).filename()).second)
      Fail("two lists have the name " + fs::path(file).filename().string() +
           ": they cannot lie in one folder");
  }
  return files;
}

// A list that is older than the one that is served would take revocations back.
void RefuseOlder(const std::string& from, const std::string& to) {
  const auto ours = FromPem("X509 CRL", ContentOf(from)), there = FromPem("X509 CRL", ContentOf(to));
  if (!ours) Fail(from + " is no CRL");
  const auto newest = there ? signing::CrlNumber(*there) : std::nullopt;
  if (newest && *newest > signing::CrlNumber(*ours).value_or(0))
    Fail(to + " has number " + std::to_string(*newest) + ", which is newer than " + from);
}

std::uint64_t Copy(const app::Config& config, const PublishCrl& wanted) {
  std::uint64_t copied = 0;
  for (const std::string& file : FilesOf(config)) {
    const std::string target = fs::path(wanted.to) / fs::path(file).filename();
    RefuseOlder(file, target);
    if (ContentOf(file) == ContentOf(target)) continue;
    if (!wanted.options.dry_run) OrFail(signing::ReplaceFile(target, ContentOf(file), kForAll));
    ++copied;
  }
  return copied;
}

void Publish(const PublishCrl& wanted) {
  const auto config = OrFail(app::LoadConfig(wanted.options.send.from.config));
  const auto party = PartyId::Parse(wanted.options.send.from.party);
  if (!party) FailWrong("'" + wanted.options.send.from.party + "' is not the name of a party");
  Json reason;
  PutReason(wanted.options, reason);  // for what it refuses
  if (!wanted.to.empty() && !fs::is_directory(wanted.to)) Fail(wanted.to + " is no folder");
  const bool made = Make(config, wanted, *party);
  const auto crl = FromPem("X509 CRL", ContentOf(config.pki.crl_file));
  Json out{{"dry_run", wanted.options.dry_run},
           {"made", made},
           {"number",
            (crl ? signing::CrlNumber(*crl).value_or(0) : 0) + (wanted.options.dry_run && made ? 1 : 0)}};
  if (!made) out["says"] = "registryd runs, and makes the CRL itself";
  if (!wanted.to.empty()) out["copied"] = Copy(config, wanted);
  Print(out, wanted.options.send.json);
}

}  // namespace

void AddCrlCommands(CLI::App& app) {
  auto* crl = app.add_subcommand("crl", "the CRL of devices")->require_subcommand(1);
  const auto shown = std::make_shared<ShowCrl>();
  auto* show = crl->add_subcommand("show", "number, times and entries, held to the ledger");
  show->add_flag("--entries", shown->entries, "list them");
  show->add_option("--serial", shown->serial, "only what it says of this certificate");
  show->add_option("--config", shown->source.config, "The registry's configuration")->required();
  show->add_flag("--json", shown->source.json, "Print JSON");
  show->callback([shown] { Show(*shown); });
  const auto published = std::make_shared<PublishCrl>();
  auto* publish = crl->add_subcommand(
      "publish", "make a new one, where registryd is stopped, and put it where it is fetched");
  publish->add_option("--to", published->to, "folder that a web server serves at pki.crl_url");
  AddChangeOptions(*publish, published->options, Reason::kRequired);
  publish->callback([published] { Publish(*published); });
}

}  // namespace registry::ctl
