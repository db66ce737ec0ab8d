// A device's MQTT session with a real Mosquitto over TLS with the key in its card: what it believes, what it is told, and
// how a session ends.
#include <gtest/gtest.h>

#include <condition_variable>
#include <csignal>
#include <mutex>

#include "simulators/device/csr.h"
#include "simulators/device/telemetry_keeper.h"
#include "simulators/euicc/euicc.h"
#include "simulators/lab/ports.h"
#include "simulators/lab/probe.h"
#include "simulators/lab/process.h"
#include "tests/support/shell.h"
#include "tests/support/temporary_folder.h"
#include "tests/unit/simulators/device/test_registry.h"

namespace registry::sim {
namespace {

using namespace std::chrono_literals;

constexpr const char* kDevice = "5672476c-e9aa-4aa3-9cfd-000000000001";
constexpr const char* kHost = "mqtt.asp-a.test";

// A device of that id, certified, with its card.
class CertifiedCard {
 public:
  CertifiedCard(const test::TestRegistry& registry, const std::string& id)
      : name_(id + "._device.iotregistry.test"), card_([this](const Bytes& apdu) { return Transmit(apdu); }) {
    key_ = CardKey::Make(card_, 0x01, *card_.GenerateKeyPair(0x01));
    const Bytes der = registry.Issue(ToPem("CERTIFICATE REQUEST", *MakeCsr(*key_, {}, name_)), name_);
    const std::uint8_t* at = der.data();
    certificate_.reset(d2i_X509(nullptr, &at, static_cast<long>(der.size())));
  }
  ClientCredentials credentials() const { return {certificate_.get(), key_.get(), name_}; }
  void Break() { broken_ = true; }

 private:
  Bytes Transmit(const Bytes& apdu) {
    if (broken_) return {};
    return euicc_->applet().Transmit(apdu);
  }
  const std::string name_;
  const std::unique_ptr<Euicc> euicc_ = Euicc::Make();
  bool broken_ = false;
  Card card_;
  std::unique_ptr<CardKey> key_;
  OwnedCertificate certificate_;
};

class TelemetryTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() { std::signal(SIGPIPE, SIG_IGN); }
  void SetUp() override {
    identity_ = test::MakeServerIdentity(folder_.In(""), kHost);
    folder_.Write("chain.pem",
                  ToPem("CERTIFICATE", registry_.root()) + ToPem("CERTIFICATE", registry_.issuing()));
    target_.fqdn = kHost;
    target_.address = "127.0.0.1";
    target_.port = *ports_.Take();
    target_.trust.kind = wire::TrustKind::kTlsa;
    target_.tlsa = {{3, 1, 1, test::Sha256(identity_.spki)}};
    folder_.Write("acl", "pattern write devices/%c/#\n");
    Serve("allow_anonymous true\nacl_file " + folder_.In("acl") + "\n");
  }
  // Without the plug-in: what it decides has tests of its own (tests/unit/clients/mosquitto).
  void Serve(const std::string& more) {
    broker_.reset();
    folder_.Write("mosquitto.conf", "user root\nlog_type all\nlistener " + std::to_string(target_.port) +
                                        " 127.0.0.1\ncertfile " + identity_.certificate_file + "\nkeyfile " +
                                        identity_.key_file + "\ncafile " + folder_.In("chain.pem") +
                                        "\nrequire_certificate true\ntls_version tlsv1.2\n" + more);
    folder_.Write("mosquitto.log", "");
    lab::ProcessSpec spec;
    spec.name = "mosquitto";
    spec.command = {"mosquitto", "-c", folder_.In("mosquitto.conf")};
    spec.log_file = folder_.In("mosquitto.log");
    broker_ = *lab::Process::Start(std::move(spec));
    ASSERT_TRUE(Logged(" running\n")) << folder_.Read("mosquitto.log");
  }
  bool Logged(const std::string& text) const {
    return lab::WaitUntil([&] { return folder_.Read("mosquitto.log").find(text) != std::string::npos; }, 10s);
  }
  Result<std::unique_ptr<Telemetry>> Open(const ClientCredentials& credentials,
                                          TlsVersion version = TlsVersion::k13) const {
    return Telemetry::Open(target_, credentials, version, kDevice, 5s);
  }
  static std::string Reason(const Result<std::unique_ptr<Telemetry>>& opened) {
    return opened ? "" : opened.error().symbol + ": " + opened.error().message;
  }

