#include "simulators/euicc/apdu.h"

namespace registry::sim {

StatusWord OctetsWait(std::size_t count) {
  return static_cast<StatusWord>(0x6100 | (count > 0xff ? 0 : count));
}

StatusWord CorrectLe(std::size_t count) {
  return static_cast<StatusWord>(0x6c00 | (count > 0xff ? 0 : count));
}

std::optional<Command> ParseCommand(const Bytes& apdu) {
  if (apdu.size() < 4) return std::nullopt;
  Command command{apdu[0], apdu[1], apdu[2], apdu[3], {}, 0};
  if (apdu.size() == 4) return command;
  const std::size_t p3 = apdu[4];
  if (apdu.size() == 5) {  // case 2: Le alone
    command.le = p3;
    return command;
  }
  // A case 4 command of some PC/SC stacks has a spare 00 between the data and Le.
  const std::size_t behind_max = p3 > 0 ? 2 : 1;
  if (apdu.size() < 5 + p3 || apdu.size() > 5 + p3 + behind_max) return std::nullopt;
  command.data.assign(apdu.begin() + 5, apdu.begin() + 5 + static_cast<std::ptrdiff_t>(p3));
  if (apdu.size() > 5 + p3) command.le = apdu.back();
  return command;
}

namespace {

constexpr std::uint8_t kSignatureTag = 0x33;

// Reads a length at `at`, behind `tag`, and moves behind it. A signature is never empty: 00 is the first of two octets.
std::optional<std::size_t> ReadLength(const Bytes& octets, std::uint8_t tag, std::size_t& at) {
  if (at >= octets.size()) return std::nullopt;
  const std::uint8_t first = octets[at++];
  if (tag == kSignatureTag && first == 0) {
    if (at >= octets.size()) return std::nullopt;
    return octets[at++];
  }
  if (first < 0x80) return first;
  const std::size_t count = first & 0x7f;
  if (count < 1 || count > 2 || octets.size() - at < count) return std::nullopt;
  std::size_t length = 0;
  for (std::size_t i = 0; i < count; ++i) length = length << 8 | octets[at++];
  return length;
}

}  // namespace

std::optional<std::vector<Tlv>> ParseTlvs(const Bytes& octets) {
  std::vector<Tlv> tlvs;
  for (std::size_t at = 0; at < octets.size();) {
    const std::uint8_t tag = octets[at++];
    const auto length = ReadLength(octets, tag, at);
    if (!length || octets.size() - at < *length) return std::nullopt;
    const auto begin = octets.begin() + static_cast<std::ptrdiff_t>(at);
    tlvs.push_back({tag, Bytes(begin, begin + static_cast<std::ptrdiff_t>(*length))});
    at += *length;
  }
  return tlvs;
}

const Bytes* FindTlv(const std::vector<Tlv>& tlvs, std::uint8_t tag) {
  for (const Tlv& tlv : tlvs) {
    if (tlv.tag == tag) return &tlv.value;
  }
  return nullptr;
}

void AppendTlv(Bytes& out, std::uint8_t tag, const Bytes& value) {
  out.push_back(tag);
  if (value.size() > 0xff) {
    out.insert(out.end(), {0x82, static_cast<std::uint8_t>(value.size() >> 8)});
  } else if (value.size() > 0x7f) {
    out.push_back(0x81);
  }
  out.push_back(static_cast<std::uint8_t>(value.size()));
  out.insert(out.end(), value.begin(), value.end());
}

Bytes ResponseApdu::Encode() const {
  Bytes out = data;
  const auto word = static_cast<std::uint16_t>(status);
  out.push_back(static_cast<std::uint8_t>(word >> 8));
  out.push_back(static_cast<std::uint8_t>(word));
  return out;
}

}  // namespace registry::sim
