// The MNO simulator between a real broker with a scripted registry and a scripted device on its radio.
#include <gmock/gmock.h>

#include <condition_variable>
#include <deque>
#include <future>

#include "schemas/wire/codec.h"
#include "simulators/mno/mno_sim.h"
#include "tests/integration/parties/scripted_registry.h"

namespace registry::test {
namespace {

using nlohmann::json;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr const char* kDevice = "0b5e4c1e-8f0a-4c39-9a51-2b1f3c4d5e6f";
constexpr const char* kJob = "5c1f2a3b-0000-4000-8000-000000000001";
constexpr const char* kIccid = "8910390000000000000";
constexpr const char* kEid = "89049032123451234512345678901235";
constexpr const char* kSecondIccid = "8988211000000530082";
constexpr const char* kSecondEid = "89049032001012345678901234567805";

// One end of a frame connection, with a queue.
class End {
 public:
  sim::FrameHandler Handler() {
    return [this](const auto& from, const json& frame) {
      const std::lock_guard lock(mutex_);
      from_ = from;
      frames_.push_back(frame);
      changed_.notify_all();
    };
  }
  // The next frame of this type; others are dropped.
  std::optional<json> Next(const std::string& type, milliseconds deadline = seconds(20)) {
    std::unique_lock lock(mutex_);
    const auto until = std::chrono::steady_clock::now() + deadline;
    for (;;) {
      while (!frames_.empty()) {
        json frame = frames_.front();
        frames_.pop_front();
        if (frame["t"] == type) return frame;
      }
      if (!changed_.wait_until(lock, until, [&] { return !frames_.empty(); })) return std::nullopt;
    }
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<json> frames_;
  std::shared_ptr<sim::Connection> from_;
};

// What the program says, with a queue.
class Said {
 public:
  void Hear(const json& event) {
    const std::lock_guard lock(mutex_);
    events_.push_back(event);
    changed_.notify_all();
  }
  void Clear() {
    const std::lock_guard lock(mutex_);
    events_.clear();
  }
  // Others are dropped.
  std::optional<json> Next(const std::string& name) {
    std::unique_lock lock(mutex_);
    const auto until = std::chrono::steady_clock::now() + seconds(20);
    for (;;) {
      while (!events_.empty()) {
        json event = events_.front();
        events_.pop_front();
        if (event.value("event", "") == name) return event;
      }
      if (!changed_.wait_until(lock, until, [&] { return !events_.empty(); })) return std::nullopt;
    }
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<json> events_;
};

class MnoTest : public testing::Test {
 protected:
  void Start(milliseconds radio_patience = seconds(60), sim::Faults faults = {}) {
    sim::MnoConfig config;
    config.mqtt.port = broker_.port();
    config.mqtt.ca_file = broker_.folder().In("ca.pem");
    config.mqtt.certificate_file = broker_.CertificateOf("mno-a");
    config.mqtt.key_file = broker_.KeyOf("mno-a");
    config.mqtt.party = "mno-a";
    config.radio_socket = broker_.folder().In("radio");
    config.inventory.push_back({Iccid::Parse(kIccid).value(), Eid::Parse(kEid).value(), "asp-a"});
    config.inventory.push_back({Iccid::Parse(kSecondIccid).value(), Eid::Parse(kSecondEid).value(), "asp-a"});
    config.register_first = 1;
    config.repeat_after = milliseconds(100);
    config.again_after = config.gap_patience = milliseconds(50);
    config.radio_patience = radio_patience;
    config.faults = faults;
    auto mno = sim::MnoSim::Start(config, report_);
    ASSERT_TRUE(mno.ok());
    mno_ = std::move(*mno);
    auto radio = sim::Dial(config.radio_socket, seconds(5), device_.Handler(), nullptr);
    ASSERT_TRUE(radio.ok());
    radio_ = *radio;
  }
  ~MnoTest() override {
    radio_.reset();
    mno_.reset();
  }
  void Send(json frame) {
    frame["iccid"] = kIccid;
    ASSERT_TRUE(radio_->Send(frame, seconds(1)));
  }
  // Registered, switched on, attached.
  void Attach() {
    const auto registering = registry_.NextOf("esim.register");
    ASSERT_TRUE(registering.has_value());
    EXPECT_EQ(registering->envelope.data["eid"], kEid);
    wire::EsimRegistered registered;
    registered.device = DeviceId::Parse(kDevice).value();
    registered.authorisation_code = "code-of-the-device-0123456789";
    registered.bootstrap = Bootstrap();
    registry_.Accept(*registering, wire::Encode(registered));
    Send({{"t", "power_on"}, {"eid", kEid}});
    const auto bootstrap = device_.Next("bootstrap");
    ASSERT_TRUE(bootstrap.has_value());
    EXPECT_EQ((*bootstrap)["bootstrap"], wire::Encode(registered)["bootstrap"]);
    const auto attach = registry_.NextOf("device.attach");
    ASSERT_TRUE(attach.has_value());
    registry_.Accept(*attach, {{"device", kDevice}, {"state", "attached"}});
  }
  wire::Bootstrap Bootstrap() {
    const Bytes certificate = FromPem("CERTIFICATE", broker_.folder().Read("ca.pem")).value();
    wire::Bootstrap bootstrap;
    bootstrap.registry_profile = "iot-registry-1";
    bootstrap.device_name = std::string(kDevice) + "._device.iotregistry.test";
    bootstrap.root_certificate = bootstrap.issuing_certificate = certificate;
    bootstrap.resolver = {"127.0.0.1", 853, "resolver.lab.test", certificate, Bytes(32, 7)};
    bootstrap.trust_anchors = {". IN DS 1 13 2 00"};
    return bootstrap;
  }
  json ActionData() const {
    return {{"job", kJob}, {"device", kDevice}, {"attempt", 1}, {"deadline", "2030-01-01T00:00:00.000000Z"}};
  }

