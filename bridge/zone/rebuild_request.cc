#include "bridge/zone/rebuild_request.h"

#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>

#include "bridge/ledger/sound.h"
#include "bridge/signing/file_write.h"
#include "bridge/zone/apex.h"
#include "workers/domain/compose.h"

namespace registry::zone {

std::string RebuildFileOf(const Options& options) { return KeyFolderOf(options) + "/rebuild-requested"; }

Status RequestRebuild(const std::string& file, const std::string& reason) {
  // 0644: root may have asked, and registryd is another user.
  return signing::ReplaceFile(file, reason.substr(0, kRequestMax), 0644);
}

std::optional<std::string> RebuildRequested(const std::string& file) {
  std::ifstream in(file, std::ios::binary);
  if (!in) return std::nullopt;
  std::string reason(kRequestMax, '\0');
  in.read(reason.data(), static_cast<std::streamsize>(reason.size()));
  reason.resize(static_cast<std::size_t>(in.gcount()));
  for (char& octet : reason) {
    if (octet < ' ' || octet > '~') octet = '?';
  }
  return reason;
}

Status RebuildDone(const std::string& file, ledger::Ledger& ledger, std::uint32_t serial, UtcTime now) {
  domain::Changeset changes;
  changes.history.push_back(domain::History(domain::RegistryParty(),
                                            "zone made anew from the ledger, serial " +
                                                std::to_string(serial) + ": " +
                                                RebuildRequested(file).value_or("no reason is left"),
                                            now));
  const auto noted = ledger::CommitSound(ledger, std::move(changes));
  // It was followed either way, and following it again costs every secondary a whole transfer.
  if (unlink(file.c_str()) != 0 && errno != ENOENT)
    return Error::Make(Code::kFailed, "file_failed", file + " cannot be removed: " + std::strerror(errno));
  return noted;
}

}  // namespace registry::zone
