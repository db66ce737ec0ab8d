// simulators/euicc/applet.h: a soft IoT SAFE applet, spoken to by APDU octets only, as over the card's
// contacts. Owns: channels and sessions, lost by Reset; borrows the card's memory. Threads: one at a time, like the serial
// line. Errors: status words only; no octets from outside stop the process. A device can neither create nor write files
// (OTA).
// Fault model: Reset (power loss) ends channels, signature and put-key sessions, never keys or files. An interrupted
//   session blocks no other (GSMA IoT.05 keys sessions by number). While BeginRemote..EndRemote, as during an OTA session,
//   files answer 6984. Nothing is altered in silence.
// A command that is refused changes nothing: what it says is judged before any of it is kept.
// Limits: 4 channels, sessions 00..07, 255 octets of answer, 4096 of text to be signed (6A84). Signature modes 01 (full
//   text) and 03 (pad and sign). The object list comes in parts of 240 octets at most, cut between structures: 6300, then
//   CB 01 01 until 9000; each channel has its own, and what is still to come is as it was at CB 01 00.
// Not simulated: labels (tags 73 to 76) instead of ids; signature mode 02, AES-CMAC, VERIFY SIGNATURE; secrets (C4), PRF,
//   HKDF; GET RESPONSE and its 61xx; zero padding behind the end of a file, which the pilot's
//   middleware reads on into; a channel opened by SELECT alone, as wolfSSL expects; AIDs but the GSMA's; the one-octet hash
//   functions and the AID length off by one that one client wants in GET DATA application.
// Spec: GSMA IoT.04, IoT.05 v1.0 as clients speak it; ISO/IEC 7816-4.
#pragma once

#include <array>
#include <deque>
#include <map>
#include <optional>

#include "simulators/euicc/apdu.h"
#include "simulators/euicc/memory.h"

namespace registry::sim {

inline constexpr std::array<std::uint8_t, 7> kGsmaAid = {0xa0, 0x00, 0x00, 0x05, 0x59, 0x00, 0x10};

class Applet {
 public:
  explicit Applet(CardMemory& memory) : memory_(memory) {}
  Bytes Transmit(const Bytes& apdu);
  void Reset();

  void BeginRemote() { remote_ = true; }
  void EndRemote() { remote_ = false; }

 private:
  using Tlvs = std::vector<Tlv>;
  using Handler = ResponseApdu (Applet::*)(const Command&, const Tlvs&);
  struct Signing {
    Bytes key;
    std::uint8_t mode = 0;
    Bytes text;
  };
  struct Instruction {
    std::uint8_t code;
    Handler handler;
  };

  ResponseApdu Dispatch(const Command& command);
  ResponseApdu Serve(const Command& command);
  ResponseApdu ManageChannel(const Command& command);
  ResponseApdu Select(const Command& command);

  // commands.cc, one per instruction of GSMA IoT.05.
  static const std::vector<Instruction>& Instructions();
  ResponseApdu GenerateKeyPair(const Command& command, const Tlvs& tlvs);
  ResponseApdu SignInit(const Command& command, const Tlvs& tlvs);
  ResponseApdu SignUpdate(const Command& command, const Tlvs& tlvs);
  ResponseApdu ReadPublicKey(const Command& command, const Tlvs& tlvs);
  ResponseApdu PutKeyInit(const Command& command, const Tlvs& tlvs);
  ResponseApdu PutKeyUpdate(const Command& command, const Tlvs& tlvs);
  ResponseApdu ComputeDh(const Command& command, const Tlvs& tlvs);
  ResponseApdu ReadFile(const Command& command, const Tlvs& tlvs);
  ResponseApdu GetData(const Command& command, const Tlvs& tlvs);
  ResponseApdu GetRandom(const Command& command, const Tlvs& tlvs);
  ResponseApdu SignText(const Command& command, const Signing& session, const Bytes& digest) const;
  Bytes Application() const;
  ResponseApdu ObjectList(const Command& command);
  std::deque<Bytes> Objects() const;  // one structure each
  KeySlot* FindKey(const Tlvs& tlvs, std::uint8_t tag);

  CardMemory& memory_;
  std::array<bool, 4> open_{true, false, false, false};
  std::array<bool, 4> selected_{};
  std::array<std::optional<std::deque<Bytes>>, 4> listing_;  // what of an object list is still to be said
  std::map<std::uint8_t, Signing> signing_;
  std::map<std::uint8_t, Bytes> putting_;  // session -> key id
  bool remote_ = false;
};

}  // namespace registry::sim
