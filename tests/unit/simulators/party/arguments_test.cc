#include "simulators/party/arguments.h"

#include <gmock/gmock.h>

namespace registry::sim {
namespace {

using testing::HasSubstr;
using testing::Not;

class PartyArgumentsTest : public testing::Test {
 protected:
  std::variant<PartyArguments, int> Read(wire::Role role, std::vector<const char*> words) {
    words.insert(words.begin(), "/usr/bin/mno-sim");
    testing::internal::CaptureStdout();
    testing::internal::CaptureStderr();
    auto read = ReadPartyArguments(static_cast<int>(words.size()), words.data(), role);
    said_ = testing::internal::GetCapturedStdout() + testing::internal::GetCapturedStderr();
    return read;
  }
  std::string said_;
};

TEST_F(PartyArgumentsTest, AConfigurationAndFaults) {
  const auto read =
      Read(wire::Role::kMno, {"--config", "x.json", "--fault", "job_done_twice", "--fault", "old_csr"});
  ASSERT_TRUE(std::holds_alternative<PartyArguments>(read)) << said_;
  EXPECT_EQ(std::get<PartyArguments>(read).config_file, "x.json");
  EXPECT_EQ(std::get<PartyArguments>(read).faults,
            (ProtocolFaults{ProtocolFault::kJobDoneTwice, ProtocolFault::kOldCsr}));
}

TEST_F(PartyArgumentsTest, HelpListsTheFaultsOfTheRole) {
  EXPECT_EQ(std::get<int>(Read(wire::Role::kMno, {"--help"})), 0);
  EXPECT_THAT(said_, HasSubstr("\n  job_done_twice "));
  EXPECT_THAT(said_, Not(HasSubstr("\n  order_ignored ")));
  EXPECT_EQ(std::get<int>(Read(wire::Role::kAsp, {"--help"})), 0);
  EXPECT_THAT(said_, HasSubstr("\n  order_ignored "));
}

TEST_F(PartyArgumentsTest, AWrongWordIsNamed) {
  EXPECT_EQ(std::get<int>(Read(wire::Role::kAsp, {"--confg", "x.json"})), 2);
  EXPECT_THAT(said_, HasSubstr("'--confg' is no option of it; nearest: --config"));
  EXPECT_EQ(std::get<int>(Read(wire::Role::kAsp, {"--config", "x.json", "more"})), 2);
  EXPECT_THAT(said_, HasSubstr("'more' is one word too many"));
  EXPECT_EQ(std::get<int>(Read(wire::Role::kAsp, {"--config", "x.json", "--fault", "old_csr"})), 2);
  EXPECT_THAT(said_, HasSubstr("there is no fault 'old_csr'")) << "it is an MNO's";
  EXPECT_EQ(std::get<int>(Read(wire::Role::kAsp, {})), 2);
  EXPECT_THAT(said_, HasSubstr("--config"));
}

// Tests find a fault's row by its place.
TEST(ProtocolFaults, RowsStandInTheOrderOfTheFaults) {
  for (std::size_t i = 0; i < ProtocolFaultRows().size(); ++i) {
    const ProtocolFaultRow& row = ProtocolFaultRows()[i];
    EXPECT_EQ(static_cast<std::size_t>(row.fault), i);
    EXPECT_EQ(ProtocolFaultOf(row.name), row.fault);
    EXPECT_TRUE(row.mno || row.asp) << row.name;
  }
  EXPECT_FALSE(ProtocolFaultOf("honest"));
}

}  // namespace
}  // namespace registry::sim
