// What counts as an answer of a secondary, and how it is told: against a scripted one on a real UDP socket, with
// the time given by the test.
#include "bridge/zone/secondary.h"

#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>

#include "bridge/zone/apex.h"
#include "tests/unit/bridge/zone/zone_files.h"

namespace registry::zone::testing {
namespace {

using std::chrono::milliseconds;

class SecondaryTest : public ::testing::Test {
 protected:
  SecondaryTest() {
    store_.FinishLoad(5, clock_.Now());
    secondary_.Announce(5, store_.soa(), now_);
  }
  struct Datagram {
    Bytes octets;
    Message message;
    sockaddr_storage peer{};
    socklen_t peer_size = sizeof(sockaddr_storage);
  };
  // What the secondary under test has sent, as far as it is there.
  std::optional<Datagram> Next(int wait_ms = 0) {
    pollfd polled{peer_.fd(), POLLIN, 0};
    if (poll(&polled, 1, wait_ms) != 1) return std::nullopt;
    Datagram datagram;
    datagram.octets.resize(4096);
    const ssize_t size = recvfrom(peer_.fd(), datagram.octets.data(), datagram.octets.size(), 0,
                                  reinterpret_cast<sockaddr*>(&datagram.peer), &datagram.peer_size);
    if (size < 0) return std::nullopt;
    datagram.octets.resize(static_cast<std::size_t>(size));
    datagram.message = *ParseMessage(datagram.octets);
    return datagram;
  }
  std::optional<Datagram> NextOf(Opcode opcode) {
    for (int i = 0; i < 200; ++i) {
      secondary_.Turn(now_);
      while (auto datagram = Next()) {
        if (datagram->message.opcode() == static_cast<std::uint8_t>(opcode)) return datagram;
      }
      now_ += milliseconds(5);
    }
    return std::nullopt;
  }
  void Answer(const Datagram& to, const Bytes& octets) {
    ASSERT_EQ(sendto(peer_.fd(), octets.data(), octets.size(), 0, reinterpret_cast<const sockaddr*>(&to.peer),
                     to.peer_size),
              static_cast<ssize_t>(octets.size()));
    pollfd polled{secondary_.fd(), POLLIN, 0};
    ASSERT_EQ(poll(&polled, 1, 1000), 1);
    secondary_.Turn(now_);
  }
  Bytes SoaAnswer(std::uint16_t id, std::uint32_t serial,
                  std::uint16_t flags = kFlagResponse | kFlagAuthoritative, const char* name = kZone) const {
    Bytes answer = StartMessage(id, flags, *NameFromText(name), kTypeSoa);
    Put(answer, Bytes{0xc0, 12, 0, 6, 0, 1, 0, 0, 0, 60, 0, 22, 0, 0});
    PutU32(answer, serial);
    answer.resize(answer.size() + 16);
    SetU16(answer, 6, 1);
    return answer;
  }

