// bridge/ingest/replies.h: replies as they go to the broker. Pure but for the ids, which come from the Context.
#pragma once

#include "bridge/ingest/admission.h"
#include "workers/domain/view.h"

namespace registry::ingest {

// {type} is registry.v1.<command>.accepted or .rejected; `cause` names the command, Correlation Data is echoed.
domain::OutgoingMessage Accepted(const Request& request, nlohmann::json data, const domain::Context& context);
domain::OutgoingMessage Rejected(const Request& request, const Error& error, const domain::Context& context);

// A stored reply for a sender who asks again: the same bytes, to where this request wants them
// (without a Response Topic of its own, to the command's own reply topic).
domain::OutgoingMessage Again(const Request& request, const domain::OutgoingMessage& stored);

}  // namespace registry::ingest
