// workers/domain/policy.h: what an operator configures and decisions follow, as one value with each thing once. Whoever
// decides is given it whole. Plain values, any thread; immutable while decisions are made.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <set>
#include <string>

#include "schemas/wire/messages.h"
#include "workers/domain/retry_plan.h"

namespace registry::domain {

// What a TLSA record says of a certificate (RFC 6698 §2.1.2): the whole of it (3 0 1) or its key (3 1 1).
enum class TlsaProfile { kCertificate, kPublicKey };

struct CertificatePolicy {
  std::chrono::seconds validity{365 * 86400};
  std::chrono::seconds backdate{300};
  std::string crl_url;           // CRL distribution point, none when empty
  std::uint32_t crl_shards = 0;  // so many distribution points beside it, one for each certificate; 0: none
  TlsaProfile tlsa = TlsaProfile::kCertificate;
  std::function<bool(const Bytes& spki_sha256)> key_blocked = [](const Bytes&) { return false; };
};

struct PayloadPolicy {
  wire::Bootstrap bootstrap;                  // device_name is filled per device
  std::chrono::seconds validity{30 * 86400};  // of a payload
};

struct AuthorisationPolicy {
  Bytes key;                                  // codes are computed under it (workers/lifecycle/code_text.h)
  std::chrono::seconds validity{14 * 86400};  // of a code, where nothing else is asked for
};

// When a certificate is replaced, and how carefully (life.md §4).
struct RenewalPolicy {
  int from_percent = 66;               // of a certificate's time; below 100 - jitter_percent
  int jitter_percent = 10;             // of it, so that what was issued together is not renewed together
  std::chrono::seconds tlsa_ttl{60};   // how long a resolver may keep what the zone held before
  std::chrono::seconds again{86'400};  // after a step that failed for good
  bool operator==(const RenewalPolicy&) const = default;
};

// Who decides a transfer when the losing party does not.
struct TransferPolicy {
  std::chrono::seconds decide_within{5 * 86400};  // what the losing party has, from the request
  bool approve_unanswered = false;                // what becomes of a request without an answer then
  std::set<PartyId> auto_approve;                 // losing parties that need not be asked: the code is enough

  bool operator==(const TransferPolicy&) const = default;
};

struct Policy {
  std::string zone;                                // names of devices end in ._device.<zone>
  RetryPlans retry;                                // of actions to MNOs
  std::chrono::seconds restore_within{5 * 86400};  // how long a deleted device can be restored
  std::chrono::seconds visible_within{120};        // alarm when DNS has not shown a change by then
  CertificatePolicy certificate;
  PayloadPolicy payload;
  AuthorisationPolicy authorisation;
  RenewalPolicy renewal;
  TransferPolicy transfer;
};

}  // namespace registry::domain
