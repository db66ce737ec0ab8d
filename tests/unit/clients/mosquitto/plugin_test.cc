// Debian's Mosquitto with the plug-in, Debian's mosquitto_pub and mosquitto_sub as devices and as the ASP's own back end.
#include <gtest/gtest.h>
#include <signal.h>

#include "simulators/lab/ports.h"
#include "simulators/lab/probe.h"
#include "simulators/lab/process.h"
#include "tests/support/shell.h"
#include "tests/unit/clients/verdict/client_world.h"

namespace registry::clients {
namespace {

using registry::test::Ran;
using registry::test::Shell;
using test::Kind;
using namespace std::chrono_literals;

class PluginTest : public test::ClientWorldTest {
 protected:
  void SetUp() override {
    port_ = *ports_.Take();
    back_port_ = *ports_.Take();
    Claim({Kind::kGood, Kind::kByKey, Kind::kHeld, Kind::kExpired, Kind::kReplaced});
    ASSERT_TRUE(Start());
  }
  static std::string In(const std::string& name) { return world_->folder().In(name); }
  static void Claim(std::initializer_list<Kind> kinds) {
    std::string text;
    for (const Kind kind : kinds) text += world_->device(kind).id + "\n";
    world_->folder().Write("claims", text);
  }
  // As in clients/mosquitto/README.md: a listener for devices, and one for the back end.
  std::string Config(const std::string& more, const std::string& sections) const {
    return "log_dest file " + In("mosquitto.log") + "\nlog_type all\nuser root\nallow_anonymous false\n" +
           "password_file " + In("passwords") + "\nacl_file " + In("acl") + "\nplugin " + kPlugin + "\n" +
           Options() + more + "listener " + std::to_string(back_port_) + " 127.0.0.1\nlistener " +
           std::to_string(port_) + " 127.0.0.1\ncertfile " + world_->server().certificate_file +
           "\nkeyfile " + world_->server().key_file + "\ncafile " + In("chain.pem") +
           "\nrequire_certificate true\ntls_version tlsv1.3\n" + sections;
  }
  static std::string Options() {
    return "plugin_opt_zone iot.test\nplugin_opt_root_file " + In("root.pem") + "\nplugin_opt_issuing_file " +
           In("issuing.pem") + "\nplugin_opt_resolver 127.0.0.1:" + std::to_string(world_->dns().dot_port()) +
           "\nplugin_opt_resolver_pin " + ToBase64(world_->dns().spki_pin()) +
           "\nplugin_opt_trust_anchor_file " + In("anchors") +
           "\nplugin_opt_party asp-a\nplugin_opt_claims_file " + In("claims") + "\n";
  }
  // `more`: options of the plug-in; `sections`: what comes at the end.
  bool Start(const std::string& more = {}, const std::string& sections = {}) {
    world_->folder().Write("chain.pem",
                           world_->folder().Read("issuing.pem") + world_->folder().Read("root.pem"));
    EXPECT_TRUE(Shell("mosquitto_passwd -c -b '" + In("passwords") + "' back-end secret 2>&1").ok());
    world_->folder().Write("acl", "user back-end\ntopic readwrite #\n");
    world_->folder().Write("mosquitto.conf", Config(more, sections));
    world_->folder().Write("mosquitto.log", "");
    lab::ProcessSpec spec;
    spec.name = "mosquitto";
    spec.command = {"mosquitto", "-c", In("mosquitto.conf")};
    spec.log_file = In("mosquitto.out");
    broker_.reset();
    broker_ = *lab::Process::Start(std::move(spec));
    return lab::WaitUntil([this] { return !broker_->running() || lab::TcpAnswers("127.0.0.1", port_); },
                          10s) &&
           broker_->running() && Logged(" running\n");  // before, a signal ends it
  }
  std::string As(Kind kind, const std::string& client_id = {}) const {
    const test::TestDevice& device = world_->device(kind);
    return " -h 127.0.0.1 -p " + std::to_string(port_) + " --insecure --cafile " +
           world_->server().certificate_file + " --cert " + device.certificate_file + " --key " +
           device.key_file + " -V mqttv5 -q 1 -i '" + (client_id.empty() ? device.id : client_id) + "' ";
  }
  std::string AsBackEnd() const {
    return " -h 127.0.0.1 -p " + std::to_string(back_port_) + " -u back-end -P secret -V mqttv5 -q 1 ";
  }
  Ran Publish(const std::string& who, const std::string& topic) const {
    return Shell("mosquitto_pub" + who + "-t '" + topic + "' -m hello 2>&1");
  }
  bool Accepted(Kind kind) const {
    return Publish(As(kind), "devices/" + world_->device(kind).id + "/state").ok();
  }
  static bool Logged(const std::string& text) {
    return lab::WaitUntil(
        [&] { return world_->folder().Read("mosquitto.log").find(text) != std::string::npos; }, 10s);
  }
  static bool Heard(const std::string& log) {
    return lab::WaitUntil([&] { return world_->folder().Read(log).find("hello") != std::string::npos; }, 10s);
  }
  // What the registry would say. Unless `registry` says to which broker, the back end plays the bridge that brings it.
  void Tell(const std::string& event, Kind kind, std::uint64_t seq, const std::string& registry = {}) const {
    world_->folder().Write("notification", Notification(event, kind, seq));
    const Ran told =
        Shell("mosquitto_pub" + (registry.empty() ? AsBackEnd() : registry) +
              "-t registry/v1/to/asp-a/event/" + event + " -f '" + In("notification") + "' 2>&1");
    EXPECT_TRUE(told.ok()) << told.output;
  }
  std::unique_ptr<lab::Process> Subscribe(const std::string& who, const std::string& filter,
                                          const std::string& log) const {
    lab::ProcessSpec spec;
    spec.name = "mosquitto_sub";
    spec.command = {"sh", "-c", "exec stdbuf -oL mosquitto_sub -d" + who + "-t '" + filter + "'"};
    spec.log_file = In(log);
    world_->folder().Write(log, "");
    auto process = lab::Process::Start(std::move(spec));
    EXPECT_TRUE(process);
    EXPECT_TRUE(lab::WaitUntil(
        [&] {
          const std::string said = world_->folder().Read(log);
          return said.find("Subscribed") != std::string::npos || said.find("denied") != std::string::npos ||
                 !(*process)->running();
        },
        10s));
    return std::move(*process);
  }

