#include "simulators/device/trust.h"

#include <openssl/err.h>
#include <openssl/x509v3.h>

#include <chrono>
#include <ctime>

namespace registry::sim {
namespace {

Error Untrusted(std::string_view why) { return Error::Make(Code::kPolicy, "bootstrap_untrusted", why); }

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

Status CheckChain(const RegistryTrust& trust) {
  if (!trust.root || !trust.issuing) return Untrusted("a certificate is malformed");
  const UtcTime now{std::chrono::duration_cast<std::chrono::microseconds>(
                        std::chrono::system_clock::now().time_since_epoch())
                        .count()};
  if (!InTime(trust.root.get(), now) || !InTime(trust.issuing.get(), now))
    return Untrusted("a certificate is not in time");
  if (X509_check_ca(trust.root.get()) != 1 || X509_check_ca(trust.issuing.get()) != 1)
    return Untrusted("not a CA");
  if (X509_check_issued(trust.root.get(), trust.issuing.get()) != X509_V_OK ||
      X509_verify(trust.issuing.get(), X509_get0_pubkey(trust.root.get())) != 1) {
    return Untrusted("the issuing certificate is not the root's");
  }
  return Done{};
}

Result<std::shared_ptr<const RegistryTrust>> Build(const wire::Bootstrap& bootstrap) {
  auto trust = std::make_shared<RegistryTrust>();
  trust->root = ParseCertificate(bootstrap.root_certificate);
  trust->issuing = ParseCertificate(bootstrap.issuing_certificate);
  if (auto good = CheckChain(*trust); !good) return good.error();
  trust->issuing_key = X509_get0_pubkey(trust->issuing.get());
  auto root = CertificateView::Of(bootstrap.root_certificate);
  auto issuing = CertificateView::Of(bootstrap.issuing_certificate);
  if (!root || !issuing) return Untrusted("a certificate is malformed");
  trust->root_view = *root;
  trust->issuing_view = *issuing;
  ResolverTrust resolver{bootstrap.resolver.address, bootstrap.resolver.port, bootstrap.resolver.spki_pin,
                         bootstrap.trust_anchors};
  auto opened = DaneResolver::Create(std::move(resolver));
  if (!opened) return opened.error();
  trust->resolver = *opened;
  return std::shared_ptr<const RegistryTrust>(trust);
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
