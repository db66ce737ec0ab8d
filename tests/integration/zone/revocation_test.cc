// How long a device that is revoked is still believed, and a new one not yet, by a real validating resolver (Unbound) behind
// a real secondary (NSD). The figures of bridge/zone/REVOCATION.md rest on this. What a resolver will do is told by the TTL
// that it gives with its answer, so nothing here depends on how fast the machine is.
#include <gmock/gmock.h>

#include "bridge/zone/wire.h"
#include "tests/integration/zone/resolver_process.h"
#include "tests/integration/zone/zone_lab.h"

namespace registry::zone::testing {
namespace {

constexpr std::uint32_t kShort = 2, kLong = 600;

std::string NameOf(std::uint64_t n) { return DeviceName(DeviceOf(n), kZone); }

class RevocationTest : public ZoneLab {
 protected:
  void Begin(std::uint32_t tlsa_ttl, std::uint32_t negative_ttl, const std::string& resolver = {}) {
    tune_ = [=, this](Options& options) {
      options.tlsa_ttl = tlsa_ttl;
      options.negative_ttl = negative_ttl;
      options.revocation_served = [this](const std::string& secondary, auto after) {
        const std::lock_guard lock(mutex_);
        measured_.emplace_back(secondary, after);
      };
    };
    StartBoth();
    Show({Published(1), Published(9)});  // the last device takes `_device` with it
    ASSERT_TRUE(resolver_.Start(secondary_->port(), resolver)) << resolver_.Log();
  }
  // Commits it as decisions do, with the job that waits for it, and returns when the secondary serves it.
  void Show(std::vector<domain::ZoneChange> changes) {
    shown_ += changes.size();
    ASSERT_TRUE(ledger_->Commit(Decided(std::move(changes), SystemClock().Now())).ok());
    ASSERT_TRUE(Eventually([this] { return visible() == shown_; })) << log_ << secondary_->Log();
  }

  std::size_t shown_ = 0;
  std::vector<std::pair<std::string, std::chrono::microseconds>> measured_;
  ResolverProcess resolver_{files_};
};

TEST_F(RevocationTest, RevokedDeviceIsNotBelievedBehindTheTtlOfItsRecord) {
  Begin(kShort, kShort);
  const Heard primed = resolver_.Ask(NameOf(1));
  ASSERT_TRUE(primed.believed()) << resolver_.Log();
  EXPECT_LE(primed.ttl, kShort);
  Show({Gone(1, 2)});
  const Heard cached = resolver_.Ask(NameOf(1));
  EXPECT_TRUE(cached.believed() || cached.nxdomain()) << int{cached.rcode};
  EXPECT_LE(cached.ttl, kShort) << "what is left of it";
  ASSERT_TRUE(Eventually([&] { return resolver_.Ask(NameOf(1)).nxdomain(); })) << resolver_.Log();
  const std::lock_guard lock(mutex_);
  ASSERT_EQ(measured_.size(), 1u);
  EXPECT_EQ(measured_[0].first, "secondary");
  EXPECT_GT(measured_[0].second.count(), 0);
}

// Nothing that the registry does reaches a resolver before.
TEST_F(RevocationTest, RevokedDeviceIsBelievedForAsLongAsItsTtlSays) {
  Begin(kLong, kShort);
  ASSERT_TRUE(resolver_.Ask(NameOf(1)).believed());
  Show({Deactivated(1, 2)});
  const Heard cached = resolver_.Ask(NameOf(1));
  EXPECT_TRUE(cached.believed());
  EXPECT_LE(cached.ttl, kLong);
  const Heard served = AskPort(secondary_->port(), NameOf(1));
  ASSERT_TRUE(served.answered);
  EXPECT_EQ(served.records, 0u) << "the secondary does not say so any more";
}

TEST_F(RevocationTest, DeactivatedDeviceHasANameAndNoRecord) {
  Begin(kShort, kShort);
  ASSERT_TRUE(resolver_.Ask(NameOf(1)).believed());
  Show({Deactivated(1, 2)});
  const auto no_data = [](const Heard& heard) {
    return heard.answered && heard.rcode == 0 && heard.validated && heard.records == 0;
  };
  ASSERT_TRUE(Eventually([&] { return no_data(resolver_.Ask(NameOf(1))); })) << resolver_.Log();
  EXPECT_TRUE(resolver_.Ask(NameOf(1), kTypeTxt).believed());
}

// RFC 2308 §5: who was told that a name is not there may keep it for the SOA's minimum.
TEST_F(RevocationTest, NewDeviceIsBelievedWhenTheNegativeTtlIsOver) {
  Begin(kShort, kShort);
  ASSERT_TRUE(resolver_.Ask(NameOf(2)).nxdomain()) << resolver_.Log();
  Show({Published(2)});
  ASSERT_TRUE(Eventually([&] { return resolver_.Ask(NameOf(2)).believed(); })) << resolver_.Log();
}

// RFC 8198 would let it say so of every name that the NSEC3 record covers. Unbound does that with NSEC alone: a name that
// nobody has asked for is asked for.
TEST_F(RevocationTest, NewDeviceIsDeniedOnlyToWhoHasAskedForIt) {
  Begin(kShort, kLong, " aggressive-nsec: yes\n");
  ASSERT_TRUE(resolver_.Ask(NameOf(2)).nxdomain());
  Show({Published(2), Published(3)});
  EXPECT_TRUE(resolver_.Ask(NameOf(2)).nxdomain());
  EXPECT_TRUE(resolver_.Ask(NameOf(3)).believed());
}

// A resolver's operator who sets it keeps revoked devices for that long.
TEST_F(RevocationTest, CacheMinTtlOutlivesTheTtl) {
  Begin(kShort, kShort, " cache-min-ttl: 600\n");
  ASSERT_TRUE(resolver_.Ask(NameOf(1)).believed());
  Show({Gone(1, 2)});
  const Heard cached = resolver_.Ask(NameOf(1));
  EXPECT_TRUE(cached.believed());
  EXPECT_GT(cached.ttl, kShort);
}

// RFC 8767. Who asks behind the TTL is told the old record, and to keep it for 30 s more.
TEST_F(RevocationTest, ServeExpiredTellsTheOldRecordBehindItsTtl) {
  Begin(kShort, kShort, " serve-expired: yes\n");
  ASSERT_TRUE(resolver_.Ask(NameOf(1)).believed());
  Show({Gone(1, 2)});
  ASSERT_TRUE(Eventually([&] {
    const Heard heard = resolver_.Ask(NameOf(1));
    return heard.believed() && heard.ttl > kShort;
  })) << resolver_.Log();
}

}  // namespace
}  // namespace registry::zone::testing
