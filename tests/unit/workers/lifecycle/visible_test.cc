// What follows from DNS showing a change, or not showing it: the payload, the alarm, and a payload that cannot be made.
#include <gmock/gmock.h>

#include "tests/support/device_maker.h"
#include "tests/unit/workers/lifecycle/flow.h"
#include "workers/domain/compose.h"
#include "workers/domain/key_unavailable.h"

namespace registry::test {
namespace {

using std::chrono::seconds;
using testing::Contains;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

TEST(Visible, ALaggingSecondaryIsAnAlarmAndNotAnEnd) {
  TestRegistry registry;
  const std::string id = Certified(registry);
  registry.RunDueJobs(seconds(119));
  EXPECT_THAT(registry.Heard(kAspFailures), IsEmpty());
  registry.RunDueJobs(seconds(2));
  for (const char* feed : {kMnoFailures, kAspFailures}) {
    const auto told = registry.Heard(feed);
    ASSERT_THAT(told, SizeIs(1)) << feed;
    const auto& error = told[0].data().at("error");
    EXPECT_EQ(error.at("symbol"), "dns_lagging");
    EXPECT_EQ(error.at("step"), "published");
    EXPECT_TRUE(error.contains("retryAfterSeconds")) << "it goes on";
  }
  EXPECT_THAT(HistoryOf(registry, id), Contains("DNS lags behind the change"));
  EXPECT_EQ(registry.Device(id).state, domain::State::kCertified);
  registry.ServeZone();
  EXPECT_EQ(registry.Device(id).state, domain::State::kPublished);
  EXPECT_THAT(registry.Heard(std::string(kActions) + "payload.push"), SizeIs(1));
}

// The decision alone, with a signer that can be broken.
class Breakable : public SoftwareSigner {
 public:
  Breakable() : SoftwareSigner("Issuing CA") {}
  Result<Bytes> Sign(const Bytes& message) const override {
    if (broken) return Error::Make(Code::kFailed, symbol, "the token was pulled");
    return SoftwareSigner::Sign(message);
  }
  bool broken = false;
  std::string_view symbol = "signing_failed";
};

class PublishTest : public testing::Test {
 protected:
  PublishTest() {
    domain::Device device;
    device.id = *DeviceId::Parse("5672476c-e9aa-4aa3-9cfd-2aef76f44f0f");
    device.state = domain::State::kCertified;
    test::ProfileOf(device).mno = *PartyId::Parse("mno-a");
    test::SetAttached(device);
    test::Bind(device, *PartyId::Parse("asp-a"), *EndpointName::Parse("main"));
    constexpr UtcTime kLongAway{4'000'000'000'000'000};
    test::CertificateOf(device) = {signer_.certificate(), Bytes(20, 1), {}, {}, {}, kLongAway};
    test::ProfileOf(device).agreement_key = Point();
    device.zone.wanted = 1;
    domain::EndpointRecord endpoint;
    endpoint.asp = *domain::Claimer(device);
    endpoint.endpoint.name = *domain::EndpointOf(device);
    endpoint.endpoint.url = "tls://mqtt.asp-a.test";
    endpoint.endpoint.trust = {wire::TrustKind::kTlsa, {}, "_8883._tcp.mqtt.asp-a.test"};
    policy_.zone = "iotregistry.test";
    policy_.payload.bootstrap.resolver.address = "127.0.0.1";
    id_ = device.id;
    domain::Changeset changes;
    changes.endpoints.push_back({endpoint, 0});
    Put(std::move(device), 0, std::move(changes));
  }
  // The generator of P-256 (SP 800-186 §3.2.1.3): some point.
  static Bytes Point() {
    return *FromHex(
        "046b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296"
        "4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5");
  }
  void Put(domain::Device device, std::uint64_t version, domain::Changeset changes = {}) {
    changes.devices.push_back({std::move(device), version});
    REG_CHECK(ledger_->Commit(std::move(changes)).ok());
  }
  domain::Device Device() { return **ledger_->LoadDevice(id_); }
  // Decided, committed and given back.
  domain::Changeset Visible() {
    const domain::ZoneChange shown{id_, 1, {{3, 0, 1, Bytes(32, 1)}}, ""};
    const domain::Origin own = domain::OwnOrigin();
    domain::Case at{own, *ledger_, context_, policy_, signer_};
    const Status decided = lifecycle::DecideVisible(shown, at);
    EXPECT_TRUE(decided.ok()) << decided.error().message;
    REG_CHECK(decided && ledger_->Commit(at.changes).ok());
    return at.changes;
  }

  Breakable signer_;
  std::unique_ptr<ledger::Ledger> ledger_ = ledger::OpenMemoryLedger();
  domain::Policy policy_;
  std::uint8_t next_ = 0;
  domain::Context context_{{1'790'000'000'000'000}, [this](std::uint8_t* out, std::size_t size) {
                             while (size-- > 0) *out++ = ++next_;
                           }};
  DeviceId id_;
};

TEST_F(PublishTest, PushesThePayload) {
  const auto changes = Visible();
  EXPECT_THAT(changes.messages, SizeIs(1));
  EXPECT_THAT(changes.notifications, IsEmpty());
  EXPECT_EQ(Device().state, domain::State::kPublished);
  EXPECT_EQ(domain::PayloadVersion(Device()), 1u);
}

// The zone tells it again until it is decided (publisher.h).
TEST_F(PublishTest, AKeyThatIsAwayIsWaitedForAndNobodyHearsOfIt) {
  signer_.broken = true;
  signer_.symbol = domain::kKeyUnavailable;
  const domain::Origin own = domain::OwnOrigin();
  domain::Case at{own, *ledger_, context_, policy_, signer_};
  const Status decided = lifecycle::DecideVisible({id_, 1, {{3, 0, 1, Bytes(32, 1)}}, ""}, at);
  ASSERT_FALSE(decided.ok());
  EXPECT_EQ(decided.error().symbol, "key_unavailable");
  signer_.broken = false;
  EXPECT_THAT(Visible().messages, SizeIs(1));
}

TEST_F(PublishTest, APayloadThatCannotBeMadeIsReportedAndMadeAtTheNextAttach) {
  signer_.broken = true;
  const auto changes = Visible();
  EXPECT_THAT(changes.messages, IsEmpty());
  EXPECT_THAT(changes.jobs_put, IsEmpty());
  std::vector<std::string> told;
  for (const auto& notification : changes.notifications) {
    told.push_back(notification.to.text());
    EXPECT_EQ(notification.type, "device.failed");
    const auto error = json::parse(notification.data).at("error");
    EXPECT_EQ(error.at("step"), "payload.push");
    EXPECT_EQ(error.at("symbol"), "signing_failed");
  }
  EXPECT_THAT(told, ElementsAre("mno-a", "asp-a"));
  EXPECT_EQ(Device().state, domain::State::kPublished) << "DNS shows it";
  EXPECT_EQ(Device().zone.visible, 1u);
  EXPECT_EQ(domain::PayloadVersion(Device()), 0u);
  EXPECT_EQ(Device().trace.back().step, "payload.push failed");

  signer_.broken = false;
  const domain::Origin origin{*PartyId::Parse("mno-a"), wire::Role::kMno, *EventId::Parse("1")};
  domain::Case at{origin, *ledger_, context_, policy_, signer_};
  const auto attached = lifecycle::Decide(wire::DeviceAttach{id_}, at);
  ASSERT_TRUE(attached.ok()) << attached.error().message;
  EXPECT_THAT(at.changes.messages, SizeIs(1));
}

TEST_F(PublishTest, AHeldDeviceIsPublishedAndGetsNothing) {
  auto device = Device();
  device.statuses.insert(domain::DeviceStatus::kClientHold);
  Put(device, device.version);
  const auto changes = Visible();
  EXPECT_EQ(Device().state, domain::State::kPublished) << "what DNS shows is a fact";
  EXPECT_THAT(changes.messages, IsEmpty());
}

}  // namespace
}  // namespace registry::test
