// What registryctl has written of parties gets into the hash-chained history: all of it, once, in order.
#include "bridge/app/party_acts.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <atomic>
#include <nlohmann/json.hpp>

#include "bridge/app/kept_folder.h"
#include "bridge/ctl/party_history.h"
#include "simulators/lab/probe.h"
#include "tests/support/faulty_ledger.h"
#include "tests/support/temporary_folder.h"
#include "workers/domain/compose.h"

namespace registry::app {
namespace {

using namespace std::chrono_literals;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::SizeIs;
using testing::StartsWith;

// How often the history of no single device was read whole.
class CountedReads final : public test::WrappedLedger {
 public:
  CountedReads(ledger::Ledger& inner, std::atomic<int>& reads) : WrappedLedger(inner), reads_(reads) {}
  Result<std::vector<ledger::HistoryRecord>> HistoryOf(const DeviceId& device) const override {
    ++reads_;
    return WrappedLedger::HistoryOf(device);
  }

 private:
  std::atomic<int>& reads_;
};

class PartyActsTest : public testing::Test {
 protected:
  void Write(const std::string& event, const std::string& party, const std::string& detail = "") {
    ASSERT_TRUE(ctl::RecordEvent(folder_.path(), {clock_.Now(), event, party, {"AB:01"}, detail}));
  }
  std::vector<std::string> History() const {
    std::vector<std::string> what;
    for (const auto& record : *ledger_->HistoryAfter(0, 10'000)) {
      EXPECT_EQ(record.entry.actor.text(), "registry");
      what.push_back(record.entry.what);
    }
    return what;
  }
  bool Taken(std::size_t entries) const {
    return lab::WaitUntil([&] { return History().size() >= entries; }, 20s);
  }
  std::unique_ptr<PartyActs> Started(std::vector<std::string>* said = nullptr) {
    auto acts = std::make_unique<PartyActs>(folder_.In("parties.jsonl"), kept_, *ledger_, clock_,
                                            LogLine([this, said](int, const std::string& line) {
                                              const MutexLock lock(mutex_);
                                              if (said != nullptr) said->push_back(line);
                                            }));
    acts->Start();
    return acts;
  }
  bool HasSaid(const std::vector<std::string>& said, const std::string& what) {
    return lab::WaitUntil(
        [&] {
          const MutexLock lock(mutex_);
          return std::any_of(said.begin(), said.end(),
                             [&](const auto& line) { return line.find(what) != std::string::npos; });
        },
        20s);
  }
  bool Says(const std::vector<std::string>& said, const std::string& what) {
    return lab::WaitUntil(
        [&] {
          const MutexLock lock(mutex_);
          return !said.empty() && said.back().find(what) != std::string::npos;
        },
        20s);
  }

  static domain::Changeset OfOthers(int entries) {
    domain::Changeset changes;
    for (int i = 0; i < entries; ++i)
      changes.history.push_back(domain::History(domain::RegistryParty(), "party act of others", UtcTime{1}));
    return changes;
  }

  const SystemClock clock_{};
  test::TemporaryFolder folder_;
  KeptFolder kept_{folder_.path()};
  std::atomic<bool> refuses_{false};
  std::atomic<int> whole_reads_{0};
  test::FaultyLedger faulty_{ledger::OpenMemoryLedger(),
                             {.commit = [this](const auto&) -> test::FaultyLedger::Fault {
                               if (!refuses_) return std::nullopt;
                               return Error::Make(Code::kFailed, "ledger_failed", "no room");
                             }}};
  const std::unique_ptr<ledger::Ledger> ledger_ = std::make_unique<CountedReads>(faulty_, whole_reads_);
  Mutex mutex_;
};

TEST_F(PartyActsTest, WhatWasDoneBeforeAndWhileItRunsIsTakenOnce) {
  Write("added", "asp-a", "role asp");
  auto acts = Started();
  ASSERT_TRUE(Taken(1));
  Write("withdrawn", "asp-a");
  ASSERT_TRUE(Taken(2));
  acts.reset();
  Write("removed", "asp-a");  // registryd is stopped
  acts = Started();
  ASSERT_TRUE(Taken(3));
  acts->Took({"party asp-a is no party any more"});
  acts.reset();
  EXPECT_THAT(
      History(),
      ElementsAre(
          AllOf(StartsWith("party act 1: added asp-a, serials AB:01, role asp, at 2"), HasSubstr(" by ")),
          StartsWith("party act 2: withdrawn asp-a"), StartsWith("party act 3: removed asp-a"),
          "taken from the configuration: party asp-a is no party any more"));
  const auto sound = ledger::Verify(*ledger_);
  ASSERT_TRUE(sound);
  EXPECT_THAT(sound->faults, SizeIs(0));
}

TEST_F(PartyActsTest, ALineIsTakenWhenItIsWhole) {
  folder_.Write("parties.jsonl", "{\"event\":\"added\",\"party\":\"asp-a\"}\nnonsense\n{\"event\":\"wit");
  auto acts = Started();
  ASSERT_TRUE(Taken(2));
  EXPECT_EQ(History()[1], "party act 2: a line that cannot be read");
  folder_.Write(
      "parties.jsonl",
      "{\"event\":\"added\",\"party\":\"asp-a\"}\nnonsense\n{\"event\":\"withdrawn\",\"party\":\"b\"}\n");
  ASSERT_TRUE(Taken(3));
  EXPECT_THAT(History()[2], StartsWith("party act 3: withdrawn b"));
}

TEST_F(PartyActsTest, LinesThatWereTakenAwayAreSaid) {
  Write("added", "asp-a");
  Write("added", "asp-b");
  auto acts = Started();
  ASSERT_TRUE(Taken(2));
  acts.reset();
  folder_.Write("parties.jsonl", "{\"event\":\"added\",\"party\":\"asp-a\"}\n");
  std::vector<std::string> said;
  acts = Started(&said);
  EXPECT_TRUE(Says(said, "1 lines are there, and the history has 2: lines were taken away"));
  acts.reset();
  EXPECT_THAT(History(), SizeIs(2));
}

TEST_F(PartyActsTest, ManyLinesAndALongOneAreTaken) {
  constexpr std::size_t kLines = PartyActs::kLinesAtOnce * 2 + 1;
  std::string text;
  for (std::size_t i = 0; i < kLines; ++i) text += "{\"event\":\"changed\",\"party\":\"asp-a\"}\n";
  std::string wide;
  for (int i = 0; i < 500; ++i) wide += "\xC3\xA9";  // two octets each
  folder_.Write("parties.jsonl",
                text + "{\"event\":\"changed\",\"party\":\"x\",\"detail\":\"" + wide + "\"}\n");
  auto acts = Started();
  ASSERT_TRUE(Taken(kLines + 1));
  acts.reset();
  const std::string last = History().back();
  EXPECT_LE(last.size(), PartyActs::kActMax);
  EXPECT_NO_THROW(static_cast<void>(nlohmann::json(last).dump())) << "cut between characters";
}

TEST_F(PartyActsTest, WhatALedgerRefusesIsTriedAgainAndThereOnce) {
  std::vector<std::string> said;
  refuses_ = true;
  auto acts = Started(&said);
  acts->Took({"party asp-a has changed: contact", "party asp-b is new"});
  Write("added", "asp-b");
  ASSERT_TRUE(HasSaid(said, "what was taken is not in the history yet: no room"));
  ASSERT_TRUE(HasSaid(said, "acts on parties do not get into the history: no room"));
  EXPECT_THAT(History(), SizeIs(0));
  refuses_ = false;
  ASSERT_TRUE(Taken(3));
  acts.reset();
  EXPECT_THAT(History(),
              testing::UnorderedElementsAre("taken from the configuration: party asp-a has changed: contact",
                                            "taken from the configuration: party asp-b is new",
                                            StartsWith("party act 1: added asp-b")));
}

TEST_F(PartyActsTest, WhatCannotWaitAnyLongerIsSaid) {
  std::vector<std::string> said;
  refuses_ = true;
  auto acts = Started(&said);
  acts->Took(std::vector<std::string>(PartyActs::kTookMax + 2, "party asp-a has changed"));
  EXPECT_TRUE(HasSaid(said, "what was taken does not get into the history (2 changes)"));
  acts.reset();
  EXPECT_TRUE(HasSaid(
      said, "stopped, and what was taken is not in the history (10000 changes, which follow): no room"));
  EXPECT_EQ(std::count(said.begin(), said.end(),
                       "not in the history: taken from the configuration: party asp-a has changed"),
            10'000);
}

TEST_F(PartyActsTest, AStartReadsTheHistoryOnlyWhereItsFileIsNoProof) {
  Write("added", "asp-a");
  auto acts = Started();
  ASSERT_TRUE(Taken(1));
  acts.reset();
  EXPECT_EQ(whole_reads_, 1) << "there was no file";
  ASSERT_TRUE(ledger_->Commit(OfOthers(20)));
  Write("withdrawn", "asp-a");
  acts = Started();
  ASSERT_TRUE(Taken(22));
  acts.reset();
  EXPECT_EQ(whole_reads_, 1) << "the file says how far it has got, and the ledger that it is true";
  EXPECT_THAT(folder_.Read("party-acts.json"), HasSubstr("\"lines\":2"));

  for (const char* kept :
       {R"({"committing":true,"entry":1,"lines":1})", R"({"committing":false,"entry":5,"lines":2})",
        R"({"committing":false,"entry":99,"lines":2})", R"({"lines":"2"})", "", "[]"}) {
    folder_.Write("party-acts.json", kept);
    const int before = whole_reads_;
    acts = Started();
    ASSERT_TRUE(lab::WaitUntil([&] { return whole_reads_ > before; }, 20s)) << kept;
    acts.reset();
    EXPECT_THAT(History(), SizeIs(22)) << "nothing is taken twice: " << kept;
  }
}

TEST_F(PartyActsTest, LinesAreNotTakenWhereItCannotBeKeptThatTheyAre) {
  std::filesystem::create_directory(folder_.In("party-acts.json"));
  std::vector<std::string> said;
  Write("added", "asp-a");
  auto acts = Started(&said);
  ASSERT_TRUE(HasSaid(said, "acts on parties do not get into the history: "));
  EXPECT_THAT(History(), SizeIs(0));
  std::filesystem::remove(folder_.In("party-acts.json"));
  EXPECT_TRUE(Taken(1));
}

TEST_F(PartyActsTest, WhereItLooksIsSaidAndAFileThatIsGoneIsATrouble) {
  std::vector<std::string> said;
  auto acts = Started(&said);
  EXPECT_TRUE(HasSaid(said, "taken from " + folder_.In("parties.jsonl") + ", which is not there"));
  Write("added", "asp-a");
  ASSERT_TRUE(Taken(1));
  acts.reset();
  std::filesystem::remove(folder_.In("parties.jsonl"));
  acts = Started(&said);
  EXPECT_TRUE(HasSaid(said, "is not there, and the history has 1 of its lines"));
}

}  // namespace
}  // namespace registry::app
