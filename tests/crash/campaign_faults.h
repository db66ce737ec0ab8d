// tests/crash/campaign_faults.h: the faults of a campaign, one at a time: what strikes, whom, and for how long, by a seed.
// Threads: the lab's owner.
#pragma once

#include <map>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "tests/crash/campaign_lab.h"

namespace registry::test {

enum class Fault {
  kKill,          // kill -9 of a node
  kStop,          // SIGSTOP of a node, and SIGCONT
  kLedgerCut,     // between a node and PostgreSQL
  kBrokerCut,     // between a node and the broker
  kBroker,        // kill -9 of the broker, whose sessions and queues are gone then
  kSecondaryCut,  // what a node says to one secondary or both, and their answers
  kFailover,  // kill -9 of PostgreSQL's primary, perhaps of a node in the same moment; the standby is promoted
  kNodeDisk,    // full, or nearly
  kServerDisk,  // of PostgreSQL's primary, full
  kClock        // of a node, set forward or back, and back again
};
const char* NameOf(Fault fault);

// Shuffled anew whenever it is through, so that each kind has its share of any stretch of a campaign.
class FaultDeck {
 public:
  // Without disks their faults are left out, which `skipped` counts.
  FaultDeck(std::mt19937_64& random, bool disks) : random_(random), disks_(disks) {}
  Fault Next();
  int skipped() const { return skipped_; }

 private:
  std::mt19937_64& random_;
  const bool disks_;
  std::vector<Fault> left_;
  int skipped_ = 0;
};

class FaultMaker {
 public:
  // `hold` lets time pass while a fault holds.
  using Hold = std::function<void(std::chrono::milliseconds)>;
  // `brief` leaves out what others have to wait for long after it is mended: they come again a minute after they were told
  // that a disk is nearly full, and what is due by a clock that is set back is due later by as much.
  FaultMaker(CampaignLab& lab, std::mt19937_64& random, bool brief, Hold hold)
      : lab_(lab), random_(random), brief_(brief), hold_(std::move(hold)) {}
  // Strikes, holds and is mended, but for nodes that have ended (CampaignLab::Supervise). A sentence that says what it was.
  // While it holds `meanwhile` strikes and is mended, too, if there is to be one and the first holds at all.
  std::string Strike(Fault fault, std::optional<Fault> meanwhile);
  // How many have struck, by their names.
  const std::map<std::string, int>& counts() const { return counts_; }

 private:
  std::string StrikeOne(Fault fault);
  void HoldFor(std::chrono::milliseconds time);
  // The active one, mostly.
  CampaignNode& Victim();
  std::chrono::milliseconds Some();
  std::string Kill(CampaignNode& node);
  std::string Stop(CampaignNode& node);
  std::string CutLedger(CampaignNode& node);
  std::string CutBroker(CampaignNode& node);
  std::string KillBroker();
  std::string CutSecondaries(CampaignNode& node);
  std::string FailOver(CampaignNode& node);
  std::string FillNode(CampaignNode& node);
  std::string FillServer();
  std::string SetClock(CampaignNode& node);
  std::string CutRelays(const std::vector<conformance::Relay*>& relays);

  CampaignLab& lab_;
  std::mt19937_64& random_;
  const bool brief_;
  const Hold hold_;
  std::optional<Fault> meanwhile_;  // until it strikes
  std::string said_of_it_;
  std::map<std::string, int> counts_;
};

}  // namespace registry::test
