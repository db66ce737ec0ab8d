// Who decides beside the active one no longer, and what becomes of what it left behind, whatever fails in between.
#include "bridge/app/members_watch.h"

#include <gmock/gmock.h>

#include <algorithm>

#include "bridge/app/kept_folder.h"
#include "bridge/app/sessions_left.h"
#include "simulators/lab/probe.h"
#include "tests/support/temporary_folder.h"

namespace registry::app {
namespace {

using ledger::MemberSeen;
using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::Contains;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::Not;

MemberSeen Seen(std::int64_t number, const std::string& name, std::int64_t beats, bool ended = false) {
  MemberSeen seen;
  seen.number = number;
  seen.name = name;
  seen.beats = beats;
  seen.ended = ended;
  return seen;
}

class MembersJudgeTest : public testing::Test {
 protected:
  std::vector<std::int64_t> Gone(const std::vector<MemberSeen>& seen, milliseconds later = seconds(1)) {
    now_ += later;
    std::vector<std::int64_t> numbers;
    for (const MemberSeen& one : judge_.Look(seen, now_).gone) numbers.push_back(one.number);
    return numbers;
  }
  MembersJudge judge_{seconds(8), seconds(1)};
  MembersJudge::Time now_ = MembersJudge::Time() + seconds(1000);
};

TEST_F(MembersJudgeTest, OneWhoseBeatsStandStillForTheLeaseIsGone) {
  EXPECT_THAT(Gone({Seen(1, "b", 5)}), IsEmpty());
  for (int i = 0; i < 7; ++i) EXPECT_THAT(Gone({Seen(1, "b", 5)}), IsEmpty()) << i;
  EXPECT_THAT(Gone({Seen(1, "b", 5)}), ElementsAre(1));
  EXPECT_THAT(Gone({Seen(1, "b", 6)}), IsEmpty()) << "it was slow";
}

TEST_F(MembersJudgeTest, TimeWithoutAnAnswerCountsForNobody) {
  EXPECT_THAT(Gone({Seen(1, "b", 5)}), IsEmpty());
  EXPECT_THAT(Gone({Seen(1, "b", 5)}, seconds(60)), IsEmpty()) << "this one was away itself";
  judge_.Missed();
  EXPECT_THAT(Gone({Seen(1, "b", 5)}, seconds(60)), IsEmpty());
  for (int i = 0; i < 5; ++i) EXPECT_THAT(Gone({Seen(1, "b", 5)}), IsEmpty()) << i;
  EXPECT_THAT(Gone({Seen(1, "b", 5)}), ElementsAre(1)) << "2 s of the first minute count";
}

TEST_F(MembersJudgeTest, OneThatWasStartedAgainOrEndedIsGoneAtOnce) {
  EXPECT_THAT(Gone({Seen(1, "b", 5), Seen(2, "c", 1), Seen(3, "b", 1)}), ElementsAre(1));
  EXPECT_THAT(Gone({Seen(2, "c", 2, true), Seen(3, "b", 2)}), ElementsAre(2));
  EXPECT_THAT(Gone({Seen(3, "b", 3), Seen(4, "b", 1, true)}), ElementsAre(4))
      << "the younger one is no member";
  const auto judged = judge_.Look({Seen(2, "c", 2, true), Seen(3, "b", 4)}, now_ + seconds(1));
  EXPECT_THAT(judged.living, ElementsAre("b"));
}

// The ledger and the broker, as far as the watch sees them.
class MembersWatchTest : public testing::Test {
 protected:
  void SetUp() override {
    options_.client_id = "registryd";
    options_.self = "a";
    options_.patience = milliseconds(200);
    options_.every = milliseconds(5);
    ways_.admit = [this] { return Note("admit"); };
    ways_.look = [this]() -> Result<std::vector<MemberSeen>> {
      const MutexLock lock(mutex_);
      for (MemberSeen& one : rows_) one.beats += dead_.contains(one.number) ? 0 : 1;
      return rows_;
    };
    ways_.end = [this](std::int64_t member) { return Note("end " + std::to_string(member)); };
    ways_.take_over = [this](std::int64_t member) -> Result<std::size_t> {
      const Status noted = Note("take over " + std::to_string(member));
      if (!noted) return noted.error();
      return std::size_t{3};
    };
    ways_.forget = [this](std::int64_t member) {
      const Status noted = Note("forget " + std::to_string(member));
      const MutexLock lock(mutex_);
      if (noted) std::erase_if(rows_, [&](const MemberSeen& one) { return one.number == member; });
      return noted;
    };
    ways_.inherit = [this](const std::string& id) { (void)Note("inherit " + id); };
    ways_.spare = [this](const std::string& id) { (void)Note("spare " + id); };
  }
  Status Note(const std::string& what) {
    const MutexLock lock(mutex_);
    if (done_.empty() || done_.back() != what) done_.push_back(what);
    if (fails_once_.erase(what) > 0) return Error::Make(Code::kFailed, "scripted", "scripted");
    return Done{};
  }
  void Begin() {
    watch_ = std::make_unique<MembersWatch>(options_, ways_, kept_);
    watch_->Start();
  }
  void SetRows(std::vector<MemberSeen> rows, std::set<std::int64_t> dead = {}) {
    const MutexLock lock(mutex_);
    rows_ = std::move(rows);
    dead_ = std::move(dead);
  }
  std::vector<std::string> done() {
    const MutexLock lock(mutex_);
    return done_;
  }
  bool Comes(const std::string& what) {
    return lab::WaitUntil([&] { return testing::Value(done(), Contains(what)); }, seconds(60));
  }
  std::string Left() { return kept_.Read("sessions-left")->value_or(""); }
  bool LeftBecomes(const std::string& text) {
    return lab::WaitUntil([&] { return Left() == text; }, seconds(60));
  }

