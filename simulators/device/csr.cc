#include "simulators/device/csr.h"

#include <openssl/objects.h>
#include <openssl/sha.h>

#include "schemas/wire/oid.h"
#include "simulators/device/der.h"

namespace registry::sim {
namespace {

const Bytes& AgreementKeyOid() {
  static const Bytes oid = [] {
    ASN1_OBJECT* object = OBJ_txt2obj(wire::kAgreementKeyOid, 1);
    const Bytes content(OBJ_get0_data(object), OBJ_get0_data(object) + OBJ_length(object));
    ASN1_OBJECT_free(object);
    return Der(0x06, {content});
  }();
  return oid;
}

Bytes Subject(const std::string& name) {
  static const Bytes kCommonName = *FromHex("0603550403");
  if (name.empty() || name.size() > 64) return Der(0x30, {});
  return Der(0x30, {Der(0x31, {Der(0x30, {kCommonName, Der(0x0c, {AsBytes(name)})})})});
}

}  // namespace

Result<Bytes> MakeCsr(CardKey& signing, const Bytes& agreement_point, const std::string& name) {
  static const Bytes kVersion = *FromHex("020100");
  static const Bytes kEcdsaWithSha256 = *FromHex("300a06082a8648ce3d040302");
  Bytes attribute;  // none: the set of attributes is empty (RFC 2986 §4.1)
  if (!agreement_point.empty())
    attribute = Der(0x30, {AgreementKeyOid(), Der(0x31, {P256Spki(agreement_point)})});
  const Bytes info = Der(0x30, {kVersion, Subject(name), P256Spki(signing.point()), Der(0xa0, {attribute})});
  Bytes digest(SHA256_DIGEST_LENGTH);
  SHA256(info.data(), info.size(), digest.data());
  const auto signature = signing.Sign(digest);
  if (!signature) return signature.error();
  return Der(0x30, {info, kEcdsaWithSha256, Der(0x03, {{0x00}, SignatureDer(*signature)})});
}

}  // namespace registry::sim
