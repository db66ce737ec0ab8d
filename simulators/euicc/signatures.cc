// GSMA IoT.05: COMPUTE SIGNATURE and VERIFY SIGNATURE, with a P-256 pair in three modes; and, as Thales's cards have it,
// AES-CMAC with a secret. Every octet of a command is judged before anything of it is kept.
#include <algorithm>

#include "simulators/euicc/applet.h"
#include "simulators/euicc/tags.h"

namespace registry::sim {
namespace {

constexpr std::uint8_t kFullText = 0x01, kLastBlockMode = 0x02, kPadAndSign = 0x03;
constexpr std::uint8_t kText = 0x9b, kLastBlockText = 0x9a, kIntermediateHash = 0x9c, kHashedOctets = 0x9d,
                       kFinalHash = 0x9e, kMacText = 0x9f;
constexpr std::uint8_t kOpenSession = 0x00, kCloseSession = 0x01;
constexpr std::uint8_t kMoreText = 0x00, kLastText = 0x80;
constexpr std::size_t kTextMax = 4096, kLastBlockMax = 0x80, kRawSignature = 64;

bool Is(const Bytes* value, std::uint8_t octet) {
  return value != nullptr && value->size() == 1 && value->front() == octet;
}

StatusWord Close(Sessions& sessions, std::uint8_t number) {
  return sessions.erase(number) != 0 ? StatusWord::kOk : StatusWord::kBadParameters;
}

// Mode, hash function and algorithm of an ECDSA session; nullopt when the card has no such combination.
std::optional<SignatureSession> SchemeOf(const std::vector<Tlv>& tlvs) {
  SignatureSession session;
  const Bytes* mode = FindTlv(tlvs, kSignatureMode);
  if (mode == nullptr || mode->size() != 1) return std::nullopt;
  session.mode = mode->front();
  if (session.mode < kFullText || session.mode > kPadAndSign) return std::nullopt;
  const Bytes* function = FindTlv(tlvs, kHashFunction);
  const auto hash = function != nullptr ? HashOf(*function) : std::nullopt;
  if (!hash || !Is(FindTlv(tlvs, kSignatureAlgorithm), kEcdsa)) return std::nullopt;
  session.hash = *hash;
  session.algorithm = kEcdsa;
  return session;
}

// What a block says: more text, or the digest to be signed or verified.
struct Block {
  StatusWord status = StatusWord::kOk;
  Bytes text;
  std::optional<Bytes> digest = {};
};

// A text in parts (mode 01, and of a MAC). Of two texts in one block, which would be signed?
Block TextBlock(const SignatureSession& session, const std::vector<Tlv>& tlvs, std::uint8_t tag) {
  const Bytes* text = FindTlv(tlvs, tag);
  if (text == nullptr || tlvs.size() != 1) return {StatusWord::kBadData, {}};
  if (text->size() > kTextMax - session.text.size()) return {StatusWord::kNoMemory, {}};
  Block block{StatusWord::kOk, session.text};
  block.text.insert(block.text.end(), text->begin(), text->end());
  return block;
}

// Mode 02: the host has hashed all but the end itself.
Block LastBlock(const SignatureSession& session, const std::vector<Tlv>& tlvs) {
  const Bytes* rest = FindTlv(tlvs, kLastBlockText);
  const Bytes* state = FindTlv(tlvs, kIntermediateHash);
  const Bytes* count = FindTlv(tlvs, kHashedOctets);
  if (tlvs.size() != 3 || rest == nullptr || state == nullptr || count == nullptr || count->size() != 4 ||
      rest->size() > kLastBlockMax) {
    return {StatusWord::kBadData, {}};
  }
  std::uint32_t hashed = 0;
  for (const std::uint8_t octet : *count) hashed = hashed << 8 | octet;
  auto digest = FinishDigest(session.hash, *state, hashed, *rest);
  return digest ? Block{StatusWord::kOk, {}, std::move(digest)} : Block{StatusWord::kBadData, {}};
}

Block BlockOf(const SignatureSession& session, std::uint8_t p1, const std::vector<Tlv>& tlvs) {
  if (p1 != kLastText && (p1 != kMoreText || session.mode != kFullText))
    return {StatusWord::kBadParameters, {}};
  if (session.mode == kLastBlockMode) return LastBlock(session, tlvs);
  if (session.mode == kPadAndSign) {
    const Bytes* digest = FindTlv(tlvs, kFinalHash);
    if (tlvs.size() != 1 || digest == nullptr || digest->size() != DigestSize(session.hash))
      return {StatusWord::kBadData, {}};
    return {StatusWord::kOk, {}, *digest};
  }
  Block block = TextBlock(session, tlvs, kText);
  if (block.status == StatusWord::kOk && p1 == kLastText)
    block = {StatusWord::kOk, {}, Digest(session.hash, block.text)};
  return block;
}

// 33 len value: the length in two octets for stacks that set CLA bit 8, which expect it so.
Bytes SignatureData(const Command& command, const Bytes& value) {
  Bytes out = {kSignature};
  if (command.proprietary_class()) out.push_back(0x00);
  out.push_back(static_cast<std::uint8_t>(value.size()));
  out.insert(out.end(), value.begin(), value.end());
  return out;
}

}  // namespace

ResponseApdu Applet::SignInit(const Request& request) {
  const Command& command = request.command;
  if (command.p2 >= kSessionsMax || command.p1 > kCloseSession) return StatusWord::kBadParameters;
  if (command.p1 != kOpenSession) return Close(request.channel.signing, command.p2);
  if (FindTlv(request.tlvs, kSecretId) != nullptr || FindTlv(request.tlvs, kSecretLabel) != nullptr)
    return MacInit(request);
  const auto found = PrivateKey(request.tlvs);
  return Begin(request, found, found.object != nullptr && found.object->pair, request.channel.signing);
}

ResponseApdu Applet::Begin(const Request& request, const Named<KeySlot>& found, bool has_key,
                           Sessions& sessions) {
  if (found.object == nullptr) return found.status;
  const KeySlot& slot = *found.object;
  if ((slot.functions & kMaySign) == 0 || !has_key || !slot.head.active) return StatusWord::kConditions;
  auto session = SchemeOf(request.tlvs);
  if (!session) return StatusWord::kBadData;
  session->object = *found.id;
  session->touched = slot.head.touched;
  // An open session of that number is begun anew: a host that died half-way must not wedge the card.
  sessions[request.command.p2] = std::move(*session);
  return StatusWord::kOk;
}

ResponseApdu Applet::SignUpdate(const Request& request) {
  const Command& command = request.command;
  const auto found = request.channel.signing.find(command.p2);
  if (found == request.channel.signing.end()) return StatusWord::kBadParameters;
  SignatureSession& session = found->second;
  if (session.algorithm == kAesCmac) return MacUpdate(request, session);
  Block block = BlockOf(session, command.p1, request.tlvs);
  if (block.status != StatusWord::kOk) return block.status;
  if (block.digest) return SignDigest(request, session, *block.digest);
  session.text = std::move(block.text);
  return StatusWord::kOk;
}

ResponseApdu Applet::SignDigest(const Request& request, const SignatureSession& session,
                                const Bytes& digest) {
  const auto slot = memory_.keys.find(session.object);
  if (slot == memory_.keys.end() || slot->second.head.touched != session.touched)
    return StatusWord::kTouchedMeanwhile;
  if (!slot->second.pair) return StatusWord::kConditions;
  const auto signature = slot->second.pair->Sign(digest);
  if (!signature) return StatusWord::kOther;
  request.channel.signing.at(request.command.p2).text.clear();
  return SignatureData(request.command, *signature);
}

ResponseApdu Applet::MacInit(const Request& request) {
  const auto found = SecretOf(request.tlvs);
  if (found.object == nullptr) return found.status;
  const Secret& secret = *found.object;
  if ((secret.functions & kMaySign) == 0 || secret.type != kAesSecret || !secret.head.active)
    return StatusWord::kConditions;
  if (!Is(FindTlv(request.tlvs, kSignatureMode), kFullText) ||
      !Is(FindTlv(request.tlvs, kSignatureAlgorithm), kAesCmac)) {
    return StatusWord::kBadData;
  }
  SignatureSession session;
  session.object = *found.id;
  session.mode = kFullText;
  session.algorithm = kAesCmac;
  session.touched = secret.head.touched;
  request.channel.signing[request.command.p2] = std::move(session);
  return StatusWord::kOk;
}

ResponseApdu Applet::MacUpdate(const Request& request, SignatureSession& session) {
  const std::uint8_t p1 = request.command.p1;
  if (p1 != kLastText && p1 != kMoreText) return StatusWord::kBadParameters;
  Block block = TextBlock(session, request.tlvs, kMacText);
  if (block.status != StatusWord::kOk) return block.status;
  const auto secret = memory_.secrets.find(session.object);
  if (secret == memory_.secrets.end() || secret->second.head.touched != session.touched)
    return StatusWord::kTouchedMeanwhile;
  if (p1 == kMoreText) {
    session.text = std::move(block.text);
    return StatusWord::kOk;
  }
  const auto mac = AesCmac(secret->second.value, block.text);
  if (!mac) return StatusWord::kOther;
  session.text.clear();
  return SignatureData(request.command, *mac);
}

ResponseApdu Applet::VerifyInit(const Request& request) {
  const Command& command = request.command;
  if (command.p2 >= kSessionsMax || command.p1 > kCloseSession) return StatusWord::kBadParameters;
  if (command.p1 != kOpenSession) return Close(request.channel.verifying, command.p2);
  const auto found = PublicKey(request.tlvs);
  return Begin(request, found, found.object != nullptr && !found.object->point().empty(),
               request.channel.verifying);
}

// The last block brings the signature behind what was signed.
ResponseApdu Applet::VerifyUpdate(const Request& request) {
  const Command& command = request.command;
  const auto found = request.channel.verifying.find(command.p2);
  if (found == request.channel.verifying.end()) return StatusWord::kBadParameters;
  SignatureSession& session = found->second;
  Tlvs tlvs = request.tlvs;
  Bytes signature;
  if (command.p1 == kLastText) {
    if (tlvs.empty() || tlvs.back().tag != kSignature || tlvs.back().value.size() != kRawSignature)
      return StatusWord::kBadData;
    signature = std::move(tlvs.back().value);
    tlvs.pop_back();
  }
  Block block = BlockOf(session, command.p1, tlvs);
  if (block.status != StatusWord::kOk) return block.status;
  if (!block.digest) {
    session.text = std::move(block.text);
    return StatusWord::kOk;
  }
  const auto slot = memory_.keys.find(session.object);
  if (slot == memory_.keys.end() || slot->second.head.touched != session.touched)
    return StatusWord::kTouchedMeanwhile;
  session.text.clear();
  return P256Key::Verifies(slot->second.point(), *block.digest, signature) ? StatusWord::kOk
                                                                           : StatusWord::kSignatureMismatch;
}

}  // namespace registry::sim
