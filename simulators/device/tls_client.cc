#include "simulators/device/tls_client.h"

#include <openssl/err.h>
#include <openssl/x509v3.h>

#include "clients/verdict/client_identity.h"
#include "clients/verdict/kept_with.h"
#include "simulators/device/trust.h"

namespace registry::sim {
namespace {

// RFC 8446 §9.1: the first is what everybody has. It is as strong as the P-256 of all keys here, and its SHA-256 costs less
// than the SHA-384 of the second, which OpenSSL would put first.
constexpr const char* kCiphers13 =
    "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256";
// These of TLS 1.2 agree by ECDHE and encrypt with authentication (RFC 9325 §4.2).
constexpr const char* kCiphers12 =
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:"
    "ECDHE-RSA-AES128-GCM-SHA256:ECDHE-RSA-AES256-GCM-SHA384:ECDHE-RSA-CHACHA20-POLY1305";
constexpr const char* kCardSigns = "ecdsa_secp256r1_sha256";

Error Unreachable(std::string_view why) { return Error::Make(Code::kFailed, "asp_unreachable", why); }
Error Untrusted(std::string_view why) { return Error::Make(Code::kPolicy, "asp_untrusted", why); }
Error RefusedBecause(const std::string& why) {
  return Error::Make(Code::kNotAuthorised, "refused", "refused " + why);
}

bool UseTlsa(SSL* ssl, const AspTarget& target) {
  if (SSL_dane_enable(ssl, target.fqdn.c_str()) != 1) return false;
  SSL_dane_set_flags(ssl, DANE_FLAG_NO_DANE_EE_NAMECHECKS);
  int usable = 0;
  for (const TlsaRecord& record : target.tlsa) {
    usable += SSL_dane_tlsa_add(ssl, record.usage, record.selector, record.matching, record.data.data(),
                                record.data.size()) == 1;
  }
  return usable > 0;
}

using Wanted = clients::KeptWith<OwnedCertificate>;

// Where trust is "this certificate", another that it has issued must not pass.
int OnlyTheWanted(int ok, X509_STORE_CTX* path) {
  if (ok != 1 || X509_STORE_CTX_get_error_depth(path) != 0) return ok;
  const auto* const ssl =
      static_cast<const SSL*>(X509_STORE_CTX_get_ex_data(path, SSL_get_ex_data_X509_STORE_CTX_idx()));
  const OwnedCertificate* const wanted = Wanted::Find(ssl);
  if (wanted != nullptr && X509_cmp(X509_STORE_CTX_get_current_cert(path), wanted->get()) == 0) return ok;
  X509_STORE_CTX_set_error(path, X509_V_ERR_CERT_REJECTED);
  return 0;
}

// A CA is a trust anchor for the name; a certificate is the server's own and trusted as it is (the pilot's
// container 03).
bool UseCertificate(SSL* ssl, const AspTarget& target) {
  OwnedCertificate trusted = ParseCertificate(target.trust.certificate);
  const std::unique_ptr<X509_STORE, Freeing<X509_STORE_free>> store(X509_STORE_new());
  if (!trusted || !store || X509_STORE_add_cert(store.get(), trusted.get()) != 1 ||
      SSL_set1_verify_cert_store(ssl, store.get()) != 1) {
    return false;
  }
  X509_VERIFY_PARAM* parameters = SSL_get0_param(ssl);
  if (target.trust.kind == wire::TrustKind::kCertificate) {
    SSL_set_verify(ssl, SSL_VERIFY_PEER, &OnlyTheWanted);
    return X509_VERIFY_PARAM_set_flags(parameters, X509_V_FLAG_PARTIAL_CHAIN) == 1 &&
           Wanted::Keep(ssl, std::make_unique<OwnedCertificate>(std::move(trusted))) != nullptr;
  }
  return SSL_set1_host(ssl, target.fqdn.c_str()) == 1;
}

bool Show(SSL* ssl, const ClientCredentials& credentials) {
  if (credentials.certificate == nullptr || credentials.key == nullptr) return true;
  if (!credentials.name.empty() && !clients::GiveIdentity(ssl, credentials.name)) return false;
  return SSL_use_certificate(ssl, credentials.certificate) == 1 &&
         SSL_use_PrivateKey(ssl, credentials.key->handle()) == 1;
}

}  // namespace

std::optional<TlsVersion> TlsVersionOf(std::string_view text) {
  if (text == "1.2") return TlsVersion::k12;
  if (text == "1.3") return TlsVersion::k13;
  return text == "any" ? std::optional(TlsVersion::kEither) : std::nullopt;
}

OwnedSslContext MakeClientContext(TlsVersion version) {
  OwnedSslContext made(SSL_CTX_new(TLS_client_method()));
  const int lowest = version == TlsVersion::k13 ? TLS1_3_VERSION : TLS1_2_VERSION;
  const int highest = version == TlsVersion::k12 ? TLS1_2_VERSION : TLS1_3_VERSION;
  if (!made || SSL_CTX_set_min_proto_version(made.get(), lowest) != 1 ||
      SSL_CTX_set_max_proto_version(made.get(), highest) != 1 ||
      SSL_CTX_set_ciphersuites(made.get(), kCiphers13) != 1 ||
      SSL_CTX_set_cipher_list(made.get(), kCiphers12) != 1 ||
      SSL_CTX_set1_client_sigalgs_list(made.get(), kCardSigns) != 1 || SSL_CTX_dane_enable(made.get()) != 1 ||
      !clients::OfferIdentity(made.get(), clients::kDefaultIdentityExtension)) {
    return nullptr;
  }
  SSL_CTX_set_options(made.get(), SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_TICKET | SSL_OP_NO_COMPRESSION);
  SSL_CTX_set_session_cache_mode(made.get(), SSL_SESS_CACHE_OFF);
  SSL_CTX_set_verify(made.get(), SSL_VERIFY_PEER, nullptr);
  return made;
}

SSL_CTX* SharedClientContext(TlsVersion version) {
  static const OwnedSslContext contexts[] = {MakeClientContext(TlsVersion::k12),
                                             MakeClientContext(TlsVersion::k13),
                                             MakeClientContext(TlsVersion::kEither)};
  return contexts[static_cast<int>(version)].get();
}

bool Prepare(SSL* ssl, const AspTarget& target, const ClientCredentials& credentials) {
  // SSL_set_tlsext_host_name without the macro's old-style cast.
  SSL_ctrl(ssl, SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name,
           const_cast<char*>(target.fqdn.c_str()));
  const bool trust =
      target.trust.kind == wire::TrustKind::kTlsa ? UseTlsa(ssl, target) : UseCertificate(ssl, target);
  return trust && Show(ssl, credentials);
}

// In TLS 1.3 the server judges the client's certificate after the client's handshake is over, so its refusal
// may come as an alert on the first read.
Error WhyBroken(const SSL* ssl, const ClientCredentials& credentials, std::string_view when) {
  const unsigned long code = ERR_peek_last_error();
  const int reason = ERR_GET_REASON(code);
  ERR_clear_error();
  if (credentials.key != nullptr) {
    if (auto refused = credentials.key->TakeRefusal()) return *refused;
  }
  if (SSL_get_verify_result(ssl) != X509_V_OK)
    return Untrusted(X509_verify_cert_error_string(SSL_get_verify_result(ssl)));
  if (ERR_GET_LIB(code) != ERR_LIB_SSL) return Unreachable(when);
  if (reason == SSL_R_TLSV13_ALERT_CERTIFICATE_REQUIRED) return RefusedBecause("certificate_required");
  if (reason > SSL_AD_REASON_OFFSET)
    return RefusedBecause("alert_" + std::to_string(reason - SSL_AD_REASON_OFFSET));
  const char* const text = ERR_reason_error_string(code);
  return Unreachable(std::string(when) + (text != nullptr ? std::string(": ") + text : ""));
}

}  // namespace registry::sim
