#include "clients/verdict/client_options.h"

#include <charconv>
#include <filesystem>
#include <functional>
#include <map>
#include <sstream>

#include "clients/dane/trust_files.h"
#include "schemas/ids/ids.h"

namespace registry::clients {
namespace {

Error BadOption(const std::string& what) { return Error::Make(Code::kValueSyntax, "config_malformed", what); }

std::string_view Trimmed(std::string_view text) {
  constexpr std::string_view kBlank = " \t\r\n";
  const auto from = text.find_first_not_of(kBlank);
  return from == std::string_view::npos ? std::string_view()
                                        : text.substr(from, text.find_last_not_of(kBlank) - from + 1);
}

std::optional<unsigned long> Number(std::string_view text, unsigned long least, unsigned long most) {
  unsigned long value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  const bool good = error == std::errc() && end == text.data() + text.size();
  return good && value >= least && value <= most ? std::optional(value) : std::nullopt;
}

template <class Target>
bool TakeNumber(std::string_view text, unsigned long least, unsigned long most, Target& target) {
  const auto number = Number(text, least, most);
  if (number) target = static_cast<Target>(*number);
  return number.has_value();
}

bool TakeZone(std::string_view text, std::vector<std::string>& zones) {
  if (!ValidDomainName(text)) return false;
  zones.emplace_back(text);
  return true;
}

bool TakeResolver(std::string_view text, ResolverTrust& resolver) {
  auto colon = text.rfind(':');
  if (text.starts_with('[')) {  // RFC 3986 §3.2.2: an IPv6 address in brackets, so that a port can follow
    const auto end = text.find(']');
    if (end == std::string_view::npos) return false;
    resolver.address = text.substr(1, end - 1);
    if (end + 1 == text.size()) return true;
    if (colon != end + 1) return false;
  } else {
    if (text.find(':') != colon) colon = std::string_view::npos;  // several: IPv6 by itself
    resolver.address = text.substr(0, colon);
  }
  return colon == std::string_view::npos || TakeNumber(text.substr(colon + 1), 1, 65535, resolver.port);
}

bool TakeNameFrom(std::string_view text, NameFrom& from) {
  static const std::map<std::string_view, NameFrom> kForms = {{"extension", NameFrom::kExtension},
                                                              {"certificate", NameFrom::kCertificate},
                                                              {"either", NameFrom::kEither}};
  const auto found = kForms.find(text);
  if (found != kForms.end()) from = found->second;
  return found != kForms.end();
}

bool TakeWhose(std::string_view text, Whose& value) {
  value = text == "no" ? Whose::kAny : Whose::kOwn;
  return text == "yes" || text == "no";
}

bool TakeTimeout(std::string_view text, std::chrono::milliseconds& timeout) {
  return TakeNumber(text, 1, 60'000, timeout);
}

Result<Bytes> ReadAuthority(const std::string& key, const std::string& file) {
  if (file.empty()) return BadOption(key + " is missing");
  auto der = FromPem("CERTIFICATE", ReadTrustFile(file));
  if (!der) return BadOption(key + ": " + file + " holds no certificate");
  return std::move(*der);
}

Result<Bytes> ReadAuthorities(const std::string& key, const std::string& file) {
  if (file.empty()) return BadOption(key + " is missing");
  auto all = CertificatesIn(ReadTrustFile(file));
  if (!all) return BadOption(key + ": " + file + " " + all.error().message);
  return all;
}

Result<Bytes> ReadPin(const std::string& base64, const std::string& certificate_file) {
  if (!base64.empty()) {
    auto pin = FromBase64(base64);
    return pin && pin->size() == 32 ? Result<Bytes>(std::move(*pin))
                                    : BadOption("resolver_pin is no SHA-256");
  }
  if (certificate_file.empty()) return BadOption("resolver_pin or resolver_certificate_file is missing");
  auto pin = PinOfCertificate(ReadTrustFile(certificate_file));
  return pin ? pin : BadOption("resolver_certificate_file: " + certificate_file + " holds no certificate");
}

}  // namespace

Status OptionReader::Set(std::string_view key, std::string_view value) {
  const std::string_view text = Trimmed(value);
  const auto file = [text](std::string& target) {
    target = text;
    return !text.empty();
  };
  const std::map<std::string_view, std::function<bool()>> setters = {
      {"zone", [&] { return TakeZone(text, options_.trust.zones); }},
      {"root_file", [&] { return file(root_file_); }},
      {"issuing_file", [&] { return file(issuing_file_); }},
      {"resolver", [&] { return TakeResolver(text, options_.resolver); }},
      {"resolver_pin", [&] { return file(pin_); }},
      {"resolver_certificate_file", [&] { return file(resolver_certificate_file_); }},
      {"trust_anchor_file", [&] { return file(anchor_file_); }},
      {"timeout_ms", [&] { return TakeTimeout(text, options_.resolver.timeout); }},
      {"client_name", [&] { return TakeNameFrom(text, options_.check.name_from); }},
      {"identity_extension", [&] { return TakeNumber(text, 1, 65535, options_.identity_extension); }},
      {"party", [&] { return PartyId::Parse(text).has_value() && file(options_.party); }},
      {"claims_file", [&] { return file(options_.claims_file); }},
      {"own_only", [&] { return TakeWhose(text, options_.check.whose); }},
      {"cache_max", [&] { return TakeNumber(text, 0, 10'000'000, options_.check.cache_max); }},
  };
  const auto found = setters.find(Trimmed(key));
  if (found == setters.end()) return BadOption("there is no key " + std::string(Trimmed(key)));
  if (!found->second())
    return BadOption(std::string(found->first) + ": no such value, '" + std::string(text) + '\'');
  return Done{};
}

Status OptionReader::SetLine(std::string_view line) {
  line = Trimmed(line.substr(0, line.find('#')));
  if (line.empty()) return Done{};
  const auto equals = line.find('=');
  if (equals == std::string_view::npos) return BadOption("no 'key = value': " + std::string(line));
  return Set(line.substr(0, equals), line.substr(equals + 1));
}

Status OptionReader::SetFile(const std::string& file) {
  std::error_code error;
  if (!std::filesystem::is_regular_file(file, error)) return BadOption(file + " cannot be read");
  std::istringstream lines(ReadTrustFile(file));
  int number = 0;
  for (std::string line; std::getline(lines, line);) {
    ++number;
    if (auto set = SetLine(line); !set) {
      return BadOption(file + ':' + std::to_string(number) + ": " + set.error().message);
    }
  }
  return Done{};
}

Result<ClientOptions> OptionReader::Ready() && {
  if (options_.trust.zones.empty()) return BadOption("zone is missing");
  if (options_.resolver.address.empty()) return BadOption("resolver is missing");
  if (anchor_file_.empty()) return BadOption("trust_anchor_file is missing");
  auto root = ReadAuthority("root_file", root_file_),
       issuing = ReadAuthorities("issuing_file", issuing_file_);
  if (!root) return root.error();
  if (!issuing) return issuing.error();
  auto pin = ReadPin(pin_, resolver_certificate_file_);
  if (!pin) return pin.error();
  options_.trust.root = std::move(*root);
  options_.trust.issuing = std::move(*issuing);
  options_.resolver.spki_pin = std::move(*pin);
  options_.resolver.cache_max = options_.check.cache_max;
  options_.resolver.anchors = AnchorLines(ReadTrustFile(anchor_file_));
  if (options_.resolver.anchors.empty())
    return BadOption("trust_anchor_file: " + anchor_file_ + " holds no record");
  return std::move(options_);
}

Result<ClientOptions> ReadOptions(const std::string& file) {
  OptionReader reader;
  if (auto set = reader.SetFile(file); !set) return set.error();
  return std::move(reader).Ready();
}

Result<std::unique_ptr<ClientCheck>> OpenCheck(const ClientOptions& options, const OwnDevices* own) {
  auto resolver = DaneResolver::Create(options.resolver);
  if (!resolver) return resolver.error();
  return ClientCheck::Create(options.trust, own, std::move(*resolver), options.check);
}

Result<std::set<std::string>> ReadClaims(const std::string& file) {
  std::error_code error;
  if (!std::filesystem::is_regular_file(file, error))
    return BadOption("claims_file: " + file + " cannot be read");
  std::set<std::string> devices;
  std::istringstream lines(ReadTrustFile(file));
  for (std::string line; std::getline(lines, line);) {
    const std::string_view device = Trimmed(std::string_view(line).substr(0, line.find('#')));
    if (device.empty()) continue;
    if (!DeviceId::Parse(device)) return BadOption("claims_file: no device id: " + std::string(device));
    devices.emplace(device);
  }
  return devices;
}

}  // namespace registry::clients
