// workers/domain/decision.h: the shape of every decision: Decide(command, case) -> Result<reply> on a command, where an
// Error is the rejection the sender gets; and DecideX(occasion, case) -> Status on what the registry does by itself, where
// an Error means that it could not be decided. Whatever stands in the case's changes is dropped then; of a command only
// the event mark is written, and what RefuseButKeep has put there.
// Pure: no sockets, files, threads or clocks. Plain values; what a case refers to outlives it.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>

#include "schemas/base/result.h"
#include "schemas/wire/codec.h"
#include "workers/domain/changeset.h"
#include "workers/domain/policy.h"
#include "workers/domain/view.h"

namespace registry::domain {

// Who sent the command, as the broker vouched for it. Of what the registry decides by itself see OwnOrigin (compose.h).
struct Origin {
  PartyId party;
  wire::Role role = wire::Role::kMno;
  std::optional<EventId>
      id;  // of the command, which is the cause of all that follows; empty when there is none
};

using Reply = nlohmann::json;  // data of the accepted reply; ingest wraps it

struct Decision {
  Changeset changes;
  Reply reply;
};

// A private key that signs, and the certificate that vouches for it. The key may be a file or a PKCS#11 object; the
// worker never sees it. Sign is safe from any thread and may compute for long, but never waits for other parties.
class Signer {
 public:
  virtual ~Signer() = default;
  virtual Result<Bytes> Sign(const Bytes& message) const = 0;  // ECDSA with SHA-256, DER Ecdsa-Sig-Value
  virtual const Bytes& certificate() const = 0;                // DER
};

// One decision's: what is given, and what comes of it beside the reply.
struct Case {
  const Origin& origin;
  const View& view;
  const Context& context;
  const Policy& policy;
  const Signer& signer;
  Changeset changes{};
};

// The command is refused, and this is written with its mark all the same; whatever else stood in the changes goes. Of a
// refusal that says "later" (2400, 2502) nothing is written.
inline Error RefuseButKeep(Error why, Changeset kept, Case& at) {
  at.changes = std::move(kept);
  at.changes.though_refused = true;
  return why;
}

}  // namespace registry::domain
