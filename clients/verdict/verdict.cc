#include "clients/verdict/verdict.h"

#include <array>

namespace registry::clients {
namespace {

struct Said {
  std::string_view symbol, sentence;
};

constexpr std::array<Said, kVerdicts> kSaid = {{
    {"accepted", "an active device of the registry"},
    {"certificate_required", "the client showed no certificate"},
    {"certificate_malformed", "not a DER certificate"},
    {"identity_missing", "the client did not send its name in dane_clientid"},
    {"identity_malformed", "what the client sent as dane_clientid is no domain name"},
    {"identity_mismatch", "the certificate does not bear the name that the client sent"},
    {"name_missing", "the certificate has not exactly one dNSName"},
    {"name_not_allowed", "the name is not that of a device in an allowed zone"},
    {"chain_invalid", "the certificate does not lead to the registry's root"},
    {"certificate_expired", "the certificate or one above it has ended"},
    {"name_absent", "DNSSEC proves that there is no such name"},
    {"tlsa_missing", "DNSSEC proves that the name has no TLSA record"},
    {"tlsa_mismatch", "no TLSA record fits the certificate"},
    {"dns_bogus", "no chain of signatures from a trust anchor"},
    {"dns_insecure", "the zone is proved not to be signed"},
    {"resolver_unreachable", "no answer over TLS from the pinned key"},
    {"device_not_claimed", "the device is not this ASP's"},
    {"device_not_active", "the device is deactivated, deleted or released"},
    {"failed", "the check itself failed"},
}};

}  // namespace

std::string_view SymbolOf(Verdict verdict) {
  const auto index = static_cast<std::size_t>(verdict);
  return index < kVerdicts ? kSaid[index].symbol : kSaid.back().symbol;
}

Verdict VerdictOf(const Status& status) {
  if (status) return Verdict::kAccepted;
  for (std::size_t i = 1; i < kVerdicts; ++i) {
    if (kSaid[i].symbol == status.error().symbol) return static_cast<Verdict>(i);
  }
  return Verdict::kFailed;
}

Error Refusal(Verdict verdict) {
  return Error::Make(Code::kNotAuthorised, SymbolOf(verdict),
                     kSaid[static_cast<std::size_t>(verdict)].sentence);
}

}  // namespace registry::clients
