// tests/support/faulty_ledger.h: a ledger that does what it is told before it does its work: fail, wait, count.
// Hooks are set while nothing runs, or are thread-safe themselves; an empty one does nothing.
#pragma once

#include <functional>
#include <memory>
#include <optional>

#include "bridge/ledger/ledger.h"

namespace registry::test {

class FaultyLedger final : public ledger::Ledger {
 public:
  using Seq = ledger::Seq;
  using Sink = ledger::Sink;
  using Fault = std::optional<Error>;
  struct Hooks {
    std::function<Fault(const domain::Changeset&)> commit = nullptr;
    std::function<Fault()> find_event = nullptr;
    std::function<Fault()> load_device = nullptr;
  };
  FaultyLedger(std::unique_ptr<ledger::Ledger> real, Hooks hooks)
      : real_(std::move(real)), hooks_(std::move(hooks)) {}

  Status Commit(domain::Changeset changes) override {
    if (hooks_.commit) {
      if (Fault fault = hooks_.commit(changes)) return *fault;
    }
    return real_->Commit(std::move(changes));
  }
  Result<std::optional<domain::EventMark>> FindEvent(const PartyId& source,
                                                     const EventId& id) const override {
    if (hooks_.find_event) {
      if (Fault fault = hooks_.find_event()) return *fault;
    }
    return real_->FindEvent(source, id);
  }
  Result<std::optional<domain::Device>> LoadDevice(const DeviceId& id) const override {
    if (hooks_.load_device) {
      if (Fault fault = hooks_.load_device()) return *fault;
    }
    return real_->LoadDevice(id);
  }

  Status Advance(Sink sink, const ledger::SinkState& state, bool durable) override {
    return real_->Advance(sink, state, durable);
  }
  void WakeAll() override { real_->WakeAll(); }
  Result<std::optional<DeviceId>> FindUnique(const domain::UniqueValue& value) const override {
    return real_->FindUnique(value);
  }
  Result<std::optional<domain::EndpointRecord>> LoadEndpoint(const PartyId& asp,
                                                             const EndpointName& name) const override {
    return real_->LoadEndpoint(asp, name);
  }
  Result<std::optional<domain::Job>> LoadJob(const JobId& id) const override { return real_->LoadJob(id); }
  Result<std::vector<domain::Job>> JobsOf(const DeviceId& id) const override { return real_->JobsOf(id); }
  Result<std::vector<ledger::OutboxEntry>> OutboxAfter(Sink sink, Seq after, std::size_t limit,
                                                       std::chrono::milliseconds wait) const override {
    return real_->OutboxAfter(sink, after, limit, wait);
  }
  Result<Seq> OutboxLast(Sink sink) const override { return real_->OutboxLast(sink); }
  Result<ledger::SinkState> LoadSink(Sink sink) const override { return real_->LoadSink(sink); }
  Result<std::vector<domain::Job>> JobsDue(UtcTime now, std::size_t limit) const override {
    return real_->JobsDue(now, limit);
  }
  Result<ledger::FeedState> LoadFeed(const PartyId& party) const override { return real_->LoadFeed(party); }
  Result<std::vector<ledger::FeedItem>> FeedFrom(const PartyId& party, Seq from,
                                                 std::size_t limit) const override {
    return real_->FeedFrom(party, from, limit);
  }
  Result<std::vector<domain::Device>> DevicesAfter(const std::optional<DeviceId>& after,
                                                   std::size_t limit) const override {
    return real_->DevicesAfter(after, limit);
  }
  Result<std::vector<ledger::HistoryRecord>> HistoryAfter(Seq after, std::size_t limit) const override {
    return real_->HistoryAfter(after, limit);
  }
  Result<std::vector<ledger::HistoryRecord>> HistoryOf(const DeviceId& device) const override {
    return real_->HistoryOf(device);
  }
  Result<std::vector<domain::ZoneChange>> ZoneAfter(const std::optional<DeviceId>& after,
                                                    std::size_t limit) const override {
    return real_->ZoneAfter(after, limit);
  }
  Result<std::vector<domain::Revocation>> Revocations() const override { return real_->Revocations(); }
  Result<std::vector<std::pair<Seq, domain::DeadLetter>>> DeadLettersAfter(Seq after,
                                                                           std::size_t limit) const override {
    return real_->DeadLettersAfter(after, limit);
  }

 private:
  const std::unique_ptr<ledger::Ledger> real_;
  const Hooks hooks_;
};

}  // namespace registry::test
