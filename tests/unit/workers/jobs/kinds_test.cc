// The table of the kinds of jobs: every kind has its row, and rows do not contradict themselves.
#include <gtest/gtest.h>

#include <set>

#include "workers/domain/job_kinds.h"

namespace registry::domain {
namespace {

TEST(JobKinds, EachHasOneRowAndANameOfItsOwn) {
  std::set<JobKind> kinds;
  std::set<std::string_view> names;
  for (const JobKindRow& row : JobKinds()) {
    EXPECT_TRUE(kinds.insert(row.kind).second) << row.name;
    EXPECT_TRUE(names.insert(row.name).second) << row.name;
    EXPECT_EQ(JobKindName(row.kind), row.name);
    EXPECT_FALSE(row.used_in.empty()) << row.name;
  }
  EXPECT_EQ(kinds, (std::set{JobKind::kKeyGenerate, JobKind::kPayloadPush, JobKind::kAppletWipe,
                             JobKind::kZoneVisible}));
}

TEST(JobKinds, OneThatIsSentAgainHasAnActionAndSomethingThatFollows) {
  for (const JobKindRow& row : JobKinds()) {
    const bool sent = row.on_due == OnDue::kSentAgain;
    EXPECT_EQ(sent, row.on_success.has_value()) << row.name;
    EXPECT_TRUE(sent || row.encode == nullptr) << row.name;
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
