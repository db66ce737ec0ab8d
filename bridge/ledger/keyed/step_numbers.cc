#include "bridge/ledger/keyed/step_numbers.h"

#include "bridge/ledger/keyed/job_record.h"
#include "bridge/ledger/keyed/keys.h"
#include "bridge/ledger/keyed/live.h"
#include "bridge/ledger/keyed/ordered_writes.h"
#include "workers/domain/job_kinds.h"

namespace registry::ledger {
namespace {

// A bounded write at a time.
class BoundedWrites {
 public:
  explicit BoundedWrites(Store& store) : store_(store) {}
  void Put(Column column, std::string_view key, std::string record) {
    writes_.Put(column, writes_.Keep(std::string(key)), writes_.Keep(std::move(record)));
  }
  void DeleteRange(Column column, const std::string& from, const std::string& to) {
    if (from < to) writes_.DeleteRange(column, writes_.Keep(from), writes_.Keep(to));
  }
  // For a Visitor: it goes on.
  Result<bool> Bound() {
    if (writes_.size() < kWritesMax) return true;
    if (auto written = store_.Write(writes_, false); !written) return written.error();
    return true;
  }
  Status Finish() { return store_.Write(writes_, true); }

 private:
  Store& store_;
  OrderedWrites writes_;
};

Result<std::string> WithItsNewNumber(std::string_view record) {
  auto item = Decode<FeedItem>(record);
  if (!item) return item.error();
  item->seq += kFeedStep;
  return Encode(*item);
}

// What is behind `acked`, to its new number.
Status StepFeed(const Store& store, BoundedWrites& writes, const PartyId& party, const FeedState& state) {
  const std::string first = keys::OfFeed(party, state.acked + 1), end = keys::OfFeed(party, state.last + 1);
  auto moved = store.Scan(
      Column::kFeed, first, end, [&](std::string_view key, std::string_view record) -> Result<bool> {
        const auto stepped = WithItsNewNumber(record);
        if (!stepped) return stepped.error();
        writes.Put(Column::kFeed, keys::OfFeed(party, keys::SeqAtEnd(key) + kFeedStep), *stepped);
        return writes.Bound();
      });
  if (!moved) return moved;
  writes.DeleteRange(Column::kFeed, first, end);
  writes.Put(Column::kFeedState, party.text(),
             Encode(FeedState{state.last + kFeedStep, state.acked + kFeedStep}));
  return Done{};
}

// What waits for the broker carries the number that it was given.
Status StepOutbox(const Store& store, BoundedWrites& writes, Seq cursor, Seq last) {
  return store.Scan(Column::kOutbox, keys::OfOutbox(Sink::kMqtt, cursor + 1),
                    keys::OfOutbox(Sink::kMqtt, last + 1),
                    [&](std::string_view key, std::string_view record) -> Result<bool> {
                      if (record.empty() || record.front() != static_cast<char>(Kind::kFeedItem)) return true;
                      const auto stepped = WithItsNewNumber(record);
                      if (!stepped) return stepped.error();
                      writes.Put(Column::kOutbox, key, *stepped);
                      return writes.Bound();
                    });
}

// A device that waits for its first payload may have had it since the backup; it is owed one either way.
bool StepBindings(std::vector<domain::Binding>& bindings) {
  bool stepped = false;
  for (domain::Binding& binding : bindings) {
    if (binding.composed == 0 && binding.phase != domain::BindingPhase::kLive) continue;
    binding.composed += kPayloadStep;
    if (binding.delivered > 0) binding.delivered += kPayloadStep;
    stepped = true;
  }
  return stepped;
}

// Delivered and composed go together, so nothing is owed that was not. A job that is under way is about the version that the
// device has now; the payload in it was made with the earlier one.
Result<std::uint64_t> StepPayloads(const Store& store, BoundedWrites& writes) {
  std::uint64_t devices = 0;
  auto read = store.Scan(Column::kDevices, "", "",
                         [&](std::string_view key, std::string_view record) -> Result<bool> {
                           auto device = Decode<domain::Device>(record);
                           if (!device) return device.error();
                           if (!StepBindings(device->bindings)) return true;
                           ++devices;
                           writes.Put(Column::kDevices, key, Encode(*device));
                           return writes.Bound();
                         });
  if (!read) return read.error();
  read =
      store.Scan(Column::kJobs, "", "", [&](std::string_view key, std::string_view record) -> Result<bool> {
        auto job = ReadJob(store, record);
        if (!job) return job.error();
        if (job->kind != domain::JobKind::kPayloadPush || job->version == 0) return true;
        job->version += kPayloadStep;
        writes.Put(Column::kJobs, key, Encode(*job));
        return writes.Bound();
      });
  if (!read) return read.error();
  return devices;
}

}  // namespace

Result<Stepped> StepNumbers(Store& store) {
  Live live;
  const WriteLock lock(live.mutex);
  if (auto loaded = Load(store, live); !loaded) return loaded.error();
  BoundedWrites writes(store);
  const Seq cursor = live.sinks[IndexOf(Sink::kMqtt)].cursor;
  if (auto told = StepOutbox(store, writes, cursor, live.head.outbox_mqtt); !told) return told.error();
  for (const auto& [party, state] : live.feeds) {
    if (auto moved = StepFeed(store, writes, party, state); !moved) return moved.error();
  }
  const auto devices = StepPayloads(store, writes);
  if (!devices) return devices.error();
  if (auto finished = writes.Finish(); !finished) return finished.error();
  return Stepped{live.feeds.size(), *devices};
}

}  // namespace registry::ledger
