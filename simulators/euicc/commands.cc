// The instructions of GSMA IoT.05, one function each.
#include <openssl/rand.h>
#include <openssl/sha.h>

#include <algorithm>

#include "simulators/euicc/applet.h"

namespace registry::sim {
namespace {

constexpr std::uint8_t kPrivateKeyId = 0x84, kPublicKeyId = 0x85, kFileId = 0x83;
constexpr std::uint8_t kPublicKeyData = 0x34, kSignature = 0x33;
constexpr std::uint8_t kFullText = 0x01, kPadAndSign = 0x03;
constexpr std::uint8_t kLastBlock = 0x80, kSessionsMax = 8;
constexpr std::size_t kAnswerMax = 255, kPointSize = 65;

// IoT.05 public key data: 34 45 (49 43 (86 41 04 X Y)).
Bytes PublicKeyData(const Bytes& point) {
  Bytes inner, middle, out;
  AppendTlv(inner, 0x86, point);
  AppendTlv(middle, 0x49, inner);
  AppendTlv(out, kPublicKeyData, middle);
  return out;
}

const Bytes* PointOf(const std::vector<Tlv>& tlvs, Bytes& room) {
  const Bytes* outer = FindTlv(tlvs, kPublicKeyData);
  if (outer == nullptr) return nullptr;
  const auto middle = ParseTlvs(*outer);
  const Bytes* wrapped = middle ? FindTlv(*middle, 0x49) : nullptr;
  const auto inner = wrapped != nullptr ? ParseTlvs(*wrapped) : std::nullopt;
  const Bytes* point = inner ? FindTlv(*inner, 0x86) : nullptr;
  if (point == nullptr || point->size() != kPointSize || point->front() != 0x04) return nullptr;
  room = *point;
  return &room;
}

Bytes Sha256(const Bytes& text) {
  Bytes digest(SHA256_DIGEST_LENGTH);
  SHA256(text.data(), text.size(), digest.data());
  return digest;
}

bool Is(const Bytes* value, std::initializer_list<std::uint8_t> octets) {
  return value != nullptr && std::equal(value->begin(), value->end(), octets.begin(), octets.end());
}

}  // namespace

const std::vector<Applet::Instruction>& Applet::Instructions() {
  static const std::vector<Instruction> table = {
      {0xb9, &Applet::GenerateKeyPair}, {0x2a, &Applet::SignInit},   {0x2b, &Applet::SignUpdate},
      {0xcd, &Applet::ReadPublicKey},   {0x24, &Applet::PutKeyInit}, {0xd8, &Applet::PutKeyUpdate},
      {0x46, &Applet::ComputeDh},       {0xb0, &Applet::ReadFile},   {0xcb, &Applet::GetData},
      {0x84, &Applet::GetRandom},
  };
  return table;
}

KeySlot* Applet::FindKey(const Tlvs& tlvs, std::uint8_t tag) {
  const Bytes* id = FindTlv(tlvs, tag);
  const auto found = id != nullptr ? memory_.keys.find(*id) : memory_.keys.end();
  return found == memory_.keys.end() ? nullptr : &found->second;
}

Answer Applet::GenerateKeyPair(const Command& command, const Tlvs& tlvs) {
  if (command.p1 != 0 || command.p2 != 0) return StatusWord::kBadParameters;
  KeySlot* slot = FindKey(tlvs, kPrivateKeyId);
  if (slot == nullptr) return StatusWord::kNotFound;
  if ((slot->functions & kMayGenerate) == 0) return StatusWord::kConditions;
  slot->pair = P256Key::Generate();
  if (!slot->pair) return StatusWord::kOther;
  Bytes out;
  AppendTlv(out, kPrivateKeyId, *FindTlv(tlvs, kPrivateKeyId));
  AppendTlv(out, kPublicKeyId, *FindTlv(tlvs, kPrivateKeyId));
  const Bytes key = PublicKeyData(slot->pair->point());
  out.insert(out.end(), key.begin(), key.end());
  return out;
}

Answer Applet::SignInit(const Command& command, const Tlvs& tlvs) {
  if (command.p2 >= kSessionsMax || command.p1 > 1) return StatusWord::kBadParameters;
  if (command.p1 == 1) {
    return signing_.erase(command.p2) != 0 ? StatusWord::kOk : StatusWord::kBadParameters;
  }
  const KeySlot* slot = FindKey(tlvs, kPrivateKeyId);
  if (slot == nullptr) return StatusWord::kNotFound;
  if ((slot->functions & kMaySign) == 0 || !slot->pair) return StatusWord::kConditions;
  const Bytes* mode = FindTlv(tlvs, 0xa1);
  if (!Is(mode, {kFullText}) && !Is(mode, {kPadAndSign})) return StatusWord::kBadData;
  if (!Is(FindTlv(tlvs, 0x91), {0x00, 0x01})) return StatusWord::kBadData;  // SHA-256
  if (!Is(FindTlv(tlvs, 0x92), {0x04})) return StatusWord::kBadData;        // ECDSA
  // An open session of that number is begun anew: a host that died half-way must not wedge the card.
  signing_[command.p2] = Signing{*FindTlv(tlvs, kPrivateKeyId), mode->front(), {}};
  return StatusWord::kOk;
}

Answer Applet::SignUpdate(const Command& command, const Tlvs& tlvs) {
  const auto found = signing_.find(command.p2);
  if (found == signing_.end()) return StatusWord::kBadParameters;
  Signing& session = found->second;
  if (session.mode == kPadAndSign) {
    const Bytes* digest = FindTlv(tlvs, 0x9e);
    if (digest == nullptr || digest->size() != SHA256_DIGEST_LENGTH) return StatusWord::kBadData;
    return SignText(command, session, *digest);
  }
  const Bytes* text = FindTlv(tlvs, 0x9b);
  if (text == nullptr) return StatusWord::kBadData;
  session.text.insert(session.text.end(), text->begin(), text->end());
  if (command.p1 != kLastBlock) return StatusWord::kOk;
  Answer answer = SignText(command, session, Sha256(session.text));
  session.text.clear();
  return answer;
}

Answer Applet::SignText(const Command& command, const Signing& session, const Bytes& digest) const {
  const auto slot = memory_.keys.find(session.key);
  if (slot == memory_.keys.end() || !slot->second.pair) return StatusWord::kConditions;
  const auto signature = slot->second.pair->Sign(digest);
  if (!signature) return StatusWord::kOther;
  Bytes out = {kSignature};
  if (command.proprietary_class())
    out.push_back(0x00);  // stacks that set CLA bit 8 expect a two-octet length
  out.push_back(static_cast<std::uint8_t>(signature->size()));
  out.insert(out.end(), signature->begin(), signature->end());
  return out;
}

Answer Applet::ReadPublicKey(const Command&, const Tlvs& tlvs) {
  const KeySlot* slot = FindKey(tlvs, kPublicKeyId);
  if (slot == nullptr) return StatusWord::kNotFound;
  if (slot->pair) return PublicKeyData(slot->pair->point());
  return slot->peer_point.empty() ? Answer(StatusWord::kConditions) : Answer(PublicKeyData(slot->peer_point));
}

Answer Applet::PutKeyInit(const Command& command, const Tlvs& tlvs) {
  if (command.p2 >= kSessionsMax || command.p1 > 1) return StatusWord::kBadParameters;
  if (command.p1 == 1) {
    return putting_.erase(command.p2) != 0 ? StatusWord::kOk : StatusWord::kBadParameters;
  }
  const KeySlot* slot = FindKey(tlvs, kPublicKeyId);
  if (slot == nullptr) return StatusWord::kNotFound;
  if (slot->functions != kMayAgree || slot->pair)
    return StatusWord::kConditions;  // only a peer slot is writable
  putting_[command.p2] = *FindTlv(tlvs, kPublicKeyId);
  return StatusWord::kOk;
}

Answer Applet::PutKeyUpdate(const Command& command, const Tlvs& tlvs) {
  const auto session = putting_.find(command.p2);
  if (session == putting_.end() || command.p1 != kLastBlock) return StatusWord::kBadParameters;
  Bytes point;
  if (PointOf(tlvs, point) == nullptr) return StatusWord::kBadData;
  memory_.keys.at(session->second).peer_point = point;
  putting_.erase(session);
  return StatusWord::kOk;
}

Answer Applet::ComputeDh(const Command&, const Tlvs& tlvs) {
  const KeySlot* own = FindKey(tlvs, kPrivateKeyId);
  const KeySlot* peer = FindKey(tlvs, kPublicKeyId);
  if (own == nullptr || peer == nullptr) return StatusWord::kNotFound;
  if ((own->functions & kMayAgree) == 0 || !own->pair || peer->peer_point.empty())
    return StatusWord::kConditions;
  const auto shared = own->pair->Agree(peer->peer_point);
  return shared ? Answer(*shared) : Answer(StatusWord::kBadData);
}

Answer Applet::ReadFile(const Command& command, const Tlvs& tlvs) {
  if (remote_) return StatusWord::kInvalidated;
  const Bytes* id = FindTlv(tlvs, kFileId);
  const auto file = id != nullptr ? memory_.files.find(*id) : memory_.files.end();
  if (file == memory_.files.end()) return StatusWord::kNotFound;
  const std::size_t offset = static_cast<std::size_t>(command.p1) << 8 | command.p2;
  if (offset >= file->second.size()) return StatusWord::kBadParameters;
  const std::size_t wanted = command.le == 0 ? kAnswerMax : command.le;
  const std::size_t size = std::min(wanted, file->second.size() - offset);
  const auto begin = file->second.begin() + static_cast<std::ptrdiff_t>(offset);
  return Bytes(begin, begin + static_cast<std::ptrdiff_t>(size));
}

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

Bytes Applet::ObjectList() const {
  Bytes out;
  for (const auto& [id, slot] : memory_.keys) {
    if (HasPrivatePart(slot)) AppendKeyObject(out, kPrivateKeys, id, slot);
    AppendKeyObject(out, kPublicKeys, id, slot);
  }
  for (const auto& [id, content] : memory_.files) AppendFileObject(out, id, content.size());
  return out;
}

Answer Applet::GetData(const Command& command, const Tlvs& tlvs) {
  if (command.p1 == 0x00 && command.p2 == 0x00) return Application();
  if (command.p1 == 0x01) return ObjectList();
  if (command.p1 != kPrivateKeys && command.p1 != kPublicKeys && command.p1 != kFiles)
    return StatusWord::kBadParameters;
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

Answer Applet::GetRandom(const Command& command, const Tlvs&) {
  Bytes out(command.le == 0 ? kAnswerMax : command.le);
  return RAND_bytes(out.data(), static_cast<int>(out.size())) == 1 ? Answer(out) : Answer(StatusWord::kOther);
}

}  // namespace registry::sim
