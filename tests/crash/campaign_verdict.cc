#include "tests/crash/campaign_verdict.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <set>
#include <tuple>
#include <vector>

#include "tests/crash/campaign_witness.h"
#include "workers/domain/invariants.h"
#include "workers/domain/standing.h"

namespace registry::test {
namespace {

constexpr std::size_t kDevicesMost = 100'000;

using History = std::vector<ledger::HistoryRecord>;

int CountOf(const History& history, const std::string& beginning, const std::string& part = "") {
  return static_cast<int>(std::ranges::count_if(history, [&](const auto& record) {
    const std::string& what = record.entry.what;
    return what.starts_with(beginning) && what.find(part) != std::string::npos;
  }));
}

// A command that was executed twice would have left the same entry twice, with itself as the cause.
void ExpectNothingTwice(const ledger::LedgerReader& reader, std::map<std::string, int>& caused_by_witness) {
  std::set<std::tuple<std::string, std::string, std::string, std::string>> seen;
  for (ledger::Seq after = 0;;) {
    const auto page = reader.HistoryAfter(after, 1000);
    ASSERT_TRUE(page) << page.error().message;
    if (page->empty()) return;
    for (const auto& record : *page) {
      const auto& entry = record.entry;
      if (!entry.cause) continue;
      const bool first =
          seen.insert({entry.actor.text(), entry.cause->text(), entry.device.text(), entry.what}).second;
      EXPECT_TRUE(first) << entry.device.text() << ": twice " << entry.what << ", caused by "
                         << entry.cause->text() << " of " << entry.actor.text();
      if (entry.actor.text() == CampaignWitness::kParty) ++caused_by_witness[entry.cause->text()];
    }
    after = page->back().seq;
  }
}

void ExpectAsTold(const ledger::LedgerReader& reader, const domain::Device& device, const DeviceWork& told) {
  const std::string name = device.id.text();
  EXPECT_EQ(device.state, domain::State::kActive) << name << " is " << domain::StateName(device.state);
  EXPECT_TRUE(domain::Live(device)) << name;
  EXPECT_THAT(domain::FaultsOf(device), testing::IsEmpty()) << name;
  EXPECT_EQ(domain::Sponsor(device).text(), told.mno) << name;
  ASSERT_TRUE(domain::Claimer(device)) << name;
  EXPECT_EQ(domain::Claimer(device)->text(), told.asp) << name;
  const auto history = reader.HistoryOf(device.id);
  ASSERT_TRUE(history) << history.error().message;
  for (const char* const once : {"registered", "claimed", "active"})
    EXPECT_EQ(CountOf(*history, once), 1) << name;
  EXPECT_EQ(CountOf(*history, "transfer ", " completed"), told.moved) << name;
  EXPECT_EQ(CountOf(*history, "rekey"), told.rekeyed) << name;
}

}  // namespace

bool EveryDeviceHasOneCertificate(const ledger::LedgerReader& reader) {
  const auto all = reader.DevicesAfter(std::nullopt, kDevicesMost);
  return all && std::ranges::all_of(*all, [](const auto& device) { return device.credentials.size() == 1; });
}

void ExpectCampaignHolds(const ledger::LedgerReader& reader, const std::map<std::string, DeviceWork>& devices,
                         int witnessed) {
  const auto report = ledger::Verify(reader);
  ASSERT_TRUE(report) << report.error().message;
  EXPECT_THAT(report->faults, testing::IsEmpty());
  const auto all = reader.DevicesAfter(std::nullopt, kDevicesMost);
  ASSERT_TRUE(all) << all.error().message;
  EXPECT_EQ(all->size(), devices.size()) << "an accepted registration was lost, or executed twice";
  for (const auto& device : *all) {
    const auto told = devices.find(device.id.text());
    EXPECT_NE(told, devices.end()) << device.id.text() << " was registered without its MNO knowing";
    if (told != devices.end()) ExpectAsTold(reader, device, told->second);
  }
  const auto revocations = reader.Revocations();
  ASSERT_TRUE(revocations) << revocations.error().message;
  int superseded = 0;
  for (const auto& [device, told] : devices) superseded += told.rekeyed + told.moved_to_mno;
  EXPECT_EQ(static_cast<int>(revocations->size()), superseded) << "each other key supersedes one certificate";
  std::map<std::string, int> caused_by_witness;
  ExpectNothingTwice(reader, caused_by_witness);
  for (int number = 1; number <= witnessed; ++number)
    EXPECT_EQ(caused_by_witness[CampaignWitness::IdOf(number)], 1)
        << "effects of " << CampaignWitness::IdOf(number);
  EXPECT_EQ(static_cast<int>(caused_by_witness.size()), witnessed);
}

}  // namespace registry::test
