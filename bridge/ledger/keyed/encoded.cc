#include "bridge/ledger/keyed/encoded.h"

#include "bridge/ledger/keyed/keys.h"
#include "bridge/ledger/record_codec.h"

namespace registry::ledger {
namespace {

constexpr std::size_t kExpectedOctets = 8192;  // so that few changesets make it grow

// Fills an Encoded; each step takes one kind of change.
class Encoder {
 public:
  explicit Encoder(Encoded& to) : to_(to) { to_.octets.reserve(kExpectedOctets); }

  void Forgotten(domain::Changeset& changeset) {
    to_.marks_from = changeset.marks_from;
    to_.marks_erase = std::move(changeset.marks_erase);
    for (const auto& mark : to_.marks_erase) Delete(Column::kEvents, keys::OfEvent(mark.source, mark.id));
    for (const auto& serial : changeset.revocations_erase) Delete(Column::kRevocations, AsText(serial));
  }

  void Mark(const domain::EventMark& mark) {
    to_.mark = {keys::OfEvent(mark.source, mark.id), {domain::DayOf(mark.at), mark.source, mark.id}};
    Put(Column::kEvents, to_.mark->key, mark);
  }

  void Records(domain::Changeset& changeset) {
    for (auto& put : changeset.devices) {
      put.device.version = put.expected_version + 1;
      Version(Column::kDevices, keys::OfDevice(put.device.id), put.expected_version, put.device);
      to_.places.push_back(std::make_shared<const DevicePlaces>(DevicePlacesOf(put.device)));
      to_.devices.push_back(std::make_shared<const domain::Device>(std::move(put.device)));
    }
    for (const auto& seen : changeset.endpoints_seen) to_.seen.push_back(Seen(seen.endpoint, seen.version));
    for (const auto& erase : changeset.endpoints_erase) {
      const auto group = domain::DeviceGroup::At(erase.endpoint.asp, erase.endpoint.name);
      to_.endpoints_erase.push_back(
          {Seen(erase.endpoint, erase.expected_version), keys::OfGroup(group, std::nullopt, std::nullopt)});
    }
    for (auto& put : changeset.endpoints) {
      put.endpoint.version = put.expected_version + 1;
      Version(Column::kEndpoints, keys::OfEndpoint(put.endpoint.asp, put.endpoint.endpoint.name),
              put.expected_version, put.endpoint);
    }
  }

  // Releases come first, so that one changeset may hand a value from one device to another.
  void Claims(const domain::Changeset& changeset) {
    for (const auto& release : changeset.releases) {
      to_.claims.push_back({keys::OfUnique(release), {}});
      Delete(Column::kUnique, to_.claims.back().value);
    }
    for (const auto& [value, device] : changeset.claims) {
      to_.claims.push_back({keys::OfUnique(value), keys::OfDevice(device)});
      to_.writes.push_back(
          {Column::kUnique, Add(to_.claims.back().value), Add(to_.claims.back().device), false});
    }
  }

  void Jobs(const domain::Changeset& changeset) {
    to_.jobs = JobChangesOf(changeset);
    for (const auto& id : changeset.jobs_erase) Delete(Column::kJobs, id.text());
    for (const auto& job : changeset.jobs_put) Put(Column::kJobs, job.id.text(), job);
  }

  void Orders(domain::Changeset& changeset) {
    to_.orders_erase = std::move(changeset.orders_erase);
    for (auto& put : changeset.orders) {
      put.order.version = put.expected_version + 1;
      Version(Column::kOrders, keys::OfOrder(put.order.id), put.expected_version, put.order);
    }
    for (const auto& item : changeset.order_items)
      Put(Column::kOrders, keys::OfOrderItem(item.order, item.number), item);
  }

  void Log(const domain::Changeset& changeset) {
    for (const auto& entry : changeset.history)
      to_.history.push_back({keys::OfDevice(entry.device), Record(entry)});
    for (const auto& letter : changeset.dead_letters) to_.dead_letters.push_back(Record(letter));
  }

  void Outbox(const domain::Changeset& changeset) {
    for (const auto& message : changeset.messages) to_.pushes.push_back({Sink::kMqtt, Record(message)});
    for (const auto& change : changeset.zone) Zone(change);
    for (const auto& revocation : changeset.revocations) {
      const auto record = Record(revocation);
      to_.writes.push_back({Column::kRevocations, Add(AsText(revocation.serial)), record, false});
      to_.pushes.push_back({Sink::kCrl, record});
    }
  }

  void Feeds(domain::Changeset& changeset) {
    to_.feed_acks = std::move(changeset.feed_acks);
    for (const auto& notification : changeset.notifications) {
      const std::size_t at = to_.octets.size();
      AppendUnnumbered(to_.octets, notification);
      to_.notifications.push_back({notification.to, {at, to_.octets.size() - at}});
    }
  }

 private:
  static Encoded::Versioned Seen(const domain::EndpointKey& endpoint, std::uint64_t version) {
    return {Column::kEndpoints, keys::OfEndpoint(endpoint.asp, endpoint.name), version};
  }
  Encoded::Octets Add(std::string_view octets) {
    const std::size_t at = to_.octets.size();
    to_.octets += octets;
    return {at, octets.size()};
  }
  template <class T>
  Encoded::Octets Record(const T& value) {
    const std::size_t at = to_.octets.size();
    AppendRecord(to_.octets, value);
    return {at, to_.octets.size() - at};
  }
  template <class T>
  void Put(Column column, std::string_view key, const T& value) {
    const auto at = Add(key);
    to_.writes.push_back({column, at, Record(value), false});
  }
  void Delete(Column column, std::string_view key) { to_.writes.push_back({column, Add(key), {}, true}); }
  template <class T>
  void Version(Column column, std::string key, std::uint64_t expected, const T& value) {
    Put(column, key, value);
    to_.versioned.push_back({column, std::move(key), expected});
  }
  void Zone(const domain::ZoneChange& change) {
    const auto record = Record(change);
    const bool goes = change.tlsa.empty() && change.note.empty();
    to_.writes.push_back({Column::kZone, Add(keys::OfDevice(change.device)), record, goes});
    to_.pushes.push_back({Sink::kZone, record});
  }

  Encoded& to_;
};

}  // namespace

Encoded::Encoded(domain::Changeset changeset) {
  Encoder encoder(*this);
  encoder.Forgotten(changeset);
  if (changeset.mark) encoder.Mark(*changeset.mark);
  encoder.Records(changeset);
  encoder.Claims(changeset);
  encoder.Jobs(changeset);
  encoder.Orders(changeset);
  encoder.Log(changeset);
  encoder.Outbox(changeset);
  encoder.Feeds(changeset);
}

}  // namespace registry::ledger
