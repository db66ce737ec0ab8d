// What reaches a party that takes batches, and one that does not, through the real broker.
#include <gtest/gtest.h>

#include "bridge/outbox/relay.h"
#include "schemas/wire/batch.h"
#include "schemas/wire/envelope.h"
#include "schemas/wire/topics.h"
#include "simulators/lab/probe.h"
#include "tests/integration/mqtt/broker.h"

namespace registry::test {
namespace {

using namespace std::chrono_literals;

class BatchesToParties : public testing::Test {
 protected:
  void SetUp() override {
    session_.Start();
    ASSERT_TRUE(lab::WaitUntil([&] { return session_.connected(); }, 15s));
  }
  void Say(const std::string& party, int count) {
    for (int i = 0; i < count; ++i) {
      wire::Envelope envelope;
      envelope.id = *EventId::Parse(std::to_string(said_[party]++));
      envelope.source = "registry";
      envelope.type = wire::AcceptedType("feed.ack");
      envelope.data = nlohmann::json::object();
      domain::Changeset changes;
      changes.messages.push_back(
          {wire::AcceptedTopic(*PartyId::Parse(party), "feed.ack"), wire::EncodeEnvelope(envelope), ""});
      ASSERT_TRUE(ledger_->Commit(std::move(changes)).ok());
    }
  }
  std::unique_ptr<outbox::MqttRelay> Relay() {
    outbox::RelayOptions options;
    options.retry_after = 20ms;
    options.takes_batches = {*PartyId::Parse("mno-a")};
    return std::make_unique<outbox::MqttRelay>(*ledger_, session_, options);
  }
  // The ids that come next until there are `count`, and how many of the messages were batches.
  struct Heard {
    std::vector<int> ids;
    int messages = 0, batches = 0;
  };
  static Heard Listen(RawMqtt& party, std::size_t count) {
    Heard heard;
    while (heard.ids.size() < count) {
      const auto message = party.Next(20s);
      if (!message) break;
      ++heard.messages;
      const bool batch = message->topic.ends_with("/batch");
      const auto items =
          batch ? *wire::SplitBatch(message->payload) : std::vector<std::string_view>{message->payload};
      if (batch) ++heard.batches;
      for (const auto item : items) heard.ids.push_back(std::stoi(wire::DecodeEnvelope(item)->id.text()));
    }
    return heard;
  }
  static std::vector<int> Numbers(int end) {
    std::vector<int> numbers;
    for (int i = 0; i < end; ++i) numbers.push_back(i);
    return numbers;
  }

  Broker broker_;
  std::unique_ptr<ledger::Ledger> ledger_ = ledger::OpenMemoryLedger();
  mqtt::Session session_{broker_.ForRegistry(), [](const ingest::InboundMessage&) {}};
  std::map<std::string, int> said_;
};

TEST_F(BatchesToParties, OneTakesThemAndTheOtherNeverSeesOne) {
  RawMqtt taker(broker_.ForParty("mno-a")), other(broker_.ForParty("asp-a"));
  ASSERT_TRUE(taker.Subscribe("registry/v1/to/mno-a/#"));
  ASSERT_TRUE(other.Subscribe("registry/v1/to/asp-a/#"));
  for (int i = 0; i < 150; ++i) {
    Say("mno-a", 1);
    Say("asp-a", 1);
  }
  const auto relay = Relay();
  relay->Start();
  const Heard by_taker = Listen(taker, 150), by_other = Listen(other, 150);
  EXPECT_EQ(by_taker.ids, Numbers(150));
  EXPECT_GE(by_taker.batches, 2);
  EXPECT_LE(by_taker.messages, 10);
  EXPECT_EQ(by_other.ids, Numbers(150));
  EXPECT_EQ(by_other.batches, 0);
  ASSERT_TRUE(lab::WaitUntil([&] { return relay->Depth() == 0; }, 10s));
  relay->Stop();
}

TEST_F(BatchesToParties, OrderIsKeptOverSingleOnesAndBatches) {
  RawMqtt taker(broker_.ForParty("mno-a"));
  ASSERT_TRUE(taker.Subscribe("registry/v1/to/mno-a/#"));
  const auto relay = Relay();
  relay->Start();
  for (int round = 1; round <= 40; ++round) Say("mno-a", round);
  EXPECT_EQ(Listen(taker, 820).ids, Numbers(820));
  relay->Stop();
}

TEST_F(BatchesToParties, NothingIsLostAlthoughTheBrokerIsKilled) {
  const auto relay = Relay();
  relay->Start();
  for (std::uint64_t round = 0; round < 2; ++round) {
    ASSERT_TRUE(lab::WaitUntil([&] { return session_.connected() && session_.reconnects() >= round; }, 15s));
    Say("mno-a", 500);
    broker_.Kill();
    Say("mno-a", 500);
    broker_.Start();
  }
  ASSERT_TRUE(lab::WaitUntil([&] { return relay->Depth() == 0; }, 60s)) << relay->Depth();
  relay->Stop();
  EXPECT_EQ(ledger_->LoadSink(ledger::Sink::kMqtt)->cursor, *ledger_->OutboxLast(ledger::Sink::kMqtt));
}

}  // namespace
}  // namespace registry::test
