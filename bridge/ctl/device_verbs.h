// bridge/ctl/device_verbs.h: what the operator does to one device: `registryctl device deactivate|suspend|… ID --reason
// TEXT`. Each is the command of the same name (schemas/README.md), sent as the operator's party; see change.h.
#pragma once

#include <CLI/CLI.hpp>

namespace registry::ctl {

void AddDeviceVerbs(CLI::App& devices);

}  // namespace registry::ctl
