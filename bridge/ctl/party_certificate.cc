#include "bridge/ctl/party_certificate.h"

#include <filesystem>

#include "bridge/signing/file_write.h"
#include "bridge/signing/party_request.h"

namespace registry::ctl {
namespace {

constexpr mode_t kCertificateMode = 0644;
constexpr std::chrono::days kPartyDays{825};

// The key's file is there before any certificate is.
Result<Bytes> WithKeyOfOurs(const std::string& stem, const signing::Authority& ca, const PartyId& party,
                            UtcTime now) {
  const bool keyed = std::filesystem::exists(stem + ".key");
  const auto key = keyed ? signing::PrivateKey::Load(stem + ".key") : signing::PrivateKey::Generate();
  if (!key) return key.error();
  auto certificate = signing::CreatePartyCertificate(ca, *key, party, {now, kPartyDays});
  if (!certificate || keyed) return certificate;
  if (auto saved = key->Save(stem + ".key"); !saved) return saved.error();
  return certificate;
}

Result<Bytes> WithKeyOfTheirs(const std::string& request_file, const signing::Authority& ca,
                              const PartyId& party, UtcTime now) {
  const auto request = signing::PartyRequest::Load(request_file, party);
  if (!request) return request.error();
  return signing::CreatePartyCertificate(ca, *request, party, {now, kPartyDays});
}

}  // namespace

Status IssueToParty(const std::string& interface, const std::string& stem, const signing::Authority& ca,
                    const PartyIdentity& party) {
  const auto id = PartyId::Parse(party.name);
  if (!id) {
    return Error::Make(Code::kFailed, "party_name",
                       "not a party name (a-z, 0-9, '-'; at most 32): " + party.name);
  }
  const auto certificate = party.request.empty() ? WithKeyOfOurs(stem, ca, *id, party.now)
                                                 : WithKeyOfTheirs(party.request, ca, *id, party.now);
  if (!certificate) return certificate.error();
  if (auto recorded = RecordIssued(interface, party.name, *certificate); !recorded) return recorded;
  return signing::CreateFile(stem + ".pem", ToPem("CERTIFICATE", *certificate), kCertificateMode);
}

}  // namespace registry::ctl
