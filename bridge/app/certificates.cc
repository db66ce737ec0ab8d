#include "bridge/app/certificates.h"

#include <openssl/x509v3.h>

#include <ctime>

#include "bridge/signing/read_x509.h"
#include "workers/crypto/owned.h"
#include "workers/payload_push/payload_push.h"

namespace registry::app {
namespace {

using X509Owner = crypto::Owned<X509, X509_free>;

X509Owner Parse(const Bytes& der) {
  const unsigned char* at = der.data();
  return X509Owner(d2i_X509(nullptr, &at, static_cast<long>(der.size())));
}

Error Unusable(const std::string& key, std::string_view why) {
  return Error::Make(Code::kFailed, "chain_invalid", key + ": " + std::string(why));
}

bool Began(const X509* certificate, UtcTime now) {
  std::time_t at = static_cast<std::time_t>(now.seconds());
  return X509_cmp_time(X509_get0_notBefore(certificate), &at) < 0;
}

bool Ended(const X509* certificate, UtcTime now) {
  std::time_t at = static_cast<std::time_t>(now.seconds());
  return X509_cmp_time(X509_get0_notAfter(certificate), &at) <= 0;
}

Status CheckDates(const std::string& key, const X509* certificate, UtcTime now) {
  if (!Began(certificate, now)) return Unusable(key, "is not valid yet");
  if (Ended(certificate, now)) return Unusable(key, "has expired");
  return Done{};
}

// RFC 5280 §4.2.1.9 and §4.2.1.3, and the dates: what every verifier below will ask of a CA. A certificate without
// keyUsage may be used for everything (OpenSSL answers with every bit set).
Status CheckAuthority(const std::string& key, X509* certificate, std::uint32_t usage, UtcTime now) {
  if ((X509_get_key_usage(certificate) & usage) != usage)
    return Unusable(
        key, "its keyUsage must allow keyCertSign, and for the issuing CA cRLSign and digitalSignature");
  if (X509_check_ca(certificate) != 1)
    return Unusable(key, "is no CA certificate (basicConstraints CA:TRUE)");
  return CheckDates(key, certificate, now);
}

}  // namespace

// RFC 5280 §6.1.3: names and signature. Devices would refuse every certificate below a chain that does not
// hold.
Status CheckChain(const Bytes& root_der, const Bytes& issuing_der, UtcTime now,
                  const std::string& issuing_key) {
  constexpr const char* kRoot = "pki.root_certificate";
  for (const auto& [key, der] :
       {std::pair<std::string, const Bytes*>(kRoot, &root_der), {issuing_key, &issuing_der}}) {
    if (der->size() > payload_push::kLegacyContainerMax)
      return Unusable(key, "has more than 2040 octets, the pilot's containers 06 and 07");
  }
  const X509Owner root = Parse(root_der), issuing = Parse(issuing_der);
  if (!root) return Unusable(kRoot, "is no certificate");
  if (!issuing || X509_check_issued(root.get(), issuing.get()) != X509_V_OK ||
      X509_verify(issuing.get(), X509_get0_pubkey(root.get())) != 1) {
    return Unusable(issuing_key, "is not signed by pki.root_certificate");
  }
  if (auto sound = CheckAuthority(kRoot, root.get(), KU_KEY_CERT_SIGN, now); !sound) return sound;
  return CheckAuthority(issuing_key, issuing.get(), KU_KEY_CERT_SIGN | KU_CRL_SIGN | KU_DIGITAL_SIGNATURE,
                        now);
}

// RFC 8310 §8.1: what a device will ask of its resolver; every device is given it.
Status CheckServer(const std::string& section, const std::string& name, const Bytes& der, UtcTime now) {
  const std::string key = section + ".certificate";
  const X509Owner certificate = Parse(der);
  if (!certificate) return Unusable(key, "holds no certificate");
  if (auto dates = CheckDates(key, certificate.get(), now); !dates) return dates;
  if (X509_check_host(certificate.get(), name.data(), name.size(), 0, nullptr) != 1)
    return Unusable(key, "is not for " + section + ".name, " + name);
  return Done{};
}

std::vector<std::string> DnsNamesOf(const Bytes& certificate) {
  std::vector<std::string> found;
  const X509Owner parsed = Parse(certificate);
  if (!parsed) return found;
  const std::unique_ptr<GENERAL_NAMES, decltype(&GENERAL_NAMES_free)> names(
      static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(parsed.get(), NID_subject_alt_name, nullptr, nullptr)),
      GENERAL_NAMES_free);
  for (int i = 0; names && i < sk_GENERAL_NAME_num(names.get()); ++i) {
    const GENERAL_NAME* const name = sk_GENERAL_NAME_value(names.get(), i);
    if (name->type != GEN_DNS) continue;
    const ASN1_IA5STRING* const text = name->d.dNSName;
    found.emplace_back(reinterpret_cast<const char*>(ASN1_STRING_get0_data(text)),
                       static_cast<std::size_t>(ASN1_STRING_length(text)));
  }
  return found;
}

bool HasEnded(const Bytes& certificate, UtcTime now) {
  const auto facts = signing::ReadCertificate(certificate);
  return facts && facts->not_after <= now;
}

}  // namespace registry::app
