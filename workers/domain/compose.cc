#include "workers/domain/compose.h"

#include "workers/domain/trace.h"

namespace registry::domain {
namespace {

std::string RandomUuid(const Context& context) {
  DeviceId::Octets octets;
  context.random(octets.data(), octets.size());
  return DeviceId::FromRandom(octets).text();
}

}  // namespace

JobId NewJobId(const Context& context) { return *JobId::Parse(RandomUuid(context)); }
EventId NewEventId(const Context& context) { return *EventId::Parse(RandomUuid(context)); }
PartyId RegistryParty() { return *PartyId::Parse("registry"); }
Origin OwnOrigin() { return {RegistryParty(), wire::Role::kOperator, std::nullopt}; }

void NoteStep(Device& device, std::string_view step, UtcTime now) {
  if (device.trace.size() >= kTraceMax)
    device.trace.erase(device.trace.begin() + static_cast<std::ptrdiff_t>(StepToGiveUp(device)));
  device.trace.push_back({std::string(step), now});
  device.updated = now;
}

HistoryEntry History(const Device& device, const PartyId& actor, std::string what, UtcTime now,
                     std::optional<EventId> cause) {
  return {now, actor, device.id, std::move(what), std::move(cause)};
}

HistoryEntry History(const PartyId& actor, std::string what, UtcTime now, std::optional<EventId> cause) {
  return {now, actor, DeviceId(), std::move(what), std::move(cause)};
}

OutgoingMessage Render(const Notification& notification, std::uint64_t seq) {
  wire::Envelope envelope;
  envelope.id = notification.id;
  envelope.source = RegistryParty().text();
  envelope.type = wire::EventType(notification.type);
  envelope.time = notification.time;
  envelope.traceparent = notification.traceparent;
  envelope.cause = notification.cause;
  envelope.seq = seq;
  return {wire::EventTopic(notification.to, notification.type),
          wire::EncodeEnvelope(envelope, notification.data),
          {}};
}

OutgoingMessage Action(const PartyId& mno, std::string_view action, const std::string& data,
                       const Context& context) {
  wire::Envelope envelope;
  envelope.id = NewEventId(context);
  envelope.source = RegistryParty().text();
  envelope.type = wire::DoType(action);
  envelope.time = context.now;
  envelope.traceparent = context.traceparent;
  return {wire::DoTopic(mno, action), wire::EncodeEnvelope(envelope, data), {}};
}

}  // namespace registry::domain
