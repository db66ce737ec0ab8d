// tests/integration/lab/nodes_lab.h: two registryd or more on one PostgreSQL, a broker, a name server, and devices of
// which two are activated at the start and two more whenever a test says so.
// Owns: the lab; a program of it that ends when nobody expects it fails the test. Threads: the test's.
#pragma once

#include <gmock/gmock.h>

#include <regex>

#include "simulators/lab/heard.h"
#include "simulators/lab/probe.h"
#include "tests/support/device_session.h"
#include "tests/support/test_lab.h"

namespace registry::lab {

inline constexpr std::chrono::seconds kNodesPatience{120};
inline constexpr const char *kFirst = "registryd", *kSecond = "registryd-2";

class NodesLab : public testing::Test {
 protected:
  explicit NodesLab(int devices, int bridges = 2, bool shared = false)
      : devices_(devices), bridges_(bridges), shared_(shared) {}
  void SetUp() override {
    lab_ = test::NewLab({.devices = devices_,
                         .register_first = 2,
                         .console = true,
                         .bridges = bridges_,
                         .lease_seconds = 6,
                         .shared = shared_,
                         .postgres = true,
                         .on_event = [this](const std::string& program, const nlohmann::json& event) {
                           heard_.Hear(program, event);
                         }});
    ASSERT_NE(lab_, nullptr);
    auto started = lab_->StartServers();
    ASSERT_TRUE(started.ok()) << started.error().message;
    started = lab_->StartSimulators();
    ASSERT_TRUE(started.ok()) << started.error().message;
  }
  void TearDown() override {
    if (!lab_) return;
    const auto failure = lab_->TakeFailure();
    EXPECT_FALSE(failure) << *failure;
    lab_->Stop();
  }
  void AwaitActive(const std::string& node) {
    ASSERT_TRUE(WaitUntil([&] { return lab_->ActiveBridge() == node; }, kNodesPatience))
        << "active: " << lab_->ActiveBridge();
  }
  // As the console of the active node shows them; it is asked again and again.
  testing::AssertionResult ConsoleShows(std::uint16_t console, const nlohmann::json& expected) {
    nlohmann::json shown;
    const bool right = WaitUntil(
        [&] {
          const auto body = HttpBody(kAddress, console, "/api/overview").value_or("");
          shown = nlohmann::json::parse(body, nullptr, false);
          shown = shown.is_object() ? Told(shown["nodes"]) : nlohmann::json();
          return shown == expected;
        },
        kNodesPatience);
    if (right) return testing::AssertionSuccess();
    return testing::AssertionFailure() << shown.dump() << " instead of " << expected.dump();
  }
  void RegisterTwo() {
    for (const char* const mno : kMnos) EXPECT_TRUE(lab_->SendTo(mno, {{"cmd", "register"}, {"count", 1}}));
  }
  // Active and in a session with their ASP, by whichever node is active; the zone's serial only grows.
  void AwaitTwo() {
    EXPECT_EQ(test::DevicesDone(heard_, heard_up_to_, 2, kNodesPatience).size(), 2u);
    const double serial = lab_->RegistryCounters()["registry_zone_serial"];
    EXPECT_GT(serial, serial_);
    serial_ = serial;
  }
  void ActivateTwo() {
    RegisterTwo();
    AwaitTwo();
  }
  void StartAgain(const std::string& node) {
    const auto started = lab_->Restart(node);
    ASSERT_TRUE(started.ok()) << started.error().message;
  }
  void AwaitLine(const std::string& node, const std::string& part) { AwaitLine(node, std::regex(part), 1); }
  void AwaitLine(const std::string& node, const std::regex& part, std::ptrdiff_t times) {
    ASSERT_TRUE(WaitUntil([&] { return test::LinesWith(*lab_, node, part) >= times; }, kNodesPatience))
        << "not said often enough in the log of " << node;
  }

  // Without what goes on by itself: [[node, state, epoch, lease, broker], …, whether the active one took over].
  static nlohmann::json Told(const nlohmann::json& nodes) {
    nlohmann::json told = nlohmann::json::array();
    if (!nodes.is_object()) return told;
    for (const auto& node : nodes.value("nodes", nlohmann::json::array()))
      told.push_back(
          {node["node"], node["state"], node["epoch"], node["leaseSeconds"], node["reachesBroker"]});
    told.push_back(nodes.value("tookOver", false));
    return told;
  }

  const int devices_, bridges_;
  const bool shared_;
  Heard heard_;
  std::size_t heard_up_to_ = 0;
  double serial_ = 0;
  std::unique_ptr<Lab> lab_;
};

}  // namespace registry::lab
