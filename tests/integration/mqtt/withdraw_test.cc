// The real broker and the list of withdrawn certificates that registryctl makes: whom it lets in before and after it has
// read the list again (SIGHUP), and what becomes of connections that are open.
#include "bridge/ctl/withdraw.h"

#include <gtest/gtest.h>
#include <signal.h>

#include <filesystem>

#include "bridge/clock.h"
#include "bridge/ctl/party_life.h"
#include "bridge/ctl/registry_folder.h"
#include "simulators/lab/ports.h"
#include "simulators/lab/probe.h"
#include "simulators/lab/process.h"
#include "tests/integration/mqtt/broker.h"

namespace registry {
namespace {

using namespace std::chrono_literals;
using test::RawMqtt;

class WithdrawnAtTheBroker : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(ctl::CreateFolder({registry_, "iotregistry.test", {"127.0.0.1"}, clock_.Now()}).ok());
    for (const char* name : {"mno-a", "asp-a"}) Add(name);
    port_ = *ports_.Take();
    test::WriteBrokerConfig(folder_, port_,
                            {Interface("ca.pem"), Interface("broker.pem"), Interface("broker.key"),
                             "crlfile " + Interface("crl.pem")});
    StartBroker();
  }
  void StartBroker() { broker_ = test::StartBroker(folder_, port_); }
  void Add(const std::string& name) {
    ASSERT_TRUE(ctl::AddParty({registry_, name, wire::Role::kMno, clock_.Now()}).ok());
  }
  // Mosquitto says so in its log, before it reads the files again; what comes after is asked of a connection.
  void ReadAgain() { broker_->Signal(SIGHUP); }
  std::string Interface(const std::string& file) const { return registry_ + "/interface/" + file; }
  test::RawOptions As(const std::string& stem, const std::string& client_id) {
    return {port_, Interface("ca.pem"), stem + ".pem", stem + ".key", client_id};
  }
  // Beside, under another name: what a connection is made with again is not what registryctl has put in its place.
  std::string Keep(const std::string& name) {
    for (const char* end : {".pem", ".key"})
      std::filesystem::copy(Files(name) + end, folder_.In("kept-" + name + end));
    return folder_.In("kept-" + name);
  }
  std::string Files(const std::string& name) const { return Interface("parties/" + name); }
  bool Enters(const std::string& stem) {
    return RawMqtt(As(stem, "probe-" + std::to_string(++probes_))).connected();
  }
  bool RefusedSoon(const std::string& stem) {
    return lab::WaitUntil([&] { return !Enters(stem); }, 20s);
  }
  std::string Log() const { return folder_.Read("mosquitto.log"); }

  const SystemClock clock_{};
  test::TemporaryFolder folder_;
  const std::string registry_ = folder_.In("reg");
  lab::Ports ports_;
  std::uint16_t port_ = 0;
  std::unique_ptr<lab::Process> broker_;
  int probes_ = 0;
};

TEST_F(WithdrawnAtTheBroker, NobodyIsRefusedByAnEmptyList) {
  EXPECT_TRUE(Enters(Files("mno-a")));
  EXPECT_TRUE(Enters(Files("asp-a")));
  EXPECT_TRUE(Enters(Interface("registryd")));
}

TEST_F(WithdrawnAtTheBroker, NewConnectionsAreRefusedOnceTheListIsReadAgain) {
  ASSERT_TRUE(Enters(Files("mno-a")));
  const auto done = ctl::WithdrawByName(registry_, "mno-a", clock_.Now());
  ASSERT_TRUE(done.ok()) << done.error().message;
  const std::string old = Interface("withdrawn/mno-a-" + done->serial);
  EXPECT_TRUE(Enters(old)) << "the broker has not read it yet";
  ReadAgain();
  EXPECT_TRUE(RefusedSoon(old));
  EXPECT_NE(Log().find("certificate verify failed"), std::string::npos) << Log();
  EXPECT_TRUE(Enters(Files("asp-a")));
  EXPECT_TRUE(Enters(Interface("registryd")));
  // The party goes on with another certificate; the next one withdrawn, within the same second perhaps, is seen too.
  Add("mno-a");
  EXPECT_TRUE(Enters(Files("mno-a")));
  const auto next = ctl::WithdrawByName(registry_, "asp-a", clock_.Now());
  ASSERT_TRUE(next.ok());
  ReadAgain();
  EXPECT_TRUE(RefusedSoon(Interface("withdrawn/asp-a-" + next->serial)));
  EXPECT_FALSE(Enters(old));
  EXPECT_TRUE(Enters(Files("mno-a")));
}

