// bridge/ledger/record_fields.h: the tags of every record, once, for writer and reader (grammar: fields.h).
// Stored: DO NOT CHANGE THESE NUMBERS, never use one again. A new field takes a new number at the end and must
// read 0 or empty as "written before the field existed".
// Private to bridge/ledger. Plain functions, any thread.
#pragma once

#include "bridge/ledger/fields.h"
#include "bridge/ledger/order_fields.h"
#include "bridge/ledger/record_codec.h"

namespace registry::ledger {

inline constexpr std::uint8_t kVersionTag =
    1;  // first in device and endpoint records, so that PeekVersion is cheap

template <>
struct StoredEnum<domain::State> : FrozenEnum<domain::State, 7> {};
template <>
struct StoredEnum<domain::HoldStatus> : FrozenEnum<domain::HoldStatus, 4> {};
template <>
struct StoredEnum<domain::JobKind> : FrozenEnum<domain::JobKind, 4> {};
template <>
struct StoredEnum<wire::TrustKind> {  // the wire spells it in words, so its enumerators are free to move;
                                      // ours are not
  static std::uint64_t ToStored(wire::TrustKind kind) {
    switch (kind) {
      case wire::TrustKind::kCa:
        return 1;
      case wire::TrustKind::kCertificate:
        return 2;
      case wire::TrustKind::kTlsa:
        return 3;
    }
    return 0;
  }
  static std::optional<wire::TrustKind> FromStored(std::uint64_t stored) {
    switch (stored) {
      case 1:
        return wire::TrustKind::kCa;
      case 2:
        return wire::TrustKind::kCertificate;
      case 3:
        return wire::TrustKind::kTlsa;
      default:
        return std::nullopt;
    }
  }
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

template <class A, Is<domain::IssuedCertificate> T>
void Fields(A& archive, T& certificate) {
  archive(1, certificate.der);
  archive(2, certificate.serial);
  archive(3, certificate.sha256);
  archive(4, certificate.spki_sha256);
  archive(5, certificate.not_before);
  archive(6, certificate.not_after);
}

template <class A, Is<domain::TraceStep> T>
void Fields(A& archive, T& step) {
  archive(1, step.step);
  archive(2, step.at);
}

template <class A, Is<domain::Device> T>
void Fields(A& archive, T& device) {
  archive(kVersionTag, device.version);
  archive(2, device.id);
  archive(3, device.state);
  archive(4, device.holds);
  archive(5, device.eid);
  archive(6, device.iccid);
  archive(7, device.sponsor);
  archive(8, device.claimer);
  archive(9, device.endpoint);
  archive(10, device.authorisation_hash);
  archive(11, device.attached);
  archive(12, device.certificate);
  archive(13, device.agreement_key);
  archive(14, device.payload_version);
  archive(15, device.delivered_version);
  archive(16, device.zone_revision);
  archive(17, device.visible_revision);
  archive(18, device.trace);
  archive(19, device.created);
  archive(20, device.updated);
  archive(21, device.ended_jobs);
}

template <class A, Is<domain::DeviceBrief> T>
void Fields(A& archive, T& brief) {
  archive(1, brief.state);
  archive(2, brief.holds);
  archive(3, brief.sponsor);
  archive(4, brief.claimer);
  archive(5, brief.endpoint);
  archive(6, brief.expires);
}

template <class A, Is<wire::EndpointTrust> T>
void Fields(A& archive, T& trust) {
  archive(1, trust.kind);
  archive(2, trust.certificate);
  archive(3, trust.tlsa_owner);
}

template <class A, Is<wire::Wifi> T>
void Fields(A& archive, T& wifi) {
  archive(1, wifi.ssid);
  archive(2, wifi.sealed_passphrase);
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

template <class A, Is<domain::Job> T>
void Fields(A& archive, T& job) {
  archive(1, job.id);
  archive(2, job.device);
  archive(3, job.kind);
  archive(4, job.attempt);
  archive(5, job.created);
  archive(6, job.due);
  archive(7, job.subject);
  archive(8, job.last_stage);
  archive(9, job.last_progress);
  archive(10, job.body);
  archive(11, job.traceparent);
  archive(12, job.mno);
  archive(13, job.unsent);
  archive(14, job.sent);
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
