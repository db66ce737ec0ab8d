// The three followers, as the programs that a partner runs, and the example of an ASP's back end, with a real registry: what
// simulators/lab/by_hand.sh does is heard, and goes on being heard.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "simulators/lab/ports.h"
#include "simulators/lab/probe.h"
#include "simulators/lab/process.h"
#include "tests/support/shell.h"
#include "tests/support/test_lab.h"

namespace registry::test {
namespace {

using nlohmann::json;
using namespace std::chrono_literals;

const std::string kSource = REGISTRY_SOURCE_DIR, kFollow = kSource + "/clients/follow";

class FollowLab : public testing::Test {
 protected:
  void SetUp() override {
    lab_ = NewLabOfServers({});
    ASSERT_NE(lab_, nullptr);
    ASSERT_TRUE(lab_->WriteDescription(nullptr));
  }
  std::string In(const std::string& name) const { return lab_->layout().In(name); }

  // As guest-asp, with a position of its own.
  std::string Config(const std::string& name, bool acknowledge) const {
    std::ifstream file(In("lab.json"));
    const json described = json::parse(file), party = described.at("parties").at("guest-asp");
    const json config = {{"host", described.at("mqtt").at("host")},
                         {"port", described.at("mqtt").at("port")},
                         {"ca_file", described.at("mqtt").at("ca_file")},
                         {"cert_file", party.at("cert_file")},
                         {"key_file", party.at("key_file")},
                         {"party", "guest-asp"},
                         {"position_file", In(name + ".position")},
                         {"acknowledge", acknowledge}};
    std::ofstream(In(name + ".json")) << config.dump();
    return In(name + ".json");
  }
  std::unique_ptr<lab::Process> Started(const std::string& name, std::vector<std::string> command) const {
    lab::ProcessSpec spec;
    spec.name = name;
    spec.command = std::move(command);
    spec.log_file = In(name + ".out");
    spec.environment = {"NODE_PATH=" + kSource + "/build/node/node_modules", "PYTHONDONTWRITEBYTECODE=1"};
    auto process = lab::Process::Start(std::move(spec));
    EXPECT_TRUE(process) << process.error().message;
    return process ? *std::move(process) : nullptr;
  }
  std::string Text(const std::string& name) const {
    std::ifstream file(In(name + ".out"));
    std::ostringstream text;
    text << file.rdbuf();
    return text.str();
  }
  // "1 device.certified …", of a program that prints envelopes.
  std::vector<std::string> Heard(const std::string& name) const {
    std::istringstream text(Text(name));
    std::vector<std::string> heard;
    for (std::string line; std::getline(text, line);) {
      const json envelope = json::parse(line, nullptr, false);
      if (!envelope.is_object()) continue;
      heard.push_back(envelope.value("seq", "") + " " + envelope.value("type", ""));
    }
    return heard;
  }
  Ran AsGuest(const std::string& script) const {
    return Shell("exec 2>&1; bash -c 'set -e; . " + kSource + "/simulators/lab/guest.sh " +
                 lab_->layout().folder +
                 "; trap hush EXIT; cd $LAB; DEVICE=$(jq -r .device registered.json); " + script + "'");
  }

  std::unique_ptr<lab::Lab> lab_;
};

TEST_F(FollowLab, EachHearsTheWholeFeedAndTheBackEndKnowsWhoIsActive) {
  lab::Ports ports;
  const std::string port = std::to_string(*ports.Take());
  const std::vector<std::string> names = {"cpp", "python", "javascript"};
  const auto cpp = Started("cpp", {REGISTRY_BINARY_DIR "/bin/registry-follow", Config("cpp", false)});
  const auto python =
      Started("python", {"/usr/bin/python3", kFollow + "/registry_follow.py", Config("python", false)});
  const auto javascript =
      Started("javascript", {"node", kFollow + "/registry_follow.js", Config("javascript", false)});
  const auto back_end = Started("back_end", {"/usr/bin/python3", kFollow + "/active_devices.py",
                                             Config("back_end", true), In("devices.db"), port});
  ASSERT_TRUE(cpp && python && javascript && back_end);

  const Ran session =
      Shell("exec 2>&1; bash " + kSource + "/simulators/lab/by_hand.sh " + lab_->layout().folder);
  ASSERT_TRUE(session.ok()) << session.output;
  std::ifstream file(In("registered.json"));
  const std::string device = json::parse(file).at("device");
  const auto asked = [&](const std::string& path) {
    return Shell(
               "/usr/bin/python3 -c 'import sys, urllib.request\n"
               "print(urllib.request.urlopen(sys.argv[1]).read().decode())' http://127.0.0.1:" +
               port + path + " 2>&1")
        .output;
  };
  const auto becomes = [&](const std::string& answer) {
    return lab::WaitUntil([&] { return asked("/devices/" + device).find(answer) != std::string::npos; }, 20s);
  };
  EXPECT_TRUE(becomes("\"active\": true")) << asked("/devices/" + device) << Text("back_end");
  EXPECT_NE(asked("/devices").find(device), std::string::npos);

  const Ran suspended = AsGuest(
      "tell guest-asp device.suspend \"{\\\"device\\\":\\\"$DEVICE\\\"}\"; "
      "hear device.suspend.accepted");
  ASSERT_TRUE(suspended.ok()) << suspended.output;
  EXPECT_TRUE(becomes("\"active\": false")) << asked("/devices/" + device) << Text("back_end");
  const Ran resumed = AsGuest(
      "tell guest-asp device.resume \"{\\\"device\\\":\\\"$DEVICE\\\"}\"; "
      "hear device.resume.accepted");
  ASSERT_TRUE(resumed.ok()) << resumed.output;
  EXPECT_TRUE(becomes("\"active\": true")) << asked("/devices/" + device) << Text("back_end");

  const std::vector<std::string> whole = {
      "1 registry.v1.event.device.certified", "2 registry.v1.event.device.activated",
      "3 registry.v1.event.device.suspended", "4 registry.v1.event.device.resumed"};
  for (const std::string& name : names) {
    EXPECT_TRUE(lab::WaitUntil([&] { return Heard(name) == whole; }, 20s)) << name << ": " << Text(name);
  }
  EXPECT_TRUE(lab::WaitUntil(
      [&] {
        return Registryctl(*lab_, {"feed", "show", "guest-asp"}).at("acked") == 4;
      },
      20s))
      << Registryctl(*lab_, {"feed", "show", "guest-asp"});

  // What the back end acknowledged is gone for who begins now, and it says so.
  const auto late = Started("late", {REGISTRY_BINARY_DIR "/bin/registry-follow", Config("late", false)});
  EXPECT_TRUE(lab::WaitUntil(
      [&] { return Text("late").find("notifications 1 to 4 are gone for good") != std::string::npos; }, 20s))
      << Text("late");
  for (lab::Process* const each : {cpp.get(), python.get(), javascript.get(), back_end.get(), late.get()}) {
    each->Signal(SIGTERM);
    EXPECT_TRUE(each->WaitExit(20s)) << each->spec().name;
    EXPECT_EQ(each->exit_status(), 0) << each->Obituary();
  }
}

}  // namespace
}  // namespace registry::test
