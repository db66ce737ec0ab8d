#include "bridge/ctl/withdraw.h"

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <iterator>

#include "bridge/app/config.h"
#include "bridge/ctl/folder_lock.h"
#include "bridge/ctl/party_history.h"
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

Result<std::vector<IssuedToParty>> AcceptedOn(const std::string& interface, const std::string& party) {
  auto issued = IssuedToParties(interface);
  if (!issued) return issued;
  const auto ca = signing::LoadCertificate(interface + "/ca.pem");
  if (!ca) return ca.error();
  const auto crl = ReadInterfaceCrl(interface, *ca);
  if (!crl) return crl.error();
  std::erase_if(*issued,
                [&](const IssuedToParty& one) { return one.party != party || crl->Lists(one.serial); });
  return issued;
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

// With the folder locked. Which of them were not on the list before.
Result<std::vector<Bytes>> EnterAll(const std::string& interface, const std::vector<Bytes>& serials,
                                    UtcTime now) {
  const auto ca = LoadInterfaceCa(interface);
  if (!ca) return ca.error();
  const auto end = signing::ReadCertificate(ca->certificate);
  if (!end) return end.error();
  auto crl = ReadInterfaceCrl(interface, ca->certificate);
  if (!crl) return crl.error();
  std::vector<Bytes> entered;
  for (const Bytes& serial : serials) {
    if (crl->Lists(serial)) continue;
    crl->withdrawn.push_back({serial, now, kUnspecified, end->not_after});
    entered.push_back(serial);
  }
  if (entered.empty()) return entered;
  if (auto written = WriteInterfaceCrl(interface, *ca, *crl, now); !written) return written.error();
  return entered;
}

Result<Withdrawal> Enter(const std::string& interface, const Bytes& serial, UtcTime now) {
  const auto issued = IssuedToParties(interface);
  if (!issued) return issued.error();
  const auto entered = EnterAll(interface, {serial}, now);
  if (!entered) return entered.error();
  Withdrawal done{SerialText(serial), std::nullopt, entered->empty(), {}, {}};
  const auto recorded = std::find_if(issued->begin(), issued->end(),
                                     [&](const IssuedToParty& one) { return one.serial == serial; });
  done.party = recorded == issued->end() ? OwnName(interface, serial) : std::optional(recorded->party);
  if (recorded == issued->end()) return done;
  auto accepted = AcceptedOn(interface, recorded->party);
  if (!accepted) return accepted.error();
  done.accepted = std::move(*accepted);
  return done;
}

std::string StemOf(const std::string& interface, const std::string& name) {
  return interface + "/parties/" + name;
}

Result<Bytes> SerialHere(const std::string& interface, const std::string& name) {
  const auto certificate = LoadPartyCertificate(interface, name);
  if (!certificate) return certificate.error();
  const auto facts = signing::ReadCertificate(*certificate);
  if (!facts) return facts.error();
  return facts->serial;
}

}  // namespace

Result<std::vector<std::string>> WithdrawAllOf(const std::string& interface, const std::string& name,
                                               UtcTime now) {
  const auto accepted = AcceptedOn(interface, name);
  if (!accepted) return accepted.error();
  std::vector<Bytes> serials;
  for (const IssuedToParty& one : *accepted) serials.push_back(one.serial);
  // In a folder of an earlier version it is not recorded.
  if (const auto here = SerialHere(interface, name);
      here && std::find(serials.begin(), serials.end(), *here) == serials.end())
    serials.push_back(*here);
  const auto entered = EnterAll(interface, serials, now);
  if (!entered) return entered.error();
  std::vector<std::string> texts;
  for (const Bytes& serial : *entered) texts.push_back(SerialText(serial));
  return texts;
}

// The key first: a certificate without its key is found and finished, a key alone would be certified anew.
Status PutAside(const std::string& interface, const std::string& name) {
  const auto serial = SerialHere(interface, name);
  if (!serial) return Done{};  // there is none
  const std::string aside = interface + "/withdrawn";
  if (mkdir(aside.c_str(), 0755) != 0 && errno != EEXIST)
    return Failed("file_failed", aside + ": " + std::strerror(errno));
  for (const char* end : {".key", ".pem"}) {
    const std::string from = StemOf(interface, name) + end;
    std::error_code failure;
    if (!fs::exists(from)) continue;
    fs::rename(from, aside + "/" + name + "-" + SerialText(*serial) + end, failure);
    if (failure) return Failed("file_failed", from + ": " + failure.message());
  }
  return Done{};
}

Result<std::vector<IssuedToParty>> AcceptedOf(const std::string& folder, const std::string& party) {
  return AcceptedOn(folder + "/interface", party);
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
  if (app::IsReserved(name))
    return Failed("party_name", name + " is the registry's own name; --serial withdraws one certificate");
  const auto lock = FolderLock::Take(folder);
  if (!lock) return lock.error();
  const std::string interface = folder + "/interface";
  const auto here = SerialHere(interface, name);
  const auto entered = WithdrawAllOf(interface, name, now);
  if (!entered) return entered.error();
  if (!here && entered->empty()) return here.error();
  Withdrawal done;
  done.serial = here ? SerialText(*here) : entered->front();
  done.party = name;
  done.before = std::find(entered->begin(), entered->end(), done.serial) == entered->end();
  std::copy_if(entered->begin(), entered->end(), std::back_inserter(done.also),
               [&](const std::string& serial) { return serial != done.serial; });
  if (auto aside = PutAside(interface, name); !aside) return aside.error();
  if (!entered->empty()) {
    if (auto said = RecordEvent(interface, {now, "withdrawn", name, *entered, ""}); !said)
      return said.error();
  }
  return done;
}

Result<Withdrawal> WithdrawBySerial(const std::string& folder, const Bytes& serial, UtcTime now) {
  const auto lock = FolderLock::Take(folder);
  if (!lock) return lock.error();
  auto done = Enter(folder + "/interface", serial, now);
  if (!done || done->before) return done;
  const PartyEvent event{now, "withdrawn", done->party.value_or(""), {done->serial}, ""};
  if (auto said = RecordEvent(folder + "/interface", event); !said) return said.error();
  return done;
}

}  // namespace registry::ctl
