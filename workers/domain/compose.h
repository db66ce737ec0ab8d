// workers/domain/compose.h: the small sentences every worker says: ids, trace steps, history, notifications, actions.
// Pure; randomness comes from the Context.
#pragma once

#include "schemas/wire/codec.h"
#include "schemas/wire/envelope.h"
#include "schemas/wire/json_text.h"
#include "schemas/wire/topics.h"
#include "workers/domain/decision.h"

namespace registry::domain {

JobId NewJobId(const Context& context);
EventId NewEventId(const Context& context);
PartyId RegistryParty();  // "registry", the actor behind timers and DNS
Origin
OwnOrigin();  // the registry decides by itself: it may do what its operator may, and no command is the cause

// Adds a step to the trace (dropping the oldest above kTraceMax) and sets `updated`.
void NoteStep(Device& device, std::string_view step, UtcTime now);
HistoryEntry History(const Device& device, const PartyId& actor, std::string what, UtcTime now,
                     std::optional<EventId> cause = {});
// Of what concerns no single device, e.g. an ASP's endpoint: device is the nil UUID.
HistoryEntry History(const PartyId& actor, std::string what, UtcTime now, std::optional<EventId> cause = {});

template <class Message>
Notification Notify(const PartyId& to, const Message& message, const Context& context,
                    const std::optional<EventId>& cause = {}) {
  Notification notification;
  notification.to = to;
  notification.type = std::string(Message::kName);
  notification.id = NewEventId(context);
  notification.time = context.now;
  notification.data = wire::JsonText(wire::Encode(message));
  notification.cause = cause;
  notification.traceparent = context.traceparent;
  return notification;
}

// The envelope of a notification under its number in the party's feed; the same bytes every time, so that a replay says
// exactly what was said first.
OutgoingMessage Render(const Notification& notification, std::uint64_t seq);

// A command to an MNO, from the canonical JSON of its data member (kept in the job for retries).
OutgoingMessage Action(const PartyId& mno, std::string_view action, const std::string& data,
                       const Context& context);

}  // namespace registry::domain
