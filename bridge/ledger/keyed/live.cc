#include "bridge/ledger/keyed/live.h"

#include "bridge/ledger/keyed/job_record.h"
#include "bridge/ledger/keyed/keys.h"

namespace registry::ledger {
namespace {

Status LoadHead(const Store& store, Head& head) {
  const auto stored = store.Get(Column::kMeta, keys::kHead);
  if (!stored) return stored.error();
  if (*stored) {
    auto decoded = Decode<Head>(**stored);
    if (!decoded) return decoded.error();
    head = std::move(*decoded);
  }
  const auto last = store.Last(Column::kHistory);
  if (!last) return last.error();
  const bool fits = *last ? keys::SeqAtEnd((*last)->first) == head.history &&
                                (*last)->second.substr(0, kChainSize) == AsText(head.chain)
                          : head.history == 0;
  if (fits) return Done{};
  return Error::Make(Code::kFailed, kLedgerDamaged, "the history does not end where the ledger's head says");
}

Status LoadSinks(const Store& store, Live& live) REQUIRES(live.mutex) {
  for (const Sink sink : kAllSinks) {
    const auto stored = store.Get(Column::kSinks, keys::OfSink(sink));
    if (!stored) return stored.error();
    if (!*stored) continue;
    auto state = Decode<SinkState>(**stored);
    if (!state) return state.error();
    live.sinks[IndexOf(sink)] = std::move(*state);
  }
  return Done{};
}

Status LoadFeeds(const Store& store, Live& live) REQUIRES(live.mutex) {
  return store.Scan(Column::kFeedState, "", "",
                    [&](std::string_view key, std::string_view value) REQUIRES(live.mutex) -> Result<bool> {
                      const auto party = PartyId::Parse(key);
                      auto state = Decode<FeedState>(value);
                      if (!state) return state.error();
                      if (!party)
                        return Error::Make(Code::kFailed, kLedgerDamaged, "a feed belongs to nobody");
                      live.feeds.emplace(*party, *state);
                      return true;
                    });
}

Status LoadJobs(const Store& store, Live& live) REQUIRES(live.mutex) {
  const bool older = !store.Has(Column::kPlaces);
  return store.Scan(Column::kJobs, "", "",
                    [&](std::string_view, std::string_view value) REQUIRES(live.mutex) -> Result<bool> {
                      const auto job = ReadJob(store, value);
                      if (!job) return job.error();
                      if (older) {
                        const auto left_over = IsLeftOver(store, *job);
                        if (!left_over) return left_over.error();
                        if (*left_over) return true;
                      }
                      live.jobs.Put(job->id, JobTable::EntryOf(*job));
                      return true;
                    });
}

}  // namespace

OutboxTail::Ends EndsOf(const Head& head) { return {head.outbox_mqtt, head.outbox_zone, head.outbox_crl}; }

void Live::PutJob(const JobId& id, const std::optional<JobTable::Entry>& entry) {
  if (entry) return jobs.Put(id, *entry);
  jobs.Erase(id);
  if (shared) heard.NoteErased(id);
}

Status Load(const Store& store, Live& live) {
  if (auto loaded = LoadHead(store, live.head); !loaded) return loaded;
  if (auto loaded = LoadSinks(store, live); !loaded) return loaded;
  if (auto loaded = LoadFeeds(store, live); !loaded) return loaded;
  return LoadJobs(store, live);
}

}  // namespace registry::ledger
