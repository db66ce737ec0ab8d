// simulators/ota/card_agent.h: the card's side of remote administration: it takes short messages as the device hands them on
// (ENVELOPE, SMS-PP download), opens the packets, keeps the counter, has the commands carried out by the issuer's door of
// the card (euicc/ota.h), and answers with a proof of receipt.
// Owns: nothing; the card outlives it. Threads: one at a time, and not beside the card's applet.
// A remote session lasts from INSTALL [for personalization] to the last block of a script: the applet answers 6984 meanwhile
//   (Applet::BeginRemote). It ends as well when a command fails, and by ExpireSession.
// Fault model: CardFaults, from a seed; a counter that has reached its end is blocked (04) for ever.
// Errors: no octets from outside stop it. What is not whole, or nobody's, is dropped in silence, as a card does.
// Limits: one packet under way (sms.h); at most kPartsMost parts of a proof.
// Not simulated: a packet that waits for more time (08), USSD (0C).
// Spec: ETSI TS 102 225 §5.1.4 (counters), §5.2; 3GPP TS 31.115 §4; 3GPP TS 23.040 §9.2.3.22 (TP-FCS).
#pragma once

#include <random>

#include "simulators/euicc/euicc.h"
#include "simulators/ota/packet.h"
#include "simulators/ota/script.h"
#include "simulators/ota/sms.h"

namespace registry::sim::ota {

struct CardFaults {
  double no_room = 0;  // of short messages: there is no room for one just now (TP-FCS D3)
  double no_memory =
      0;  // of packets: the card's buffer is full (6A84) until the issuer begins anew with INSTALL
  double counter =
      0;  // of packets: somebody else has used the key set meanwhile, so that the counter is ahead
  std::uint64_t seed = 1;
};

inline constexpr std::uint8_t kMemoryExceeded = 0xd3;  // TP-FCS: memory capacity exceeded
inline constexpr std::uint8_t kDownloadError = 0xd5;   // TP-FCS: (U)SIM data download error
inline constexpr std::uint8_t kSessionTrigger =
    0x81;  // first octet of a packet that asks for an HTTP session

class CardAgent {
 public:
  using Clock = Reassembly::Clock;
  CardAgent(Euicc& card, KeySet keys, const CardFaults& faults = {},
            std::chrono::milliseconds patience = std::chrono::seconds(60));

  struct Outcome {
    std::uint8_t failure_cause = 0;  // 0: taken
    Bytes report;                    // user data of the delivery report: a proof that was asked for there
    std::vector<Bytes> submits;      // user data of short messages to be sent
    bool carried_out = false;        // a script was over, whatever came of it
    bool opens_session = false;      // the operator asks for an HTTP session
  };
  // A card without power (euicc/ota.h, CutPowerAfter) is switched on again by its device. One that loses it over a packet
  // proves nothing.
  Outcome Take(const Bytes& user_data, Clock::time_point now);

  // A script that came by a session of its own security (admin_agent.h). Commands behind one that fails are not carried out.
  ScriptAnswer CarryOut(const Script& script);
  void PowerOn() { card_.PowerOn(); }
  bool powered() const { return card_.powered(); }
  bool in_session() const { return in_session_; }
  void ExpireSession();  // power loss, or nobody goes on with it

  std::uint64_t counter() const { return counter_; }
  const KeySet& keys() const { return keys_; }

 private:
  PacketStatus Admit(const CommandPacket& packet);
  Bytes CarryOutPacket(const Bytes& data, Outcome& outcome);
  void Prove(const CommandPacket& packet, PacketStatus status, Bytes data, Outcome& outcome);
  Bytes Transmit(const Bytes& command);
  bool Happens(double probability);

  Euicc& card_;
  const KeySet keys_;
  const CardFaults faults_;
  Reassembly reassembly_;
  std::mt19937_64 dice_;
  std::uint64_t counter_ = 0;
  std::uint8_t reference_ = 0;
  bool in_session_ = false;
  bool full_ = false, fills_ = false;
};

}  // namespace registry::sim::ota
