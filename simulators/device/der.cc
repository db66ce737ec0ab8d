#include "simulators/device/der.h"

#include <algorithm>

namespace registry::sim {
namespace {

// Unsigned, in the fewest octets, with a leading zero where the sign bit would be set (X.690 §8.3).
Bytes Integer(const std::uint8_t* begin, const std::uint8_t* end) {
  const auto* first = std::find_if(begin, end - 1, [](std::uint8_t octet) { return octet != 0; });
  Bytes value(first, end);
  if ((value.front() & 0x80) != 0) value.insert(value.begin(), 0x00);
  return Der(0x02, {value});
}

}  // namespace

Bytes Der(std::uint8_t tag, std::initializer_list<Bytes> parts) {
  std::size_t size = 0;
  for (const Bytes& part : parts) size += part.size();
  Bytes out;
  out.reserve(size + 4);
  out.push_back(tag);
  if (size > 0x7f) out.push_back(size > 0xff ? 0x82 : 0x81);
  if (size > 0xff) out.push_back(static_cast<std::uint8_t>(size >> 8));
  out.push_back(static_cast<std::uint8_t>(size));
  for (const Bytes& part : parts) out.insert(out.end(), part.begin(), part.end());
  return out;
}

Bytes SignatureDer(const Bytes& raw) {
  const std::uint8_t* middle = raw.data() + raw.size() / 2;
  return Der(0x30, {Integer(raw.data(), middle), Integer(middle, raw.data() + raw.size())});
}

Bytes P256Spki(const Bytes& point) {
  static const Bytes kAlgorithm = *FromHex("301306072a8648ce3d020106082a8648ce3d030107");
  return Der(0x30, {kAlgorithm, Der(0x03, {{0x00}, point})});
}

}  // namespace registry::sim
