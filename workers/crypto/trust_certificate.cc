#include "workers/crypto/trust_certificate.h"

#include <openssl/x509v3.h>

#include "workers/crypto/owned.h"

namespace registry::crypto {
namespace {

using Certificate = Owned<X509, X509_free>;

Certificate Read(const Bytes& der) {
  const std::uint8_t* cursor = der.data();
  Certificate certificate(d2i_X509(nullptr, &cursor, static_cast<long>(der.size())));
  const bool whole = certificate != nullptr && cursor == der.data() + der.size();
  if (!whole) Failed();
  return whole ? std::move(certificate) : nullptr;
}

std::optional<TrustFault> JudgeTime(const X509& certificate, UtcTime now) {
  std::time_t at = now.seconds();
  const int begins = X509_cmp_time(X509_get0_notBefore(&certificate), &at);
  const int ends = X509_cmp_time(X509_get0_notAfter(&certificate), &at);
  if (begins == 0 || ends == 0) return TrustFault::kUnreadable;
  if (begins > 0) return TrustFault::kNotYetValid;
  if (ends < 0) return TrustFault::kExpired;
  return std::nullopt;
}

}  // namespace

std::optional<TrustFault> JudgeTrustedCa(const Bytes& der, UtcTime now) {
  const Certificate certificate = Read(der);
  if (!certificate) return TrustFault::kUnreadable;
  if (X509_check_ca(certificate.get()) != 1) return TrustFault::kNoCa;
  return JudgeTime(*certificate, now);
}

std::optional<TrustFault> JudgeTrustedServer(const Bytes& der, const std::string& host, UtcTime now) {
  const Certificate certificate = Read(der);
  if (!certificate) return TrustFault::kUnreadable;
  constexpr unsigned kFlags = X509_CHECK_FLAG_NEVER_CHECK_SUBJECT | X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS;
  if (X509_check_host(certificate.get(), host.data(), host.size(), kFlags, nullptr) != 1)
    return TrustFault::kOtherName;
  return JudgeTime(*certificate, now);
}

}  // namespace registry::crypto
