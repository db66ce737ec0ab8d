// Devices on the radio of a scripted MNO: from power on to a session with the ASP, over a network that loses,
// repeats and delays, with real DNS and real TLS.
#include "simulators/device/fleet.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <condition_variable>
#include <csignal>
#include <map>

#include "schemas/wire/codec.h"
#include "simulators/asp/tls_server.h"
#include "simulators/pilot/pilot_files.h"
#include "tests/support/loopback.h"
#include "tests/support/modem_line.h"
#include "tests/unit/clients/dane/world.h"
#include "tests/unit/simulators/device/test_registry.h"

namespace registry::sim {
namespace {

using nlohmann::json;
using test::TestRegistry;

constexpr const char* kZone = "iotregistry.test";
constexpr const char* kAsp = "mqtt.asp-a.test";
constexpr int kDevices = 8;

std::string Iccid(int number) { return "89" + std::to_string(100 + number); }
std::string NameOf(int number) {
  return "5672476c-e9aa-4aa3-9cfd-00000000000" + std::to_string(number) + "._device." + kZone;
}

// Keeps what was said and waits for it.
class Ear {
 public:
  void Hear(const json& event) {
    const std::lock_guard lock(mutex_);
    events_.push_back(event);
    changed_.notify_all();
  }
  template <class Condition>
  bool Wait(Condition condition) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, std::chrono::seconds(30), [&] { return condition(events_); });
  }
  static auto Count(const std::string& event, const std::string& step, bool ok, int at_least) {
    return [=](const std::vector<json>& events) {
      return std::count_if(events.begin(), events.end(), [&](const json& said) {
               return said.value("event", "") == event && (step.empty() || said.value("step", "") == step) &&
                      said.value("ok", false) == ok;
             }) >= at_least;
    };
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<json> events_;
};

class FleetTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::signal(SIGPIPE, SIG_IGN);
    folder_ = ::testing::TempDir() + "/fleet_test_" + std::to_string(getpid());
    ASSERT_EQ(std::system(("mkdir -p " + folder_).c_str()), 0);
    identity_ = test::MakeServerIdentity(folder_, kAsp);
    asp_port_ = clients::test::FreePort();
  }
  void TearDown() override {
    fleet_.reset();
    radio_.reset();
    server_.reset();
    std::system(("rm -rf " + folder_).c_str());
  }

  void StartFleet(const Faults& faults, std::chrono::milliseconds session_within = std::chrono::seconds(10)) {
    auto radio = Listener::Open(
        folder_ + "/radio", [this](const auto& link, const json& frame) { OnFrame(link, frame); },
        [](const auto&) {}, faults);
    ASSERT_TRUE(radio);
    radio_ = std::move(*radio);
    DeviceConfig config;
    config.radio_sockets["mno-a"] = folder_ + "/radio";
    config.threads = 3;
    config.power_on_every = std::chrono::milliseconds(100);
    config.verify_within = std::chrono::milliseconds(3000);
    config.faults = faults;
    config.session_within = session_within;
    for (int i = 0; i < kDevices; ++i) {
      InventoryDevice device;
      device.iccid = Iccid(i);
      device.eid = "eid";
      device.mno = "mno-a";
      if (i == 1) device.modem = modem_;
      config.inventory.push_back(device);
    }
    auto fleet = Fleet::Start(config, report_);
    ASSERT_TRUE(fleet);
    fleet_ = std::move(*fleet);
  }

  // The MNO's network: answers power_on with the bootstrap, notes CSRs and results, and says its part again
  // when asked.
  void OnFrame(const std::shared_ptr<Connection>& link, const json& frame) {
    const std::lock_guard lock(mutex_);
    link_ = link;
    const int number = std::stoi(frame.at("iccid").get<std::string>().substr(2)) - 100;
    const std::string type = frame.at("t");
    if (type == "power_on") {
      Say({{"t", "bootstrap"}, {"iccid", Iccid(number)}, {"bootstrap", wire::Encode(Bootstrap(number))}});
      Say({{"t", "key_generate"}, {"iccid", Iccid(number)}, {"job", "k"}});
    }
    if (type == "csr") csrs_.emplace(number, frame.at("csr"));  // repeats are the same
    // An answer to a repetition of the delivery before comes late, and is none to this one.
    if (type == "payload_result" && frame.at("job") == delivering_) {
      results_[number] = frame;
    }
    if (type == "wiped") wiped_[number] = frame.at("outcome");
    if (type == "card_files") card_files_ = frame.at("files");
    changed_.notify_all();
  }
  // With mutex_: link_ is the one that said something last.
  void Say(const json& frame) { link_->Send(frame, std::chrono::milliseconds(1000)); }

  // Repeats what `say` says until `done`, as an MNO must.
  template <class Done, class Again>
  bool Until(Done done, Again again) {
    std::unique_lock lock(mutex_);
    for (int tries = 0; tries < 200; ++tries) {
      if (changed_.wait_for(lock, std::chrono::milliseconds(100), done)) return true;
      again();
    }
    return false;
  }
  bool CollectCsrs() {
    return Until([this] { return csrs_.size() == kDevices; },
                 [this] {
                   for (int i = 0; i < kDevices && link_; ++i) {
                     if (!csrs_.contains(i)) Say({{"t", "key_generate"}, {"iccid", Iccid(i)}, {"job", "k"}});
                   }
                 });
  }
  void Publish() {
    auto& zone = zones_[kZone];
    zone.push_back("@ 60 IN TLSA 0 0 1 " + ToHex(test::Sha256(registry_.root())));
    zone.push_back("@ 60 IN TLSA 2 0 1 " + ToHex(test::Sha256(registry_.issuing())));
    for (int i = 0; i < kDevices; ++i) {
      certificates_[i] = registry_.Issue(csrs_.at(i), NameOf(i));
      if (i != 0) zone.push_back(NameOf(i) + ". 60 IN TLSA 3 0 1 " + ToHex(test::Sha256(certificates_[i])));
    }
    zones_["asp-a.test"] = {"mqtt 60 IN A 127.0.0.1", "_" + std::to_string(asp_port_) +
                                                          "._tcp.mqtt 60 IN TLSA 3 1 1 " +
                                                          ToHex(test::Sha256(identity_.spki))};
    auto world = clients::test::World::Start(zones_);
    const std::lock_guard lock(mutex_);
    world_ = std::move(world);
    ASSERT_NE(world_, nullptr);
  }
  void StartAsp(bool claimed = true) {
    for (int i = 0; i < kDevices && claimed; ++i) own_.Claimed(Uuid(i));
    auto resolver = clients::DaneResolver::Create({"127.0.0.1",
                                                   world_->dot_port(),
                                                   world_->spki_pin(),
                                                   {world_->anchor()},
                                                   std::chrono::milliseconds(3000)});
    check_ = *ClientCheck::Create({registry_.root(), registry_.issuing(), {kZone}}, &own_, *resolver);
    auto server = TlsServer::Start({"127.0.0.1", asp_port_, identity_.certificate_file, identity_.key_file},
                                   *check_, [this](const TlsSession& session) {
                                     if (session.reason == "device_not_claimed") ++not_claimed_;
                                   });
    ASSERT_TRUE(server);
    server_ = std::move(*server);
  }
  bool Deliver(const std::string& job, std::uint64_t version) {
    // Sealed once, as the registry does: under the same job, another content would be another payload.
    std::map<int, json> sealed;
    for (int i = 0; i < kDevices; ++i) sealed[i] = Sealed(i, job, version);
    {
      const std::lock_guard lock(mutex_);
      delivering_ = job;
      results_.clear();
    }
    return Until(
        [this] { return results_.size() == kDevices; },
        [this, &sealed] {
          for (int i = 0; i < kDevices; ++i) {
            if (results_.contains(i)) continue;
            Say({{"t", "certificate"}, {"iccid", Iccid(i)}, {"certificate", ToBase64(certificates_[i])}});
            Say(sealed.at(i));
          }
        });
  }
  json Sealed(int i, const std::string& job, std::uint64_t version) {
    const auto now = std::chrono::duration_cast<std::chrono::microseconds>(
        std::chrono::system_clock::now().time_since_epoch());
    wire::RegistryPayload payload;
    payload.version = version;
    payload.issued = {now.count()};
    payload.expires = payload.issued + std::chrono::hours(1);
    payload.bootstrap = Bootstrap(i);
    payload.certificate = certificates_[i];
    payload.asp = *PartyId::Parse("asp-a");
    payload.endpoint = wire::Endpoint{
        *EndpointName::Parse("gateway"), kAsp, "tls://mqtt.asp-a.test", asp_port_, "tls", {}, {}};
    payload.endpoint->trust.tlsa_owner = "_" + std::to_string(asp_port_) + "._tcp." + kAsp;
    if (by_certificate_) payload.endpoint->trust = {wire::TrustKind::kCertificate, identity_.der, ""};
    const Bytes cms = registry_.Seal(wire::Encode(payload).dump(), TestRegistry::AgreementKeyIn(csrs_.at(i)));
    json frame = {{"t", "payload"},     {"iccid", Iccid(i)},    {"job", job},
                  {"version", version}, {"cms", ToBase64(cms)}, {"containers", json::array()}};
    for (const auto& container : registry_.Containers(payload))
      frame["containers"].push_back(wire::Encode(container));
    return frame;
  }
  wire::Bootstrap Bootstrap(int i) const {
    wire::Bootstrap bootstrap{"iot-registry-1", NameOf(i), registry_.root(), registry_.issuing(), {}, {}};
    bootstrap.resolver = {"127.0.0.1", 853, "resolver.test", registry_.root(), Bytes(32, 7)};
    bootstrap.trust_anchors = {
        ". 3600 IN DS 20326 8 2 E06D44B80B8F1D39A95C0B0D7C65D08458E880409BBC683457104237C7F8EC8D"};
    if (world_) {
      bootstrap.resolver.port = world_->dot_port();
      bootstrap.resolver.spki_pin = world_->spki_pin();
      bootstrap.trust_anchors = {world_->anchor()};
    }
    return bootstrap;
  }
  std::map<int, json> Results() {
    const std::lock_guard lock(mutex_);
    return results_;
  }
  static int Listen(std::uint16_t port) {
    const int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const int on = 1;
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    sockaddr_in address = registry::test::Loopback(port);
    if (bind(listener, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) return -1;
    return listen(listener, 8) == 0 ? listener : -1;
  }
  static std::string Uuid(int i) { return NameOf(i).substr(0, 36); }

  std::string folder_;
  TestRegistry registry_;
  test::ServerIdentity identity_;
  std::uint16_t asp_port_ = 0;
  clients::test::World::Zones zones_;
  std::unique_ptr<clients::test::World> world_;
  OwnDevices own_;
  std::atomic<int> not_claimed_{0};
  std::unique_ptr<ClientCheck> check_;
  std::unique_ptr<TlsServer> server_;
  Ear ear_;
  Report report_{[this](const json& event) { ear_.Hear(event); }};
  std::mutex mutex_;
  std::condition_variable changed_;
  std::shared_ptr<Connection> link_;
  std::map<int, std::string> csrs_, wiped_;
  std::map<int, json> results_;     // of the delivery under way
  std::optional<json> card_files_;  // read last
  bool by_certificate_ = false;     // the ASP is named so, and every payload has both forms
  std::string delivering_;
  std::map<int, Bytes> certificates_;
  std::unique_ptr<Listener> radio_;
  std::unique_ptr<Fleet> fleet_;
  std::string modem_;  // of device 1; empty: none
};

