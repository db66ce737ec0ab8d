#include "simulators/euicc/public_key.h"

#include "simulators/euicc/p256.h"
#include "simulators/euicc/tags.h"

namespace registry::sim {
namespace {

constexpr std::uint8_t kKeyObject = 0x49, kKeyPoint = 0x86;

// The value of the only TLV that `octets` hold.
std::optional<Bytes> OnlyTlv(const Bytes& octets, std::uint8_t tag) {
  const auto tlvs = ParseTlvs(octets);
  if (!tlvs || tlvs->size() != 1 || tlvs->front().tag != tag) return std::nullopt;
  return tlvs->front().value;
}

}  // namespace

Bytes PublicKeyData(const Bytes& point) {
  Bytes inner, middle, out;
  AppendTlv(inner, kKeyPoint, point);
  AppendTlv(middle, kKeyObject, inner);
  AppendTlv(out, kPublicKeyData, middle);
  return out;
}

std::optional<Bytes> PointOf(const Bytes& public_key_data) {
  const auto outer = OnlyTlv(public_key_data, kPublicKeyData);
  const auto inner = outer ? OnlyTlv(*outer, kKeyObject) : std::nullopt;
  auto point = inner ? OnlyTlv(*inner, kKeyPoint) : std::nullopt;
  return point && P256Key::IsPoint(*point) ? point : std::nullopt;
}

}  // namespace registry::sim
