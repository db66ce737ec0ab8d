// workers/domain/changeset.h: what one decision wants to write, as one value. The ledger takes it whole or not at all.
// Workers build it, ingest adds the event mark, bridge/ledger commits it. Plain values, any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "workers/domain/device.h"
#include "workers/domain/job.h"
#include "workers/domain/order.h"

namespace registry::domain {

// Ready for the broker. Order of commit is order of publishing.
struct OutgoingMessage {
  std::string topic;
  std::string payload;
  std::string correlation_data;  // MQTT5 §3.3.2.3.6, echoed; empty when the request had none
};

// A notification before its party's feed has given it a number. The relay renders the envelope with the number.
struct Notification {
  PartyId to;
  std::string type;  // "device.activated"
  EventId id;
  UtcTime time;
  std::string data;  // canonical JSON of the data member
  std::optional<EventId> cause;
  std::optional<std::string> traceparent;
};

// Proof that a command was executed: source + id, with the digest that tells duplicate from conflict and the reply that
// a duplicate gets again, byte for byte.
struct EventMark {
  PartyId source;
  EventId id;
  UtcTime at;
  // SHA-256 per part, so that a conflict can name the first differing one: "command", "type", "time", "data/<member>"; or
  // "data" in one piece, of a command whose data is not what its schema says. Older marks have "subject" as well.
  std::vector<std::pair<std::string, Bytes>> digests;
  OutgoingMessage reply;
};

// Days since 1970-01-01 in UTC, by which event marks are forgotten; what lies before is of day 0.
using Day = std::uint64_t;
inline constexpr std::int64_t kDayMicros = std::int64_t{86'400'000'000};
constexpr Day DayOf(UtcTime time) { return time.micros < 0 ? 0 : static_cast<Day>(time.micros / kDayMicros); }

// Which event mark is forgotten with which day.
struct DayMark {
  Day day = 0;
  PartyId source;
  EventId id;
  auto operator<=>(const DayMark&) const = default;
};

// What the zone shall hold for a device's name from now on. Empty tlsa and no note: the name goes (NXDOMAIN).
struct TlsaRecord {
  std::uint8_t usage = 3, selector = 0, matching = 1;
  Bytes data;
  bool operator==(const TlsaRecord&) const = default;
};
struct ZoneChange {
  DeviceId device;
  std::uint64_t revision = 0;  // Device::zone.wanted this content belongs to
  std::vector<TlsaRecord> tlsa;
  std::string note;  // TXT, e.g. "state=deactivated": the name exists without TLSA
  bool operator==(const ZoneChange&) const = default;
};

// RFC 5280 §5: an entry of the next CRL.
struct Revocation {
  Bytes serial;
  UtcTime at;
  std::uint8_t reason = 0;  // CRLReason
  UtcTime certificate_not_after;
};

// Values that may belong to one device only. Stored: DO NOT CHANGE THESE NUMBERS.
enum class UniqueKind : std::uint8_t {
  kEid = 1,
  kIccid = 2,
  kPublicKey = 3,  // SHA-256 of the SubjectPublicKeyInfo of every key ever certified; never released
  kSerial = 4,
  kAgreementKey = 5,  // the same of a key-agreement key that is not the certified one; released with the EID
  kTransfer = 6,      // id of the device's last transfer
};
struct UniqueValue {
  UniqueKind kind = UniqueKind::kEid;
  Bytes value;
};

struct HistoryEntry {
  UtcTime at;
  PartyId actor;     // the party whose command caused it, "registry" for timers and DNS
  DeviceId device;   // the nil UUID (RFC 9562 §5.9): no single device, e.g. an endpoint
  std::string what;  // "registered", "certified serial=…", never a private identifier
  std::optional<EventId> cause;
};

// What arrived but cannot be answered (no party, no parsable topic): kept for an operator.
struct DeadLetter {
  UtcTime at;
  std::string topic;    // first kDeadLetterTopicMax octets
  std::string payload;  // first kDeadLetterMax octets
  std::string reason;
};
inline constexpr std::size_t kDeadLetterMax = 4096;
inline constexpr std::size_t kDeadLetterTopicMax = 1024;  // of up to 65,535 (MQTT5 §1.5.4)

struct DevicePut {
  Device device;
  std::uint64_t expected_version = 0;  // 0: must not exist
};
struct EndpointPut {
  EndpointRecord endpoint;
  std::uint64_t expected_version = 0;
};
// A decision that leads a device to an endpoint rests on it as it was read: else a device could be bound to one that is just
// withdrawn, or be given what was just replaced. Commit fails with kStale when it moved or went.
struct EndpointSeen {
  EndpointKey endpoint;
  std::uint64_t version = 0;
};
// Commit fails with kStale when it moved, and as long as a device is bound to it (DeviceGroup::At).
struct EndpointErase {
  EndpointKey endpoint;
  std::uint64_t expected_version = 0;
};
struct FeedAcked {
  PartyId party;
  std::uint64_t seq = 0;
};

// No more than `max` jobs of this MNO may be open with this changeset, or it fails with kStale: it was decided when
// there was room.
struct OpenBound {
  PartyId mno;
  std::size_t max = 0;
};

struct Changeset {
  std::optional<EventMark> mark;  // commit fails with kEventKnown when source + id is already marked
  std::vector<DevicePut> devices;
  std::vector<EndpointPut> endpoints;
  std::vector<EndpointErase> endpoints_erase;
  std::vector<EndpointSeen> endpoints_seen;
  std::vector<std::pair<UniqueValue, DeviceId>>
      claims;  // commit fails with kStale when another device holds it
  std::vector<UniqueValue> releases;
  std::vector<Job> jobs_put;
  std::vector<JobId> jobs_erase;  // unknown ones are ignored
  std::vector<OpenBound> open_bounds;
  std::vector<HistoryEntry> history;
  std::vector<OutgoingMessage> messages;
  std::vector<Notification> notifications;
  std::vector<ZoneChange> zone;
  std::vector<Revocation> revocations;
  std::vector<DeadLetter> dead_letters;
  std::vector<FeedAcked> feed_acks;
  std::vector<OrderPut> orders;  // commit fails with kStale when an order moved
  std::vector<OrderItem> order_items;
  std::vector<OrderId> orders_erase;  // with their items; before those that are put
  std::optional<Day> marks_from;      // marks of days before are to be forgotten; only forward
  // In order, none between them left out; commit fails with kStale unless their days are before a marks_from that was
  // committed earlier.
  std::vector<DayMark> marks_erase;
  std::vector<Bytes> revocations_erase;  // serials; unknown ones are ignored
  bool though_refused = false;  // stands although its command is refused (RefuseButKeep); no record says so

  bool empty() const;
};

}  // namespace registry::domain
