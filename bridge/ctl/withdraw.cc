#include "bridge/ctl/withdraw.h"

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <iterator>

#include "bridge/ctl/folder_lock.h"
#include "bridge/signing/key_file.h"
#include "bridge/signing/read_x509.h"

namespace registry::ctl {
namespace {

namespace fs = std::filesystem;

constexpr std::uint8_t kUnspecified = 0;  // RFC 5280 §5.3.1: whether it was stolen or outlived is not asked
constexpr std::size_t kSerialMax = 20;

Error Failed(std::string_view symbol, const std::string& message) {
  return Error::Make(Code::kFailed, symbol, message);
}

std::vector<IssuedToParty> AcceptedAmong(const std::vector<IssuedToParty>& issued, const InterfaceCrl& crl,
                                         const std::string& party) {
  std::vector<IssuedToParty> accepted;
  std::copy_if(issued.begin(), issued.end(), std::back_inserter(accepted),
               [&](const IssuedToParty& one) { return one.party == party && !crl.Lists(one.serial); });
  return accepted;
}

// A folder of an earlier version does not record the broker's.
std::optional<std::string> OwnName(const std::string& interface, const Bytes& serial) {
  for (const char* own : {"registryd", "broker"}) {
    const auto certificate = signing::LoadCertificate(interface + "/" + own + ".pem");
    const auto facts = certificate ? signing::ReadCertificate(*certificate) : certificate.error();
    if (facts && facts->serial == serial) return own;
  }
  return std::nullopt;
}

// With the folder locked.
Result<Withdrawal> Enter(const std::string& interface, const Bytes& serial, UtcTime now) {
  const auto issued = IssuedToParties(interface);
  if (!issued) return issued.error();
  const auto ca = LoadInterfaceCa(interface);
  if (!ca) return ca.error();
  const auto end = signing::ReadCertificate(ca->certificate);
  if (!end) return end.error();
  auto crl = ReadInterfaceCrl(interface, ca->certificate);
  if (!crl) return crl.error();
  Withdrawal done{SerialText(serial), std::nullopt, crl->Lists(serial), {}};
  if (!done.before) {
    crl->withdrawn.push_back({serial, now, kUnspecified, end->not_after});
    if (auto written = WriteInterfaceCrl(interface, *ca, *crl, now); !written) return written.error();
  }
  const auto recorded = std::find_if(issued->begin(), issued->end(),
                                     [&](const IssuedToParty& one) { return one.serial == serial; });
  if (recorded == issued->end()) {
    done.party = OwnName(interface, serial);
    return done;
  }
  done.party = recorded->party;
  done.accepted = AcceptedAmong(*issued, *crl, recorded->party);
  return done;
}

// The key first: a certificate without its key is found and finished, a key alone would be certified anew.
Status PutAside(const std::string& interface, const std::string& name, const std::string& serial) {
  const std::string aside = interface + "/withdrawn";
  if (mkdir(aside.c_str(), 0755) != 0 && errno != EEXIST)
    return Failed("file_failed", aside + ": " + std::strerror(errno));
  for (const char* end : {".key", ".pem"}) {
    const std::string from = interface + "/parties/" + name + end;
    std::error_code failure;
    if (!fs::exists(from)) continue;
    fs::rename(from, aside + "/" + name + "-" + serial + end, failure);
    if (failure) return Failed("file_failed", from + ": " + failure.message());
  }
  return Done{};
}

Error NotHere(const std::string& interface, const std::string& name, const Error& why) {
  std::string message = why.message + "; its serial names a certificate whose file is gone (--serial)";
  const auto issued = IssuedToParties(interface);
  for (const IssuedToParty& one : issued ? *issued : std::vector<IssuedToParty>()) {
    if (one.party == name) message += "; issued to " + name + ": " + SerialText(one.serial);
  }
  return Failed(why.symbol, message);
}

}  // namespace

Result<std::vector<IssuedToParty>> AcceptedOf(const std::string& folder, const std::string& party) {
  const std::string interface = folder + "/interface";
  const auto issued = IssuedToParties(interface);
  if (!issued) return issued.error();
  const auto ca = signing::LoadCertificate(interface + "/ca.pem");
  if (!ca) return ca.error();
  const auto crl = ReadInterfaceCrl(interface, *ca);
  if (!crl) return crl.error();
  return AcceptedAmong(*issued, *crl, party);
}

std::optional<Bytes> ParseSerial(std::string text) {
  std::erase(text, ':');
  auto octets = FromHex(text.size() % 2 == 0 ? text : "0" + text);
  if (!octets) return std::nullopt;
  const auto first =
      std::find_if(octets->begin(), octets->end(), [](std::uint8_t octet) { return octet != 0; });
  octets->erase(octets->begin(), first);
  if (octets->empty() || octets->size() > kSerialMax) return std::nullopt;
  return octets;
}

Result<Withdrawal> WithdrawByName(const std::string& folder, const std::string& name, UtcTime now) {
  if (!PartyId::Parse(name))
    return Failed("party_name", "not a party name (a-z, 0-9, '-'; at most 32): " + name);
  const auto lock = FolderLock::Take(folder);
  if (!lock) return lock.error();
  const std::string interface = folder + "/interface";
  const auto certificate = signing::LoadCertificate(interface + "/parties/" + name + ".pem");
  if (!certificate) return NotHere(interface, name, certificate.error());
  const auto facts = signing::ReadCertificate(*certificate);
  if (!facts) return facts.error();
  auto done = Enter(interface, facts->serial, now);
  if (!done) return done;
  done->party = name;
  if (auto aside = PutAside(interface, name, done->serial); !aside) return aside.error();
  return done;
}

Result<Withdrawal> WithdrawBySerial(const std::string& folder, const Bytes& serial, UtcTime now) {
  const auto lock = FolderLock::Take(folder);
  if (!lock) return lock.error();
  return Enter(folder + "/interface", serial, now);
}

}  // namespace registry::ctl
