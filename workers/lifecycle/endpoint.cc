#include "workers/crypto/certificate.h"
#include "workers/crypto/trust_certificate.h"
#include "workers/domain/compose.h"
#include "workers/lifecycle/lifecycle.h"

namespace registry::lifecycle {
namespace {

using crypto::TrustFault;

bool IsWithin(std::string_view name, std::string_view parent) {
  if (name == parent) return true;
  return name.size() > parent.size() && name.ends_with(parent) &&
         name[name.size() - parent.size() - 1] == '.';
}

// A device would connect to itself (RFC 6761 §6.3), or to what is the registry's or another device's.
Status CheckHost(const std::string& host, const Policy& policy) {
  const bool reserved = IsWithin(host, "localhost") || IsWithin(host, policy.zone) ||
                        host == policy.payload.bootstrap.resolver.name;
  if (!reserved) return Done{};
  return Error::Make(Code::kPolicy, "endpoint_host_reserved",
                     "the host is localhost, a name in the registry's zone, or the registry's resolver",
                     "/endpoint/fqdn");
}

Error Unfit(Code code, std::string_view symbol, std::string_view why) {
  return Error::Make(code, symbol, why, "/endpoint/trust/certificate");
}

Error Describe(TrustFault fault) {
  switch (fault) {
    case TrustFault::kNotYetValid:
      return Unfit(Code::kPolicy, "trust_certificate_not_yet_valid", "the certificate is not valid yet");
    case TrustFault::kExpired:
      return Unfit(Code::kPolicy, "trust_certificate_expired", "the certificate has expired");
    case TrustFault::kNoCa:
      return Unfit(Code::kPolicy, "trust_certificate_no_ca",
                   "kind ca needs a CA's certificate: basicConstraints CA, and keyCertSign in a keyUsage");
    case TrustFault::kOtherName:
      return Unfit(Code::kPolicy, "trust_certificate_other_name",
                   "kind certificate needs the fqdn among the certificate's subjectAltNames");
    case TrustFault::kUnreadable:
      break;
  }
  return Unfit(Code::kValueSyntax, "trust_certificate_invalid",
               "not one X.509 certificate of version 3 in DER, and nothing else");
}

Status CheckTrust(const wire::Endpoint& endpoint, UtcTime now) {
  const Bytes& certificate = endpoint.trust.certificate;
  if (endpoint.trust.kind == wire::TrustKind::kTlsa) return Done{};
  if (!crypto::HasCertificateForm(certificate)) return Describe(TrustFault::kUnreadable);
  const auto fault = endpoint.trust.kind == wire::TrustKind::kCa
                         ? crypto::JudgeTrustedCa(certificate, now)
                         : crypto::JudgeTrustedServer(certificate, endpoint.fqdn, now);
  if (fault) return Describe(*fault);
  return Done{};
}

}  // namespace

Result<bool> Replaces(const wire::Endpoint& endpoint, const Case& at) {
  const auto known = at.view.LoadEndpoint(at.origin.party, endpoint.name);
  if (!known) return known.error();
  return *known && wire::Encode((*known)->endpoint) != wire::Encode(endpoint);
}

Result<Reply> Decide(const wire::EndpointPublish& command, Case& at) {
  auto& [origin, view, context, policy, signer, changes] = at;
  if (auto sound = CheckHost(command.endpoint.fqdn, policy); !sound) return sound.error();
  if (auto sound = CheckTrust(command.endpoint, context.now); !sound) return sound.error();
  auto known = view.LoadEndpoint(origin.party, command.endpoint.name);
  if (!known) return known.error();
  domain::EndpointRecord record;
  record.asp = origin.party;
  record.endpoint = command.endpoint;
  if (auto signed_legacy = payload_push::SignLegacy(record, signer); !signed_legacy)
    return signed_legacy.error();

  const std::uint64_t version = *known ? (*known)->version : 0;
  changes.endpoints.push_back({std::move(record), version});
  // What devices are told to trust changes here: it belongs into the chain as much as what they do.
  changes.history.push_back(domain::History(
      origin.party,
      "endpoint " + command.endpoint.name.text() + " published, version " + std::to_string(version + 1),
      context.now, origin.id));
  return wire::Encode(wire::EndpointPublished{command.endpoint.name, version + 1,
                                              payload_push::PilotFormAbsent(command.endpoint)});
}

}  // namespace registry::lifecycle
