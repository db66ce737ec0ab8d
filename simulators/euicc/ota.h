// simulators/euicc/ota.h: the issuer's door to the card, as an OTA platform opens it over SCP80/81; a device
// has no such door (GSMA IoT.05: only the issuer creates and writes objects). STORE DATA (GlobalPlatform 2.3
// §11.11): 80 E2 P1 P2 Lc data; P1 bit 8 = last block, P2 = block number from 0. The
//   blocks of one script are joined, then read as TLVs: 77 {83 id, 53 content} writes a file, 76 {83 id}
//   deletes one, 7F 08 "clearall" empties the card: every file and every pair the device can generate anew.
// Fault model: a full card or a script of more than 256 blocks (6A84), blocks out of order, encrypted or of DGIs (6A86), a
//   script that is no script, an id of no octets or more than 20 (6A80); nothing is written by halves. Security of the
//   bearer (SCP80/81: keys, counters, PoR) is not simulated: whoever holds this object is the issuer.
// Owns: a script under way; borrows the card's memory. Threads: one at a time, and not beside the applet.
// Errors: status words; a script is carried out whole or not at all (6A84: it would not fit).
#pragma once

#include <vector>

#include "simulators/euicc/apdu.h"
#include "simulators/euicc/memory.h"

namespace registry::sim {

class OtaChannel {
 public:
  explicit OtaChannel(CardMemory& memory) : memory_(memory) {}
  Bytes Transmit(const Bytes& apdu);

 private:
  ResponseApdu StoreData(const Command& command);
  ResponseApdu Carry(const Bytes& script);
  static StatusWord Take(const Tlv& step, CardMemory& memory);
  static StatusWord ClearAll(const Bytes& word, CardMemory& memory);

  CardMemory& memory_;
  Bytes script_;
  std::uint8_t next_block_ = 0;
};

// The STORE DATA commands that carry `script`, in order.
std::vector<Bytes> StoreDataBlocks(const Bytes& script);
Bytes WriteFileScript(std::uint8_t id, const Bytes& content);
Bytes DeleteFileScript(std::uint8_t id);
Bytes ClearAllScript();

}  // namespace registry::sim
