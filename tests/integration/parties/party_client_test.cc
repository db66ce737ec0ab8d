// A party's client on a real Mosquitto, against a registry that keeps silent, repeats itself or comes back late.
#include <gmock/gmock.h>

#include <future>
#include <set>

#include "simulators/mqtt/client.h"
#include "tests/integration/parties/scripted_registry.h"

namespace registry::test {
namespace {

using nlohmann::json;
using sim::PartyClient;
using sim::Reply;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr const char* kDevice = "0b5e4c1e-8f0a-4c39-9a51-2b1f3c4d5e6f";

class PartyClientTest : public testing::Test {
 protected:
  sim::ClientOptions Options(const std::string& party) {
    sim::ClientOptions options;
    options.port = broker_.port();
    options.ca_file = broker_.folder().In("ca.pem");
    options.certificate_file = broker_.CertificateOf(party);
    options.key_file = broker_.KeyOf(party);
    options.party = party;
    return options;
  }
  std::unique_ptr<PartyClient> Connect(const sim::ClientOptions& options,
                                       PartyClient::OnEvent on_event = {}) {
    auto client = PartyClient::Open(options, {}, std::move(on_event));
    EXPECT_TRUE(client.ok());
    EXPECT_TRUE((*client)->WaitConnected(seconds(20)));
    return std::move(*client);
  }
  static std::future<Reply> Attach(PartyClient& client) {
    auto promise = std::make_shared<std::promise<Reply>>();
    auto future = promise->get_future();
    EXPECT_TRUE(client.Send(wire::DeviceAttach{DeviceId::Parse(kDevice).value()},
                            [promise](const Reply& reply) { promise->set_value(reply); }));
    return future;
  }
  static bool Ready(std::future<Reply>& reply) {
    return reply.wait_for(seconds(20)) == std::future_status::ready;
  }

