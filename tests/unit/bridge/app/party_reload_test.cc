// What a running registryd takes of a configuration that has changed, what it says of it, and what it leaves to a start.
#include "bridge/app/party_reload.h"

#include <gmock/gmock.h>

namespace registry::app {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

const PartyId kMno = *PartyId::Parse("mno-a"), kAsp = *PartyId::Parse("asp-a"),
              kNew = *PartyId::Parse("asp-b");

Config Running() {
  Config config;
  config.parties = {{kMno, wire::Role::kMno}, {kAsp, wire::Role::kAsp}};
  return config;
}

TEST(PartyReload, TheSameFileChangesNothing) {
  const auto taken = TakeParties(Running(), Running());
  EXPECT_TRUE(taken.config == Running());
  EXPECT_THAT(taken.changes, IsEmpty());
  EXPECT_THAT(taken.waiting, IsEmpty());
}

TEST(PartyReload, EachPartyThatIsOtherIsNamedWithWhatIs) {
  Config read = Running();
  read.parties.erase(kMno);
  read.parties.emplace(kNew, wire::Role::kAsp);
  read.takes_batches.insert(kAsp);
  read.transfer.auto_approve.insert(kAsp);
  read.contacts[kAsp] = "noc@asp-a.example";
  read.limits.own[kAsp] = {{{1, 2}, {1, 2}, {1, 2}, {1, 2}}};
  const auto taken = TakeParties(Running(), read);
  EXPECT_TRUE(taken.config == read);
  EXPECT_THAT(taken.changes, ElementsAre("party asp-a has changed: limits, batches, auto_approve, contact",
                                         "party asp-b is new, role asp", "party mno-a is no party any more"));
  EXPECT_THAT(taken.waiting, IsEmpty());
}

TEST(PartyReload, WhatHoldsForAllIsSaidOnce) {
  Config read = Running();
  read.limits.usual[0] = {7, 7};
  read.retry.usual.attempts_max = 9;
  read.transfer.approve_unanswered = true;
  const auto taken = TakeParties(Running(), read);
  EXPECT_TRUE(taken.config == read);
  EXPECT_THAT(taken.changes,
              ElementsAre("[limits] has changed", "[retry] has changed", "[transfer] has changed"));
}

TEST(PartyReload, WhatOnlyAStartTakesIsLeftAndNamed) {
  Config read = Running();
  read.parties.emplace(kNew, wire::Role::kAsp);
  read.mqtt.port = 1;
  read.dns.tlsa_ttl = 1;
  read.kept_per_hour = 1;
  const auto taken = TakeParties(Running(), read);
  EXPECT_THAT(taken.waiting, ElementsAre("[mqtt]", "[zone]", "limits.ledger_octets_per_hour"));
  EXPECT_EQ(taken.config.mqtt.port, Running().mqtt.port);
  EXPECT_TRUE(taken.config.parties.contains(kNew));
}

}  // namespace
}  // namespace registry::app
