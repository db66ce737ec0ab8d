// tests/integration/transfers/transfers_lab.h: one lab of real servers for all tests of transfers: broker, registryd, BIND,
// Unbound, and the simulators of both sides. Each test takes devices that no other has had, and leaves the servers running
// and the parties' answers as they were. A probe holds one session of a device after the other meanwhile.
// Threads: tests call from theirs; Probe has one of its own.
#pragma once

#include <gmock/gmock.h>

#include <chrono>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "schemas/base/mutex.h"
#include "simulators/lab/heard.h"
#include "simulators/lab/lab.h"

namespace registry::lab {

inline constexpr std::chrono::seconds kPatience{180};  // for what somebody has to say

// What a device's session came to, as the device says it, or nothing within a while.
std::optional<nlohmann::json> TrySession(Lab& lab, Heard& heard, const std::string& device,
                                         bool former = false);

// Why a session is refused that the device holds as it did before its last payload, with what it had then. A resolver keeps
// an answer for its TTL, so it is tried until then, and no longer than one waits for anything.
std::string RefusalAsBefore(Lab& lab, Heard& heard, const std::string& device);

// One session after the other, each begun a moment after the one before is over, so that the sessions leave room
// for the servers.
class Probe {
 public:
  Probe(Lab& lab, Heard& heard, std::string device);
  ~Probe() { End(); }
  void End();
  std::vector<std::string> refusals() const;
  int held() const;
  bool WaitHeld(int more);  // sessions from now on

 private:
  void Run();

  Lab& lab_;
  Heard& heard_;
  const std::string device_;
  mutable Mutex mutex_;
  CondVar changed_;
  bool over_ GUARDED_BY(mutex_) = false;
  int held_ GUARDED_BY(mutex_) = 0;
  std::vector<std::string> refusals_ GUARDED_BY(mutex_);
  std::thread thread_;
};

class TransfersLab : public testing::Test {
 protected:
  static void SetUpTestSuite();
  static void TearDownTestSuite();
  void SetUp() override { ASSERT_NE(lab_, nullptr) << "the lab did not start"; }
  void TearDown() override;

  // The device that this MNO sponsors and this ASP has claimed, and that no test has had.
  static std::string DeviceOf(const std::string& mno, const std::string& asp);
  static nlohmann::json Ctl(std::vector<std::string> words);
  static nlohmann::json Shown(const std::string& device) { return Ctl({"device", "show", device}); }

  static void KillAndRestart(const std::string& program, const std::string& when);
  // In registryd's section "transfer", or in the party's own table; registryd is started anew.
  static void Configure(const std::string& key, const std::string& value, const std::string& party = "");

  static void Tell(const std::string& program, nlohmann::json command);
  // Until the gaining party's request is accepted: what a former transfer left to do may still be under way.
  static void Give(const std::string& from, const std::string& to, const std::string& device);
  static void Await(std::size_t& from, const Heard::Wanted& wanted, const std::string& what);
  // The oldest payload that the MNO has carried to the device, once more: what became of it there.
  static std::optional<nlohmann::json> Replayed(const std::string& mno, const std::string& device);
  // What a party tried with a device that is not its own any more, e.g. {"cmd":"suspend"}: the symbol of the refusal.
  static std::string Refusal(const std::string& party, nlohmann::json command, const std::string& event);

  static std::unique_ptr<Heard> heard_;
  static std::unique_ptr<Lab> lab_;

 private:
  static std::set<std::string> taken_;
};

}  // namespace registry::lab
