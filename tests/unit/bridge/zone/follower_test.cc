// A registry that stands by follows the zone of the active one over the network, and goes on with its file as the active
// one would: the same content, differences from every version that it has seen, a new serial.
#include "bridge/zone/follower.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <csignal>
#include <tuple>

#include "bridge/zone/apex.h"
#include "bridge/zone/conversation.h"
#include "bridge/zone/copied_zone.h"
#include "bridge/zone/keys.h"
#include "bridge/zone/server.h"
#include "bridge/zone/transfers.h"
#include "bridge/zone/zone_file.h"
#include "schemas/base/mutex.h"
#include "schemas/base/own_thread.h"
#include "simulators/lab/ports.h"
#include "simulators/lab/probe.h"
#include "tests/unit/bridge/zone/transfer_certificates.h"
#include "tests/unit/bridge/zone/zone_files.h"
#include "tests/unit/bridge/zone/zone_wires.h"

namespace registry::zone::testing {
namespace {

using lab::WaitUntil;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr std::chrono::seconds kPatience{120};
constexpr std::size_t kJournalOctets = 1u << 20, kJournalVersions = 100;

constexpr std::int64_t kDay = 86'400'000'000;

// The active one: what the publisher has, without a ledger. It signs as if it were so many days ago.
struct Active {
  Active(const Options& options, std::vector<domain::ZoneChange> changes, std::uint32_t serial,
         std::uint16_t port = 0, int days_ago = 0, bool plain = true)
      : signs_at{clock.Now().micros - days_ago * kDay},
        store(*ProfileOf(options), kJournalOctets, kJournalVersions, signs_at),
        responder(store, *LoadTsigKeys(options), clock, {}, !plain),
        tls(*LoadTransferTls(options)),
        server(responder, {}) {
    store.Load(changes, signs_at);
    store.FinishLoad(serial, signs_at);
    if (tls) REG_CHECK(server.ListenTls("127.0.0.1", 0, *tls).ok());
    REG_CHECK(server.Start("127.0.0.1", port).ok());
  }
  void Publish(const std::vector<domain::ZoneChange>& changes, std::uint32_t serial) {
    store.Publish(changes, 0, serial, signs_at);
  }
  SystemClock clock;
  UtcTime signs_at;
  ZoneStore store;
  Responder responder;
  const std::unique_ptr<TransferTls> tls;
  TransferServer server;
};

// One with the TSIG key whose AXFR never ends: the SOA, then records of one set, some at a time.
class Endless {
 public:
  explicit Endless(const Options& options)
      : key_(*LoadTsigKey(options.tsig_name, options.tsig_secret_file)),
        store_(*ProfileOf(options), kJournalOctets, kJournalVersions, clock_.Now()),
        listener_(*ListenTcp("127.0.0.1", 0)) {
    store_.Load(std::vector<domain::ZoneChange>{}, clock_.Now());
    store_.FinishLoad(7, clock_.Now());
    thread_.Start("endless", [this] { Run(); });
  }
  std::uint16_t port() const { return LocalPort(listener_); }
  std::uint64_t sent() const { return sent_; }

 private:
  void Run() {
    Socket socket;
    while (!thread_.stopping() && !socket) socket = AcceptTcp(listener_);
    Conversation with(
        std::move(socket), Conversation::Clock::now() + kPatience, [this] { return thread_.stopping(); },
        [](const std::string& why) { return Error::Make(Code::kFailed, "zone_socket_failed", why); });
    const auto question = with.ReceiveMessage();
    if (!question) return;
    const auto asked = ParseMessage(*question);
    TsigStream stream(key_, VerifyTsig(*question, *asked, key_, clock_.Now()));
    Bytes some, soa = store_.soa()->wire(), text{0xc0, 0x0c, 0, 16, 0, 1, 0, 0, 0, 1, 0, 2, 1, 'x'};
    PutMessage(some, *asked, soa, 2, stream);
    while (with.Send(some).ok()) {
      ++sent_;
      some.clear();
      for (int n = 0; n < 20; ++n) PutMessage(some, *asked, text, 1, stream);
    }
  }
  void PutMessage(Bytes& out, const Message& asked, const Bytes& records, std::uint16_t count,
                  TsigStream& stream) const {
    Bytes message = StartMessage(asked.id, kFlagResponse | kFlagAuthoritative, asked.question, kTypeAxfr);
    SetU16(message, 6, count);
    Put(message, records);
    stream.Sign(message, clock_.Now());
    PutFramed(out, message);
  }

