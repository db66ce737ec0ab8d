// simulators/ota/platform.h: an operator's OTA platform for its cards: it cuts a parcel into packets, waits for their
// proofs, and repeats, goes on, begins anew or gives up. One parcel at a time per card; others wait.
// Time is what its caller says. Threads: one at a time. Owns: the parcels under way, and each card's counter.
// What it does when things go wrong:
//   no proof in proof_within   sends the same packet again, repeats_most times, and waits twice as long each time, up to
//                              eight times; what has arrived counts
//   counter low (02), once     it supposes that the packet came twice and the proof was lost: the next packet tells
//   counter low (02), again, or of the first packet
//                              its counter is behind the card's: it goes ahead by 2, 4, 8, …, and the commands come again
//   counter high (03)          asks for a higher counter instead of the next one
//   counter blocked (04), keys or security refused (01, 05, 06, 09, 0A)     gives up
//   no memory (07, 6A84)       delivery.h
// Of an HTTP session it sends the trigger by short message, triggers_most times, and the rest is said in Poll.
// Errors: an end, with what do.result says. Limits: kWaitingMost parcels per card.
// Spec: ETSI TS 102 225, TS 102 226; GlobalPlatform Amendment B (the session's trigger).
#pragma once

#include <chrono>
#include <functional>
#include <list>
#include <map>
#include <set>
#include <string>

#include "simulators/ota/delivery.h"
#include "simulators/ota/packet.h"
#include "simulators/ota/sms.h"

namespace registry::sim::ota {

enum class Bearer { kSms, kHttp };

struct PlatformOptions {
  Bearer bearer = Bearer::kSms;
  Spi spi;
  std::chrono::milliseconds proof_within{3000};
  std::chrono::milliseconds low_grace{300};  // after a low counter, for a proof that is late
  int repeats_most = 6, resyncs_most = 16, triggers_most = 10;
  std::size_t packet_octets_most = 1100;  // of secured data: four blocks of STORE DATA, nine short messages
  std::size_t http_octets_most = 4000;
  Delivery::Limits limits;
};

class Platform {
 public:
  using Clock = std::chrono::steady_clock;
  using Send = std::function<void(const std::string& card, const Bytes& user_data)>;
  static constexpr std::size_t kWaitingMost = 16;

  Platform(const PlatformOptions& options, Send send) : options_(options), send_(std::move(send)) {}

  void AddCard(const std::string& card, KeySet keys) { cards_[card].keys = std::move(keys); }
  bool HasCard(const std::string& card) const { return cards_.contains(card); }
  const KeySet* KeysOf(const std::string& card) const;

  // False: the card is not known, or too many parcels wait for it. A job that is under way is not begun again.
  bool Deliver(const std::string& card, const std::string& job, Parcel parcel, Clock::time_point now);
  // No end is told. Whose card it was under way to: what has been sent for it should not arrive any more.
  std::optional<std::string> Cancel(const std::string& job);
  // The device has said what has become of it: it is over, whatever proof has not come.
  void Settle(const std::string& job, Clock::time_point now);
  void Heard(const std::string& card, const Bytes& user_data, Clock::time_point now);
  void Turn(Clock::time_point now);
  Clock::time_point NextTurn() const;  // time_point::max(): nothing waits

  // Of an HTTP session of that card: the answer to what Poll gave before, none at its beginning; what the card carries out
  // next, nullopt when it is over.
  std::optional<Script> Poll(const std::string& card, const std::optional<ScriptAnswer>& answer,
                             Clock::time_point now);

  struct Ended {
    std::string card, job;
    std::optional<Failure> failure;
  };
  std::vector<Ended> TakeEnded();
  // Of all cards, for whoever wants to see that something was mended.
  struct Figures {
    std::uint64_t packets = 0, repeated = 0, resyncs = 0, sessions = 0;
  };
  const Figures& figures() const { return figures_; }

 private:
  struct Parcels {
    std::string job;
    Delivery delivery;
  };
  struct Card {
    KeySet keys;
    std::uint64_t counter = 0;
    std::uint8_t reference = 0;
    std::list<Parcels> waiting;   // the first is under way
    std::vector<Bytes> commands;  // of the packet under way
    std::vector<Bytes> parts;
    Spi spi;
    int sent = 0, resyncs = 0, lows = 0;
    bool low = false;
    Reassembly proof{PacketKind::kResponse, std::chrono::seconds(60)};
    Clock::time_point turn = Clock::time_point::max();
  };
  bool Drop(const std::string& job);
  void SendNext(const std::string& name, Card& card, Clock::time_point now);
  void SendNew(const std::string& name, Card& card, Clock::time_point now);
  void SendParts(const std::string& name, Card& card, Clock::time_point now);
  void Proved(const std::string& name, Card& card, const ResponsePacket& response, Clock::time_point now);
  void Low(const std::string& name, Card& card, Clock::time_point now);
  void Late(const std::string& name, Card& card, Clock::time_point now);
  void End(const std::string& name, Card& card, std::optional<Failure> failure, Clock::time_point now);
  void SetTurn(const std::string& name, Card& card, Clock::time_point turn);

  const PlatformOptions options_;
  const Send send_;
  std::map<std::string, Card> cards_;
  std::map<std::string, std::string> jobs_;  // whose card each is for, while it waits or is under way
  std::set<std::pair<Clock::time_point, std::string>> turns_;
  std::vector<Ended> ended_;
  Figures figures_;
};

}  // namespace registry::sim::ota
