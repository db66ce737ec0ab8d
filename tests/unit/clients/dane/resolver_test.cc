// Look-ups against a real NSD and a real Unbound over TLS: what is signed is believed, nothing else is.
#include "clients/dane/resolver.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <thread>

#include "clients/dane/getdns_context.h"
#include "tests/support/loopback.h"
#include "tests/unit/clients/dane/world.h"

namespace registry::clients {
namespace {

const std::string kHash = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";
const std::string kSpoilt = "ffee2233445566778899aabbccddeeff00112233445566778899aabbccddeeff";

class ResolverTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    std::signal(SIGPIPE, SIG_IGN);
    test::World::Zones zones;
    zones["iotregistry.test"] = {"@ 60 IN TLSA 0 0 1 " + kHash, "d1._device 60 IN TLSA 3 0 1 " + kHash,
                                 "d1._device 60 IN TLSA 3 1 1 " + kHash, "bare._device 60 IN TXT \"no TLSA\"",
                                 "gw 60 IN A 127.0.0.7"};
    zones["other.test"] = {"bad 60 IN TLSA 3 0 1 " + kSpoilt, "good 60 IN TLSA 3 0 1 " + kHash};
    std::string changed = kSpoilt;
    changed[0] = 'e';
    world_ =
        test::World::Start(zones, {{kSpoilt, changed}}, {{"plain.test", {"d1 60 IN TLSA 3 0 1 " + kHash}}})
            .release();
    ASSERT_NE(world_, nullptr);
  }
  static void TearDownTestSuite() { delete world_; }

  static ResolverTrust Trust() {
    return {"127.0.0.1",
            world_->dot_port(),
            world_->spki_pin(),
            {world_->anchor()},
            std::chrono::milliseconds(3000)};
  }
  static std::shared_ptr<DaneResolver> Open(const ResolverTrust& trust) {
    auto resolver = DaneResolver::Create(trust);
    EXPECT_TRUE(resolver) << resolver.error().message;
    return resolver ? *resolver : nullptr;
  }
  static std::string SymbolOf(DaneResolver& resolver, const std::string& name) {
    auto answer = resolver.Tlsa(name, Freshness::kNow);
    return answer ? "secure" : answer.error().symbol;
  }
  static test::World* world_;
};
test::World* ResolverTest::world_ = nullptr;

TEST_F(ResolverTest, TheResolverMayHaveAnIpv6Address) {
  if (!test::World::HasIpv6()) GTEST_SKIP() << "this machine has no ::1";
  ResolverTrust trust = Trust();
  trust.address = "::1";
  EXPECT_EQ(SymbolOf(*Open(trust), "d1._device.iotregistry.test"), "secure");
  trust.spki_pin[0] ^= 1;
  EXPECT_EQ(SymbolOf(*Open(trust), "d1._device.iotregistry.test"), "resolver_unreachable");
  for (const char* wrong : {"::1::", "[::1]", "127.0.0.1.1", "localhost", ""}) {
    trust.address = wrong;
    EXPECT_EQ(DaneResolver::Create(trust).error().symbol, "trust_malformed") << wrong;
  }
}

// While an anchor rolls over, one of those that a device was given is of no key in the DNS (RFC 4035 §5).
TEST_F(ResolverTest, OneOfSeveralAnchorsIsEnough) {
  const std::string other =
      ". IN DS 20326 8 2 E06D44B80B8F1D39A95C0B0D7C65D08458E880409BBC683457104237C7F8EC8D";
  std::string same_algorithm = world_->anchor();  // as a second key of the same root would have
  same_algorithm.back() = same_algorithm.back() == '0' ? '1' : '0';
  ResolverTrust trust = Trust();
  for (const std::string& second : {other, same_algorithm}) {
    trust.anchors = {world_->anchor(), second};
    EXPECT_EQ(SymbolOf(*Open(trust), "d1._device.iotregistry.test"), "secure") << second;
    trust.anchors = {second, world_->anchor()};
    EXPECT_EQ(SymbolOf(*Open(trust), "d1._device.iotregistry.test"), "secure") << second;
    trust.anchors = {second};
    EXPECT_EQ(SymbolOf(*Open(trust), "d1._device.iotregistry.test"), "dns_bogus") << second;
  }
}

