#include <openssl/rand.h>
#include <p11-kit/p11-kit.h>

#include "bridge/keys/key_source.h"
#include "bridge/keys/token_objects.h"

namespace registry::keys {
namespace {

Error NotMade(const std::string& why) {
  return Error::Make(Code::kFailed, "token_key", "no key was made in the token: " + why);
}

CK_ATTRIBUTE Of(CK_ATTRIBUTE_TYPE type, Bytes& value) { return {type, value.data(), value.size()}; }
CK_ATTRIBUTE Of(CK_ATTRIBUTE_TYPE type, CK_BBOOL& value) { return {type, &value, sizeof value}; }

// CKA_SENSITIVE and not CKA_EXTRACTABLE: nobody reads it, not even wrapped (PKCS#11 §4.9). It signs, and nothing else.
CK_RV MakePair(CK_FUNCTION_LIST& token, CK_SESSION_HANDLE session, const TokenUri& uri) {
  CK_BBOOL yes = CK_TRUE, no = CK_FALSE;
  Bytes curve = P256Params(), id = uri.id, label(uri.object.begin(), uri.object.end());
  CK_MECHANISM generation{CKM_EC_KEY_PAIR_GEN, nullptr, 0};
  std::vector<CK_ATTRIBUTE> in_public{Of(CKA_TOKEN, yes),  Of(CKA_VERIFY, yes), Of(CKA_PRIVATE, no),
                                      Of(CKA_ENCRYPT, no), Of(CKA_WRAP, no),    Of(CKA_EC_PARAMS, curve),
                                      Of(CKA_ID, id),      Of(CKA_LABEL, label)};
  std::vector<CK_ATTRIBUTE> in_private{Of(CKA_TOKEN, yes),      Of(CKA_SIGN, yes),  Of(CKA_PRIVATE, yes),
                                       Of(CKA_DECRYPT, no),     Of(CKA_UNWRAP, no), Of(CKA_SENSITIVE, yes),
                                       Of(CKA_EXTRACTABLE, no), Of(CKA_ID, id),     Of(CKA_LABEL, label)};
  CK_OBJECT_HANDLE public_key = 0, private_key = 0;
  return token.C_GenerateKeyPair(session, &generation, in_public.data(), in_public.size(), in_private.data(),
                                 in_private.size(), &public_key, &private_key);
}

}  // namespace

// Two keys of one name could not be told apart afterwards. Where the URI has no id the key gets one of its own, since
// tokens keep private and public key together by it.
Status GenerateTokenKey(const std::string& text) {
  auto uri = ParseTokenUri(text);
  if (!uri) return uri.error();
  const auto token = Token::Open(*uri);
  if (!token) return token.error();
  const auto slot = (*token)->Slot();
  if (!slot) return slot.error();
  auto lease = (*token)->Borrow();
  if (!lease) return lease.error();
  const auto taken = FindOnly(*lease, *uri, CKO_PRIVATE_KEY);
  if (taken) return NotMade("it has one of that name, " + uri->KeyText());
  if (taken.error().symbol != "token_key" || taken.error().message.find("several") != std::string::npos)
    return taken.error();
  if (uri->id.empty()) {
    uri->id.resize(8);
    if (RAND_bytes(uri->id.data(), static_cast<int>(uri->id.size())) != 1) return NotMade("no random octets");
  }
  CK_FUNCTION_LIST& functions = lease->functions();
  CK_SESSION_HANDLE session = 0;  // logged in as all of this process are
  const CK_RV opened =
      functions.C_OpenSession(*slot, CKF_SERIAL_SESSION | CKF_RW_SESSION, nullptr, nullptr, &session);
  if (opened != CKR_OK) return NotMade(std::string("C_OpenSession: ") + p11_kit_strerror(opened));
  const CK_RV made = MakePair(functions, session, *uri);
  functions.C_CloseSession(session);
  if (made == CKR_OK) return Done{};
  return NotMade(std::string("C_GenerateKeyPair: ") + p11_kit_strerror(made));
}

}  // namespace registry::keys