  const registry::test::TemporaryFolder folder_;
  lab::Ports ports_;
  const test::TestRegistry registry_;
  test::ServerIdentity identity_;
  AspTarget target_;
  CertifiedCard card_{registry_, kDevice};
  std::unique_ptr<lab::Process> broker_;
};

TEST_F(TelemetryTest, ArrivesWithEitherVersionOfTls) {
  for (const TlsVersion version : {TlsVersion::k12, TlsVersion::k13, TlsVersion::kEither}) {
    const auto session = Open(card_.credentials(), version);
    ASSERT_TRUE(session) << Reason(session);
    EXPECT_TRUE((*session)->Send("{\"number\":1}", 5s));
    EXPECT_TRUE((*session)->Send("{\"number\":2}", 5s)) << "the card is not asked again";
    EXPECT_TRUE(Logged("Received PUBLISH from " + std::string(kDevice) + " (d0, q1, r0, m2, 'devices/" +
                       kDevice + "/telemetry'"))
        << folder_.Read("mosquitto.log");
  }
  EXPECT_TRUE(Logged("Client " + std::string(kDevice) + " disconnected.")) << "it says goodbye";
}

TEST_F(TelemetryTest, GoesToTheAspsBrokerAlone) {
  target_.tlsa = {{3, 1, 1, Bytes(32, 9)}};
  EXPECT_EQ(Reason(Open(card_.credentials())).substr(0, 13), "asp_untrusted");
  target_.tlsa.clear();
  EXPECT_EQ(Reason(Open(card_.credentials())).substr(0, 13), "asp_untrusted");
  target_.trust.kind = wire::TrustKind::kCertificate;
  target_.trust.certificate = registry_.root();
  EXPECT_EQ(Reason(Open(card_.credentials())).substr(0, 13), "asp_untrusted");
  EXPECT_EQ(folder_.Read("mosquitto.log").find("New client"), std::string::npos);
  target_.trust.certificate = identity_.der;
  EXPECT_EQ(Reason(Open(card_.credentials())), "");
  target_.trust.kind = wire::TrustKind::kCa;
  EXPECT_EQ(Reason(Open(card_.credentials())), "");
  target_.fqdn = "mqtt.asp-b.test";
  EXPECT_EQ(Reason(Open(card_.credentials())).substr(0, 13), "asp_untrusted") << "not its name";
}

TEST_F(TelemetryTest, IsRefusedWithoutTheRightCertificateOrRight) {
  const test::TestRegistry stranger;
  const CertifiedCard foreign(stranger, kDevice);
  EXPECT_EQ(Reason(Open({}, TlsVersion::k12)), "refused: refused alert_40") << "handshake_failure";
  EXPECT_EQ(Reason(Open(foreign.credentials(), TlsVersion::k12)), "refused: refused alert_51")
      << "decrypt_error: a CA of the same name, and of another key";
  // In TLS 1.3 the server's alert may be overtaken by the end of the connection, on which libmosquitto has written already.
  for (const ClientCredentials& credentials : {ClientCredentials{}, foreign.credentials()}) {
    const std::string reason = Reason(Open(credentials));
    EXPECT_TRUE(reason.starts_with("refused: ") || reason.starts_with("broker_unreachable: ")) << reason;
  }
  EXPECT_EQ(folder_.Read("mosquitto.log").find("New client"), std::string::npos);
  Serve("allow_anonymous false\n");
  EXPECT_EQ(Reason(Open(card_.credentials())), "refused: refused not_authorized");
  folder_.Write("acl", "topic read nothing\n");
  Serve("allow_anonymous true\nacl_file " + folder_.In("acl") + "\n");
  const auto session = Open(card_.credentials());
  ASSERT_TRUE(session) << Reason(session);
  EXPECT_EQ((*session)->Send("{}", 5s).error().message, "refused not_authorized");
}

TEST_F(TelemetryTest, EndsWithTheCardsReasonWhenThatDoesNotSign) {
  card_.Break();
  EXPECT_EQ(Reason(Open(card_.credentials())), "applet_refused: the card gives no answer");
  EXPECT_EQ(Reason(Open(card_.credentials(), TlsVersion::k12)), "applet_refused: the card gives no answer");
}

TEST_F(TelemetryTest, ABrokerThatIsAwayOrSilentIsUnreachable) {
  broker_.reset();
  EXPECT_EQ(Reason(Open(card_.credentials())).substr(0, 18), "broker_unreachable");
  // It accepts, and says nothing.
  lab::ProcessSpec spec;
  spec.name = "silent";
  spec.command = {"python3", "-c",
                  "import socket,time\ns=socket.create_server(('127.0.0.1'," + std::to_string(target_.port) +
                      "))\nprint('there',flush=True)\nk=[]\nwhile 1: k.append(s.accept())"};
  spec.log_file = folder_.In("mosquitto.log");
  const auto silent = lab::Process::Start(std::move(spec));
  ASSERT_TRUE(silent && Logged("there"));
  EXPECT_EQ(Reason(Telemetry::Open(target_, card_.credentials(), TlsVersion::k13, kDevice, 300ms)),
            "broker_unreachable: the broker does not answer in time");
}

// One client id has one session: whoever comes later ends the earlier one (MQTT 5 §3.1.4), without a word in Mosquitto
//   2.0.11.
TEST_F(TelemetryTest, TheKeeperTellsHowASessionEnds) {
  std::mutex mutex;
  std::condition_variable changed;
  std::vector<std::string> ends;
  TelemetryKeeper keeper([&](const std::string& device, const std::string& reason) {
    const std::lock_guard lock(mutex);
    ends.push_back(device + " " + reason);
    changed.notify_all();
  });
  const auto ended = [&](const std::string& end) {
    std::unique_lock lock(mutex);
    const auto there = [&] { return std::find(ends.begin(), ends.end(), end) != ends.end(); };
    return changed.wait_for(lock, 60s, there) ? end : ::testing::PrintToString(ends);
  };
  auto first = Open(card_.credentials());
  ASSERT_TRUE(first);
  ASSERT_TRUE(keeper.Keep("one", std::move(*first)));
  auto second = Open(card_.credentials());
  ASSERT_TRUE(second);
  EXPECT_EQ(ended("one connection_lost"), "one connection_lost");
  ASSERT_TRUE(keeper.Keep("two", std::move(*second)));
  broker_->Signal(SIGKILL);
  EXPECT_EQ(ended("two connection_lost"), "two connection_lost");
}

// A context is made for each session and freed with it, though libmosquitto has a share in it.
TEST_F(TelemetryTest, LeavesNoContextBehind) {
  static int freed = 0;
  freed = 0;
  const int index = SSL_CTX_get_ex_new_index(0, nullptr, nullptr, nullptr,
                                             [](void*, void* value, CRYPTO_EX_DATA*, int, long, void*) {
                                               if (value != nullptr) ++freed;
                                             });
  OwnedSslContext context = MakeClientContext(TlsVersion::k13);
  static int mark = 0;
  SSL_CTX_set_ex_data(context.get(), index, &mark);
  EXPECT_FALSE(BrokerLink::Open({target_.address, target_.port, kDevice, context.get()}, 5s))
      << "it trusts nobody";
  EXPECT_EQ(freed, 0) << "the context is its owner's still";
  context.reset();
  EXPECT_EQ(freed, 1);
}

}  // namespace
}  // namespace registry::sim
