// The zone under a real NSD as secondary, judged by other implementations.
#include <gmock/gmock.h>

#include <filesystem>

#include "tests/integration/zone/zone_lab.h"

namespace registry::zone::testing {
namespace {

using ::testing::HasSubstr;

using ZoneNsdTest = ZoneLab;

TEST_F(ZoneNsdTest, EmptyZoneIsTransferredAndVerified) {
  StartBoth();
  ASSERT_TRUE(Eventually([&] { return Serves(publisher_->snapshot().serial); })) << secondary_->Log();
  const std::string verdict = Judge(secondary_->Dump());
  EXPECT_THAT(verdict, HasSubstr("Zone is verified and complete"));
  EXPECT_THAT(verdict, HasSubstr("dnssec-verify agrees"));
}

TEST_F(ZoneNsdTest, ChangesArriveIncrementallyAndBecomeVisible) {
  StartBoth();
  for (std::uint64_t n = 0; n < 50; ++n) {
    Commit({Published(n)});
    if (n % 10 == 9) {
      ASSERT_TRUE(Eventually([&] { return visible() == n + 1; })) << log_ << secondary_->Log();
    }
  }
  Commit({Deactivated(3, 2), Gone(4, 2), Published(5, 2)});
  ASSERT_TRUE(Eventually([&] { return visible() == 53; }));
  const std::string verdict = Judge(secondary_->Dump());
  EXPECT_THAT(verdict, HasSubstr("Zone is verified and complete"));
  EXPECT_THAT(verdict, HasSubstr("dnssec-verify agrees"));
  const Snapshot snapshot = publisher_->snapshot();
  EXPECT_GE(snapshot.ixfr, 5u);
  EXPECT_LE(snapshot.axfr, 2u);
  ASSERT_TRUE(Eventually([&] { return publisher_->snapshot().pending == 0; }));
}

TEST_F(ZoneNsdTest, Rfc5155_AnswersAndDenialsValidate) {
  StartBoth();
  Commit({Published(1), Published(2), Deactivated(3, 1), Published(4)});
  Commit({Gone(4, 2)});
  ASSERT_TRUE(Eventually([&] { return visible() == 5; })) << secondary_->Log();
  EXPECT_THAT(Delv(DeviceName(DeviceOf(1), kZone), "TLSA"), HasSubstr("; fully validated"));
  EXPECT_THAT(Delv(DeviceName(DeviceOf(3), kZone), "TXT"), HasSubstr("; fully validated"));
  EXPECT_THAT(Delv(kZone, "TLSA"), HasSubstr("; fully validated"));
  const std::string no_data = Delv(DeviceName(DeviceOf(3), kZone), "TLSA");
  EXPECT_THAT(no_data, HasSubstr("negative response, fully validated"));
  EXPECT_THAT(no_data, HasSubstr("ncache nxrrset"));
  const std::string gone = Delv(DeviceName(DeviceOf(4), kZone), "TLSA");
  EXPECT_THAT(gone, HasSubstr("negative response, fully validated"));
  EXPECT_THAT(gone, HasSubstr("ncache nxdomain"));
  EXPECT_THAT(Delv(std::string("_device.") + kZone, "TLSA"), HasSubstr("ncache nxrrset"));
}

TEST_F(ZoneNsdTest, KilledSecondaryIsALagAndCatchesUpWhenItIsBack) {
  StartBoth();
  Commit({Published(1)});
  ASSERT_TRUE(Eventually([&] { return visible() == 1; })) << secondary_->Log();
  secondary_->Kill();
  Commit({Published(2)});
  ASSERT_TRUE(Eventually([&] {
    const Snapshot snapshot = publisher_->snapshot();
    return !snapshot.secondaries[0].reachable && snapshot.pending == 1;
  }));
  EXPECT_EQ(visible(), 1u) << "nothing is visible that a secondary does not serve";
  const Snapshot away = publisher_->snapshot();
  EXPECT_GT(away.secondaries[0].behind.count(), 0);
  Commit({Published(3)});
  ASSERT_TRUE(Eventually([&] { return publisher_->snapshot().serial > away.serial; }))
      << "an unreachable secondary does not hold the zone back";
  secondary_->Start();
  ASSERT_TRUE(Eventually([&] { return visible() == 3; }, std::chrono::seconds(40))) << secondary_->Log();
  ASSERT_TRUE(Eventually([&] { return publisher_->snapshot().pending == 0; }));
  EXPECT_THAT(Judge(secondary_->Dump()), HasSubstr("Zone is verified and complete"));
}

TEST_F(ZoneNsdTest, Rfc1982_SerialGrowsAcrossARestartOfTheRegistry) {
  StartBoth();
  Commit({Published(1), Published(2)});
  ASSERT_TRUE(Eventually([&] { return visible() == 2; })) << secondary_->Log();
  const std::uint32_t before = publisher_->snapshot().serial;
  publisher_->Stop();
  publisher_.reset();
  Commit({Gone(1, 2), Published(3)});
  StartPublisher({secondary_->address()}, primary_port_);
  EXPECT_GT(publisher_->snapshot().serial, before);
  ASSERT_TRUE(Eventually([&] { return visible() == 4; })) << secondary_->Log();
  const std::string dump = secondary_->Dump();
  EXPECT_THAT(dump, ::testing::Not(HasSubstr(DeviceOf(1).text())));
  EXPECT_THAT(dump, HasSubstr(DeviceOf(3).text()));
  EXPECT_THAT(Judge(dump), HasSubstr("Zone is verified and complete"));
}

TEST_F(ZoneNsdTest, Rfc1982_ZoneOfARestoredLedgerMovesPastTheSecondary) {
  ASSERT_TRUE(ledger_->Advance(ledger::Sink::kZone, {0, "5000"}, true).ok());
  StartBoth();
  Commit({Published(1), Published(2)});
  ASSERT_TRUE(Eventually([&] { return visible() == 2; })) << secondary_->Log();
  const std::uint32_t before = publisher_->snapshot().serial;
  ASSERT_TRUE(Eventually([&] { return Serves(before); }));
  publisher_.reset();
  ledger_ = ledger::OpenMemoryLedger();  // as it was before devices 1 and 2
  Commit({Published(3)});
  StartPublisher({secondary_->address()}, primary_port_);
  ASSERT_TRUE(Eventually([&] { return visible() == 3; })) << log_ << secondary_->Log();
  const std::uint32_t healed = publisher_->snapshot().serial;
  EXPECT_GT(healed, before);
  EXPECT_TRUE(Serves(healed)) << "visible is what the secondary serves";
  EXPECT_GE(std::stoul(ledger_->LoadSink(ledger::Sink::kZone)->state), healed);
  const std::string dump = secondary_->Dump();
  EXPECT_THAT(dump, ::testing::Not(HasSubstr(DeviceOf(1).text())));
  EXPECT_THAT(dump, HasSubstr(DeviceOf(3).text()));
  EXPECT_THAT(Judge(dump), HasSubstr("Zone is verified and complete"));
  Commit({Published(4)});
  ASSERT_TRUE(Eventually([&] { return visible() == 4; })) << secondary_->Log();
  EXPECT_GE(publisher_->snapshot().ixfr, 1u) << "incremental again behind the gap";
  const std::lock_guard lock(mutex_);
  EXPECT_THAT(log_, HasSubstr("serves serial " + std::to_string(before) + ", ahead of our newest"));
}

// The file of the signed zone is from after the backup. What it says was served, so the difference to the restored content
// is known, and its serial is not given to that.
TEST_F(ZoneNsdTest, Rfc1982_RestoredLedgerBehindTheKeptZoneIsToldAsADifference) {
  tune_ = [&](Options& options) { options.zone_file = files_.path("signed-zone"); };
  ASSERT_TRUE(ledger_->Advance(ledger::Sink::kZone, {0, "5000"}, true).ok());
  StartBoth();
  Commit({Published(1), Published(2), Published(5), Published(6)});
  ASSERT_TRUE(Eventually([&] { return visible() == 4; })) << secondary_->Log();
  ASSERT_TRUE(Eventually([&] { return std::filesystem::exists(files_.path("signed-zone")); }));
  const std::uint32_t before = publisher_->snapshot().serial;
  publisher_.reset();
  ledger_ = ledger::OpenMemoryLedger();  // as it was before device 1
  Commit({Published(2), Published(3), Published(5), Published(6)});
  StartPublisher({secondary_->address()}, primary_port_);
  EXPECT_EQ(publisher_->snapshot().serial, before + 1);
  ASSERT_TRUE(Eventually([&] { return visible() == 8; })) << log_ << secondary_->Log();
  EXPECT_EQ(publisher_->snapshot().axfr, 0u);
  EXPECT_GE(std::stoul(ledger_->LoadSink(ledger::Sink::kZone)->state), before + 1);
  const std::string dump = secondary_->Dump();
  EXPECT_THAT(dump, ::testing::Not(HasSubstr(DeviceOf(1).text())));
  EXPECT_THAT(dump, HasSubstr(DeviceOf(3).text()));
  EXPECT_THAT(Judge(dump), HasSubstr("Zone is verified and complete"));
}

TEST_F(ZoneNsdTest, ThousandsOfChangesInManyBatchesVerify) {
  StartBoth();
  std::uint64_t revision = 1;
  for (int round = 0; round < 10; ++round) {
    std::vector<domain::ZoneChange> changes;
    ++revision;
    for (std::uint64_t n = 0; n < 300; ++n) {
      const std::uint64_t which = (n * 37 + static_cast<std::uint64_t>(round) * 61) % 900;
      const auto choice = (which + revision) % 5;
      changes.push_back(choice == 0   ? Gone(which, revision)
                        : choice == 1 ? Deactivated(which, revision)
                                      : Published(which, revision));
    }
    Commit(std::move(changes));
  }
  ASSERT_TRUE(Eventually([&] { return visible() == 3000; }, std::chrono::seconds(60))) << secondary_->Log();
  const std::string verdict = Judge(secondary_->Dump());
  EXPECT_THAT(verdict, HasSubstr("Zone is verified and complete"));
  EXPECT_THAT(verdict, HasSubstr("dnssec-verify agrees"));
}

// The commonest mistake of a new operator. NSD answers NOTAUTH without the question.
TEST_F(ZoneNsdTest, Rfc8945_WhyItRefusesOurKeyIsSaid) {
  struct Shifted final : Clock {
    UtcTime Now() const override { return SystemClock().Now() + std::chrono::hours(6 * 24); }
  };
  const Shifted ahead;
  const std::pair<const char*, std::function<void(Options&)>> mistakes[] = {
      {"NOTAUTH, BADSIG: its secret of the key is not",
       [this](Options& options) {
         files_.WriteSecret("other.secret", "IiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIiI=");
         options.tsig_secret_file = files_.path("other.secret");
       }},
      {"NOTAUTH, BADKEY: it has no key of the name",
       [](Options& options) { options.tsig_name = "another-key"; }},
      {"NOTAUTH, BADTIME: its clock and ours", [&ahead](Options& options) { options.clock = &ahead; }}};
  primary_port_ = FreePort();
  secondary_ = std::make_unique<SecondaryProcess>(Software::kNsd, files_, "secondary", primary_port_);
  secondary_->Start();
  for (const auto& [said, mistake] : mistakes) {
    tune_ = mistake;
    StartPublisher({secondary_->address()}, primary_port_);
    EXPECT_TRUE(Eventually([&, what = said] {
      const std::lock_guard lock(mutex_);
      return log_.find(what) != std::string::npos;
    })) << said
        << "\n"
        << log_ << secondary_->Log();
    publisher_.reset();
    const std::lock_guard lock(mutex_);
    log_.clear();
  }
}

TEST_F(ZoneNsdTest, AKeyThatIsRefusedIsNoSecondaryThatIsAway) {
  tune_ = [](Options& options) { options.tsig_name = "another-key"; };
  StartBoth();
  ASSERT_TRUE(Eventually(
      [&] {
        const std::lock_guard lock(mutex_);
        return log_.find("refuses our questions (NOTAUTH, BADKEY") != std::string::npos;
      },
      std::chrono::seconds(40)))
      << log_;
  const std::lock_guard lock(mutex_);
  EXPECT_THAT(log_, ::testing::Not(HasSubstr("serves 0")));
}

TEST_F(ZoneNsdTest, ForeignKeysGetNothing) {
  StartBoth();
  Commit({Published(1)});
  ASSERT_TRUE(Eventually([&] { return visible() == 1; }));
  const std::string ask = "dig @127.0.0.1 -p " + std::to_string(primary_port_) + " +time=2 +tries=1 +tcp ";
  const std::string question = std::string(kZone) + " AXFR";
  EXPECT_THAT(RunCommand(ask + question), HasSubstr("Transfer failed"));
  const std::string wrong =
      " -y hmac-sha256:" + std::string(kTsigName) + ":AAAAERERERERERERERERERERERERERERERERERERERE= ";
  EXPECT_THAT(RunCommand(ask + wrong + question), HasSubstr("BADSIG"));
  const std::string right = " -y hmac-sha256:" + std::string(kTsigName) + ":" + kTsigSecret + " ";
  EXPECT_THAT(RunCommand(ask + right + question), HasSubstr("XFR size"));
  EXPECT_GE(publisher_->snapshot().refused, 2u);
}

}  // namespace
}  // namespace registry::zone::testing
