// tests/unit/simulators/terminal/plain_card.h: a card laid out as `field`, and nothing else. One thread at a time.
#pragma once

#include <atomic>

#include "simulators/euicc/euicc.h"
#include "simulators/terminal/card_line.h"

namespace registry::sim {

class PlainCard : public CardPort {
 public:
  Bytes Transmit(const Bytes& apdu) override { return euicc_->applet().Transmit(apdu); }
  void Reset() override {
    euicc_->applet().Reset();
    ++resets;
  }
  std::atomic<int> resets = 0;

 private:
  std::unique_ptr<Euicc> euicc_ = Euicc::Make(*FindLayout("field"));
};

}  // namespace registry::sim