  Broker broker_;
};

TEST_F(PartyClientTest, ACommandGetsItsOwnAnswer) {
  ScriptedRegistry registry(broker_);
  auto client = Connect(Options("mno-a"));
  auto good = Attach(*client);
  const auto first = registry.Next();
  auto bad = Attach(*client);
  auto second = registry.Next();
  // On a slow machine the first command is repeated before the second arrives.
  while (first && second && second->envelope.id == first->envelope.id) second = registry.Next();
  ASSERT_TRUE(first && second);
  EXPECT_EQ(first->party.text(), "mno-a");
  EXPECT_EQ(first->envelope.source, "mno-a");
  EXPECT_TRUE(wire::CheckCommandType(first->envelope, "device.attach").ok());
  registry.Reject(*second, Error::Make(Code::kNotFound, "device_unknown", "no such device", "/device"));
  registry.Accept(*first, {{"device", kDevice}, {"state", "attached"}});
  ASSERT_TRUE(Ready(good) && Ready(bad));
  const Reply accepted = good.get(), rejected = bad.get();
  EXPECT_TRUE(accepted.accepted);
  EXPECT_EQ(accepted.data["state"], "attached");
  EXPECT_FALSE(rejected.accepted);
  EXPECT_EQ(rejected.error->symbol, "device_unknown");
}

// A copy that came earlier may still wait at the registry: under another id the command would be decided twice.
TEST_F(PartyClientTest, ACommandThatWasNotLookedAtIsSaidAgainUnderItsId) {
  ScriptedRegistry registry(broker_);
  auto options = Options("mno-a");
  options.repeat_after = milliseconds(300);
  auto client = Connect(options);
  auto reply = Attach(*client);
  const auto first = registry.Next();
  ASSERT_TRUE(first.has_value());
  registry.Reject(*first, Error::Make(Code::kLimit, "too_busy", "later"));
  const auto second = registry.Next();
  ASSERT_TRUE(second.has_value());
  EXPECT_EQ(second->payload, first->payload);
  registry.Reject(*second, Error::Make(Code::kFailed, "disk_nearly_full", "later"));
  const auto third = registry.Next();
  ASSERT_TRUE(third.has_value());
  EXPECT_EQ(third->payload, first->payload);
  registry.Accept(*third, {{"device", kDevice}, {"state", "attached"}});
  ASSERT_TRUE(Ready(reply));
  EXPECT_TRUE(reply.get().accepted);
}

TEST_F(PartyClientTest, AnUnansweredCommandIsRepeatedByteForByteAndInTheEndGivenUp) {
  ScriptedRegistry registry(broker_);
  auto options = Options("mno-a");
  options.repeat_after = milliseconds(300);
  options.give_up_after = milliseconds(1200);
  auto client = Connect(options);
  auto reply = Attach(*client);
  const auto first = registry.Next(), second = registry.Next(), third = registry.Next();
  ASSERT_TRUE(first && second && third);
  EXPECT_EQ(first->payload, second->payload);
  EXPECT_EQ(first->payload, third->payload);
  ASSERT_TRUE(Ready(reply));
  EXPECT_EQ(reply.get().error->symbol, "no_reply");
}

// What is said again after a connect is what was said before it: nothing goes out twice at the start.
TEST_F(PartyClientTest, WhatIsSaidOnceConnectedIsSaidOnce) {
  ScriptedRegistry registry(broker_);
  auto options = Options("mno-a");
  options.repeat_after = seconds(60);
  constexpr int kRounds = 10;
  for (int round = 0; round < kRounds; ++round) {
    options.client_id = "mno-a:" + std::to_string(round);
    auto client = Connect(options);
    std::vector<std::future<Reply>> replies;
    for (int i = 0; i < 20; ++i) replies.push_back(Attach(*client));
    std::set<std::string> ids;
    for (int i = 0; i < 20; ++i) {
      const auto heard = registry.Next();
      ASSERT_TRUE(heard.has_value());
      EXPECT_TRUE(ids.insert(heard->envelope.id.text()).second) << "round " << round << ", message " << i;
    }
  }
}

TEST_F(PartyClientTest, ACommandOutlivesTheBroker) {
  auto client = Connect(Options("mno-a"));
  broker_.Kill();
  auto reply = Attach(*client);
  broker_.Start();
  ScriptedRegistry registry(broker_);
  const auto heard = registry.Next();
  ASSERT_TRUE(heard.has_value());
  registry.Accept(*heard, {{"device", kDevice}, {"state", "attached"}});
  ASSERT_TRUE(Ready(reply));
  EXPECT_TRUE(reply.get().accepted);
}

TEST_F(PartyClientTest, ANotificationIsHandedOnOncePerPosition) {
  ScriptedRegistry registry(broker_);
  std::mutex mutex;
  std::vector<std::uint64_t> seen;
  std::promise<void> last;
  auto client = Connect(Options("asp-a"), [&](const std::string& type, const wire::Envelope& said) {
    const std::lock_guard lock(mutex);
    EXPECT_EQ(type, "device.deleted");
    seen.push_back(*said.seq);
    if (*said.seq == 9) last.set_value();
  });
  for (const std::uint64_t seq : {1, 2, 2, 4, 3, 1, 4, 9}) {
    registry.Notify("asp-a", "device.deleted", seq, {{"device", kDevice}});
  }
  ASSERT_EQ(last.get_future().wait_for(seconds(20)), std::future_status::ready);
  const std::lock_guard lock(mutex);
  EXPECT_THAT(seen, testing::ElementsAre(1, 2, 4, 3, 9));
}

// MQTT 5 §3.9.3: granted less than was asked for, replies would be lost without a word.
TEST_F(PartyClientTest, ASubscriptionAtQosZeroIsNotConnected) {
  broker_.Reconfigure("max_qos 0");
  auto client = PartyClient::Open(Options("mno-a"), {}, {});
  ASSERT_TRUE(client.ok());
  EXPECT_FALSE((*client)->WaitConnected(milliseconds(700)));
  broker_.Reconfigure("max_qos 1");
  EXPECT_TRUE((*client)->WaitConnected(seconds(20)));
}

// MQTT 5 §3.2.2.3.3 and §3.2.2.3.14: libmosquitto obeys both, and nothing is held back for long.
TEST_F(PartyClientTest, ASmallWindowAndAShortKeepAliveAreObeyed) {
  broker_.Reconfigure("max_inflight_messages 3");
  broker_.Reconfigure("max_keepalive 10");
  ScriptedRegistry registry(broker_);
  auto client = Connect(Options("mno-a"));
  std::vector<std::future<Reply>> replies;
  for (int i = 0; i < 50; ++i) replies.push_back(Attach(*client));
  for (int i = 0; i < 50; ++i) {
    const auto heard = registry.Next();
    ASSERT_TRUE(heard.has_value());
    registry.Accept(*heard, {{"device", kDevice}, {"state", "attached"}});
  }
  for (auto& reply : replies) {
    ASSERT_TRUE(Ready(reply));
    EXPECT_TRUE(reply.get().accepted);
  }
}

TEST_F(PartyClientTest, AForeignCertificateNeverConnects) {
  Broker other;
  auto options = Options("mno-a");
  options.certificate_file = other.CertificateOf("mno-a");
  options.key_file = other.KeyOf("mno-a");
  auto client = PartyClient::Open(options, {}, {});
  ASSERT_TRUE(client.ok());
  EXPECT_FALSE((*client)->WaitConnected(milliseconds(700)));
  options.key_file = "no-such-file";
  EXPECT_FALSE(PartyClient::Open(options, {}, {}).ok());
}

}  // namespace
}  // namespace registry::test
