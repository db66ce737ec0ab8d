#include "bridge/app/material.h"

#include <openssl/evp.h>
#include <openssl/x509v3.h>

#include <ctime>

#include "bridge/clock.h"
#include "bridge/signing/code_key.h"
#include "bridge/signing/key_file.h"
#include "bridge/signing/signer.h"

namespace registry::app {
namespace {

using std::chrono::hours;
using std::chrono::seconds;
using X509Owner = std::unique_ptr<X509, decltype(&X509_free)>;

seconds Days(int days) { return hours(24) * days; }

Error Named(const char* key, Error error) {
  error.message = std::string(key) + ": " + error.message;
  return error;
}

X509Owner Parse(const Bytes& der) {
  const unsigned char* at = der.data();
  return {d2i_X509(nullptr, &at, static_cast<long>(der.size())), X509_free};
}

Error Unusable(const char* key, std::string_view why) {
  return Error::Make(Code::kFailed, "chain_invalid", std::string(key) + ": " + std::string(why));
}

bool Began(const X509* certificate, UtcTime now) {
  std::time_t at = static_cast<std::time_t>(now.seconds());
  return X509_cmp_time(X509_get0_notBefore(certificate), &at) < 0;
}

bool Ended(const X509* certificate, UtcTime now) {
  std::time_t at = static_cast<std::time_t>(now.seconds());
  return X509_cmp_time(X509_get0_notAfter(certificate), &at) <= 0;
}

// RFC 5280 §4.2.1.9 and §4.2.1.3, and the dates: what every verifier below will ask of a CA. A certificate without
// keyUsage may be used for everything (OpenSSL answers with every bit set).
Status CheckAuthority(const char* key, X509* certificate, std::uint32_t usage, UtcTime now) {
  if ((X509_get_key_usage(certificate) & usage) != usage)
    return Unusable(
        key, "its keyUsage must allow keyCertSign, and for the issuing CA cRLSign and digitalSignature");
  if (X509_check_ca(certificate) != 1)
    return Unusable(key, "is no CA certificate (basicConstraints CA:TRUE)");
  if (!Began(certificate, now)) return Unusable(key, "is not valid yet");
  if (Ended(certificate, now)) return Unusable(key, "has expired");
  return Done{};
}

// RFC 5280 §6.1.3: names and signature. Devices would refuse every certificate below a chain that does not
// hold.
Status CheckChain(const Bytes& root_der, const Bytes& issuing_der, UtcTime now) {
  constexpr const char* kRoot = "pki.root_certificate";
  constexpr const char* kIssuing = "pki.issuing_certificate";
  for (const auto& [key, der] : {std::pair(kRoot, &root_der), std::pair(kIssuing, &issuing_der)}) {
    if (der->size() > payload_push::kLegacyContainerMax)
      return Unusable(key, "has more than 2040 octets, the pilot's containers 06 and 07");
  }
  const X509Owner root = Parse(root_der), issuing = Parse(issuing_der);
  if (!root) return Unusable(kRoot, "is no certificate");
  if (!issuing || X509_check_issued(root.get(), issuing.get()) != X509_V_OK ||
      X509_verify(issuing.get(), X509_get0_pubkey(root.get())) != 1) {
    return Unusable(kIssuing, "is not signed by pki.root_certificate");
  }
  if (auto sound = CheckAuthority(kRoot, root.get(), KU_KEY_CERT_SIGN, now); !sound) return sound;
  return CheckAuthority(kIssuing, issuing.get(), KU_KEY_CERT_SIGN | KU_CRL_SIGN | KU_DIGITAL_SIGNATURE, now);
}

// RFC 8310 §8.1: what a device will ask of it; every device is given it.
Status CheckResolver(const ResolverConfig& config, const Bytes& der, UtcTime now) {
  constexpr const char* kKey = "resolver.certificate";
  const X509Owner certificate = Parse(der);
  if (!certificate) return Unusable(kKey, "holds no certificate");
  if (!Began(certificate.get(), now)) return Unusable(kKey, "is not valid yet");
  if (Ended(certificate.get(), now)) return Unusable(kKey, "has expired");
  if (X509_check_host(certificate.get(), config.name.data(), config.name.size(), 0, nullptr) != 1)
    return Unusable(kKey, "is not for resolver.name, " + config.name);
  return Done{};
}

// RFC 7858 §4.2: what a stub pins of its resolver.
Result<Bytes> SpkiDigest(const Bytes& certificate_der) {
  const X509Owner certificate = Parse(certificate_der);
  unsigned char* spki = nullptr;
  const int size = certificate ? i2d_X509_PUBKEY(X509_get_X509_PUBKEY(certificate.get()), &spki) : -1;
  Bytes digest(EVP_MAX_MD_SIZE);
  unsigned int length = 0;
  const bool good = size > 0 && EVP_Digest(spki, static_cast<std::size_t>(size), digest.data(), &length,
                                           EVP_sha256(), nullptr) == 1;
  OPENSSL_free(spki);
  if (!good) return Error::Make(Code::kFailed, "certificate_file_invalid", "holds no certificate");
  digest.resize(length);
  return digest;
}

Result<wire::Resolver> ResolverOf(const ResolverConfig& config, UtcTime now) {
  wire::Resolver resolver;
  resolver.address = config.address;
  resolver.port = config.port;
  resolver.name = config.name;
  auto certificate = signing::LoadCertificate(config.certificate);
  if (!certificate) return Named("resolver.certificate", certificate.error());
  if (auto sound = CheckResolver(config, *certificate, now); !sound) return sound.error();
  auto pin = SpkiDigest(*certificate);
  if (!pin) return Named("resolver.certificate", pin.error());
  resolver.certificate = std::move(*certificate);
  resolver.spki_pin = std::move(*pin);
  return resolver;
}

Result<domain::CertificatePolicy> CertificatePolicyOf(const PkiConfig& config) {
  domain::CertificatePolicy policy;
  policy.validity = config.validity();
  if (auto url = CheckCrlUrl(config.crl_url); !url) return url.error();
  policy.crl_url = config.crl_url;
  policy.crl_shards = config.crl_shards;
  policy.tlsa = config.tlsa;
  if (config.blocked_keys.empty()) return policy;
  auto blocked = signing::BlockedKeys::Load(config.blocked_keys);
  if (!blocked) return Named("pki.blocked_keys", blocked.error());
  policy.key_blocked = [keys = std::make_shared<const signing::BlockedKeys>(std::move(*blocked))](
                           const Bytes& digest) { return keys->Contains(digest); };
  return policy;
}

domain::PayloadPolicy PayloadPolicyOf(const Config& config, const Material& material,
                                      wire::Resolver resolver) {
  domain::PayloadPolicy policy;
  policy.validity = Days(config.payload_validity_days);
  policy.bootstrap.registry_profile = config.profile;
  policy.bootstrap.root_certificate = material.root_certificate;
  policy.bootstrap.issuing_certificate = material.issuing_certificate;
  policy.bootstrap.resolver = std::move(resolver);
  policy.bootstrap.trust_anchors = config.trust_anchors;
  return policy;
}

}  // namespace

Status CheckCrlUrl(const std::string& url) {
  if (csr_sign::ValidCrlUrl(url)) return Done{};
  return Named("pki.crl_url", Error::Make(Code::kFailed, "issuer_invalid",
                                          "must be an http:// or https:// URL in ASCII without white space"));
}

Result<Material> Material::Load(const Config& config) {
  Material material;
  auto root = signing::LoadCertificate(config.pki.root_certificate);
  if (!root) return Named("pki.root_certificate", root.error());
  material.root_certificate = std::move(*root);
  const UtcTime now = SystemClock().Now();
  auto resolver = ResolverOf(config.resolver, now);
  if (!resolver) return resolver.error();

  auto signer = signing::LoadSigner(config.pki.issuing_key, config.pki.issuing_certificate);
  if (!signer) return Named("pki.issuing_key", signer.error());
  material.signer = std::move(*signer);
  material.issuing_certificate = material.signer->certificate();
  if (auto chain = CheckChain(material.root_certificate, material.issuing_certificate, now); !chain)
    return chain.error();
  if (auto signs = signing::CheckSigner(*material.signer); !signs)
    return Named("pki.issuing_key", signs.error());

  auto certificate = CertificatePolicyOf(config.pki);
  if (!certificate) return certificate.error();
  domain::Policy& policy = material.policy;
  policy.zone = config.zone;
  policy.retry = config.retry;
  policy.renewal = config.renewal;
  // Resolvers count whole seconds: what one has asked for in the last moment of a second it may give for its TTL and almost
  // a second more.
  policy.renewal.tlsa_ttl = seconds(config.dns.tlsa_ttl) + seconds(1);
  policy.transfer = config.transfer;
  policy.visible_within = seconds(config.visible_within_seconds);
  policy.restore_within = std::chrono::hours(24) * config.restore_days;
  policy.certificate = std::move(*certificate);
  auto codes = signing::LoadCodeKey(config.code_key_file);
  if (!codes) return Named("authorisation.key_file", codes.error());
  policy.authorisation = {Bytes(codes->data(), codes->data() + codes->size()),
                          Days(config.code_validity_days)};
  material.intake_key = signing::DerivedKey(*codes, "registry intake 1");
  policy.payload = PayloadPolicyOf(config, material, std::move(*resolver));
  auto issuer = csr_sign::Issuer::Create(policy, *material.signer);
  if (!issuer) return Named("pki.issuing_certificate", issuer.error());
  material.issuer = std::make_unique<csr_sign::Issuer>(std::move(*issuer));
  return material;
}

}  // namespace registry::app
