#include "bridge/app/material.h"

#include <openssl/evp.h>
#include <openssl/x509.h>

#include <fstream>
#include <sstream>

#include "bridge/app/certificates.h"
#include "bridge/app/zone_keys_kept.h"
#include "bridge/clock.h"
#include "bridge/signing/code_key.h"
#include "bridge/signing/key_file.h"
#include "bridge/signing/rolling_signer.h"
#include "bridge/signing/signer.h"
#include "workers/crypto/digest.h"

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

// RFC 7858 §4.2: what a stub pins of its resolver.
Result<Bytes> SpkiDigest(const Bytes& certificate_der) {
  const unsigned char* at = certificate_der.data();
  const X509Owner certificate(d2i_X509(nullptr, &at, static_cast<long>(certificate_der.size())), X509_free);
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
  if (auto sound = CheckServer("resolver", config.name, *certificate, now); !sound) return sound.error();
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

std::string DigestOfFile(const std::string& file) {
  std::ostringstream text;
  if (!file.empty()) text << std::ifstream(file, std::ios::binary).rdbuf();
  return ToHex(crypto::Sha256OfText(text.str()));
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

// Of an issuing CA beside the present one. None: it has ended, so it is not needed, and must not keep registryd from
// starting.
Result<std::optional<Bytes>> OtherCertificate(const std::string& file, const std::string& key,
                                              const Bytes& root, UtcTime now) {
  auto certificate = signing::LoadCertificate(file);
  if (!certificate) return Named(key.c_str(), certificate.error());
  if (HasEnded(*certificate, now)) return std::optional<Bytes>();
  if (auto chain = CheckChain(root, *certificate, now, key); !chain) return chain.error();
  return std::optional(std::move(*certificate));
}

Status AddFormer(const Config& config, UtcTime now, Material& material) {
  std::vector<std::unique_ptr<domain::Signer>> signers;
  for (const OtherIssuingConfig& former : config.former_issuing) {
    auto certificate =
        OtherCertificate(former.certificate, "former_issuing.certificate", material.root_certificate, now);
    if (!certificate) return certificate.error();
    if (!*certificate) continue;
    if (former.key.empty()) {
      material.keyless.push_back(std::move(**certificate));
      continue;
    }
    auto signer = signing::LoadSigner(former.key, former.certificate);
    if (!signer) return Named("former_issuing.key", signer.error());
    if (auto signs = signing::CheckSigner(**signer); !signs)
      return Named("former_issuing.key", signs.error());
    material.former.push_back({signer->get(), former.crl_file});
    signers.push_back(std::move(*signer));
  }
  if (!signers.empty())
    material.signer =
        std::make_unique<signing::RollingSigner>(std::move(material.signer), std::move(signers));
  return Done{};
}

// Its key is not needed yet: a token that is away must not keep registryd from starting.
Status AddComing(const Config& config, UtcTime now, Material& material) {
  for (const OtherIssuingConfig& coming : config.coming_issuing) {
    auto certificate =
        OtherCertificate(coming.certificate, "coming_issuing.certificate", material.root_certificate, now);
    if (!certificate) return certificate.error();
    if (*certificate) material.coming.push_back(std::move(**certificate));
  }
  return Done{};
}

}  // namespace

std::vector<Bytes> Material::Authorities() const {
  std::vector<Bytes> all{root_certificate, issuing_certificate};
  for (const Former& each : former) all.push_back(each.signer->certificate());
  all.insert(all.end(), keyless.begin(), keyless.end());
  all.insert(all.end(), coming.begin(), coming.end());
  return all;
}

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
  if (auto former = AddFormer(config, now, material); !former) return former.error();
  if (auto coming = AddComing(config, now, material); !coming) return coming.error();

  auto certificate = CertificatePolicyOf(config.pki);
  if (!certificate) return certificate.error();
  material.blocked_keys = DigestOfFile(config.pki.blocked_keys);
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
  material.zone_keys_key = signing::DerivedKey(*codes, kZoneKeysUse);
  policy.payload = PayloadPolicyOf(config, material, std::move(*resolver));
  auto issuer = csr_sign::Issuer::Create(policy, *material.signer);
  if (!issuer) return Named("pki.issuing_certificate", issuer.error());
  material.issuer = std::make_unique<csr_sign::Issuer>(std::move(*issuer));
  return material;
}

}  // namespace registry::app
