// clients/verdict/chain.h: does a certificate lead to the registry's root, and is every certificate on the way in its time?
// Owns: the parsed CA certificates, and what it found of the certificates seen last.
// Threads: Judge from any thread.
// Errors (verdict.h): chain_invalid, certificate_expired; 2005 trust_malformed at the start.
// Caching: that a certificate's signature leads to the root cannot change, so it is asked once for each certificate; the
//   dates are asked each time. At most `cache_max` certificates are remembered, 100 octets each; then one gives way.
// The issuing certificates are taken from here, not from the client: a device sends its own alone. There are two or more
//   while the registry changes its issuing CA.
// A certificate that the registry does not make is refused like one of another CA: a key that is not on P-256, a signature
//   that is not ECDSA with SHA-256, a CA, a key that may not sign, the root instead of the issuing CA as its signer.
// Spec: RFC 5280 §6 (path), §4.1.2.5 (validity). Revocation is the missing TLSA record, not a CRL.
#pragma once

#include <openssl/x509.h>

#include <ctime>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "schemas/base/bytes.h"
#include "schemas/base/mutex.h"
#include "schemas/base/result.h"

namespace registry::clients {

class Chain {
 public:
  // `issuing`: one certificate in DER, or several one behind the other.
  static Result<std::unique_ptr<Chain>> Create(const Bytes& root, const Bytes& issuing,
                                               std::size_t cache_max);
  ~Chain();

  // `sha256`: the certificate's own digest, which its finder has computed already.
  Status Judge(X509* certificate, const std::string& sha256, std::time_t now) const;

 private:
  // When all certificates of a path are valid; from > until: never.
  struct Validity {
    std::time_t from = 0, until = 0;
    Status At(std::time_t now) const;
  };

  explicit Chain(std::size_t cache_max) : cache_max_(cache_max) {}
  void TrustIssuing(X509* issuing);
  // The CA that has issued it, when the path holds.
  Result<X509*> CheckPath(X509* certificate) const;
  static Validity Narrowed(Validity validity, const X509* certificate);

  const std::size_t cache_max_;
  X509_STORE* store_ = nullptr;
  X509* root_ = nullptr;
  std::vector<X509*> issuing_;
  mutable Mutex mutex_;
  mutable std::unordered_map<std::string, Validity> proved_ GUARDED_BY(mutex_);  // by digest
};

}  // namespace registry::clients
