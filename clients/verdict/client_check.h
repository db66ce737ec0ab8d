// clients/verdict/client_check.h: may this TLS client be served? Name, chain, dates, then TLSA under DNSSEC, then whether
// the device is this ASP's.
// Owns: the chain (chain.h) and the counters; shares the resolver; `own` outlives it.
// Threads: every call from any thread; it blocks for one look-up, or not at all when the answer is cached.
// Errors: the symbols of verdict.h. name_not_allowed is said before any look-up, so that a stranger cannot make this server
//   query names. device_not_claimed and device_not_active come last, so that only a device that has proved its name learns
//   whose it is. What cannot be found out is refused.
// Caching: as Options says. Cached, a withdrawn record is believed for its TTL at most (resolver.h), and no longer than
//   until Forget; not cached, it counts as soon as the resolver knows.
// Spec: RFC 5280 §6 (path), RFC 7671 §5.1 (DANE-EE), draft-ietf-dance-client-auth-13 (the name a client sends).
#pragma once

#include <openssl/x509.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "clients/dane/resolver.h"
#include "clients/verdict/chain.h"
#include "clients/verdict/client_domains.h"
#include "clients/verdict/counters.h"
#include "clients/verdict/own_devices.h"

namespace registry::clients {

// The draft knows dane_clientid alone. A client that does not send it may still be named by its certificate where the
// ASP's configuration says so.
enum class NameFrom { kExtension, kCertificate, kEither };

struct CheckOptions {
  Freshness freshness = Freshness::kNow;
  NameFrom name_from = NameFrom::kEither;
  std::size_t cache_max = 65536;  // certificates
  Whose whose = Whose::kOwn;
};

struct Judgement {
  Status status = Done{};
  std::string name, device;  // empty when they could not be told
};

// One question and its answer. nullopt: not asked, since an answer before it leaves nothing to ask.
struct Finding {
  std::string question;
  std::optional<Status> answer;
  std::string detail;
};

class ClientCheck {
 public:
  struct Trust {
    Bytes root, issuing;             // DER; of issuing CAs all, one behind the other
    std::vector<std::string> zones;  // whose devices are asked about
  };
  // `own` null: any device of the registry will do, and nothing is heard about them.
  static Result<std::unique_ptr<ClientCheck>> Create(const Trust& trust, const OwnDevices* own,
                                                     std::shared_ptr<DaneResolver> resolver,
                                                     const CheckOptions& options = {});

  // All of it, and counted. `sent`: what the client sent as dane_clientid.
  Judgement Judge(X509* certificate, const std::optional<std::string>& sent) const;
  // Every question, also those behind a wrong answer; never from the cache.
  std::vector<Finding> Explain(X509* certificate, const std::optional<std::string>& sent) const;

  // The parts: first the name, which is believed in nothing yet, then whether it is proved.
  Result<std::string> NameOf(X509* certificate, const std::optional<std::string>& sent = std::nullopt) const;
  Status Check(X509* certificate, const std::string& name) const;

  // A notification about this device has come: what was looked up of it may be wrong now.
  void Forget(const std::string& device) const;
  const ClientDomains& domains() const { return domains_; }
  Counters& counters() const { return counters_; }

 private:
  ClientCheck(const Trust& trust, const OwnDevices* own, std::shared_ptr<DaneResolver> resolver,
              const CheckOptions& options)
      : domains_(trust.zones), own_(own), resolver_(std::move(resolver)), options_(options) {}
  Result<std::vector<TlsaRecord>> RecordsOf(const std::string& name, Freshness freshness) const;
  // `der`: of the certificate, made once for all that is asked of it.
  Status CheckChain(X509* certificate, const Bytes& der) const;
  static Status Fits(const Result<std::vector<TlsaRecord>>& records, const Bytes& der);
  Status Mine(const std::string& name) const;

  const ClientDomains domains_;
  const OwnDevices* const own_;
  const std::shared_ptr<DaneResolver> resolver_;
  const CheckOptions options_;
  std::unique_ptr<Chain> chain_;
  mutable Counters counters_;
};

}  // namespace registry::clients
