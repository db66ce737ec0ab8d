// bridge/ledger/ledger.h: the durable record of admitted events and resulting state, in domain words.
// No keys, no iterators, no open transaction handle cross this port; two backends (memory/, rocksdb/) pass
// one conformance suite. Layout of records and column families: FORMAT.md.
// Threads: every call is safe from any thread. CommitLater hands a changeset over and comes back; those that wait share
//   one synced write, so many should be under way at once. `done` is called once for each, by the backend's own thread
//   or inside CommitLater: it must be quick, wait for nothing and commit nothing, for the next commit waits for it.
//   Commit is CommitLater and a wait.
// Order: commits are totally ordered, those of one caller as it called, and `done` is called in that order; every reader
//   sees a commit when its `done` is called, never before it is durable. Inside a changeset releases come before
//   claims, erased jobs before put ones, feed acknowledgements before notifications.
// Errors: symbol says which. kEventKnown: the mark exists, read FindEvent again. kStale: a version or a
//   unique claim moved, or an MNO has no room for one more job; decide again from a fresh view. Or an event mark is kept
//   that was to be erased.
//   kLedgerFailed: the disk refused; the backend then refuses everything until it is opened again.
// Limits: options of the backend bound waiting commits; at the bound CommitLater waits for room.
// End: what was handed over is committed and answered before the destructor returns.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "schemas/base/result.h"
#include "workers/domain/changeset.h"
#include "workers/domain/view.h"

