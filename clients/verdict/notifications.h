// clients/verdict/notifications.h: what an ASP's feed says about its devices, as a verdict needs it: a notification's
// payload as it came over MQTT, alone or in a batch.
// Owns: nothing. Threads: any. Errors: those of schemas/wire (bad_json and the like); nothing was taken over then.
// What is none of a device, or of a kind that is not known, is passed over (schemas/README.md: new ones can come).
// The broker must have made sure that the registry said it: topics below registry/v1/to/<party>/ are the registry's alone.
#pragma once

#include <string>
#include <string_view>

#include "clients/verdict/client_check.h"
#include "schemas/wire/envelope.h"

namespace registry::clients {

// `party`: the ASP's own name, so that a transfer away from it is told from one to it. The device it is about; empty: none.
std::string Hear(const wire::Envelope& notification, const std::string& party, OwnDevices& own);
// The devices its notifications are about, in order. What was looked up of them is forgotten.
Result<std::vector<std::string>> HearPayload(std::string_view payload, const std::string& party,
                                             OwnDevices& own, const ClientCheck& check);

}  // namespace registry::clients
