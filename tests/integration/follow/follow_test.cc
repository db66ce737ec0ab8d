// The followers in C++, Python and JavaScript (clients/follow) do the same on the same awkward days: with a real broker and
// a registry that says what a good one says seldom or never.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "schemas/base/mutex.h"
#include "schemas/base/sanitized.h"
#include "simulators/lab/probe.h"
#include "simulators/lab/process.h"
#include "tests/integration/follow/feed_script.h"
#include "tests/integration/mqtt/scripted_broker.h"

namespace registry::test {
namespace {

using nlohmann::json;
using namespace std::chrono_literals;
using Lines = std::vector<std::string>;

const std::string kSource = REGISTRY_SOURCE_DIR, kHere = kSource + "/tests/integration/follow";

// Only ours is compiled with the sanitizer; the others are played without it.
Lines Languages() {
#if REGISTRY_ADDRESS_SANITIZED
  return {"cpp"};
#else
  return {"cpp", "python", "javascript"};
#endif
}

// What a follower said that runs or has run.
class Told {
 public:
  void Add(const std::string& line) {
    const MutexLock lock(mutex_);
    lines_.push_back(line);
  }
  Lines lines() const {
    const MutexLock lock(mutex_);
    return lines_;
  }
  bool Has(const std::string& line) const {
    const Lines all = lines();
    return std::find(all.begin(), all.end(), line) != all.end();
  }

 private:
  mutable Mutex mutex_;
  Lines lines_ GUARDED_BY(mutex_);
};

std::string Line(std::uint64_t seq) { return "handled " + std::to_string(seq) + " device.activated"; }
Lines LinesOf(std::uint64_t first, std::uint64_t last) {
  Lines lines;
  for (std::uint64_t seq = first; seq <= last; ++seq) lines.push_back(Line(seq));
  return lines;
}

class Following : public testing::TestWithParam<std::string> {
 protected:
  static void SetUpTestSuite() { broker_ = std::make_unique<Broker>(); }
  static void TearDownTestSuite() { broker_.reset(); }
  void SetUp() override {
    static int tests = 0;
    party_ = "asp-" + std::to_string(++tests);
    broker_->CertificateOf(party_);
    registry_ = std::make_unique<FeedScript>(*broker_);
    WriteConfig(party_, true);
  }
  void TearDown() override { follower_.reset(); }  // before what its handler writes to

  static std::string In(const std::string& name) { return broker_->folder().In(name); }
  std::string Config() const { return In(party_ + ".json"); }
  std::string PositionPath() const { return In(party_ + ".position"); }
  FeedScript::Feed& feed() { return registry_->of(party_); }

  void WriteConfig(const std::string& certificate_of, bool acknowledge, int port = broker_->port()) const {
    const json config = {{"host", "127.0.0.1"},
                         {"port", port},
                         {"ca_file", In("ca.pem")},
                         {"cert_file", In(certificate_of + ".pem")},
                         {"party", party_},
                         {"key_file", In(certificate_of + ".key")},
                         {"acknowledge", acknowledge},
                         {"position_file", PositionPath()},
                         {"reply_seconds", 2}};
    broker_->folder().Write(party_ + ".json", config.dump());
  }
  Lines CommandOf(std::int64_t hold_at) const {
    const std::string number = std::to_string(hold_at);
    if (GetParam() == "python") return {"/usr/bin/python3", "-B", kHere + "/held.py", Config(), number};
    if (GetParam() == "javascript") return {"node", kHere + "/held.js", Config(), number};
    return {REGISTRY_BINARY_DIR "/bin/follow-held", Config(), number};
  }
  std::unique_ptr<lab::Process> Started(Told& told, std::int64_t hold_at = 0) const {
    lab::ProcessSpec spec;
    spec.name = "follower";
    spec.command = CommandOf(hold_at);
    spec.log_file = In(party_ + ".log");
    spec.on_line = [&told](const std::string& line) { told.Add(line); };
    spec.environment = {"PYTHONPATH=" + kSource + "/clients/follow", "FOLLOW=" + kSource + "/clients/follow",
                        "NODE_PATH=" + kSource + "/build/node/node_modules"};
    auto process = lab::Process::Start(std::move(spec));
    EXPECT_TRUE(process) << process.error().message;
    return process ? *std::move(process) : nullptr;
  }
  void Start(std::int64_t hold_at = 0) {
    follower_.reset();
    told_ = std::make_unique<Told>();
    follower_ = Started(*told_, hold_at);
    ASSERT_NE(follower_, nullptr);
  }
  void Kill() {
    follower_->Signal(SIGKILL);
    ASSERT_TRUE(follower_->WaitExit(10s));
  }
  bool UntilTold(const std::string& line) {
    return registry_->Until([&] { return told_->Has(line); });
  }
  std::string Log() const { return broker_->folder().Read(party_ + ".log"); }
  bool UntilLogged(const std::string& text) {
    return registry_->Until([&] { return Log().find(text) != std::string::npos; });
  }
  std::string Applied() const {
    const json kept = json::parse(broker_->folder().Read(party_ + ".position"), nullptr, false);
    return kept.is_object() ? kept.value("applied", "") : "";
  }
  bool UntilApplied(std::uint64_t seq) {
    return registry_->Until([&] { return Applied() == std::to_string(seq); });
  }

