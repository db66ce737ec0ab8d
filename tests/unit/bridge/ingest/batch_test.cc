// Batches of commands through the real pipeline: each item is admitted, decided and answered as if it had come alone.
#include "bridge/ingest/batch.h"

#include <gtest/gtest.h>

#include <future>
#include <set>

#include "schemas/wire/batch.h"
#include "tests/support/commands.h"
#include "tests/support/faulty_ledger.h"
#include "tests/support/test_registry.h"

namespace registry::test {
namespace {

using nlohmann::json;

ingest::InboundMessage Octets(const std::string& party, const std::string& payload) {
  auto message = Raw(party, "batch", payload);
  message.mode = wire::ContentMode::kBatch;
  return message;
}

ingest::InboundMessage Batch(const std::string& party, const std::vector<json>& items) {
  return Octets(party, json(items).dump());
}

json Ack(const std::string& party, const std::string& id) {
  return Command(party, "feed.ack", id, {{"seq", 0}});
}

json Register(const std::string& id, std::uint64_t number) {
  return Command("mno-a", "esim.register", id, {{"eid", EidOf(number)}, {"iccid", IccidOf(number)}});
}

std::vector<std::string> CausesOf(const std::vector<Said>& said) {
  std::vector<std::string> causes;
  for (const Said& each : said) causes.push_back(each.envelope.value("cause", "none"));
  return causes;
}

TEST(Batch, EachItemIsAnsweredOnItsOwnCommandsTopic) {
  TestRegistry registry;
  registry.Send(Batch("mno-a", {Register("1", 1), Ack("mno-a", "2"), Register("3", 3)}));
  ASSERT_TRUE(registry.Counted("accepted", 3));
  EXPECT_EQ(CausesOf(registry.Heard("registry/v1/to/mno-a/feed.ack/accepted")),
            std::vector<std::string>{"2"});
  const auto causes = CausesOf(registry.Heard("registry/v1/to/mno-a/esim.register/accepted"));
  EXPECT_EQ(std::set<std::string>(causes.begin(), causes.end()), (std::set<std::string>{"1", "3"}));
}

TEST(Batch, OneDevicesCommandsKeepTheirOrderAcrossBatchesAndSingleOnes) {
  TestRegistry registry(8);
  const std::string device = "0b2f4a52-9a6e-4a5b-8f5e-3f1d2c4b5a69";
  const auto attach = [&](int id) {
    return Command("mno-a", "device.attach", std::to_string(id), {{"device", device}});
  };
  int next = 0;
  for (int round = 0; round < 20; ++round) {
    std::vector<json> items;
    for (int i = 0; i < 20; ++i) items.push_back(attach(next++));
    registry.Send(Batch("mno-a", items));
    registry.Send(Raw("mno-a", "device.attach", attach(next++).dump()));
  }
  EXPECT_TRUE(registry.Counted("rejected", static_cast<std::uint64_t>(next)));
  int heard = 0;
  for (const std::string& cause : CausesOf(registry.Heard("registry/v1/to/mno-a/device.attach"))) {
    EXPECT_EQ(cause, std::to_string(heard++));
  }
  EXPECT_EQ(heard, next);
}

TEST(Batch, ABadItemInTheMiddleCostsTheOthersNothing) {
  TestRegistry registry;
  json foreign = Ack("mno-b", "foreign");
  json nameless = Ack("mno-a", "nameless");
  nameless["type"] = "registry.v1.Feed";
  json unknown = Ack("mno-a", "unknown");
  unknown["type"] = "registry.v1.feed.eat";
  json nested = Ack("mno-a", "nested");
  nested["type"] = "registry.v1.batch";
  registry.Send(Octets("mno-a", "[" + Ack("mno-a", "1").dump() + ",{\"id\":\"broken\",\"x\":tru}," +
                                    foreign.dump() + "," + nameless.dump() + "," + unknown.dump() + "," +
                                    nested.dump() + ",[7],{}," + Ack("mno-a", "2").dump() + "]"));
  EXPECT_TRUE(registry.Counted("accepted", 2));
  EXPECT_TRUE(registry.Counted("rejected", 7));
  EXPECT_EQ(registry.Heard("registry/v1/to/mno-a/feed.ack/accepted").size(), 2u);
  std::map<std::string, std::string> symbols;
  std::map<std::string, std::string> fields;
  for (const Said& said : registry.Heard("registry/v1/to/mno-a/")) {
    if (said.accepted()) continue;
    const std::string key = said.envelope.value("cause", said.data().value("field", ""));
    symbols[key] = said.symbol() + " " + said.topic.substr(std::string("registry/v1/to/mno-a/").size());
  }
  EXPECT_EQ(symbols, (std::map<std::string, std::string>{{"/1", "bad_json rejected"},
                                                         {"foreign", "source_mismatch feed.ack/rejected"},
                                                         {"nameless", "type_mismatch rejected"},
                                                         {"unknown", "unknown_command feed.eat/rejected"},
                                                         {"nested", "type_mismatch rejected"},
                                                         {"/6", "not_an_object rejected"},
                                                         {"/7/specversion", "missing_attribute rejected"}}));
}

TEST(Batch, WhatIsNoneIsRefusedOnceAndAsAWhole) {
  TestRegistry registry;
  std::vector<json> many;
  for (int i = 0; i < 1001; ++i) many.push_back(Ack("mno-a", std::to_string(i)));
  const std::string small = json::array({Ack("mno-a", "1")}).dump();  // json({x}) is x or [x] by the compiler
  const struct {
    std::string payload, symbol;
  } cases[] = {{"[]", "batch_empty"},
               {json(many).dump(), "batch_too_long"},
               {small + std::string((std::size_t{1} << 20) + 1 - small.size(), ' '), "batch_too_large"},
               {"not JSON", "not_an_array"},
               {small + ",", "bad_json"},
               {"\xef\xbb\xbf" + small, "byte_order_mark"}};
  for (const auto& [payload, symbol] : cases) {
    auto message = Octets("mno-a", payload);
    message.correlation_data = "mine";
    const Said said = registry.AskRaw(message);
    EXPECT_EQ(said.symbol(), symbol);
    EXPECT_EQ(said.topic, "registry/v1/to/mno-a/batch/rejected");
    EXPECT_EQ(said.envelope.at("type"), "registry.v1.batch.rejected");
    EXPECT_FALSE(said.envelope.contains("cause"));
    EXPECT_EQ(said.correlation_data, "mine");
  }
  const Said single = registry.AskRaw(Octets("mno-a", Ack("mno-a", "alone").dump()));
  EXPECT_EQ(single.symbol(), "not_an_array");
  EXPECT_EQ(single.envelope.at("cause"), "alone");
  const auto largest = small + std::string((std::size_t{1} << 20) - small.size(), ' ');
  EXPECT_TRUE(registry.AskRaw(Octets("mno-a", largest)).accepted());
}

// Items smaller than any command count for little before their batch comes apart. Their answers are larger than they are.
TEST(Batch, WhoSendsManyTinyItemsIsHeldAndNothingElseGrows) {
  constexpr int kBatches = 8, kItems = 1000;
  TestRegistry registry;
  std::string tiny = "[1";
  for (int i = 1; i < kItems; ++i) tiny += ",1";
  auto message = Octets("mno-a", tiny + "]");
  message.correlation_data.assign(1024, 'c');
  for (int i = 0; i < kBatches; ++i) registry.Send(message);
  registry.Send(Raw("asp-a", "feed.ack", Ack("asp-a", "mine").dump()));
  EXPECT_TRUE(registry.Counted("accepted", 1));
  EXPECT_TRUE(registry.Counted("rejected", kBatches * kItems));
  EXPECT_EQ(registry.Heard("registry/v1/to/mno-a/rejected").size(),
            static_cast<std::size_t>(kBatches * kItems));
}

TEST(Batch, ACommandsTopicTakesNone) {
  TestRegistry registry;
  auto message = Batch("mno-a", {Ack("mno-a", "1")});
  message.topic = "registry/v1/from/mno-a/feed.ack";
  EXPECT_EQ(registry.AskRaw(message).symbol(), "event_format");
  auto other = Octets("mno-a", "octets");
  other.mode = wire::ContentMode::kOtherFormat;
  EXPECT_EQ(registry.AskRaw(other).symbol(), "event_format");
  auto unsaid = Batch("mno-a", {Ack("mno-a", "2")});
  unsaid.mode = wire::ContentMode::kStructured;
  EXPECT_TRUE(registry.AskRaw(unsaid).accepted()) << "without a Content Type the topic says what it is";
}

TEST(Batch, ResponseTopicAndCorrelationDataAreEveryItems) {
  TestRegistry registry;
  auto message = Batch("mno-a", std::vector<json>{Ack("mno-a", "1"), json("no envelope"), Ack("mno-a", "2")});
  message.response_topic = "registry/v1/to/mno-a/here";
  message.correlation_data = "mine";
  registry.Send(message);
  EXPECT_TRUE(registry.Counted("accepted", 2));
  EXPECT_TRUE(registry.Counted("rejected", 1));
  const auto heard = registry.Heard("registry/v1/to/mno-a/here");
  ASSERT_EQ(heard.size(), 3u);
  for (const Said& said : heard) EXPECT_EQ(said.correlation_data, "mine");
  message.response_topic = "registry/v1/to/mno-b/there";
  const Said refused = registry.AskRaw(message);
  EXPECT_EQ(refused.symbol(), "response_topic_foreign");
  EXPECT_EQ(refused.topic, "registry/v1/to/mno-a/batch/rejected");
}

TEST(Batch, AnIdTwiceInOneIsADuplicateOrAConflict) {
  TestRegistry registry;
  registry.Send(Batch("mno-a", {Register("same", 1), Register("same", 1)}));
  EXPECT_TRUE(registry.Counted("accepted", 1));
  EXPECT_TRUE(registry.Counted("duplicate", 1));
  const auto heard = registry.Heard("registry/v1/to/mno-a/esim.register/accepted");
  ASSERT_EQ(heard.size(), 2u);
  EXPECT_EQ(heard[0].payload, heard[1].payload);
  json later = Ack("mno-a", "other");
  later["time"] = "2026-03-01T12:00:00Z";
  registry.Send(Batch("mno-a", {Ack("mno-a", "other"), later}));
  EXPECT_TRUE(registry.Counted("conflict", 1));
  EXPECT_EQ(registry.Heard("registry/v1/to/mno-a/feed.ack/rejected").size(), 1u);
}

TEST(Batch, AReadInOneIsAnsweredAside) {
  TestRegistry registry;
  const std::string device = registry.Register().device;
  const Said said = registry.AskRaw(
      Batch("mno-a", std::vector<json>{Command("mno-a", "device.get", "get", {{"device", device}})}));
  EXPECT_TRUE(said.accepted()) << said.payload;
  EXPECT_EQ(said.envelope.at("cause"), "get");
}

// What a stop had no time for is in the intake as a whole: items that were decided are duplicates then.
TEST(Batch, IsDoneAgainAsAWholeAndEachItemIsExecutedOnce) {
  constexpr int kItems = 200;
  std::atomic<int> commits{0};
  TestRegistry::Setup setup;
  setup.wrap = [&](std::unique_ptr<ledger::Ledger> real) {
    FaultyLedger::Hooks hooks;
    hooks.commit = [&](const domain::Changeset& changes) -> FaultyLedger::Fault {
      if (changes.mark && ++commits > kItems / 2 && commits < kItems) {
        return Error::Make(Code::kFailed, ledger::kLedgerFailed, "as told by the test");
      }
      return std::nullopt;
    };
    return std::make_unique<FaultyLedger>(std::move(real), hooks);
  };
  setup.stop_deadline = std::chrono::milliseconds(1);
  TestRegistry registry(setup);
  std::vector<json> items;
  for (int i = 0; i < kItems; ++i)
    items.push_back(Register(std::to_string(i), static_cast<std::uint64_t>(i)));
  registry.Send(Batch("mno-a", items));
  while (commits <= kItems / 2) std::this_thread::yield();
  registry.Restart();
  commits = kItems;
  EXPECT_TRUE(registry.Counted("accepted", kItems));
  std::set<std::string> payloads;
  std::map<std::string, std::set<std::string>> by_cause;
  for (const Said& said : registry.Heard("registry/v1/to/mno-a/esim.register/accepted")) {
    by_cause[said.envelope.at("cause")].insert(said.payload);
  }
  EXPECT_EQ(by_cause.size(), static_cast<std::size_t>(kItems));
  for (const auto& [cause, replies] : by_cause) EXPECT_EQ(replies.size(), 1u) << cause;
}

// A batch takes as much of its sender's share as its commands would.
TEST(Batch, FillsItsSendersOwnShareOnly) {
  std::promise<void> opened;
  const std::shared_future<void> open = opened.get_future().share();
  TestRegistry::Setup setup;
  setup.wrap = [&](std::unique_ptr<ledger::Ledger> real) {
    FaultyLedger::Hooks hooks;
    hooks.commit = [&](const domain::Changeset& changes) -> FaultyLedger::Fault {
      if (changes.mark && changes.mark->source.text() == "mno-a") open.wait_for(std::chrono::seconds(20));
      return std::nullopt;
    };
    return std::make_unique<FaultyLedger>(std::move(real), hooks);
  };
  setup.queue_max = 100;
  TestRegistry registry(setup);
  std::vector<json> items;
  for (int i = 0; i < 100; ++i) items.push_back(Register(std::to_string(i), static_cast<std::uint64_t>(i)));
  registry.Send(Batch("mno-a", items));
  const auto more = Batch("mno-a", {Ack("mno-a", "more")});
  const Said refused = registry.AskRaw(more);
  EXPECT_EQ(refused.symbol(), "too_busy");
  EXPECT_EQ(refused.topic, "registry/v1/to/mno-a/batch/rejected");
  EXPECT_TRUE(registry.AskRaw(Batch("mno-b", {Ack("mno-b", "1")})).accepted());
  opened.set_value();
  EXPECT_TRUE(registry.Counted("accepted", 101));
  EXPECT_TRUE(registry.AskRaw(more).accepted()) << "the share is given back item by item";
}

TEST(Batch, CountsAsItsCommandsBeforeItIsRead) {
  EXPECT_EQ(ingest::MessagesOf(Raw("mno-a", "feed.ack", std::string(100'000, ' '))), 1u);
  EXPECT_EQ(ingest::MessagesOf(Octets("mno-a", std::string("[]"))), 1u);
  EXPECT_EQ(ingest::MessagesOf(Octets("mno-a", std::string(100 * 256, ' '))), 100u);
  EXPECT_EQ(ingest::MessagesOf(Octets("mno-a", std::string(std::size_t{1} << 20, ' '))), 1000u);
}

}  // namespace
}  // namespace registry::test
