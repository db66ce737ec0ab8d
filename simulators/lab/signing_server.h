// simulators/lab/signing_server.h: a signing server of the operator's own (Knot), for a lab whose registry sends its changes
// there as UPDATE (bridge/update). It listens where the hidden primary would and has the keys that `registryctl init` made.
// So the name server, the root's DS and the trust anchors are as in every other lab.
// Errors: those of the files, and of keymgr. Threads: any.
#pragma once

#include <string>
#include <vector>

#include "simulators/lab/layout.h"
#include "simulators/lab/registry_setup.h"

namespace registry::lab {

// Writes its configuration, and the first time its zone and its keys: afterwards it goes on with what it has.
Status PrepareSigningServer(const Layout& layout, const TsigKey& key);
std::vector<std::string> SigningServerCommand(const Layout& layout);

}  // namespace registry::lab
