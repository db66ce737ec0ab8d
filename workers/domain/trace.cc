#include "workers/domain/trace.h"

#include "schemas/wire/messages.h"

namespace registry::domain {

PayloadSteps PayloadStepsOf(const Device& device) {
  PayloadSteps found;
  for (std::size_t place = device.trace.size(); place-- > 0;) {
    const std::string& step = device.trace[place].step;
    if (step == kDeliveredStep && !found.confirmation) found.confirmation = place;
    if (step != wire::PayloadPush::kName) continue;
    if (!found.newest) found.newest = place;
    if (!found.confirmation) continue;
    found.confirmed = place;
    break;
  }
  return found;
}

std::size_t StepToGiveUp(const Device& device) {
  const PayloadSteps kept = PayloadStepsOf(device);
  std::size_t place = 0;
  while (place == kept.newest || place == kept.confirmation || place == kept.confirmed) ++place;
  return place;
}

}  // namespace registry::domain
