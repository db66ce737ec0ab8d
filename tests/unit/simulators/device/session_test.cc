// A device and its ASP, both real, over TLS and a real signed DNS: who is let in, who is not, and what either
// believes.
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <condition_variable>
#include <csignal>
#include <mutex>
#include <thread>

#include "schemas/wire/codec.h"
#include "simulators/asp/tls_server.h"
#include "simulators/device/csr.h"
#include "simulators/device/device.h"
#include "tests/support/loopback.h"
#include "tests/unit/clients/dane/world.h"
#include "tests/unit/simulators/device/test_registry.h"

namespace registry::sim {
namespace {

using test::TestRegistry;

constexpr const char* kZone = "iotregistry.test";
constexpr const char* kAsp = "mqtt.asp-a.test";
// Certificates are made in real time, so the device's clock is real, too.
const UtcTime kNow{
    std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::system_clock::now().time_since_epoch())
        .count()};

std::string NameOf(int number) {
  char text[80];
  std::snprintf(text, sizeof text, "5672476c-e9aa-4aa3-9cfd-%012d._device.%s", number, kZone);
  return text;
}

// Devices 0 to 3: 0 and 1 in order, 2 without TLSA, 3 with the TLSA of another certificate. 4: expired
// certificate.
class SessionTest : public ::testing::Test {
 protected:
  static constexpr int kDevices = 5;

  static void SetUpTestSuite() {
    std::signal(SIGPIPE, SIG_IGN);  // as the programs do
    folder_ = ::testing::TempDir() + "/session_test_" + std::to_string(getpid());
    ASSERT_EQ(std::system(("mkdir -p " + folder_).c_str()), 0);
    identity_ = new test::ServerIdentity(test::MakeServerIdentity(folder_, kAsp));
    registry_ = new TestRegistry();
    asp_port_ = clients::test::FreePort();
    MakeDevices();
    world_ = clients::test::World::Start(Zones()).release();
    ASSERT_NE(world_, nullptr);
    for (int i = 0; i < 4; ++i) Provision(i);  // 4 would refuse: its certificate is over
  }
  static void TearDownTestSuite() {
    for (auto& device : devices_) device.reset();
    delete world_;
    delete registry_;
    delete identity_;
    std::system(("rm -rf " + folder_).c_str());
  }

