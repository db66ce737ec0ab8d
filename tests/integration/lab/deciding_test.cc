// Three registryd that all decide commands, on one PostgreSQL: each is killed or stopped while devices are activated. Each
// device is activated once, no feed has a gap, and the ledger is sound.
#include <csignal>
#include <sstream>

#include "tests/integration/lab/nodes_lab.h"

namespace registry::lab {
namespace {

using nlohmann::json;

constexpr const char* kThird = "registryd-3";

class DecidingLab : public NodesLab {
 protected:
  DecidingLab() : NodesLab(10, 3, true) {}
  std::uint16_t HttpOf(const std::string& node) const {
    for (const OtherBridge& bridge : lab_->layout().other_bridges) {
      if (bridge.name == node) return bridge.http;
    }
    return lab_->layout().http;
  }
  std::string StateOf(const std::string& node) const {
    const json said = json::parse(HttpBody(kAddress, HttpOf(node), "/healthz").value_or(""), nullptr, false);
    return said.is_object() ? said.value("node", "") : "";
  }
  void AwaitDeciding(const std::string& node) {
    const auto hears = [&] {
      return StateOf(node) == "deciding" && HttpOk(kAddress, HttpOf(node), "/readyz");
    };
    ASSERT_TRUE(WaitUntil(hears, kNodesPatience)) << node << " is " << StateOf(node);
  }
  // Commands that this node has decided since it was started, or began to decide.
  double DecidedBy(const std::string& node) const {
    std::istringstream text(HttpBody(kAddress, HttpOf(node), "/metrics").value_or(""));
    double sum = 0;
    for (std::string line; std::getline(text, line);) {
      if (line.starts_with("registry_commands_total{")) sum += std::stod(line.substr(line.rfind(' ')));
    }
    return sum;
  }
  // The simulators acknowledge what they have seen without a gap.
  bool EveryFeedWasSeen() const {
    for (const char* const party : {"mno-a", "mno-b", "asp-a", "asp-b"}) {
      const json feed = test::Registryctl(*lab_, {"feed", "show", party});
      if (feed.value("last", 0) == 0 || feed.value("acked", -1) != feed.value("last", 0)) return false;
    }
    return true;
  }
};

TEST_F(DecidingLab, WhicheverNodeIsGoneTheOthersDecideAndDevicesAreActivatedOnce) {
  AwaitActive(kFirst);
  AwaitDeciding(kSecond);
  AwaitDeciding(kThird);
  AwaitTwo();
  ActivateTwo();
  for (const char* const node : {kFirst, kSecond, kThird}) EXPECT_GT(DecidedBy(node), 0) << node;

  // One that decides is killed while it has work, and the other one hangs. It wakes when it is a member no longer.
  RegisterTwo();
  lab_->Kill(kThird);
  lab_->Signal(kSecond, SIGSTOP);
  AwaitTwo();
  AwaitLine(kFirst, std::string("members: ") + kSecond + " is a member no longer");
  lab_->Signal(kSecond, SIGCONT);
  StartAgain(kThird);
  AwaitDeciding(kSecond);
  AwaitDeciding(kThird);
  const auto zone = test::Registryctl(*lab_, {"zone", "check"});
  EXPECT_EQ(zone["differences"], json::array()) << zone.dump(1);

  // The active one is killed. Whoever takes over, the other one goes on deciding.
  RegisterTwo();
  lab_->Kill(kFirst);
  ASSERT_TRUE(WaitUntil([&] { return !lab_->ActiveBridge().empty(); }, kNodesPatience));
  AwaitTwo();
  const std::string active = lab_->ActiveBridge(), other = active == kSecond ? kThird : kSecond;
  AwaitDeciding(other);
  StartAgain(kFirst);
  AwaitDeciding(kFirst);

  // The active one is told to stop, and one that decides as well.
  RegisterTwo();
  lab_->Signal(active, SIGTERM);
  lab_->Signal(kFirst, SIGTERM);
  AwaitActive(other);
  AwaitTwo();

  EXPECT_TRUE(WaitUntil([&] { return EveryFeedWasSeen(); }, kNodesPatience));
  const auto verified = test::Registryctl(*lab_, {"ledger", "verify"});
  EXPECT_EQ(verified["devices"], devices_) << "none was registered a second time";
  EXPECT_EQ(verified["faults"], json::array());
}

}  // namespace
}  // namespace registry::lab
