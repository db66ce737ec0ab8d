// simulators/terminal/card_line.h: one host's line to a card, and what it leaves open there. A host may vanish in the
// middle: then its logical channels are closed, since the card has only four.
// Owns: nothing; the card outlives it. Threads: one at a time. Errors: the card's status words.
// Spec: ISO/IEC 7816-4 §5.4.1 (class), §7.1.2 (MANAGE CHANNEL).
#pragma once

#include <array>

#include "schemas/base/bytes.h"

namespace registry::sim {

// A card as whatever it is put into sees it.
class CardPort {
 public:
  virtual ~CardPort() = default;
  virtual Bytes Transmit(const Bytes& apdu) = 0;
  virtual void Reset() = 0;  // the power goes and comes back
};

class CardLine {
 public:
  explicit CardLine(CardPort& card) : card_(card) {}
  Bytes Transmit(const Bytes& apdu);
  void Reset();
  void Leave();  // closes every channel this host has used

 private:
  CardPort& card_;
  std::array<bool, 4> used_{};
};

}  // namespace registry::sim
