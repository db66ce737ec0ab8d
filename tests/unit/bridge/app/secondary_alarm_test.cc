// What operators hear of a secondary, in their feeds: that it lags, and that it has recovered.
#include "bridge/app/secondary_alarm.h"

#include <gtest/gtest.h>

#include "bridge/clock.h"
#include "schemas/wire/codec.h"

namespace registry::app {
namespace {

PartyId Party(const char* text) { return *PartyId::Parse(text); }

TEST(SecondaryAlarm, EveryOperatorHearsOfItAndNobodyElse) {
  const auto ledger = ledger::OpenMemoryLedger();
  const SystemClock clock;
  SecondaryAlarm alarm(*ledger, clock);
  EXPECT_TRUE(alarm.Tell({"ns1", true, std::chrono::seconds(60)})) << "nobody is there to be told";
  alarm.Set({{Party("op-a"), wire::Role::kOperator},
             {Party("op-b"), wire::Role::kOperator},
             {Party("asp-a"), wire::Role::kAsp}});
  const UtcTime before = clock.Now();
  EXPECT_TRUE(alarm.Tell({"ns1", true, std::chrono::seconds(60)}));
  EXPECT_TRUE(alarm.Tell({"ns1", false, std::chrono::seconds(90)}));
  for (const char* name : {"op-a", "op-b"}) {
    const auto feed = ledger->FeedFrom(Party(name), 1, 10);
    ASSERT_TRUE(feed.ok());
    ASSERT_EQ(feed->size(), 2u) << name;
    const domain::Notification &lagged = (*feed)[0].notification, &recovered = (*feed)[1].notification;
    EXPECT_EQ(lagged.type, wire::SecondaryLagged::kName);
    EXPECT_NE(lagged.data.find("\"secondary\":\"ns1\""), std::string::npos) << lagged.data;
    EXPECT_NE(lagged.data.find("\"since\""), std::string::npos);
    EXPECT_EQ(recovered.type, wire::SecondaryRecovered::kName);
    EXPECT_GE(lagged.time, before);
  }
  EXPECT_TRUE(ledger->FeedFrom(Party("asp-a"), 1, 10)->empty());
  alarm.Set({});
  EXPECT_TRUE(alarm.Tell({"ns1", true, std::chrono::seconds(60)}));
  EXPECT_EQ(ledger->FeedFrom(Party("op-a"), 1, 10)->size(), 2u);
}

// A name of the configuration may be of any length; the message's is not, and is cut between two characters.
TEST(SecondaryAlarm, ALongNameIsCut) {
  const auto ledger = ledger::OpenMemoryLedger();
  const SystemClock clock;
  SecondaryAlarm alarm(*ledger, clock);
  alarm.Set({{Party("op-a"), wire::Role::kOperator}});
  std::string name(199, 'n');
  name += "\u00e9 and more";
  ASSERT_TRUE(alarm.Tell({name, true, std::chrono::seconds(60)}));
  const auto feed = ledger->FeedFrom(Party("op-a"), 1, 10);
  ASSERT_EQ(feed->size(), 1u);
  EXPECT_NE((*feed)[0].notification.data.find('"' + std::string(199, 'n') + '"'), std::string::npos);
}

}  // namespace
}  // namespace registry::app
