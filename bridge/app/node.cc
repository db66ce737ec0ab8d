#include "bridge/app/node.h"

#include <algorithm>

namespace registry::app {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr milliseconds kBeatsEvery{2000};
// One that was not the fastest has commands to decide.
constexpr milliseconds kLockWithin{3000}, kLockWithinShared{500};
// A broker that refuses this node refuses the others, too: without this they would hand the ledger round.
constexpr seconds kFirstConnection{60};

}  // namespace

Node::Node(const LedgerConfig& config, std::string version, bool took_over, LogLine log)
    : lease_(config.standby ? std::make_shared<ledger::Lease>(seconds(config.lease_seconds)) : nullptr),
      name_(NodeName(config)),
      version_(std::move(version)),
      shared_(config.shared),
      took_over_(took_over),
      log_(std::move(log)) {}

milliseconds Node::BeatsEvery() const {
  return lease_ ? std::min(kBeatsEvery, lease_->lasts() / 4) : kBeatsEvery;
}

void Node::Complete(ledger::PostgresOptions& options) {
  options.node = {name_, version_, lease_};
  options.shared = shared_;
  options.when_not_as_left = [this] { end_ = LedgerEnd::kNotAsLeft; };
  options.when_taken_over = [this] { end_ = LedgerEnd::kTakenOver; };
  // Whoever waits for it has waited already; another may have been faster.
  if (lease_) options.lock_within = shared_ ? kLockWithinShared : kLockWithin;
}

bool Node::MayConnect(const std::function<void()>& beat) {
  if (!lease_) return true;
  const MutexLock lock(mutex_);
  if (!asked_) {
    asked_ = ledger::Lease::Now();
    beat();
  }
  if (lease_->proved() < *asked_ || !MayStay()) return false;
  asked_.reset();
  return true;
}

bool Node::MayStay() const { return !lease_ || lease_->state() == ledger::Lease::State::kFresh; }

void Node::Watch(bool connected, const std::function<bool()>& another_reaches_it, Steady now) {
  if (!lease_) return;
  if (connected) {
    was_connected_ = true;
    without_since_.reset();
    reached_since_.reset();
    return;
  }
  if (!without_since_) without_since_ = now;
  const auto patience =
      was_connected_ ? lease_->lasts() : std::max<milliseconds>(lease_->lasts(), kFirstConnection);
  if (now - *without_since_ < patience) return;
  if (looked_ && now - *looked_ < lease_->lasts() / 2) return;
  looked_ = now;
  if (!another_reaches_it()) return reached_since_.reset();
  // A broker that has just come back is reached by both soon.
  if (!reached_since_) reached_since_ = now;
  if (now - *reached_since_ < lease_->lasts() / 2) return;
  log_.Error("gives the ledger up: this node does not reach the broker, and one that stands by does");
  gives_way_ = true;
}

bool Node::AnotherReachesTheBroker(const ledger::Ledger& ledger) const {
  const auto nodes = ledger::NodesOfOpen(ledger);
  return nodes && std::ranges::any_of(nodes->standing_by, [&](const ledger::StandbySeen& one) {
           return one.ReachesBroker(nodes->lease.now);
         });
}

NodeSample Node::sample() const {
  NodeSample sample;
  sample.one_of_several = one_of_several();
  sample.active = true;
  sample.shared = shared_;
  if (lease_) sample.lease_age = std::chrono::duration<double>(lease_->age()).count();
  sample.take_overs = took_over_ ? 1 : 0;
  return sample;
}

}  // namespace registry::app
