#include "simulators/lab/progress.h"

#include <algorithm>
#include <cstdio>

#include "simulators/link/text.h"

namespace registry::lab {
namespace {

using nlohmann::json;
using sim::Text;
using std::chrono::milliseconds;

constexpr std::size_t kLinesMax = 10'000;

bool True(const json& object, const char* member) {
  const auto found = object.find(member);
  return found != object.end() && found->is_boolean() && found->get<bool>();
}

double MsBetween(Progress::Clock::time_point from, Progress::Clock::time_point to) {
  return std::chrono::duration<double, std::milli>(to - from).count();
}

std::string LineOf(double at_ms, const std::string& program, const std::string& device,
                   const std::string& step, const StepDone& done) {
  char head[160];
  std::snprintf(head, sizeof head, "%8.3f s  %-8s %-8.8s %-13s %8.1f ms", at_ms / 1000, program.c_str(),
                device.c_str(), step.c_str(), done.ms);
  return std::string(head) + (done.ok ? "" : "  FAILED: " + done.reason);
}

}  // namespace

bool DeviceProgress::Ok(const std::string& step) const {
  const auto found = steps.find(step);
  return found != steps.end() && found->second.ok;
}

bool DeviceProgress::Complete() const {
  return Ok("activated") && (!checks || (Ok("verify") && Ok("session") && Ok("asp_check")));
}

void Progress::StartClock() {
  const MutexLock lock(mutex_);
  begun_ = heard_ = Clock::now();
}

void Progress::CountFromRegistration() {
  const MutexLock lock(mutex_);
  from_registration_ = true;
}

void Progress::Heard(const std::string& program, const json& event) {
  const std::string kind = Text(event, "event");
  {
    const MutexLock lock(mutex_);
    heard_ = Clock::now();
    if (kind == "step") {
      Step(program, event);
    } else if (kind == "done") {
      Done(event);
    } else if (kind == "deactivated") {
      deactivated_[Text(event, "device")] = True(event, "ok");
    } else if (kind == "telemetry" && True(event, "ok")) {
      told_.insert(Text(event, "device"));
    } else if (kind == "telemetry_ended") {
      put_out_[Text(event, "device")] = Text(event, "reason");
    } else if (kind == "radio") {
      radio_[Text(event, "device")] = True(event, "on");
    } else if (kind == "ota") {
      OverTheAir(program, event);
    }
  }
  changed_.NotifyAll();
}

void Progress::Step(const std::string& program, const json& event) {
  const std::string step = Text(event, "step"), device = Text(event, "device");
  StepDone done;
  done.ms = event.value("ms", json(0)).is_number() ? event.value("ms", 0.0) : 0;
  done.ok = True(event, "ok");
  done.reason = Text(event, "reason");
  if (True(event, "again")) {
    retries_[device] = {done.ok, done.reason};
    return;
  }
  const double now_ms = MsBetween(begun_, heard_);
  if (lines_.size() >= kLinesMax) lines_.clear();  // nobody reads them any more
  lines_.push_back(LineOf(now_ms, program, device, step, done));
  if (device.empty()) {
    auto& series = endpoint_[step];
    done.ok ? series.ms.push_back(done.ms) : void(++series.failures);
    return;
  }
  if (deactivated_.contains(device)) return;  // refusals after deactivation are meant
  DeviceProgress& progress = devices_[device];
  if (program.starts_with("mno")) progress.mno = program;
  if (program.starts_with("asp")) progress.asp = program;
  if (progress.Ok(step)) return;
  progress.steps[step] = done;
  if (from_registration_ && step == "register") progress.begun_ms = now_ms - done.ms;
  if (done.ok) ++counts_[step];
  CountWhenComplete(progress);
}

void Progress::Done(const json& event) {
  const std::string device = Text(event, "device");
  if (!True(event, "ok")) return void(given_up_.insert(device));
  if (event.value("checked", json(true)) != json(false)) return;
  DeviceProgress& progress = devices_[device];
  progress.checks = false;
  CountWhenComplete(progress);
}

void Progress::CountWhenComplete(DeviceProgress& progress) {
  if (progress.finished_ms > 0 || !progress.Complete()) return;
  progress.finished_ms = MsBetween(begun_, heard_);
  ++complete_;
}

void Progress::OverTheAir(const std::string& program, const json& event) {
  OtaFigures& figures = over_the_air_[program];
  ++(True(event, "ok") ? figures.written : figures.failed);
  const std::pair<const char*, std::uint64_t*> counts[] = {{"packets", &figures.packets},
                                                           {"repeated", &figures.repeated},
                                                           {"resyncs", &figures.resyncs},
                                                           {"sessions", &figures.sessions}};
  for (const auto& [name, into] : counts) {
    const auto found = event.find(name);
    if (found != event.end() && found->is_number_unsigned()) *into = found->get<std::uint64_t>();
  }
}

OtaFigures Progress::over_the_air() const {
  const MutexLock lock(mutex_);
  OtaFigures sum;
  for (const auto& [mno, figures] : over_the_air_) {
    sum.written += figures.written;
    sum.failed += figures.failed;
    sum.packets += figures.packets;
    sum.repeated += figures.repeated;
    sum.resyncs += figures.resyncs;
    sum.sessions += figures.sessions;
  }
  return sum;
}

std::string TextOf(const OtaFigures& figures) {
  return "over the air: " + std::to_string(figures.written) + " parcels written, " +
         std::to_string(figures.failed) + " given up; " + std::to_string(figures.packets) + " packets, " +
         std::to_string(figures.repeated) + " sent again, " + std::to_string(figures.resyncs) +
         " counters looked for; " + std::to_string(figures.sessions) + " HTTP sessions";
}

// A registration that failed for good has given its device no name.
std::size_t Progress::GivenUp() const {
  const auto nameless = endpoint_.find("register");
  return given_up_.size() + (nameless == endpoint_.end() ? 0 : nameless->second.failures);
}

bool Progress::Wait(std::size_t devices, milliseconds tick, milliseconds silence, milliseconds deadline) {
  MutexLock lock(mutex_);
  const auto until = Clock::now() + tick;
  const auto over = [&]() REQUIRES(mutex_) { return complete_ + GivenUp() >= devices; };
  changed_.WaitUntil(lock, until, over);
  const auto now = Clock::now();
  return over() || now - heard_ > silence || now - begun_ > deadline;
}

std::optional<Retry> Progress::WaitRetry(const std::string& device, milliseconds deadline) {
  MutexLock lock(mutex_);
  if (!changed_.WaitFor(lock, deadline, [&]() REQUIRES(mutex_) { return retries_.contains(device); }))
    return std::nullopt;
  const Retry retry = retries_[device];
  retries_.erase(device);
  return retry;
}

std::optional<bool> Progress::WaitDeactivated(const std::string& device, milliseconds deadline) {
  MutexLock lock(mutex_);
  if (!changed_.WaitFor(lock, deadline, [&]() REQUIRES(mutex_) { return deactivated_.contains(device); }))
    return std::nullopt;
  return deactivated_[device];
}

std::optional<bool> Progress::WaitRadio(const std::string& device, milliseconds deadline) {
  MutexLock lock(mutex_);
  if (!changed_.WaitFor(lock, deadline, [&]() REQUIRES(mutex_) { return radio_.contains(device); }))
    return std::nullopt;
  return radio_[device];
}

std::optional<bool> Progress::WaitTold(std::size_t devices, milliseconds deadline) {
  MutexLock lock(mutex_);
  if (!changed_.WaitFor(lock, deadline, [&]() REQUIRES(mutex_) { return told_.size() >= devices; }))
    return std::nullopt;
  return true;
}

bool Progress::Told(const std::string& device) const {
  const MutexLock lock(mutex_);
  return told_.contains(device);
}

std::optional<std::string> Progress::WaitPutOut(const std::string& device, milliseconds deadline) {
  MutexLock lock(mutex_);
  if (!changed_.WaitFor(lock, deadline, [&]() REQUIRES(mutex_) { return put_out_.contains(device); }))
    return std::nullopt;
  return put_out_[device];
}

std::map<std::string, DeviceProgress> Progress::devices() const {
  const MutexLock lock(mutex_);
  return devices_;
}

std::map<std::string, Progress::Series> Progress::series() const {
  const MutexLock lock(mutex_);
  std::map<std::string, Series> series = endpoint_;
  for (const auto& [id, device] : devices_) {
    for (const auto& [step, done] : device.steps) {
      if (done.ok) {
        series[step].ms.push_back(done.ms);
      } else {
        ++series[step].failures;
      }
    }
    if (device.finished_ms > 0) series["whole"].ms.push_back(device.finished_ms - device.begun_ms);
  }
  for (auto& [step, one] : series) std::sort(one.ms.begin(), one.ms.end());
  return series;
}

std::map<std::string, std::size_t> Progress::counts() const {
  const MutexLock lock(mutex_);
  return counts_;
}

double Progress::elapsed_ms() const {
  const MutexLock lock(mutex_);
  return MsBetween(begun_, Clock::now());
}

std::size_t Progress::complete() const {
  const MutexLock lock(mutex_);
  return complete_;
}

std::size_t Progress::given_up() const {
  const MutexLock lock(mutex_);
  return GivenUp();
}

std::vector<std::string> Progress::TakeLines() {
  const MutexLock lock(mutex_);
  return std::exchange(lines_, {});
}

}  // namespace registry::lab
