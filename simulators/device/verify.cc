#include "simulators/device/verify.h"

namespace registry::sim {
namespace {

constexpr std::uint8_t kPkixTa = 0;
constexpr std::string_view kDeviceLabel = "._device.";

Error Missing(std::string_view symbol, const std::string& name) {
  return Error::Make(Code::kNotFound, symbol, "proved absent: " + name);
}

// The absence of each record means something else; every other failure speaks for itself.
Result<std::vector<TlsaRecord>> LookUp(DaneResolver& resolver, const std::string& name, Freshness freshness,
                                       std::string_view missing) {
  auto records = resolver.Tlsa(name, freshness);
  if (!records && ProvedAbsent(records.error())) return Missing(missing, name);
  return records;
}

Status CheckOwn(DaneResolver& resolver, const wire::RegistryPayload& payload) {
  const std::string& name = payload.bootstrap.device_name;
  const auto records = LookUp(resolver, name, Freshness::kNow, "own_tlsa_missing");
  if (!records) return records.error();
  const auto view = CertificateView::Of(payload.certificate);
  if (view && MatchesAny(*records, kDaneEe, *view)) return Done{};
  return Error::Make(Code::kPolicy, "own_tlsa_mismatch", "no record fits this device's certificate");
}

// RFC 6698 §2.1.1: usages 0 and 2 both name a CA; the registry publishes its root as 0 and its issuing CA as
// 2.
bool NamesCa(const std::vector<TlsaRecord>& records, const CertificateView& certificate) {
  return MatchesAny(records, kPkixTa, certificate) || MatchesAny(records, kDaneTa, certificate);
}

Status CheckRegistry(const RegistryTrust& trust, const std::string& device_name) {
  const std::string zone = device_name.substr(device_name.find(kDeviceLabel) + kDeviceLabel.size());
  const auto records = LookUp(*trust.resolver, zone, Freshness::kCached, "registry_tlsa_missing");
  if (!records) return records.error();
  if (NamesCa(*records, trust.root_view) && NamesCa(*records, trust.issuing_view)) return Done{};
  return Error::Make(Code::kPolicy, "registry_tlsa_mismatch",
                     "the zone does not name the registry's certificates");
}

Result<AspTarget> FindAsp(DaneResolver& resolver, const wire::Endpoint& endpoint,
                          const std::string& fallback) {
  AspTarget target{endpoint.fqdn, {}, endpoint.port, endpoint.trust, {}};
  auto address = resolver.Address(endpoint.fqdn);
  if (!address && ProvedAbsent(address.error())) {
    if (fallback.empty()) return Missing("asp_address_missing", endpoint.fqdn);
    address = fallback;
  }
  if (!address) return address.error();
  target.address = *address;
  if (endpoint.trust.kind != wire::TrustKind::kTlsa) return target;
  auto records = LookUp(resolver, endpoint.trust.tlsa_owner, Freshness::kCached, "asp_tlsa_missing");
  if (!records) return records.error();
  target.tlsa = std::move(*records);
  return target;
}

}  // namespace

Result<AspTarget> OtherPortOf(const RegistryTrust& trust, const AspTarget& asp, std::uint16_t port) {
  AspTarget other = asp;
  other.port = port;
  if (asp.trust.kind != wire::TrustKind::kTlsa) return other;
  other.trust.tlsa_owner = "_" + std::to_string(port) + "._tcp." + asp.fqdn;  // RFC 6698 §3
  auto records = LookUp(*trust.resolver, other.trust.tlsa_owner, Freshness::kCached, "asp_tlsa_missing");
  if (!records) return records.error();
  other.tlsa = std::move(*records);
  return other;
}

Result<AspTarget> VerifyInDns(const RegistryTrust& trust, const wire::RegistryPayload& payload,
                              const std::string& fallback_address) {
  if (auto own = CheckOwn(*trust.resolver, payload); !own) return own.error();
  if (auto apex = CheckRegistry(trust, payload.bootstrap.device_name); !apex) return apex.error();
  if (!payload.endpoint) return Error::Make(Code::kStatusProhibits, "asp_absent", "the payload names no ASP");
  return FindAsp(*trust.resolver, *payload.endpoint, fallback_address);
}

}  // namespace registry::sim
