// workers/domain/device.h: the registry's objects as plain values: device, endpoint, job.
// A record is what the ledger stores; its bytes are defined in bridge/ledger/FORMAT.md. Plain values, any thread.
#pragma once

#include <cstdint>
#include <map>
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
  std::vector<AuthorisationCode> codes;  // at most one for each purpose
  std::optional<Transfer> transfer;      // the last one
  ZoneRevisions zone;
  std::vector<TraceStep> trace;  // bounded: the last kTraceMax steps
  UtcTime created;
  UtcTime updated;
  std::vector<JobId> ended_jobs;  // the last kEndedJobsMax that its MNO was sent and that ended, oldest first
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

// Work that waits for somebody else; survives restarts (design §4). Stored: DO NOT CHANGE THESE NUMBERS.
enum class JobKind : std::uint8_t {
  kKeyGenerate = 1,
  kPayloadPush = 2,
  kAppletWipe = 3,
  kZoneVisible = 4,
};
std::string_view JobKindName(JobKind kind);

struct Job {
  JobId id;
  DeviceId device;
  JobKind kind = JobKind::kKeyGenerate;
  std::uint32_t attempt = 1;
  UtcTime created;
  UtcTime due;                // when it is retried, or failed after the last attempt
  std::uint64_t subject = 0;  // kPayloadPush: payload version; kZoneVisible: zone revision
  std::string last_stage;     // from do.progress
  std::uint64_t last_progress = 0;
  std::string body;  // data member of the command to be sent again, canonical JSON; empty for kZoneVisible
  std::optional<std::string> traceparent;  // of the command that caused it, for what a timer says later
  // Whom it is sent to; none for kZoneVisible, and in a record from before it was kept (the sponsor then).
  std::optional<PartyId> mno;
  bool unsent = false;  // waits until its MNO has room for it; `due` is then its place in the queue
  UtcTime sent;         // for the first time; 0 in a record from before it was kept: when it was created
};

// What one MNO has to do: jobs sent and not finished, and jobs that wait for room.
struct JobLoad {
  std::size_t open = 0;
  std::size_t unsent = 0;
  bool operator==(const JobLoad&) const = default;
};

}  // namespace registry::domain
