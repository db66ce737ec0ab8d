#include "schemas/wire/forms.h"

#include <algorithm>

#include "schemas/base/ascii.h"
#include "schemas/wire/endpoint_url.h"
#include "schemas/wire/envelope.h"

namespace registry::wire {
namespace {

constexpr char kLinePattern[] = "^[^\\x00-\\x1f\\x7f]*$";
constexpr std::string_view kPemBegin = "-----BEGIN ";

template <class Predicate>
bool All(std::string_view text, Predicate holds) {
  return std::all_of(text.begin(), text.end(), holds);
}

// Texts end up in logs and on terminals: a control character would let a sender write there.
bool ValidLine(std::string_view text) {
  return All(text, [](char c) { return static_cast<unsigned char>(c) >= 0x20 && c != 0x7f; });
}
bool ValidSsid(std::string_view text) { return text.size() <= 32 && ValidLine(text); }  // IEEE 802.11: octets
bool ValidVisible(std::string_view text) { return All(text, IsVisible); }
bool ValidSymbol(std::string_view text) {
  return All(text, [](char c) { return IsLower(c) || IsDigit(c) || c == '_' || c == '.' || c == '-'; });
}
bool ValidUrl(std::string_view text) { return ParseEndpointUrl(text).has_value(); }
bool ValidAddress(std::string_view text) {
  return All(text, [](char c) {
    return IsDigit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F') || c == '.' || c == ':';
  });
}
bool ValidPointer(std::string_view text) { return !text.empty() && text.front() == '/'; }
bool ValidHex(std::string_view text) {
  return text.size() % 2 == 0 && All(text, [](char c) { return IsDigit(c) || (c >= 'a' && c <= 'f'); });
}

// JSON Schema counts characters (code points), so do we.
std::size_t Characters(std::string_view text) {
  return static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xc0) != 0x80; }));
}

Error WrongType(std::string_view message) { return Error::Make(Code::kValueSyntax, "wrong_type", message); }
Error TooShort() {
  return Error::Make(Code::kRange, "too_short", "the value is shorter than the schema allows");
}
Error TooLong() {
  return Error::Make(Code::kRange, "too_long", "the value is longer than the schema allows");
}

std::size_t Base64Length(std::size_t octets) { return (octets + 2) / 3 * 4; }

Fault CheckLength(const Bytes& bytes, std::size_t min, std::size_t max) {
  if (bytes.size() < min) return TooShort();
  if (bytes.size() > max) return TooLong();
  return std::nullopt;
}

}  // namespace

const TextKind kLine{1, 200, kLinePattern, "bad_text", "must be text without control characters", ValidLine};
const TextKind kLongLine{1,        1024, kLinePattern, "bad_text", "must be text without control characters",
                         ValidLine};
const TextKind kSsid{
    1, 32, kLinePattern, "bad_ssid", "must be 1 to 32 octets without control characters", ValidSsid};
const TextKind kAuthorisationCode{
    1, 64, "^[!-~]+$", "bad_authorisation_code", "must be visible ASCII characters", ValidVisible};
const TextKind kSymbol{
    1,          64, "^[a-z0-9_.-]+$", "bad_symbol", "must be lower-case letters, digits, '_', '.' or '-'",
    ValidSymbol};
const TextKind kUrl{4,
                    255,
                    kEndpointUrlPattern,
                    "bad_url",
                    "must be scheme://host, :port, path and query, with a host name, no user and no fragment",
                    ValidUrl};
const TextKind kHostName{1,
                         253,
                         kHostNamePattern,
                         "bad_domain_name",
                         "must be a lower-case host name of two labels or more, and no address",
                         IsHostName};
const TextKind kDnsName{1,
                        253,
                        "^[a-z0-9_-]+(\\.[a-z0-9_-]+)*$",
                        "bad_domain_name",
                        "must be a lower-case domain name without a trailing dot",
                        ValidDomainName};
const TextKind kAddress{2, 45, "^[0-9a-fA-F.:]+$", "bad_address", "must be an IP address", ValidAddress};
const TextKind kPointer{1, 512, "^/", "bad_pointer", "must be a JSON pointer", ValidPointer};
const TextKind kSerialHex{2, 40, "^([0-9a-f]{2})+$", "bad_hex", "must be lower-case hexadecimal", ValidHex};

