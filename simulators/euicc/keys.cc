// GSMA IoT.05: GENERATE KEY PAIR, READ PUBLIC KEY, PUT PUBLIC KEY. Every octet of a command is judged before anything of it
// is kept: one that is refused leaves keys and sessions as they were.
#include "simulators/euicc/applet.h"
#include "simulators/euicc/public_key.h"
#include "simulators/euicc/tags.h"

namespace registry::sim {
namespace {

constexpr std::uint8_t kOpenPut = 0x00, kClosePut = 0x01;
constexpr std::uint8_t kMoreOfKey = 0x00, kLastOfKey = 0x80;
constexpr std::size_t kKeyDataMax = 256;

}  // namespace

ResponseApdu Applet::GenerateKeyPair(const Request& request) {
  if (request.command.p1 != 0 || request.command.p2 != 0) return StatusWord::kBadParameters;
  const auto found = PrivateKey(request.tlvs);
  if (found.object == nullptr) return found.status;
  KeySlot& slot = *found.object;
  if ((slot.functions & kMayGenerate) == 0 || !slot.head.active) return StatusWord::kConditions;
  auto pair = P256Key::Generate();
  if (!pair) return StatusWord::kOther;  // no randomness: the pair that is there stays
  slot.pair = std::move(pair);
  Bytes out;
  AppendTlv(out, kPrivateKeyId, *found.id);
  AppendTlv(out, kPublicKeyId, *found.id);
  const Bytes key = PublicKeyData(slot.pair->point());
  out.insert(out.end(), key.begin(), key.end());
  return out;
}

ResponseApdu Applet::ReadPublicKey(const Request& request) {
  const auto found = PublicKey(request.tlvs);
  if (found.object == nullptr) return found.status;
  const KeySlot& slot = *found.object;
  const bool given = slot.head.readable && slot.head.active && !slot.point().empty();
  return given ? ResponseApdu(PublicKeyData(slot.point())) : ResponseApdu(StatusWord::kConditions);
}

ResponseApdu Applet::PutKeyInit(const Request& request) {
  const Command& command = request.command;
  if (command.p2 >= kSessionsMax || command.p1 > kClosePut) return StatusWord::kBadParameters;
  auto& sessions = request.channel.putting;
  if (command.p1 != kOpenPut)
    return sessions.erase(command.p2) != 0 ? StatusWord::kOk : StatusWord::kBadParameters;
  const auto found = PublicKey(request.tlvs);
  if (found.object == nullptr) return found.status;
  if (!found.object->foreign || !found.object->head.active) return StatusWord::kConditions;
  sessions[command.p2] = {*found.id, {}, found.object->head.touched};
  return StatusWord::kOk;
}

// SP 800-56A §5.6.2.3.3: a foreign key is validated before it is kept, not when it is used. The session stays open, so that
// the host may send the right one.
ResponseApdu Applet::PutKeyUpdate(const Request& request) {
  const Command& command = request.command;
  const auto session = request.channel.putting.find(command.p2);
  if (session == request.channel.putting.end()) return StatusWord::kBadParameters;
  if (command.p1 != kLastOfKey && command.p1 != kMoreOfKey) return StatusWord::kBadParameters;
  const auto slot = memory_.keys.find(session->second.key);
  if (slot == memory_.keys.end() || slot->second.head.touched != session->second.touched)
    return StatusWord::kTouchedMeanwhile;
  Bytes data = session->second.data;
  data.insert(data.end(), command.data.begin(), command.data.end());
  if (data.size() > kKeyDataMax) return StatusWord::kBadData;
  if (command.p1 == kMoreOfKey) {
    session->second.data = std::move(data);
    return StatusWord::kOk;
  }
  auto point = PointOf(data);
  if (!point) return StatusWord::kBadData;
  slot->second.peer_point = std::move(*point);
  request.channel.putting.erase(session);
  return StatusWord::kOk;
}

}  // namespace registry::sim