TEST_F(ResolverTest, ReadsASecureRecordSet) {
  auto resolver = Open(Trust());
  auto records = resolver->Tlsa("d1._device.iotregistry.test", Freshness::kNow);
  ASSERT_TRUE(records) << records.error().message;
  ASSERT_EQ(records->size(), 2u);
  EXPECT_EQ(records->at(0).usage, 3);
  EXPECT_EQ(ToHex(records->at(0).data), kHash);
  EXPECT_EQ(resolver->Tlsa("iotregistry.test", Freshness::kCached)->at(0).usage, 0) << "the apex, too";
}

TEST_F(ResolverTest, ReadsAnAddress) {
  auto address = Open(Trust())->Address("gw.iotregistry.test");
  ASSERT_TRUE(address) << address.error().message;
  EXPECT_EQ(*address, "127.0.0.7");
}

// RFC 7858 §3.4: either end may close an idle connection, and the other must be ready for it.
TEST_F(ResolverTest, AsksAgainWhenTheResolverClosedTheIdleConnection) {
  auto resolver = Open(Trust());
  ASSERT_EQ(SymbolOf(*resolver, "good.other.test"), "secure");
  for (int i = 0; i < 2; ++i) {
    ASSERT_TRUE(test::WaitClosedByPeer(world_->dot_port(), 10000));
    EXPECT_EQ(SymbolOf(*resolver, "good.other.test"), "secure");
  }
}

TEST_F(ResolverTest, TellsProvenAbsenceFromFailure) {
  auto resolver = Open(Trust());
  EXPECT_EQ(SymbolOf(*resolver, "nobody._device.iotregistry.test"), "name_absent");
  EXPECT_EQ(SymbolOf(*resolver, "bare._device.iotregistry.test"), "record_absent")
      << "the name is there, the type is not";
}

// RFC 4035 §5: a zone without signatures is one thing, signatures that do not fit are another. Neither is believed.
TEST_F(ResolverTest, TellsAnUnsignedZoneFromASpoiltOne) {
  auto resolver = Open(Trust());
  EXPECT_EQ(SymbolOf(*resolver, "d1.plain.test"), "dns_insecure");
  EXPECT_EQ(SymbolOf(*resolver, "nobody.plain.test"), "dns_insecure");
  EXPECT_EQ(SymbolOf(*resolver, "bad.other.test"), "dns_bogus");
}

TEST_F(ResolverTest, KeepsUntilItIsToldToForget) {
  auto resolver = Open(Trust());
  const std::string name = "d1._device.iotregistry.test";
  EXPECT_FALSE(resolver->Kept(name));
  ASSERT_TRUE(resolver->Tlsa(name, Freshness::kNow));
  EXPECT_FALSE(resolver->Kept(name)) << "nobody asked for it to be kept";
  ASSERT_TRUE(resolver->Tlsa(name, Freshness::kCached));
  ASSERT_TRUE(resolver->Kept(name));
  EXPECT_EQ(resolver->Kept(name)->size(), 2u);
  resolver->Forget("d2._device.iotregistry.test");
  EXPECT_TRUE(resolver->Kept(name));
  resolver->Forget(name);
  EXPECT_FALSE(resolver->Kept(name));
}

TEST_F(ResolverTest, KeepsNoMoreNamesThanItMay) {
  ResolverTrust trust = Trust();
  trust.cache_max = 1;
  auto resolver = Open(trust);
  ASSERT_TRUE(resolver->Tlsa("d1._device.iotregistry.test", Freshness::kCached));
  ASSERT_TRUE(resolver->Tlsa("good.other.test", Freshness::kCached));
  EXPECT_FALSE(resolver->Kept("d1._device.iotregistry.test"));
  EXPECT_TRUE(resolver->Kept("good.other.test"));
}

