#include "schemas/ids/ids.h"

#include <algorithm>

#include "schemas/base/ascii.h"
#include "schemas/base/bytes.h"

namespace registry {
namespace {

bool IsLowerOrDigit(char c) { return IsDigit(c) || IsLower(c); }
bool IsNameChar(char c) { return IsLowerOrDigit(c) || c == '-'; }

bool AllDigits(std::string_view text) { return std::all_of(text.begin(), text.end(), IsDigit); }

constexpr std::size_t kUuidLength = 36;

bool IsDash(std::size_t position) {
  return position == 8 || position == 13 || position == 18 || position == 23;
}

// RFC 9562 §4: 8-4-4-4-12 hexadecimal digits; written in lower case here so that one id has one text.
bool UuidForm(std::string_view text) {
  if (text.size() != kUuidLength) return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (IsDash(i) ? text[i] != '-' : !IsLowerHex(text[i])) return false;
  }
  return true;
}

// ITU-T E.118 §4.1.4 names the Luhn formula; the check digit is the last one.
bool LuhnHolds(std::string_view digits) {
  int sum = 0;
  bool doubled = false;
  for (auto it = digits.rbegin(); it != digits.rend(); ++it, doubled = !doubled) {
    const int digit = *it - '0';
    sum += doubled ? digit * 2 - (digit > 4 ? 9 : 0) : digit;
  }
  return sum % 10 == 0;
}

int Mod97(std::string_view digits) {
  int rest = 0;
  for (char c : digits) rest = (rest * 10 + (c - '0')) % 97;
  return rest;
}

// RFC 1123 §2.1 with the underscore of RFC 8552 §1.1 in front.
bool ValidLabel(std::string_view label) {
  if (!label.empty() && label.size() <= 63 && label.front() == '_') label.remove_prefix(1);
  if (label.empty() || label.size() > 63) return false;
  return IsLowerOrDigit(label.front()) && IsLowerOrDigit(label.back()) &&
         std::all_of(label.begin(), label.end(), IsNameChar);
}

}  // namespace

DeviceId DeviceId::FromRandom(Octets random) {
  random[6] = static_cast<std::uint8_t>((random[6] & 0x0f) | 0x40);  // RFC 9562 §5.4: version 4
  random[8] = static_cast<std::uint8_t>((random[8] & 0x3f) | 0x80);  // RFC 9562 §4.1: variant 10
  return FromOctets(random);
}

std::optional<DeviceId> DeviceId::Parse(std::string_view text) {
  if (!UuidForm(text)) return std::nullopt;
  const bool variant = text[19] == '8' || text[19] == '9' || text[19] == 'a' || text[19] == 'b';
  if (text[14] != '4' || !variant) return std::nullopt;
  std::string hex;
  std::copy_if(text.begin(), text.end(), std::back_inserter(hex), [](char c) { return c != '-'; });
  const std::optional<Bytes> bytes = FromHex(hex);
  DeviceId id;
  std::copy(bytes->begin(), bytes->end(), id.octets_.begin());
  return id;
}

DeviceId DeviceId::FromOctets(const Octets& octets) {
  DeviceId id;
  id.octets_ = octets;
  return id;
}

std::string DeviceId::text() const {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text(kUuidLength, '-');
  std::size_t position = 0;
  for (std::uint8_t octet : octets_) {
    if (IsDash(position)) ++position;
    text[position++] = kDigits[octet >> 4];
    text[position++] = kDigits[octet & 0x0f];
  }
  return text;
}

// SGP.29 §3: the two check digits make the whole number leave 1 when divided by 97.
bool EidTag::Valid(std::string_view text) { return text.size() == 32 && AllDigits(text) && Mod97(text) == 1; }

// ITU-T E.118 §4.1: 89 is the major industry identifier of telecommunications.
bool IccidTag::Valid(std::string_view text) {
  const bool length = text.size() == 19 || text.size() == 20;
  return length && AllDigits(text) && text.substr(0, 2) == "89" && LuhnHolds(text);
}

bool PartyIdTag::Valid(std::string_view text) {
  return !text.empty() && text.size() <= 32 && IsLowerOrDigit(text.front()) &&
         std::all_of(text.begin(), text.end(), IsNameChar);
}

bool EventIdTag::Valid(std::string_view text) {
  return !text.empty() && text.size() <= 128 &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= 0x21 && c <= 0x7e; });
}

bool JobIdTag::Valid(std::string_view text) { return UuidForm(text); }
bool OrderIdTag::Valid(std::string_view text) { return UuidForm(text); }
bool TransferIdTag::Valid(std::string_view text) { return UuidForm(text); }

bool EndpointNameTag::Valid(std::string_view text) {
  return !text.empty() && text.size() <= 63 && std::all_of(text.begin(), text.end(), IsNameChar);
}

bool ValidDomainName(std::string_view text) {
  if (text.empty() || text.size() > 253) return false;
  while (true) {
    const std::size_t dot = text.find('.');
    if (!ValidLabel(text.substr(0, dot))) return false;
    if (dot == std::string_view::npos) return true;
    text.remove_prefix(dot + 1);
  }
}

std::string DeviceName(const DeviceId& device, std::string_view zone) {
  return device.text().append("._device.").append(zone);
}

}  // namespace registry
