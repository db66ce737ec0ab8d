// Two registries in turn publish one ledger's zone, each with a file of the signed zone of its own, as when one takes over
// from the other: the serial never goes back, and real secondaries get on, whichever version they have.
#include <gmock/gmock.h>

#include <filesystem>

#include "tests/integration/zone/zone_lab.h"

namespace registry::zone::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr std::chrono::seconds kPatience{40};

class ZoneTakeOver : public ZoneLab, public ::testing::WithParamInterface<Software> {
 protected:
  // The registry of this name, from its own file; the other one has ended.
  void TakeOver(const std::string& registry, bool with_secondary = true) {
    publisher_.reset();
    const std::string file = FileOf(registry);
    tune_ = [file](Options& options) { options.zone_file = file; };
    std::vector<SecondaryAddress> secondaries;
    if (with_secondary) secondaries.push_back(secondary_->address());
    StartPublisher(secondaries, primary_port_);
  }
  std::string FileOf(const std::string& registry) const { return files_.path("signed-zone-" + registry); }
  void StartSecondary(Software software) {
    primary_port_ = FreePort();
    secondary_ = std::make_unique<SecondaryProcess>(software, files_, "secondary", primary_port_);
    secondary_->Start();
  }
  void CommitAndWait(const std::vector<domain::ZoneChange>& changes) {
    const std::size_t wanted = visible() + changes.size();
    Commit(changes);
    ASSERT_TRUE(Eventually([&] { return visible() == wanted; }, kPatience)) << log_ << secondary_->Log();
  }
  std::uint32_t Serial() const { return publisher_->snapshot().serial; }
  void AwaitKept(const std::string& registry) {
    ASSERT_TRUE(Eventually([&] { return std::filesystem::exists(FileOf(registry)); })) << log_;
  }
  void AwaitServed() {
    ASSERT_TRUE(Eventually([&] { return Serves(Serial()); }, kPatience)) << log_ << secondary_->Log();
  }
};

TEST_P(ZoneTakeOver, ASecondaryThatIsAheadOfTheKeptFileTakesTheWholeZone) {
  StartSecondary(GetParam());
  TakeOver("a");
  CommitAndWait({Published(1), Published(2)});
  AwaitKept("a");
  const std::uint32_t of_a = Serial();

  TakeOver("b");
  EXPECT_GT(Serial(), of_a);
  CommitAndWait({Published(3)});
  CommitAndWait({Gone(3, 2), Published(1, 2)});
  CommitAndWait({Published(1)});  // an older revision, which changes nothing
  const std::uint32_t of_b = Serial();
  AwaitServed();

  TakeOver("a");
  EXPECT_GT(Serial(), of_b) << log_;
  AwaitServed();
  EXPECT_EQ(publisher_->snapshot().axfr, 1u);
  std::string dump = secondary_->Dump();
  EXPECT_THAT(dump, Not(HasSubstr(DeviceOf(3).text())));
  EXPECT_THAT(Judge(dump), HasSubstr("Zone is verified and complete"));
  CommitAndWait({Published(4), Gone(2, 2)});
  EXPECT_EQ(publisher_->snapshot().axfr, 1u) << "differences from there on";
  dump = secondary_->Dump();
  EXPECT_THAT(dump, HasSubstr(DeviceOf(4).text()));
  EXPECT_THAT(Judge(dump), HasSubstr("Zone is verified and complete"));
}

// What the other registry has published and taken back again leaves the data as they were, and not the serial.
TEST_P(ZoneTakeOver, ContentThatIsAsItWasIsANewVersionToo) {
  StartSecondary(GetParam());
  TakeOver("a");
  CommitAndWait({Published(1), Published(2)});
  AwaitKept("a");
  const std::uint32_t of_a = Serial();
  TakeOver("b");
  CommitAndWait({Published(3)});
  CommitAndWait({Gone(3, 2)});
  const std::uint32_t of_b = Serial();
  AwaitServed();
  TakeOver("a");
  EXPECT_GT(Serial(), of_b) << "serial " << of_a << " is of this content and was served before";
  AwaitServed();
  EXPECT_THAT(Judge(secondary_->Dump()), HasSubstr("Zone is verified and complete"));
  EXPECT_THAT(log_, Not(HasSubstr("ahead of our newest"))) << "it asks nobody for that";
}

TEST_P(ZoneTakeOver, ASecondaryThatWasAwayMeanwhileTakesADifference) {
  StartSecondary(GetParam());
  TakeOver("a");
  CommitAndWait({Published(1), Published(2), Published(5), Published(6)});
  AwaitKept("a");
  AwaitServed();
  secondary_->Freeze();
  TakeOver("b", false);
  Commit({Published(3), Gone(1, 2)});
  ASSERT_TRUE(Eventually([&] { return publisher_->snapshot().names == 4; }));
  const std::uint32_t of_b = Serial();
  TakeOver("a");
  EXPECT_GT(Serial(), of_b);
  secondary_->Thaw();
  AwaitServed();
  EXPECT_EQ(publisher_->snapshot().axfr, 0u);
  const std::string dump = secondary_->Dump();
  EXPECT_THAT(dump, HasSubstr(DeviceOf(3).text()));
  EXPECT_THAT(dump, Not(HasSubstr(DeviceOf(1).text())));
  EXPECT_THAT(Judge(dump), HasSubstr("Zone is verified and complete"));
}

std::string NameOfSecondary(const ::testing::TestParamInfo<Software>& secondary) {
  if (secondary.param == Software::kNsd) return "Nsd";
  return secondary.param == Software::kKnot ? "Knot" : "Bind";
}
INSTANTIATE_TEST_SUITE_P(Secondaries, ZoneTakeOver,
                         ::testing::Values(Software::kNsd, Software::kKnot, Software::kBind),
                         NameOfSecondary);

TEST_F(ZoneLab, StartsThatChangeNothingReserveNothing) {
  tune_ = [&](Options& options) { options.zone_file = files_.path("signed-zone"); };
  StartPublisher({});
  Commit({Published(1)});
  ASSERT_TRUE(Eventually([&] { return publisher_->snapshot().names == 1 && visible() == 1; }));
  ASSERT_TRUE(Eventually([&] { return std::filesystem::exists(files_.path("signed-zone")); })) << log_;
  const std::uint32_t serial = publisher_->snapshot().serial;
  const auto reserved = [&] { return std::stoul(ledger_->LoadSink(ledger::Sink::kZone)->state); };
  const auto before = reserved();
  for (int start = 0; start < 3; ++start) {
    publisher_.reset();
    StartPublisher({});
    EXPECT_EQ(publisher_->snapshot().serial, serial);
    EXPECT_EQ(reserved(), before);
  }
}

}  // namespace
}  // namespace registry::zone::testing
