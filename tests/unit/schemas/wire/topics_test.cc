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

// MQTT5 §3.3.2.3.5: a Response Topic must hold no wildcard; design §3: it must lie in the sender's own space.
TEST(Topics, OwnSpaceOnly) {
  EXPECT_TRUE(InOwnSpace(kMno, "registry/v1/to/mno-a/answers/1"));
  for (const std::string& topic :
       {std::string("registry/v1/to/mno-a"), std::string("registry/v1/to/mno-a/"),
        std::string("registry/v1/to/mno-b/x"), std::string("registry/v1/to/mno-ab/x"),
        std::string("registry/v1/from/mno-a/csr.submit"), std::string("registry/v1/to/mno-a/#"),
        std::string("registry/v1/to/mno-a/+/x"), std::string("registry/v1/to/mno-a//x"),
        std::string("registry/v1/to/mno-a/x/"), std::string("registry/v1/to/mno-a/x\0y", 25),
        std::string("$SYS/x"), std::string("")}) {
    EXPECT_FALSE(InOwnSpace(kMno, topic)) << topic;
  }
  EXPECT_FALSE(InOwnSpace(kMno, "registry/v1/to/mno-a/" + std::string(512, 'x')));
  // Mosquitto would end the registry's connection over a topic of more than 200 levels.
  std::string deep = "registry/v1/to/mno-a";
  for (int level = 4; level < 17; ++level) deep += "/x";
  EXPECT_TRUE(InOwnSpace(kMno, deep));
  EXPECT_FALSE(InOwnSpace(kMno, deep + "/x"));
}

RC_GTEST_PROP(Topics, WhatTheRegistrySaysLiesInTheSpaceOfWhomItTells, (DeviceId::Octets octets)) {
  const PartyId party = *PartyId::Parse(DeviceId::FromRandom(octets).text().substr(0, 23));
  RC_ASSERT(InOwnSpace(party, AcceptedTopic(party, "csr.submit")));
  RC_ASSERT(!InOwnSpace(kMno, EventTopic(party, "device.failed")));
}

}  // namespace
}  // namespace registry::wire
