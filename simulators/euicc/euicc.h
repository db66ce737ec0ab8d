// simulators/euicc/euicc.h: one soft card as it leaves the factory: slots laid out, the key-agreement pair
// made on board, the signing slot empty, no files. The pair of the signing slot may agree on secrets too: what is sealed to
// the certificate alone is opened with it. Two doors: `applet` for the device, `ota` for the issuer.
// Owns: everything in it. Threads: one at a time. Not movable: the doors point into the memory.
#pragma once

#include <memory>

#include "simulators/euicc/applet.h"
#include "simulators/euicc/ota.h"

namespace registry::sim {

class Euicc {
 public:
  static std::unique_ptr<Euicc> Make();  // null only when the machine has no randomness
  Applet& applet() { return applet_; }
  OtaChannel& ota() { return ota_; }

 private:
  Euicc() = default;
  CardMemory memory_;
  Applet applet_{memory_};
  OtaChannel ota_{memory_};
};

}  // namespace registry::sim