TEST_F(FleetTest, FromPowerOnToSessionOverABadRadio) {
  Faults faults;
  faults.lose = 0.2;
  faults.repeat = 0.2;
  faults.delay_max = std::chrono::milliseconds(20);
  StartFleet(faults);
  ASSERT_TRUE(CollectCsrs());
  Publish();
  StartAsp();
  ASSERT_TRUE(Deliver("p", 1));
  for (const auto& [number, result] : Results()) EXPECT_EQ(result.at("outcome"), "success") << result.dump();
  EXPECT_TRUE(ear_.Wait(Ear::Count("done", "", true, kDevices - 1)));
  EXPECT_TRUE(ear_.Wait(Ear::Count("done", "", false, 1))) << "device 0 has no TLSA and must say so";
}

// The payload may be there before the ASP has heard that its claim was accepted.
TEST_F(FleetTest, ADeviceKnocksAgainUntilItsAspKnowsIt) {
  StartFleet({});
  ASSERT_TRUE(CollectCsrs());
  Publish();
  StartAsp(false);
  ASSERT_TRUE(Deliver("p", 1));
  ASSERT_TRUE(Until([this] { return not_claimed_ >= kDevices - 1; }, [] {}));
  for (int i = 0; i < kDevices; ++i) own_.Claimed(Uuid(i));
  EXPECT_TRUE(ear_.Wait(Ear::Count("done", "", true, kDevices - 1)));
}

