// Parties heard in sessions of their own, at a real Mosquitto with the guard: once each, in order, and never behind
// another's flood.
#include <gtest/gtest.h>

#include <algorithm>

#include "simulators/lab/probe.h"
#include "tests/integration/mqtt/broker.h"
#include "tests/integration/mqtt/inbox.h"

namespace registry::test {
namespace {

using namespace std::chrono_literals;

std::string TopicOf(const std::string& party) { return "registry/v1/from/" + party + "/feed.ack"; }

class PartySessions : public ::testing::Test {
 protected:
  void Open(std::vector<std::string> parties) {
    session_.reset();
    auto options = broker_.ForRegistry();
    options.parties = std::move(parties);
    session_ = std::make_unique<mqtt::Session>(options, inbox_.Handler());
    session_->Start();
    ASSERT_TRUE(lab::WaitUntil([&] { return session_->connected(); }, 15s));
  }
  void Say(RawMqtt& client, const std::string& party, int count) {
    for (int i = 0; i < count; ++i) {
      ASSERT_TRUE(client.PublishLater(TopicOf(party), std::to_string(i)));
    }
    ASSERT_TRUE(client.WaitPublished(30s));
  }
  std::vector<std::string> HeardFrom(const std::string& party) {
    std::vector<std::string> heard;
    for (const auto& message : inbox_.messages()) {
      if (message.topic == TopicOf(party)) heard.push_back(message.payload);
    }
    return heard;
  }
  // Through the session that hears everybody, behind whatever else it may have been given.
  void WaitForTheLast() {
    RawMqtt last(broker_.ForParty("last"));
    Say(last, "last", 1);
    ASSERT_TRUE(lab::WaitUntil([&] { return !HeardFrom("last").empty(); }, 30s));
  }
  static std::vector<std::string> Numbers(int count) {
    std::vector<std::string> numbers;
    for (int i = 0; i < count; ++i) numbers.push_back(std::to_string(i));
    return numbers;
  }

  Broker broker_;
  Inbox inbox_;
  std::unique_ptr<mqtt::Session> session_;
};

TEST_F(PartySessions, EveryPartyIsHeardOnceInOrderAndAStrangerToo) {
  Open({"mno-a", "mno-b"});
  for (const std::string party : {"mno-a", "mno-b", "stranger"}) {
    RawMqtt client(broker_.ForParty(party));
    Say(client, party, 200);
  }
  ASSERT_TRUE(inbox_.WaitFor(600));
  WaitForTheLast();
  for (const char* party : {"mno-a", "mno-b", "stranger"}) EXPECT_EQ(HeardFrom(party), Numbers(200)) << party;
}

// The broker hands each session its messages in the order they came. In one session the bystander would be the last.
TEST_F(PartySessions, ABystanderStandsBehindNobodysFlood) {
  constexpr int kFlood = 3000;
  Open({"mno-a", "mno-b"});
  RawMqtt flooder(broker_.ForParty("mno-a")), bystander(broker_.ForParty("mno-b"));
  inbox_.Hold(true);
  Say(flooder, "mno-a", kFlood);
  Say(bystander, "mno-b", 1);
  inbox_.Hold(false);
  ASSERT_TRUE(inbox_.WaitFor(kFlood + 1));
  const auto heard = inbox_.messages();
  const auto its = std::find_if(heard.begin(), heard.end(),
                                [](const auto& message) { return message.topic == TopicOf("mno-b"); });
  EXPECT_LT(its - heard.begin(), kFlood / 10);
}

TEST_F(PartySessions, WhatIsSaidInTheirAbsenceIsKeptOnce) {
  Open({"mno-a"});
  session_->Stop(2s);
  RawMqtt mno(broker_.ForParty("mno-a"));
  Say(mno, "mno-a", 200);
  Open({"mno-a"});
  ASSERT_TRUE(inbox_.WaitFor(200));
  WaitForTheLast();
  EXPECT_EQ(HeardFrom("mno-a"), Numbers(200));
}

// Its session is still at the broker, and nobody comes for what is in there.
TEST_F(PartySessions, APartyStruckFromTheListIsHeardAsAStranger) {
  Open({"mno-a", "mno-b"});
  Open({"mno-b"});
  RawMqtt mno(broker_.ForParty("mno-a"));
  Say(mno, "mno-a", 20);
  ASSERT_TRUE(inbox_.WaitFor(20));
  EXPECT_EQ(HeardFrom("mno-a"), Numbers(20));
}

// What the one session had kept before there were others is not lost to them.
TEST_F(PartySessions, APartyEnteredLaterLosesNothing) {
  Open({});
  session_->Stop(2s);
  RawMqtt mno(broker_.ForParty("mno-a"));
  Say(mno, "mno-a", 20);
  Open({"mno-a"});
  ASSERT_TRUE(inbox_.WaitFor(20));
  EXPECT_EQ(HeardFrom("mno-a"), Numbers(20));
}

// While the others go on: nobody's connection is made anew.
TEST_F(PartySessions, PartiesAreEnteredAndStruckWhileItRuns) {
  Open({"mno-a", "mno-b"});
  RawMqtt first(broker_.ForParty("mno-a")), second(broker_.ForParty("mno-b")),
      third(broker_.ForParty("asp-a"));
  Say(third, "asp-a", 20);
  session_->ChangeParties({"mno-a", "asp-a"});
  const std::string own = " as " + broker_.ForRegistry().client_id + "/asp-a ";
  ASSERT_TRUE(lab::WaitUntil([&] { return broker_.log().find(own) != std::string::npos; }, 30s))
      << broker_.log();
  for (int i = 20; i < 40; ++i) ASSERT_TRUE(third.PublishLater(TopicOf("asp-a"), std::to_string(i)));
  Say(first, "mno-a", 20);
  Say(second, "mno-b", 20);
  ASSERT_TRUE(third.WaitPublished(30s) && inbox_.WaitFor(80));
  WaitForTheLast();
  EXPECT_EQ(HeardFrom("mno-a"), Numbers(20));
  EXPECT_EQ(HeardFrom("mno-b"), Numbers(20)) << "as a stranger";
  EXPECT_EQ(HeardFrom("asp-a").size(), 40u);
  EXPECT_TRUE(session_->connected());
  EXPECT_EQ(session_->reconnects(), 0u);
  EXPECT_FALSE(broker_.HasSession(broker_.ForRegistry().client_id + "/mno-b")) << "it is kept for nobody";
}

TEST_F(PartySessions, TheyComeBackTogetherWithTheBroker) {
  Open({"mno-a"});
  broker_.Kill();
  ASSERT_TRUE(lab::WaitUntil([&] { return !session_->connected(); }, 15s));
  broker_.Start();
  ASSERT_TRUE(lab::WaitUntil([&] { return session_->connected(); }, 15s));
  EXPECT_EQ(session_->reconnects(), 1u);
  RawMqtt mno(broker_.ForParty("mno-a"));
  Say(mno, "mno-a", 20);
  ASSERT_TRUE(inbox_.WaitFor(20));
  WaitForTheLast();
  EXPECT_EQ(HeardFrom("mno-a"), Numbers(20));
}

}  // namespace
}  // namespace registry::test