  static inline std::unique_ptr<Broker> broker_;
  std::string party_;
  std::unique_ptr<FeedScript> registry_;
  std::unique_ptr<Told> told_;
  std::unique_ptr<lab::Process> follower_;
};

TEST_P(Following, BeginsWithTheOldestAndAcknowledgesWhatIsStored) {
  feed().last = 250;
  feed().batches = true;
  Start();
  ASSERT_TRUE(registry_->Until([&] { return feed().acked == 250; })) << Log();
  EXPECT_EQ(told_->lines(), LinesOf(1, 250));
  EXPECT_EQ(Applied(), "250");
  EXPECT_EQ(feed().replays, std::vector<std::uint64_t>{1});
  EXPECT_EQ(std::filesystem::status(PositionPath()).permissions(), std::filesystem::perms(0600));

  EXPECT_TRUE(follower_->Stop());
  EXPECT_EQ(follower_->exit_status(), 0) << Log();
}

TEST_P(Following, TakesSingleMessagesAndBatchesAndDropsWhatItHas) {
  Start();
  ASSERT_TRUE(registry_->Until([&] { return feed().replays.size() == 1; })) << Log();
  registry_->Notify(party_, 1);
  registry_->NotifyBatch(party_, {FeedScript::Envelope(2), FeedScript::Envelope(3)}, 3);
  registry_->Notify(party_, 2);
  registry_->NotifyBatch(party_, {FeedScript::Envelope(3), FeedScript::Envelope(4), FeedScript::Envelope(4)},
                         4);
  registry_->Notify(party_, 5);
  ASSERT_TRUE(UntilTold(Line(5))) << Log();
  EXPECT_EQ(told_->lines(), LinesOf(1, 5));
  EXPECT_EQ(feed().replays.size(), 1u) << "nothing was missing";
}

TEST_P(Following, AsksForWhatIsMissingFromTheLastOneThatWasStored) {
  Start();
  ASSERT_TRUE(registry_->Until([&] { return feed().replays.size() == 1; })) << Log();
  registry_->Notify(party_, 1);
  registry_->Notify(party_, 4);
  registry_->Notify(party_, 6);
  ASSERT_TRUE(UntilTold(Line(6))) << Log();
  EXPECT_EQ(told_->lines(), LinesOf(1, 6));
  EXPECT_EQ(feed().replays, (std::vector<std::uint64_t>{1, 2}));
}

// Neither a reply nor what was asked for came.
TEST_P(Following, AsksAgainWhenNobodyAnswers) {
  feed().last = 3;
  feed().unanswered = 1;
  Start();
  ASSERT_TRUE(UntilTold(Line(3))) << Log();
  EXPECT_EQ(told_->lines(), LinesOf(1, 3));
  EXPECT_EQ(feed().replays, (std::vector<std::uint64_t>{1, 1}));
  EXPECT_NE(Log().find("no reply to feed.replay"), std::string::npos) << Log();
}

TEST_P(Following, WhatCannotBeReadCostsItselfOnly) {
  Start();
  ASSERT_TRUE(registry_->Until([&] { return feed().replays.size() == 1; })) << Log();
  registry_->Notify(party_, 1);
  registry_->Say(party_, "event/device.activated", "{\"specversion\":");
  registry_->Say(party_, "event/device.activated", "\xff\xfe");
  registry_->Say(party_, "batch", "[1, [], {}, null]");
  registry_->Say(party_, "batch", "[");
  registry_->Say(
      party_, "event/device.activated",
      R"({"specversion":"1.0","id":"x","source":"registry","type":"registry.v1.event.device.activated","data":{}})");
  registry_->NotifyBatch(party_, {FeedScript::Envelope(2), FeedScript::Odd("-2"), FeedScript::Envelope(3)},
                         3);
  ASSERT_TRUE(UntilTold(Line(3))) << Log();
  EXPECT_EQ(told_->lines(), LinesOf(1, 3));
  EXPECT_TRUE(UntilLogged("cannot be read")) << Log();
}

TEST_P(Following, KilledBetweenHandlingAndStoringItHandlesAgain) {
  feed().last = 2;
  Start(4);
  ASSERT_TRUE(UntilApplied(2)) << Log();
  for (std::uint64_t seq = 3; seq <= 5; ++seq) {
    registry_->Notify(party_, seq);
    if (seq == 3) {
      ASSERT_TRUE(UntilApplied(3)) << Log();
    }
  }
  ASSERT_TRUE(UntilTold(Line(4))) << Log();
  Kill();
  EXPECT_EQ(told_->lines(), LinesOf(1, 4));
  EXPECT_EQ(Applied(), "3");
  EXPECT_LE(feed().acked, 3u) << "what is not stored is not acknowledged";
  Start();
  ASSERT_TRUE(UntilTold(Line(5))) << Log();
  EXPECT_EQ(told_->lines(), LinesOf(4, 5));
  EXPECT_TRUE(registry_->Until([&] { return feed().acked == 5; })) << Log();
}

TEST_P(Following, AHandlerThatFailsEndsItAndIsAskedAgain) {
  feed().last = 4;
  feed().batches = true;
  Start(-3);
  ASSERT_TRUE(registry_->Until([&] { return !follower_->running(); })) << Log();
  EXPECT_NE(follower_->exit_status(), 0);
  EXPECT_TRUE(UntilLogged("the handler's disk is full")) << Log();
  EXPECT_EQ(Applied(), "2");
  Start();
  ASSERT_TRUE(UntilTold(Line(4))) << Log();
  EXPECT_EQ(told_->lines(), LinesOf(3, 4));
}

TEST_P(Following, ABrokerThatWasKilledCostsNothing) {
  feed().last = 1;
  Start();
  ASSERT_TRUE(UntilTold(Line(1))) << Log();
  broker_->Kill();
  feed().last = 4;  // nobody could be told
  ASSERT_TRUE(lab::WaitUntil([&] { return Log().find("again in") != std::string::npos; }, 20s)) << Log();
  broker_->Start();
  registry_->Connect();
  ASSERT_TRUE(UntilTold(Line(4))) << Log();
  registry_->Notify(party_, 5);
  ASSERT_TRUE(UntilTold(Line(5))) << Log();
  EXPECT_EQ(told_->lines(), LinesOf(1, 5));
}

TEST_P(Following, GoesOnAskingWhereAReplayEnds) {
  feed().last = 2300;
  feed().batches = true;
  feed().reply_first = true;
  Start();
  ASSERT_TRUE(UntilTold(Line(2300))) << Log();
  EXPECT_EQ(told_->lines(), LinesOf(1, 2300));
  EXPECT_EQ(feed().replays, (std::vector<std::uint64_t>{1, 1001, 2001}));
}

TEST_P(Following, MoreThanItKeepsBehindAGapIsAskedForAgain) {
  Start();
  ASSERT_TRUE(registry_->Until([&] { return feed().replays.size() == 1; })) << Log();
  feed().batches = true;
  for (std::uint64_t first = 2; first < 2302; first += 100) {
    Lines some;
    for (std::uint64_t seq = first; seq < first + 100; ++seq) some.push_back(FeedScript::Envelope(seq));
    registry_->NotifyBatch(party_, some, first + 99);
  }
  ASSERT_TRUE(UntilTold(Line(2301))) << Log();
  EXPECT_EQ(told_->lines(), LinesOf(1, 2301));
}

TEST_P(Following, SaysWhatIsGoneForGood) {
  feed().last = 9;
  feed().acked = 7;
  feed().forgets = true;
  Start();
  ASSERT_TRUE(UntilTold(Line(9))) << Log();
  EXPECT_EQ(told_->lines(), (Lines{"lost 1 7", Line(8), Line(9)}));
  ASSERT_TRUE(registry_->Until([&] { return feed().acked == 9; })) << Log();
  EXPECT_TRUE(follower_->Stop());
  std::filesystem::remove(PositionPath());
  Start();
  ASSERT_TRUE(UntilTold("lost 1 9")) << Log();
  registry_->Notify(party_, 10);
  ASSERT_TRUE(UntilTold(Line(10))) << Log();
}

TEST_P(Following, LeavesTheAcknowledgingToAnother) {
  feed().last = 2;
  WriteConfig(party_, false);
  Start();
  ASSERT_TRUE(UntilApplied(2)) << Log();
  registry_->Notify(party_, 4);  // a replay later an acknowledgement would have come
  ASSERT_TRUE(UntilTold(Line(4))) << Log();
  EXPECT_EQ(feed().replays.size(), 2u);
  EXPECT_EQ(feed().acked, 0u);
}

TEST_P(Following, EndsWhenItsPositionDoesNotFit) {
  const auto with = [&](const std::string& position, const std::string& why) {
    broker_->folder().Write(party_ + ".position", position);
    Start();
    ASSERT_TRUE(registry_->Until([&] { return !follower_->running(); })) << why << Log();
    EXPECT_NE(follower_->exit_status(), 0) << why;
    EXPECT_TRUE(UntilLogged(why)) << Log();
    EXPECT_EQ(broker_->folder().Read(party_ + ".position"), position) << "it is left as it was";
  };
  feed().last = 3;
  const json kept = {{"party", party_}, {"clientId", party_ + "-4711"}, {"applied", "5"}};
  with(kept.dump(), "refused: " + PositionPath() + " says 5, and the registry's feed has not come that far");
  json another = kept;
  another["party"] = "asp-x";
  with(another.dump(), "is the position of asp-x, not of " + party_);
  with("{\"party\":", "is no position file");
  EXPECT_TRUE(told_->lines().empty());
}

TEST_P(Following, SuspectsAnotherProgramOfHavingItsClientId) {
  feed().last = 1;
  Start();
  ASSERT_TRUE(UntilTold(Line(1))) << Log();
  Told other_told;
  const auto other = Started(other_told);
  ASSERT_NE(other, nullptr);
  EXPECT_TRUE(UntilLogged("; has another program the client id in " + PositionPath() + "?")) << Log();
}

// What this Mosquitto does not say. With a Reason String (§3.14.2.2.3), for Paho's client in Python reads no reason without
// a property.
TEST_P(Following, EndsWhenTheBrokerSaysThatAnotherProgramHasItsClientId) {
  BrokerScript script;
  script.packet_max = 1;  // any PUBLISH, and the first is feed.replay
  script.disconnect = std::string("\xe0\x06\x8e\x04\x1f\0\1x", 8);
  const ScriptedBroker scripted(broker_->folder(), script);
  WriteConfig(party_, true, scripted.port());
  Start();
  ASSERT_TRUE(follower_->WaitExit(20s)) << Log();
  EXPECT_NE(follower_->exit_status(), 0);
  EXPECT_TRUE(UntilLogged("refused: another program connected with the client id in " + PositionPath()))
      << Log();
}

TEST_P(Following, SaysThatItsSubscriptionIsRefused) {
  BrokerScript script;
  script.granted = 0x87;
  const ScriptedBroker scripted(broker_->folder(), script);
  WriteConfig(party_, true, scripted.port());
  Start();
  EXPECT_TRUE(UntilLogged("subscription")) << Log();
  EXPECT_TRUE(UntilLogged("again in")) << Log();
  EXPECT_EQ(scripted.publishes(), 0);
  EXPECT_TRUE(follower_->Stop());
}

TEST_P(Following, SaysThatItIsRefusedAndGoesOnTrying) {
  const Broker stranger;  // another interface CA
  for (const char* end : {".pem", ".key"}) {
    std::filesystem::copy_file(stranger.folder().In(std::string("broker") + end),
                               In("stranger" + party_ + end));
  }
  WriteConfig("stranger" + party_, true);
  feed().last = 1;
  Start();
  ASSERT_TRUE(UntilLogged("127.0.0.1:" + std::to_string(broker_->port()) + ": ")) << Log();
  ASSERT_TRUE(UntilLogged("again in")) << Log();
  EXPECT_TRUE(follower_->running());
  EXPECT_TRUE(told_->lines().empty());
  EXPECT_TRUE(follower_->Stop());

  WriteConfig("nobody", true);
  Start();
  ASSERT_TRUE(registry_->Until([&] { return !follower_->running(); })) << Log();
  EXPECT_TRUE(UntilLogged("refused: ")) << Log();
}

INSTANTIATE_TEST_SUITE_P(In, Following, testing::ValuesIn(Languages()),
                         [](const testing::TestParamInfo<std::string>& language) { return language.param; });

}  // namespace
}  // namespace registry::test
