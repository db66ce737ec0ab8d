// clients/dane/resolver.h: look-ups a device or an ASP may trust: over DNS-over-TLS to a resolver known by its
// pinned key, and validated here against given trust anchors, so that the resolver is believed in nothing.
// Owns: libgetdns contexts, each with one lasting TLS connection; one per thread that asks at the same time.
// Threads: all calls from any thread; a look-up, with all the questions it takes, blocks up to `timeout`, twice that
//   when a connection that lasted turns out to be dead. What the process does with SIGPIPE does not matter
//   (quiet_pipe.h).
// Errors: 2303 name_absent (proved: there is no such name, NXDOMAIN) and record_absent (proved: the name has no such
//   record, NODATA); 2306 dns_bogus (signatures do not lead to an anchor) and dns_insecure (proved: the zone is not
//   signed); 2400 resolver_unreachable (no connection, wrong key, no answer in time); 2005 trust_malformed.
// Caching: only what was asked with Freshness::kCached, only positive answers, at most their TTL, the TTL and the end
//   of their signatures, and 300 s (RFC 4035 §5.3.3). At most `cache_max` names; then one gives way, whichever it is.
// Spec: RFC 7858 §4.2 (pinned key), RFC 4035 §5 (validation), RFC 6698 (TLSA).
#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "clients/dane/tlsa.h"
#include "schemas/base/mutex.h"
#include "schemas/base/result.h"

struct getdns_dict;

namespace registry::clients {

struct GetdnsFree;
using Dict = std::unique_ptr<getdns_dict, GetdnsFree>;

struct ResolverTrust {
  std::string address;  // IPv4, or IPv6 without brackets
  std::uint16_t port = 853;
  Bytes spki_pin;                    // SHA-256 of the resolver's SubjectPublicKeyInfo
  std::vector<std::string> anchors;  // DNSKEY or DS, presentation form
  std::chrono::milliseconds timeout{5000};
  std::size_t cache_max = 4096;  // names
};

enum class Freshness { kNow, kCached };

// name_absent or record_absent: DNSSEC proves that there is nothing.
bool ProvedAbsent(const Error& error);

class GetdnsContext;
class ZoneKeys;

class DaneResolver {
 public:
  static Result<std::shared_ptr<DaneResolver>> Create(ResolverTrust trust);
  ~DaneResolver();

  Result<std::vector<TlsaRecord>> Tlsa(const std::string& owner, Freshness freshness);
  // The cached record set alone, and no look-up; nullopt: not cached, or too old.
  std::optional<std::vector<TlsaRecord>> Kept(const std::string& owner);
  // What is cached of it, and what a look-up now under way will bring, is not believed any longer.
  void Forget(const std::string& owner);
  Result<std::string> Address(const std::string& name);  // the first A record, cached

 private:
  using Clock = std::chrono::steady_clock;
  struct Cached {
    std::vector<TlsaRecord> records;
    Clock::time_point expiry;
  };
  void Keep(const std::string& owner, Cached cached, std::uint64_t forgotten_before);
  struct CachedAddress {
    std::string address;
    Clock::time_point expiry;
  };

  explicit DaneResolver(ResolverTrust trust);
  Result<Dict> Prove(const std::string& name, std::uint32_t type);
  std::unique_ptr<GetdnsContext> TakeIdle();
  void Return(std::unique_ptr<GetdnsContext> context, const Result<Dict>& reply);

  const ResolverTrust trust_;
  std::unique_ptr<ZoneKeys> keys_;
  Mutex mutex_;
  std::vector<std::unique_ptr<GetdnsContext>> idle_ GUARDED_BY(mutex_);
  std::unordered_map<std::string, Cached> tlsa_ GUARDED_BY(mutex_);
  std::uint64_t forgotten_ GUARDED_BY(mutex_) = 0;  // how often Forget was called
  std::map<std::string, CachedAddress> addresses_ GUARDED_BY(mutex_);
};

}  // namespace registry::clients
