// tests/support/wrapped_ledger.h: a ledger that passes everything on to another one; a test overrides the call
// that is to go wrong. Threads: as the ledger inside.
#pragma once

#include "bridge/ledger/ledger.h"

namespace registry::test {

class WrappedLedger : public ledger::Ledger {
 public:
  explicit WrappedLedger(ledger::Ledger& inner) : inner_(inner) {}

  Result<std::optional<domain::Device>> LoadDevice(const DeviceId& id) const override {
    return inner_.LoadDevice(id);
  }
  Result<std::optional<DeviceId>> FindUnique(const domain::UniqueValue& value) const override {
    return inner_.FindUnique(value);
  }
  Result<std::optional<domain::EndpointRecord>> LoadEndpoint(const PartyId& asp,
                                                             const EndpointName& name) const override {
    return inner_.LoadEndpoint(asp, name);
  }
  Result<std::optional<domain::Job>> LoadJob(const JobId& id) const override { return inner_.LoadJob(id); }
  Result<std::vector<domain::Job>> JobsOf(const DeviceId& device) const override {
    return inner_.JobsOf(device);
  }
  Result<std::optional<domain::EventMark>> FindEvent(const PartyId& source,
                                                     const EventId& id) const override {
    return inner_.FindEvent(source, id);
  }
  Result<std::vector<ledger::OutboxEntry>> OutboxAfter(ledger::Sink sink, ledger::Seq after,
                                                       std::size_t limit,
                                                       std::chrono::milliseconds wait) const override {
    return inner_.OutboxAfter(sink, after, limit, wait);
  }
  Result<ledger::Seq> OutboxLast(ledger::Sink sink) const override { return inner_.OutboxLast(sink); }
  Result<ledger::SinkState> LoadSink(ledger::Sink sink) const override { return inner_.LoadSink(sink); }
  Result<std::vector<domain::Job>> JobsDue(ledger::DueTimes times, std::size_t limit) const override {
    return inner_.JobsDue(times, limit);
  }
  Result<std::optional<domain::Order>> LoadOrder(const OrderId& id) const override {
    return inner_.LoadOrder(id);
  }
  Result<std::vector<domain::Order>> OrdersOf(const std::optional<PartyId>& owner) const override {
    return inner_.OrdersOf(owner);
  }
  Result<std::vector<domain::OrderItem>> OrderItemsAfter(const OrderId& order, std::uint64_t after,
                                                         std::size_t limit) const override {
    return inner_.OrderItemsAfter(order, after, limit);
  }
  Result<domain::JobLoad> LoadOf(const PartyId& mno) const override { return inner_.LoadOf(mno); }
  Result<std::vector<domain::Job>> JobsUnsent(const PartyId& mno, std::size_t limit) const override {
    return inner_.JobsUnsent(mno, limit);
  }
  Result<std::vector<MnoLoad>> JobLoads() const override { return inner_.JobLoads(); }
  Result<ledger::FeedState> LoadFeed(const PartyId& party) const override { return inner_.LoadFeed(party); }
  Result<std::vector<ledger::FeedItem>> FeedFrom(const PartyId& party, ledger::Seq from,
                                                 std::size_t limit) const override {
    return inner_.FeedFrom(party, from, limit);
  }
  Result<std::vector<domain::Device>> DevicesAfter(const std::optional<DeviceId>& after,
                                                   std::size_t limit) const override {
    return inner_.DevicesAfter(after, limit);
  }
  Result<std::vector<domain::DeviceBrief>> DevicesIn(const domain::DeviceGroup& group,
                                                     const std::optional<domain::DevicePosition>& after,
                                                     std::optional<UtcTime> before,
                                                     std::size_t limit) const override {
    return inner_.DevicesIn(group, after, before, limit);
  }
  Result<std::vector<Placed>> PlacesAfter(const std::optional<domain::DevicePlace>& after,
                                          std::size_t limit) const override {
    return inner_.PlacesAfter(after, limit);
  }
  Result<std::vector<ledger::HistoryRecord>> HistoryAfter(ledger::Seq after,
                                                          std::size_t limit) const override {
    return inner_.HistoryAfter(after, limit);
  }
  Result<std::vector<ledger::HistoryRecord>> HistoryOf(const DeviceId& device) const override {
    return inner_.HistoryOf(device);
  }
  Result<std::vector<HistoryPlace>> HistoryPlacesAfter(const std::optional<HistoryPlace>& after,
                                                       std::size_t limit) const override {
    return inner_.HistoryPlacesAfter(after, limit);
  }
  Result<std::vector<domain::ZoneChange>> ZoneAfter(const std::optional<DeviceId>& after,
                                                    std::size_t limit) const override {
    return inner_.ZoneAfter(after, limit);
  }
  Result<std::vector<domain::Revocation>> Revocations() const override { return inner_.Revocations(); }
  Result<std::vector<std::pair<ledger::Seq, domain::DeadLetter>>> DeadLettersAfter(
      ledger::Seq after, std::size_t limit) const override {
    return inner_.DeadLettersAfter(after, limit);
  }
  Result<std::vector<domain::EventMark>> EventsAfter(const std::optional<EventKey>& after,
                                                     std::size_t limit) const override {
    return inner_.EventsAfter(after, limit);
  }
  Result<std::vector<domain::DayMark>> DayMarksAfter(const std::optional<domain::DayMark>& after,
                                                     std::size_t limit) const override {
    return inner_.DayMarksAfter(after, limit);
  }
  Result<ledger::MarksKept> LoadMarksKept() const override { return inner_.LoadMarksKept(); }
  Result<std::vector<domain::EndpointRecord>> EndpointsAfter(const std::optional<EndpointKey>& after,
                                                             std::size_t limit) const override {
    return inner_.EndpointsAfter(after, limit);
  }
  void CommitLater(domain::Changeset changeset, WhenDone done) override {
    inner_.CommitLater(std::move(changeset), std::move(done));
  }
  std::uint64_t changesets() const override { return inner_.changesets(); }
  Status Advance(ledger::Sink sink, const ledger::SinkState& state, bool durable) override {
    return inner_.Advance(sink, state, durable);
  }
  void WakeAll() override { inner_.WakeAll(); }
  Status CatchUp() override { return inner_.CatchUp(); }
  void WhenOthersWrote(std::function<void(const Others&)> told) override {
    inner_.WhenOthersWrote(std::move(told));
  }

 private:
  ledger::Ledger& inner_;
};

}  // namespace registry::test