  SystemClock clock_;
  const TsigKey key_;
  ZoneStore store_;
  const Socket listener_;
  std::atomic<std::uint64_t> sent_{0};
  OwnThread thread_;
};

class FollowerTest : public ::testing::Test {
 protected:
  FollowerTest() { options_.zone_file = files_.path("signed-zone"); }

  void Follow(std::uint16_t port) { Follow({{"127.0.0.1", port}}); }
  void Follow(const std::vector<std::pair<std::string, std::uint16_t>>& primaries,
              std::chrono::milliseconds elsewhere = kCopyElsewhere) {
    const auto log = [this](int, const std::string& line) {
      const MutexLock lock(mutex_);
      log_ += line + "\n";
    };
    auto follower = ZoneFollower::Start(options_, primaries, log, beside_, elsewhere);
    ASSERT_TRUE(follower.ok()) << follower.error().message;
    follower_ = std::move(*follower);
  }
  std::string log() const {
    const MutexLock lock(mutex_);
    return log_;
  }
  void AwaitSerial(std::uint32_t serial) {
    ASSERT_TRUE(WaitUntil([&] { return follower_->sample().serial == serial; }, kPatience))
        << follower_->sample().serial << "\n"
        << log();
  }
  void AwaitLine(const std::string& part) {
    ASSERT_TRUE(WaitUntil([&] { return log().find(part) != std::string::npos; }, kPatience)) << log();
  }
  void AwaitFile() const {
    ASSERT_TRUE(WaitUntil([&] { return std::filesystem::exists(options_.zone_file); }, kPatience));
  }
  std::optional<StoredZone> ReadBack() const {
    ZoneFile file(options_.zone_file, *NameFromText(kZone), {});
    return file.Read(kJournalOctets, kJournalVersions);
  }
  static std::vector<domain::ZoneChange> Devices(std::uint64_t first, std::uint64_t last) {
    std::vector<domain::ZoneChange> changes;
    for (std::uint64_t n = first; n < last; ++n) changes.push_back(Published(n));
    return changes;
  }

