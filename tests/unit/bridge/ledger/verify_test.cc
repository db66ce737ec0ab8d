// Verify asks for a page of things at once, and reads what has one order side by side: what is wrong among them is found,
// and said of the one that it is wrong of.
#include <gmock/gmock.h>

#include <algorithm>

#include "tests/support/wrapped_ledger.h"
#include "tests/unit/bridge/ledger/samples.h"

namespace registry::ledger {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr std::uint64_t kDevices = 3;

std::string Name(std::uint64_t device) { return "device " + samples::DeviceOf(device).text() + ": "; }

Error Unreadable() { return Error::Make(Code::kFailed, kLedgerDamaged, "cannot be read"); }

// A ledger whose answers a test changes on their way.
class Tampered final : public test::WrappedLedger {
 public:
  using WrappedLedger::WrappedLedger;
  template <class T>
  using Change = std::function<void(std::vector<T>&)>;

  Result<std::vector<HistoryPlace>> HistoryPlacesAfter(const std::optional<HistoryPlace>& after,
                                                       std::size_t limit) const override {
    return Changed(WrappedLedger::HistoryPlacesAfter(after, limit), after.has_value(), history);
  }
  Result<std::vector<domain::ZoneChange>> ZoneAfter(const std::optional<DeviceId>& after,
                                                    std::size_t limit) const override {
    if (zone_fails) return Unreadable();
    return Changed(WrappedLedger::ZoneAfter(after, limit), after.has_value(), zone);
  }
  Result<std::vector<domain::Job>> JobsDue(DueTimes times, std::size_t limit) const override {
    return Changed(WrappedLedger::JobsDue(times, limit), false, jobs);
  }
  Result<std::optional<DeviceId>> FindUnique(const domain::UniqueValue& value) const override {
    if (value.kind == domain::UniqueKind::kEid && value.value == unreadable_eid) return Unreadable();
    if (value.kind == domain::UniqueKind::kIccid && !unreadable_eid.empty()) return std::optional<DeviceId>();
    return WrappedLedger::FindUnique(value);
  }
  Result<std::optional<domain::EventMark>> FindEvent(const PartyId& source,
                                                     const EventId& id) const override {
    if (id == unreadable_event) return Unreadable();
    auto mark = WrappedLedger::FindEvent(source, id);
    if (mark && *mark && id == late_event) (*mark)->at = (*mark)->at + std::chrono::hours(48);
    return mark;
  }

  Change<HistoryPlace> history;
  Change<domain::ZoneChange> zone;
  Change<domain::Job> jobs;
  bool zone_fails = false;
  Bytes unreadable_eid{};
  EventId unreadable_event, late_event;

 private:
  template <class T>
  static Result<std::vector<T>> Changed(Result<std::vector<T>> page, bool is_last, const Change<T>& change) {
    if (page && !is_last && change) change(*page);
    return page;
  }
};

class VerifyTest : public testing::Test {
 protected:
  void SetUp() override {
    for (std::uint64_t i = 0; i < kDevices; ++i) ASSERT_TRUE(ledger_->Commit(samples::Registration(i)).ok());
    ASSERT_THAT(Verify(*ledger_)->faults, IsEmpty());
  }
  std::vector<std::string> Faults() const { return Verify(tampered_)->faults; }

  const std::unique_ptr<Ledger> ledger_ = OpenMemoryLedger();
  Tampered tampered_{*ledger_};
};

TEST_F(VerifyTest, AnEntryAtAnotherDeviceIsFoundThoughEachHasAsMany) {
  tampered_.history = [](auto& places) { std::swap(places[0].second, places[1].second); };
  EXPECT_THAT(Verify(tampered_)->faults, testing::SizeIs(2));
  EXPECT_THAT(Faults(), testing::Each(HasSubstr("its history is not the one in the chain")));
}

TEST_F(VerifyTest, AnEntryThatIsNotFoundAtItsDeviceIsMissed) {
  tampered_.history = [](auto& places) { places.erase(places.begin()); };
  EXPECT_THAT(Faults(), ElementsAre(HasSubstr("its history is not the one in the chain")));
}

TEST_F(VerifyTest, AnEntryOfNoDeviceIsFound) {
  tampered_.history = [](auto& places) {
    places.emplace_back(samples::DeviceOf(99), 1);
    std::sort(places.begin(), places.end());
  };
  EXPECT_THAT(Faults(), ElementsAre(Name(99) + "has 1 history entries and no record"));
}

TEST_F(VerifyTest, AZoneContentOfNoDeviceIsFoundWhereverItStands) {
  for (const std::uint64_t stranger : {77, 88, 99}) {
    tampered_.zone = [&](auto& zone) { zone = {samples::Zone(stranger)}; };
    EXPECT_THAT(Faults(), ElementsAre("zone: " + samples::DeviceOf(stranger).text() + " is no device"));
  }
}

TEST_F(VerifyTest, AZoneContentThatItsDeviceDoesNotWantIsFound) {
  tampered_.zone = [](auto& zone) { zone = {samples::Zone(1)}; };
  EXPECT_THAT(Faults(), Contains(HasSubstr(samples::DeviceOf(1).text() + ": has TLSA")));
}

TEST_F(VerifyTest, AZoneThatCannotBeReadIsSaidOnce) {
  tampered_.zone_fails = true;
  EXPECT_THAT(Faults(), ElementsAre("zone: cannot be read"));
}

TEST_F(VerifyTest, AJobOfNoDeviceIsFound) {
  const domain::Job job = samples::Job(99);
  tampered_.jobs = [&](auto& jobs) { jobs.push_back(job); };
  EXPECT_THAT(Faults(), ElementsAre("job " + job.id.text() + ": its device does not exist"));
}

TEST_F(VerifyTest, OneUniqueValueThatCannotBeReadHidesNoOther) {
  tampered_.unreadable_eid = AsBytes((**ledger_->LoadDevice(samples::DeviceOf(1))).eid.text());
  const auto faults = Faults();
  EXPECT_THAT(faults, testing::SizeIs(kDevices + 1));
  EXPECT_THAT(faults, Contains("unique values: cannot be read"));
  for (std::uint64_t i = 0; i < kDevices; ++i)
    EXPECT_THAT(faults, Contains(Name(i) + "does not hold its ICCID"));
}

TEST_F(VerifyTest, OneEventMarkThatCannotBeReadHidesNoOther) {
  tampered_.unreadable_event = samples::Mark(1).id;
  tampered_.late_event = samples::Mark(2).id;
  EXPECT_THAT(Faults(), testing::UnorderedElementsAre(HasSubstr(samples::Mark(1).id.text() + " of"),
                                                      HasSubstr("is forgotten with a day before its own")));
}

}  // namespace
}  // namespace registry::ledger
