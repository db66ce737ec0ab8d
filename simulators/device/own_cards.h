// simulators/device/own_cards.h: cards without a device, for software by others alone: `device-sim --modem PATH`.
// Owns: the cards and their doors. Threads: Start and the destructor from one; each card has its door's.
// Errors: 2005 config_malformed, of the doors, 2400 when there is no randomness for a card.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "simulators/device/card_doors.h"
#include "simulators/euicc/euicc.h"

namespace registry::sim {

struct OwnCardPlan {
  std::string modem, vpcd;  // one of them
  PtyModem::Options modem_options = {};
};

class OwnCards {
 public:
  virtual ~OwnCards() = default;
  static Result<std::unique_ptr<OwnCards>> Start(const std::vector<OwnCardPlan>& plans, CardLayout layout,
                                                 Report& report);
};

}  // namespace registry::sim
