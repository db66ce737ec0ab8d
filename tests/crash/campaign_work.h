// tests/crash/campaign_work.h: what goes on while faults strike: devices are registered and become active, and those that
// are active go to another ASP, to another MNO, or get another key. One task of a device at a time.
// Threads: Hear from any; the rest from the owner's. The lab outlives it.
#pragma once

#include <chrono>
#include <map>
#include <random>
#include <set>
#include <string>

#include "schemas/base/mutex.h"
#include "simulators/lab/heard.h"
#include "simulators/lab/lab.h"

namespace registry::test {

// What became of one device, as the parties were told.
struct DeviceWork {
  std::string mno, asp;  // whose it is now
  int moved = 0, moved_to_mno = 0, rekeyed = 0;
  bool has_session = false;
};

class CampaignWork {
 public:
  void Hear(const std::string& program, const nlohmann::json& event);
  // Some more work, as long as there is little: so many of `devices` come first over `rounds` of these calls.
  void GoOn(lab::Lab& lab, std::mt19937_64& random);
  void SetPlan(int devices, int registered, int rounds);
  // Until so many more events came, or `within` is over.
  void WaitEvents(std::uint64_t count, std::chrono::milliseconds within);
  // Every device of the plan has come and is through, and so is every task. False: not within `within`.
  bool WaitFinished(lab::Lab& lab, std::chrono::seconds within);
  std::string Unfinished();
  // Of every device that was registered.
  std::map<std::string, DeviceWork> devices();
  std::string Summary();
  // What was refused, and how often: such a command has no effect.
  std::map<std::string, int> refusals();

  lab::Heard heard;

 private:
  enum class Kind { kMove, kRekey };
  struct Task {
    Kind kind;
    std::string by, to;  // who was told to begin; whom the device goes to
  };
  void HearLocked(const std::string& program, const nlohmann::json& event) REQUIRES(mutex_);
  void HearNotification(const std::string& program, const std::string& type, const std::string& device)
      REQUIRES(mutex_);
  void HearReply(const std::string& what, const nlohmann::json& event) REQUIRES(mutex_);
  bool Through(const std::string& device) const REQUIRES(mutex_);
  std::size_t UnderWay() const REQUIRES(mutex_);
  bool Finished() const REQUIRES(mutex_);
  // What to say to whom, to begin it.
  std::pair<std::string, nlohmann::json> Begin(const std::string& device, std::mt19937_64& random)
      REQUIRES(mutex_);
  int ToRegister(int most) REQUIRES(mutex_);

  Mutex mutex_;
  CondVar changed_;
  std::uint64_t events_ GUARDED_BY(mutex_) = 0;
  int planned_ GUARDED_BY(mutex_) = 0, asked_for_ GUARDED_BY(mutex_) = 0, each_round_ GUARDED_BY(mutex_) = 0;
  std::map<std::string, DeviceWork> devices_ GUARDED_BY(mutex_);
  std::set<std::string> activated_ GUARDED_BY(mutex_);
  std::map<std::string, Task> tasks_ GUARDED_BY(mutex_);
  std::map<std::string, int> refusals_ GUARDED_BY(mutex_);
  int moves_ GUARDED_BY(mutex_) = 0, rekeys_ GUARDED_BY(mutex_) = 0;
};

}  // namespace registry::test
