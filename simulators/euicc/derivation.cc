// GSMA IoT.05: COMPUTE DH, COMPUTE PRF (TLS 1.2), HKDF extract.
#include "simulators/euicc/applet.h"
#include "simulators/euicc/tags.h"

namespace registry::sim {
namespace {

constexpr std::uint8_t kGivenSecret = 0xd1, kLabelAndSeed = 0xd2, kOutLength = 0xd3, kPremaster = 0xd4,
                       kSalt = 0xd5;
constexpr std::uint8_t kGeneral = 0x00, kPlainPsk = 0x01, kPskWithEcdhe = 0x02;

}  // namespace

ResponseApdu Applet::ComputeDh(const Request& request) {
  if (request.command.p1 != 0 || request.command.p2 != 0) return StatusWord::kBadParameters;
  const auto own = PrivateKey(request.tlvs);
  if (own.object == nullptr) return own.status;
  const auto peer = PublicKey(request.tlvs);
  if (peer.object == nullptr) return peer.status;
  const bool able = (own.object->functions & kMayAgree) != 0 && own.object->pair && own.object->head.active;
  const bool willing = !peer.object->peer_point.empty() && peer.object->head.active &&
                       (peer.object->functions & kMayAgree) != 0;
  if (!able || !willing) return StatusWord::kConditions;
  const auto shared = own.object->pair->Agree(peer.object->peer_point);
  return shared ? ResponseApdu(*shared) : ResponseApdu(StatusWord::kBadData);
}

// RFC 5246 §5 with SHA-256. The secret comes with the command, or is one of the card's: alone (RFC 4279 §2) or with the
// premaster secret of an ECDHE (RFC 5489 §2).
ResponseApdu Applet::ComputePrf(const Request& request) {
  const Command& command = request.command;
  if (command.p1 > kPskWithEcdhe || command.p2 != 0) return StatusWord::kBadParameters;
  const Bytes* given = FindTlv(request.tlvs, kGivenSecret);
  const Bytes* premaster = FindTlv(request.tlvs, kPremaster);
  const Bytes* seed = FindTlv(request.tlvs, kLabelAndSeed);
  const Bytes* length = FindTlv(request.tlvs, kOutLength);
  if (seed == nullptr || length == nullptr || length->size() != 1) return StatusWord::kBadData;
  if ((given != nullptr) != (command.p1 == kGeneral)) return StatusWord::kBadData;
  if ((premaster != nullptr) != (command.p1 == kPskWithEcdhe)) return StatusWord::kBadData;
  Bytes secret;
  if (given != nullptr) {
    secret = *given;
  } else {
    const auto found = SecretOf(request.tlvs);
    if (found.object == nullptr) return found.status;
    if ((found.object->functions & kMayDerive) == 0 || !found.object->head.active)
      return StatusWord::kConditions;
    secret = PskPremaster(command.p1 == kPlainPsk ? Bytes() : *premaster, found.object->value);
  }
  const auto out = Tls12Prf(secret, *seed, length->front());
  return out ? ResponseApdu(*out) : ResponseApdu(StatusWord::kBadData);
}

ResponseApdu Applet::HkdfExtractKey(const Request& request) {
  if (request.command.p1 != 0 || request.command.p2 != 0) return StatusWord::kBadParameters;
  const Bytes* key_material = FindTlv(request.tlvs, kGivenSecret);
  const Bytes* salt = FindTlv(request.tlvs, kSalt);
  const Bytes* function = FindTlv(request.tlvs, kHashFunction);
  const auto hash = function != nullptr ? HashOf(*function) : std::nullopt;
  if (key_material == nullptr || !hash) return StatusWord::kBadData;
  const auto key = HkdfExtract(*hash, salt != nullptr ? *salt : Bytes(), *key_material);
  return key ? ResponseApdu(*key) : ResponseApdu(StatusWord::kOther);
}

}  // namespace registry::sim
