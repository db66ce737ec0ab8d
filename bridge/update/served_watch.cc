#include "bridge/update/served_watch.h"

namespace registry::update {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kPatience{300};    // for an answer
constexpr milliseconds kLackingRest{20};  // between two questions to one that lacks the wanted version
constexpr milliseconds kQuietRest{2000};  // to one that has it, or that does not answer
constexpr milliseconds kTurn{20};

}  // namespace

ServedWatch::ServedWatch(const zone::Options& options, const zone::TsigKeys& keys, zone::Name zone,
                         const Clock& clock, LogLine log)
    : options_(options), keys_(keys), zone_(std::move(zone)), clock_(clock), log_(std::move(log)) {
  servers_.resize(options_.secondaries.size());
  with_former_.resize(options_.secondaries.size());
  told_.resize(options_.secondaries.size());
}

void ServedWatch::Start() {
  thread_.Start("zone-served", [this] { Run(); });
}

void ServedWatch::Want(std::uint32_t serial) {
  const MutexLock lock(mutex_);
  if (any_wanted_ && serial == wanted_) return;
  const auto now = Steady::now();
  for (Server& server : servers_) {
    server.owed.Told(serial, now);
    if (server.reachable) server.due = now;
  }
  wanted_ = serial;
  any_wanted_ = true;
}

bool ServedWatch::Lacks(const Server& server) const {
  return any_wanted_ && (!server.serial || zone::SerialAhead(wanted_, *server.serial));
}

void ServedWatch::Signs(std::uint32_t serial) {
  const MutexLock lock(mutex_);
  signs_ = serial;
}

bool ServedWatch::IsAhead(const Server& server) const {
  return server.serial && signs_ && zone::SerialAhead(*server.serial, *signs_);
}

std::vector<ServedWatch::Ahead> ServedWatch::ahead() const {
  const MutexLock lock(mutex_);
  std::vector<Ahead> ahead;
  for (std::size_t i = 0; i < servers_.size(); ++i) {
    if (IsAhead(servers_[i])) ahead.push_back({options_.secondaries[i].name, *servers_[i].serial});
  }
  return ahead;
}

bool ServedWatch::AllServe(std::uint32_t serial) const {
  const MutexLock lock(mutex_);
  bool any = servers_.empty();
  for (const Server& server : servers_) {
    const bool has = Has(server, serial);
    if (!has && !server.left.left()) return false;
    any = any || has;
  }
  return any;
}

bool ServedWatch::Has(const Server& server, std::uint32_t serial) const {
  return server.serial && !zone::SerialAhead(serial, *server.serial) && !IsAhead(server);
}

std::optional<bool> ServedWatch::Serves(std::size_t place, std::uint32_t serial) const {
  const MutexLock lock(mutex_);
  const Server& server = servers_[place];
  return server.serial ? std::optional(Has(server, serial)) : std::nullopt;
}

std::vector<zone::Snapshot::Lag> ServedWatch::lags() const {
  const MutexLock lock(mutex_);
  std::vector<zone::Snapshot::Lag> lags;
  for (std::size_t i = 0; i < servers_.size(); ++i) {
    const Server& server = servers_[i];
    zone::Snapshot::Lag lag{
        options_.secondaries[i].name, server.serial.value_or(0), server.reachable, {}, server.refusal};
    lag.behind = std::chrono::duration_cast<milliseconds>(Behind(server, Steady::now()));
    lag.left_behind = server.left.left();
    lag.left_for = server.left.left_for(Steady::now());
    lags.push_back(std::move(lag));
  }
  return lags;
}

std::optional<std::size_t> ServedWatch::NextDue(Steady::time_point now) const {
  const MutexLock lock(mutex_);
  for (std::size_t i = 0; i < servers_.size(); ++i) {
    if (servers_[i].due <= now) return i;
  }
  return std::nullopt;
}

void ServedWatch::Run() {
  while (!thread_.stopping()) {
    if (const auto place = NextDue(Steady::now())) {
      Ask(*place);
      continue;
    }
    MutexLock lock(mutex_);
    if (!thread_.Rest(lock, kTurn)) return;
  }
}

void ServedWatch::Ask(std::size_t place) {
  const zone::SecondaryAddress& address = options_.secondaries[place];
  const zone::SecondaryKeys its = zone::KeysOf(address, options_, keys_);
  const bool former = with_former_[place] && its.former != nullptr;
  const zone::AskedSerial asked = zone::AskSerial(address, zone_, former ? *its.former : *its.now, clock_,
                                                  options_.listen_address, kPatience);
  if (!asked.serial && asked.tsig != zone::TsigError::kNone) with_former_[place] = !former;
  if (!asked.serial) {
    const std::string line = "zone: " + address.name + " does not say what it serves: " + asked.why;
    if (said_.Due(line, Steady::now())) log_.Warning(line);
  }
  const auto now = Steady::now();
  std::string said;
  zone::LeftBehind left;
  {
    const MutexLock lock(mutex_);
    Server& server = servers_[place];
    if (asked.serial) {
      server.serial = asked.serial;
      server.owed.Serves(*asked.serial);
    }
    server.reachable = asked.serial.has_value();
    server.refusal = asked.why;
    server.due = now + (server.reachable && Lacks(server) ? kLackingRest : kQuietRest);
    said = server.left.Judge(Behind(server, now), options_.lag_limit, now);
    left = server.left;
  }
  if (!said.empty())
    log_(left.left() ? Level::kError : Level::kWarning, "zone: secondary " + address.name + said);
  told_[place].Look(address.name, left, options_.secondary_told, now);
}

ServedWatch::Steady::duration ServedWatch::Behind(const Server& server, Steady::time_point now) const {
  return Lacks(server) ? server.owed.behind(now) : Steady::duration::zero();
}

}  // namespace registry::update
