#include "tests/crash/campaign_faults.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <csignal>
#include <utility>

namespace registry::test {
namespace {

using std::chrono::milliseconds;

// Whose lease is 6 s: half of these are long enough that another node takes over.
constexpr int kHoldLeastMs = 200, kHoldMostMs = 10'000;
// Within what the registry says it bears: certificates are valid from 300 s before their issue on, and as much is what
// RFC 8945 §10 lets TSIG's clocks be apart.
constexpr std::int64_t kStepMostSeconds = 240, kBriefStepMostSeconds = 10;
constexpr int kSegments = 20;
constexpr milliseconds kBetweenSegments{50};
constexpr std::uint64_t kNearlyFull = std::uint64_t{4} << 20;  // octets; below ledger.free_bytes_min

constexpr Fault kDeck[] = {Fault::kKill,  Fault::kStop,         Fault::kLedgerCut, Fault::kBrokerCut,
                           Fault::kClock, Fault::kSecondaryCut, Fault::kFailover,  Fault::kKill,
                           Fault::kStop,  Fault::kLedgerCut,    Fault::kNodeDisk,  Fault::kServerDisk,
                           Fault::kBroker};

std::string Seconds(milliseconds time) {
  return std::to_string(time.count() / 1000) + "." + std::to_string(time.count() / 100 % 10) + " s";
}

}  // namespace

const char* NameOf(Fault fault) {
  switch (fault) {
    case Fault::kKill:
      return "kill";
    case Fault::kStop:
      return "stop";
    case Fault::kLedgerCut:
      return "ledger-cut";
    case Fault::kBrokerCut:
      return "broker-cut";
    case Fault::kBroker:
      return "broker";
    case Fault::kSecondaryCut:
      return "secondary-cut";
    case Fault::kFailover:
      return "failover";
    case Fault::kNodeDisk:
      return "node-disk";
    case Fault::kServerDisk:
      return "server-disk";
    case Fault::kClock:
      break;
  }
  return "clock";
}

Fault FaultDeck::Next() {
  for (;;) {
    if (left_.empty()) {
      left_.assign(std::begin(kDeck), std::end(kDeck));
      std::shuffle(left_.begin(), left_.end(), random_);
    }
    const Fault fault = left_.back();
    left_.pop_back();
    if (disks_ || (fault != Fault::kNodeDisk && fault != Fault::kServerDisk)) return fault;
    ++skipped_;
  }
}

CampaignNode& FaultMaker::Victim() {
  auto& nodes = lab_.nodes();
  const auto any = random_() % nodes.size();
  const bool the_active = random_() % 3 != 0;
  const std::string active = lab_.lab().ActiveBridge();
  const auto found = std::ranges::find_if(nodes, [&](const auto& node) { return node.name == active; });
  return the_active && found != nodes.end() ? *found : nodes[any];
}

milliseconds FaultMaker::Some() {
  return milliseconds(kHoldLeastMs + static_cast<int>(random_() % (kHoldMostMs - kHoldLeastMs)));
}

std::string FaultMaker::Strike(Fault fault, std::optional<Fault> meanwhile) {
  // The former primary's disk has to take the copy of the new one.
  const bool apart = (fault == Fault::kServerDisk && meanwhile == Fault::kFailover) ||
                     (fault == Fault::kBroker && meanwhile == Fault::kBroker);  // dead already
  meanwhile_ = apart ? std::nullopt : meanwhile;
  said_of_it_.clear();
  const std::string said = StrikeOne(fault);
  meanwhile_.reset();
  return said + said_of_it_;
}

void FaultMaker::HoldFor(milliseconds time) {
  const auto meanwhile = std::exchange(meanwhile_, std::nullopt);
  if (!meanwhile) return hold_(time);
  hold_(time / 2);
  said_of_it_ = "; meanwhile " + StrikeOne(*meanwhile);
  hold_(time / 2);
}

std::string FaultMaker::StrikeOne(Fault fault) {
  ++counts_[NameOf(fault)];
  CampaignNode& node = Victim();
  const std::string role = node.name == lab_.lab().ActiveBridge() ? " (active)" : " (stands by)";
  switch (fault) {
    case Fault::kKill:
      return Kill(node) + role;
    case Fault::kStop:
      return Stop(node) + role;
    case Fault::kLedgerCut:
      return CutLedger(node) + role;
    case Fault::kBrokerCut:
      return CutBroker(node) + role;
    case Fault::kBroker:
      return KillBroker();
    case Fault::kSecondaryCut:
      return CutSecondaries(node) + role;
    case Fault::kFailover:
      return FailOver(node) + role;
    case Fault::kNodeDisk:
      return FillNode(node) + role;
    case Fault::kServerDisk:
      return FillServer();
    case Fault::kClock:
      break;
  }
  return SetClock(node) + role;
}

std::string FaultMaker::Kill(CampaignNode& node) {
  lab_.lab().Kill(node.name);
  const milliseconds time = random_() % 2 == 0 ? milliseconds(0) : Some();
  HoldFor(time);
  return "kill of " + node.name + ", started again after " + Seconds(time);
}

std::string FaultMaker::Stop(CampaignNode& node) {
  lab_.lab().Signal(node.name, SIGSTOP);
  const milliseconds time = Some();
  HoldFor(time);
  lab_.lab().Signal(node.name, SIGCONT);
  return "stop of " + node.name + " for " + Seconds(time);
}

// A connection that breaks, one that is refused for a while, or one on which nothing moves and nobody is told.
std::string FaultMaker::CutRelays(const std::vector<conformance::Relay*>& relays) {
  const auto how = random_() % 4;
  const milliseconds time = how == 0 ? milliseconds(0) : Some();
  for (conformance::Relay* const relay : relays) {
    if (how == 1) relay->SetAway(true);
    if (how <= 1) relay->Cut();
    if (how >= 2) relay->SetStill(true);
  }
  HoldFor(time);
  for (conformance::Relay* const relay : relays) {
    relay->SetAway(false);
    relay->SetStill(false);
  }
  return how == 0 ? ", once" : (how == 1 ? ", refused for " : ", still for ") + Seconds(time);
}

std::string FaultMaker::CutLedger(CampaignNode& node) {
  return "cut from the ledger" + CutRelays({node.to_ledger[0].get(), node.to_ledger[1].get()}) + " of " +
         node.name;
}

std::string FaultMaker::CutBroker(CampaignNode& node) {
  return "cut from the broker" + CutRelays({node.to_broker.get()}) + " of " + node.name;
}

std::string FaultMaker::KillBroker() {
  lab_.lab().Kill("mosquitto");
  const milliseconds time = random_() % 2 == 0 ? milliseconds(0) : Some();
  HoldFor(time);
  const auto started = lab_.lab().Restart("mosquitto");
  EXPECT_TRUE(started) << started.error().message;
  return "kill of the broker, started again after " + Seconds(time);
}

std::string FaultMaker::CutSecondaries(CampaignNode& node) {
  const auto which = random_() % 3;  // the one, the other, both
  const auto set = [&](bool lost) {
    for (std::size_t i = 0; i < node.to_secondaries.size(); ++i) {
      if (which == 2 || which == i) node.to_secondaries[i]->SetLost(lost);
    }
  };
  const milliseconds time = Some();
  set(true);
  HoldFor(time);
  set(false);
  const char* const whom = which == 2 ? "both secondaries" : (which == 0 ? "bind" : "nsd");
  return "cut from " + std::string(whom) + " for " + Seconds(time) + " of " + node.name;
}

std::string FaultMaker::FailOver(CampaignNode& node) {
  const bool both = random_() % 2 == 0;
  const auto done = lab_.servers().Die([&] {
    if (both) lab_.lab().Kill(node.name);
  });
  EXPECT_TRUE(done) << done.error().message;
  return "kill of PostgreSQL's primary" + std::string(both ? ", and in the same moment of " : ", beside ") +
         node.name;
}

std::string FaultMaker::FillNode(CampaignNode& node) {
  const bool wholly = random_() % 2 == 0 || brief_;
  const milliseconds time = Some();
  node.disk->Fill(wholly ? 0 : kNearlyFull);
  HoldFor(time);
  node.disk->Free();
  return std::string(wholly ? "full" : "nearly full") + " disk for " + Seconds(time) + " of " + node.name;
}

std::string FaultMaker::FillServer() {
  SmallDisk* const disk = lab_.DiskOfPrimary();
  const milliseconds time = Some();
  disk->Fill(0);
  // Its log goes on in segments that it has in store; without those it has to make one, and panics.
  const bool wants_more = random_() % 2 == 0;
  for (int i = 0; wants_more && i < kSegments; ++i) {
    if (!lab_.servers().primary()->Ask("SELECT pg_switch_wal()")) break;
    HoldFor(kBetweenSegments);
  }
  HoldFor(time);
  disk->Free();
  const bool ended = !lab_.servers().primary()->process()->running();
  const auto started = lab_.servers().StartIfEnded();
  EXPECT_TRUE(started) << started.error().message;
  return "full disk of PostgreSQL's primary for " + Seconds(time) +
         (wants_more ? ", whose log went on" : "") + (ended ? ", and which ended" : "");
}

std::string FaultMaker::SetClock(CampaignNode& node) {
  const std::int64_t most = brief_ ? kBriefStepMostSeconds : kStepMostSeconds;
  const std::int64_t seconds = static_cast<std::int64_t>(random_()) % most;
  const milliseconds time = Some();
  node.clock->Set(seconds);
  HoldFor(time);
  node.clock->Set(0);
  return "clock set by " + std::to_string(seconds) + " s for " + Seconds(time) + " of " + node.name;
}

}  // namespace registry::test
