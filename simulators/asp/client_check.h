// simulators/asp/client_check.h: may this client certificate be served? Name, chain, dates, then TLSA under DNSSEC, then
// whether the device is this ASP's.
// Owns: the parsed CA certificates; shares the resolver; `customers` outlives it.
// Threads: Check from any thread; it blocks for one look-up.
// Errors (symbol = what the device is told): name_missing, name_not_allowed (not <uuid>._device.<zone>; asked before
//   any look-up, so that a stranger cannot make this server query names), chain_invalid, certificate_expired,
//   tlsa_missing, tlsa_mismatch, and the resolver's dns_bogus, resolver_unreachable; device_not_claimed and
//   device_not_active, last, so that only a device that has proved its name learns whose it is.
// Caching: that the issuing certificate is the root's, which cannot change; their dates are asked each time. Otherwise
//   none, so that a withdrawn record is seen as soon as the resolver sees it.
// Spec: RFC 5280 §6 (path), RFC 7671 §5.1 (DANE-EE), draft-ietf-dance-client-auth (name from the SAN, allow-list).
#pragma once

#include <openssl/x509.h>

#include <memory>
#include <string>

#include "simulators/asp/customers.h"
#include "simulators/dane/resolver.h"

namespace registry::sim {

class ClientCheck {
 public:
  struct Trust {
    Bytes root, issuing;  // DER
    std::string zone;
  };
  static Result<std::unique_ptr<ClientCheck>> Create(const Trust& trust, const Customers& customers,
                                                     std::shared_ptr<DaneResolver> resolver);
  ~ClientCheck();

  // The name, from the certificate's only dNSName.
  Result<std::string> NameOf(X509* certificate) const;
  Status Check(X509* certificate, const std::string& name) const;

 private:
  explicit ClientCheck(const Customers& customers) : customers_(customers) {}
  void TrustIssuing();
  Status CheckRootDates() const;
  Status CheckChain(X509* certificate) const;

  const Customers& customers_;
  std::string suffix_;  // "._device.<zone>"
  X509_STORE* store_ = nullptr;
  X509 *root_ = nullptr, *issuing_ = nullptr;
  std::shared_ptr<DaneResolver> resolver_;
};

}  // namespace registry::sim
