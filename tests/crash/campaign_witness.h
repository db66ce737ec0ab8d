// tests/crash/campaign_witness.h: a party that knows exactly what it was told: an ASP that no simulator plays. It publishes
// its endpoint anew with each command, says each command until it has the reply, and once more afterwards, and compares the
// replies octet by octet.
// A connection that ends with the broker is made again. Threads: the owner's.
#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <string>

#include "simulators/lab/layout.h"
#include "tests/support/raw_mqtt.h"

namespace registry::test {

class CampaignWitness {
 public:
  static constexpr const char* kParty = "guest-asp";
  explicit CampaignWitness(const lab::Layout& layout);
  // The next command, once. Its reply is waited for by Await.
  void Say();
  // Until everything that was said is answered. False: not within `within`.
  bool Await(std::chrono::seconds within);
  // What was said last is said once more, and answered as before.
  bool RepeatLast(std::chrono::seconds within);
  int said() const { return said_; }
  // What is wrong with the replies so far; empty: nothing.
  std::string faults() const { return faults_; }
  static std::string IdOf(int number) { return "witness-" + std::to_string(number); }

 private:
  bool Listen();
  void SayAgain(int number);
  void Take(const RawMessage& message);

  const RawOptions options_;
  std::unique_ptr<RawMqtt> client_;
  int said_ = 0, answered_ = 0;
  std::map<std::string, std::string> replies_;  // by the command's id
  std::map<std::string, int> times_;            // each was answered
  std::string faults_;
};

}  // namespace registry::test
