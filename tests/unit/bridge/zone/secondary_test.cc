// What counts as an answer of a secondary, and how it is told: against a scripted one on a real UDP socket, with
// the time given by the test.
#include "bridge/zone/secondary.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>

#include "bridge/zone/apex.h"
#include "tests/unit/bridge/zone/fake_secondary.h"

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
  Bytes SoaAnswer(const Datagram& to, std::uint32_t serial,
                  std::uint16_t flags = kFlagResponse | kFlagAuthoritative, const char* name = kZone) const {
    return Signed(to, SoaAnswerOf(to.message.id, serial, flags, name));
  }
  Bytes Signed(const Datagram& to, Bytes answer) const {
    return SignedAnswer(to.octets, std::move(answer), key_, clock_.Now());
  }
  // Asks until it has served `serial`.
  void Serve(std::uint32_t serial) {
    const auto probe = NextOf(Opcode::kQuery);
    ASSERT_TRUE(probe.has_value());
    Answer(*probe, SoaAnswer(*probe, serial));
  }

  ZoneFiles files_;
  SystemClock clock_;
  TsigKey key_ = *LoadTsigKey(kTsigName, files_.path("tsig.secret"));
  ZoneStore store_{*ProfileOf(files_.options()), 1u << 20, 100, clock_.Now()};
  Socket peer_ = *BindUdp("127.0.0.1", 0);
  Steady::time_point now_ = Steady::now();
  std::string log_;
  Secondary secondary_{{"peer", "127.0.0.1", LocalPort(peer_)},
                       *NameFromText(kZone),
                       key_,
                       clock_,
                       "127.0.0.1",
                       [this](int, const std::string& line) { log_ += line + "\n"; }};
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
  Answer(*probe, SoaAnswer(*probe, 5));
  EXPECT_TRUE(secondary_.current());
  EXPECT_FALSE(NextOf(Opcode::kNotify).has_value());
}

TEST_F(SecondaryTest, OnlyAnswersThatFitTheQuestionCount) {
  const auto probe = NextOf(Opcode::kQuery);
  ASSERT_TRUE(probe.has_value());
  const std::uint16_t id = probe->message.id;
  Answer(*probe, Signed(*probe, SoaAnswerOf(static_cast<std::uint16_t>(id + 1), 5)));
  EXPECT_FALSE(secondary_.current()) << "foreign id";
  Answer(*probe, SoaAnswer(*probe, 5, 0));
  EXPECT_FALSE(secondary_.current()) << "no response bit";
  Answer(*probe, SoaAnswer(*probe, 5, kFlagResponse | kFlagAuthoritative, "other.test"));
  EXPECT_FALSE(secondary_.current()) << "foreign question";
  Answer(*probe, Bytes{1, 2, 3});
  EXPECT_FALSE(secondary_.current()) << "no message";
  Answer(*probe, SoaAnswer(*probe, 5));
  EXPECT_TRUE(secondary_.current());
}

TEST_F(SecondaryTest, Rfc8945_5_3_AnswersThatDoNotVerifySayNothing) {
  const auto probe = NextOf(Opcode::kQuery);
  ASSERT_TRUE(probe.has_value());
  EXPECT_EQ(VerifyTsig(probe->octets, probe->message, key_, clock_.Now()).error, TsigError::kNone);
  Answer(*probe, SoaAnswerOf(probe->message.id, 5));
  EXPECT_FALSE(secondary_.current()) << "unsigned";
  TsigKey other = key_;
  other.secret = Secret(Bytes(32, 7));
  Bytes request = StartMessage(probe->message.id, 0, *NameFromText(kZone), kTypeSoa);
  SignRequest(request, other, clock_.Now());
  Answer(*probe, SignedAnswer(request, SoaAnswerOf(probe->message.id, 5), other, clock_.Now()));
  EXPECT_FALSE(secondary_.current()) << "another secret";
  request = StartMessage(probe->message.id, 0, *NameFromText(kZone), kTypeSoa);
  SignRequest(request, key_, clock_.Now() - std::chrono::seconds(1));
  Answer(*probe, SignedAnswer(request, SoaAnswerOf(probe->message.id, 5), key_, clock_.Now()));
  EXPECT_FALSE(secondary_.current()) << "the answer to another request";
  Answer(*probe, SoaAnswerOf(probe->message.id, 5000));
  EXPECT_EQ(secondary_.serial(), 0u) << "nor does it move the serial";
  Answer(*probe, SoaAnswer(*probe, 5));
  EXPECT_TRUE(secondary_.current());
}

