#include "simulators/euicc/euicc.h"

namespace registry::sim {

std::unique_ptr<Euicc> Euicc::Make(const CardLayout& layout) {
  auto memory = LayOut(layout);
  return memory ? std::unique_ptr<Euicc>(new Euicc(std::move(*memory), layout)) : nullptr;
}

void Euicc::PowerOn() {
  if (memory_.powered) return;
  memory_.powered = true;
  applet_.Reset();
  ota_.Reset();
}

}  // namespace registry::sim