  test::TemporaryFolder folder_;
  KeptFolder kept_{folder_.path()};
  MembersWatch::Options options_;
  MembersWatch::Ways ways_;
  Mutex mutex_;
  std::vector<MemberSeen> rows_ GUARDED_BY(mutex_);
  std::set<std::int64_t> dead_ GUARDED_BY(mutex_);
  std::vector<std::string> done_ GUARDED_BY(mutex_);
  std::set<std::string> fails_once_ GUARDED_BY(mutex_);
  std::unique_ptr<MembersWatch> watch_;  // last: its thread ends first
};

TEST_F(MembersWatchTest, OneThatDiesIsEndedTakenOverForgottenAndInherited) {
  SetRows({Seen(1, "b", 0), Seen(2, "c", 0)});
  Begin();
  EXPECT_TRUE(Comes("spare registryd@c"));
  EXPECT_EQ(Left(), "[\"registryd@a\"]\n") << "its own, should it end; those of members their rows say";
  SetRows({Seen(1, "b", 0), Seen(2, "c", 100)}, {1});
  EXPECT_TRUE(Comes("inherit registryd@b"));
  const auto all = done();
  std::vector<std::string> of_b;
  for (const std::string& one : all) {
    if (one.ends_with(" 1") || one == "inherit registryd@b") of_b.push_back(one);
  }
  of_b.erase(std::unique(of_b.begin(), of_b.end()), of_b.end());
  EXPECT_THAT(of_b, ElementsAre("end 1", "take over 1", "forget 1", "inherit registryd@b"));
  EXPECT_TRUE(LeftBecomes("[\"registryd@a\",\"registryd@b\"]\n"));
  watch_->Told("registryd@b");
  EXPECT_TRUE(LeftBecomes("[\"registryd@a\"]\n"));
}

TEST_F(MembersWatchTest, WhatFailsIsTriedAgainAndNothingIsTakenTwice) {
  {
    const MutexLock lock(mutex_);
    fails_once_ = {"end 1", "take over 1", "forget 1"};
  }
  SetRows({Seen(1, "b", 0, true)});
  Begin();
  EXPECT_TRUE(lab::WaitUntil(
      [&] {
        const MutexLock lock(mutex_);
        return rows_.empty();
      },
      seconds(60)));
  std::vector<std::string> taken;
  for (const std::string& one : done()) {
    if (one == "take over 1") taken.push_back(one);
  }
  EXPECT_EQ(taken.size(), 2u) << "once it failed";
}

TEST_F(MembersWatchTest, SessionsThatTheFormerActiveOneKnewOfAreInheritedFromTheBeginningOn) {
  ASSERT_TRUE(kept_.Write("sessions-left", "[\"registryd@former\",\"registryd@a\"]\n").ok());
  options_.before = {"registryd"};
  SetRows({Seen(1, "former", 0, true), Seen(2, "b", 0)});
  Begin();
  EXPECT_TRUE(Comes("inherit registryd@former"));
  EXPECT_THAT(done(), Not(Contains("inherit registryd@a")));
  EXPECT_THAT(done(), Not(Contains("inherit registryd@b")));
  EXPECT_THAT(done(), Not(Contains("inherit registryd")))
      << "that was done when the nodes first shared their work";
  SetRows({Seen(2, "b", 1), Seen(3, "former", 0)});
  EXPECT_TRUE(LeftBecomes("[\"registryd@a\"]\n")) << "it is a member now";
  EXPECT_TRUE(Comes("spare registryd@former"));
}

TEST_F(MembersWatchTest, ARegistryThatHeardAloneUntilNowIsInheritedToo) {
  options_.before = {"registryd", "registryd/mno-a"};
  Begin();
  EXPECT_TRUE(Comes("inherit registryd"));
  EXPECT_TRUE(Comes("inherit registryd/mno-a"));
  watch_->Told("registryd");
  watch_->Told("registryd/mno-a");
  EXPECT_TRUE(LeftBecomes("[\"registryd@a\"]\n"));
}

// As after a time in which the nodes did not share their work.
TEST_F(MembersWatchTest, WhereNothingIsLeftTheSessionsOfBeforeAreInheritedAgain) {
  ASSERT_TRUE(KeepSessionsLeft({}, kept_).ok());
  EXPECT_TRUE(SessionsLeft(kept_)->empty());
  options_.before = {"registryd"};
  Begin();
  EXPECT_TRUE(Comes("inherit registryd"));
  watch_->Stop();
  EXPECT_EQ(*SessionsLeft(kept_), (std::set<std::string>{"registryd", "registryd@a"}));
  ASSERT_TRUE(kept_.Write("sessions-left", "{broken").ok());
  EXPECT_TRUE(SessionsLeft(kept_)->empty());
}

}  // namespace
}  // namespace registry::app