TEST_F(FleetTest, SaysWhyAndObeysTheConsole) {
  StartFleet({});
  ASSERT_TRUE(CollectCsrs());
  Publish();
  StartAsp();
  ASSERT_TRUE(Deliver("p", 5));
  ASSERT_TRUE(ear_.Wait(Ear::Count("done", "", true, kDevices - 1)));
  fleet_->Control({{"cmd", "session"}, {"device", Uuid(1)}});
  EXPECT_TRUE(ear_.Wait([](const std::vector<json>& events) {
    return events.back().value("again", false) && events.back().value("ok", false);
  }));
  ASSERT_TRUE(Deliver("replay", 4));
  for (const auto& [number, result] : Results()) {
    EXPECT_EQ(result.at("outcome"), "failed");
    EXPECT_EQ(result.at("stage"), "payload");
    EXPECT_EQ(result.at("reason"), "payload_replayed");
    EXPECT_EQ(result.at("retriable"), false);
  }
}

// A device in the middle of a session cannot answer, but holds one worker only, whatever is said to it meanwhile.
TEST_F(FleetTest, ABusyDeviceDoesNotKeepTheOthersWaiting) {
  StartFleet({}, std::chrono::minutes(5));
  ASSERT_TRUE(CollectCsrs());
  Publish();
  StartAsp();
  ASSERT_TRUE(Deliver("p", 1));
  ASSERT_TRUE(ear_.Wait(Ear::Count("done", "", true, kDevices - 1)));
  server_.reset();
  const int silent = Listen(asp_port_);
  ASSERT_GE(silent, 0);
  fleet_->Control({{"cmd", "session"}, {"device", Uuid(1)}});
  const int session = accept(silent, nullptr, nullptr);  // and never says a word
  ASSERT_GE(session, 0);
  {
    const std::lock_guard lock(mutex_);
    csrs_.clear();
    for (int i = 0; i < 10; ++i) Say({{"t", "key_generate"}, {"iccid", Iccid(1)}, {"job", "k2"}});
    Say({{"t", "key_generate"}, {"iccid", Iccid(2)}, {"job", "k2"}});
  }
  EXPECT_TRUE(Until([this] { return csrs_.contains(2); }, [] {}));
  close(session);
  EXPECT_TRUE(Until([this] { return csrs_.contains(1); }, [] {})) << "once it is free again";
  close(silent);
}

