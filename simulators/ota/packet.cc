#include "simulators/ota/packet.h"

#include <algorithm>
#include <limits>

#include "simulators/ota/cipher.h"

namespace registry::sim::ota {
namespace {

constexpr std::uint8_t kChecksumBits = 0x02;  // of 3, in both octets at their places
constexpr std::uint8_t kAes = 0x02;           // KIc and KID, low half: AES in CBC mode, AES in CMAC mode
constexpr std::size_t kCommandHead = 10;      // CPL to TAR
constexpr std::size_t kResponseHead = 6;      // RPL to TAR
constexpr std::size_t kCounterPart = 6;       // CNTR, PCNTR
constexpr std::uint8_t kResponseUserHeader[] = {0x02, 0x71, 0x00};

void AppendTo(Bytes& out, const Bytes& more) { out.insert(out.end(), more.begin(), more.end()); }

Bytes Part(const Bytes& octets, std::size_t from, std::size_t to) {
  return Bytes(octets.begin() + static_cast<std::ptrdiff_t>(from),
               octets.begin() + static_cast<std::ptrdiff_t>(to));
}

void AppendNumber(Bytes& out, std::uint64_t number, std::size_t octets) {
  for (std::size_t i = octets; i-- > 0;) out.push_back(static_cast<std::uint8_t>(number >> (8 * i)));
}

std::uint64_t NumberAt(const Bytes& octets, std::size_t at, std::size_t count) {
  std::uint64_t number = 0;
  for (std::size_t i = 0; i < count; ++i) number = number << 8 | octets[at + i];
  return number;
}

std::uint8_t Algorithm(const KeySet& keys) { return static_cast<std::uint8_t>(keys.version << 4 | kAes); }

std::size_t PaddingOf(std::size_t size) { return (kBlock - size % kBlock) % kBlock; }

// What a packet is made of; both kinds differ only in these.
struct Layer {
  Bytes head;             // of the octets, all before CNTR, with the length
  Bytes counted;          // CNTR, PCNTR, and the status of a response
  Bytes data;             // padded
  Bytes before_checksum;  // what is checked besides
};

std::optional<Bytes> Join(const Layer& layer, bool checksum, bool ciphered, const KeySet& keys) {
  Bytes inner = layer.counted;
  if (checksum) {
    Bytes over = layer.before_checksum;
    for (const Bytes* part : {&layer.head, &layer.counted, &layer.data}) AppendTo(over, *part);
    const auto sum = Checksum(keys.kid, over, keys.checksum_octets);
    if (!sum) return std::nullopt;
    AppendTo(inner, *sum);
  }
  AppendTo(inner, layer.data);
  if (ciphered) {
    auto secret = Encipher(keys.kic, inner);
    if (!secret) return std::nullopt;
    inner = std::move(*secret);
  }
  Bytes out = layer.head;
  AppendTo(out, inner);
  return out;
}

// `inner` is what stands behind the head, deciphered.
bool SumIsRight(const Bytes& head, const Bytes& inner, std::size_t counted, const Bytes& before,
                const KeySet& keys) {
  const std::size_t sum_end = counted + keys.checksum_octets;
  if (inner.size() < sum_end) return false;
  Bytes over = before;
  AppendTo(over, head);
  AppendTo(over, Part(inner, 0, counted));
  AppendTo(over, Part(inner, sum_end, inner.size()));
  const auto sum = Checksum(keys.kid, over, keys.checksum_octets);
  return sum && SameOctets(*sum, Part(inner, counted, sum_end));
}

bool AtLeast(const Spi& spi, const Spi& least) {
  return (spi.checksum || !least.checksum) && (spi.ciphered || !least.ciphered) &&
         spi.counter >= least.counter;
}

// What the octets behind TAR say, once they are deciphered and proved.
PacketStatus ReadInner(const Bytes& head, const Bytes& inner, const KeySet& keys, CommandPacket& packet) {
  const std::size_t sum = packet.spi.checksum ? keys.checksum_octets : 0;
  if (inner.size() < kCounterPart + sum) return PacketStatus::kSecurityError;
  if (packet.spi.checksum && !SumIsRight(head, inner, kCounterPart, {}, keys))
    return PacketStatus::kChecksumFailed;
  const std::size_t padding = inner[kCounterPart - 1];
  if (padding >= kBlock || (padding != 0 && !packet.spi.ciphered) ||
      padding > inner.size() - kCounterPart - sum) {
    return PacketStatus::kCipheringError;
  }
  packet.counter = NumberAt(inner, 0, kCounterPart - 1);
  packet.data = Part(inner, kCounterPart + sum, inner.size() - padding);
  return PacketStatus::kOk;
}

}  // namespace

std::array<std::uint8_t, 2> Spi::Encode() const {
  return {
      static_cast<std::uint8_t>((checksum ? kChecksumBits : 0) | (ciphered ? 0x04 : 0) |
                                static_cast<std::uint8_t>(counter) << 3),
      static_cast<std::uint8_t>(static_cast<std::uint8_t>(proof) | (proof_checksum ? kChecksumBits << 2 : 0) |
                                (proof_ciphered ? 0x10 : 0) | (proof_by_submit ? 0x20 : 0))};
}

std::optional<Spi> Spi::Decode(std::uint8_t first, std::uint8_t second) {
  const auto one_of = [](int bits) { return bits == 0 || bits == kChecksumBits; };
  if ((first & 0xe0) != 0 || (second & 0xc0) != 0 || (second & 0x03) == 0x03 || !one_of(first & 0x03) ||
      !one_of(second >> 2 & 0x03)) {
    return std::nullopt;
  }
  Spi spi;
  spi.checksum = (first & 0x03) != 0;
  spi.ciphered = (first & 0x04) != 0;
  spi.counter = static_cast<CounterRule>(first >> 3 & 0x03);
  spi.proof = static_cast<Proof>(second & 0x03);
  spi.proof_checksum = (second & 0x0c) != 0;
  spi.proof_ciphered = (second & 0x10) != 0;
  spi.proof_by_submit = (second & 0x20) != 0;
  return spi;
}

std::optional<Bytes> Seal(const CommandPacket& packet, const KeySet& keys) {
  const std::size_t sum = packet.spi.checksum ? keys.checksum_octets : 0;
  const std::size_t inner = kCounterPart + sum + packet.data.size();
  const std::size_t padding = packet.spi.ciphered ? PaddingOf(inner) : 0;
  const std::size_t length = kCommandHead - 2 + inner + padding;  // behind CPL
  if (packet.counter > kCounterMax || length > std::numeric_limits<std::uint16_t>::max()) return std::nullopt;
  const auto spi = packet.spi.Encode();
  Layer layer;
  AppendNumber(layer.head, length, 2);
  layer.head.push_back(static_cast<std::uint8_t>(13 + sum));  // SPI to the end of the checksum
  layer.head.insert(layer.head.end(), {spi[0], spi[1], Algorithm(keys), Algorithm(keys)});
  layer.head.insert(layer.head.end(), packet.tar.begin(), packet.tar.end());
  AppendNumber(layer.counted, packet.counter, 5);
  layer.counted.push_back(static_cast<std::uint8_t>(padding));
  layer.data = packet.data;
  layer.data.resize(layer.data.size() + padding);
  return Join(layer, packet.spi.checksum, packet.spi.ciphered, keys);
}

std::optional<OpenedCommand> Open(const Bytes& octets, const KeySet& keys, const Tar& tar, const Spi& least) {
  if (octets.size() < kCommandHead + kCounterPart || NumberAt(octets, 0, 2) != octets.size() - 2)
    return std::nullopt;
  OpenedCommand opened;
  std::copy_n(octets.begin() + 7, opened.packet.tar.size(), opened.packet.tar.begin());
  const auto refuse = [&](PacketStatus why) {
    opened.status = why;
    return opened;
  };
  const auto spi = Spi::Decode(octets[3], octets[4]);
  if (!spi) return refuse(PacketStatus::kSecurityError);
  opened.packet.spi = *spi;
  if (opened.packet.tar != tar) return refuse(PacketStatus::kTarUnknown);
  if (!AtLeast(*spi, least)) return refuse(PacketStatus::kSecurityTooLow);
  const std::size_t sum = spi->checksum ? keys.checksum_octets : 0;
  // TS 102 225 §5.1: which keys, and how long the header is, must be what both sides have agreed on.
  const bool agreed = octets[5] == Algorithm(keys) && octets[6] == Algorithm(keys) && octets[2] == 13 + sum;
  if (!agreed) return refuse(PacketStatus::kSecurityError);
  const Bytes head = Part(octets, 0, kCommandHead);
  Bytes inner = Part(octets, kCommandHead, octets.size());
  if (spi->ciphered) {
    auto plain = Decipher(keys.kic, inner);
    if (!plain) return refuse(PacketStatus::kCipheringError);
    inner = std::move(*plain);
  }
  return refuse(ReadInner(head, inner, keys, opened.packet));
}

std::optional<Bytes> SealResponse(const ResponsePacket& packet, const Spi& spi, const KeySet& keys) {
  const std::size_t sum = spi.proof_checksum ? keys.checksum_octets : 0;
  const std::size_t inner = kCounterPart + 1 + sum + packet.data.size();
  const std::size_t padding = spi.proof_ciphered ? PaddingOf(inner) : 0;
  const std::size_t length = kResponseHead - 2 + inner + padding;
  if (packet.counter > kCounterMax || length > std::numeric_limits<std::uint16_t>::max()) return std::nullopt;
  Layer layer;
  AppendNumber(layer.head, length, 2);
  layer.head.push_back(static_cast<std::uint8_t>(10 + sum));  // TAR to the end of the checksum
  layer.head.insert(layer.head.end(), packet.tar.begin(), packet.tar.end());
  AppendNumber(layer.counted, packet.counter, 5);
  layer.counted.push_back(static_cast<std::uint8_t>(padding));
  layer.counted.push_back(static_cast<std::uint8_t>(packet.status));
  layer.data = packet.data;
  layer.data.resize(layer.data.size() + padding);
  layer.before_checksum.assign(std::begin(kResponseUserHeader), std::end(kResponseUserHeader));
  return Join(layer, spi.proof_checksum, spi.proof_ciphered, keys);
}

std::optional<ResponsePacket> OpenResponse(const Bytes& octets, const Spi& spi, const KeySet& keys) {
  const std::size_t sum = spi.proof_checksum ? keys.checksum_octets : 0;
  constexpr std::size_t kCounted = kCounterPart + 1;
  if (octets.size() < kResponseHead + kCounted + sum || NumberAt(octets, 0, 2) != octets.size() - 2 ||
      octets[2] != 10 + sum) {
    return std::nullopt;
  }
  const Bytes head = Part(octets, 0, kResponseHead);
  Bytes inner = Part(octets, kResponseHead, octets.size());
  if (spi.proof_ciphered) {
    auto plain = Decipher(keys.kic, inner);
    if (!plain) return std::nullopt;
    inner = std::move(*plain);
  }
  const Bytes before(std::begin(kResponseUserHeader), std::end(kResponseUserHeader));
  if (sum != 0 && !SumIsRight(head, inner, kCounted, before, keys)) return std::nullopt;
  const std::size_t padding = inner[kCounterPart - 1];
  if (padding >= kBlock || (padding != 0 && !spi.proof_ciphered) || padding > inner.size() - kCounted - sum)
    return std::nullopt;
  ResponsePacket packet;
  std::copy_n(head.begin() + 3, packet.tar.size(), packet.tar.begin());
  packet.counter = NumberAt(inner, 0, 5);
  packet.status = static_cast<PacketStatus>(inner[kCounterPart]);
  packet.data = Part(inner, kCounted + sum, inner.size() - padding);
  return packet;
}

}  // namespace registry::sim::ota
