// The publisher between a ledger and the zone: what becomes visible when, what a start brings back, what it refuses.
#include "bridge/zone/publisher.h"

#include <gtest/gtest.h>

#include <atomic>
#include <condition_variable>
#include <mutex>

#include "bridge/zone/keys.h"
#include "bridge/zone/serials.h"
#include "bridge/zone/wire.h"
#include "tests/support/soft_token.h"
#include "tests/unit/bridge/zone/fake_secondary.h"

namespace registry::zone::testing {
namespace {

constexpr std::chrono::seconds kLimit{20};
class MovableClock : public Clock {
 public:
  UtcTime Now() const override { return SystemClock().Now() + std::chrono::seconds(ahead.load()); }
  std::atomic<std::int64_t> ahead{0};
};

class PublisherTest : public ::testing::Test {
 protected:
  void Start(Options options) {
    auto created = Publisher::Create(
        std::move(options), *ledger_, [this](const auto& changes) { return Seen(changes); },
        [this](int, const std::string& line) {
          const std::lock_guard lock(mutex_);
          log_ += line + "\n";
        });
    ASSERT_TRUE(created.ok()) << created.error().message;
    publisher_ = std::move(*created);
    ASSERT_TRUE(publisher_->Start().ok());
  }
  bool Seen(const std::vector<domain::ZoneChange>& changes) {
    std::unique_lock lock(mutex_);
    ++calls_;
    woken_.notify_all();
    if (!woken_.wait_for(lock, kLimit, [this] { return !blocked_; })) return false;
    if (calls_ <= refusals_) return false;
    seen_.insert(seen_.end(), changes.begin(), changes.end());
    return true;
  }
  bool WaitSeen(std::size_t count) {
    std::unique_lock lock(mutex_);
    return woken_.wait_for(lock, kLimit, [&] { return seen_.size() >= count; });
  }
  template <class Condition>
  bool WaitUntil(Condition condition) {
    const auto until = std::chrono::steady_clock::now() + kLimit;
    while (!condition()) {
      std::unique_lock lock(mutex_);
      woken_.wait_for(lock, std::chrono::milliseconds(5));
      if (std::chrono::steady_clock::now() > until) return false;
    }
    return true;
  }
  void Commit(std::vector<domain::ZoneChange> changes) {
    domain::Changeset changeset;
    changeset.zone = std::move(changes);
    ASSERT_TRUE(ledger_->Commit(std::move(changeset)).ok());
  }
  bool Logged(const std::string& part) {
    const std::lock_guard lock(mutex_);
    return log_.find(part) != std::string::npos;
  }
  void Release() {
    const std::lock_guard lock(mutex_);
    blocked_ = false;
    woken_.notify_all();
  }
  TsigKey Key() const { return *LoadTsigKey(kTsigName, files_.path("tsig.secret")); }
  ledger::Seq Cursor() const { return ledger_->LoadSink(ledger::Sink::kZone)->cursor; }

