// simulators/lab/progress.h: what the simulators said, put together per device: which steps are done, how long
// they took, what failed. Any thread.
#pragma once

#include <chrono>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "schemas/base/mutex.h"

namespace registry::lab {

// The steps of the main job in the order they happen (design §1), as the simulators name them.
inline constexpr const char* kSteps[] = {"register",  "claim",   "attach",       "key_generate",
                                         "csr",       "install", "payload_open", "payload",
                                         "activated", "verify",  "session",      "asp_check"};

struct StepDone {
  double ms = 0;
  bool ok = false;
  std::string reason;
};

struct DeviceProgress {
  std::string mno, asp;                   // programs that spoke of it
  std::map<std::string, StepDone> steps;  // the last word on each; a later success heals an earlier failure
  bool checks = true;                     // false: it said that it is done without
  double begun_ms = 0, finished_ms = 0;   // since the clock was started; see CountFromRegistration
  bool Ok(const std::string& step) const;
  // Active, own verification passed, session held and checked by the ASP; of one that checks nothing: active and done.
  bool Complete() const;
};

// A session tried again after deactivation.
struct Retry {
  bool ok = false;
  std::string reason;
};

// What MNOs said of the ways to their cards (mno/over_the_air.h), all together. All 0 where they say it direct.
struct OtaFigures {
  std::uint64_t written = 0, failed = 0;  // parcels
  std::uint64_t packets = 0, repeated = 0, resyncs = 0, sessions = 0;
  bool any() const { return written + failed > 0; }
};
std::string TextOf(const OtaFigures& figures);

class Progress {
 public:
  using Clock = std::chrono::steady_clock;

  void StartClock();
  // From here `whole` counts from where a device's step `register` begins, else from the start of the clock.
  void CountFromRegistration();
  void Heard(const std::string& program, const nlohmann::json& event);

  // Until every one of `devices` is complete or has given up, or nothing has been heard for `silence`, or
  // `deadline`, or a tick passed. True when there is no more to wait for.
  bool Wait(std::size_t devices, std::chrono::milliseconds tick, std::chrono::milliseconds silence,
            std::chrono::milliseconds deadline);
  std::optional<Retry> WaitRetry(const std::string& device, std::chrono::milliseconds deadline);
  std::optional<bool> WaitDeactivated(const std::string& device, std::chrono::milliseconds deadline);
  // The device's radio is as the console set it last: on or off.
  std::optional<bool> WaitRadio(const std::string& device, std::chrono::milliseconds deadline);

  // That ASPs have heard telemetry of so many devices, each under its own name.
  std::optional<bool> WaitTold(std::size_t devices, std::chrono::milliseconds deadline);
  bool Told(const std::string& device) const;
  // Why the device's session with its ASP's broker is over, and was not ended by the device itself.
  std::optional<std::string> WaitPutOut(const std::string& device, std::chrono::milliseconds deadline);

  std::map<std::string, DeviceProgress> devices() const;  // by UUID
  // Latencies of every success by step, and how many failed for good.
  struct Series {
    std::vector<double> ms;
    std::size_t failures = 0;
  };
  std::map<std::string, Series> series() const;
  std::map<std::string, std::size_t> counts() const;  // devices that have done the step
  OtaFigures over_the_air() const;
  double elapsed_ms() const;
  std::size_t complete() const;
  std::size_t given_up() const;          // with those that never got a name
  std::vector<std::string> TakeLines();  // "device step 12 ms", for people, since the last call

 private:
  void Step(const std::string& program, const nlohmann::json& event) REQUIRES(mutex_);
  void Done(const nlohmann::json& event) REQUIRES(mutex_);
  void OverTheAir(const std::string& program, const nlohmann::json& event) REQUIRES(mutex_);
  void CountWhenComplete(DeviceProgress& progress) REQUIRES(mutex_);
  std::size_t GivenUp() const REQUIRES(mutex_);

  mutable Mutex mutex_;
  CondVar changed_;
  Clock::time_point begun_ GUARDED_BY(mutex_) = Clock::now(), heard_ GUARDED_BY(mutex_) = Clock::now();
  bool from_registration_ GUARDED_BY(mutex_) = false;
  std::map<std::string, DeviceProgress> devices_ GUARDED_BY(mutex_);
  std::map<std::string, std::size_t> counts_ GUARDED_BY(mutex_);
  std::map<std::string, Series> endpoint_ GUARDED_BY(mutex_);  // steps that belong to no device
  std::size_t complete_ GUARDED_BY(mutex_) = 0;
  std::set<std::string> given_up_ GUARDED_BY(mutex_);  // devices that said so themselves
  std::map<std::string, Retry> retries_ GUARDED_BY(mutex_);
  std::set<std::string> told_ GUARDED_BY(mutex_);
  std::map<std::string, std::string> put_out_ GUARDED_BY(mutex_);
  std::map<std::string, bool> deactivated_ GUARDED_BY(mutex_), radio_ GUARDED_BY(mutex_);
  std::map<std::string, OtaFigures> over_the_air_ GUARDED_BY(mutex_);  // by MNO
  std::vector<std::string> lines_ GUARDED_BY(mutex_);
};

}  // namespace registry::lab