// What the device's software has on its card, others find there as well, and neither disturbs the other.
TEST_F(FleetTest, ADevicesCardIsAtItsModem) {
  modem_ = folder_ + "/modem";
  StartFleet({});
  ASSERT_TRUE(CollectCsrs());
  Publish();
  StartAsp();
  const auto say = [this](const std::string& line) { return ::registry::test::SayToModem(modem_, line); };
  const std::string select = "AT+CSIM=24,\"00A4040007A0000005590010\"",
                    selected = "\r\n+CSIM: 4,\"9000\"\r\n\r\nOK\r\n";
  EXPECT_EQ(say(select), selected);
  const std::string read_key = "AT+CSIM=16,\"00CD000003850101\"", key = say(read_key);
  EXPECT_EQ(key.substr(0, 28), "\r\n+CSIM: 146,\"34454943864104") << "what the CSR was made for";
  ASSERT_TRUE(Deliver("p", 1));
  ASSERT_TRUE(ear_.Wait(Ear::Count("done", "", true, kDevices - 1)));
  EXPECT_EQ(say(read_key), key);
  EXPECT_EQ(say("AT+CFUN=1,1"), "\r\nOK\r\n") << "the power of the card, under the device's own software";
  fleet_->Control({{"cmd", "session"}, {"device", Uuid(1)}});
  EXPECT_TRUE(ear_.Wait([](const std::vector<json>& events) {
    return events.back().value("again", false) && events.back().value("ok", false);
  }));
}

