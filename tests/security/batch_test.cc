// Batches as a stranger sends them: through the real broker to the real registry.
#include "schemas/wire/batch.h"

#include <gmock/gmock.h>

#include <chrono>
#include <map>
#include <set>

#include "tests/security/interface_lab.h"
#include "tests/support/contract.h"

namespace registry::test {
namespace {

using nlohmann::json;
using std::chrono::seconds;

class Batches : public Interface {
 protected:
  static std::string Ack(const std::string& id) { return Command("mno-a", "feed.ack", {{"seq", 0}}, id); }
  static std::string Together(const std::vector<std::string>& items) {
    wire::BatchWriter writer;
    for (const std::string& item : items) writer.Add(item);
    return std::move(writer).Take();
  }
  int Send(const std::string& payload) {
    return client_.PublishWith("registry/v1/from/mno-a/batch", payload, std::string(wire::kBatchContentType),
                               {});
  }
  void SetUp() override { ASSERT_TRUE(client_.Subscribe("registry/v1/to/mno-a/#")); }
  // The next answers, by cause; what each says.
  std::map<std::string, std::string> Answers(std::size_t count) {
    std::map<std::string, std::string> answers;
    for (std::size_t i = 0; i < count; ++i) {
      const auto heard = client_.Next(seconds(20));
      if (!heard) break;
      ExpectContract(heard->payload);
      const json said = json::parse(heard->payload);
      answers[said.value("cause", "none")] = said.at("data").value("symbol", "accepted");
    }
    return answers;
  }
  // Nothing else was said: the broker keeps the order.
  void ExpectNoMore() {
    const std::string id = NewId();
    client_.Publish("registry/v1/from/mno-a/feed.ack", Ack(id));
    EXPECT_EQ(Answers(1), (std::map<std::string, std::string>{{id, "accepted"}}));
  }

  RawMqtt client_{As("mno-a", "-batch")};
};

TEST_F(Batches, AThousandAreAnsweredOneByOne) {
  std::vector<std::string> items;
  std::map<std::string, std::string> expected;
  for (std::size_t i = 0; i < wire::kBatchItemsMax; ++i) {
    const std::string id = NewId();
    items.push_back(Ack(id));
    expected[id] = "accepted";
  }
  ASSERT_EQ(Send(Together(items)), 0);
  EXPECT_EQ(Answers(items.size()), expected);
  items.push_back(Ack(NewId()));
  ASSERT_EQ(Send(Together(items)), 0);
  EXPECT_EQ(Answers(1), (std::map<std::string, std::string>{{"none", "batch_too_long"}}));
  ExpectNoMore();
}

TEST_F(Batches, OneBadItemInTheMiddleIsItsOwnTrouble) {
  const std::string first = NewId(), foreign = NewId(), last = NewId();
  const std::string other = Command("mno-b", "feed.ack", {{"seq", 0}}, foreign);
  ASSERT_EQ(Send(Together({Ack(first), other, Ack(last)})), 0);
  EXPECT_EQ(Answers(3), (std::map<std::string, std::string>{
                            {first, "accepted"}, {foreign, "source_mismatch"}, {last, "accepted"}}));
  ExpectNoMore();
}

TEST_F(Batches, TheSameIdTwiceIsExecutedOnceAndAnsweredTwice) {
  const std::string id = NewId();
  ASSERT_EQ(Send(Together({Ack(id), Ack(id)})), 0);
  const auto first = client_.Next(seconds(20)), second = client_.Next(seconds(20));
  ASSERT_TRUE(first && second);
  EXPECT_EQ(first->payload, second->payload);
  EXPECT_EQ(first->topic, "registry/v1/to/mno-a/feed.ack/accepted");
  ExpectNoMore();
}

TEST_F(Batches, WhatIsNoneIsRefusedOnce) {
  const std::string one = Together({Ack(NewId())});
  const std::pair<std::string, std::string> cases[] = {
      {"[]", "batch_empty"},
      {"{}", "not_an_array"},
      {"[" + Ack(NewId()), "bad_json"},
      {one + std::string(wire::kBatchOctetsMax + 1 - one.size(), ' '), "batch_too_large"}};
  for (const auto& [payload, symbol] : cases) {
    ASSERT_EQ(Send(payload), 0);
    const auto heard = client_.Next(seconds(20));
    ASSERT_TRUE(heard) << symbol;
    EXPECT_EQ(heard->topic, "registry/v1/to/mno-a/batch/rejected");
    EXPECT_EQ(json::parse(heard->payload).at("data").at("symbol"), symbol);
  }
  ASSERT_EQ(Send(one + std::string(wire::kBatchOctetsMax - one.size(), ' ')), 0);
  const auto heard = client_.Next(seconds(20));
  ASSERT_TRUE(heard);
  EXPECT_EQ(heard->topic, "registry/v1/to/mno-a/feed.ack/accepted") << "one mebibyte is still a batch";
  ExpectNoMore();
}

}  // namespace
}  // namespace registry::test
