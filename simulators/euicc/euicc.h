// simulators/euicc/euicc.h: one soft card as it leaves the factory: its objects laid out, the key-agreement pair made on
// board, the signing slots empty, no files. The pair of the signing slot may agree on secrets too: what is sealed to
// the certificate alone is opened with it. Two doors: `applet` for the device, `ota` for the issuer.
// Owns: everything in it; borrows its layout, which outlives it. Threads: one at a time. Not movable: the doors point into
// the memory.
#pragma once

#include <memory>

#include "simulators/euicc/applet.h"
#include "simulators/euicc/ota.h"

namespace registry::sim {

class Euicc {
 public:
  // Null only when the machine has no randomness.
  static std::unique_ptr<Euicc> Make(const CardLayout& layout = DefaultLayout());
  Applet& applet() { return applet_; }
  OtaChannel& ota() { return ota_; }
  // After OtaChannel::CutPowerAfter. What was written is there; channels, sessions and scripts under way are not. Nothing
  // happens to a card that has power.
  void PowerOn();
  bool powered() const { return memory_.powered; }

 private:
  Euicc(CardMemory memory, const CardLayout& layout)
      : memory_(std::move(memory)), applet_(memory_, layout), ota_(memory_, layout) {}
  CardMemory memory_;
  Applet applet_;
  OtaChannel ota_;
};

}  // namespace registry::sim
