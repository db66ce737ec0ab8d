// bridge/outbox/patience.h: how often the entry at the head of the outbox may fail before the others need not
// wait for it any longer.
// Rules: refused on a connection that lives, kRefusalsMax times in a row, or larger than the receiver takes:
//   buried. A connection that the receiver ended over too large a packet (MQTT 5 §3.14.2.1, 0x95) blames
//   whoever was out there, so entries then leave one by one, and one that alone ends it kCutOffsMax times in a
//   row is buried. A connection that merely ends, however often, buries nothing: brokers are restarted, and a
//   network that fails is no word about a message; it is complained about instead.
// Threads: one. Plain value.
#pragma once

#include "bridge/outbox/window.h"

namespace registry::outbox {

class Patience {
 public:
  static constexpr int kRefusalsMax = 5, kCutOffsMax = 3;
  static constexpr int kLossesOneByOne = 3, kLossesComplained = 10;

  enum class Verdict : std::uint8_t { kCarryOn, kBury, kComplain };
  Verdict Failed(const Window::Stuck& head);
  // Whether, with the cursor here, only one entry may be out there at a time.
  bool OneByOne(ledger::Seq cursor) const { return cursor < one_by_one_until_; }

 private:
  ledger::Seq head_ = 0, one_by_one_until_ = 0;
  int refusals_ = 0, cut_offs_ = 0, losses_ = 0;
};

}  // namespace registry::outbox
