// The DS counts only when every server of the parent has it, and only what answers the question says anything.
#include "bridge/zone/parent_watch.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>

#include <atomic>
#include <thread>

#include "bridge/zone/message.h"
#include "bridge/zone/socket.h"
#include "tests/unit/bridge/zone/zone_files.h"

namespace registry::zone::testing {
namespace {

using ::testing::HasSubstr;

const Bytes kOurs{1, 2, 13, 2, 9, 9}, kOther{3, 4, 13, 2, 8, 8};

Bytes AnswerOf(std::uint16_t id, const std::vector<Bytes>& rdatas, std::uint16_t flags = kFlagResponse) {
  Bytes answer = StartMessage(id, flags, *NameFromText(kZone), kTypeDs);
  SetU16(answer, 6, static_cast<std::uint16_t>(rdatas.size()));
  for (const Bytes& rdata : rdatas) {
    Put(answer, Bytes{0xc0, 12, 0, kTypeDs, 0, 1, 0, 0, 0x1c, 0x20});  // TTL 7200
    PutU16(answer, static_cast<std::uint16_t>(rdata.size()));
    Put(answer, rdata);
  }
  return answer;
}

std::string Why(const Result<DsAnswer>& answer) { return answer.ok() ? "" : answer.error().message; }

TEST(DsAnswer, SaysTheSetAndItsTtl) {
  const auto answer = DsAnswerFrom(AnswerOf(7, {kOurs, kOther}), 7, *NameFromText(kZone));
  ASSERT_TRUE(answer.ok());
  EXPECT_EQ(answer->rdatas, (std::vector<Bytes>{kOurs, kOther}));
  EXPECT_EQ(answer->ttl, 7200u);
  EXPECT_TRUE(DsAnswerFrom(AnswerOf(7, {}), 7, *NameFromText(kZone))->rdatas.empty());
}

TEST(DsAnswer, RefusesWhatAnswersSomethingElse) {
  const Name zone = *NameFromText(kZone);
  EXPECT_THAT(Why(DsAnswerFrom(AnswerOf(7, {kOurs}), 8, zone)), HasSubstr("none to the question"));
  EXPECT_THAT(Why(DsAnswerFrom(AnswerOf(7, {kOurs}, 0), 7, zone)), HasSubstr("none to the question"));
  EXPECT_THAT(Why(DsAnswerFrom(AnswerOf(7, {kOurs}), 7, *NameFromText("other.test"))),
              HasSubstr("none to the question"));
  EXPECT_THAT(Why(DsAnswerFrom(AnswerOf(7, {kOurs}, kFlagResponse | 2), 7, zone)), HasSubstr("SERVFAIL"));
  EXPECT_EQ(DsAnswerFrom(AnswerOf(7, {kOurs}), 8, zone).error().symbol, "zone_parent_failed");
  const Bytes whole = AnswerOf(7, {kOurs});
  for (std::size_t size = 0; size < whole.size(); ++size)
    EXPECT_FALSE(DsAnswerFrom(View(whole).first(size), 7, zone).ok()) << size;
}

// Takes one connection after the other and answers with what it is told to.
class FakeParent {
 public:
  FakeParent() : thread_([this] { Run(); }) {}
  ~FakeParent() {
    stopping_ = true;
    thread_.join();
  }
  ParentAddress address() const { return {"127.0.0.1", LocalPort(listener_)}; }
  void Has(bool ours) { ours_ = ours; }
  int asked() const { return asked_; }

 private:
  void Run() {
    while (!stopping_) {
      pollfd wait{listener_.fd(), POLLIN, 0};
      if (poll(&wait, 1, 20) <= 0) continue;
      const Socket peer = AcceptTcp(listener_);
      std::uint8_t question[512];
      pollfd readable{peer.fd(), POLLIN, 0};
      if (!peer || poll(&readable, 1, 2000) <= 0) continue;
      if (recv(peer.fd(), question, sizeof question, 0) < 4) continue;
      const auto id = static_cast<std::uint16_t>(question[2] << 8 | question[3]);
      const Bytes answer =
          AnswerOf(id, ours_ ? std::vector<Bytes>{kOther, kOurs} : std::vector<Bytes>{kOther});
      Bytes framed;
      PutU16(framed, static_cast<std::uint16_t>(answer.size()));
      Put(framed, answer);
      EXPECT_EQ(send(peer.fd(), framed.data(), framed.size(), MSG_NOSIGNAL),
                static_cast<ssize_t>(framed.size()));
      ++asked_;
    }
  }

  Socket listener_ = *ListenTcp("127.0.0.1", 0);
  std::atomic<bool> stopping_{false}, ours_{false};
  std::atomic<int> asked_{0};
  std::thread thread_;
};

bool Soon(const std::function<bool()>& done) {
  for (int i = 0; i < 2000 && !done(); ++i) poll(nullptr, 0, 5);
  return done();
}

TEST(ParentWatchTest, EveryServerMustHaveIt) {
  FakeParent first, second;
  ParentWatch watch({first.address(), second.address()}, *NameFromText(kZone), std::chrono::milliseconds(10),
                    {});
  watch.Start();
  first.Has(true);
  EXPECT_EQ(first.asked(), 0) << "nothing is awaited";
  watch.Await({kOurs});
  ASSERT_TRUE(Soon([&] { return second.asked() >= 3; }));
  EXPECT_FALSE(watch.Seen());
  second.Has(true);
  ASSERT_TRUE(Soon([&] { return watch.Seen().has_value(); }));
  EXPECT_EQ(*watch.Seen(), 7200u);
  watch.Await({Bytes{5}});
  EXPECT_FALSE(watch.Seen()) << "another one is awaited";
}

// An algorithm that the DS set names has to be in the DNSKEY set, whose old keys leave then.
TEST(ParentWatchTest, OneThatHasTheFormerAlgorithmToo) {
  FakeParent parent;
  ParentWatch watch({parent.address()}, *NameFromText(kZone), std::chrono::milliseconds(10), {});
  watch.Start();
  parent.Has(true);
  watch.Await({kOurs}, kOurs[2]);  // as if ours were of it, too
  ASSERT_TRUE(Soon([&] { return parent.asked() >= 3; }));
  EXPECT_FALSE(watch.Seen());
  watch.Await({kOurs}, std::uint8_t{99});
  EXPECT_TRUE(Soon([&] { return watch.Seen().has_value(); }));
}

TEST(ParentWatchTest, AServerThatIsAwayOrSilentHoldsItBack) {
  FakeParent there;
  there.Has(true);
  const Socket silent = *ListenTcp("127.0.0.1", 0);  // takes the connection and says nothing
  ParentWatch watch({there.address(), {"127.0.0.1", LocalPort(silent)}}, *NameFromText(kZone),
                    std::chrono::milliseconds(10), {});
  watch.Start();
  watch.Await({kOurs});
  ASSERT_TRUE(Soon([&] { return there.asked() >= 1; }));
  EXPECT_FALSE(watch.Seen());
  watch.Stop();
  EXPECT_FALSE(watch.Seen());
}

}  // namespace
}  // namespace registry::zone::testing
