// GET DATA of GSMA IoT.05: what the applet is, what it holds, one object of it. Never a private key's or a secret's octets.
#include <algorithm>

#include "simulators/euicc/applet.h"
#include "simulators/euicc/tags.h"

namespace registry::sim {
namespace {

constexpr std::uint8_t kFromTheStart = 0x00, kContinue = 0x01;
// The widest answer every client's buffer takes, status word included, with room to spare; one structure is 111 at most.
constexpr std::size_t kListPartMax = 240;
constexpr std::uint8_t kPrivateKeys = 0xc1, kPublicKeys = 0xc2, kFiles = 0xc3, kSecrets = 0xc4;
constexpr std::uint8_t kReadRight = 0x01, kUpdateRight = 0x02;
constexpr std::uint8_t kPersistentP256 = 0x13, kVolatileP256 = 0x14;
constexpr std::uint8_t kGeneralUsage = 0x01, kEcka = 0x01;
constexpr std::uint8_t kAllHashes = 0x07;   // SHA-256, SHA-384, SHA-512
constexpr std::uint8_t kPrfAndHkdf = 0x03;  // tag 94
constexpr std::uint8_t kKeyAgreement = 0x6f, kKeyDerivation = 0x94;

void AppendOctet(Bytes& out, std::uint8_t tag, std::uint8_t value) { AppendTlv(out, tag, {value}); }

// Tag 4A: 01 active; 00 empty, or not active.
void AppendHead(Bytes& out, const ObjectHead& head, std::uint8_t label_tag, std::uint8_t id_tag,
                const Bytes& id) {
  if (!head.label.empty()) AppendTlv(out, label_tag, AsBytes(head.label));
  AppendTlv(out, id_tag, id);
}

// IoT.05 C3: [73], 83 id, 60 access, 4A state, 20 size, [21 usage]. IoT.05 has 21 before 20, but Orange's library finds the
// size only behind the state, and all others search by tag.
void AppendFileObject(Bytes& out, const Bytes& id, const File& file) {
  Bytes body;
  AppendHead(body, file.head, kFileLabel, kFileId, id);
  AppendOctet(body, kAccess, file.head.readable ? kReadRight : 0x00);
  AppendOctet(body, kState, file.head.active ? 0x01 : 0x00);
  const std::size_t size = file.content.size();
  AppendTlv(body, kFileSize, {static_cast<std::uint8_t>(size >> 8), static_cast<std::uint8_t>(size)});
  if (file.usage != 0) AppendOctet(body, kFileUsage, file.usage);
  AppendTlv(out, kFiles, body);
}

// IoT.05 C1 (private keys) and C2 (public keys): [label], id, 60 access, 4A state, 4B type secp256r1, 4E usage, 61
// functions, [92 ECDSA, 91 hash functions], [6F ECKA]. A pair is described by both, under the same id.
void AppendKeyObject(Bytes& out, std::uint8_t structure, const Bytes& id, const KeySlot& slot,
                     const Habits& habits) {
  const bool is_private = structure == kPrivateKeys, empty = slot.point().empty();
  const std::uint8_t read = slot.head.readable ? kReadRight : 0x00;
  const std::uint8_t update = slot.foreign ? kUpdateRight : 0x00;
  Bytes body;
  AppendHead(body, slot.head, is_private ? kPrivateKeyLabel : kPublicKeyLabel,
             is_private ? kPrivateKeyId : kPublicKeyId, id);
  AppendOctet(body, kAccess, is_private ? 0x00 : static_cast<std::uint8_t>(read | update));
  AppendOctet(body, kState, !empty && slot.head.active ? 0x01 : 0x00);
  AppendOctet(body, kType,
              slot.ephemeral || (empty && habits.empty_is_volatile) ? kVolatileP256 : kPersistentP256);
  AppendOctet(body, kUsage, kGeneralUsage);
  AppendOctet(body, kFunctions, slot.functions);
  if ((slot.functions & kMaySign) != 0) {
    AppendOctet(body, kSignatureAlgorithm, kEcdsa);
    AppendTlv(body, kHashFunction, {0x00, kAllHashes});
  }
  if ((slot.functions & kMayAgree) != 0) AppendOctet(body, kKeyAgreement, kEcka);
  AppendTlv(out, structure, body);
}

// IoT.05 C4: [76], 86 id, 60 access (none), 4A state, 4B type, 61 functions, [94 derivation]; of an AES secret, which is
// Thales's extension, 92 AES-CMAC: by this tag their PKCS#11 module knows it.
void AppendSecretObject(Bytes& out, const Bytes& id, const Secret& secret) {
  Bytes body;
  AppendHead(body, secret.head, kSecretLabel, kSecretId, id);
  AppendOctet(body, kAccess, 0x00);
  AppendOctet(body, kState, !secret.value.empty() && secret.head.active ? 0x01 : 0x00);
  AppendOctet(body, kType, secret.type);
  AppendOctet(body, kFunctions, secret.functions);
  if (secret.type == kAesSecret && (secret.functions & kMaySign) != 0)
    AppendOctet(body, kSignatureAlgorithm, kAesCmac);
  if ((secret.functions & kMayDerive) != 0) AppendOctet(body, kKeyDerivation, 0x01);
  AppendTlv(out, kSecrets, body);
}

std::uint8_t Count(std::size_t number) {
  return static_cast<std::uint8_t>(std::min<std::size_t>(number, 0xff));
}

}  // namespace

// IoT.05: what the applet is and can; everything one octet but the AID and the hash functions.
Bytes Applet::Application(const AppletName& name) const {
  const auto pairs = std::count_if(memory_.keys.begin(), memory_.keys.end(),
                                   [](const auto& key) { return !key.second.foreign; });
  const bool macs = std::any_of(memory_.secrets.begin(), memory_.secrets.end(),
                                [](const auto& secret) { return secret.second.type == kAesSecret; });
  const bool shortened = layout_.habits.short_application;
  Bytes out;
  AppendOctet(out, 0x10, 0x01);  // version
  AppendTlv(out, 0x11, name.aid);
  if (shortened) ++out[out.size() - name.aid.size() - 1];
  AppendOctet(out, 0xb1, Count(memory_.files.size()));
  AppendOctet(out, 0xb2, Count(static_cast<std::size_t>(pairs)));  // private keys
  AppendOctet(out, 0xb3, Count(memory_.keys.size()));              // public keys: of every pair, and peers'
  AppendOctet(out, 0xb4, Count(memory_.secrets.size()));
  AppendOctet(out, 0x90, kMaySign | kMayGenerate | kMayAgree | kMayDerive);
  AppendTlv(out, kHashFunction, shortened ? Bytes{kAllHashes} : Bytes{0x00, kAllHashes});
  AppendOctet(out, kSignatureAlgorithm, macs ? kEcdsa | kAesCmac : kEcdsa);
  AppendOctet(out, 0x93, kEcka);
  AppendOctet(out, kKeyDerivation, kPrfAndHkdf);
  AppendOctet(out, 0xb7, kSessionsMax);
  return out;
}

std::deque<Bytes> Applet::Descriptions() const {
  std::deque<Bytes> structures;
  for (const auto& [id, slot] : memory_.keys) {
    if (!slot.foreign) AppendKeyObject(structures.emplace_back(), kPrivateKeys, id, slot, layout_.habits);
    AppendKeyObject(structures.emplace_back(), kPublicKeys, id, slot, layout_.habits);
  }
  for (const auto& [id, file] : memory_.files) AppendFileObject(structures.emplace_back(), id, file);
  for (const auto& [id, secret] : memory_.secrets) AppendSecretObject(structures.emplace_back(), id, secret);
  return structures;
}

// In whole structures. What is to come is what was there at the beginning, so that a card written to meanwhile gives no
// list with holes.
ResponseApdu Applet::ObjectList(const Request& request) {
  std::optional<std::deque<Bytes>>& listing = request.channel.listing;
  const std::uint8_t p2 = request.command.p2;
  if (p2 != kFromTheStart && (p2 != kContinue || !listing)) return StatusWord::kBadParameters;
  std::deque<Bytes> rest = p2 == kFromTheStart ? Descriptions() : *listing;
  Bytes part;
  while (!rest.empty() && part.size() + rest.front().size() <= kListPartMax) {
    part.insert(part.end(), rest.front().begin(), rest.front().end());
    rest.pop_front();
  }
  if (request.command.le != 0 && request.command.le < part.size()) return CorrectLe(part.size());
  const bool more = !rest.empty();
  if (more) {
    listing = std::move(rest);
  } else {
    listing.reset();
  }
  return {more ? StatusWord::kMoreData : StatusWord::kOk, std::move(part)};
}

ResponseApdu Applet::OneObject(const Request& request) {
  const std::uint8_t structure = request.command.p1;
  Bytes out;
  if (structure == kFiles) {
    const auto found = FileOf(request.tlvs);
    if (found.object == nullptr) return found.status;
    AppendFileObject(out, *found.id, *found.object);
  } else if (structure == kSecrets) {
    const auto found = SecretOf(request.tlvs);
    if (found.object == nullptr) return found.status;
    AppendSecretObject(out, *found.id, *found.object);
  } else {
    const auto found = structure == kPrivateKeys ? PrivateKey(request.tlvs) : PublicKey(request.tlvs);
    if (found.object == nullptr) return found.status;
    AppendKeyObject(out, structure, *found.id, *found.object, layout_.habits);
  }
  return out;
}

ResponseApdu Applet::GetData(const Request& request) {
  const Command& command = request.command;
  if (command.p1 == 0x01) return ObjectList(request);
  if (command.p2 != 0x00) return StatusWord::kBadParameters;
  if (command.p1 == 0x00) return Application(*request.channel.selected);
  if (command.p1 < kPrivateKeys || command.p1 > kSecrets) return StatusWord::kBadParameters;
  return OneObject(request);
}

}  // namespace registry::sim
