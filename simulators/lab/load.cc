#include "simulators/lab/load.h"

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <random>
#include <thread>

#include "simulators/lab/checks.h"
#include "simulators/lab/live_line.h"

namespace registry::lab {
namespace {

using Clock = Progress::Clock;
using std::chrono::milliseconds;

constexpr std::size_t kPlainColumns = 120;  // in a file; room for the name of all that is counted
constexpr milliseconds kTick{100}, kPlainTick{1000}, kEndpointPatience{60000}, kAlone{50};
constexpr std::size_t kDueMost = 64;  // in one line, which stays below PIPE_BUF (process.h)

std::uint64_t SeedOf(const LoadOptions& options) {
  return options.demo.lab.seed != 0 ? options.demo.lab.seed : std::random_device{}();
}

class Load {
 public:
  Load(const LoadOptions& options, Lab& lab, Progress& progress)
      : options_(options),
        lab_(lab),
        progress_(progress),
        times_(ArrivalTimes(options.arrive, static_cast<std::size_t>(options.demo.lab.devices),
                            options.duration_s, SeedOf(options))),
        stock_{(times_.size() + 1) / 2, times_.size() / 2} {}

  // Answers what went wrong; empty when nothing did.
  std::string Run() {
    if (std::string trouble = WaitForEndpoints(); !trouble.empty()) return trouble;
    progress_.CountFromRegistration();
    progress_.StartClock();
    begun_ = Clock::now();
    Timeline timeline(lab_, progress_, [this] { return count(); });
    before_ = {lab_.UsageByProcess(), lab_.RegistryCounters()};
    options_.one_at_a_time ? OneAtATime() : Arrivals();
    while (!Over() && !progress_.Wait(started_, kTick, options_.demo.silence, options_.demo.deadline))
      Show(false);
    after_ = {lab_.UsageByProcess(), lab_.RegistryCounters()};
    elapsed_s_ = progress_.elapsed_ms() / 1000;
    timeline.Stop();
    moments_ = timeline.moments();
    Show(true);
    return trouble_;
  }

  ArrivalCount count() const { return {times_.size(), started_, missed_}; }

  void Write(RunRecord& record) const {
    record.arrivals = count();
    record.report = Summarise(progress_, started_);
    record.report.duration_s = elapsed_s_;
    record.report.activations_per_s =
        elapsed_s_ > 0 ? static_cast<double>(progress_.complete()) / elapsed_s_ : 0;
    AddUsage(before_, after_, record.report);
    record.timeline = moments_;
  }

 private:
  // An ASP claims nothing before its endpoint is known, and that is no matter of the load.
  std::string WaitForEndpoints() {
    const auto until = Clock::now() + kEndpointPatience;
    while (Clock::now() < until && !Over()) {
      const auto series = progress_.series();
      const auto endpoints = series.find("endpoint");
      if (endpoints != series.end() && endpoints->second.ms.size() >= std::size(kAsps)) return {};
      std::this_thread::sleep_for(kTick);
    }
    return trouble_.empty() && !Interrupted() ? "the ASPs' endpoints were not accepted" : trouble_;
  }

  void Arrivals() {
    for (std::size_t next = 0; next < times_.size() && !Over();) {
      std::this_thread::sleep_until(std::min(DueAt(next), Clock::now() + kTick));
      Show(false);
      while (next < times_.size() && DueAt(next) <= Clock::now()) Arrived(DueAt(next++));
      for (std::size_t mno = 0; mno < std::size(kMnos); ++mno) Tell(mno);
    }
  }

  void OneAtATime() {
    const auto until = begun_ + options_.demo.deadline;
    for (std::size_t next = 0; next < times_.size() && !Over() && Clock::now() < until; ++next) {
      Arrived(Clock::now());
      for (std::size_t mno = 0; mno < std::size(kMnos); ++mno) Tell(mno);
      while (UnderWay() > 0 && !Over() && Clock::now() < until) {
        progress_.Wait(started_, kAlone, options_.demo.silence, options_.demo.deadline);
        Show(false);
      }
    }
  }

  Clock::time_point DueAt(std::size_t number) const {
    return begun_ +
           std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(times_[number]));
  }

  std::size_t UnderWay() const {
    const std::size_t ended = progress_.complete() + progress_.given_up();
    return started_ - std::min<std::size_t>(ended, started_);
  }

  void Arrived(Clock::time_point due) {
    if (UnderWay() >= options_.under_way_max) {
      ++missed_;
      return;
    }
    const std::size_t mno = stock_[0] >= stock_[1] ? 0 : 1;
    if (stock_[mno] == 0) {  // the other one took nothing for a while
      ++missed_;
      return;
    }
    --stock_[mno];
    ++started_;
    const auto since_boot = std::chrono::duration_cast<std::chrono::microseconds>(due.time_since_epoch());
    due_[mno].push_back(since_boot.count());
    if (due_[mno].size() >= kDueMost) Tell(mno);
  }

