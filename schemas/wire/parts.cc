#include "schemas/wire/parts.h"

#include "schemas/wire/endpoint_url.h"
#include "schemas/wire/symbols.h"

namespace registry::wire {

bool ValidCursor(std::string_view text) {
  const auto slash = text.find('/');
  const auto digit = [](char c) { return c >= '0' && c <= '9'; };
  if (slash == text.npos) return DeviceId::Parse(text).has_value();
  const auto number = text.substr(0, slash);
  return !number.empty() && number.size() <= 18 && std::all_of(number.begin(), number.end(), digit) &&
         DeviceId::Parse(text.substr(slash + 1)).has_value();
}
namespace {

struct TrustWords {
  static constexpr std::array<std::string_view, 3> kWords{"ca", "certificate", "tlsa"};  // order of TrustKind
};
struct ProtocolWords {
  static constexpr std::array<std::string_view, 4> kWords{"tls", "mqtts", "https", "coaps"};
};
struct ProfileWords {
  static constexpr std::array<std::string_view, 1> kWords{"iot-registry-1"};
};

// An EPP result code (RFC 5730 §3) the registry uses.
struct ResultCode {
  using Value = Code;
  static Rule MakeRule() {
    Rule rule;
    rule.shape = Shape::kInteger;
    for (Code code : kCodes) rule.numbers.push_back(static_cast<int>(code));
    return rule;
  }
  static Fault Read(const json& value, Code* out) {
    std::uint64_t number = 0;
    if (Fault fault = ReadInteger(value, 0, 9999, &number)) return fault;
    const Code code{static_cast<int>(number)};
    if (std::find(kCodes.begin(), kCodes.end(), code) == kCodes.end()) return BadChoice();
    *out = code;
    return std::nullopt;
  }
  static json Write(Code value) { return static_cast<int>(value); }
};
using Seconds = Integer<int, 0, 86400>;

Error Mismatch(std::string_view field, std::string_view message) {
  return Error::Make(Code::kValueSyntax, "endpoint_mismatch", message, std::string(field));
}

}  // namespace

template <>
const Fields<Resolver>& Table<Resolver>() {
  static const Fields<Resolver> table{
      Must<Address, &Resolver::address>("address"),
      Must<Port, &Resolver::port>("port"),
      Must<DnsName, &Resolver::name>("name"),
      Must<CertificateDer, &Resolver::certificate>("certificate"),
      Must<Base64<32, 32>, &Resolver::spki_pin>("spkiPin"),
  };
  return table;
}

template <>
const Fields<Bootstrap>& Table<Bootstrap>() {
  static const Fields<Bootstrap> table{
      Must<Word<ProfileWords>, &Bootstrap::registry_profile>("registryProfile"),
      Must<DnsName, &Bootstrap::device_name>("deviceName"),
      Must<CertificateDer, &Bootstrap::root_certificate>("rootCertificate"),
      Must<CertificateDer, &Bootstrap::issuing_certificate>("issuingCertificate"),
      Must<ResolverPart, &Bootstrap::resolver>("resolver"),
      Must<ListOf<LongLine, 1, 16>, &Bootstrap::trust_anchors>("trustAnchors"),
  };
  return table;
}

template <>
const Fields<EndpointTrust>& Table<EndpointTrust>() {
  static const Fields<EndpointTrust> table{
      Must<Choice<TrustKind, TrustWords>, &EndpointTrust::kind>("kind"),
      May<CertificateDer, &EndpointTrust::certificate>("certificate"),
      May<DnsName, &EndpointTrust::tlsa_owner>("tlsaOwner"),
  };
  return table;
}

template <>
Fault Consistent<EndpointTrust>(const EndpointTrust& trust) {
  const bool by_name = trust.kind == TrustKind::kTlsa;
  if (by_name == trust.certificate.empty() && by_name != trust.tlsa_owner.empty()) return std::nullopt;
  return BadValue("trust_mismatch",
                  "kind tlsa needs tlsaOwner alone; ca and certificate need certificate alone");
}

template <>
const Fields<Wifi>& Table<Wifi>() {
  static const Fields<Wifi> table{
      Must<Ssid, &Wifi::ssid>("ssid"),
      Must<LongLine, &Wifi::sealed_passphrase>("sealedPassphrase"),
  };
  return table;
}

template <>
const Fields<Endpoint>& Table<Endpoint>() {
  static const Fields<Endpoint> table{
      Must<IdForm<EndpointName>, &Endpoint::name>("name"),
      Must<HostName, &Endpoint::fqdn>("fqdn"),
      Must<Url, &Endpoint::url>("url"),
      Must<Port, &Endpoint::port>("port"),
      Must<Word<ProtocolWords>, &Endpoint::protocol>("protocol"),
      Must<TrustPart, &Endpoint::trust>("trust"),
      May<WifiPart, &Endpoint::wifi>("wifi"),
  };
  return table;
}

template <>
Fault Consistent<Endpoint>(const Endpoint& endpoint) {
  const auto url = ParseEndpointUrl(endpoint.url);
  if (!url || url->scheme != endpoint.protocol)
    return Mismatch("/url", "the URL's scheme must be the protocol");
  if (url->host != endpoint.fqdn) return Mismatch("/url", "the URL's host must be the fqdn");
  const auto port = url->port ? url->port : DefaultPort(endpoint.protocol);
  if (port && *port != endpoint.port)
    return Mismatch("/url", "the URL's port, or its scheme's, must be the port");
  const std::string owner = TlsaOwner(endpoint.fqdn, endpoint.port, endpoint.protocol);
  if (endpoint.trust.kind == TrustKind::kTlsa && endpoint.trust.tlsa_owner != owner)
    return Mismatch("/trust/tlsaOwner", "must be _port._tcp (coaps: _udp) and the fqdn");
  return std::nullopt;
}

template <>
const Fields<Container>& Table<Container>() {
  static const Fields<Container> table{
      Must<ContainerId, &Container::id>("id"),
      Must<Base64<0, 8192>, &Container::content>("content"),
  };
  return table;
}

template <>
const Fields<Error>& Table<Error>() {
  static const Fields<Error> table{
      Must<ResultCode, &Error::code>("code"),
      Must<Symbol, &Error::symbol>("symbol"),
      Must<LongLine, &Error::message>("message"),
      May<Pointer, &Error::field>("field"),
      May<Line, &Error::step>("step"),
      May<Seconds, &Error::retry_after_seconds>("retryAfterSeconds"),
      May<Word<LimitWords>, &Error::limit>("limit"),
      May<Count, &Error::left>("left"),
  };
  return table;
}

json EncodeError(const Error& error) { return WriteObject(error); }
std::optional<Error> DecodeError(const json& data) {
  Error error;
  if (ReadObject(data, &error)) return std::nullopt;
  return error;
}

}  // namespace registry::wire