  static std::string Persistent() { return "persistence true\npersistence_location " + In("") + "/\n"; }
  static constexpr const char* kPlugin = REGISTRY_BINARY_DIR "/bin/registry-mosquitto-plugin.so";
  lab::Ports ports_;
  std::uint16_t port_ = 0, back_port_ = 0;
  std::unique_ptr<lab::Process> broker_;
};

TEST_F(PluginTest, LetsInExactlyTheActiveDevicesOfItsAsp) {
  EXPECT_TRUE(Accepted(Kind::kGood)) << world_->folder().Read("mosquitto.log");
  EXPECT_TRUE(Accepted(Kind::kByKey));
  EXPECT_FALSE(Accepted(Kind::kOther)) << "another ASP's";
  EXPECT_TRUE(Logged("device_not_claimed"));
  EXPECT_FALSE(Accepted(Kind::kHeld));
  EXPECT_FALSE(Accepted(Kind::kReplaced));
  EXPECT_FALSE(Accepted(Kind::kExpired));
  EXPECT_TRUE(Accepted(Kind::kGood)) << "and is none the worse for it";
}

TEST_F(PluginTest, ADeviceHasATopicSpaceOfItsOwn) {
  const std::string own = "devices/" + world_->device(Kind::kGood).id,
                    other = "devices/" + world_->device(Kind::kByKey).id;
  const auto back = Subscribe(AsBackEnd(), "#", "back.log");
  EXPECT_TRUE(Publish(As(Kind::kGood), own + "/state").ok());
  EXPECT_NE(Publish(As(Kind::kGood), other + "/state").output.find("ot authorized"), std::string::npos);
  EXPECT_TRUE(Publish(As(Kind::kByKey), other + "/last").ok());
  EXPECT_TRUE(lab::WaitUntil(
      [&] { return world_->folder().Read("back.log").find(other + "/last") != std::string::npos; }, 10s));
  const std::string heard = world_->folder().Read("back.log");
  EXPECT_NE(heard.find(own + "/state"), std::string::npos) << heard;
  EXPECT_EQ(heard.find(other + "/state"), std::string::npos) << heard;
}

TEST_F(PluginTest, ADeviceHearsItsOwnSpaceAndNothingElse) {
  const std::string own = "devices/" + world_->device(Kind::kGood).id;
  for (const char* filter : {"#", "devices/#", "devices/+/state", "$SYS/#", "$share/g/devices/#"}) {
    const auto greedy = Subscribe(As(Kind::kGood), filter, "greedy.log");
    const std::string said = world_->folder().Read("greedy.log");
    EXPECT_TRUE(said.find("denied") != std::string::npos || said.find(": 135") != std::string::npos)
        << filter << said;
  }
  const auto device = Subscribe(As(Kind::kGood), own + "/#", "device.log");
  EXPECT_TRUE(Publish(AsBackEnd(), own + "/command").ok());
  EXPECT_TRUE(lab::WaitUntil(
      [&] { return world_->folder().Read("device.log").find("hello") != std::string::npos; }, 10s))
      << world_->folder().Read("device.log");
}

// MQTT5 3.1.2.5: it leaves when the connection ends without a DISCONNECT.
TEST_F(PluginTest, ALastWillIsAMessageLikeAnyOther) {
  const std::string good = "devices/" + world_->device(Kind::kGood).id;
  const std::string by_key = "devices/" + world_->device(Kind::kByKey).id;
  const auto back = Subscribe(AsBackEnd(), "#", "back.log");
  const auto dies = [&](Kind kind, const std::string& own, const std::string& will) {
    const auto device =
        Subscribe(As(kind) + "--will-payload x --will-topic '" + will + "' ", own + "/#", "device.log");
    device->Signal(SIGKILL);
    EXPECT_TRUE(device->WaitExit(10s));
  };
  const auto heard = [&](const std::string& topic) {
    return world_->folder().Read("back.log").find("'" + topic + "'") != std::string::npos;
  };
  dies(Kind::kGood, good, by_key + "/foreign");
  EXPECT_TRUE(lab::WaitUntil(
      [&] {
        return world_->folder().Read("mosquitto.log").find(world_->device(Kind::kGood).id + " closed") !=
               std::string::npos;
      },
      10s))
      << world_->folder().Read("mosquitto.log");
  dies(Kind::kByKey, by_key, by_key + "/own");
  EXPECT_TRUE(lab::WaitUntil([&] { return heard(by_key + "/own"); }, 10s))
      << world_->folder().Read("back.log");
  EXPECT_FALSE(heard(by_key + "/foreign"));
}

// Whoever connects with a client id in use ends the other's session.
TEST_F(PluginTest, ADeviceCannotTakeAnothersClientId) {
  const std::string own = "devices/" + world_->device(Kind::kGood).id + "/state";
  EXPECT_FALSE(Publish(As(Kind::kGood, world_->device(Kind::kByKey).id), own).ok());
  EXPECT_TRUE(Logged("client id does not begin with its own id"));
  EXPECT_FALSE(Publish(As(Kind::kGood, "anything"), own).ok());
  EXPECT_TRUE(Publish(As(Kind::kGood, world_->device(Kind::kGood).id + "-2"), own).ok());
}

TEST_F(PluginTest, WhoeverIsDeactivatedIsPutOutAndKeptOut) {
  const auto device =
      Subscribe(As(Kind::kGood), "devices/" + world_->device(Kind::kGood).id + "/#", "device.log");
  const auto other =
      Subscribe(As(Kind::kByKey), "devices/" + world_->device(Kind::kByKey).id + "/#", "other.log");
  ASSERT_TRUE(device->running());
  Tell("device.deactivated", Kind::kGood, 7);
  EXPECT_TRUE(Logged(world_->device(Kind::kGood).id + " may not be served any more"));
  EXPECT_FALSE(Accepted(Kind::kGood)) << "its record is cached still";
  EXPECT_TRUE(Publish(AsBackEnd(), "devices/" + world_->device(Kind::kByKey).id + "/x").ok());
  EXPECT_TRUE(lab::WaitUntil(
      [&] { return world_->folder().Read("other.log").find("hello") != std::string::npos; }, 10s))
      << "the others stay";
  Tell("device.reactivated", Kind::kGood, 8);
  EXPECT_TRUE(Accepted(Kind::kGood));
}

TEST_F(PluginTest, WhereAnyDeviceWillDoWhoeverIsDeactivatedIsPutOutToo) {
  ASSERT_TRUE(Start("plugin_opt_own_only no\n"));
  const auto device =
      Subscribe(As(Kind::kOther), "devices/" + world_->device(Kind::kOther).id + "/#", "device.log");
  Tell("device.deactivated", Kind::kOther, 7);
  EXPECT_TRUE(Logged(world_->device(Kind::kOther).id + " may not be served any more"));
  EXPECT_FALSE(Accepted(Kind::kOther));
}

// The registry's broker is another Mosquitto, and the bridge is Mosquitto's own.
TEST_F(PluginTest, ABridgeBringsTheNotifications) {
  const std::string port = std::to_string(*ports_.Take());
  const test::TestDevice party = world_->Make("asp-a", "asp-a.test");
  const std::string server = world_->server().certificate_file;
  world_->folder().Write("registry.conf", "user root\nlistener " + port +
                                              " 127.0.0.1\nallow_anonymous true\ncertfile " + server +
                                              "\nkeyfile " + world_->server().key_file + "\ncafile " +
                                              In("chain.pem") + "\nrequire_certificate true\n");
  lab::ProcessSpec spec;
  spec.name = "mosquitto";
  spec.command = {"mosquitto", "-c", In("registry.conf")};
  spec.log_file = In("registry.out");
  const auto registry = lab::Process::Start(std::move(spec));
  ASSERT_TRUE(registry);
  // Before Start, which writes the files anew that this one reads. A broker's port answers before it has read them.
  ASSERT_TRUE(lab::WaitUntil(
      [&] {
        return !(*registry)->running() ||
               world_->folder().Read("registry.out").find(" running\n") != std::string::npos;
      },
      10s));
  ASSERT_TRUE((*registry)->running()) << world_->folder().Read("registry.out");
  ASSERT_TRUE(
      Start("", "connection registry\naddress 127.0.0.1:" + port +
                    "\ntopic registry/v1/to/asp-a/event/# in 1\nbridge_protocol_version mqttv50\n"
                    "remote_clientid asp-a-bridge\nlocal_clientid registry-bridge\ncleansession false\n"
                    "restart_timeout 1\nbridge_insecure true\nbridge_cafile " +
                    server + "\nbridge_certfile " + party.certificate_file + "\nbridge_keyfile " +
                    party.key_file + "\n"));
  const auto device =
      Subscribe(As(Kind::kGood), "devices/" + world_->device(Kind::kGood).id + "/#", "device.log");
  const std::string to_registry = " -h 127.0.0.1 -p " + port + " --insecure --cafile " + server + " --cert " +
                                  party.certificate_file + " --key " + party.key_file + " -q 1 ";
  // Until the bridge is up, what is said is not kept for it.
  EXPECT_TRUE(lab::WaitUntil(
      [&] {
        Tell("device.deactivated", Kind::kGood, 7, to_registry);
        return world_->folder().Read("mosquitto.log").find("may not be served any more") != std::string::npos;
      },
      10s))
      << world_->folder().Read("mosquitto.log");
  EXPECT_FALSE(Accepted(Kind::kGood));
}

TEST_F(PluginTest, AnActivationIsAClaim) {
  EXPECT_FALSE(Accepted(Kind::kOther));
  Tell("device.activated", Kind::kOther, 3);
  EXPECT_TRUE(Accepted(Kind::kOther));
}

TEST_F(PluginTest, SighupReadsTheClaimsAgain) {
  EXPECT_TRUE(Accepted(Kind::kGood));
  const auto device =
      Subscribe(As(Kind::kByKey), "devices/" + world_->device(Kind::kByKey).id + "/#", "device.log");
  const auto stays =
      Subscribe(As(Kind::kGood), "devices/" + world_->device(Kind::kGood).id + "/#", "stays.log");
  Claim({Kind::kGood, Kind::kOther});
  broker_->Signal(SIGHUP);
  EXPECT_TRUE(Logged(world_->device(Kind::kByKey).id + " may not be served any more"));
  EXPECT_TRUE(Logged("registry_client_verdicts_total{verdict=\"accepted\"}")) << "the figures";
  EXPECT_FALSE(Accepted(Kind::kByKey));
  EXPECT_TRUE(Accepted(Kind::kOther));
  EXPECT_TRUE(Publish(AsBackEnd(), "devices/" + world_->device(Kind::kGood).id + "/x").ok());
  EXPECT_TRUE(Heard("stays.log")) << world_->folder().Read("mosquitto.log");
  const std::string log = world_->folder().Read("stays.log");
  EXPECT_EQ(log.find("CONNACK"), log.rfind("CONNACK")) << "it did not have to come again: " << log;
}

// MQTT5 3.1.2.11.2: the session outlives the connection, and Mosquitto's file the process.
TEST_F(PluginTest, WhatIsSaidWhileADeviceIsAwayReachesIt) {
  const std::string own = "devices/" + world_->device(Kind::kGood).id;
  const std::string staying = As(Kind::kGood) + "-c -x 3600 ";
  const auto away = [&](const std::string& filter) {
    auto device = Subscribe(staying, filter, "device.log");
    EXPECT_TRUE(device->Stop());
  };
  const auto missed = [&] {
    const auto device = Subscribe(staying, own + "/#", "device.log");
    return Heard("device.log");
  };
  ASSERT_TRUE(Start(Persistent()));
  away(own + "/#");
  broker_->Signal(SIGHUP);
  EXPECT_TRUE(Logged("registry_client_verdicts_total"));
  EXPECT_TRUE(Publish(AsBackEnd(), own + "/command").ok());
  EXPECT_TRUE(missed()) << "after SIGHUP" << world_->folder().Read("mosquitto.log");
  away(own + "/#");
  ASSERT_TRUE(broker_->Stop());
  ASSERT_TRUE(Start(Persistent()));
  broker_->Signal(SIGHUP);
  EXPECT_TRUE(Logged("Reloading"));
  EXPECT_TRUE(Publish(AsBackEnd(), own + "/command").ok());
  EXPECT_TRUE(missed()) << "after a start of the broker" << world_->folder().Read("mosquitto.log");
}

TEST_F(PluginTest, AConfigurationThatCannotBeUsedKeepsTheBrokerFromStarting) {
  (void)broker_->Stop();
  EXPECT_FALSE(Start("plugin_opt_topic devices/#\n"));
  EXPECT_TRUE(Logged("plugin_opt_topic"));
  EXPECT_FALSE(Start("plugin_opt_colour blue\n"));
  EXPECT_TRUE(Logged("there is no key colour"));
}

}  // namespace
}  // namespace registry::clients
