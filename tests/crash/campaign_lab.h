// tests/crash/campaign_lab.h: three registryd on a PostgreSQL with a synchronous standby, a broker, two secondaries (BIND
// and NSD), MNOs, ASPs and devices, in which everything between a registryd and its neighbours can be cut, its clock set
// and its disk filled. One registryd is active. The others stand by, or decide beside it (bridge/app/NODES.md).
// Owns: the lab, the second secondary, every relay, disk and clock. Threads: the lab's owner.
// Errors: what does not start fails the test, and the pointer is null.
#pragma once

#include <array>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "clients/conformance/relay.h"
#include "simulators/lab/lab.h"
#include "tests/crash/datagram_relay.h"
#include "tests/crash/ledger_servers.h"
#include "tests/crash/node_clock.h"
#include "tests/crash/small_disk.h"

namespace registry::test {

struct CampaignNode {
  std::string name, config_file;
  std::array<std::unique_ptr<conformance::Relay>, 2> to_ledger;  // one for each server
  std::unique_ptr<conformance::Relay> to_broker;
  std::array<std::unique_ptr<DatagramRelay>, 2> to_secondaries;  // NOTIFY, and the question for the SOA
  std::array<std::unique_ptr<conformance::Relay>, 2>
      for_looks_at_secondary;  // `zone check` fetches their zones
  std::unique_ptr<NodeClock> clock;
  std::unique_ptr<SmallDisk> disk;  // of its whole folder; null: this user may not mount one
};

class CampaignLab {
 public:
  using OnEvent = std::function<void(const std::string& program, const nlohmann::json& event)>;
  // `shared`: the nodes that are not active decide beside the one that is (ledger.shared).
  static std::unique_ptr<CampaignLab> Start(int devices, int register_first, bool shared, OnEvent on_event);
  ~CampaignLab();
  CampaignLab(const CampaignLab&) = delete;
  CampaignLab& operator=(const CampaignLab&) = delete;

  lab::Lab& lab() { return *lab_; }
  LedgerServers& servers() { return *servers_; }
  std::vector<CampaignNode>& nodes() { return nodes_; }
  SmallDisk* DiskOfPrimary();  // null: as of nodes
  bool has_disks() const { return has_disks_; }
  // Starts each node again that has ended, as systemd does. What may not happen to one is a failure of the test: an end
  // that is no answer to any of these faults.
  void Supervise();
  // How often nodes have ended by themselves, by their status.
  const std::map<int, int>& ends() const { return ends_; }
  // True when all nodes run, one of them is active and ready, and the others decide where they are to.
  bool Serves();
  // `registryctl WORDS --json` at the node that is active.
  nlohmann::json Registryctl(std::vector<std::string> words);

 private:
  CampaignLab() = default;
  Status MakeFolders(int devices, int register_first, bool shared, OnEvent on_event);
  Status AddServers();
  Status AddDisks();
  Status Prepare(const lab::Layout& layout);
  Status StartSecondSecondary(const lab::Layout& layout);
  Status PutBehindRelays(const lab::Layout& layout, CampaignNode& node);
  CampaignNode* Active();

  bool has_disks_ = false, shared_ = false;
  std::string built_, folder_;
  std::vector<std::unique_ptr<SmallDisk>> server_disks_;
  lab::Ports ports_;
  std::uint16_t second_secondary_ = 0;
  std::array<std::uint16_t, 2> server_ports_{};
  std::vector<CampaignNode> nodes_;
  std::unique_ptr<lab::Lab> lab_;
  std::unique_ptr<LedgerServers> servers_;
  std::unique_ptr<lab::Process> nsd_;
  std::map<int, int> ends_;
};

}  // namespace registry::test
