// What waits for a party that takes batches travels together, and the relay's promises hold for it as for single messages.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <set>

#include "tests/unit/bridge/outbox/relay_fixture.h"

namespace registry::outbox {
namespace {

class BatchingTest : public RelayTest {
 protected:
  // Of the form the registry gives its own, so that they may travel together.
  void SayEnvelopes(int count) {
    for (int i = 0; i < count; ++i) {
      domain::Changeset changes;
      changes.messages.push_back({"registry/v1/to/mno-a/feed.ack/accepted", EnvelopeOf(said_++), ""});
      ASSERT_TRUE(ledger_->Commit(std::move(changes)).ok());
    }
  }
  static std::string EnvelopeOf(int number) {
    return R"({"id":")" + std::to_string(number) + R"(","type":"registry.v1.feed.ack.accepted"})";
  }
  std::unique_ptr<MqttRelay> Batching() {
    RelayOptions options = Options();
    options.takes_batches = {*PartyId::Parse("mno-a")};
    return std::make_unique<MqttRelay>(*ledger_, publisher_, options);
  }
  // The numbers that were carried, in order, whether alone or in batches.
  std::vector<int> CarriedNumbers() {
    std::vector<int> numbers;
    for (const std::string& payload : publisher_.carried()) {
      const auto whole = nlohmann::json::parse(payload);
      for (const auto& each : whole.is_array() ? whole : nlohmann::json::array({whole})) {
        numbers.push_back(std::stoi(each.at("id").get<std::string>()));
      }
    }
    return numbers;
  }
};

TEST_F(BatchingTest, WhatHasPiledUpTravelsTogetherAndIsConfirmedTogether) {
  SayEnvelopes(250);
  auto relay = Batching();
  relay->Start();
  ASSERT_TRUE(publisher_.WaitUntilCarried(2));
  EXPECT_EQ(relay->Depth(), 250u);
  publisher_.StartAnswering(1, 1 << 30);
  ASSERT_TRUE(WaitUntilEmpty(*relay));
  EXPECT_LE(publisher_.carried().size(), 4u);
  const auto numbers = CarriedNumbers();
  ASSERT_EQ(numbers.size(), 250u);
  EXPECT_TRUE(std::is_sorted(numbers.begin(), numbers.end()));
  EXPECT_EQ(relay->batched().entries, 250u);
  relay->Stop();
  EXPECT_EQ(Cursor(), 250u);
}

TEST_F(BatchingTest, WhoTakesBatchesIsChangedWhileItRuns) {
  MqttRelay relay(*ledger_, publisher_, Options());
  relay.ChangeBatches({*PartyId::Parse("mno-a")});
  SayEnvelopes(50);
  relay.Start();
  publisher_.StartAnswering(1, 1 << 30);
  ASSERT_TRUE(WaitUntilEmpty(relay));
  EXPECT_EQ(relay.batched().entries, 50u);
  relay.ChangeBatches({});
  SayEnvelopes(50);
  ASSERT_TRUE(WaitUntilEmpty(relay));
  EXPECT_EQ(relay.batched().entries, 50u) << "each alone again";
  EXPECT_EQ(CarriedNumbers().size(), 100u);
  relay.Stop();
}

// Two are out, unanswered: what comes meanwhile waits and leaves in one.
TEST_F(BatchingTest, WhatComesWhileTwoMessagesAreOutPilesUp) {
  auto relay = Batching();
  relay->Start();
  SayEnvelopes(1);
  ASSERT_TRUE(publisher_.WaitUntilCarried(1));
  SayEnvelopes(1);
  ASSERT_TRUE(publisher_.WaitUntilCarried(2));
  SayEnvelopes(50);
  publisher_.AnswerAll(true);
  ASSERT_TRUE(publisher_.WaitUntilCarried(3));
  publisher_.AnswerAll(true);
  ASSERT_TRUE(WaitUntilEmpty(*relay));
  EXPECT_EQ(publisher_.carried()[0], EnvelopeOf(0)) << "alone it stays single";
  EXPECT_EQ(publisher_.carried().size(), 3u);
  EXPECT_EQ(CarriedNumbers().size(), 52u);
}

TEST_F(BatchingTest, ABatchThatIsRefusedComesApartAndOnlyTheGuiltyEntryIsBuried) {
  for (const Fate fate : {Fate::kRefused, Fate::kImpossible}) {
    SayEnvelopes(5);
    publisher_.Doom(EnvelopeOf(said_ - 3), fate);
    std::string whole = "[";
    for (int i = said_ - 5; i < said_; ++i) whole += (i == said_ - 5 ? "" : ",") + EnvelopeOf(i);
    publisher_.Doom(whole + "]", fate);
    auto relay = Batching();
    relay->Start();
    ASSERT_TRUE(WaitUntilEmpty(*relay));
  }
  const auto letters = *ledger_->DeadLettersAfter(0, 10);
  ASSERT_EQ(letters.size(), 2u);
  EXPECT_EQ(letters[0].second.topic, "registry/v1/to/mno-a/feed.ack/accepted");
  const auto numbers = CarriedNumbers();
  EXPECT_EQ(std::set<int>(numbers.begin(), numbers.end()), (std::set<int>{0, 1, 3, 4, 5, 6, 8, 9}));
}

TEST_F(BatchingTest, BatchesSurviveWhateverTheBrokerDoes) {
  auto relay = Batching();
  publisher_.StartAnswering(20261129, 5);
  relay->Start();
  SayEnvelopes(2000);
  ASSERT_TRUE(WaitUntilEmpty(*relay));
  relay->Stop();
  publisher_.StopAnswering();
  // A number that was seen may come again, but none comes before all that stand before it have come once.
  int next = 0;
  for (const int number : CarriedNumbers()) {
    EXPECT_LE(number, next);
    if (number == next) ++next;
  }
  EXPECT_EQ(next, 2000);
}

}  // namespace
}  // namespace registry::outbox
