#include "bridge/guard/own_ears.h"

#include <gtest/gtest.h>

namespace registry::guard {
namespace {

constexpr char kAll[] = "r-1";
constexpr char kOwn[] = "r-1/mno-a";
constexpr char kUser[] = "registryd";
constexpr char kSaid[] = "registry/v1/from/mno-a/feed.ack";

OwnEars Both() {
  OwnEars ears;
  ears.Subscribed(kOwn, kUser, "registry/v1/from/mno-a/#");
  ears.Subscribed(kAll, kUser, "registry/v1/from/#");
  return ears;
}

TEST(OwnEars, OnlyTheOneThatHearsEverybodyIsSparedAndOnlyThatParty) {
  const OwnEars ears = Both();
  EXPECT_TRUE(ears.Spared(kAll, kUser, kSaid));
  EXPECT_TRUE(ears.Spared(kAll, kUser, "registry/v1/from/mno-a"))
      << "the level above, which \"/#\" hears too";
  EXPECT_FALSE(ears.Spared(kOwn, kUser, kSaid));
  EXPECT_FALSE(ears.Spared(kAll, kUser, "registry/v1/from/mno-aa"));
  EXPECT_FALSE(ears.Spared(kAll, kUser, "registry/v1/from/mno-b/feed.ack"));
  EXPECT_FALSE(ears.Spared(kAll, kUser, "registry/v1/from/mno-aa/feed.ack"));
  EXPECT_FALSE(ears.Spared(kAll, kUser, "registry/v1/to/mno-a/x"));
  EXPECT_FALSE(ears.Spared("reader", kUser, kSaid)) << "another session of the same user";
  EXPECT_FALSE(ears.Spared(kAll, "other", kSaid)) << "another user's session of that name";
}

TEST(OwnEars, ASessionIsAPartysOwnByNameAndFilter) {
  for (const char* filter : {"registry/v1/from/#", "registry/v1/from/+/#", "registry/v1/from/mno-a/feed.ack",
                             "registry/v1/from/mno-b/#", "$share/g/registry/v1/from/mno-a/#"}) {
    OwnEars ears;
    ears.Subscribed(kOwn, kUser, filter);
    EXPECT_FALSE(ears.Spared(kAll, kUser, kSaid)) << filter;
  }
  OwnEars ears;
  ears.Subscribed("r-1-mno-a", kUser, "registry/v1/from/mno-a/#");
  EXPECT_FALSE(ears.Spared(kAll, kUser, kSaid));
}

// A party that the registry no longer knows has a session at the broker still; what it says must reach somebody.
TEST(OwnEars, WhatIsHeardByNobodyElseIsNotSpared) {
  OwnEars ears = Both();
  ears.Disconnected(kOwn);
  EXPECT_FALSE(ears.Spared(kAll, kUser, kSaid));
  ears.Subscribed(kOwn, kUser, "registry/v1/from/mno-a/#");
  EXPECT_TRUE(ears.Spared(kAll, kUser, kSaid));
}

TEST(OwnEars, WhileBothAreAwayItIsKeptOnce) {
  OwnEars ears = Both();
  ears.Disconnected(kAll);
  ears.Disconnected(kOwn);
  EXPECT_TRUE(ears.Spared(kAll, kUser, kSaid));
  EXPECT_FALSE(ears.Spared(kOwn, kUser, kSaid));
}

// Its registry no longer opens it, so it will not come for what it keeps.
TEST(OwnEars, OneThatWasAwayBeforeIsForgotten) {
  OwnEars ears = Both();
  ears.Disconnected(kOwn);
  ears.Disconnected(kAll);
  EXPECT_FALSE(ears.Spared(kAll, kUser, kSaid));
}

}  // namespace
}  // namespace registry::guard