  // What an MNO does not take is missed.
  void Tell(std::size_t mno) {
    const std::size_t told = due_[mno].size();
    if (told == 0) return;
    if (!lab_.SendTo(kMnos[mno], {{"cmd", "register"}, {"due_us", due_[mno]}})) {
      started_ -= told;
      missed_ += told;
      stock_[mno] += told;
    }
    due_[mno].clear();
  }

  bool Interrupted() const { return options_.demo.interrupted != nullptr && *options_.demo.interrupted; }

  // Interrupted, or a server has ended: there is no use in going on.
  bool Over() {
    if (auto failure = lab_.TakeFailure()) trouble_ += *failure;
    return Interrupted() || !trouble_.empty();
  }

  void Show(bool last) {
    (void)progress_.TakeLines();
    const auto now = Clock::now();
    const auto every = options_.demo.terminal.live ? kTick : kPlainTick;
    if (options_.demo.quiet || (!last && now - shown_ < every)) return;
    shown_ = now;
    const LiveState state{progress_.elapsed_ms() / 1000,
                          progress_.complete(),
                          progress_.given_up(),
                          times_.size(),
                          progress_.counts(),
                          missed_,
                          UnderWay()};
    const Terminal& terminal = options_.demo.terminal;
    std::printf(
        "%s%s%s", terminal.live ? "\r\x1b[K" : "",
        LiveLine(state, terminal.live ? LiveColumns(terminal) : std::max(terminal.columns, kPlainColumns))
            .c_str(),
        terminal.live && !last ? "" : "\n");
    std::fflush(stdout);
  }

  const LoadOptions& options_;
  Lab& lab_;
  Progress& progress_;
  const std::vector<double> times_;
  Clock::time_point begun_, shown_;
  std::atomic<std::size_t> started_{0}, missed_{0};  // the timeline looks at them
  std::size_t stock_[std::size(kMnos)];  // eSIMs that did not arrive yet, as the inventory is shared out
  std::vector<std::int64_t> due_[std::size(kMnos)];  // microseconds of the monotonic clock
  Counted before_, after_;
  double elapsed_s_ = 0;
  std::string trouble_;
  std::vector<Moment> moments_;
};

std::string Share(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%g", value);
  return text;
}

std::vector<std::pair<std::string, std::string>> SettingsOf(const LoadOptions& options, double rate) {
  const LabOptions& lab = options.demo.lab;
  return {{"devices", std::to_string(lab.devices)},
          {"rate, devices a second", options.one_at_a_time ? "one at a time" : Share(rate)},
          {"duration of the arrivals, seconds", Share(options.duration_s)},
          {"arrivals", NameOf(options.arrive)},
          {"devices under way at most", std::to_string(options.under_way_max)},
          {"devices that check", TextOfCheckShare(lab.check_share)},
          {"secondary", NameOf(lab.authority)},
          {"threads of the device simulator", std::to_string(lab.device_threads)},
          {"cores of this machine", std::to_string(std::thread::hardware_concurrency())}};
}

void Provision(const LoadOptions& options, Lab& lab, Progress& progress, RunRecord& record) {
  Status started = lab.StartServers();
  if (started.ok()) started = lab.StartSimulators();
  Load load(options, lab, progress);
  record.arrivals = load.count();
  if (!started) {
    record.report.trouble = started.error().message;
    return;
  }
  std::string trouble = load.Run();
  load.Write(record);
  if (auto failure = lab.TakeFailure()) trouble += *failure;
  record.report.trouble = trouble;
}

}  // namespace

LoadRun RunLoad(const LoadOptions& options) {
  LoadRun run;
  RunRecord& record = run.record;
  record.title = "Load on the IoT registry";
  record.check_share = options.demo.lab.check_share;
  record.offered_per_s = options.demo.lab.devices / std::max(options.duration_s, 1e-3);
  record.settings = SettingsOf(options, record.offered_per_s);
  Progress progress;
  LabOptions lab_options = options.demo.lab;
  lab_options.register_first = 0;
  lab_options.interrupted = options.demo.interrupted;
  lab_options.on_event = [&progress](const std::string& program, const nlohmann::json& event) {
    progress.Heard(program, event);
  };
  auto lab = Lab::Create(lab_options);
  if (!lab) {
    record.report.trouble = lab.error().message;
    record.arrivals = ArrivalCount{static_cast<std::size_t>(options.demo.lab.devices), 0, 0};
    return run;
  }
  run.folder = (*lab)->layout().folder;
  Provision(options, **lab, progress, record);
  if (options.demo.interrupted != nullptr && *options.demo.interrupted) record.report.trouble = "interrupted";
  lab->reset();
  return run;
}

}  // namespace registry::lab
