// bridge/ledger/record_fields.h: the tags of every record, once, for writer and reader (grammar: fields.h). Those of a
// device and its parts are in device_fields.h.
// Stored: DO NOT CHANGE THESE NUMBERS, never use one again. A new field takes a new number at the end and must
// read 0 or empty as "written before the field existed".
// Private to bridge/ledger. Plain functions, any thread.
#pragma once

#include "bridge/ledger/device_fields.h"
#include "bridge/ledger/order_fields.h"
#include "bridge/ledger/record_codec.h"

namespace registry::ledger {

template <>
struct StoredEnum<domain::JobKind> : FrozenEnum<domain::JobKind, 9> {};
template <>
struct StoredEnum<wire::TrustKind> : NumberedFromOne<wire::TrustKind, wire::TrustKind::kCa,
                                                     wire::TrustKind::kCertificate, wire::TrustKind::kTlsa> {
};
template <class A, Is<domain::OutgoingMessage> T>
void Fields(A& archive, T& message) {
  archive(1, message.topic);
  archive(2, message.payload);
  archive(3, message.correlation_data);
}

template <class A, Is<std::pair<std::string, Bytes>> T>
void Fields(A& archive, T& digest) {
  archive(1, digest.first);
  archive(2, digest.second);
}

template <class A, Is<domain::EventMark> T>
void Fields(A& archive, T& mark) {
  archive(1, mark.source);
  archive(2, mark.id);
  archive(3, mark.at);
  archive(4, mark.digests);
  archive(5, mark.reply);
}

template <class A, Is<wire::EndpointTrust> T>
void Fields(A& archive, T& trust) {
  archive(1, trust.kind);
  archive(2, trust.certificate);
  archive(3, trust.tlsa_owner);
}

template <class A, Is<wire::Endpoint> T>
void Fields(A& archive, T& endpoint) {
  archive(1, endpoint.name);
  archive(2, endpoint.fqdn);
  archive(3, endpoint.url);
  archive(4, endpoint.port);
  archive(5, endpoint.protocol);
  archive(6, endpoint.trust);
  archive(7, endpoint.wifi);
}

template <class A, Is<domain::EndpointRecord> T>
void Fields(A& archive, T& record) {
  archive(kVersionTag, record.version);
  archive(2, record.asp);
  archive(3, record.endpoint);
  archive(4, record.legacy_json);
  archive(5, record.legacy_json_signature);
  archive(6, record.legacy_cert_signature);
}

template <class A, Is<domain::EndpointKey> T>
void Fields(A& archive, T& key) {
  archive(1, key.asp);
  archive(2, key.name);
}

// One tag for each thing a job can be about. What was read last is it; a job about nothing has the nil UUID.
template <class Subject, class A, class T>
void SubjectField(A& archive, std::uint8_t tag, T& subject) {
  const auto* const written = std::get_if<Subject>(&subject);
  std::optional<Subject> value;
  if (std::is_const_v<T> && written != nullptr) value = *written;
  archive(tag, value);
  if constexpr (!std::is_const_v<T>) {
    if (value) subject = *value;
  }
}

// Stored is what deviates, so that a job from before it could is a wanted one.
template <class A, class T>
void Inverted(A& archive, std::uint8_t tag, T& value) {
  bool inverted = !value;
  archive(tag, inverted);
  if constexpr (!std::is_const_v<T>) value = !inverted;
}

template <class A, Is<domain::Job> T>
void Fields(A& archive, T& job) {
  archive(1, job.id);
  SubjectField<DeviceId>(archive, 2, job.subject);
  archive(3, job.kind);
  archive(4, job.attempt);
  archive(5, job.created);
  archive(6, job.due);
  archive(7, job.version);
  archive(8, job.last_stage);
  archive(9, job.last_progress);
  archive(10, job.body);
  archive(11, job.traceparent);
  archive(12, job.to);
  archive(13, job.unsent);
  archive(14, job.sent);
  archive(15, job.told);
  Inverted(archive, 16, job.wanted);
  archive(17, job.order);
  SubjectField<domain::EndpointKey>(archive, 18, job.subject);
  SubjectField<OrderId>(archive, 19, job.subject);
  archive(20, job.profile);
}

template <class A, Is<domain::HistoryEntry> T>
void Fields(A& archive, T& entry) {
  archive(1, entry.at);
  archive(2, entry.actor);
  archive(3, entry.device);
  archive(4, entry.what);
  archive(5, entry.cause);
}

template <class A, Is<domain::Notification> T>
void Fields(A& archive, T& notification) {
  archive(1, notification.to);
  archive(2, notification.type);
  archive(3, notification.id);
  archive(4, notification.time);
  archive(5, notification.data);
  archive(6, notification.cause);
  archive(7, notification.traceparent);
}

template <class A, Is<FeedItem> T>
void Fields(A& archive, T& item) {
  archive(1, item.seq);
  archive(2, item.notification);
}

template <class A, Is<domain::TlsaRecord> T>
void Fields(A& archive, T& record) {
  archive(1, record.usage);
  archive(2, record.selector);
  archive(3, record.matching);
  archive(4, record.data);
}

template <class A, Is<domain::ZoneChange> T>
void Fields(A& archive, T& change) {
  archive(1, change.device);
  archive(2, change.revision);
  archive(3, change.tlsa);
  archive(4, change.note);
}

template <class A, Is<domain::Revocation> T>
void Fields(A& archive, T& revocation) {
  archive(1, revocation.serial);
  archive(2, revocation.at);
  archive(3, revocation.reason);
  archive(4, revocation.certificate_not_after);
}

template <class A, Is<domain::DeadLetter> T>
void Fields(A& archive, T& letter) {
  archive(1, letter.at);
  archive(2, letter.topic);
  archive(3, letter.payload);
  archive(4, letter.reason);
}

template <class A, Is<SinkState> T>
void Fields(A& archive, T& state) {
  archive(1, state.cursor);
  archive(2, state.state);
}

template <class A, Is<FeedState> T>
void Fields(A& archive, T& state) {
  archive(1, state.last);
  archive(2, state.acked);
}

template <class A, Is<Head> T>
void Fields(A& archive, T& head) {
  archive(1, head.history);
  archive(2, head.chain);
  archive(3, head.outbox_mqtt);
  archive(4, head.outbox_zone);
  archive(5, head.outbox_crl);
  archive(6, head.dead_letters);
  archive(7, head.marks.from);
  archive(8, head.marks.forgotten);
}

template <class T>
struct KindOf;
template <>
struct KindOf<domain::EventMark> : std::integral_constant<Kind, Kind::kEventMark> {};
template <>
struct KindOf<domain::Device> : std::integral_constant<Kind, Kind::kDevice> {};
template <>
struct KindOf<domain::DeviceBrief> : std::integral_constant<Kind, Kind::kBrief> {};
template <>
struct KindOf<domain::EndpointRecord> : std::integral_constant<Kind, Kind::kEndpoint> {};
template <>
struct KindOf<domain::Job> : std::integral_constant<Kind, Kind::kJob> {};
template <>
struct KindOf<domain::HistoryEntry> : std::integral_constant<Kind, Kind::kHistory> {};
template <>
struct KindOf<domain::OutgoingMessage> : std::integral_constant<Kind, Kind::kMessage> {};
template <>
struct KindOf<FeedItem> : std::integral_constant<Kind, Kind::kFeedItem> {};
template <>
struct KindOf<domain::ZoneChange> : std::integral_constant<Kind, Kind::kZoneChange> {};
template <>
struct KindOf<domain::Revocation> : std::integral_constant<Kind, Kind::kRevocation> {};
template <>
struct KindOf<domain::DeadLetter> : std::integral_constant<Kind, Kind::kDeadLetter> {};
template <>
struct KindOf<SinkState> : std::integral_constant<Kind, Kind::kSinkState> {};
template <>
struct KindOf<FeedState> : std::integral_constant<Kind, Kind::kFeedState> {};
template <>
struct KindOf<Head> : std::integral_constant<Kind, Kind::kHead> {};

template <>
struct KindOf<domain::Order> : std::integral_constant<Kind, Kind::kOrder> {};
template <>
struct KindOf<domain::OrderItem> : std::integral_constant<Kind, Kind::kOrderItem> {};

constexpr std::string_view KindName(Kind kind) {
  constexpr std::string_view kNames[] = {
      "unknown",    "event mark", "device",      "endpoint",   "job",         "history",
      "message",    "feed item",  "zone change", "revocation", "dead letter", "sink state",
      "feed state", "head",       "brief",       "order",      "order item"};
  return kNames[static_cast<std::size_t>(kind)];
}

}  // namespace registry::ledger
