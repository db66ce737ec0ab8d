// bridge/ledger/keyed/reading.h: every question of LedgerReader, answered from a Store and its Live part.
// The base is the port that is offered: LedgerReader beside a running registry, Ledger inside it.
// Threads: as ledger.h says.
#pragma once

#include <functional>

#include "bridge/ledger/keyed/live.h"

namespace registry::ledger {

template <class Port>
class Reading : public Port {
 public:
  using EventKey = LedgerReader::EventKey;
  using EndpointKey = LedgerReader::EndpointKey;
  using HistoryPlace = LedgerReader::HistoryPlace;

  Result<std::optional<domain::Device>> LoadDevice(const DeviceId& id) const override;
  Result<std::optional<DeviceId>> FindUnique(const domain::UniqueValue& value) const override;
  Result<std::optional<domain::EndpointRecord>> LoadEndpoint(const PartyId& asp,
                                                             const EndpointName& name) const override;
  Result<std::optional<domain::Job>> LoadJob(const JobId& id) const override;
  Result<std::vector<domain::Job>> JobsOf(const DeviceId& device) const override;
  Result<std::optional<domain::EventMark>> FindEvent(const PartyId& source, const EventId& id) const override;
  Result<std::vector<OutboxEntry>> OutboxAfter(Sink sink, Seq after, std::size_t limit,
                                               std::chrono::milliseconds wait) const override;
  Result<Seq> OutboxLast(Sink sink) const override;
  Result<SinkState> LoadSink(Sink sink) const override;
  Result<std::optional<domain::Order>> LoadOrder(const OrderId& id) const override;
  Result<std::vector<domain::Order>> OrdersOf(const std::optional<PartyId>& owner) const override;
  Result<std::vector<domain::OrderItem>> OrderItemsAfter(const OrderId& order, std::uint64_t after,
                                                         std::size_t limit) const override;
  Result<domain::JobLoad> LoadOf(const PartyId& mno) const override;
  Result<std::vector<domain::Job>> JobsDue(DueTimes times, std::size_t limit) const override;
  Result<std::vector<domain::Job>> JobsUnsent(const PartyId& mno, std::size_t limit) const override;
  Result<std::vector<LedgerReader::MnoLoad>> JobLoads() const override;
  Result<FeedState> LoadFeed(const PartyId& party) const override;
  Result<std::vector<FeedItem>> FeedFrom(const PartyId& party, Seq from, std::size_t limit) const override;
  Result<std::vector<domain::Device>> DevicesAfter(const std::optional<DeviceId>& after,
                                                   std::size_t limit) const override;
  Result<std::vector<domain::DeviceBrief>> DevicesIn(const domain::DeviceGroup& group,
                                                     const std::optional<domain::DevicePosition>& after,
                                                     std::optional<UtcTime> before,
                                                     std::size_t limit) const override;
  Result<std::vector<LedgerReader::Placed>> PlacesAfter(const std::optional<domain::DevicePlace>& after,
                                                        std::size_t limit) const override;
  Result<std::vector<HistoryRecord>> HistoryAfter(Seq after, std::size_t limit) const override;
  Result<std::vector<HistoryRecord>> HistoryOf(const DeviceId& device) const override;
  Result<std::vector<HistoryPlace>> HistoryPlacesAfter(const std::optional<HistoryPlace>& after,
                                                       std::size_t limit) const override;
  Result<std::vector<std::optional<DeviceId>>> FindUniques(
      const std::vector<domain::UniqueValue>& values) const override;
  Result<std::vector<std::optional<domain::EventMark>>> FindEvents(
      const std::vector<EventKey>& wanted) const override;
  Result<std::vector<domain::ZoneChange>> ZoneAfter(const std::optional<DeviceId>& after,
                                                    std::size_t limit) const override;
  Result<std::vector<domain::Revocation>> Revocations() const override;
  Result<std::vector<std::pair<Seq, domain::DeadLetter>>> DeadLettersAfter(Seq after,
                                                                           std::size_t limit) const override;
  Result<std::vector<domain::EventMark>> EventsAfter(const std::optional<EventKey>& after,
                                                     std::size_t limit) const override;
  Result<std::vector<domain::DayMark>> DayMarksAfter(const std::optional<domain::DayMark>& after,
                                                     std::size_t limit) const override;
  Result<MarksKept> LoadMarksKept() const override;
  Result<std::vector<domain::EndpointRecord>> EndpointsAfter(const std::optional<EndpointKey>& after,
                                                             std::size_t limit) const override;

 protected:
  explicit Reading(std::unique_ptr<Store> store) : store_(std::move(store)) {}
  Status LoadLive(const Store& from);
  // The records of these jobs, those that are still there; `keep` judges each as it is stored now.
  Result<std::vector<domain::Job>> JobsWith(const std::vector<JobId>& ids,
                                            const std::function<bool(const domain::Job&)>& keep) const;

  std::unique_ptr<Store> store_;
  bool has_places_ = false;
  bool has_day_marks_ = false;
  Live live_;
  OutboxTail tail_;
};

extern template class Reading<LedgerReader>;
extern template class Reading<Ledger>;

}  // namespace registry::ledger
