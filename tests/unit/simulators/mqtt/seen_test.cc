#include "simulators/mqtt/seen.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <set>

namespace registry::sim {
namespace {

TEST(SeenSequenceTest, EachPositionIsNewOnce) {
  SeenSequence seen;
  EXPECT_TRUE(seen.Add(5));
  EXPECT_FALSE(seen.Add(5));
  EXPECT_TRUE(seen.Add(7));
  EXPECT_TRUE(seen.Add(6));
  EXPECT_FALSE(seen.Add(6));
  EXPECT_FALSE(seen.Add(7));
  EXPECT_TRUE(seen.Add(4));
}

TEST(SeenSequenceTest, EqualsASetForAnyOrder) {
  EXPECT_TRUE(rc::check([] {
    const auto values =
        *rc::gen::container<std::vector<std::uint64_t>>(rc::gen::inRange<std::uint64_t>(0, 40));
    SeenSequence seen;
    std::set<std::uint64_t> model;
    for (const auto value : values) RC_ASSERT(seen.Add(value) == model.insert(value).second);
  }));
}

}  // namespace
}  // namespace registry::sim
