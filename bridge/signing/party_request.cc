#include "bridge/signing/party_request.h"

#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <fstream>

#include "workers/crypto/owned.h"

namespace registry::signing {
namespace {

using OwnedRequest = crypto::Owned<X509_REQ, X509_REQ_free>;

constexpr int kRsaMin = 2048, kRsaMax = 8192;  // bits; the most is what costs the broker a noticeable time

Error RequestRefused(const std::string& why) {
  crypto::Failed();
  return Error::Make(Code::kFailed, "party_request", why);
}

OwnedRequest ParseRequest(const std::string& text) {
  const crypto::Owned<BIO, BIO_free> pem(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
  OwnedRequest request(pem ? PEM_read_bio_X509_REQ(pem.get(), nullptr, nullptr, nullptr) : nullptr);
  if (request) return request;
  const auto* at = reinterpret_cast<const unsigned char*>(text.data());
  const unsigned char* const end = at + text.size();
  request.reset(d2i_X509_REQ(nullptr, &at, static_cast<long>(text.size())));
  if (at != end) request.reset();
  return request;
}

// Empty when it may be used.
std::string WhyWeak(EVP_PKEY* key) {
  const int bits = EVP_PKEY_get_bits(key);
  switch (EVP_PKEY_get_base_id(key)) {
    case EVP_PKEY_ED25519:
      return "";
    case EVP_PKEY_RSA:
      if (bits >= kRsaMin && bits <= kRsaMax) return "";
      return "an RSA key has 2048 to 8192 bits, this one " + std::to_string(bits);
    case EVP_PKEY_EC: {
      std::array<char, 64> group{};
      std::size_t length = 0;
      EVP_PKEY_get_group_name(key, group.data(), group.size(), &length);
      const std::string name(group.data(), length);
      if (name == "prime256v1" || name == "secp384r1" || name == "secp521r1") return "";
      return "its curve must be P-256, P-384 or P-521, and is " +
             (name.empty() ? "none that has a name" : name);
    }
    default:
      return "its key must be of P-256, P-384, P-521, Ed25519 or RSA";
  }
}

std::string CommonName(X509_NAME* name, int at) {
  unsigned char* text = nullptr;
  const int length = ASN1_STRING_to_UTF8(&text, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, at)));
  std::string common_name =
      length > 0 ? std::string(reinterpret_cast<char*>(text), static_cast<std::size_t>(length)) : "";
  OPENSSL_free(text);
  return common_name;
}

std::string WhyNotNamed(X509_NAME* name, const PartyId& party) {
  const int first = X509_NAME_get_index_by_NID(name, NID_commonName, -1);
  if (first < 0) return "";
  if (X509_NAME_get_index_by_NID(name, NID_commonName, first) >= 0)
    return "its subject has more than one common name";
  const std::string common_name = CommonName(name, first);
  const auto other = PartyId::Parse(common_name);
  if (other == party) return "";
  // What is no party's name may be anything, and is not printed.
  return other ? "it is made for " + other->text() + ", not for " + party.text()
               : "the common name in its subject is not " + party.text();
}

}  // namespace

Result<PartyRequest> PartyRequest::Read(const std::string& text, const PartyId& party) {
  if (text.size() > kRequestMax)
    return RequestRefused("is larger than a request, " + std::to_string(text.size()) + " octets");
  const OwnedRequest request = ParseRequest(text);
  if (!request) return RequestRefused("is no certificate request (PKCS #10), in PEM or DER");
  std::shared_ptr<EVP_PKEY> key(X509_REQ_get_pubkey(request.get()), EVP_PKEY_free);
  if (!key) return RequestRefused("holds no public key that can be read");
  if (const std::string weak = WhyWeak(key.get()); !weak.empty()) return RequestRefused(weak);
  if (X509_REQ_verify(request.get(), key.get()) != 1) return RequestRefused("is not signed by its own key");
  if (const std::string other = WhyNotNamed(X509_REQ_get_subject_name(request.get()), party); !other.empty())
    return RequestRefused(other);
  crypto::Failed();  // the PEM that was tried first
  return PartyRequest(std::move(key));
}

Result<PartyRequest> PartyRequest::Load(const std::string& file, const PartyId& party) {
  std::ifstream input(file, std::ios::binary);
  if (!input) return RequestRefused(file + ": cannot be read: " + std::strerror(errno));
  std::string text(kRequestMax + 1, '\0');
  input.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(input.gcount()));
  auto request = Read(text, party);
  if (!request) return RequestRefused(file + ": " + request.error().message);
  return request;
}

bool PartyRequest::IsKeyOf(const Bytes& certificate) const {
  const unsigned char* at = certificate.data();
  const crypto::Owned<X509, X509_free> parsed(d2i_X509(nullptr, &at, static_cast<long>(certificate.size())));
  const bool same = parsed && EVP_PKEY_eq(X509_get0_pubkey(parsed.get()), key_.get()) == 1;
  if (!same) crypto::Failed();
  return same;
}

}  // namespace registry::signing
