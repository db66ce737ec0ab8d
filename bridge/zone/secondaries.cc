#include "bridge/zone/secondaries.h"

#include <poll.h>

#include <algorithm>

#include "bridge/zone/serials.h"

namespace registry::zone {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kLateAfter{30'000};  // lag that is said

// For the log. One that answers is not called away, however little its answers count.
std::string StateOf(const Snapshot::Lag& lag, bool late, bool current) {
  if (!lag.reachable && !lag.refusal.empty()) return " refuses our questions (" + lag.refusal + ")";
  if (!lag.reachable) return " cannot be reached";
  if (late) return " lags";
  return current ? " has caught up" : " can be reached again";
}

}  // namespace

Secondaries::Secondaries(const Options& options, const Name& zone, const TsigKeys& keys, const Clock& clock,
                         LogLine log)
    : log_(std::move(log)), lag_limit_(options.lag_limit), tell_(options.secondary_told) {
  for (const SecondaryAddress& address : options.secondaries) {
    secondaries_.emplace_back(address, zone, KeysOf(address, options, keys), clock, options.listen_address,
                              log_);
  }
  late_.resize(secondaries_.size());
  left_.resize(secondaries_.size());
  told_.resize(secondaries_.size());
  too_far_.resize(secondaries_.size());
}

void Secondaries::Announce(std::uint32_t serial, const BlockPtr& soa, Steady::time_point now) {
  for (Secondary& secondary : secondaries_) secondary.Announce(serial, soa, now);
}

void Secondaries::Watch(milliseconds wait) {
  std::vector<pollfd> polled;
  auto until = Steady::now() + wait;
  for (const Secondary& secondary : secondaries_) {
    if (secondary.fd() >= 0) polled.push_back({secondary.fd(), POLLIN, 0});
    until = std::min(until, secondary.next());
  }
  if (wait > milliseconds(0)) {
    const auto left = std::chrono::ceil<milliseconds>(until - Steady::now());
    poll(polled.data(), polled.size(), static_cast<int>(std::max<std::int64_t>(0, left.count())));
  }
  const auto now = Steady::now();
  for (Secondary& secondary : secondaries_) secondary.Turn(now);
}

bool Secondaries::AllCurrent() const { return std::ranges::all_of(secondaries_, &Secondary::current); }

bool Secondaries::AllReachableCurrent() const {
  for (std::size_t i = 0; i < secondaries_.size(); ++i) {
    if (!left_[i].left() && secondaries_[i].reachable() && !secondaries_[i].current()) return false;
  }
  return true;
}

bool Secondaries::AllServe(std::uint32_t serial) const {
  return std::ranges::all_of(secondaries_, [serial](const Secondary& s) { return s.Serves(serial); });
}

bool Secondaries::Served(std::uint32_t serial) const {
  bool any = secondaries_.empty();
  for (std::size_t i = 0; i < secondaries_.size(); ++i) {
    const bool serves = secondaries_[i].Serves(serial);
    if (!serves && !left_[i].left()) return false;
    any = any || serves;
  }
  return any;
}

Steady::duration Secondaries::UsualDelay() const {
  Steady::duration slowest{};
  for (std::size_t i = 0; i < secondaries_.size(); ++i) {
    const Secondary& secondary = secondaries_[i];
    if (secondary.reachable() && !left_[i].left()) slowest = std::max(slowest, secondary.usual_delay());
  }
  return slowest;
}

std::string Secondaries::NamesNotServing(std::uint32_t serial) const {
  std::string names;
  for (const Secondary& secondary : secondaries_) {
    if (!secondary.Serves(serial)) names += (names.empty() ? "" : ", ") + secondary.name();
  }
  return names;
}

std::vector<std::string> Secondaries::names() const {
  std::vector<std::string> names;
  for (const Secondary& secondary : secondaries_) names.push_back(secondary.name());
  return names;
}

void Secondaries::LookAt(RevocationWatch& revocations, Steady::time_point now) const {
  revocations.Look(
      [this](std::size_t which, std::uint32_t serial) -> std::optional<bool> {
        const Secondary& secondary = secondaries_[which];
        return secondary.known() ? std::optional(secondary.Serves(serial)) : std::nullopt;
      },
      now);
}

std::vector<Snapshot::Lag> Secondaries::lags(const RevocationWatch& revocations,
                                             Steady::time_point now) const {
  std::vector<Snapshot::Lag> lags;
  for (std::size_t i = 0; i < secondaries_.size(); ++i) {
    lags.push_back(secondaries_[i].lag(now));
    lags.back().revocation_waits = revocations.waits(i, now);
    lags.back().left_behind = left_[i].left();
    lags.back().left_for = left_[i].left_for(now);
  }
  return lags;
}

std::optional<std::uint32_t> Secondaries::HighestToPass(std::uint32_t newest) {
  std::uint32_t highest = newest;
  for (std::size_t i = 0; i < secondaries_.size(); ++i) {
    const Secondary& secondary = secondaries_[i];
    if (!secondary.ahead() || !MayPass(i, newest)) continue;
    log_.Warning("zone: secondary " + secondary.name() + " serves serial " +
                 std::to_string(secondary.serial()) + ", ahead of our newest " + std::to_string(newest) +
                 " (an older ledger restored?); moving our serial past it");
    if (SerialAhead(secondary.serial(), highest)) highest = secondary.serial();
  }
  return highest == newest ? std::nullopt : std::optional(highest);
}

// RFC 1982 §3.2: a step of 2^31 or more is none forward. Whoever serves our newest would ignore the version behind
// such a serial, for good: one odd answer must not take the zone there.
bool Secondaries::MayPass(std::size_t which, std::uint32_t newest) {
  const std::uint32_t serial = secondaries_[which].serial();
  if (SerialAhead(serial + kReserve + 1, newest)) return true;
  if (too_far_[which] != serial) {
    log_.Error("zone: secondary " + secondaries_[which].name() + " serves serial " + std::to_string(serial) +
               ", too far ahead of our newest " + std::to_string(newest) + " to be passed: empty its zone");
  }
  too_far_[which] = serial;
  return false;
}

void Secondaries::SayLags(std::uint32_t newest, Steady::time_point now) {
  for (std::size_t i = 0; i < secondaries_.size(); ++i) {
    const Snapshot::Lag lag = secondaries_[i].lag(now);
    JudgeLeft(i, lag, now);
    told_[i].Look(lag.name, left_[i], tell_, now);
    const bool late = lag.behind > kLateAfter || !lag.reachable;
    if (late == late_[i]) continue;
    late_[i] = late;
    const std::string serves =
        lag.serial == 0 ? "it has told no serial yet" : "it serves " + std::to_string(lag.serial);
    log_(late ? Level::kWarning : Level::kInfo, "zone: secondary " + lag.name +
                                                    StateOf(lag, late, secondaries_[i].current()) + ", " +
                                                    serves + ", newest is " + std::to_string(newest));
  }
}

// The operator's alarm. What is served and what is seen by whom is not the same any more until it is over.
void Secondaries::JudgeLeft(std::size_t which, const Snapshot::Lag& lag, Steady::time_point now) {
  const std::string said = left_[which].Judge(secondaries_[which].missing(now), lag_limit_, now);
  if (said.empty()) return;
  const std::string line = "zone: secondary " + lag.name + said;
  if (left_[which].left())
    return log_.Error(line +
                      ". What the others serve counts as visible without it, and whoever asks "
                      "it gets old answers: mend it, or take it out of the zone's NS records");
  log_.Warning(line + "; nothing becomes visible without it again");
}

}  // namespace registry::zone
