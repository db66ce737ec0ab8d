// simulators/device/trust.h: what a device may believe, from its bootstrap: the registry's two certificates,
// the resolver with its key, the DNSSEC anchors. Checked once per content and shared by every device that was
// given the same; the dates of its certificates are checked again at each use (payload.h).
// Owns: parsed certificates and the resolver's connections. Threads: const, any thread; TrustStore from any
//   thread.
// Errors: 2400 bootstrap_untrusted (the chain does not hold), 2005 trust_malformed.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "clients/dane/resolver.h"
#include "schemas/base/mutex.h"
#include "schemas/wire/messages.h"
#include "simulators/device/owned.h"

namespace registry::sim {

using clients::CertificateView;
using clients::DaneResolver;
using clients::Freshness;
using clients::kDaneEe;
using clients::kDaneTa;
using clients::ProvedAbsent;
using clients::ResolverTrust;

struct RegistryTrust {
  OwnedCertificate root, issuing;
  EVP_PKEY* issuing_key = nullptr;  // borrowed from `issuing`, decoded once
  CertificateView root_view, issuing_view;
  std::unique_ptr<X509_STORE, Freeing<X509_STORE_free>> authorities;
  std::shared_ptr<DaneResolver> resolver;

  // By the issuing CA itself, for a TLS client; RFC 5280 §6 but for the dates.
  bool Issued(X509* certificate) const;
};

// What a payload can be judged with: the two CAs alone, without a resolver. Refused where `issuing` is not below `root`.
Result<std::shared_ptr<RegistryTrust>> TrustInCas(const Bytes& root, const Bytes& issuing);

class TrustStore {
 public:
  Result<std::shared_ptr<const RegistryTrust>> Of(const wire::Bootstrap& bootstrap);

 private:
  Mutex mutex_;
  std::map<std::string, std::shared_ptr<const RegistryTrust>> known_ GUARDED_BY(mutex_);
};

bool InTime(const X509* certificate, UtcTime now);    // RFC 5280 §4.1.2.5
OwnedCertificate ParseCertificate(const Bytes& der);  // null unless it is one whole certificate

}  // namespace registry::sim
