#include "bridge/ledger/rocksdb/committer.h"

#include <algorithm>

namespace registry::ledger {

Committer::Committer(Store& store, Live& live, OutboxTail& tail, std::size_t waiting_max,
                     std::size_t batch_max)
    : store_(store),
      live_(live),
      tail_(tail),
      waiting_max_(std::max<std::size_t>(waiting_max, 1)),
      batch_max_(std::max<std::size_t>(batch_max, 1)) {
  thread_.Start("ledger-commit", [this] { Run(); });
}

Status Committer::Commit(domain::Changeset changeset) {
  auto request = std::make_unique<Request>();
  request->changeset = std::move(changeset);
  return Enqueue(std::move(request)).get();
}

Status Committer::Advance(Sink sink, const SinkState& state, bool durable) {
  auto request = std::make_unique<Request>();
  request->advance.emplace(sink, state);
  request->durable = durable;
  return Enqueue(std::move(request)).get();
}

std::future<Status> Committer::Enqueue(std::unique_ptr<Request> request) {
  auto outcome = request->done.get_future();
  {
    MutexLock lock(mutex_);
    taken_.Wait(lock, [&]() REQUIRES(mutex_) { return waiting_.size() < waiting_max_; });
    waiting_.push_back(std::move(request));
  }
  arrived_.NotifyOne();
  return outcome;
}

void Committer::Run() {
  for (Requests requests = TakeWaiting(); !requests.empty(); requests = TakeWaiting()) {
    WriteAll(requests);
    for (auto& request : requests) request->done.set_value(std::move(request->outcome));
  }
}

Committer::Requests Committer::TakeWaiting() {
  Requests requests;
  {
    MutexLock lock(mutex_);
    thread_.Wait(lock, [this]() REQUIRES(mutex_) { return !waiting_.empty(); });
    const std::size_t count = std::min(waiting_.size(), batch_max_);
    requests.reserve(count);
    for (std::size_t i = 0; i < count; ++i) {
      requests.push_back(std::move(waiting_.front()));
      waiting_.pop_front();
    }
  }
  taken_.NotifyAll();
  return requests;
}

void Committer::WriteAll(Requests& requests) {
  Batch batch(store_, live_, trimmed_);
  bool sync = false;
  for (auto& request : requests) {
    if (failed_) {
      request->outcome = *failed_;
    } else if (request->advance) {
      batch.Add(request->advance->first, request->advance->second);
    } else {
      request->outcome = batch.Add(request->changeset);
    }
    sync = sync || (request->durable && request->outcome.ok());
  }
  if (failed_) return;
  auto& writes = batch.Seal();
  if (writes.Count() == 0) return;
  const auto written = store_.Write(writes, sync);
  if (written) {
    batch.Publish(live_);
    live_.ReadByItsWriter();
    changesets_ += static_cast<std::uint64_t>(std::ranges::count_if(
        requests, [](const auto& request) { return !request->advance && request->outcome.ok(); }));
    tail_.Reach(EndsOf(live_.head));
    return;
  }
  failed_ = Error::Make(Code::kFailed, kLedgerFailed, written.error().message);
  for (auto& request : requests) {
    if (request->outcome.ok()) request->outcome = *failed_;
  }
}

}  // namespace registry::ledger
