// The table of the kinds of jobs: every kind has its row, and rows do not contradict themselves.
#include <gtest/gtest.h>

#include <set>

#include "schemas/wire/codec.h"
#include "schemas/wire/field_tables.h"
#include "workers/domain/job_kinds.h"

namespace registry::domain {
namespace {

TEST(JobKinds, EachHasOneRowAndANameOfItsOwn) {
  std::set<JobKind> kinds;
  std::set<std::string_view> names;
  for (const JobKindRow& row : kJobKinds) {
    EXPECT_TRUE(kinds.insert(row.kind).second) << row.name;
    EXPECT_TRUE(names.insert(row.name).second) << row.name;
    EXPECT_EQ(JobKindName(row.kind), row.name);
    EXPECT_FALSE(row.used_in.empty()) << row.name;
  }
  // Numbered from 1 without a gap: one that is left out below the last is missed here, the last by its action.
  EXPECT_EQ(static_cast<std::size_t>(*kinds.rbegin()), kinds.size())
      << "a kind has no row in workers/domain/job_kinds.h";
}

TEST(JobKinds, OneThatIsSentAgainHasAnActionAndSomethingThatFollows) {
  for (const JobKindRow& row : kJobKinds) {
    const bool sent = row.on_due == OnDue::kSentAgain;
    EXPECT_EQ(sent, row.on_success.has_value()) << row.name;
    EXPECT_TRUE(sent || row.encode == nullptr) << row.name;
  }
}

// What an MNO can be asked to do is what a job can be, and the other way round.
TEST(JobKinds, EveryActionOfTheContractHasItsKind) {
  std::set<std::string_view> actions, sent;
  for (const wire::MessageName& name : wire::Catalogue()) {
    if (name.kind == wire::MessageName::Kind::kAction) actions.insert(name.name);
  }
  for (const JobKindRow& row : kJobKinds) {
    if (row.on_due == OnDue::kSentAgain) sent.insert(row.name);
  }
  EXPECT_EQ(sent, actions)
      << "actions stand in schemas/wire/message_lists.h, their kinds in workers/domain/job_kinds.h";
}

// device.trace names what a device waits for.
TEST(JobKinds, EachCanBeNamedToAPartyThatAsks) {
  std::set<std::string> kinds, words;
  for (const JobKindRow& row : kJobKinds) kinds.emplace(row.name);
  for (const wire::FieldRule& field : wire::FieldRules("device-wait")) {
    if (field.name == "what") words.insert(field.rule.choices.begin(), field.rule.choices.end());
  }
  EXPECT_EQ(words, kinds) << "WaitWords in schemas/wire/read_messages.cc";
}

// A status a party cannot be told would make the reply about its device one that the contract forbids.
TEST(DeviceStatuses, EachCanBeNamedToAPartyThatAsks) {
  std::set<std::string> statuses;
  for (int number = 1; number <= static_cast<int>(DeviceStatus::kExpired); ++number) {
    statuses.emplace(StatusName(static_cast<DeviceStatus>(number)));
  }
  for (const char* stem : {"device-brief", "device.described"}) {
    std::set<std::string> words;
    for (const wire::FieldRule& field : wire::FieldRules(stem)) {
      if (field.name != "holds") continue;
      ASSERT_NE(field.rule.item, nullptr) << stem;
      words.insert(field.rule.item->choices.begin(), field.rule.item->choices.end());
    }
    EXPECT_EQ(words, statuses) << stem << ": schemas/wire/read_messages.cc (HoldWords) and the schema";
  }
}

TEST(JobKinds, AWipeIsNeverForgottenAndAnAlarmWithItsZoneChange) {
  for (const auto cause : {Superseding::kKeyCertified, Superseding::kZoneChanged, Superseding::kZoneShown,
                           Superseding::kRetired}) {
    EXPECT_FALSE(IsSupersededBy(JobKind::kAppletWipe, cause));
  }
  EXPECT_TRUE(IsSupersededBy(JobKind::kZoneVisible, Superseding::kZoneShown));
  EXPECT_FALSE(IsSupersededBy(JobKind::kZoneVisible, Superseding::kKeyCertified));
  EXPECT_TRUE(IsSupersededBy(JobKind::kKeyGenerate, Superseding::kKeyCertified));
  EXPECT_TRUE(IsSupersededBy(JobKind::kPayloadPush, Superseding::kRetired));
}

}  // namespace
}  // namespace registry::domain
