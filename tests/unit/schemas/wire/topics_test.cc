// schemas/wire/topics.h: the grammar, and the fence around a party's own space.
#include "schemas/wire/topics.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace registry::wire {
namespace {

const PartyId kMno = *PartyId::Parse("mno-a");

TEST(Topics, CommandTopicsComeBack) {
  const auto topic = ParseCommandTopic(CommandTopicOf(kMno, "csr.submit"));
  ASSERT_TRUE(topic);
  EXPECT_EQ(topic->party, kMno);
  EXPECT_EQ(topic->command, "csr.submit");
}

TEST(Topics, EverythingElseIsNoCommandTopic) {
  for (const char* topic :
       {"", "registry/v1/from/", "registry/v1/from/mno-a", "registry/v1/from/mno-a/",
        "registry/v1/from//csr.submit", "registry/v1/from/mno-a/csr.submit/",
        "registry/v1/from/mno-a/csr/submit", "registry/v1/from/MNO/csr.submit", "registry/v1/from/mno-a/CSR",
        "registry/v1/from/mno-a/#", "registry/v2/from/mno-a/csr.submit", "registry/v1/to/mno-a/csr.submit",
        "/registry/v1/from/mno-a/csr.submit", "registry/v1/from/mno-a/csr submit"}) {
    EXPECT_FALSE(ParseCommandTopic(topic)) << topic;
  }
  EXPECT_TRUE(ParseCommandTopic("registry/v1/from/a/" + std::string(64, 'x')));
  EXPECT_FALSE(ParseCommandTopic("registry/v1/from/a/" + std::string(65, 'x')));
}

TEST(Topics, WhatTheRegistrySays) {
  EXPECT_EQ(AcceptedTopic(kMno, "csr.submit"), "registry/v1/to/mno-a/csr.submit/accepted");
  EXPECT_EQ(RejectedTopic(kMno, "csr.submit"), "registry/v1/to/mno-a/csr.submit/rejected");
  EXPECT_EQ(DoTopic(kMno, "key.generate"), "registry/v1/to/mno-a/do/key.generate");
  EXPECT_EQ(EventTopic(kMno, "device.activated"), "registry/v1/to/mno-a/event/device.activated");
}

// The broker lets a party write to any of these (`pattern write registry/v1/from/%u/#`, MQTT5 §4.7.1.2: the parent too).
TEST(Topics, WhateverAPartyMayWriteToNamesIt) {
  for (const std::string& behind :
       {std::string(), std::string("/"), std::string("/csr.submit/"), std::string("/CSR.Submit"),
        std::string("/csr/submit"), std::string("//csr.submit"), std::string("/csr submit"),
        std::string("/ü"), "/" + std::string(65, 'x'), "/" + std::string(60'000, '/')}) {
    const std::string topic = "registry/v1/from/mno-a" + behind;
    EXPECT_FALSE(ParseCommandTopic(topic)) << topic;
    EXPECT_EQ(SenderOf(topic), kMno) << topic;
    EXPECT_NE(WhyNoCommand(topic), "") << topic;
  }
  EXPECT_EQ(WhyNoCommand(CommandTopicOf(kMno, "csr.submit")), "");
  EXPECT_EQ(RejectedTopic(kMno, ""), "registry/v1/to/mno-a/rejected");
  for (const char* topic : {"", "registry/v1/from", "registry/v1/from/", "registry/v1/from//csr.submit",
                            "registry/v1/from/MNO/csr.submit", "registry/v1/from/a b/csr.submit",
                            "registry/v1/to/mno-a/csr.submit", "registry/v2/from/mno-a/csr.submit"}) {
    EXPECT_FALSE(SenderOf(topic)) << topic;
  }
}

std::string FaultOf(const std::string& response_topic) {
  const Status status = CheckResponseTopic(kMno, response_topic);
  return status ? "" : status.error().symbol;
}

// MQTT5 §3.3.2.3.5: a Response Topic must hold no wildcard; design §3: it must lie in the sender's own space.
TEST(Topics, AResponseTopicIsRefusedForWhatIsWrongWithIt) {
  EXPECT_EQ(FaultOf("registry/v1/to/mno-a/answers/1"), "");
  for (const char* topic : {"registry/v1/to/mno-b/x", "registry/v1/to/mno-ab/x", "registry/v1/to/mno-ab",
                            "registry/v1/from/mno-a/csr.submit", "registry/v1/to/", "$SYS/x", ""}) {
    EXPECT_EQ(FaultOf(topic), "response_topic_foreign") << topic;
  }
  EXPECT_EQ(FaultOf("elsewhere/" + std::string(600, 'x')), "response_topic_foreign");
  for (const std::string& topic :
       {std::string("registry/v1/to/mno-a"), std::string("registry/v1/to/mno-a/"),
        std::string("registry/v1/to/mno-a//x"), std::string("registry/v1/to/mno-a/x/"),
        std::string("registry/v1/to/mno-a/#"), std::string("registry/v1/to/mno-a/+/x"),
        std::string("registry/v1/to/mno-a/x\0y", 25)}) {
    EXPECT_EQ(FaultOf(topic), "response_topic_malformed") << topic;
  }
  const std::string own = "registry/v1/to/mno-a/";
  EXPECT_EQ(FaultOf(own + std::string(512 - own.size(), 'x')), "");
  EXPECT_EQ(FaultOf(own + std::string(513 - own.size(), 'x')), "response_topic_too_long");
  // Mosquitto would end the registry's connection over a topic of more than 200 levels.
  std::string deep = "registry/v1/to/mno-a";
  for (int level = 4; level < 17; ++level) deep += "/x";
  EXPECT_EQ(FaultOf(deep), "");
  EXPECT_EQ(FaultOf(deep + "/x"), "response_topic_too_deep");
}

RC_GTEST_PROP(Topics, WhatTheRegistrySaysLiesInTheSpaceOfWhomItTells, (DeviceId::Octets octets)) {
  const PartyId party = *PartyId::Parse(DeviceId::FromRandom(octets).text().substr(0, 23));
  RC_ASSERT(CheckResponseTopic(party, AcceptedTopic(party, "csr.submit")).ok());
  RC_ASSERT(!CheckResponseTopic(kMno, EventTopic(party, "device.failed")).ok());
}

}  // namespace
}  // namespace registry::wire