TEST_F(SecondaryTest, TruncatedAnswerChangesNothing) {
  Serve(5);
  ASSERT_TRUE(secondary_.current());
  now_ += kProbeRest;
  const auto probe = NextOf(Opcode::kQuery);
  ASSERT_TRUE(probe.has_value());
  Answer(*probe, SoaAnswer(*probe, 3, kFlagResponse | kFlagAuthoritative | kFlagTruncated));
  EXPECT_TRUE(secondary_.current());
  EXPECT_TRUE(secondary_.reachable());
  EXPECT_EQ(secondary_.serial(), 5u);
}

TEST_F(SecondaryTest, NsdsRateLimitIsNotReached) {
  secondary_.Announce(6, store_.soa(), now_);
  std::vector<Steady::time_point> asked;
  for (int i = 0; i < 1000; ++i, now_ += milliseconds(1)) {
    if (i % 7 == 0) secondary_.Announce(6, store_.soa(), now_);  // versions in quick succession
    secondary_.Turn(now_);
    while (auto datagram = Next()) {
      if (datagram->message.opcode() == 0) asked.push_back(now_);
    }
  }
  EXPECT_GT(asked.size(), 20u);
  EXPECT_LT(asked.size(), 200u);
}

TEST_F(SecondaryTest, LostZoneIsBehindFromThenOnAndNotSinceItsAnnouncement) {
  Serve(5);
  now_ += std::chrono::hours(240);
  const auto probe = NextOf(Opcode::kQuery);
  ASSERT_TRUE(probe.has_value());
  Bytes failed = StartMessage(probe->message.id, kFlagResponse | 2, *NameFromText(kZone), kTypeSoa);
  Answer(*probe, Signed(*probe, failed));
  EXPECT_FALSE(secondary_.current());
  EXPECT_TRUE(secondary_.reachable());
  EXPECT_LT(secondary_.lag(now_).behind, std::chrono::seconds(10));
  EXPECT_TRUE(NextOf(Opcode::kNotify).has_value()) << "told at once";
}

// The time a first transfer or an absence took says nothing about the next version.
TEST_F(SecondaryTest, OnlyAVersionOnItsWaySetsThePaceOfProbing) {
  std::optional<Datagram> probe;
  const auto first_probe_after = [&](std::uint32_t serial) {
    while (Next()) {
    }
    const auto announced = now_;
    secondary_.Announce(serial, store_.soa(), now_);
    for (; now_ - announced < std::chrono::seconds(5); now_ += milliseconds(1)) {
      secondary_.Turn(now_);
      while ((probe = Next())) {
        if (probe->message.opcode() == 0) return now_ - announced;
      }
    }
    return Steady::duration::max();
  };
  now_ += std::chrono::seconds(30);
  Serve(5);  // the first transfer took half a minute
  now_ += milliseconds(100);
  EXPECT_LE(first_probe_after(6), kProbeStep);
  ASSERT_TRUE(probe.has_value());
  now_ += milliseconds(400);  // this one takes that long
  Answer(*probe, SoaAnswer(*probe, 6));
  ASSERT_TRUE(secondary_.current());
  now_ += milliseconds(100);
  const auto paced = first_probe_after(7);
  EXPECT_GT(paced, milliseconds(20));
  EXPECT_LE(paced, milliseconds(110));
}

TEST_F(SecondaryTest, WhyItDoesNotServeIsSaidOncePerReason) {
  const auto refuse = [&](std::uint16_t rcode) {
    const auto probe = NextOf(Opcode::kQuery);
    ASSERT_TRUE(probe.has_value());
    const auto flags = static_cast<std::uint16_t>(kFlagResponse | rcode);
    Answer(*probe, Signed(*probe, StartMessage(probe->message.id, flags, *NameFromText(kZone), kTypeSoa)));
  };
  refuse(5);
  refuse(5);
  EXPECT_EQ(log_, "zone: secondary peer: SOA answered with REFUSED\n");
  refuse(2);
  EXPECT_EQ(
      log_,
      "zone: secondary peer: SOA answered with REFUSED\nzone: secondary peer: SOA answered with SERVFAIL\n");
  log_.clear();
  const auto notify = NextOf(Opcode::kNotify);
  ASSERT_TRUE(notify.has_value());
  const auto verdict = [&](TsigError error) {
    TsigVerdict told;
    told.error = error;
    told.key_name = key_.name;
    told.algorithm = *NameFromText("hmac-sha256");
    return told;
  };
  Bytes denied =
      StartMessage(notify->message.id, kFlagResponse | 4 << 11 | 9, *NameFromText(kZone), kTypeSoa);
  PutUnsignedTsig(denied, verdict(TsigError::kBadKey));
  Answer(*notify, denied);
  EXPECT_NE(log_.find("NOTIFY answered, and not signed as asked, with NOTAUTH, BADKEY: it has no key"),
            std::string::npos)
      << log_;
}

