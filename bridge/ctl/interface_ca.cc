#include "bridge/ctl/interface_ca.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>

#include "bridge/signing/crl.h"
#include "bridge/signing/file_write.h"
#include "bridge/signing/key_file.h"
#include "bridge/signing/read_x509.h"
#include "bridge/signing/signer.h"

namespace registry::ctl {
namespace {

constexpr mode_t kReadableByAll = 0644;
constexpr std::chrono::hours kBackdate{1};  // as the interface's certificates (bridge/signing/ca.h)
constexpr std::chrono::seconds kStep{1};    // the unit of thisUpdate

std::string CrlFile(const std::string& interface) { return interface + "/crl.pem"; }
std::string RecordFile(const std::string& interface) { return interface + "/issued.txt"; }

Result<std::string> ReadIfThere(const std::string& file) {
  if (!std::filesystem::exists(file)) return std::string();
  std::ifstream input(file, std::ios::binary);
  const int why = errno;
  const std::string text{std::istreambuf_iterator<char>(input), {}};
  if (!input.is_open() || input.bad())
    return Error::Make(Code::kFailed, "file_failed", file + ": cannot be read: " + std::strerror(why));
  return text;
}

// A broker that reads its files again keeps the CRL it had as well, and OpenSSL takes, of two that are valid, the one
// whose thisUpdate is later: a new one must be later, were it made within the same second.
UtcTime ThisUpdate(UtcTime before, UtcTime now) {
  const UtcTime usual = now - kBackdate, next = before + kStep;
  return next > now ? usual : std::max(usual, next);
}

}  // namespace

Result<signing::Authority> LoadInterfaceCa(const std::string& interface) {
  auto key = signing::PrivateKey::Load(interface + "/ca.key");
  if (!key) return key.error();
  auto certificate = signing::LoadCertificate(interface + "/ca.pem");
  if (!certificate) return certificate.error();
  return signing::Authority{std::move(*key), std::move(*certificate)};
}

Result<Bytes> LoadPartyCertificate(const std::string& interface, const std::string& party) {
  const std::string file = interface + "/parties/" + party + ".pem";
  auto certificate = signing::LoadCertificate(file);
  if (!certificate) return certificate;
  const auto ca = signing::LoadCertificate(interface + "/ca.pem");
  if (!ca) return ca.error();
  if (signing::IsIssuedBy(*certificate, *ca)) return certificate;
  return Error::Make(Code::kFailed, "certificate_file_invalid",
                     file + ": is of another CA than interface/ca.pem");
}

std::string SerialText(const Bytes& serial) {
  std::string text = ToHex(serial);
  std::transform(text.begin(), text.end(), text.begin(),
                 [](char digit) { return digit >= 'a' ? static_cast<char>(digit - 'a' + 'A') : digit; });
  return text;
}

Status RecordIssued(const std::string& interface, const std::string& party, const Bytes& certificate) {
  const auto facts = signing::ReadCertificate(certificate);
  if (!facts) return facts.error();
  auto text = ReadIfThere(RecordFile(interface));
  if (!text) return text.error();
  *text += SerialText(facts->serial) + " " + party + " " + ToRfc3339(facts->not_after) + "\n";
  return signing::ReplaceFile(RecordFile(interface), *text, kReadableByAll);
}

Result<std::vector<IssuedToParty>> IssuedToParties(const std::string& interface) {
  const auto text = ReadIfThere(RecordFile(interface));
  if (!text) return text.error();
  std::vector<IssuedToParty> issued;
  std::istringstream lines(*text);
  for (std::string serial, party, not_after; lines >> serial >> party >> not_after;) {
    const auto octets = FromHex(serial);
    if (!octets) {
      return Error::Make(Code::kFailed, "file_failed",
                         RecordFile(interface) + ": is no serial, party and end per line: " + serial);
    }
    issued.push_back({*octets, party, not_after});
  }
  return issued;
}

bool InterfaceCrl::Lists(const Bytes& serial) const {
  return std::any_of(withdrawn.begin(), withdrawn.end(),
                     [&](const domain::Revocation& entry) { return entry.serial == serial; });
}

Result<InterfaceCrl> ReadInterfaceCrl(const std::string& interface, const Bytes& ca_certificate) {
  const auto text = ReadIfThere(CrlFile(interface));
  if (!text) return text.error();
  if (text->empty()) return InterfaceCrl{};
  auto crl = signing::ReadPemCrl(*text, ca_certificate);
  if (!crl) return Error::Make(Code::kFailed, "crl_invalid", CrlFile(interface) + ": " + crl.error().message);
  return InterfaceCrl{crl->number.value_or(0), crl->this_update, std::move(crl->entries)};
}

Status WriteInterfaceCrl(const std::string& interface, const signing::Authority& ca, const InterfaceCrl& crl,
                         UtcTime now) {
  const auto end = signing::ReadCertificate(ca.certificate);
  if (!end) return end.error();
  const auto signer = signing::MakeSigner(ca.key, ca.certificate);
  if (!signer) return signer.error();
  const auto der = signing::BuildCrl(**signer, crl.withdrawn, ThisUpdate(crl.this_update, now),
                                     end->not_after, crl.number + 1);
  if (!der) return der.error();
  return signing::ReplaceFile(CrlFile(interface), ToPem("X509 CRL", *der), kReadableByAll);
}

}  // namespace registry::ctl
