// Two registries in turn publish one ledger's zone, each with a file of the signed zone of its own, as when one takes over
// from the other: the serial never goes back, and real secondaries get on, whichever version they have. Where the second one
// has followed the first one's zone, they go on with differences.
#include <gmock/gmock.h>

#include <filesystem>
#include <regex>

#include "bridge/zone/follower.h"
#include "tests/integration/zone/zone_lab.h"

namespace registry::zone::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr std::chrono::seconds kPatience{120};

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
  // The registry of this name stands by, until it takes over.
  void StandBy(const std::string& registry) {
    Options options = files_.options();
    options.zone_file = FileOf(registry);
    auto follower =
        ZoneFollower::Start(options, {{"127.0.0.1", primary_port_}}, [this](int, const std::string& line) {
          const std::lock_guard lock(mutex_);
          log_ += line + "\n";
        });
    ASSERT_TRUE(follower.ok()) << follower.error().message;
    follower_ = std::move(*follower);
    AwaitCopied();
    AwaitKept(registry);
  }
  void AwaitCopied() {
    ASSERT_TRUE(Eventually([&] { return follower_->sample().serial == Serial(); }, kPatience)) << log_;
  }
  // Behind `from` of the secondary's log; NSD's does not say it.
  void ExpectDifferenceInLog(std::size_t from) const {
    if (GetParam() == Software::kNsd) return;
    const bool knot = GetParam() == Software::kKnot;
    const std::regex said(knot ? "([AI])XFR, incoming"
                               : "Transfer completed: [0-9]+ messages, ([0-9]+) records");
    std::string log;
    std::smatch found;
    const auto is_said = [&] {
      log = secondary_->TransferLog().substr(from);
      return std::regex_search(log, found, said);
    };
    ASSERT_TRUE(Eventually(is_said, kPatience))
        << secondary_->Log();  // BIND says it when it serves the zone already
    if (knot) {
      EXPECT_EQ(found[1], "I") << log;
    } else {
      EXPECT_LT(std::stoi(found[1]), 40) << "the zone has more than 150";
    }
  }
  // The registry "a" has served two devices, and "b" has taken over from it. The last serial of "a".
  std::uint32_t ServeTwoAndHandOver() {
    TakeOver("a");
    CommitAndWait({Published(1), Published(2)});
    AwaitKept("a");
    const std::uint32_t of_a = Serial();
    TakeOver("b");
    return of_a;
  }
  std::uint32_t Serial() const { return publisher_->snapshot().serial; }
  void AwaitKept(const std::string& registry) {
    ASSERT_TRUE(Eventually([&] { return std::filesystem::exists(FileOf(registry)); }, kPatience)) << log_;
  }
  void AwaitServed() {
    ASSERT_TRUE(Eventually([&] { return Serves(Serial()); }, kPatience)) << log_ << secondary_->Log();
  }

  std::unique_ptr<ZoneFollower> follower_;
};

std::vector<domain::ZoneChange> Many() {
  std::vector<domain::ZoneChange> changes;
  for (std::uint64_t device = 100; device < 140; ++device) changes.push_back(Published(device));
  return changes;
}

TEST_P(ZoneTakeOver, ASecondaryThatIsAheadOfTheKeptFileTakesTheWholeZone) {
  StartSecondary(GetParam());
  const std::uint32_t of_a = ServeTwoAndHandOver();
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
  const std::uint32_t of_a = ServeTwoAndHandOver();
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

TEST_P(ZoneTakeOver, AfterOneThatHasFollowedASecondaryGoesOnWithDifferences) {
  StartSecondary(GetParam());
  TakeOver("a");
  CommitAndWait(Many());
  StandBy("b");
  CommitAndWait({Published(1), Published(2), Published(3)});
  CommitAndWait({Gone(1, 2), Deactivated(2, 2)});
  AwaitServed();
  AwaitCopied();
  const std::uint32_t of_a = Serial();
  publisher_.reset();
  follower_.reset();
  Commit({Published(4), Gone(3, 2)});  // while none of both is active
  const std::size_t logged = secondary_->TransferLog().size();

  TakeOver("b");
  EXPECT_GT(Serial(), of_a);
  AwaitServed();
  EXPECT_EQ(publisher_->snapshot().axfr, 0u) << log_;
  EXPECT_GE(publisher_->snapshot().ixfr, 1u);
  ExpectDifferenceInLog(logged);
  const std::string dump = secondary_->Dump();
  EXPECT_THAT(dump, HasSubstr(DeviceOf(4).text()));
  EXPECT_THAT(dump, HasSubstr(DeviceOf(2).text()));
  EXPECT_THAT(dump, Not(HasSubstr(DeviceOf(1).text())));
  EXPECT_THAT(dump, Not(HasSubstr(DeviceOf(3).text())));
  EXPECT_THAT(Judge(dump), HasSubstr("Zone is verified and complete"));

  // And back: the first one follows now, from its own file.
  StandBy("a");
  EXPECT_EQ(follower_->sample().whole, 0u) << log_;
  follower_.reset();
  TakeOver("a");
  AwaitServed();
  EXPECT_EQ(publisher_->snapshot().axfr, 0u) << log_;
  CommitAndWait({Published(5)});
  EXPECT_THAT(Judge(secondary_->Dump()), HasSubstr("Zone is verified and complete"));
}

// The copy ends at a serial of the run that was reserved last, and so do versions behind it that a secondary has.
TEST_P(ZoneTakeOver, ASecondaryThatIsAheadOfTheCopyTakesTheWholeZone) {
  StartSecondary(GetParam());
  TakeOver("a");
  CommitAndWait({Published(1), Published(2)});
  StandBy("b");
  follower_.reset();  // it dies before the active one does
  CommitAndWait({Published(3)});
  CommitAndWait({Gone(3, 2)});  // the content is that of the copy again
  AwaitServed();
  const std::uint32_t of_a = Serial();
  TakeOver("b");
  EXPECT_GT(Serial(), of_a) << "a copy is not known to be the last version";
  AwaitServed();
  EXPECT_EQ(publisher_->snapshot().axfr, 1u);
  EXPECT_THAT(Judge(secondary_->Dump()), HasSubstr("Zone is verified and complete"));
  CommitAndWait({Published(4)});
  EXPECT_EQ(publisher_->snapshot().axfr, 1u) << "differences from there on";
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