  Broker broker_;
  ScriptedRegistry registry_{broker_};
  End device_;
  std::promise<json> said_;  // the first step that failed
  std::once_flag failed_;
  Said events_;
  sim::Report report_{[this](const json& event) {
    events_.Hear(event);
    if (event.value("ok", true)) return;
    std::call_once(failed_, [&] { said_.set_value(event); });
  }};
  std::unique_ptr<sim::MnoSim> mno_;
  std::shared_ptr<sim::Connection> radio_;
};

TEST_F(MnoTest, AKeyIsAskedForOverTheAirUntilTheCsrComesAndTheCertificateGoesBack) {
  Start();
  Attach();
  registry_.Act("mno-a", "key.generate", ActionData());
  ASSERT_TRUE(device_.Next("key_generate").has_value());
  const auto again = device_.Next("key_generate");  // not answered yet: repeated
  ASSERT_TRUE(again.has_value());
  EXPECT_EQ((*again)["job"], kJob);
  Send({{"t", "csr"}, {"job", kJob}, {"csr", ToPem("CERTIFICATE REQUEST", AsBytes("der"))}});
  const auto submitted = registry_.NextOf("csr.submit");
  ASSERT_TRUE(submitted.has_value());
  EXPECT_EQ(submitted->envelope.data["job"], kJob);
  EXPECT_THAT(submitted->envelope.data["csr"].get<std::string>(), testing::HasSubstr("CERTIFICATE REQUEST"));
  wire::CertificateIssued issued;
  issued.device = DeviceId::Parse(kDevice).value();
  issued.certificate = FromPem("CERTIFICATE", broker_.folder().Read("ca.pem")).value();
  issued.serial = std::string(40, 'a');
  issued.not_after = *FromRfc3339("2030-01-01T00:00:00Z");
  registry_.Accept(*submitted, wire::Encode(issued));
  const auto installed = device_.Next("certificate");
  ASSERT_TRUE(installed.has_value());
  EXPECT_EQ((*installed)["certificate"], ToBase64(issued.certificate));
}

TEST_F(MnoTest, APayloadsFateIsReportedAndAJobAskedForAgainGetsTheSameAnswer) {
  Start();
  Attach();
  json push = ActionData();
  push["version"] = 3;
  push["cms"] = "AAAA";
  push["containers"] = json::array();
  registry_.Act("mno-a", "payload.push", push);
  const auto payload = device_.Next("payload");
  ASSERT_TRUE(payload.has_value());
  EXPECT_EQ((*payload)["version"], 3);
  EXPECT_EQ((*payload)["cms"], "AAAA");
  Send({{"t", "payload_result"},
        {"job", kJob},
        {"outcome", "failed"},
        {"stage", "payload"},
        {"reason", "payload_replayed"},
        {"retriable", false}});
  const auto first = registry_.NextOf("do.result");
  ASSERT_TRUE(first.has_value());
  EXPECT_EQ(first->envelope.data["reason"], "payload_replayed");
  EXPECT_TRUE(wire::Decode<wire::DoResult>(first->envelope.data).ok());
  registry_.Accept(*first, {{"job", kJob}});
  push["attempt"] = 2;
  registry_.Act("mno-a", "payload.push", push);
  const auto second = registry_.NextOf("do.result");
  ASSERT_TRUE(second.has_value());
  EXPECT_EQ(second->envelope.data, first->envelope.data);
  EXPECT_NE(second->envelope.id, first->envelope.id);
}

// A card that lost its power: the device says so, the registry asks again, and the MNO may look for itself.
TEST_F(MnoTest, AHalfWrittenCardIsReportedReadAndWrittenAgain) {
  Start();
  Attach();
  json push = ActionData();
  push["version"] = 3;
  push["cms"] = "AAAA";
  push["containers"] = json::array();
  registry_.Act("mno-a", "payload.push", push);
  ASSERT_TRUE(device_.Next("payload").has_value());
  const auto answer = [&](const char* outcome, const char* reason) {
    Send({{"t", "payload_result"},
          {"job", kJob},
          {"outcome", outcome},
          {"stage", "payload"},
          {"reason", reason},
          {"retriable", true}});
    return registry_.NextOf("do.result");
  };
  const auto half = answer("failed", "card_half_written");
  ASSERT_TRUE(half.has_value());
  EXPECT_EQ(half->envelope.data["reason"], "card_half_written");
  EXPECT_TRUE(wire::Decode<wire::DoResult>(half->envelope.data)->retriable);
  registry_.Accept(*half, {{"job", kJob}});

  const auto read = [&](const json& files) {
    events_.Clear();
    mno_->Control({{"cmd", "read_card"}, {"device", kDevice}});
    EXPECT_TRUE(device_.Next("card_read").has_value());
    Send({{"t", "card_files"}, {"files", files}});
    return events_.Next("card").value_or(json());
  };
  const json one = wire::Encode(wire::Container{0x06, {0x30}});
  EXPECT_EQ(read(json::array({one})), json({{"event", "card"},
                                            {"device", kDevice},
                                            {"state", "half_written"},
                                            {"generation", 0},
                                            {"reason", "0f is missing"}}));
  EXPECT_EQ(read(json::array())["state"], "none");
  EXPECT_EQ(read(7)["state"], "unreadable");
  EXPECT_EQ(read(json::array({{{"id", "x"}}}))["state"], "unreadable");

  push["attempt"] = 2;
  registry_.Act("mno-a", "payload.push", push);
  ASSERT_TRUE(device_.Next("payload").has_value()) << "a retriable answer does not stand";
  EXPECT_EQ(answer("success", "")->envelope.data["outcome"], "success");
  mno_->Control({{"cmd", "deliver"}, {"device", kDevice}});
  EXPECT_EQ(device_.Next("payload")->at("job"), kJob)
      << "the same once more, without being asked by the registry";
}

TEST_F(MnoTest, TheRestOfTheInventoryIsRegisteredOnCommand) {
  Start();
  Attach();  // passes over everything else heard so far: a registration too early would be lost to what follows
  mno_->Control({{"cmd", "register"}, {"count", 7}});
  const auto second = registry_.NextOf("esim.register");
  ASSERT_TRUE(second.has_value());
  EXPECT_EQ(second->envelope.data["eid"], kSecondEid);
}

// Waiting counts from when the registration was meant to begin; what the inventory does not hold is passed over.
TEST_F(MnoTest, ARegistrationMayBeDueEarlierThanItBegins) {
  Start();
  Attach();
  const auto now = std::chrono::steady_clock::now().time_since_epoch();
  const auto due = std::chrono::duration_cast<std::chrono::microseconds>(now - seconds(100)).count();
  mno_->Control({{"cmd", "register"}, {"due_us", {"soon", due, due, due}}});
  mno_->Control({{"cmd", "register"}, {"due_us", 5}});
  const auto second = registry_.NextOf("esim.register");
  ASSERT_TRUE(second.has_value());
  EXPECT_EQ(second->envelope.data["eid"], kSecondEid);
  registry_.Reject(*second, Error::Make(Code::kStatusProhibits, "esim_exists", "never"));
  auto failed = said_.get_future();
  ASSERT_EQ(failed.wait_for(seconds(20)), std::future_status::ready);
  EXPECT_GE(failed.get()["ms"], 100000.0);
}

TEST_F(MnoTest, WhatIsRejectedForTheMomentIsSentAgainAndWhatIsRejectedIsNot) {
  Start();
  const auto first = registry_.NextOf("esim.register");
  ASSERT_TRUE(first.has_value());
  registry_.Reject(*first, Error::Make(Code::kFailed, "busy", "later"));
  const auto registering = registry_.NextOf("esim.register");
  ASSERT_TRUE(registering.has_value());
  EXPECT_EQ(registering->envelope.data, first->envelope.data);
  wire::EsimRegistered registered{DeviceId::Parse(kDevice).value(), "code-of-the-device-0123456789",
                                  Bootstrap()};
  registry_.Accept(*registering, wire::Encode(registered));
  Send({{"t", "power_on"}, {"eid", kEid}});
  for (int i = 0; i < 3; ++i) {
    const auto attach = registry_.NextOf("device.attach");
    ASSERT_TRUE(attach.has_value()) << i;
    Error busy = Error::Make(Code::kFailed, i == 0 ? "too_many_in_flight" : "some_other_reason", "later");
    if (i == 1) busy.retry_after_seconds = 0;
    registry_.Reject(*attach, i < 2 ? busy : Error::Make(Code::kStatusProhibits, "state_prohibits", "never"));
  }
  // The second registration is the sign that the final rejection was not followed by another attachment.
  mno_->Control({{"cmd", "register"}, {"count", 1}});
  for (auto heard = registry_.Next();; heard = registry_.Next()) {
    ASSERT_TRUE(heard.has_value());
    ASSERT_NE(heard->command, "device.attach");
    if (heard->command == "esim.register" && heard->envelope.data["eid"] == kSecondEid) break;
  }
}

TEST_F(MnoTest, AGapInItsFeedIsAskedForAndOnlyWhatIsWholeIsAcknowledged) {
  Start();
  Attach();
  const json data{{"device", kDevice}};
  registry_.Notify("mno-a", "device.deleted", 1, data);
  const auto first = registry_.NextOf("feed.ack");
  ASSERT_TRUE(first.has_value());
  EXPECT_EQ(first->envelope.data["seq"], 1);
  registry_.Accept(*first, {{"lastSeq", 1}, {"ackedSeq", 1}, {"replayed", 0}});
  registry_.Notify("mno-a", "device.deleted", 4, data);
  const auto replay = registry_.NextOf("feed.replay");
  ASSERT_TRUE(replay.has_value());
  EXPECT_EQ(replay->envelope.data, json::parse(R"({"fromSeq":2})"));
  for (const std::uint64_t seq : {2, 3, 4}) registry_.Notify("mno-a", "device.deleted", seq, data);
  registry_.Accept(*replay, {{"lastSeq", 4}, {"ackedSeq", 1}, {"replayed", 3}});
  auto ack = registry_.NextOf("feed.ack");
  // 2 and 3 may be acknowledged on the way there.
  while (ack && ack->envelope.data["seq"] != 4) ack = registry_.NextOf("feed.ack");
  EXPECT_TRUE(ack.has_value());
}

TEST_F(MnoTest, ADeviceThatNeverAnswersIsReportedAsUnreachableAndRetriable) {
  Start(milliseconds(400));
  Attach();
  registry_.Act("mno-a", "applet.wipe", ActionData());
  const auto result = registry_.NextOf("do.result");
  ASSERT_TRUE(result.has_value());
  EXPECT_EQ(result->envelope.data["stage"], "radio");
  EXPECT_EQ(result->envelope.data["reason"], "device_unreachable");
  EXPECT_EQ(result->envelope.data["retriable"], true);
}

TEST_F(MnoTest, AnActionItDoesNotKnowIsReportedAsFailedForGood) {
  Start();
  Attach();
  registry_.Act("mno-a", "applet.polish", ActionData());
  const auto result = registry_.NextOf("do.result");
  ASSERT_TRUE(result.has_value());
  EXPECT_EQ(result->envelope.data["job"], kJob);
  EXPECT_EQ(result->envelope.data["outcome"], "failed");
  EXPECT_EQ(result->envelope.data["reason"], "action_unknown");
  EXPECT_TRUE(wire::Decode<wire::DoResult>(result->envelope.data)->retriable == false);
}

// schemas/README.md, "A late wipe is dropped by the MNO".
TEST_F(MnoTest, AWipeIsNotCarriedOutAfterItsDeadline) {
  Start();
  Attach();
  json late = ActionData();
  late["deadline"] = "2020-01-01T00:00:00.000000Z";
  registry_.Act("mno-a", "applet.wipe", late);
  const auto result = registry_.NextOf("do.result");
  ASSERT_TRUE(result.has_value());
  EXPECT_EQ(result->envelope.data["reason"], "deadline_passed");
  EXPECT_EQ(result->envelope.data["retriable"], true);
  json again = ActionData();  // the same job with a later deadline
  again["attempt"] = 2;
  registry_.Act("mno-a", "applet.wipe", again);
  const auto asked = device_.Next("wipe");
  ASSERT_TRUE(asked.has_value());
  EXPECT_EQ((*asked)["job"], kJob);
}

TEST_F(MnoTest, ARadioThatLosesHalfOfItsFramesStillDeliversEveryAction) {
  sim::Faults faults;
  faults.lose = 0.5;
  faults.repeat = 0.2;
  faults.seed = 11;
  Start(seconds(60), faults);
  const auto registering = registry_.NextOf("esim.register");
  ASSERT_TRUE(registering.has_value());
  wire::EsimRegistered registered{DeviceId::Parse(kDevice).value(), "code-of-the-device-0123456789",
                                  Bootstrap()};
  registry_.Accept(*registering, wire::Encode(registered));
  Send({{"t", "power_on"}, {"eid", kEid}});
  ASSERT_TRUE(registry_.NextOf("device.attach").has_value());
  for (int i = 1; i <= 5; ++i) {
    json wipe = ActionData();
    const std::string job = std::string("5c1f2a3b-0000-4000-8000-00000000010") + std::to_string(i);
    wipe["job"] = job;
    registry_.Act("mno-a", "applet.wipe", wipe);
    const auto asked = device_.Next("wipe");
    ASSERT_TRUE(asked.has_value());
    Send({{"t", "wiped"}, {"job", (*asked)["job"]}, {"outcome", "success"}});
  }
}

TEST_F(MnoTest, RubbishFromTheRadioHarmsNothing) {
  Start();
  Attach();
  for (const char* text :
       {R"({"t":"csr","job":7})", R"({"t":"csr","job":"x","csr":[]})", R"({"t":"power_on","iccid":{}})",
        R"({"t":"payload_result","job":"5c1f2a3b-0000-4000-8000-0000000000ff","retriable":"yes"})"}) {
    ASSERT_TRUE(radio_->Send(json::parse(text), seconds(1)));
  }
  registry_.Act("mno-a", "key.generate", ActionData());
  EXPECT_TRUE(device_.Next("key_generate").has_value());
}

}  // namespace
}  // namespace registry::test