  ZoneFiles files_;
  std::unique_ptr<ledger::Ledger> ledger_ = ledger::OpenMemoryLedger();
  std::mutex mutex_;
  std::condition_variable woken_;
  std::vector<domain::ZoneChange> seen_;
  int calls_ = 0, refusals_ = 0;
  bool blocked_ = false;  // `visible` waits while this is set
  std::string log_;
  MovableClock clock_;  // outlives the publisher, whose thread reads it to the end
  std::unique_ptr<Publisher> publisher_;
};

TEST_F(PublisherTest, ChangesAreToldInOrderAndTheCursorFollows) {
  Start(files_.options());
  Commit({Published(1), Published(2)});
  Commit({Gone(1, 2)});
  ASSERT_TRUE(WaitSeen(3));
  EXPECT_EQ(seen_[0], Published(1));
  EXPECT_EQ(seen_[2], Gone(1, 2));
  EXPECT_TRUE(WaitUntil([&] { return Cursor() == 3 && publisher_->snapshot().pending == 0; }));
  EXPECT_EQ(publisher_->snapshot().names, 1u);
  EXPECT_NE(publisher_->snapshot().port, 0);
}

// Behind simulators/token, which loses its token as told.
TEST_F(PublisherTest, WithoutItsKeysNothingIsSignedAndNothingIsLost) {
  const test::SoftToken token;
  const std::string lossy = REGISTRY_BINARY_DIR "/bin/lossy-token.so";
  setenv("LOSSY_TOKEN_MODULE", test::SoftToken::kModule, 1);
  setenv("LOSSY_TOKEN_FAULT", token.folder().In("fault").c_str(), 1);
  Options options = files_.options();
  options.ksk_file = token.Uri("ksk", lossy);
  options.zsk_file = token.Uri("zsk", lossy);
  for (const std::string& uri : {options.ksk_file, options.zsk_file}) {
    ASSERT_TRUE(keys::GenerateTokenKey(uri).ok());
  }
  Start(options);
  Commit({Published(1)});
  ASSERT_TRUE(WaitSeen(1));
  token.folder().Write("fault", std::string_view("removed"));
  const auto serial = publisher_->snapshot().serial;
  Commit({Published(2)});
  ASSERT_TRUE(WaitUntil([&] { return Logged("nothing is signed for now"); }));
  EXPECT_EQ(publisher_->snapshot().serial, serial);
  EXPECT_EQ(publisher_->snapshot().names, 1u);
  token.folder().Write("fault", std::string_view(""));
  ASSERT_TRUE(WaitSeen(2));
  EXPECT_EQ(publisher_->snapshot().names, 2u);
  publisher_.reset();  // before the token
}

TEST_F(PublisherTest, CursorWaitsForTheConsequence) {
  refusals_ = 2;
  Start(files_.options());
  Commit({Published(1)});
  ASSERT_TRUE(WaitUntil([&] {
    const std::lock_guard lock(mutex_);
    return calls_ >= 1;
  }));
  ASSERT_TRUE(WaitSeen(1));
  EXPECT_EQ(calls_, 3);
  EXPECT_TRUE(WaitUntil([&] { return Cursor() == 1; }));
}

TEST_F(PublisherTest, UnreachableSecondaryKeepsChangesInvisible) {
  Options options = files_.options();
  options.secondaries = {{"nobody", "127.0.0.1", 1}};
  Start(options);
  Commit({Published(1)});
  ASSERT_TRUE(WaitUntil([&] {
    const Snapshot snapshot = publisher_->snapshot();
    return snapshot.names == 1 && snapshot.secondaries.size() == 1 && !snapshot.secondaries[0].reachable &&
           snapshot.secondaries[0].behind.count() > 0;
  }));
  EXPECT_EQ(publisher_->snapshot().pending, 1u);
  EXPECT_EQ(calls_, 0);
  EXPECT_EQ(Cursor(), 0u);
}

TEST_F(PublisherTest, SecondaryThatIsAwayEndsNeitherRevocationNorSigningForTheOthers) {
  FakeSecondary healthy(Key()), away(Key());
  healthy.Follow();
  Options options = files_.options();
  options.secondaries = {healthy.address("healthy"), away.address("away")};
  options.in_flight_max = 5;
  options.batch_max = 2;
  options.signature_validity = std::chrono::seconds(20);
  options.signature_refresh = std::chrono::seconds(17);
  Start(options);
  std::vector<domain::ZoneChange> wanted;
  for (std::uint64_t n = 0; n < 40; ++n) {
    wanted.push_back(Published(n));
    Commit({wanted.back()});
  }
  ASSERT_TRUE(WaitUntil([&] { return publisher_->snapshot().names == 40; })) << "changes beyond the bound";
  wanted.push_back(Gone(7, 2));
  Commit({wanted.back()});
  ASSERT_TRUE(WaitUntil([&] { return publisher_->snapshot().names == 39; })) << "a revocation";
  const std::uint32_t revoked = publisher_->snapshot().serial;
  ASSERT_TRUE(WaitUntil([&] { return publisher_->snapshot().serial > revoked; })) << "signing again";
  EXPECT_TRUE(WaitUntil([&] { return healthy.told() > revoked; }));
  EXPECT_EQ(publisher_->snapshot().pending, 41u);
  EXPECT_TRUE(Logged("more than 5 changes are not visible because of away"));
  EXPECT_EQ(calls_, 0);
  EXPECT_EQ(Cursor(), 0u);
  away.Follow();
  ASSERT_TRUE(WaitSeen(wanted.size()));
  EXPECT_EQ(seen_, wanted) << "each once, in order, those read again too";
  EXPECT_TRUE(WaitUntil([&] { return Cursor() == 41 && publisher_->snapshot().pending == 0; }));
}

TEST_F(PublisherTest, RevocationIsMeasuredAtEachSecondaryFromItsDecisionOn) {
  FakeSecondary healthy(Key()), away(Key());
  healthy.Follow();
  std::vector<std::pair<std::string, std::chrono::microseconds>> measured;
  Options options = files_.options();
  options.secondaries = {healthy.address("healthy"), away.address("away")};
  options.revocation_served = [&](const std::string& secondary, auto after) {
    const std::lock_guard lock(mutex_);
    measured.emplace_back(secondary, after);
  };
  Start(options);
  const auto count = [&] {
    const std::lock_guard lock(mutex_);
    return measured.size();
  };
  const UtcTime decided = SystemClock().Now();
  ASSERT_TRUE(ledger_->Commit(Decided({Published(1), Deactivated(2, 2)}, decided)).ok());
  ASSERT_TRUE(WaitUntil([&] { return count() == 1; }));
  ASSERT_TRUE(WaitUntil([&] {
    const auto secondaries = publisher_->snapshot().secondaries;
    return secondaries[0].revocation_waits.count() == 0 && secondaries[1].revocation_waits.count() > 0;
  }));
  away.Follow();
  ASSERT_TRUE(WaitUntil([&] { return count() == 2; }));
  ASSERT_TRUE(WaitUntil([&] { return publisher_->snapshot().secondaries[1].revocation_waits.count() == 0; }));
  publisher_.reset();
  EXPECT_EQ(measured[0].first, "healthy");
  EXPECT_EQ(measured[1].first, "away");
  EXPECT_LE(measured[0].second, measured[1].second);
  EXPECT_LE(measured[1].second, SystemClock().Now() - decided);
}

TEST_F(PublisherTest, ASecondaryThatIsLeftBehindHoldsNobodyUpUntilItHasCaughtUp) {
  FakeSecondary healthy(Key()), away(Key());
  healthy.Follow();
  Options options = files_.options();
  options.secondaries = {healthy.address("healthy"), away.address("away")};
  options.lag_limit = std::chrono::seconds(1);
  Start(options);
  Commit({Published(1)});
  ASSERT_TRUE(WaitSeen(1));
  EXPECT_TRUE(WaitUntil([&] { return publisher_->snapshot().secondaries[1].left_behind; }));
  EXPECT_FALSE(publisher_->snapshot().secondaries[0].left_behind);
  EXPECT_TRUE(Logged("secondary away is left behind: it has served nothing new for 1 s"));
  Commit({Published(2)});
  ASSERT_TRUE(WaitSeen(2));
  EXPECT_TRUE(publisher_->snapshot().secondaries[1].left_behind);
  away.Follow();
  ASSERT_TRUE(WaitUntil([&] { return !publisher_->snapshot().secondaries[1].left_behind; }));
  EXPECT_TRUE(Logged("secondary away has caught up after "));
  Commit({Published(3)});
  EXPECT_TRUE(WaitSeen(3));
  EXPECT_TRUE(WaitUntil([&] { return publisher_->snapshot().secondaries[1].behind.count() == 0; }));
}

TEST_F(PublisherTest, NothingIsVisibleThatNobodyServes) {
  FakeSecondary away(Key());
  Options options = files_.options();
  options.secondaries = {away.address("away")};
  options.lag_limit = std::chrono::seconds(1);
  Start(options);
  Commit({Published(1)});
  ASSERT_TRUE(WaitUntil([&] { return publisher_->snapshot().secondaries[0].left_behind; }));
  EXPECT_EQ(publisher_->snapshot().pending, 1u);
  EXPECT_EQ(calls_, 0);
  away.Follow();
  EXPECT_TRUE(WaitSeen(1));
}

TEST_F(PublisherTest, RefusedContentIsNotToldEitherWhenReadAgain) {
  FakeSecondary away(Key());
  Options options = files_.options();
  options.secondaries = {away.address("away")};
  options.in_flight_max = 0;
  Start(options);
  domain::ZoneChange oversized = Published(1, 2);
  oversized.tlsa[0].data.resize(20'000);
  Commit({oversized, Published(2)});
  ASSERT_TRUE(WaitUntil([&] { return publisher_->snapshot().names == 1; }));
  Commit({Published(1, 3)});
  ASSERT_TRUE(WaitUntil([&] { return publisher_->snapshot().names == 2; }));
  away.Follow();
  ASSERT_TRUE(WaitUntil([&] { return Cursor() == 3; }));
  EXPECT_EQ(seen_, (std::vector<domain::ZoneChange>{Published(2), Published(1, 3)}));
}

TEST_F(PublisherTest, ConsequenceThatWaitsHoldsUpNoPublishing) {
  FakeSecondary secondary(Key());
  secondary.Follow();
  Options options = files_.options();
  options.secondaries = {secondary.address("secondary")};
  blocked_ = true;
  Start(options);
  Commit({Published(1)});
  ASSERT_TRUE(WaitUntil([&] {
    const std::lock_guard lock(mutex_);
    return calls_ == 1;
  }));
  const std::uint32_t first = publisher_->snapshot().serial;
  Commit({Published(2)});
  EXPECT_TRUE(WaitUntil([&] { return secondary.told() > first && publisher_->snapshot().names == 2; }));
  secondary.BeSilent();
  EXPECT_TRUE(WaitUntil([&] { return !publisher_->snapshot().secondaries[0].reachable; })) << "still probed";
  EXPECT_EQ(Cursor(), 0u);
  Release();
  secondary.Follow();
  EXPECT_TRUE(WaitUntil([&] { return Cursor() == 2; }));
}

TEST_F(PublisherTest, Rfc1982_3_2_SerialTooFarAheadIsNotFollowed) {
  FakeSecondary odd(Key());
  Options options = files_.options();
  options.secondaries = {odd.address("odd")};
  Start(options);
  const std::uint32_t newest = publisher_->snapshot().serial;
  odd.Serve(newest + 0x7fffffffu);
  ASSERT_TRUE(WaitUntil([&] { return Logged("too far ahead of our newest " + std::to_string(newest)); }));
  EXPECT_EQ(publisher_->snapshot().serial, newest);
  EXPECT_EQ(std::stoul(ledger_->LoadSink(ledger::Sink::kZone)->state), kReserve);
  odd.Serve(newest + 5000);  // a restored ledger looks like this
  EXPECT_TRUE(WaitUntil([&] { return publisher_->snapshot().serial == newest + 5001; }));
}

TEST_F(PublisherTest, EntriesFromBeforeTheStartDoNotBringBackWhatIsGone) {
  Commit({Published(1, 1)});
  Commit({Gone(1, 2)});
  Commit({Published(2, 1)});
  Commit({Published(2, 2)});
  Options options = files_.options();
  options.batch_max = 1;  // every old entry on its own: none may make a version
  Start(options);
  const std::uint32_t first = publisher_->snapshot().serial;
  ASSERT_TRUE(WaitSeen(4));
  EXPECT_EQ(publisher_->snapshot().serial, first);
  EXPECT_TRUE(WaitUntil([&] { return Cursor() == 4; }));
  EXPECT_EQ(publisher_->snapshot().names, 1u);
}

TEST_F(PublisherTest, Rfc1982_SerialNeverGoesBackOverManyStarts) {
  std::uint32_t highest = 0;
  for (std::uint64_t start = 0; start < 5; ++start) {
    Start(files_.options());
    EXPECT_GT(publisher_->snapshot().serial, highest);
    Commit({Published(start)});
    ASSERT_TRUE(WaitSeen(start + 1));
    ASSERT_TRUE(WaitUntil([&] { return publisher_->snapshot().names == start + 1; }));
    highest = publisher_->snapshot().serial;
    publisher_->Stop();
    publisher_.reset();
  }
}

TEST_F(PublisherTest, ReservedSerialsAreDurableBeforeTheyAreUsed) {
  std::uint32_t last = 0;
  for (int i = 0; i < 1000; ++i) {
    Serials serials(*ledger_);
    ASSERT_TRUE(serials.Open().ok());
    for (int j = 0; j <= i % 7; ++j) {
      const auto next = serials.Next();
      ASSERT_TRUE(next.ok());
      ASSERT_TRUE(last == 0 || SerialAhead(*next, last));
      last = *next;
      ASSERT_FALSE(SerialAhead(
          last, static_cast<std::uint32_t>(std::stoul(ledger_->LoadSink(ledger::Sink::kZone)->state))));
    }
  }
}

TEST_F(PublisherTest, SerialMovedPastAnotherIsDurableBeforeItIsUsed) {
  const auto stored = [&] { return std::stoul(ledger_->LoadSink(ledger::Sink::kZone)->state); };
  {
    Serials serials(*ledger_);
    ASSERT_TRUE(serials.Open().ok());
    ASSERT_EQ(*serials.Next(), 1u);
    ASSERT_TRUE(serials.Pass(1).ok());
    ASSERT_EQ(*serials.Next(), 2u) << "nothing to pass";
    ASSERT_TRUE(serials.Pass(100).ok());
    EXPECT_EQ(stored(), kReserve) << "what is reserved already needs no write";
    ASSERT_EQ(*serials.Next(), 101u);
    ASSERT_TRUE(serials.Pass(5000).ok());
    EXPECT_EQ(stored(), 5000u + kReserve);
    ASSERT_EQ(*serials.Next(), 5001u);
  }
  Serials again(*ledger_);
  ASSERT_TRUE(again.Open().ok());
  EXPECT_EQ(*again.Next(), 5000u + kReserve + 1);
}

// RFC 6781 §4.1.1.1: what caches hold was signed with the old key and validates with the old DNSKEY only.
TEST_F(PublisherTest, Rfc6781_OtherKeysThanTheZoneWasServedWithAreRefused) {
  Start(files_.options());
  const auto stored = [&] { return ledger_->LoadSink(ledger::Sink::kZone)->state; };
  const std::string before = stored();
  const auto tags = [&] {
    return std::to_string(LoadZoneKey(files_.path("ksk.pem"), kKskFlags)->tag) + "/" +
           std::to_string(LoadZoneKey(files_.path("zsk.pem"), kZskFlags)->tag);
  };
  EXPECT_EQ(before, "256 " + tags());
  publisher_.reset();
  Start(files_.options());
  EXPECT_EQ(stored(), "512 " + tags()) << "the same keys are no change";
  publisher_.reset();
  files_.WriteKey("zsk.pem");
  const auto start = [&](const std::string& accepted) {
    Options options = files_.options();
    options.new_keys = accepted;
    auto created = Publisher::Create(options, *ledger_, [](const auto&) { return true; }, {});
    const Status started = (*created)->Start();
    return started.ok() ? std::string("ok") : started.error().symbol + ": " + started.error().message;
  };
  const std::string refused = start("");
  EXPECT_TRUE(refused.starts_with("zone_keys_changed: ")) << refused;
  EXPECT_NE(refused.find("zone.new_keys = \"" + tags() + "\""), std::string::npos) << refused;
  EXPECT_EQ(start("1/2").substr(0, 17), "zone_keys_changed");
  EXPECT_EQ(start(tags()), "ok");
  EXPECT_EQ(start(""), "ok") << "they are the ones served before from then on";
}

TEST_F(PublisherTest, RefusedContentIsNeverToldAsVisible) {
  Start(files_.options());
  domain::ZoneChange oversized = Published(1, 2);
  oversized.tlsa[0].data.resize(20'000);
  Commit({Published(1, 1), oversized, Published(2)});
  Commit({Published(3)});
  ASSERT_TRUE(WaitUntil([&] { return Cursor() == 4; })) << "the cursor passes what is refused";
  EXPECT_EQ(seen_, (std::vector<domain::ZoneChange>{Published(2), Published(3)}));
  EXPECT_EQ(publisher_->snapshot().names, 2u);
}

TEST_F(PublisherTest, SignaturesAreRenewedBeforeTheyExpire) {
  Options options = files_.options();
  options.signature_validity = std::chrono::seconds(20);
  options.signature_refresh = std::chrono::seconds(17);
  Commit({Published(1)});
  Start(options);
  const std::uint32_t first = publisher_->snapshot().serial;
  EXPECT_TRUE(WaitUntil([&] { return publisher_->snapshot().serial > first; }));
}

TEST_F(PublisherTest, SignaturesThatAreAboutToExpireAreAnAlarm) {
  Options options = files_.options();
  options.clock = &clock_;
  Start(options);
  const std::int64_t first = publisher_->snapshot().first_expiry;
  EXPECT_GT(first, clock_.Now().seconds() + 12 * 86400);
  EXPECT_LE(first, clock_.Now().seconds() + 14 * 86400);
  EXPECT_FALSE(Logged("expires"));
  clock_.ahead = 12 * 86400;  // as after a sleep
  EXPECT_TRUE(WaitUntil([&] { return Logged("the first signature expires in "); }));
  EXPECT_TRUE(WaitUntil([&] { return Logged("signatures last long enough again"); }));
  EXPECT_TRUE(WaitUntil([&] { return publisher_->snapshot().first_expiry > first + 10 * 86400; }));
}

TEST_F(PublisherTest, ClockThatWasAheadIsNoticedAndTheZoneSignedAgain) {
  clock_.ahead = 86400;
  Options options = files_.options();
  options.clock = &clock_;
  Commit({Published(1)});
  Start(options);
  const std::int64_t first = publisher_->snapshot().first_expiry;
  const std::uint32_t serial = publisher_->snapshot().serial;
  clock_.ahead = 0;
  EXPECT_TRUE(WaitUntil([&] { return Logged("the clock went back: "); }));
  EXPECT_TRUE(WaitUntil([&] { return Logged("begin in the future"); }));
  EXPECT_FALSE(Logged("expires in -")) << "no time is negative";
  EXPECT_TRUE(WaitUntil([&] {
    const std::int64_t now_first = publisher_->snapshot().first_expiry;
    return now_first > 0 && now_first < first - 80'000;
  }));
  // One version, or two when the clock went back between the look at it and the signing of the SOA.
  const std::uint32_t versions = publisher_->snapshot().serial - serial;
  EXPECT_GE(versions, 1u);
  EXPECT_LE(versions, 2u);
}

// A Stop that waited for the secondary would run into ctest's limit.
TEST_F(PublisherTest, StopDoesNotWaitForASecondaryAndMayBeRepeated) {
  Options options = files_.options();
  options.secondaries = {{"nobody", "127.0.0.1", 1}};
  Start(options);
  Commit({Published(1)});
  publisher_->Stop();
  publisher_->Stop();
}

TEST_F(PublisherTest, UnusableOptionsAreRefusedByName) {
  const auto symbol_of = [&](auto change) {
    Options options = files_.options();
    change(options);
    auto created = Publisher::Create(options, *ledger_, [](const auto&) { return true; }, {});
    return created.ok() ? std::string("ok") : created.error().symbol;
  };
  using std::chrono::seconds;
  EXPECT_EQ(symbol_of([](Options&) {}), "ok");
  EXPECT_EQ(symbol_of([](Options& o) { o.zsk_file = o.ksk_file; }), "ok");
  EXPECT_EQ(symbol_of([](Options& o) { o.zone = "bad zone"; }), "zone_options_invalid");
  EXPECT_EQ(symbol_of([](Options& o) { o.name_servers.clear(); }), "zone_options_invalid");
  EXPECT_EQ(symbol_of([](Options& o) { o.glue.clear(); }), "zone_options_invalid");
  EXPECT_EQ(symbol_of([](Options& o) { o.glue[0].second = "not an address"; }), "zone_options_invalid");
  EXPECT_EQ(symbol_of([](Options& o) { o.glue[0].first = "ns1.elsewhere.test"; }), "zone_options_invalid");
  EXPECT_EQ(symbol_of([](Options& o) { o.contact = ""; }), "zone_options_invalid");
  EXPECT_EQ(symbol_of([](Options& o) { o.signature_refresh = o.signature_validity; }),
            "zone_options_invalid");
  EXPECT_EQ(symbol_of([](Options& o) { o.signature_validity = seconds(1); }), "zone_options_invalid");
  EXPECT_EQ(symbol_of([](Options& o) { o.batch_max = 0; }), "zone_options_invalid");
  EXPECT_EQ(symbol_of([](Options& o) { o.ksk_file = "none"; }), "zone_key_unreadable");
  EXPECT_EQ(symbol_of([](Options& o) { o.tsig_secret_file = "none"; }), "tsig_secret_unreadable");
}

}  // namespace
}  // namespace registry::zone::testing