Fault Url::Read(const json& value, std::string* out) {
  const std::string* text = nullptr;
  if (Fault fault = ReadText(value, kUrl.min, kUrl.max, &text)) return fault;
  if (const auto why = WhyNoEndpointUrl(*text); !why.empty()) return BadValue(kUrl.symbol, why);
  *out = *text;
  return std::nullopt;
}

template <>
const IdFacts& FactsOf<DeviceId>() {
  static const IdFacts facts{36, 36, "^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$",
                             "bad_device", "must be a lower-case UUID of version 4"};
  return facts;
}
template <>
const IdFacts& FactsOf<JobId>() {
  static const IdFacts facts{36, 36, "^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$",
                             "bad_job", "must be a lower-case UUID"};
  return facts;
}
template <>
const IdFacts& FactsOf<OrderId>() {
  static const IdFacts facts{36, 36, FactsOf<JobId>().pattern, "bad_order", "must be a lower-case UUID"};
  return facts;
}
template <>
const IdFacts& FactsOf<TransferId>() {
  static const IdFacts facts{36, 36, FactsOf<JobId>().pattern, "bad_transfer", "must be a lower-case UUID"};
  return facts;
}
template <>
const IdFacts& FactsOf<Eid>() {
  static const IdFacts facts{32, 32, "^[0-9]{32}$", "bad_eid",
                             "must be 32 digits that leave 1 modulo 97 (SGP.29)"};
  return facts;
}
template <>
const IdFacts& FactsOf<Iccid>() {
  static const IdFacts facts{19, 20, "^89[0-9]{17,18}$", "bad_iccid",
                             "must be 19 or 20 digits from 89 with a Luhn check digit (E.118)"};
  return facts;
}
template <>
const IdFacts& FactsOf<PartyId>() {
  static const IdFacts facts{1, 32, "^[a-z0-9][a-z0-9-]*$", "bad_party",
                             "must be lower-case letters, digits or '-'"};
  return facts;
}
template <>
const IdFacts& FactsOf<EndpointName>() {
  static const IdFacts facts{1, 63, "^[a-z0-9-]+$", "bad_endpoint_name",
                             "must be lower-case letters, digits or '-'"};
  return facts;
}

Error BadValue(std::string_view symbol, std::string_view message) {
  return Error::Make(Code::kValueSyntax, symbol, message);
}
Error BadChoice() { return BadValue("bad_choice", "must be one of the words the schema lists"); }

Rule TextRule(std::size_t min, std::size_t max, std::string_view pattern) {
  Rule rule;
  rule.min = min;
  rule.max = max;
  rule.pattern = pattern;
  return rule;
}

Rule ChoiceRule(std::vector<std::string> words) {
  Rule rule;
  rule.choices = std::move(words);
  return rule;
}

Fault ReadAnyText(const json& value, const std::string** text) {
  *text = value.get_ptr<const std::string*>();
  if (*text == nullptr) return WrongType("must be a text");
  return std::nullopt;
}

Fault ReadText(const json& value, std::size_t min, std::size_t max, const std::string** text) {
  if (Fault fault = ReadAnyText(value, text)) return fault;
  const std::size_t length = Characters(**text);
  if (length < min) return TooShort();
  if (length > max) return TooLong();
  return std::nullopt;
}

Fault ReadInteger(const json& value, std::uint64_t min, std::uint64_t max, std::uint64_t* number) {
  if (!value.is_number()) return WrongType("must be an integer");
  if (!value.is_number_integer())
    return BadValue("not_an_integer", "must be an integer without fraction or exponent");
  const bool negative = !value.is_number_unsigned() && value.get<std::int64_t>() < 0;
  *number = negative ? 0 : value.get<std::uint64_t>();
  if (negative || *number < min || *number > max) {
    return Error::Make(Code::kRange, "out_of_range", "the number is outside what the schema allows");
  }
  return std::nullopt;
}

Rule Base64Rule(std::size_t min, std::size_t max) {
  return TextRule(Base64Length(min), Base64Length(max), "^[A-Za-z0-9+/]*={0,2}$");
}

Fault ReadBase64(const json& value, std::size_t min, std::size_t max, Bytes* out) {
  const std::string* text = nullptr;
  if (Fault fault = ReadText(value, Base64Length(min), Base64Length(max), &text)) return fault;
  std::optional<Bytes> bytes = FromBase64(*text);
  if (!bytes) return BadValue("bad_base64", "must be base64 with padding, in one line (RFC 4648 §4)");
  if (Fault fault = CheckLength(*bytes, min, max)) return fault;
  *out = *std::move(bytes);
  return std::nullopt;
}

