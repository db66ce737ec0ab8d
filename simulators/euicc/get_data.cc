// GET DATA of GSMA IoT.05: what the applet is, what it holds, one object of it.
#include <algorithm>

#include "simulators/euicc/applet.h"
#include "simulators/euicc/tags.h"

namespace registry::sim {
namespace {

// IoT.05 C3: 83 id, 60 access (read), 4A state, 20 size.
void AppendFileObject(Bytes& out, const Bytes& id, std::size_t size) {
  Bytes body;
  AppendTlv(body, kFileId, id);
  AppendTlv(body, 0x60, {0x01});
  AppendTlv(body, 0x4a, {0x01});
  AppendTlv(body, 0x20, {static_cast<std::uint8_t>(size >> 8), static_cast<std::uint8_t>(size)});
  AppendTlv(out, 0xc3, body);
}

constexpr std::uint8_t kFromTheStart = 0x00, kContinue = 0x01;
// The widest answer every client's buffer takes, status word included, with room to spare; one structure is 39 at most.
constexpr std::size_t kListPartMax = 240;
constexpr std::uint8_t kPrivateKeys = 0xc1, kPublicKeys = 0xc2, kFiles = 0xc3;

bool HasPrivatePart(const KeySlot& slot) { return slot.pair || slot.functions != kMayAgree; }

// IoT.05 C1 (private keys) and C2 (public keys): id, 60 access, 4A state, 4B type secp256r1 persistent, 4E usage, 61
// functions. A pair is described by both, under the same id.
void AppendKeyObject(Bytes& out, std::uint8_t structure, const Bytes& id, const KeySlot& slot) {
  Bytes body;
  const bool is_private = structure == kPrivateKeys;
  const std::uint8_t access = is_private ? 0x00 : HasPrivatePart(slot) ? 0x01 : 0x03;
  AppendTlv(body, is_private ? kPrivateKeyId : kPublicKeyId, id);
  AppendTlv(body, 0x60, {access});
  AppendTlv(body, 0x4a, {static_cast<std::uint8_t>(slot.pair || !slot.peer_point.empty() ? 0x01 : 0x00)});
  AppendTlv(body, 0x4b, {0x13});
  AppendTlv(body, 0x4e, {0x01});
  AppendTlv(body, 0x61, {slot.functions});
  AppendTlv(out, structure, body);
}

std::uint8_t Count(std::size_t number) {
  return static_cast<std::uint8_t>(std::min<std::size_t>(number, 0xff));
}

}  // namespace

// IoT.05: what the applet is and can; everything one octet but the AID and the hash functions.
Bytes Applet::Application() const {
  const auto private_keys = static_cast<std::size_t>(std::count_if(
      memory_.keys.begin(), memory_.keys.end(), [](const auto& key) { return HasPrivatePart(key.second); }));
  Bytes out;
  AppendTlv(out, 0x10, {0x01});  // version
  AppendTlv(out, 0x11, Bytes(kGsmaAid.begin(), kGsmaAid.end()));
  AppendTlv(out, 0xb1, {Count(memory_.files.size())});
  AppendTlv(out, 0xb2, {Count(private_keys)});
  AppendTlv(out, 0xb3, {Count(memory_.keys.size())});  // public keys: of every pair, and peers'
  AppendTlv(out, 0xb4, {0x00});                        // secrets
  AppendTlv(out, 0x90, {kMaySign | kMayGenerate | kMayAgree});
  AppendTlv(out, 0x91, {0x00, 0x01});  // SHA-256
  AppendTlv(out, 0x92, {0x04});        // ECDSA
  AppendTlv(out, 0x93, {0x01});        // ECKA
  AppendTlv(out, 0x94, {0x00});        // no key derivation
  AppendTlv(out, 0xb7, {kSessionsMax});
  return out;
}

std::deque<Bytes> Applet::Objects() const {
  std::deque<Bytes> objects;
  for (const auto& [id, slot] : memory_.keys) {
    if (HasPrivatePart(slot)) AppendKeyObject(objects.emplace_back(), kPrivateKeys, id, slot);
    AppendKeyObject(objects.emplace_back(), kPublicKeys, id, slot);
  }
  for (const auto& [id, content] : memory_.files)
    AppendFileObject(objects.emplace_back(), id, content.size());
  return objects;
}

// In whole structures. What is to come is what was there at the beginning, so that a card written to meanwhile gives no
// list with holes.
ResponseApdu Applet::ObjectList(const Command& command) {
  std::optional<std::deque<Bytes>>& listing = listing_[command.channel()];
  if (command.p2 == kFromTheStart) {
    listing = Objects();
  } else if (command.p2 != kContinue || !listing) {
    return StatusWord::kBadParameters;
  }
  Bytes part;
  while (!listing->empty() && part.size() + listing->front().size() <= kListPartMax) {
    part.insert(part.end(), listing->front().begin(), listing->front().end());
    listing->pop_front();
  }
  if (!listing->empty()) return {StatusWord::kMoreData, std::move(part)};
  listing.reset();
  return part;
}

ResponseApdu Applet::GetData(const Command& command, const Tlvs& tlvs) {
  if (command.p1 == 0x00 && command.p2 == 0x00) return Application();
  if (command.p1 == 0x01) return ObjectList(command);
  if (command.p1 != kPrivateKeys && command.p1 != kPublicKeys && command.p1 != kFiles)
    return StatusWord::kBadParameters;
  if (command.p2 != 0x00) return StatusWord::kBadParameters;
  const std::uint8_t tag = command.p1 == kFiles         ? kFileId
                           : command.p1 == kPrivateKeys ? kPrivateKeyId
                                                        : kPublicKeyId;
  const Bytes* id = FindTlv(tlvs, tag);
  if (id == nullptr) return StatusWord::kBadData;
  Bytes out;
  if (command.p1 == kFiles) {
    const auto file = memory_.files.find(*id);
    if (file == memory_.files.end()) return StatusWord::kNotFound;
    AppendFileObject(out, *id, file->second.size());
    return out;
  }
  const auto key = memory_.keys.find(*id);
  const bool there = key != memory_.keys.end() && (command.p1 == kPublicKeys || HasPrivatePart(key->second));
  if (!there) return StatusWord::kNotFound;
  AppendKeyObject(out, command.p1, *id, key->second);
  return out;
}

}  // namespace registry::sim