// Whoever may guess an id must not move the serial by leaving the question out.
TEST_F(SecondaryTest, AnErrorWithoutTheQuestionIsSaidAndNothingElse) {
  Serve(5);
  now_ += kProbeRest;
  const auto probe = NextOf(Opcode::kQuery);
  ASSERT_TRUE(probe.has_value());
  Bytes denied;
  for (const int field : {int{probe->message.id}, kFlagResponse | 9, 0, 0, 0, 0})
    PutU16(denied, static_cast<std::uint16_t>(field));
  TsigVerdict told;
  told.error = TsigError::kBadSig;
  told.key_name = key_.name;
  told.algorithm = *NameFromText("hmac-sha256");
  PutUnsignedTsig(denied, told);
  Answer(*probe, denied);
  EXPECT_NE(log_.find("with NOTAUTH, BADSIG: its secret of the key"), std::string::npos) << log_;
  EXPECT_NE(secondary_.lag(now_).refusal.find("BADSIG"), std::string::npos);
  EXPECT_TRUE(secondary_.current()) << "what does not verify says nothing of what is served";
  Answer(*probe, SoaAnswer(*probe, 5));
  EXPECT_TRUE(secondary_.lag(now_).refusal.empty());
}

TEST_F(SecondaryTest, Rfc1996_3_10_QuestionsComeFromTheAddressOfTheServer) {
  Secondary bound({"peer", "127.0.0.1", LocalPort(peer_)}, *NameFromText(kZone), key_, clock_, "127.0.0.2");
  Secondary any({"peer", "127.0.0.1", LocalPort(peer_)}, *NameFromText(kZone), key_, clock_, "0.0.0.0");
  Secondary other({"peer", "127.0.0.1", LocalPort(peer_)}, *NameFromText(kZone), key_, clock_, "::1");
  for (const auto& [secondary, source] :
       {std::pair(&bound, 0x7f000002u), std::pair(&any, 0x7f000001u), std::pair(&other, 0x7f000001u)}) {
    while (Next()) {
    }
    secondary->Announce(5, store_.soa(), now_);
    secondary->Turn(now_);
    const auto datagram = Next(1000);
    ASSERT_TRUE(datagram.has_value());
    EXPECT_EQ(ntohl(reinterpret_cast<const sockaddr_in&>(datagram->peer).sin_addr.s_addr), source);
  }
}

TEST_F(SecondaryTest, AnswerWithoutAuthorityDoesNotServe) {
  const auto probe = NextOf(Opcode::kQuery);
  ASSERT_TRUE(probe.has_value());
  Answer(*probe, SoaAnswer(*probe, 5, kFlagResponse));
  EXPECT_FALSE(secondary_.current());
  EXPECT_TRUE(secondary_.reachable());
}

TEST_F(SecondaryTest, OlderSerialIsALag) {
  const auto probe = NextOf(Opcode::kQuery);
  ASSERT_TRUE(probe.has_value());
  Answer(*probe, SoaAnswer(*probe, 4));
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
    Answer(*probe, SoaAnswer(*probe, serial));
    EXPECT_FALSE(secondary_.current()) << serial;
    EXPECT_FALSE(secondary_.Serves(4)) << serial;
    // RFC 1982 §3.2 leaves a distance of 2^31 undefined: neither ahead nor serving, a lag.
    EXPECT_EQ(secondary_.ahead(), serial != 5u + 0x80000000u) << serial;
    EXPECT_EQ(secondary_.serial(), serial);
  }
  const auto probe = NextOf(Opcode::kQuery);
  ASSERT_TRUE(probe.has_value());
  Answer(*probe, SoaAnswer(*probe, 5));
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
  Answer(*probe, SoaAnswer(*probe, 3));
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
