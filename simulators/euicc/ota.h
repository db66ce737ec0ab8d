// simulators/euicc/ota.h: the issuer's door to the card, as an OTA platform opens it over SCP80/81; a device
// has no such door (GSMA IoT.05: only the issuer creates and writes objects). Behind it is the OTA security domain
// (GlobalPlatform 2.3): SELECT of the domain, INSTALL [for personalization] of the applet (§11.5.2.3.6: 80 E6 20 00 Lc
// 00 00 AID 00 00 00), and STORE DATA (§11.11): 80 E2 P1 P2 Lc data; P1 bit 8 = last block, P2 = block number from 0.
// STORE DATA without INSTALL goes to the applet as well: the domain has no other. The blocks of one script are joined, then
// read as TLVs (issuer_script.h).
// Fault model: a full card or a script of more than 256 blocks (6A84), blocks out of order, encrypted or of DGIs (6A86), a
//   script that is no script, an id of no octets or more than 20 (6A80); a power cut between any two commands
//   (CutPowerAfter). No script is written by halves, but a set of scripts may be. There is no security of
//   its own here: whoever holds this object is the issuer. simulators/ota puts SCP80 and an HTTP session before it.
// Owns: a script under way; borrows the card's memory and its layout. Threads: one at a time, and not beside the applet.
// Errors: status words; a script is carried out whole or not at all (6A84: it would not fit).
#pragma once

#include <optional>
#include <vector>

#include "simulators/euicc/apdu.h"
#include "simulators/euicc/issuer_script.h"
#include "simulators/euicc/layout.h"

namespace registry::sim {

class OtaChannel {
 public:
  explicit OtaChannel(CardMemory& memory, const CardLayout& layout = DefaultLayout())
      : memory_(memory), layout_(layout) {}
  Bytes Transmit(const Bytes& apdu);
  // The card loses its power once it has answered so many commands here: what comes then gets no octet of an answer.
  void CutPowerAfter(std::size_t commands) { until_cut_ = commands; }
  void Reset();  // a script under way is lost

 private:
  ResponseApdu Dispatch(const Command& command);
  ResponseApdu InstallForPersonalization(const Command& command);
  ResponseApdu StoreData(const Command& command);

  CardMemory& memory_;
  const CardLayout& layout_;
  std::optional<std::size_t> until_cut_;
  Bytes script_;
  std::uint8_t next_block_ = 0;
};

// INSTALL [for personalization] of the applet under GSMA's name: a script begins anew.
Bytes InstallForPersonalization();
// The STORE DATA commands that carry `script`, in order.
std::vector<Bytes> StoreDataBlocks(const Bytes& script);

}  // namespace registry::sim
