// The instructions of GSMA IoT.05, one function each; GET DATA is in get_data.cc. Every octet of a command is judged
// before anything of it is kept: one that is refused leaves keys, sessions and files as they were.
#include <openssl/rand.h>
#include <openssl/sha.h>

#include <algorithm>

#include "simulators/euicc/applet.h"
#include "simulators/euicc/tags.h"

namespace registry::sim {
namespace {

constexpr std::uint8_t kPublicKeyData = 0x34, kSignature = 0x33;
constexpr std::uint8_t kFullText = 0x01, kPadAndSign = 0x03;
constexpr std::uint8_t kMoreBlocks = 0x00, kLastBlock = 0x80;
constexpr std::size_t kAnswerMax = 255, kTextMax = 4096;

// IoT.05 public key data: 34 45 (49 43 (86 41 04 X Y)).
Bytes PublicKeyData(const Bytes& point) {
  Bytes inner, middle, out;
  AppendTlv(inner, 0x86, point);
  AppendTlv(middle, 0x49, inner);
  AppendTlv(out, kPublicKeyData, middle);
  return out;
}

// The value of the only TLV that `octets` hold.
std::optional<Bytes> OnlyTlv(const Bytes& octets, std::uint8_t tag) {
  const auto tlvs = ParseTlvs(octets);
  if (!tlvs || tlvs->size() != 1 || tlvs->front().tag != tag) return std::nullopt;
  return tlvs->front().value;
}

// The point of public key data that is whole and holds nothing else.
std::optional<Bytes> PointOf(const std::vector<Tlv>& tlvs) {
  if (tlvs.size() != 1 || tlvs.front().tag != kPublicKeyData) return std::nullopt;
  const auto inner = OnlyTlv(tlvs.front().value, 0x49);
  auto point = inner ? OnlyTlv(*inner, 0x86) : std::nullopt;
  return point && P256Key::IsPoint(*point) ? point : std::nullopt;
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

ResponseApdu Applet::GenerateKeyPair(const Command& command, const Tlvs& tlvs) {
  if (command.p1 != 0 || command.p2 != 0) return StatusWord::kBadParameters;
  KeySlot* slot = FindKey(tlvs, kPrivateKeyId);
  if (slot == nullptr) return StatusWord::kNotFound;
  if ((slot->functions & kMayGenerate) == 0) return StatusWord::kConditions;
  auto pair = P256Key::Generate();
  if (!pair) return StatusWord::kOther;  // no randomness: the pair that is there stays
  slot->pair = std::move(pair);
  Bytes out;
  AppendTlv(out, kPrivateKeyId, *FindTlv(tlvs, kPrivateKeyId));
  AppendTlv(out, kPublicKeyId, *FindTlv(tlvs, kPrivateKeyId));
  const Bytes key = PublicKeyData(slot->pair->point());
  out.insert(out.end(), key.begin(), key.end());
  return out;
}

ResponseApdu Applet::SignInit(const Command& command, const Tlvs& tlvs) {
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

ResponseApdu Applet::SignUpdate(const Command& command, const Tlvs& tlvs) {
  const auto found = signing_.find(command.p2);
  if (found == signing_.end()) return StatusWord::kBadParameters;
  Signing& session = found->second;
  if (command.p1 != kLastBlock && command.p1 != kMoreBlocks) return StatusWord::kBadParameters;
  if (tlvs.size() != 1) return StatusWord::kBadData;  // of two texts, which is signed?
  if (session.mode == kPadAndSign) {
    if (command.p1 != kLastBlock) return StatusWord::kBadParameters;
    const Bytes* digest = FindTlv(tlvs, 0x9e);
    if (digest == nullptr || digest->size() != SHA256_DIGEST_LENGTH) return StatusWord::kBadData;
    return SignText(command, session, *digest);
  }
  const Bytes* text = FindTlv(tlvs, 0x9b);
  if (text == nullptr) return StatusWord::kBadData;
  if (text->size() > kTextMax - session.text.size()) return StatusWord::kNoMemory;
  session.text.insert(session.text.end(), text->begin(), text->end());
  if (command.p1 != kLastBlock) return StatusWord::kOk;
  ResponseApdu answer = SignText(command, session, Sha256(session.text));
  session.text.clear();
  return answer;
}

ResponseApdu Applet::SignText(const Command& command, const Signing& session, const Bytes& digest) const {
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

ResponseApdu Applet::ReadPublicKey(const Command&, const Tlvs& tlvs) {
  const KeySlot* slot = FindKey(tlvs, kPublicKeyId);
  if (slot == nullptr) return StatusWord::kNotFound;
  if (slot->pair) return PublicKeyData(slot->pair->point());
  return slot->peer_point.empty() ? ResponseApdu(StatusWord::kConditions)
                                  : ResponseApdu(PublicKeyData(slot->peer_point));
}

ResponseApdu Applet::PutKeyInit(const Command& command, const Tlvs& tlvs) {
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

// SP 800-56A §5.6.2.3.3: a foreign key is validated before it is kept, not when it is used. The session stays open, so that
// the host may send the right one.
ResponseApdu Applet::PutKeyUpdate(const Command& command, const Tlvs& tlvs) {
  const auto session = putting_.find(command.p2);
  if (session == putting_.end() || command.p1 != kLastBlock) return StatusWord::kBadParameters;
  const auto slot = memory_.keys.find(session->second);
  if (slot == memory_.keys.end()) return StatusWord::kNotFound;
  auto point = PointOf(tlvs);
  if (!point) return StatusWord::kBadData;
  slot->second.peer_point = std::move(*point);
  putting_.erase(session);
  return StatusWord::kOk;
}

ResponseApdu Applet::ComputeDh(const Command&, const Tlvs& tlvs) {
  const KeySlot* own = FindKey(tlvs, kPrivateKeyId);
  const KeySlot* peer = FindKey(tlvs, kPublicKeyId);
  if (own == nullptr || peer == nullptr) return StatusWord::kNotFound;
  if ((own->functions & kMayAgree) == 0 || !own->pair || peer->peer_point.empty())
    return StatusWord::kConditions;
  const auto shared = own->pair->Agree(peer->peer_point);
  return shared ? ResponseApdu(*shared) : ResponseApdu(StatusWord::kBadData);
}

ResponseApdu Applet::ReadFile(const Command& command, const Tlvs& tlvs) {
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

ResponseApdu Applet::GetRandom(const Command& command, const Tlvs&) {
  Bytes out(command.le == 0 ? kAnswerMax : command.le);
  return RAND_bytes(out.data(), static_cast<int>(out.size())) == 1 ? ResponseApdu(out)
                                                                   : ResponseApdu(StatusWord::kOther);
}

}  // namespace registry::sim
