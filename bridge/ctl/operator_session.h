// bridge/ctl/operator_session.h: how a party's own files make a session at the broker: those of interface/parties/NAME
// beside the configuration. Threads: any.
#pragma once

#include "bridge/app/config.h"
#include "bridge/ctl/ask.h"
#include "bridge/mqtt/session.h"

namespace registry::ctl {

// One that the broker forgets when it ends, and that says nothing.
mqtt::SessionOptions SessionOf(const app::Config& config, const AskOptions& options);
std::string FreshId();  // a random UUID

}  // namespace registry::ctl
