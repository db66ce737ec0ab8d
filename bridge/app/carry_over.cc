#include "bridge/app/carry_over.h"

#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>
#include <set>

#include "bridge/ingest/pipeline.h"
#include "bridge/ledger/sound.h"
#include "bridge/signing/read_x509.h"
#include "workers/domain/compose.h"

namespace registry::app {
namespace {

constexpr std::size_t kEntriesPerCommit = 1000;

Result<signing::PublishedCrl> Read(const PublishedTrust& published) {
  std::ifstream input(published.crl_file, std::ios::binary);
  if (!input)
    return Error::Make(Code::kFailed, "crl_invalid", std::string("cannot be read: ") + std::strerror(errno));
  const std::string text{std::istreambuf_iterator<char>(input), {}};
  return signing::ReadPemCrl(text, published.signer.certificate());
}

Result<std::vector<domain::Revocation>> Unknown(std::vector<domain::Revocation> entries,
                                                const ledger::LedgerReader& ledger) {
  const auto known = ledger.Revocations();
  if (!known) return known.error();
  std::set<Bytes> serials;
  for (const domain::Revocation& revocation : *known) serials.insert(revocation.serial);
  std::erase_if(entries,
                [&](const domain::Revocation& entry) { return !serials.insert(entry.serial).second; });
  return entries;
}

struct Taken {
  std::size_t entries = 0, devices = 0;
};

// A device's end is a commit of its own; entries without one share theirs.
Result<Taken> Take(const std::vector<domain::Revocation>& entries, const PublishedTrust& published,
                   ledger::Ledger& ledger, const domain::Context& context) {
  const domain::Origin own = domain::OwnOrigin();
  Taken taken;
  domain::Changeset gathered;
  const auto flush = [&]() -> Status {
    if (gathered.empty()) return Done{};
    return ledger::CommitSound(ledger, std::exchange(gathered, {}));
  };
  for (const domain::Revocation& entry : entries) {
    domain::Case at{own, ledger, context, published.policy, published.signer};
    if (auto decided = lifecycle::DecideRevoked(entry, at); !decided) return decided.error();
    if (at.changes.devices.empty()) {
      gathered.revocations.push_back(entry);
      if (gathered.revocations.size() >= kEntriesPerCommit) {
        if (auto written = flush(); !written) return written.error();
      }
    } else {
      if (auto written = ledger::CommitSound(ledger, std::move(at.changes)); !written) return written.error();
      ++taken.devices;
    }
    ++taken.entries;
  }
  if (auto written = flush(); !written) return written.error();
  return taken;
}

}  // namespace

Status CarryOver(const PublishedTrust& published, ledger::Ledger& ledger, const Clock& clock,
                 const LogLine& log) {
  auto crl = Read(published);
  if (!crl) {
    log.Warning(published.crl_file + ": " + crl.error().message +
                ": what it listed as revoked and the ledger does not know counts as valid again");
    return Done{};
  }
  const auto unknown = Unknown(std::move(crl->entries), ledger);
  if (!unknown) return unknown.error();
  const auto taken = Take(*unknown, published, ledger, {clock.Now(), ingest::FillFromOpenSsl});
  if (!taken) return taken.error();
  if (taken->entries == 0) return Done{};
  log.Warning(
      published.crl_file + ": " + std::to_string(taken->entries) +
      " revocations were published that the ledger does not know (an older one restored?): they stay, "
      "and " +
      std::to_string(taken->devices) + " devices that had these certificates are deactivated");
  return Done{};
}

}  // namespace registry::app