  ZoneFiles files_;
  SystemClock clock_;
  TsigKey key_ = *LoadTsigKey(kTsigName, files_.path("tsig.secret"));
  ZoneStore store_{*ProfileOf(files_.options()), 1u << 20, 100, clock_.Now()};
  Socket peer_ = *BindUdp("127.0.0.1", 0);
  Steady::time_point now_ = Steady::now();
  Secondary secondary_{{"peer", "127.0.0.1", LocalPort(peer_)}, *NameFromText(kZone), key_, clock_};
};

TEST_F(SecondaryTest, Rfc1996_NotifyCarriesTheSoaAndIsSigned) {
  const auto notify = NextOf(Opcode::kNotify);
  ASSERT_TRUE(notify.has_value());
  ASSERT_EQ(notify->message.answer.size(), 1u);
  EXPECT_EQ(SoaSerial(notify->octets, notify->message.answer[0]), 5u);
  EXPECT_EQ(VerifyTsig(notify->octets, notify->message, key_, clock_.Now()).error, TsigError::kNone);
}

TEST_F(SecondaryTest, Rfc1996_3_6_NotifyIsRepeatedUntilTheVersionIsServed) {
  const auto first = NextOf(Opcode::kNotify);
  const auto second = NextOf(Opcode::kNotify);
  ASSERT_TRUE(first && second);
  EXPECT_NE(first->message.id, second->message.id);
  const auto probe = NextOf(Opcode::kQuery);
  ASSERT_TRUE(probe.has_value());
  Answer(*probe, SoaAnswer(probe->message.id, 5));
  EXPECT_TRUE(secondary_.current());
  EXPECT_FALSE(NextOf(Opcode::kNotify).has_value());
}

TEST_F(SecondaryTest, OnlyAnswersThatFitTheQuestionCount) {
  const auto probe = NextOf(Opcode::kQuery);
  ASSERT_TRUE(probe.has_value());
  const std::uint16_t id = probe->message.id;
  Answer(*probe, SoaAnswer(static_cast<std::uint16_t>(id + 1), 5));
  EXPECT_FALSE(secondary_.current()) << "foreign id";
  Answer(*probe, SoaAnswer(id, 5, 0));
  EXPECT_FALSE(secondary_.current()) << "no response bit";
  Answer(*probe, SoaAnswer(id, 5, kFlagResponse | kFlagAuthoritative, "other.test"));
  EXPECT_FALSE(secondary_.current()) << "foreign question";
  Answer(*probe, Bytes{1, 2, 3});
  EXPECT_FALSE(secondary_.current()) << "no message";
  Answer(*probe, SoaAnswer(id, 5));
  EXPECT_TRUE(secondary_.current());
}

TEST_F(SecondaryTest, AnswerWithoutAuthorityDoesNotServe) {
  const auto probe = NextOf(Opcode::kQuery);
  ASSERT_TRUE(probe.has_value());
  Answer(*probe, SoaAnswer(probe->message.id, 5, kFlagResponse));
  EXPECT_FALSE(secondary_.current());
  EXPECT_TRUE(secondary_.reachable());
}

TEST_F(SecondaryTest, OlderSerialIsALag) {
  const auto probe = NextOf(Opcode::kQuery);
  ASSERT_TRUE(probe.has_value());
  Answer(*probe, SoaAnswer(probe->message.id, 4));
  EXPECT_FALSE(secondary_.current());
  EXPECT_TRUE(secondary_.Serves(4));
  const Snapshot::Lag lag = secondary_.lag(now_ + milliseconds(1500));
  EXPECT_EQ(lag.serial, 4u);
  EXPECT_TRUE(lag.reachable);
  EXPECT_GE(lag.behind, milliseconds(1500));
}

TEST_F(SecondaryTest, Rfc1982_SerialAheadOfTheNewestServesNothing) {
  for (const std::uint32_t serial : {6u, 5000u, 5u + 0x7fffffffu, 5u + 0x80000000u}) {
    const auto probe = NextOf(Opcode::kQuery);
    ASSERT_TRUE(probe.has_value());
    Answer(*probe, SoaAnswer(probe->message.id, serial));
    EXPECT_FALSE(secondary_.current()) << serial;
    EXPECT_FALSE(secondary_.Serves(4)) << serial;
    // RFC 1982 §3.2 leaves a distance of 2^31 undefined: neither ahead nor serving, a lag.
    EXPECT_EQ(secondary_.ahead(), serial != 5u + 0x80000000u) << serial;
    EXPECT_EQ(secondary_.serial(), serial);
  }
  const auto probe = NextOf(Opcode::kQuery);
  ASSERT_TRUE(probe.has_value());
  Answer(*probe, SoaAnswer(probe->message.id, 5));
  EXPECT_TRUE(secondary_.current());
  EXPECT_FALSE(secondary_.ahead());
}

TEST_F(SecondaryTest, SilenceMakesItUnreachableAndAnAnswerBringsItBack) {
  for (int i = 0; i < 2000 && secondary_.reachable(); ++i, now_ += milliseconds(20)) secondary_.Turn(now_);
  EXPECT_FALSE(secondary_.reachable());
  while (Next()) {
  }
  std::optional<Datagram> probe;
  for (int i = 0; i < 500 && !probe; ++i, now_ += milliseconds(20)) {
    secondary_.Turn(now_);
    probe = Next();
  }
  ASSERT_TRUE(probe.has_value());
  EXPECT_EQ(probe->message.opcode(), 0) << "an unreachable secondary is asked, not notified";
  Answer(*probe, SoaAnswer(probe->message.id, 3));
  EXPECT_TRUE(secondary_.reachable());
  EXPECT_TRUE(NextOf(Opcode::kNotify).has_value()) << "it is told at once when it is back";
}

TEST_F(SecondaryTest, ClosedPortIsNoticedByItsRefusal) {
  peer_ = Socket();
  for (int i = 0; i < 400 && secondary_.reachable(); ++i, now_ += milliseconds(20)) {
    secondary_.Turn(now_);
    pollfd polled{secondary_.fd(), POLLIN, 0};
    poll(&polled, 1, 5);
  }
  EXPECT_FALSE(secondary_.reachable());
}

}  // namespace
}  // namespace registry::zone::testing
