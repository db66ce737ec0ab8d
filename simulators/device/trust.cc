#include "simulators/device/trust.h"

#include <openssl/err.h>
#include <openssl/x509v3.h>

#include <chrono>
#include <ctime>

namespace registry::sim {
namespace {

Error Untrusted(std::string_view why) { return Error::Make(Code::kFailed, "bootstrap_untrusted", why); }

// Everything but the device's own name.
std::string ContentOf(const wire::Bootstrap& bootstrap) {
  std::string content = bootstrap.registry_profile;
  for (const Bytes* part :
       {&bootstrap.root_certificate, &bootstrap.issuing_certificate, &bootstrap.resolver.spki_pin}) {
    content += '\n';
    content += AsText(*part);
  }
  content += '\n' + bootstrap.resolver.address + '\n' + std::to_string(bootstrap.resolver.port);
  for (const std::string& anchor : bootstrap.trust_anchors) content += '\n' + anchor;
  return content;
}

// RFC 5280 §6, critical extensions and name constraints included. The dates are asked at each use.
bool LeadsTo(X509_STORE* authorities, X509* certificate, int purpose) {
  const std::unique_ptr<X509_STORE_CTX, Freeing<X509_STORE_CTX_free>> path(X509_STORE_CTX_new());
  const bool holds = path && X509_STORE_CTX_init(path.get(), authorities, certificate, nullptr) == 1 &&
                     X509_STORE_CTX_set_purpose(path.get(), purpose) == 1 &&
                     X509_verify_cert(path.get()) == 1;
  ERR_clear_error();
  return holds;
}

Status CheckChain(const RegistryTrust& trust) {
  if (!trust.root || !trust.issuing) return Untrusted("a certificate is malformed");
  const UtcTime now{std::chrono::duration_cast<std::chrono::microseconds>(
                        std::chrono::system_clock::now().time_since_epoch())
                        .count()};
  if (!InTime(trust.root.get(), now) || !InTime(trust.issuing.get(), now))
    return Untrusted("a certificate is not in time");
  if (X509_check_ca(trust.root.get()) != 1 || X509_check_ca(trust.issuing.get()) != 1)
    return Untrusted("not a CA");
  // RFC 5280 §4.2.1.9: of the path to a device's certificate the issuing one is in the middle.
  if (X509_get_pathlen(trust.root.get()) == 0) return Untrusted("the root allows no CA below it");
  if (!LeadsTo(trust.authorities.get(), trust.issuing.get(), X509_PURPOSE_ANY))
    return Untrusted("the issuing certificate is not the root's");
  return Done{};
}

}  // namespace

Result<std::shared_ptr<RegistryTrust>> TrustInCas(const Bytes& root_der, const Bytes& issuing_der) {
  auto trust = std::make_shared<RegistryTrust>();
  trust->root = ParseCertificate(root_der);
  trust->issuing = ParseCertificate(issuing_der);
  trust->authorities.reset(X509_STORE_new());
  X509_STORE* const authorities = trust->authorities.get();
  if (trust->root) X509_STORE_add_cert(authorities, trust->root.get());
  X509_STORE_set_flags(authorities, X509_V_FLAG_NO_CHECK_TIME);
  if (auto good = CheckChain(*trust); !good) return good.error();
  // The path from the issuing CA to the root is proved; from now on one may end here.
  X509_STORE_add_cert(authorities, trust->issuing.get());
  X509_STORE_set_flags(authorities, X509_V_FLAG_PARTIAL_CHAIN);
  trust->issuing_key = X509_get0_pubkey(trust->issuing.get());
  auto root = CertificateView::Of(root_der);
  auto issuing = CertificateView::Of(issuing_der);
  if (!root || !issuing) return Untrusted("a certificate is malformed");
  trust->root_view = *root;
  trust->issuing_view = *issuing;
  return trust;
}

namespace {

Result<std::shared_ptr<const RegistryTrust>> Build(const wire::Bootstrap& bootstrap) {
  auto trust = TrustInCas(bootstrap.root_certificate, bootstrap.issuing_certificate);
  if (!trust) return trust.error();
  ResolverTrust resolver{bootstrap.resolver.address, bootstrap.resolver.port, bootstrap.resolver.spki_pin,
                         bootstrap.trust_anchors};
  auto opened = DaneResolver::Create(std::move(resolver));
  if (!opened) return opened.error();
  (*trust)->resolver = *opened;
  return std::shared_ptr<const RegistryTrust>(std::move(*trust));
}

}  // namespace

Result<std::shared_ptr<const RegistryTrust>> TrustStore::Of(const wire::Bootstrap& bootstrap) {
  const std::string content = ContentOf(bootstrap);
  const MutexLock lock(mutex_);
  if (const auto found = known_.find(content); found != known_.end()) return found->second;
  auto built = Build(bootstrap);
  if (built) known_[content] = *built;
  return built;
}

bool RegistryTrust::Issued(X509* certificate) const {
  return X509_check_issued(issuing.get(), certificate) == X509_V_OK &&
         LeadsTo(authorities.get(), certificate, X509_PURPOSE_SSL_CLIENT);
}

bool InTime(const X509* certificate, UtcTime now) {
  std::time_t at = static_cast<std::time_t>(now.micros / 1'000'000);
  // X509_cmp_time never answers "equal", and 0 for a time it cannot read.
  return X509_cmp_time(X509_get0_notBefore(certificate), &at) < 0 &&
         X509_cmp_time(X509_get0_notAfter(certificate), &at) > 0;
}

OwnedCertificate ParseCertificate(const Bytes& der) {
  const std::uint8_t* at = der.data();
  OwnedCertificate certificate(d2i_X509(nullptr, &at, static_cast<long>(der.size())));
  ERR_clear_error();
  return at == der.data() + der.size() ? std::move(certificate) : nullptr;
}

}  // namespace registry::sim
