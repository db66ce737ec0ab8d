#include "bridge/ledger/keyed/change.h"

#include "bridge/ledger/fields.h"

namespace registry::ledger {
namespace {

constexpr char kChangeVersion = 1;

// As they are written: what is left out by the grammar is 0 or empty here, too.
struct ToldFeed {
  PartyId party;
  Seq last = 0, acked = 0;
};
struct ToldSink {
  std::uint64_t sink = 0;
  Seq cursor = 0;
  std::string state;
};
struct ToldJob {
  JobId id;
  bool erased = false;
  DeviceId device;
  UtcTime due;
  std::optional<PartyId> mno;
  bool unsent = false;
};
struct ToldDevice {
  DeviceId device;
  std::uint64_t version = 0;
};
struct ToldChange {
  std::string head;
  std::vector<ToldFeed> feeds;
  std::vector<ToldSink> sinks;
  std::vector<ToldJob> jobs;
  std::vector<ToldDevice> devices;
  bool orders = false;
};

template <class A, Is<ToldFeed> T>
void Fields(A& archive, T& feed) {
  archive(1, feed.party);
  archive(2, feed.last);
  archive(3, feed.acked);
}

template <class A, Is<ToldSink> T>
void Fields(A& archive, T& sink) {
  archive(1, sink.sink);
  archive(2, sink.cursor);
  archive(3, sink.state);
}

template <class A, Is<ToldJob> T>
void Fields(A& archive, T& job) {
  archive(1, job.id);
  archive(2, job.erased);
  archive(3, job.device);
  archive(4, job.due);
  archive(5, job.mno);
  archive(6, job.unsent);
}

template <class A, Is<ToldDevice> T>
void Fields(A& archive, T& device) {
  archive(1, device.device);
  archive(2, device.version);
}

template <class A, Is<ToldChange> T>
void Fields(A& archive, T& change) {
  archive(1, change.head);
  archive(2, change.feeds);
  archive(3, change.sinks);
  archive(4, change.jobs);
  archive(5, change.devices);
  archive(6, change.orders);
}

ToldJob ToldOf(const JobId& id, const std::optional<JobTable::Entry>& entry) {
  if (!entry) return {id, true, {}, {}, {}, false};
  return {id, false, entry->device, entry->due, entry->mno, entry->unsent};
}

std::optional<JobTable::Entry> EntryOf(const ToldJob& job) {
  if (job.erased) return std::nullopt;
  return JobTable::Entry{job.device, job.due, job.mno, job.unsent};
}

Error NoChange(std::string_view symbol, const char* why) {
  return Error::Make(Code::kFailed, symbol, std::string("what another node changed ") + why);
}

Result<Change> OfTold(const ToldChange& told) {
  Change change;
  if (!told.head.empty()) {
    auto head = Decode<Head>(told.head);
    if (!head) return head.error();
    change.head = std::move(*head);
  }
  for (const ToldFeed& feed : told.feeds)
    change.feeds.emplace_back(feed.party, FeedState{feed.last, feed.acked});
  for (const ToldSink& sink : told.sinks) {
    if (sink.sink < 1 || sink.sink > kAllSinks.size())
      return NoChange(kLedgerNewer, "concerns a sink that is not known here");
    change.sinks.emplace_back(static_cast<Sink>(sink.sink), SinkState{sink.cursor, sink.state});
  }
  for (const ToldJob& job : told.jobs) change.jobs.emplace_back(job.id, EntryOf(job));
  for (const ToldDevice& device : told.devices) change.devices.emplace_back(device.device, device.version);
  change.orders = told.orders;
  return change;
}

}  // namespace

std::string EncodeChange(const Change& change) {
  ToldChange told;
  if (change.head) told.head = Encode(*change.head);
  for (const auto& [party, state] : change.feeds) told.feeds.push_back({party, state.last, state.acked});
  for (const auto& [sink, state] : change.sinks)
    told.sinks.push_back({static_cast<std::uint64_t>(sink), state.cursor, state.state});
  for (const auto& [id, entry] : change.jobs) told.jobs.push_back(ToldOf(id, entry));
  for (const auto& [device, version] : change.devices) told.devices.push_back({device, version});
  told.orders = change.orders;
  std::string octets(1, kChangeVersion);
  FieldWriter writer(octets);
  Fields(writer, told);
  return octets;
}

Result<Change> DecodeChange(std::string_view octets) {
  if (octets.empty()) return NoChange(kLedgerDamaged, "says nothing");
  if (octets.front() != kChangeVersion) return NoChange(kLedgerNewer, "is told in another release's words");
  ToldChange told;
  FieldReader reader(octets.substr(1));
  Fields(reader, told);
  if (!reader.Finished()) return NoChange(kLedgerDamaged, "cannot be read");
  return OfTold(told);
}

void Apply(const Change& change, Live& live) {
  const WriteLock lock(live.mutex);
  if (change.head) live.head = *change.head;
  for (const auto& [party, state] : change.feeds) live.feeds[party] = state;
  for (const auto& [sink, state] : change.sinks) live.sinks[IndexOf(sink)] = state;
  for (const auto& [device, version] : change.devices) live.heard.Note(device, version);
  for (const auto& [id, entry] : change.jobs) live.PutJob(id, entry);
}

}  // namespace registry::ledger