// A card that loses its power while a later payload is written: the device says so, still talks to its ASP with what it had,
// and is mended by the same job.
TEST_F(FleetTest, AHalfWrittenCardIsSaidAndMended) {
  by_certificate_ = true;
  StartFleet({});
  ASSERT_TRUE(CollectCsrs());
  Publish();
  StartAsp();
  ASSERT_TRUE(Deliver("p", 1));
  ASSERT_TRUE(ear_.Wait(Ear::Count("done", "", true, kDevices - 1)));
  const auto state = [this] {
    {
      const std::lock_guard lock(mutex_);
      card_files_.reset();
    }
    EXPECT_TRUE(Until([this] { return card_files_.has_value(); },
                      [this] {
                        Say({{"t", "card_read"}, {"iccid", Iccid(1)}});
                      }));
    PilotFiles files;
    for (const json& file : card_files_.value_or(json::array())) {
      const auto read = wire::Decode<wire::Container>(file);
      files[read->id] = read->content;
    }
    const CardSet set = Judge(files);
    return std::string(WordOf(set.written)) + ' ' + std::to_string(set.generation);
  };
  EXPECT_EQ(state(), "whole 1");

  fleet_->Control({{"cmd", "cut"}, {"device", Uuid(1)}, {"after", "soon"}});
  fleet_->Control({{"cmd", "cut"}, {"device", Uuid(1)}, {"after", 6}});
  ASSERT_TRUE(ear_.Wait([](const std::vector<json>& events) {
    return events.back() == json{{"event", "cut"}, {"device", Uuid(1)}, {"after", 6}};
  }));
  EXPECT_TRUE(ear_.Wait([](const std::vector<json>& events) {
    return std::any_of(events.begin(), events.end(),
                       [](const json& event) { return event.value("reason", "") == "after_malformed"; });
  }));
  const json second = Sealed(1, "q", 2);
  {
    const std::lock_guard lock(mutex_);
    delivering_ = "q";
    results_.clear();
    Say(second);
  }
  ASSERT_TRUE(Until([this] { return results_.contains(1); }, [] {}));
  EXPECT_EQ(Results().at(1).at("reason"), "card_half_written");
  EXPECT_EQ(Results().at(1).at("retriable"), true);
  EXPECT_EQ(state(), "half_written 1") << "the mark of the delivery before, and no 02";
  fleet_->Control({{"cmd", "session"}, {"device", Uuid(1)}});
  EXPECT_TRUE(ear_.Wait([](const std::vector<json>& events) {
    return events.back().value("again", false) && events.back().value("ok", false);
  })) << "its own software has the payload before";

  {
    const std::lock_guard lock(mutex_);
    results_.clear();
    Say(second);
  }
  ASSERT_TRUE(Until([this] { return results_.contains(1); }, [] {}));
  EXPECT_EQ(Results().at(1).at("outcome"), "success");
  EXPECT_EQ(state(), "whole 2");
}

TEST_F(FleetTest, RubbishOnTheConsoleHarmsNothing) {
  StartFleet({});
  ASSERT_TRUE(CollectCsrs());
  for (const char* text : {R"({"cmd":7})", R"({"cmd":"radio","device":[]})", R"({"cmd":{},"device":5})"})
    fleet_->Control(json::parse(text));
  fleet_->Control({{"cmd", "radio"}, {"device", Uuid(1)}, {"on", "no"}});
  EXPECT_TRUE(ear_.Wait([](const std::vector<json>& events) {
    return events.back().value("event", "") == "control_refused" &&
           events.back().value("reason", "") == "on_malformed";
  }));
}

TEST_F(FleetTest, AWipedDeviceIsRefusedAStolenOneHearsNothing) {
  StartFleet({});
  ASSERT_TRUE(CollectCsrs());
  Publish();
  StartAsp();
  ASSERT_TRUE(Deliver("p", 1));
  ASSERT_TRUE(ear_.Wait(Ear::Count("done", "", true, kDevices - 1)));
  fleet_->Control({{"cmd", "radio"}, {"device", Uuid(2)}, {"on", false}});
  ASSERT_TRUE(ear_.Wait([](const std::vector<json>& events) {
    return events.back() == json{{"event", "radio"}, {"device", Uuid(2)}, {"on", false}};
  }));
  ASSERT_TRUE(Until([this] { return wiped_.contains(1); },
                    [this] {
                      for (const int i : {2, 1}) Say({{"t", "wipe"}, {"iccid", Iccid(i)}, {"job", "w"}});
                    }));
  {
    const std::lock_guard lock(mutex_);
    EXPECT_FALSE(wiped_.contains(2));
  }
  for (const int i : {1, 2}) fleet_->Control({{"cmd", "session"}, {"device", Uuid(i)}});
  const auto said = [](const std::string& uuid, bool ok, const std::string& reason) {
    return [=](const std::vector<json>& events) {
      return std::any_of(events.begin(), events.end(), [&](const json& event) {
        return event.value("again", false) && event.at("device") == uuid && event.at("ok") == ok &&
               event.at("reason") == reason;
      });
    };
  };
  EXPECT_TRUE(ear_.Wait(said(Uuid(1), false, "refused certificate_required")));
  EXPECT_TRUE(ear_.Wait(said(Uuid(2), true, ""))) << "until its TLSA is withdrawn";
}

}  // namespace
}  // namespace registry::sim
