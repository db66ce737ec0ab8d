#include "bridge/zone/device_content.h"

#include <algorithm>
#include <unordered_map>

#include "bridge/zone/keys.h"
#include "schemas/base/ascii.h"

namespace registry::zone {
namespace {

constexpr std::size_t kStringMax = 255, kUuidSize = 36;

void PutString(Bytes& out, std::string_view text) {
  out.push_back(static_cast<std::uint8_t>(text.size()));
  Put(out, AsBytes(text));
}

const Bytes& LabelAtEnd() {
  static const Bytes kLabel = DeviceLabel();
  return kLabel;
}

}  // namespace

Bytes DeviceLabel() {
  Bytes label;
  PutString(label, "_device");
  return label;
}

Bytes DevicePrefix(const DeviceId& device) {
  const std::string text = device.text();
  Bytes prefix;
  prefix.reserve(1 + text.size() + LabelAtEnd().size());
  PutString(prefix, text);
  Put(prefix, LabelAtEnd());
  return prefix;
}

std::optional<DeviceId> DeviceAt(View prefix) {
  if (prefix.size() != 1 + kUuidSize + LabelAtEnd().size() || prefix[0] != kUuidSize) return std::nullopt;
  if (!std::ranges::equal(prefix.subspan(1 + kUuidSize), LabelAtEnd())) return std::nullopt;
  // Whatever version it is of: every id that DevicePrefix can be given comes back.
  DeviceId::Octets octets{};
  std::size_t digits = 0;
  for (std::size_t i = 0; i < kUuidSize; ++i) {
    const char c = static_cast<char>(prefix[1 + i]);
    const bool dash = i == 8 || i == 13 || i == 18 || i == 23;
    if (dash ? c != '-' : !IsLowerHex(c)) return std::nullopt;
    if (dash) continue;
    std::uint8_t& octet = octets[digits++ / 2];
    octet = static_cast<std::uint8_t>(octet << 4 | (IsDigit(c) ? c - '0' : c - 'a' + 10));
  }
  return DeviceId::FromOctets(octets);
}

Bytes TlsaRdata(const domain::TlsaRecord& record) {
  Bytes rdata{record.usage, record.selector, record.matching};
  Put(rdata, record.data);
  return rdata;
}

// RFC 1035 §3.3.14: character strings of at most 255 octets.
Bytes TxtRdata(std::string_view text) {
  Bytes rdata;
  for (std::size_t at = 0; at == 0 || at < text.size(); at += kStringMax)
    PutString(rdata, text.substr(at, kStringMax));
  return rdata;
}

std::vector<Bytes> AuthorityTlsa(const std::vector<Bytes>& certificates) {
  std::vector<Bytes> rdatas;
  for (const Bytes& certificate : certificates) {
    Bytes rdata{static_cast<std::uint8_t>(rdatas.empty() ? 0 : 2), 0, 1};
    Put(rdata, Sha256(certificate));
    rdatas.push_back(std::move(rdata));
  }
  return rdatas;
}

std::vector<const domain::ZoneChange*> LastPerDevice(std::span<const domain::ZoneChange> changes) {
  std::vector<const domain::ZoneChange*> last;
  std::unordered_map<DeviceId, std::size_t> places;
  places.reserve(changes.size());
  for (const domain::ZoneChange& change : changes) {
    const auto [place, fresh] = places.emplace(change.device, last.size());
    if (fresh) {
      last.push_back(&change);
    } else if (change.revision >= last[place->second]->revision) {
      last[place->second] = &change;
    }
  }
  return last;
}

}  // namespace registry::zone
