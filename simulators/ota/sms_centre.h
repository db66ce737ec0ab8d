// simulators/ota/sms_centre.h: the short message service between an operator's platform and its cards: a centre that stores
// and forwards towards the card, and a way back for what a card sends itself.
// Time is what its caller says, so that a test needs no clock. Threads: one at a time. Owns: what waits.
// Fault model: SmsFaults, from a seed. Towards the card a message is lost on the radio (and sent again when no report has
//   come in retry_after), delivered twice, late (so that messages pass each other), or its card is absent for a while. Of
//   what a card sends, a lost message is lost for good: the device has its network's acknowledgement and does not send it
//   again.
// Errors: a message beyond kWaitingMost is dropped; one that has been tried attempts_most times is given up, as is
//   one that was refused for another reason than room (D3). Nobody is told: a platform that waits for a proof has a
//   deadline.
// Spec: 3GPP TS 23.040 §3 (store and forward, delivery reports); 3GPP TS 23.040 §9.2.3.22 (D3: tried again later).
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "schemas/base/bytes.h"

namespace registry::sim::ota {

struct SmsFaults {
  double lose = 0, repeat = 0, absent = 0;  // probability per message; absent: per attempt
  std::chrono::milliseconds delay_max{0}, absent_for{1000};
  std::uint64_t seed = 1;
};

struct SmsOptions {
  SmsFaults faults;
  std::chrono::milliseconds retry_after{500};
  int attempts_most = 20;
};

class SmsCentre {
 public:
  using Clock = std::chrono::steady_clock;
  static constexpr std::size_t kWaitingMost = 100'000;

  explicit SmsCentre(const SmsOptions& options) : options_(options), dice_(options.faults.seed) {}

  struct Message {
    std::uint64_t id = 0;
    std::string card;
    Bytes user_data;
  };
  // Towards the card.
  void Submit(const std::string& card, const Bytes& user_data, Clock::time_point now);
  std::vector<Message> TakeDue(Clock::time_point now);  // goes over the radio now
  // The delivery report; false: of no message that is waited for.
  bool Reported(std::uint64_t id, std::uint8_t failure_cause);
  // What waits for the card is deleted (TS 23.040 §9.2.3.19).
  void Withdraw(const std::string& card);
  // From the card.
  void Sent(const std::string& card, const Bytes& user_data, Clock::time_point now);
  std::vector<Message> TakeArrived(Clock::time_point now);

  Clock::time_point NextTurn() const;  // time_point::max(): nothing waits
  std::uint64_t given_up() const { return given_up_; }

 private:
  struct Waiting {
    Message message;
    int attempts = 0;
  };
  bool Happens(double probability);
  Clock::time_point Late(Clock::time_point now);

  const SmsOptions options_;
  std::mt19937_64 dice_;
  std::uint64_t last_id_ = 0, given_up_ = 0;
  std::map<std::uint64_t, Waiting> waiting_;
  std::multimap<Clock::time_point, std::uint64_t> turns_;  // of waiting_, when to try
  std::multimap<Clock::time_point, Message> on_air_, arriving_;
  std::map<std::string, Clock::time_point> absent_until_;
};

}  // namespace registry::sim::ota
