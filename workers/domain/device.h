// workers/domain/device.h: the registry's objects as plain values: device, endpoint.
// A record is what the ledger stores; its bytes are defined in bridge/ledger/FORMAT.md. Plain values, any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "schemas/base/bytes.h"
#include "schemas/base/utc_time.h"
#include "schemas/ids/ids.h"
#include "schemas/wire/messages.h"
#include "workers/domain/authorisation_code.h"
#include "workers/domain/binding.h"
#include "workers/domain/credential.h"
#include "workers/domain/device_status.h"
#include "workers/domain/profile.h"
#include "workers/domain/transfer.h"

namespace registry::domain {

// Stored: DO NOT CHANGE THESE NUMBERS.
enum class State : std::uint8_t {
  kRegistered = 1,
  kAttached = 2,
  kCertified = 3,
  kPublished = 4,
  kActive = 5,
  kDeactivated = 6,
  kDeleted = 7,  // tombstone
};
std::string_view StateName(State state);
std::optional<State> StateOf(std::string_view name);

// Revisions of what the zone shall hold for the device (see ZoneChange).
struct ZoneRevisions {
  std::uint64_t wanted = 0;   // content asked for last
  std::uint64_t visible = 0;  // content that every secondary served last
  bool operator==(const ZoneRevisions&) const = default;
};

// One step of an activation with its time: the trace an operator reads.
struct TraceStep {
  std::string
      step;  // "registered", "claimed", "attached", "key.generate", "certified", "published", "payload.push",
             // "delivered", "active", "deactivated", "withdrawn", ...
  UtcTime at;
};

// Work that was done or called off. Only whom it was sent to reports it late or once more, whoever serves the device then.
struct EndedJob {
  JobId id;
  PartyId to;
  bool operator==(const EndedJob&) const = default;
};

// Its identity is that of the eUICC: one device per EID. What its parts come to is asked through standing.h, and they
// change through device_steps.h.
struct Device {
  DeviceId id;
  std::uint64_t version = 0;  // set by the ledger: 1 at creation, +1 with every write
  State state = State::kRegistered;
  std::set<DeviceStatus> statuses;
  Eid eid;
  std::vector<Profile> profiles;  // in the order they came
  std::vector<Credential> credentials;
  std::vector<Binding> bindings;
  std::vector<AuthorisationCode> codes;  // at most one for each purpose and role
  std::optional<Transfer> transfer;      // the last one
  ZoneRevisions zone;
  std::vector<TraceStep> trace;  // bounded: the last kTraceMax steps
  UtcTime created;
  UtcTime updated;
  std::vector<EndedJob>
      ended_jobs;  // the last kEndedJobsMax that an MNO was sent and that ended, oldest first
  // Reactivated: what its applet made before may still be on its way, so a CSR names the job it answers.
  bool came_back = false;
};
inline constexpr std::size_t kTraceMax = 32;
inline constexpr std::size_t kEndedJobsMax = 8;

struct EndpointRecord {
  PartyId asp;
  wire::Endpoint endpoint;
  std::uint64_t version = 0;    // set by the ledger; also the revision told to the ASP
  Bytes legacy_json;            // container 08
  Bytes legacy_json_signature;  // container 09
  Bytes legacy_cert_signature;  // container 0A; empty when the trust is a TLSA name
};

}  // namespace registry::domain
