// schemas/ids/ids.h: strong identifiers, parsed once at the edge; inside there are no bare strings.
// Parse* answers nullopt for anything that is not exactly the standard's form. Plain values, any thread.
// Privacy: Eid and Iccid have no operator<< and must never reach a log, topic, certificate or DNS name; their
// text() is for the ledger and for the answer to the sponsoring MNO only.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace registry {

// RFC 9562 UUID; device ids are version 4 (random), so they say nothing about the device.
class DeviceId {
 public:
  using Octets = std::array<std::uint8_t, 16>;
  DeviceId() = default;
  // Sets version and variant bits over 16 random octets (RFC 9562 §5.4).
  static DeviceId FromRandom(Octets random);
  static std::optional<DeviceId> Parse(std::string_view text);  // lower case, 8-4-4-4-12, version 4
  static DeviceId FromOctets(const Octets& octets);             // as stored; no change to the bits

  std::string text() const;
  const Octets& octets() const { return octets_; }
  auto operator<=>(const DeviceId&) const = default;

 private:
  Octets octets_{};
};

// A value of one kind only; no implicit way in or out. `Tag` supplies Valid(text).
template <class Tag>
class TextId {
 public:
  TextId() = default;
  static std::optional<TextId> Parse(std::string_view text) {
    if (!Tag::Valid(text)) return std::nullopt;
    TextId id;
    id.text_ = std::string(text);
    return id;
  }
  const std::string& text() const { return text_; }
  bool empty() const { return text_.empty(); }
  auto operator<=>(const TextId&) const = default;

 private:
  std::string text_;
};

struct EidTag {
  static bool Valid(std::string_view text);
};  // SGP.29: 32 digits, number mod 97 = 1
struct IccidTag {
  static bool Valid(std::string_view text);
};  // ITU-T E.118: 19 or 20 digits from 89, Luhn
struct PartyIdTag {
  static bool Valid(std::string_view text);
};  // [a-z0-9] then [a-z0-9-]*, 1 to 32
struct EventIdTag {
  static bool Valid(std::string_view text);
};  // CloudEvents id: 1 to 128 of ASCII 0x21..0x7e
struct JobIdTag {
  static bool Valid(std::string_view text);
};  // a lower-case UUID
struct OrderIdTag {
  static bool Valid(std::string_view text);
};  // a lower-case UUID
struct TransferIdTag {
  static bool Valid(std::string_view text);
};  // a lower-case UUID
struct EndpointNameTag {
  static bool Valid(std::string_view text);
};  // [a-z0-9-]{1,63}, chosen by the ASP

using Eid = TextId<EidTag>;
using Iccid = TextId<IccidTag>;
using PartyId = TextId<PartyIdTag>;
using EventId = TextId<EventIdTag>;
using JobId = TextId<JobIdTag>;
using OrderId = TextId<OrderIdTag>;
using TransferId = TextId<TransferIdTag>;
using EndpointName = TextId<EndpointNameTag>;

// Lower-case host name, labels of letters, digits, '-' and a leading '_', 1 to 253 octets, no trailing dot.
bool ValidDomainName(std::string_view text);

// "<uuid>._device.<zone>", the device's unique name.
std::string DeviceName(const DeviceId& device, std::string_view zone);

}  // namespace registry

template <>
struct std::hash<registry::DeviceId> {
  std::size_t operator()(const registry::DeviceId& id) const noexcept {
    std::size_t value = 0;
    for (int i = 0; i < 8; ++i) value = value << 8 | id.octets()[static_cast<std::size_t>(i)];
    return value;
  }
};