// broker-config/README.md says so. What others have open, with a newer certificate of the same party too, goes on.
TEST_F(WithdrawnAtTheBroker, WhatIsConnectedEndsOnceTheListIsReadAgain) {
  const std::string kept = Keep("mno-a");
  RawMqtt speaks(As(kept, "speaks")), hears(As(kept, "hears")), silent(As(kept, "silent"));
  RawMqtt other(As(Files("asp-a"), "other"));
  ASSERT_EQ(speaks.Publish("registry/v1/from/mno-a/device.attach", "{}"), 0x10)
      << "nobody hears it, but taken";
  ASSERT_TRUE(hears.Subscribe("registry/v1/to/mno-a/#"));
  ASSERT_TRUE(silent.connected());
  ASSERT_TRUE(other.Subscribe("registry/v1/to/asp-a/#"));
  ASSERT_TRUE(ctl::WithdrawByName(registry_, "mno-a", clock_.Now()).ok());
  Add("mno-a");
  RawMqtt next(As(Files("mno-a"), "next"));
  ASSERT_TRUE(next.Subscribe("registry/v1/to/mno-a/#"));
  EXPECT_TRUE(speaks.connected()) << "the broker has not read it yet";
  ReadAgain();
  EXPECT_TRUE(lab::WaitUntil([&] { return !speaks.connected() && !hears.connected(); }, 20s)) << Log();
  EXPECT_NE(Log().find("subscribe guard: speaks ends, its certificate is withdrawn"), std::string::npos);
  EXPECT_TRUE(RefusedSoon(kept));
  // One that has done nothing yet is not known to a plug-in of Mosquitto 2.0. Its first step is refused, and its last.
  EXPECT_NE(silent.Publish("registry/v1/from/mno-a/device.attach", "{}"), 0x10);
  EXPECT_TRUE(lab::WaitUntil([&] { return !silent.connected(); }, 20s));
  EXPECT_TRUE(next.connected());
  EXPECT_EQ(next.Publish("registry/v1/from/mno-a/device.attach", "{}"), 0x10);
  EXPECT_EQ(other.Publish("registry/v1/from/asp-a/endpoint.list", "{}"), 0x10);
}

// Nobody is let in again by a list that is lost while the broker runs.
TEST_F(WithdrawnAtTheBroker, AListThatCannotBeReadLeavesTheOldOneInForce) {
  const std::string kept = Keep("mno-a");
  RawMqtt silent(As(kept, "silent")), other(As(Files("asp-a"), "other"));
  ASSERT_TRUE(silent.connected());
  ASSERT_TRUE(ctl::WithdrawByName(registry_, "mno-a", clock_.Now()).ok());
  ReadAgain();
  ASSERT_TRUE(RefusedSoon(kept));
  folder_.Write("reg/interface/crl.pem", "no list");
  ReadAgain();
  ASSERT_TRUE(lab::WaitUntil(
      [&] { return Log().find("cannot read plugin_opt_crl_file") != std::string::npos; }, 20s));
  EXPECT_NE(silent.Publish("registry/v1/from/mno-a/device.attach", "{}"), 0x10);
  EXPECT_EQ(other.Publish("registry/v1/from/asp-a/endpoint.list", "{}"), 0x10);
}

// TLS 1.3 resumes a session by a ticket, without the certificate being looked at anew (RFC 8446 §2.2).
TEST_F(WithdrawnAtTheBroker, ASessionFromBeforeIsNotResumed) {
  int run = 0;
  // How openssl says that it came in: "New, …" or "Reused, …".
  const auto connect = [&](const std::string& stem, const std::vector<std::string>& ticket, auto done) {
    lab::ProcessSpec spec;
    spec.name = "s_client";
    spec.folder = folder_.In("");
    const std::string log = "s_client-" + std::to_string(++run);
    spec.log_file = folder_.In(log);
    spec.command = {"openssl", "s_client",          "-connect", "127.0.0.1:" + std::to_string(port_),
                    "-CAfile", Interface("ca.pem"), "-cert",    stem + ".pem",
                    "-key",    stem + ".key"};
    spec.command.insert(spec.command.end(), ticket.begin(), ticket.end());
    spec.on_line = [](const std::string&) {};  // its standard input stays open
    const auto process = *lab::Process::Start(std::move(spec));
    EXPECT_TRUE(lab::WaitUntil([&] { return done(folder_.Read(log)); }, 20s)) << folder_.Read(log);
    return folder_.Read(log);
  };
  const auto entered = [](const std::string& said) {
    return said.find("New, TLSv1.3") != std::string::npos ||
           said.find("Reused, TLSv1.3") != std::string::npos;
  };
  connect(Files("mno-a"), {"-sess_out", "ticket.pem"}, [&](const std::string& said) {
    return entered(said) && folder_.Read("ticket.pem").find("END SSL SESSION") != std::string::npos;
  });
  EXPECT_NE(connect(Files("mno-a"), {"-sess_in", "ticket.pem"}, entered).find("Reused, TLSv1.3"),
            std::string::npos);
  const auto done = ctl::WithdrawByName(registry_, "mno-a", clock_.Now());
  ReadAgain();
  const std::string old = Interface("withdrawn/mno-a-" + done->serial);
  ASSERT_TRUE(RefusedSoon(old));
  EXPECT_EQ(connect(old, {"-sess_in", "ticket.pem"}, entered).find("Reused, TLSv1.3"), std::string::npos);
}

}  // namespace
}  // namespace registry
