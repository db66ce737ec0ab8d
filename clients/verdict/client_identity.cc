#include "clients/verdict/client_identity.h"

#include <openssl/err.h>

#include <memory>

#include "clients/verdict/kept_with.h"
#include "schemas/ids/ids.h"

namespace registry::clients {
namespace {

using KeptSent = KeptWith<std::string>;

// As it goes out, its length in front.
struct OwnName {
  std::string name;
};
using KeptOwn = KeptWith<OwnName>;

constexpr unsigned kWhere =
    SSL_EXT_TLS1_3_ONLY | SSL_EXT_TLS1_3_CERTIFICATE_REQUEST | SSL_EXT_TLS1_3_CERTIFICATE;
constexpr unsigned char kNoName[] = {0};  // a zero-length ClientName

void FreeText(void*, void* text, CRYPTO_EX_DATA*, int, long, void*) {
  delete static_cast<std::string*>(text);
}

// Where an SSL_CTX keeps what its clients send.
int OwnIndex() {
  static const int index = SSL_CTX_get_ex_new_index(0, nullptr, nullptr, nullptr, FreeText);
  return index;
}

int AddEmpty(SSL*, unsigned, unsigned where, const unsigned char** out, std::size_t* size, X509*, std::size_t,
             int*, void*) {
  if (where != SSL_EXT_TLS1_3_CERTIFICATE_REQUEST) return 0;
  *out = kNoName;
  *size = sizeof kNoName;
  return 1;
}

// False: there is no memory. Nothing may be thrown through OpenSSL's frames of C.
bool KeepSent(SSL* connection, const unsigned char* begin, const unsigned char* end) noexcept {
  try {
    return KeptSent::Keep(connection, std::make_unique<std::string>(begin, end)) != nullptr;
  } catch (...) {
    return false;
  }
}

// OpenSSL brings it only when this end has sent it. It belongs to the end entity's certificate, which comes first.
int ReadName(SSL* connection, unsigned, unsigned where, const unsigned char* in, std::size_t size, X509*,
             std::size_t position, int* alert, void*) {
  if (where != SSL_EXT_TLS1_3_CERTIFICATE || position != 0) return 1;
  if (size == 0 || in[0] != size - 1) {
    *alert = SSL_AD_DECODE_ERROR;
    return 0;
  }
  if (KeepSent(connection, in + 1, in + size)) return 1;
  *alert = SSL_AD_INTERNAL_ERROR;
  return 0;
}

// `own`: of the whole context, null when each connection has its own.
int AddName(SSL* connection, unsigned, unsigned where, const unsigned char** out, std::size_t* size, X509*,
            std::size_t position, int*, void* own) {
  if (where != SSL_EXT_TLS1_3_CERTIFICATE || position != 0) return 0;
  const OwnName* const given = KeptOwn::Find(connection);
  if (given == nullptr && own == nullptr) return 0;
  const auto& name = given != nullptr ? given->name : *static_cast<const std::string*>(own);
  *out = reinterpret_cast<const unsigned char*>(name.data());
  *size = name.size();
  return 1;
}

int IgnoreQuestion(SSL*, unsigned, unsigned, const unsigned char*, std::size_t, X509*, std::size_t, int*,
                   void*) {
  return 1;
}

Error TlsRefused() {
  ERR_clear_error();
  return Error::Make(Code::kFailed, "tls_refused", "the TLS library takes no extension of that number");
}

Error CannotBeSent() {
  return Error::Make(Code::kValueSyntax, "identity_malformed", "the name cannot be sent as dane_clientid");
}

Status AddNames(SSL_CTX* context, unsigned extension, std::string* own) {
  if (SSL_CTX_add_custom_ext(context, extension, kWhere, AddName, nullptr, own, IgnoreQuestion, nullptr) !=
      1) {
    return TlsRefused();
  }
  return Done{};
}

}  // namespace

Status AskForIdentity(SSL_CTX* context, unsigned extension) {
  if (SSL_CTX_add_custom_ext(context, extension, kWhere, AddEmpty, nullptr, nullptr, ReadName, nullptr) !=
      1) {
    return TlsRefused();
  }
  return Done{};
}

std::optional<std::string> IdentitySent(const SSL* connection) {
  const std::string* const sent = KeptSent::Find(connection);
  return sent == nullptr ? std::nullopt : std::optional(*sent);
}

Status SendIdentity(SSL_CTX* context, unsigned extension, const std::string& name) {
  if (!ValidDomainName(name)) return CannotBeSent();
  auto* const own = new std::string(static_cast<char>(name.size()) + name);
  delete static_cast<std::string*>(SSL_CTX_get_ex_data(context, OwnIndex()));
  SSL_CTX_set_ex_data(context, OwnIndex(), own);
  return AddNames(context, extension, own);
}

Status OfferIdentity(SSL_CTX* context, unsigned extension) { return AddNames(context, extension, nullptr); }

Status GiveIdentity(SSL* connection, const std::string& name) {
  if (!ValidDomainName(name)) return CannotBeSent();
  auto own = std::make_unique<OwnName>(OwnName{static_cast<char>(name.size()) + name});
  return KeptOwn::Keep(connection, std::move(own)) != nullptr ? Status(Done{}) : Status(TlsRefused());
}

}  // namespace registry::clients
