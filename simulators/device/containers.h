// simulators/device/containers.h: the files that come beside a payload, for middleware that reads files (the pilot's
// containers; schemas/PAYLOAD.md). Their carrier is not trusted: each must say what the opened payload says.
// Pure, any thread. Errors: 2400 payload_container, naming the file: one that differs, is missing, is there twice or is
// unknown; or 02, which means "provisioned", is not the last to be written, and the mark of the generation the one before.
#pragma once

#include <vector>

#include "schemas/wire/messages.h"
#include "simulators/device/trust.h"

namespace registry::sim {

// `trust` is that of the payload's bootstrap part.
Status CheckContainers(const std::vector<wire::Container>& containers, const wire::RegistryPayload& payload,
                       const RegistryTrust& trust);

}  // namespace registry::sim