  ZoneFiles files_;
  Options options_ = files_.options();
  KeysBeside beside_;
  mutable Mutex mutex_;
  std::string log_ GUARDED_BY(mutex_);
  std::unique_ptr<ZoneFollower> follower_;
};

TEST_F(FollowerTest, ItHasEveryVersionThatItHasSeenAsACopy) {
  Active active(options_, Devices(0, 300), 7, 0, 10);
  Follow(active.server.port());
  AwaitSerial(7);
  AwaitFile();
  // Added, taken away, with a note in place of a TLSA, signed again, and back.
  active.Publish({Published(500), Gone(1, 2)}, 8);
  AwaitSerial(8);
  active.Publish({Deactivated(2, 2), Published(3, 2)}, 9);
  AwaitSerial(9);
  active.signs_at = active.clock.Now();
  active.store.Publish({}, 40, 10, active.signs_at);
  AwaitSerial(10);
  active.Publish({Published(1, 3), Published(2, 3)}, 12);
  AwaitSerial(12);
  EXPECT_EQ(follower_->sample().whole, 1u) << log();
  EXPECT_EQ(follower_->sample().differences, 4u);
  follower_->Stop();
  const auto kept = ReadBack();
  ASSERT_TRUE(kept);
  EXPECT_TRUE(kept->copied);
  EXPECT_FALSE(kept->torn);
  EXPECT_EQ(kept->serial, 12u);
  EXPECT_TRUE(ContentOf(*kept) == ContentOf(active.store)) << "octet for octet, with the signatures";
  EXPECT_EQ(kept->journal.size(), 4u);
  EXPECT_EQ(kept->journal.After(7).size(), 4u);
}

TEST_F(FollowerTest, AfterARestartItGoesOnWithDifferences) {
  Active active(options_, Devices(0, 100), 7);
  Follow(active.server.port());
  AwaitSerial(7);
  AwaitFile();
  follower_.reset();
  active.Publish(Devices(100, 110), 8);
  active.Publish(Devices(110, 120), 9);
  Follow(active.server.port());
  AwaitSerial(9);
  EXPECT_EQ(follower_->sample().whole, 0u);
  follower_->Stop();
  const auto kept = ReadBack();
  ASSERT_TRUE(kept);
  EXPECT_TRUE(ContentOf(*kept) == ContentOf(active.store));
  EXPECT_EQ(kept->journal.After(7).size(), 1u) << "as it was told: one step over both";
}

TEST_F(FollowerTest, ItGoesOnWhenTheOtherOneWasAwayAndFindsTheOneThatIsActive) {
  lab::Ports ports;
  const std::uint16_t port = *ports.Take();
  auto active = std::make_unique<Active>(options_, Devices(0, 50), 7, port);
  Follow({{"127.0.0.77", port}, {"127.0.0.1", port}});  // nobody listens at the first one
  AwaitSerial(7);
  EXPECT_THAT(log(), Not(HasSubstr("is not kept up to date"))) << "one of them answers";
  active.reset();
  AwaitLine("is not kept up to date, 127.0.0.1 port " + std::to_string(port));
  EXPECT_FALSE(follower_->sample().follows);
  Active again(options_, Devices(0, 60), 300, port);
  AwaitSerial(300);
  EXPECT_EQ(follower_->sample().whole, 2u) << "no difference leads there";
  follower_->Stop();
  const auto kept = ReadBack();
  ASSERT_TRUE(kept);
  EXPECT_EQ(kept->journal.size(), 0u) << "the active one told none, so this one tells none";
}

// Where it looks while nothing changes, the one that stands by has nothing to say.
TEST_F(FollowerTest, OneThatRefusesIsNoTroubleWhileTheOtherAnswers) {
  Active active(options_, Devices(0, 20), 7);
  const auto other = ListenTcp("127.0.0.1", 0);
  ASSERT_TRUE(other.ok());
  Follow({{"127.0.0.1", LocalPort(*other)}, {"127.0.0.1", active.server.port()}},
         std::chrono::milliseconds(1));
  int refused = 0;
  const auto refuse = [&] { return (refused += AcceptTcp(*other) ? 1 : 0) >= 5; };
  ASSERT_TRUE(WaitUntil(refuse, kPatience)) << refused << log();
  active.Publish({Published(30)}, 8);
  ASSERT_TRUE(WaitUntil([&] { return AcceptTcp(*other), follower_->sample().serial == 8; }, kPatience))
      << log();
  EXPECT_TRUE(follower_->sample().follows);
  EXPECT_THAT(log(), Not(HasSubstr("is not kept up to date")));
}

// It stays said when the file is opened a second time, although what was not whole is not there any more.
TEST_F(FollowerTest, AFileOfItsOwnThatHasLostItsEndIsACopyFromThenOn) {
  {
    Active former(options_, Devices(0, 20), 6);
    ZoneFile file(options_.zone_file, *NameFromText(kZone), {});
    former.store.KeepIn(file);
    former.Publish({Published(30)}, 7);
    AwaitFile();
    former.Publish({Published(31)}, 8);
    former.Publish({Published(32)}, 9);
  }
  ASSERT_FALSE(ReadBack()->copied);
  std::filesystem::resize_file(options_.zone_file, std::filesystem::file_size(options_.zone_file) - 1);
  Follow({{"127.0.0.77", 1}});
  AwaitLine("is used up to serial 8");
  AwaitLine("is not kept up to date");
  follower_.reset();
  const auto kept = ReadBack();
  ASSERT_TRUE(kept);
  EXPECT_EQ(kept->serial, 8u);
  EXPECT_FALSE(kept->torn);
  EXPECT_TRUE(kept->copied);
}

TEST_F(FollowerTest, AVersionBehindTheCopyIsNotTaken) {
  lab::Ports ports;
  const std::uint16_t port = *ports.Take();
  auto active = std::make_unique<Active>(options_, Devices(0, 50), 700, port);
  Follow(port);
  AwaitSerial(700);
  active.reset();
  Active former(options_, Devices(0, 40), 690, port);
  AwaitLine("its serial 690 is behind that of the copy, 700");
  EXPECT_EQ(follower_->sample().serial, 700u);
}

TEST_F(FollowerTest, WithAnotherTsigKeyItHasNothingAndSaysSo) {
  Active active(options_, Devices(0, 5), 7);
  files_.WriteSecret("other.secret", "IiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIiI=");
  options_.tsig_secret_file = files_.path("other.secret");
  Follow(active.server.port());
  AwaitLine("NOTAUTH, BADSIG");
  EXPECT_EQ(follower_->sample().serial, 0u);
  EXPECT_FALSE(std::filesystem::exists(options_.zone_file));
}

// RFC 9103: nobody on the way reads the copy, and it is asked for where plain TCP is refused.
class FollowerTlsTest : public FollowerTest {
 protected:
  FollowerTlsTest() {
    std::signal(SIGPIPE, SIG_IGN);  // as registryd does: OpenSSL writes to peers that have gone
    certificates_.Issue("transfer", "primary.iotregistry.test");
    certificates_.Issue("other", "other.iotregistry.test");
    SetFiles(options_, certificates_, "transfer");
  }
  static void SetFiles(Options& options, const TransferCertificates& issued, const std::string& name) {
    options.tls.files.certificate = issued.path(name + ".pem");
    options.tls.files.key = issued.path(name + ".key");
    options.tls.files.client_ca = issued.path("transfer-ca.pem");
  }
  const TransferCertificates certificates_;
};

TEST_F(FollowerTlsTest, ItFollowsOverTlsAndShowsItsCertificate) {
  // A certificate must be of a secondary of this name, or of a node.
  options_.secondaries.push_back({.name = "ns1", .address = "127.0.0.1", .tls_name = "ns1.example"});
  Active active(options_, Devices(0, 300), 7, 0, 0, /*plain=*/false);
  Follow(active.server.tls_port());
  AwaitSerial(7);
  active.Publish(Devices(300, 310), 8);
  AwaitSerial(8);
  EXPECT_EQ(follower_->sample().differences, 1u);
  EXPECT_GE(active.server.tls_made(), 1u);
  EXPECT_EQ(active.server.tls_refused(), 0u);
  follower_->Stop();
  const auto kept = ReadBack();
  ASSERT_TRUE(kept);
  EXPECT_TRUE(ContentOf(*kept) == ContentOf(active.store));
}

// The zone is not shown to whoever stands at the other one's address, nor asked for over plain TCP.
TEST_F(FollowerTlsTest, OneThatShowsAnotherNameOrIsOfAnotherCaIsNotAsked) {
  const TransferCertificates strangers;
  strangers.Issue("transfer", "primary.iotregistry.test");
  for (const auto& [issued, name, why] :
       {std::tuple{&certificates_, "other", "hostname mismatch"}, std::tuple{&strangers, "transfer", ""}}) {
    Options theirs = options_;
    SetFiles(theirs, *issued, name);
    const Active active(theirs, Devices(0, 5), 7);
    Follow(active.server.tls_port());
    AwaitLine("port " + std::to_string(active.server.tls_port()) + ": TLS: " + why);
    EXPECT_EQ(follower_->sample().serial, 0u);
    EXPECT_EQ(active.responder.counters().axfr, 0u);
    follower_.reset();
  }
}

TEST_F(FollowerTlsTest, WhatIsWrongWithItsOwnCertificateIsSaid) {
  const TransferCertificates strangers;
  strangers.Issue("transfer", "primary.iotregistry.test");
  Options theirs = options_;
  theirs.tls.files.client_ca = strangers.path("transfer-ca.pem");
  const Active active(theirs, Devices(0, 5), 7);
  Follow(active.server.tls_port());
  AwaitLine("is not kept up to date, 127.0.0.1 port " + std::to_string(active.server.tls_port()));
  EXPECT_EQ(follower_->sample().serial, 0u);
  follower_.reset();
  options_.tls.files.key = certificates_.path("other.key");
  Follow(active.server.tls_port());
  AwaitLine("other.key: is not the certificate's key");
}

// Whoever has the TSIG key has not the zone's keys.
TEST_F(FollowerTest, AZoneThatOtherKeysHaveSignedIsNotKept) {
  Options others = options_;
  files_.WriteKey("other-ksk.pem");
  others.ksk_file = files_.path("other-ksk.pem");
  Active active(others, Devices(0, 5), 7);
  Follow(active.server.port());
  AwaitLine("a DNSKEY set that no known key has signed");
  EXPECT_EQ(follower_->sample().serial, 0u);
  EXPECT_FALSE(std::filesystem::exists(options_.zone_file));
}

// As when the KSK has rolled over while this node was away: the active one has left the new key beside the ledger.
TEST_F(FollowerTest, AKeyThatIsKnownBesideTheLedgerIsBelieved) {
  Options others = options_;
  files_.WriteKey("other-ksk.pem");
  others.ksk_file = files_.path("other-ksk.pem");
  Active active(others, Devices(0, 5), 7);
  std::atomic<int> asked{0};
  beside_ = [&, key = PublicZoneKey(others.ksk_file, kKskFlags)]() -> Result<std::vector<Bytes>> {
    ++asked;
    return std::vector<Bytes>{key->dnskey};
  };
  Follow(active.server.port());
  AwaitSerial(7);
  active.Publish({Published(9)}, 8);
  AwaitSerial(8);
  EXPECT_EQ(asked, 1) << "the DNSKEY set leads on from then on";
  EXPECT_THAT(log(), Not(HasSubstr("is not kept up to date")));
}

TEST_F(FollowerTest, WhatIsKnownBesideTheLedgerHelpsNobodyElse) {
  Options others = options_;
  files_.WriteKey("other-ksk.pem");
  files_.WriteKey("third-ksk.pem");
  others.ksk_file = files_.path("other-ksk.pem");
  Active active(others, Devices(0, 5), 7);
  beside_ = [key = PublicZoneKey(files_.path("third-ksk.pem"), kKskFlags)]() -> Result<std::vector<Bytes>> {
    return std::vector<Bytes>{key->dnskey};
  };
  Follow(active.server.port());
  AwaitLine("a DNSKEY set that no known key has signed");
  EXPECT_EQ(follower_->sample().serial, 0u);
  follower_.reset();
  beside_ = []() -> Result<std::vector<Bytes>> {
    return Error::Make(Code::kFailed, "ledger_failed", "the server is away");
  };
  Follow(active.server.port());
  AwaitLine("a DNSKEY set that no known key has signed, for now; the server is away");
}

// RFC 4035 §5.3.1: of a zone of once, which its keys have signed, whoever has the TSIG key may have a record.
TEST_F(FollowerTest, AZoneWhoseSignaturesHaveExpiredIsNotKept) {
  Active active(options_, Devices(0, 5), 7, 0, 40);
  Follow(active.server.port());
  AwaitLine("a DNSKEY set that no known key has signed");
  EXPECT_EQ(follower_->sample().serial, 0u);
}

TEST_F(FollowerTest, AVersionThatIsSignedForLaterIsNotKept) {
  Active active(options_, Devices(0, 5), 7);
  Follow(active.server.port());
  AwaitSerial(7);
  active.signs_at.micros += 3 * kDay;
  active.Publish({Published(9)}, 8);
  AwaitLine("a SOA without a signature of the zone's keys that holds now");
  EXPECT_EQ(follower_->sample().serial, 7u);
}

TEST_F(FollowerTest, ItStopsWhileNobodyAnswers) {
  auto silent = ListenTcp("127.0.0.1", 0);
  ASSERT_TRUE(silent.ok());
  Follow(LocalPort(*silent));
  ASSERT_TRUE(WaitUntil([&] { return bool(AcceptTcp(*silent)); }, kPatience)) << log();
  follower_->Stop();
  EXPECT_EQ(follower_->sample().serial, 0u);
}

TEST_F(FollowerTest, ItStopsWhileATransferNeverEnds) {
  Endless active(options_);
  Follow(active.port());
  ASSERT_TRUE(WaitUntil([&] { return active.sent() > 20; }, kPatience)) << log();
  follower_->Stop();
  EXPECT_EQ(follower_->sample().serial, 0u);
  EXPECT_EQ(log(), "") << "that it was stopped is no fault";
}

// What a start takes over from the copy: everything but the new SOA.
TEST_F(FollowerTest, AStartSignsNothingAnewAndTellsDifferences) {
  Active active(options_, Devices(0, 200), 7);
  Follow(active.server.port());
  AwaitSerial(7);
  AwaitFile();
  active.Publish(Devices(200, 210), 8);
  AwaitSerial(8);
  follower_.reset();

  ZoneFile file(options_.zone_file, *NameFromText(kZone), {});
  ZoneStore next(*ProfileOf(options_), kJournalOctets, kJournalVersions, active.clock.Now());
  next.KeepIn(file);
  auto kept = file.Read(kJournalOctets, kJournalVersions);
  ASSERT_TRUE(kept && kept->copied);
  kept->torn = true;  // as the publisher does it
  next.Adopt(std::move(*kept), active.clock.Now());
  auto changes = Devices(0, 210);
  changes.push_back(Published(999));
  next.Load(changes, active.clock.Now());
  ASSERT_TRUE(next.FinishLoad(513, active.clock.Now()));
  for (const std::uint32_t serial : {7u, 8u})
    EXPECT_EQ(next.Since(serial).kind, Transfer::Kind::kIncremental) << serial;
  EXPECT_EQ(next.Since(9).kind, Transfer::Kind::kFull) << "one that was ahead of the copy";
  const Content before = ContentOf(active.store), after = ContentOf(next);
  std::vector<Bytes> fresh;
  std::ranges::set_difference(after, before, std::back_inserter(fresh));
  EXPECT_EQ(fresh.size(), 4u) << "the SOA, the new device, its NSEC3 and the one before that";
  const auto own = ReadBack();
  ASSERT_TRUE(own);
  EXPECT_FALSE(own->copied) << "the last version is this node's own";
}

}  // namespace
}  // namespace registry::zone::testing
