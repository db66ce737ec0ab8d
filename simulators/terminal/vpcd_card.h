// simulators/terminal/vpcd_card.h: a card in the virtual reader of vsmartcard (Debian: vsmartcard-vpcd), so that it is
// found by PC/SC like one of plastic. The reader listens, the card dials.
// Protocol: two octets of length, then as many octets. One octet from the reader is a control: 00 power off, 01 power on,
//   02 reset, 04 the ATR is wanted; only 04 is answered. Anything longer is a command, answered by the card's answer.
// Owns: one connection and one thread. Borrows the card, which only that thread speaks to.
// Errors: 2001 for an address that is not ADDRESS:PORT, where ADDRESS is IPv4, IPv6 in brackets, or localhost, which is
//   127.0.0.1: no name is looked up. A reader that is not there, or goes away, is dialled again every
//   kDialAgain; the card then loses its power.
// Limits: a command is a short one, so at most kCommandMax octets; a longer one ends the connection.
// Spec: ISO/IEC 7816-3 §8 (ATR: T=1, and the historical bytes of ETSI TS 102 221 §6.2: four logical channels).
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>

#include "schemas/base/result.h"
#include "simulators/terminal/card_line.h"

namespace registry::sim {

class VpcdCard {
 public:
  static constexpr std::chrono::milliseconds kDialAgain{500};
  static constexpr std::size_t kCommandMax = 4 + 1 + 255 + 2;
  using OnState = std::function<void(bool in_reader)>;

  virtual ~VpcdCard() = default;
  // `on_state` is called from the card's thread.
  static Result<std::unique_ptr<VpcdCard>> Start(const std::string& address, CardPort& card,
                                                 OnState on_state);
};

Bytes AnswerToReset();

}  // namespace registry::sim