  static void MakeDevices() {
    for (int i = 0; i < kDevices; ++i) {
      devices_[i] = Device::Make(*store_, {"", std::chrono::milliseconds(5000)});
      // The resolver's place is known only once the world runs, so the first bootstrap names another.
      wire::Bootstrap early = Bootstrap(i);
      ASSERT_TRUE(devices_[i]->Boot(wire::Encode(early)));
      csrs_[i] = *devices_[i]->GenerateKey("k");
      certificates_[i] = registry_->Issue(csrs_[i], NameOf(i), i == 4 ? -10 : 3600);
    }
  }
  static clients::test::World::Zones Zones() {
    clients::test::World::Zones zones;
    auto& zone = zones[kZone];
    zone.push_back("@ 60 IN TLSA 0 0 1 " + ToHex(test::Sha256(registry_->root())));
    zone.push_back("@ 60 IN TLSA 2 0 1 " + ToHex(test::Sha256(registry_->issuing())));
    for (int i = 0; i < kDevices; ++i) {
      if (i == 2) {  // as the registry says that it knows a device which may not be served
        zone.push_back(NameOf(i) + ". 60 IN TXT \"state=deactivated\"");
        continue;
      }
      const Bytes& of = certificates_[i == 3 ? 0 : i];
      zone.push_back(NameOf(i) + ". 60 IN TLSA 3 0 1 " + ToHex(test::Sha256(of)));
    }
    zones["asp-a.test"] = {"mqtt 60 IN A 127.0.0.1", "_" + std::to_string(asp_port_) +
                                                         "._tcp.mqtt 60 IN TLSA 3 1 1 " +
                                                         ToHex(test::Sha256(identity_->spki))};
    return zones;
  }
  static wire::Bootstrap Bootstrap(int i) {
    wire::Bootstrap bootstrap;
    bootstrap.registry_profile = "iot-registry-1";
    bootstrap.device_name = NameOf(i);
    bootstrap.root_certificate = registry_->root();
    bootstrap.issuing_certificate = registry_->issuing();
    bootstrap.resolver = {"127.0.0.1", 853, "resolver.test", registry_->root(), Bytes(32, 7)};
    bootstrap.trust_anchors = {
        ". 3600 IN DS 20326 8 2 E06D44B80B8F1D39A95C0B0D7C65D08458E880409BBC683457104237C7F8EC8D"};
    if (world_ != nullptr) {
      bootstrap.resolver.port = world_->dot_port();
      bootstrap.resolver.spki_pin = world_->spki_pin();
      bootstrap.trust_anchors = {world_->anchor()};
    }
    return bootstrap;
  }
  static void Provision(int i) {
    wire::RegistryPayload payload;
    payload.version = ++version_;
    payload.issued = kNow;
    payload.expires = kNow + std::chrono::hours(1);
    payload.bootstrap = Bootstrap(i);
    payload.certificate = certificates_[i];
    payload.asp = *PartyId::Parse("asp-a");
    payload.endpoint = endpoint_;
    payload.endpoint->name = *EndpointName::Parse("gateway");
    payload.endpoint->fqdn = kAsp;
    payload.endpoint->url = "tls://mqtt.asp-a.test";
    payload.endpoint->port = asp_port_;
    payload.endpoint->protocol = "tls";
    if (endpoint_.trust.certificate.empty()) {
      payload.endpoint->trust.tlsa_owner = "_" + std::to_string(asp_port_) + "._tcp." + kAsp;
    }
    const Bytes cms = registry_->Seal(wire::Encode(payload).dump(), TestRegistry::AgreementKeyIn(csrs_[i]));
    nlohmann::json frame = {{"cms", ToBase64(cms)}, {"containers", nlohmann::json::array()}};
    for (const auto& container : registry_->Containers(payload))
      frame["containers"].push_back(wire::Encode(container));
    const auto outcome = devices_[i]->TakePayload("p" + std::to_string(version_), frame, kNow);
    ASSERT_TRUE(outcome.status) << outcome.status.error().message;
  }

  void SetUp() override {
    auto resolver = DaneResolver::Create({"127.0.0.1",
                                          world_->dot_port(),
                                          world_->spki_pin(),
                                          {world_->anchor()},
                                          std::chrono::milliseconds(3000)});
    ASSERT_TRUE(resolver);
    check_ = *ClientCheck::Create({registry_->root(), registry_->issuing(), {kZone}}, &own_, *resolver);
    for (int i = 0; i < kDevices; ++i) own_.Claimed(NameOf(i).substr(0, 36));
    TlsServerOptions options{"127.0.0.1", asp_port_, identity_->certificate_file, identity_->key_file};
    options.threads = 2;
    options.waiting_max = 16;
    options.handshake_within = std::chrono::milliseconds(700);
    auto server = TlsServer::Start(options, *check_, [this](const TlsSession& session) {
      const std::lock_guard lock(mutex_);
      reasons_.push_back(session.reason);
      changed_.notify_all();
    });
    ASSERT_TRUE(server) << server.error().message;
    server_ = std::move(*server);
  }
  // The device's reason as it would be reported, empty when welcome.
  static std::string Talk(Device& device) {
    const auto status = device.TalkToAsp();
    return status ? "" : status.error().symbol == "refused" ? status.error().message : status.error().symbol;
  }
  // Gets past a device's own verification, as one that does not care would. `sent`: its dane_clientid.
  static std::string TalkAs(int i, const std::string& name, X509* certificate = nullptr,
                            std::uint16_t port = 0, const std::string& sent = {}) {
    AspTarget target{
        kAsp, "127.0.0.1", port != 0 ? port : asp_port_, {}, {{3, 1, 1, test::Sha256(identity_->spki)}}};
    const OwnedCertificate own = ParseCertificate(certificates_[i]);
    Card card(devices_[i]->card().applet());
    const auto key = CardKey::Make(card, kSigningKey, *card.PublicPoint(kSigningKey));
    const ClientCredentials credentials{certificate != nullptr ? certificate : own.get(), key.get(), sent};
    const auto status = TalkToAsp(target, credentials, name, std::chrono::seconds(5));
    return status ? "" : status.error().message;
  }