Rule CertificatePem::MakeRule() {
  return TextRule(1, ToPem("CERTIFICATE", Bytes(kCertificateMax)).size(),
                  "^-----BEGIN CERTIFICATE-----\\n[A-Za-z0-9+/=\\n]+\\n-----END CERTIFICATE-----\\n$");
}
Fault CertificatePem::Read(const json& value, Bytes* out) {
  const std::string* text = nullptr;
  if (Fault fault = ReadText(value, 1, MakeRule().max, &text)) return fault;
  std::optional<Bytes> der = FromPem("CERTIFICATE", *text);
  if (!der || der->empty() || Write(*der) != *text) {
    return BadValue("bad_pem", "must be one certificate in PEM (RFC 7468 §5)");
  }
  *out = *std::move(der);
  return std::nullopt;
}
json CertificatePem::Write(const Bytes& value) { return ToPem("CERTIFICATE", value); }

// RFC 7468 §2: text before the first encapsulation boundary explains, to people; a boundary begins a line.
std::optional<std::string_view> FromBoundary(std::string_view text) {
  std::size_t at = text.find(kPemBegin);
  while (at != std::string_view::npos && at > 0 && text[at - 1] != '\n' && text[at - 1] != '\r') {
    at = text.find(kPemBegin, at + 1);
  }
  if (at == std::string_view::npos) return std::nullopt;
  return text.substr(at);
}

Rule Csr::MakeRule() { return TextRule(1, kMessageMax, ""); }
// Base64 has no '-', and a DER CertificationRequest begins with 0x30, never with '-', so the two forms cannot be
// mistaken for each other.
Fault Csr::Read(const json& value, Bytes* out) {
  const std::string* text = nullptr;
  if (Fault fault = ReadText(value, 1, kMessageMax, &text)) return fault;
  const auto pem = FromBoundary(*text);
  std::optional<Bytes> octets = pem ? AsBytes(*pem) : FromBase64(*text);
  if (!octets) return BadValue("bad_base64", "must be PEM or base64 of DER");
  *out = *std::move(octets);
  return std::nullopt;
}
json Csr::Write(const Bytes& value) {
  if (AsText(value).starts_with(kPemBegin)) return std::string(AsText(value));
  return ToBase64(value);
}

Rule Sha256Hex::MakeRule() { return TextRule(64, 64, "^[0-9a-f]{64}$"); }
Fault Sha256Hex::Read(const json& value, Bytes* out) {
  const std::string* text = nullptr;
  if (Fault fault = ReadText(value, 64, 64, &text)) return fault;
  if (!ValidHex(*text)) return BadValue("bad_hex", "must be lower-case hexadecimal");
  *out = *FromHex(*text);
  return std::nullopt;
}

Rule ContainerId::MakeRule() { return TextRule(2, 2, "^[0-9A-F]{2}$"); }
Fault ContainerId::Read(const json& value, std::uint8_t* out) {
  const std::string* text = nullptr;
  if (Fault fault = ReadText(value, 2, 2, &text)) return fault;
  const std::optional<Bytes> octet = FromHex(*text);
  if (!octet || Write(octet->front()) != *text)
    return BadValue("bad_hex", "must be two upper-case hexadecimal digits");
  *out = octet->front();
  return std::nullopt;
}
json ContainerId::Write(std::uint8_t value) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  return std::string{kDigits[value >> 4], kDigits[value & 0x0f]};
}

Rule Time::MakeRule() {
  return TextRule(20, 30, "^[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt][0-9]{2}:[0-9]{2}:[0-9]{2}(\\.[0-9]{1,9})?[Zz]$");
}
Fault Time::Read(const json& value, UtcTime* out) {
  const std::string* text = nullptr;
  if (Fault fault = ReadAnyText(value, &text)) return fault;
  const std::optional<UtcTime> time = FromRfc3339(*text);
  if (!time) return BadValue("bad_time", "must be an RFC 3339 time in UTC, ending in Z");
  *out = *time;
  return std::nullopt;
}

Rule Switch::MakeRule() {
  Rule rule;
  rule.shape = Shape::kBoolean;
  return rule;
}
Fault Switch::Read(const json& value, bool* out) {
  if (!value.is_boolean()) return WrongType("must be true or false");
  *out = value.get<bool>();
  return std::nullopt;
}

}  // namespace registry::wire
