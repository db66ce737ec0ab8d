#include "bridge/keys/token_objects.h"

#include <array>

#include "workers/crypto/der_reader.h"
#include "workers/crypto/der_writer.h"
#include "workers/crypto/p256.h"

namespace registry::keys {
namespace {

constexpr CK_ULONG kAttributeMax = 512;

Error KeyObject(const TokenUri& uri, const std::string& why) {
  return Error::Make(Code::kFailed, "token_key", uri.token + ", " + uri.KeyText() + ": " + why);
}

// Empty when the object does not have it, or does not show it.
Bytes Attribute(Token::Lease& lease, CK_OBJECT_HANDLE object, CK_ATTRIBUTE_TYPE type) {
  Bytes value(kAttributeMax);
  CK_ATTRIBUTE attribute{type, value.data(), kAttributeMax};
  const CK_RV got = lease.functions().C_GetAttributeValue(lease.session(), object, &attribute, 1);
  value.resize(got == CKR_OK ? std::min(attribute.ulValueLen, kAttributeMax) : 0);
  return value;
}

template <class T>
bool Is(const Bytes& value, T wanted) {
  T said{};
  if (value.size() != sizeof said) return false;
  std::copy(value.begin(), value.end(), reinterpret_cast<std::uint8_t*>(&said));
  return said == wanted;
}

// PKCS#11 §2.3.3: a DER OCTET STRING around the point; some tokens leave the wrapping out.
std::optional<Bytes> PointIn(const Bytes& value) {
  const auto wrapped = crypto::OnlyElement(value, crypto::tag::kOctetString);
  if (wrapped) return crypto::UncompressedP256(wrapped->content);
  return crypto::UncompressedP256(value);
}

std::string Kind(CK_OBJECT_CLASS type) { return type == CKO_PRIVATE_KEY ? "private" : "public"; }

}  // namespace

Bytes P256Params() { return crypto::DerOid("1.2.840.10045.3.1.7"); }

Result<CK_OBJECT_HANDLE> FindOnly(Token::Lease& lease, const TokenUri& uri, CK_OBJECT_CLASS type) {
  std::vector<CK_ATTRIBUTE> wanted{{CKA_CLASS, &type, sizeof type}};
  std::string label = uri.object;
  Bytes id = uri.id;
  if (!label.empty()) wanted.push_back({CKA_LABEL, label.data(), label.size()});
  if (!id.empty()) wanted.push_back({CKA_ID, id.data(), id.size()});
  CK_FUNCTION_LIST& token = lease.functions();
  CK_RV done = token.C_FindObjectsInit(lease.session(), wanted.data(), wanted.size());
  if (done != CKR_OK) return lease.Failed("C_FindObjectsInit", done);
  std::array<CK_OBJECT_HANDLE, 2> found{};
  CK_ULONG count = 0;
  done = token.C_FindObjects(lease.session(), found.data(), found.size(), &count);
  if (done != CKR_OK) return lease.Failed("C_FindObjects", done);
  done = token.C_FindObjectsFinal(lease.session());
  if (done != CKR_OK) return lease.Failed("C_FindObjectsFinal", done);
  if (count == 1) return found[0];
  return KeyObject(uri, count == 0 ? "the token has no such " + Kind(type) + " key"
                                   : "the token has several such " + Kind(type) + " keys: say its id too");
}

Status CheckPrivateKey(Token::Lease& lease, const TokenUri& uri, CK_OBJECT_HANDLE key) {
  if (!Is<CK_KEY_TYPE>(Attribute(lease, key, CKA_KEY_TYPE), CKK_EC))
    return KeyObject(uri, "is no elliptic curve key");
  const Bytes curve = Attribute(lease, key, CKA_EC_PARAMS);
  if (!curve.empty() && curve != P256Params()) return KeyObject(uri, "is not on P-256");
  if (Is<CK_BBOOL>(Attribute(lease, key, CKA_SIGN), CK_FALSE))
    return KeyObject(uri, "may not sign (CKA_SIGN)");
  return Done{};
}

Result<Bytes> PointBeside(Token::Lease& lease, const TokenUri& uri, CK_OBJECT_HANDLE key) {
  TokenUri beside = uri;
  if (key != 0) {
    if (Bytes id = Attribute(lease, key, CKA_ID); !id.empty()) {
      beside.id = std::move(id);
      beside.object.clear();
    }
  }
  const auto found = FindOnly(lease, beside, CKO_PUBLIC_KEY);
  if (!found) return found.error();
  auto point = PointIn(Attribute(lease, *found, CKA_EC_POINT));
  if (point) return std::move(*point);
  return KeyObject(uri, "its public key is no point on P-256");
}

}  // namespace registry::keys