namespace registry::ledger {

using Seq = std::uint64_t;  // position; 0 is before the first

inline constexpr std::string_view kStale = "stale";
inline constexpr std::string_view kEventKnown = "event_known";
using domain::kLedgerFailed;
// A stored record is not what was written, the folder is another process's, or a newer version wrote it.
inline constexpr std::string_view kLedgerDamaged = "ledger_damaged";
inline constexpr std::string_view kLedgerInUse = "ledger_in_use";
inline constexpr std::string_view kLedgerNewer = "ledger_newer";
// Nothing is there (a volume that is not mounted), or something without a ledger's mark.
inline constexpr std::string_view kLedgerMissing = "ledger_missing";
inline constexpr std::string_view kLedgerUnmarked = "ledger_unmarked";
// A folder from before devices had places, or marks days; it gets them when it is opened for writing.
inline constexpr std::string_view kLedgerUnindexed = "ledger_unindexed";

// Dead letters come from anybody, so they are bounded: above this the oldest are forgotten.
inline constexpr Seq kDeadLettersKept = 100'000;

// Whoever carries committed intentions out of the ledger. Stored: DO NOT CHANGE THESE NUMBERS.
enum class Sink : std::uint8_t { kMqtt = 1, kZone = 2, kCrl = 3 };

struct FeedItem {
  Seq seq = 0;  // in the party's feed, from 1 without a gap
  domain::Notification notification;
};

struct OutboxEntry {
  Seq seq = 0;  // per sink, increasing, gaps allowed
  std::variant<domain::OutgoingMessage, FeedItem, domain::ZoneChange, domain::Revocation> item;
};

struct HistoryRecord {
  Seq seq = 0;  // global, from 1 without a gap
  domain::HistoryEntry entry;
  Bytes hash;  // SHA-256(previous hash || encoded entry); the hash before seq 1 is 32 zero octets
};

struct SinkState {
  Seq cursor = 0;     // every entry up to here has arrived
  std::string state;  // the sink's own few octets, e.g. the zone's SOA serial
};

// Marks of days before `from` are to be forgotten: they are gone, or go soon. No mark of such a day comes any more.
struct MarksKept {
  domain::Day from = 0;
  std::uint64_t forgotten = 0;  // so far
};

struct FeedState {
  Seq last = 0;
  Seq acked = 0;
};

// Which jobs count as due: those whose time has come, and those put off beyond `latest`, further than anybody can have
// meant: the clock was ahead when they were, and has been set back since.
struct DueTimes {
  DueTimes(UtcTime at, UtcTime beyond = {INT64_MAX})
      : now(at), latest(beyond) {}  // NOLINT: a time alone is one
  bool Hold(UtcTime due) const { return due <= now || due > latest; }
  UtcTime now, latest;
};

class LedgerReader : public domain::View {
 public:
  virtual Result<std::optional<domain::EventMark>> FindEvent(const PartyId& source,
                                                             const EventId& id) const = 0;
  // Entries of one sink after `after`, at most `limit`; waits up to `wait` when there are none yet. Ends before
  // an entry that cannot be read; an error, with its number, when that is the first one.
  virtual Result<std::vector<OutboxEntry>> OutboxAfter(Sink sink, Seq after, std::size_t limit,
                                                       std::chrono::milliseconds wait) const = 0;
  virtual Result<Seq> OutboxLast(Sink sink) const = 0;
  virtual Result<SinkState> LoadSink(Sink sink) const = 0;
  // Jobs that were sent (or are not for an MNO). Earliest first, then what is put off too far, the latest first.
  virtual Result<std::vector<domain::Job>> JobsDue(DueTimes times, std::size_t limit) const = 0;
  // Jobs that wait until this MNO has room for them, in the order of their due times.
  virtual Result<std::vector<domain::Job>> JobsUnsent(const PartyId& mno, std::size_t limit) const = 0;
  // Every MNO that has something to do, or something that waits for it.
  using MnoLoad = std::pair<PartyId, domain::JobLoad>;
  virtual Result<std::vector<MnoLoad>> JobLoads() const = 0;
  virtual Result<FeedState> LoadFeed(const PartyId& party) const = 0;
  virtual Result<std::vector<FeedItem>> FeedFrom(const PartyId& party, Seq from, std::size_t limit) const = 0;
  // Devices in order of id, after `after`; tombstones included.
  virtual Result<std::vector<domain::Device>> DevicesAfter(const std::optional<DeviceId>& after,
                                                           std::size_t limit) const = 0;
  virtual Result<std::vector<HistoryRecord>> HistoryAfter(Seq after, std::size_t limit) const = 0;
  virtual Result<std::vector<HistoryRecord>> HistoryOf(const DeviceId& device) const = 0;
  // Which entries are found as a device's own, in order of device and number; for Verify.
  using HistoryPlace = std::pair<DeviceId, Seq>;
  virtual Result<std::vector<HistoryPlace>> HistoryPlacesAfter(const std::optional<HistoryPlace>& after,
                                                               std::size_t limit) const = 0;
  // The content wanted last for every name that exists in the zone, in order of device id, after `after`.
  virtual Result<std::vector<domain::ZoneChange>> ZoneAfter(const std::optional<DeviceId>& after,
                                                            std::size_t limit) const = 0;
  virtual Result<std::vector<domain::Revocation>> Revocations() const = 0;
  virtual Result<std::vector<std::pair<Seq, domain::DeadLetter>>> DeadLettersAfter(
      Seq after, std::size_t limit) const = 0;
  // Every place of every device with what it says, in order; for Verify. kLedgerUnindexed where there are none yet.
  using Placed = std::pair<domain::DevicePlace, domain::DeviceBrief>;
  virtual Result<std::vector<Placed>> PlacesAfter(const std::optional<domain::DevicePlace>& after,
                                                  std::size_t limit) const = 0;
  // Every event mark, in an order of the backend's own that stays; for Verify.
  using EventKey = std::pair<PartyId, EventId>;
  using EndpointKey = domain::EndpointKey;
  // As FindUnique and FindEvent, many questions in one round trip, answered in their order; for Verify.
  virtual Result<std::vector<std::optional<DeviceId>>> FindUniques(
      const std::vector<domain::UniqueValue>& values) const;
  virtual Result<std::vector<std::optional<domain::EventMark>>> FindEvents(
      const std::vector<EventKey>& wanted) const;
  virtual Result<std::vector<domain::EventMark>> EventsAfter(const std::optional<EventKey>& after,
                                                             std::size_t limit) const = 0;
  // Every event mark under the day it is forgotten with, in order: the day it was made, or the first that is kept where a
  // clock was behind that. kLedgerUnindexed where there are none yet.
  virtual Result<std::vector<domain::DayMark>> DayMarksAfter(const std::optional<domain::DayMark>& after,
                                                             std::size_t limit) const = 0;
  virtual Result<MarksKept> LoadMarksKept() const = 0;
};

class Ledger : public LedgerReader {
 public:
  using WhenDone = std::function<void(Status)>;
  // All or nothing, durable when `done` says so; feed numbers, record versions and the hash chain are set here.
  virtual void CommitLater(domain::Changeset changeset, WhenDone done) = 0;
  Status Commit(domain::Changeset changeset);
  // How many changesets were committed since it was opened.
  virtual std::uint64_t changesets() const = 0;
  // A sink's cursor, only forward (a smaller one is ignored). Entries up to it may be forgotten and are not
  // told any more. `durable` false: may be lost with power, the sink then repeats.
  virtual Status Advance(Sink sink, const SinkState& state, bool durable) = 0;
  // Wakes every OutboxAfter that waits, for a clean stop.
  virtual void WakeAll() = 0;
  // Where several write (PostgresOptions::shared): what others had committed before this call is seen by every call that
  // begins behind it. Elsewhere nothing is left to be seen.
  virtual Status CatchUp() { return Done{}; }
  // What others have committed, told when it is seen here: from the backend's own thread, must be quick, wait for nothing
  // and commit nothing. Set it once, before the first commit.
  struct Others {
    bool jobs = false, orders = false;  // some were put or erased
  };
  // NOLINTNEXTLINE(performance-unnecessary-value-param): who overrides it keeps it
  virtual void WhenOthersWrote(std::function<void(const Others&)>) {}
};

struct VerifyReport {
  std::uint64_t history_entries = 0;
  std::uint64_t devices = 0;
  bool indexed = true;              // false: kLedgerUnindexed, so the places of devices were not compared
  std::vector<std::string> faults;  // empty: sound
};
// Recomputes the hash chain and every invariant of FORMAT.md from a reader.
Result<VerifyReport> Verify(const LedgerReader& reader);

std::unique_ptr<Ledger> OpenMemoryLedger();

}  // namespace registry::ledger