// It accepts the connection and says nothing.
TEST_F(ResolverTest, AResolverThatDoesNotAnswerCountsAsNone) {
  const registry::test::ListeningPort silent;
  ResolverTrust trust = Trust();
  trust.port = silent.port();
  trust.timeout = std::chrono::milliseconds(300);
  EXPECT_EQ(SymbolOf(*Open(trust), "d1._device.iotregistry.test"), "resolver_unreachable");
}

// A library must not count on its host to ignore SIGPIPE (RFC 7766 §6.2.4: either end may close).
// All the questions of one look-up share its time.
TEST_F(ResolverTest, AsksNothingWhenItsTimeIsUp) {
  auto context = GetdnsContext::Open(Trust());
  ASSERT_TRUE(context);
  EXPECT_TRUE((*context)->AskUnjudged("good.other.test", kTypeTlsa));
  (*context)->Until(std::chrono::steady_clock::now() - std::chrono::seconds(1));
  const auto late = (*context)->AskUnjudged("good.other.test", kTypeTlsa);
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().symbol, "resolver_unreachable");
  (*context)->Until(std::chrono::steady_clock::now() + std::chrono::minutes(1));
  EXPECT_TRUE((*context)->AskJudged("good.other.test", kTypeTlsa));
}

TEST_F(ResolverTest, AClosedConnectionDoesNotEndTheProcess) {
  std::signal(SIGPIPE, SIG_DFL);
  auto resolver = Open(Trust());
  ASSERT_EQ(SymbolOf(*resolver, "good.other.test"), "secure");
  ASSERT_TRUE(test::WaitClosedByPeer(world_->dot_port(), 10000));
  EXPECT_EQ(SymbolOf(*resolver, "good.other.test"), "secure");
  std::signal(SIGPIPE, SIG_IGN);
}

TEST_F(ResolverTest, RefusesARecordChangedAfterSigning) {
  auto resolver = Open(Trust());
  EXPECT_EQ(SymbolOf(*resolver, "good.other.test"), "secure");
  EXPECT_EQ(SymbolOf(*resolver, "bad.other.test"), "dns_bogus");
  EXPECT_EQ(SymbolOf(*resolver, "good.other.test"), "secure") << "and is none the worse for it";
}

TEST_F(ResolverTest, RefusesAnotherAnchor) {
  ResolverTrust trust = Trust();
  trust.anchors = {". IN DS 20326 8 2 E06D44B80B8F1D39A95C0B0D7C65D08458E880409BBC683457104237C7F8EC8D"};
  EXPECT_EQ(SymbolOf(*Open(trust), "d1._device.iotregistry.test"), "dns_bogus");
}

TEST_F(ResolverTest, SpeaksToNobodyWithAnotherKey) {
  ResolverTrust trust = Trust();
  trust.spki_pin[0] ^= 1;
  EXPECT_EQ(SymbolOf(*Open(trust), "d1._device.iotregistry.test"), "resolver_unreachable");
}

TEST_F(ResolverTest, SaysSoWhenTheResolverIsNotThere) {
  ResolverTrust trust = Trust();
  trust.port = test::FreePort();
  EXPECT_EQ(SymbolOf(*Open(trust), "d1._device.iotregistry.test"), "resolver_unreachable");
}

TEST_F(ResolverTest, RefusesMalformedTrust) {
  ResolverTrust trust = Trust();
  trust.anchors = {"not a record"};
  EXPECT_EQ(DaneResolver::Create(trust).error().symbol, "trust_malformed");
  trust = Trust();
  trust.anchors.clear();
  EXPECT_EQ(DaneResolver::Create(trust).error().symbol, "trust_malformed");
  trust = Trust();
  trust.spki_pin.pop_back();
  EXPECT_EQ(DaneResolver::Create(trust).error().symbol, "trust_malformed");
}

TEST_F(ResolverTest, ServesManyThreads) {
  auto resolver = Open(Trust());
  std::atomic<int> secure{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (int j = 0; j < 25; ++j) secure += SymbolOf(*resolver, "d1._device.iotregistry.test") == "secure";
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(secure, 100);
}

}  // namespace
}  // namespace registry::clients