  static inline std::string folder_;
  static inline test::ServerIdentity* identity_ = nullptr;
  static inline TestRegistry* registry_ = nullptr;
  static inline clients::test::World* world_ = nullptr;
  static inline TrustStore* store_ = new TrustStore();
  static inline std::unique_ptr<Device> devices_[kDevices];
  static inline std::string csrs_[kDevices];
  static inline Bytes certificates_[kDevices];
  static inline std::uint16_t asp_port_ = 0;
  static inline std::uint64_t version_ = 0;
  static inline wire::Endpoint endpoint_;

  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::string> reasons_;
  OwnDevices own_;
  std::unique_ptr<ClientCheck> check_;
  std::unique_ptr<TlsServer> server_;
};

TEST_F(SessionTest, AVerifiedDeviceIsWelcome) {
  for (int i : {0, 1}) {
    const auto verified = devices_[i]->Verify(kNow);
    ASSERT_TRUE(verified) << verified.error().symbol << ": " << verified.error().message;
    EXPECT_EQ(Talk(*devices_[i]), "");
  }
}

TEST_F(SessionTest, ADeviceFindsItsOwnRecordMissingOrForeign) {
  EXPECT_EQ(devices_[2]->Verify(kNow).error().symbol, "own_tlsa_missing");
  EXPECT_EQ(devices_[3]->Verify(kNow).error().symbol, "own_tlsa_mismatch");
}

TEST_F(SessionTest, ADeviceDoesNotGoOnWithACertificateThatIsOver) {
  EXPECT_EQ(devices_[0]->Verify(kNow + std::chrono::hours(2)).error().symbol, "payload_certificate");
  EXPECT_TRUE(devices_[0]->Verify(kNow));
}

TEST_F(SessionTest, TheAspRefusesWithoutOrWithAForeignRecord) {
  EXPECT_EQ(TalkAs(0, NameOf(0)), "");
  EXPECT_EQ(TalkAs(2, NameOf(2)), "refused tlsa_missing");
  EXPECT_EQ(TalkAs(3, NameOf(3)), "refused tlsa_mismatch");
  EXPECT_EQ(TalkAs(4, NameOf(4)), "refused certificate_expired");
}

// Everything about the device is authentic: it is another ASP's.
TEST_F(SessionTest, ADeviceOfAnotherAspIsRefusedThere) {
  OwnDevices others;
  others.Claimed(NameOf(1).substr(0, 36));
  auto resolver = DaneResolver::Create({"127.0.0.1",
                                        world_->dot_port(),
                                        world_->spki_pin(),
                                        {world_->anchor()},
                                        std::chrono::milliseconds(3000)});
  ASSERT_TRUE(resolver);
  const auto check =
      ClientCheck::Create({registry_->root(), registry_->issuing(), {kZone}}, &others, *resolver);
  std::mutex mutex;
  std::vector<TlsSession> sessions;
  const auto other = TlsServer::Start({"127.0.0.1", 0, identity_->certificate_file, identity_->key_file},
                                      **check, [&](const TlsSession& session) {
                                        const std::lock_guard lock(mutex);
                                        sessions.push_back(session);
                                      });
  ASSERT_TRUE(other) << other.error().message;
  EXPECT_EQ(TalkAs(0, NameOf(0)), "") << "at its own";
  EXPECT_EQ(TalkAs(0, NameOf(0), nullptr, (*other)->port()), "refused device_not_claimed");
  EXPECT_EQ(TalkAs(1, NameOf(1), nullptr, (*other)->port()), "");
  EXPECT_EQ(TalkAs(2, NameOf(2), nullptr, (*other)->port()), "refused tlsa_missing")
      << "who has not proved its name learns nothing of whose it is";
}

TEST_F(SessionTest, ADeactivatedDeviceIsRefusedThoughCachesHoldItsRecord) {
  own_.Heard("device.activated", NameOf(0).substr(0, 36), 7);
  EXPECT_EQ(TalkAs(0, NameOf(0)), "");
  own_.Heard("device.deactivated", NameOf(0).substr(0, 36), 8);
  EXPECT_EQ(TalkAs(0, NameOf(0)), "refused device_not_active");
  own_.Heard("device.activated", NameOf(0).substr(0, 36), 7);  // a replay
  EXPECT_EQ(TalkAs(0, NameOf(0)), "refused device_not_active");
  own_.Heard("device.reactivated", NameOf(0).substr(0, 36), 9);
  EXPECT_EQ(TalkAs(0, NameOf(0)), "");
}

TEST_F(SessionTest, TheAspRefusesAnotherCaAndAnotherZone) {
  const OwnedCertificate foreign = ParseCertificate(TestRegistry().Issue(csrs_[0], NameOf(0)));
  EXPECT_EQ(TalkAs(0, NameOf(0), foreign.get()), "refused chain_invalid");
  const OwnedCertificate elsewhere =
      ParseCertificate(registry_->Issue(csrs_[0], "5672476c-e9aa-4aa3-9cfd-000000000000._device.evil.test"));
  EXPECT_EQ(TalkAs(0, NameOf(0), elsewhere.get()), "refused name_not_allowed");
  const OwnedCertificate apex = ParseCertificate(registry_->Issue(csrs_[0], kZone));
  EXPECT_EQ(TalkAs(0, NameOf(0), apex.get()), "refused name_not_allowed");
  EXPECT_EQ(TalkAs(0, NameOf(1)), "refused name_mismatch");
}

// draft-ietf-dance-client-auth: the name that is sent counts, and has to be the certificate's.
TEST_F(SessionTest, TheAspAsksAboutTheNameThatWasSent) {
  const auto talk = [](const std::string& name, X509* certificate, const std::string& sent) {
    return TalkAs(0, name, certificate, 0, sent);
  };
  EXPECT_EQ(talk(NameOf(0), nullptr, NameOf(0)), "");
  const OwnedCertificate foreign = ParseCertificate(TestRegistry().Issue(csrs_[0], NameOf(0)));
  EXPECT_EQ(talk(NameOf(0), foreign.get(), NameOf(0)), "refused chain_invalid");
  const std::string evil = "5672476c-e9aa-4aa3-9cfd-000000000000._device.evil.test";
  const OwnedCertificate elsewhere = ParseCertificate(registry_->Issue(csrs_[0], evil));
  EXPECT_EQ(talk(NameOf(0), elsewhere.get(), NameOf(0)), "refused identity_mismatch");
  EXPECT_EQ(talk(NameOf(0), elsewhere.get(), evil), "refused name_not_allowed");
  const OwnedCertificate apex = ParseCertificate(registry_->Issue(csrs_[0], kZone));
  EXPECT_EQ(talk(NameOf(0), apex.get(), NameOf(0)), "refused identity_mismatch");
  EXPECT_EQ(talk(NameOf(1), nullptr, NameOf(1)), "refused identity_mismatch");
  EXPECT_EQ(talk(NameOf(1), nullptr, NameOf(0)), "refused name_mismatch");
}

// A server that goes by the extension alone lets in a device, which sends its name by itself.
TEST_F(SessionTest, ADeviceSendsItsNameToWhoAsksForIt) {
  auto resolver = DaneResolver::Create(
      {"127.0.0.1", world_->dot_port(), world_->spki_pin(), {world_->anchor()}, std::chrono::seconds(3)});
  ASSERT_TRUE(resolver);
  const auto check = ClientCheck::Create({registry_->root(), registry_->issuing(), {kZone}}, &own_, *resolver,
                                         {clients::Freshness::kNow, clients::NameFrom::kExtension, 100});
  server_.reset();
  const auto strict =
      TlsServer::Start({"127.0.0.1", asp_port_, identity_->certificate_file, identity_->key_file}, **check,
                       [](const TlsSession&) {});
  ASSERT_TRUE(strict) << strict.error().message;
  ASSERT_TRUE(devices_[0]->Verify(kNow));
  EXPECT_EQ(Talk(*devices_[0]), "");
  EXPECT_EQ(TalkAs(0, NameOf(0)), "refused identity_missing");
}

// The card signs what TLS 1.2 hashes too. There is no dane_clientid there, so the certificate's name counts.
TEST_F(SessionTest, Tls12IsServedWhereItIsWanted) {
  const auto talk = [](const std::string& name, int i) {
    const AspTarget target{kAsp, "127.0.0.1", asp_port_, {}, {{3, 1, 1, test::Sha256(identity_->spki)}}};
    const OwnedCertificate own = ParseCertificate(certificates_[i]);
    Card card(devices_[i]->card().applet());
    const auto key = CardKey::Make(card, kSigningKey, *card.PublicPoint(kSigningKey));
    const auto welcome =
        TalkToAsp(target, {own.get(), key.get(), name}, name, std::chrono::seconds(5), TlsVersion::k12);
    return welcome ? std::string() : welcome.error().message;
  };
  EXPECT_EQ(talk(NameOf(0), 0), "refused alert_70") << "protocol_version";
  server_.reset();
  TlsServerOptions options{"127.0.0.1", asp_port_, identity_->certificate_file, identity_->key_file};
  options.also_tls12 = true;
  const auto both = TlsServer::Start(options, *check_, [](const TlsSession&) {});
  ASSERT_TRUE(both) << both.error().message;
  EXPECT_EQ(talk(NameOf(0), 0), "");
  EXPECT_EQ(talk(NameOf(2), 2), "refused tlsa_missing");
  EXPECT_EQ(talk(NameOf(1), 0), "refused name_mismatch");
  EXPECT_EQ(TalkAs(0, NameOf(0)), "") << "TLS 1.3 as before";
}

TEST_F(SessionTest, ADeviceWithoutCredentialsIsRefusedByTheServer) {
  ASSERT_TRUE(devices_[1]->Verify(kNow));
  ASSERT_TRUE(devices_[1]->Wipe("w"));
  EXPECT_EQ(Talk(*devices_[1]), "refused certificate_required");
  // Back to life for the other tests.
  csrs_[1] = *devices_[1]->GenerateKey("again");
}

TEST_F(SessionTest, ADeviceDoesNotSpeakToAnImpostor) {
  AspTarget target{kAsp, "127.0.0.1", asp_port_, {}, {{3, 1, 1, Bytes(32, 9)}}};
  EXPECT_EQ(TalkToAsp(target, {}, NameOf(0), std::chrono::seconds(5)).error().symbol, "asp_untrusted");
  target.tlsa.clear();
  EXPECT_EQ(TalkToAsp(target, {}, NameOf(0), std::chrono::seconds(5)).error().symbol, "asp_untrusted");
}

TEST_F(SessionTest, AGivenCertificateIsTrustedAndOnlyThat) {
  endpoint_.trust.kind = wire::TrustKind::kCertificate;
  endpoint_.trust.certificate = identity_->der;
  Provision(0);
  ASSERT_TRUE(devices_[0]->Verify(kNow));
  EXPECT_EQ(Talk(*devices_[0]), "");
  endpoint_.trust.certificate = registry_->root();
  Provision(0);
  ASSERT_TRUE(devices_[0]->Verify(kNow));
  EXPECT_EQ(Talk(*devices_[0]), "asp_untrusted");
  endpoint_.trust = {};
  Provision(0);
}

// Connected, and begins a handshake that it never ends.
int HalfAHandshake(std::uint16_t port) {
  const int client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address = registry::test::Loopback(port);
  EXPECT_EQ(connect(client, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  SSL_CTX* const context = SSL_CTX_new(TLS_client_method());
  SSL* const tls = SSL_new(context);
  BIO* const hello = BIO_new(BIO_s_mem());
  SSL_set_bio(tls, BIO_new(BIO_s_mem()), hello);
  EXPECT_LT(SSL_connect(tls), 0);  // there is no answer in the memory
  char* octets = nullptr;
  const long size = BIO_get_mem_data(hello, &octets);
  EXPECT_EQ(send(client, octets, static_cast<std::size_t>(size), MSG_NOSIGNAL), size);
  SSL_free(tls);
  SSL_CTX_free(context);
  return client;
}

TEST_F(SessionTest, ASlowClientIsEndedAtItsDeadline) {
  const int slow = HalfAHandshake(asp_port_);
  std::unique_lock lock(mutex_);
  EXPECT_TRUE(changed_.wait_for(lock, std::chrono::seconds(20), [&] { return !reasons_.empty(); }));
  EXPECT_EQ(reasons_, std::vector<std::string>{"too_slow"});
  close(slow);
}

// The deadline of the silent ones is far away: none of them ends, and the device is served all the same. More than may
// be open: the oldest gives way.
TEST_F(SessionTest, ManyHalfHandshakesHoldNobodyUp) {
  TlsServerOptions options{"127.0.0.1", 0, identity_->certificate_file, identity_->key_file};
  options.threads = 2;
  options.waiting_max = 100;
  options.handshake_within = std::chrono::hours(1);
  std::mutex mutex;
  std::condition_variable changed;
  std::vector<std::string> reasons;
  const auto server = TlsServer::Start(options, *check_, [&](const TlsSession& session) {
    const std::lock_guard lock(mutex);
    reasons.push_back(session.reason);
    changed.notify_all();
  });
  ASSERT_TRUE(server);
  const auto slow = [&] { return std::count(reasons.begin(), reasons.end(), "too_slow"); };
  std::vector<int> half;
  for (int i = 0; i < 90; ++i) half.push_back(HalfAHandshake((*server)->port()));
  ASSERT_TRUE(devices_[0]->Verify(kNow));
  EXPECT_EQ(TalkAs(0, NameOf(0), nullptr, (*server)->port()), "");
  {
    const std::lock_guard lock(mutex);
    EXPECT_EQ(slow(), 0);
  }
  for (int i = 0; i < 90; ++i) half.push_back(HalfAHandshake((*server)->port()));
  EXPECT_EQ(TalkAs(0, NameOf(0), nullptr, (*server)->port()), "");
  {
    std::unique_lock lock(mutex);
    EXPECT_TRUE(changed.wait_for(lock, std::chrono::seconds(20), [&] { return slow() >= 80; }));
  }
  for (const int client : half) close(client);
}

// One octet at a time, each well before any deadline of a single read: only one for the whole session ends it.
TEST_F(SessionTest, AnAspThatDribblesDoesNotKeepTheDevice) {
  const registry::test::ListeningPort listener;
  std::thread asp([&listener] {
    const int client = accept(listener.fd(), nullptr, nullptr);
    const unsigned char head[] = {0x16, 0x03, 0x03, 0x40,
                                  0x00};  // RFC 8446 §5.1: a handshake record of 16 KiB
    (void)!write(client, head, sizeof head);
    // Until the device has gone: then writing fails.
    pollfd wait{client, 0, 0};
    while (poll(&wait, 1, 20) == 0 && write(client, "\0", 1) == 1) {
    }
    close(client);
  });
  const AspTarget target{kAsp, "127.0.0.1", listener.port(), {}, {{3, 1, 1, test::Sha256(identity_->spki)}}};
  const auto status = TalkToAsp(target, {}, NameOf(0), std::chrono::milliseconds(300));
  EXPECT_EQ(status.error().symbol, "asp_unreachable");
  asp.join();
}

TEST_F(SessionTest, ManySessionsAtOnce) {
  constexpr int kThreads = 4, kSessions = 20;
  const AspTarget target{kAsp, "127.0.0.1", asp_port_, {}, {{3, 1, 1, test::Sha256(identity_->spki)}}};
  std::atomic<int> refused{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([&] {
      // A card and a certificate of its own, under a name without TLSA: everything but the last check passes.
      const auto euicc = Euicc::Make();
      Card card(euicc->applet());
      const auto key = CardKey::Make(card, kSigningKey, *card.GenerateKeyPair(kSigningKey));
      const auto csr = MakeCsr(*key, *card.PublicPoint(kAgreementKey), NameOf(2));
      const OwnedCertificate own =
          ParseCertificate(registry_->Issue(ToPem("CERTIFICATE REQUEST", *csr), NameOf(2)));
      for (int j = 0; j < kSessions; ++j) {
        const auto status = TalkToAsp(target, {own.get(), key.get()}, NameOf(2), std::chrono::seconds(10));
        refused += !status && status.error().message == "refused tlsa_missing";
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(refused, kThreads * kSessions);
}

}  // namespace
}  // namespace registry::sim
