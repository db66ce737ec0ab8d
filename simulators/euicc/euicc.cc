#include "simulators/euicc/euicc.h"

namespace registry::sim {

std::unique_ptr<Euicc> Euicc::Make(const CardLayout& layout) {
  auto memory = LayOut(layout);
  return memory ? std::unique_ptr<Euicc>(new Euicc(std::move(*memory), layout)) : nullptr;
}

}  // namespace registry::sim
