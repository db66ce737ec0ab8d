// What waits to be said leaves together, in order, and what can leave at once does.
#include "simulators/mqtt/outgoing.h"

#include <gtest/gtest.h>

#include "schemas/wire/batch.h"

namespace registry::sim {
namespace {

struct Sent {
  std::string topic;
  std::vector<std::string> payloads;
};

class OutgoingTest : public testing::Test {
 protected:
  Outgoing Make(bool batches) {
    return Outgoing(batches, "from/batch",
                    [this](const std::string& topic, const std::string& payload, bool batch) {
                      if (!connected_) return false;
                      Sent sent{topic, {}};
                      if (batch) {
                        for (const auto item : *wire::SplitBatch(payload)) sent.payloads.emplace_back(item);
                      } else {
                        sent.payloads.push_back(payload);
                      }
                      sent_.push_back(std::move(sent));
                      return true;
                    });
  }
  static void Say(Outgoing& outgoing, int from, int to) {
    for (int i = from; i < to; ++i) outgoing.Say({"from/x", std::to_string(i)});
  }
  std::vector<std::size_t> Sizes() const {
    std::vector<std::size_t> sizes;
    for (const Sent& each : sent_) sizes.push_back(each.payloads.size());
    return sizes;
  }

  bool connected_ = true;
  std::vector<Sent> sent_;
};

TEST_F(OutgoingTest, WithFewOutAMessageLeavesAtOnceAndTheRestPilesUp) {
  Outgoing outgoing = Make(true);
  Say(outgoing, 0, 250);
  EXPECT_EQ(Sizes(), (std::vector<std::size_t>{1, 1}));
  for (int i = 0; i < 5; ++i) outgoing.Confirmed();
  EXPECT_EQ(Sizes(), (std::vector<std::size_t>{1, 1, 100, 100, 48}));
  EXPECT_EQ(sent_[0].topic, "from/x");
  EXPECT_EQ(sent_[2].topic, "from/batch");
  int next = 0;
  for (const Sent& each : sent_) {
    for (const std::string& payload : each.payloads) EXPECT_EQ(payload, std::to_string(next++));
  }
  EXPECT_EQ(next, 250);
}

TEST_F(OutgoingTest, OneThatWaitsAloneIsNoBatch) {
  Outgoing outgoing = Make(true);
  Say(outgoing, 0, 3);
  outgoing.Confirmed();
  ASSERT_EQ(sent_.size(), 3u);
  EXPECT_EQ(sent_[2].topic, "from/x");
}

TEST_F(OutgoingTest, WithoutBatchesNothingWaits) {
  Outgoing outgoing = Make(false);
  Say(outgoing, 0, 50);
  EXPECT_EQ(Sizes(), std::vector<std::size_t>(50, 1));
}

TEST_F(OutgoingTest, ANewConnectionBeginsWithNothingOut) {
  Outgoing outgoing = Make(true);
  Say(outgoing, 0, 10);
  connected_ = false;
  outgoing.Forget();
  Say(outgoing, 10, 20);
  EXPECT_EQ(sent_.size(), 2u);
  connected_ = true;
  Say(outgoing, 20, 21);
  ASSERT_EQ(sent_.size(), 3u);
  EXPECT_EQ(sent_[2].payloads, std::vector<std::string>{"20"});
  for (int i = 0; i < 9; ++i) outgoing.Confirmed();
  Say(outgoing, 21, 22);
  EXPECT_EQ(sent_.size(), 4u) << "confirmations of what was forgotten count for nothing";
}

}  // namespace
}  // namespace registry::sim
