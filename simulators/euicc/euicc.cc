#include "simulators/euicc/euicc.h"

namespace registry::sim {

std::unique_ptr<Euicc> Euicc::Make() {
  std::unique_ptr<Euicc> card(new Euicc());
  card->memory_.keys[{kSigningKey}].functions = kMaySign | kMayGenerate | kMayAgree;
  card->memory_.keys[{kOtherSigningKey}].functions = kMaySign | kMayGenerate | kMayAgree;
  KeySlot& agreement = card->memory_.keys[{kAgreementKey}];
  agreement.functions = kMayAgree;
  agreement.pair = P256Key::Generate();
  card->memory_.keys[{kPeerKey}].functions = kMayAgree;
  return agreement.pair ? std::move(card) : nullptr;
}

}  // namespace registry::sim
