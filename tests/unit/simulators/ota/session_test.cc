// HTTP sessions over real TLS with a shared key: a card that fetches scripts, sessions that break off, and strangers.
#include <gtest/gtest.h>
#include <unistd.h>

#include <csignal>

#include "schemas/base/mutex.h"
#include "simulators/euicc/ota.h"
#include "simulators/ota/admin_agent.h"
#include "simulators/ota/http_message.h"
#include "simulators/ota/platform.h"
#include "simulators/ota/psk_stream.h"
#include "tests/support/shell.h"

namespace registry::sim::ota {
namespace {

using nlohmann::json;
using std::chrono::seconds;

constexpr const char* kCard = "8910390000000000000";

KeySet SessionKeys() {
  KeySet keys;
  keys.kic = keys.kid = keys.kik = Bytes(16, 0x11);
  keys.psk = Bytes(16, 0x44);
  return keys;
}

json SomeAction(std::size_t size) {
  return {{"version", 1},
          {"cms", ToBase64(Bytes(size, 0x31))},
          {"containers", {{{"id", "02"}, {"content", ToBase64(Bytes(1200, 0x02))}}}}};
}

class Operator : public AdminPlatform {
 public:
  Operator() {
    PlatformOptions options;
    options.bearer = Bearer::kHttp;
    options.http_octets_most = 600;  // many scripts
    platform_ = std::make_unique<Platform>(options, [](const std::string&, const Bytes&) {});
    platform_->AddCard(kCard, SessionKeys());
  }
  std::optional<Bytes> PskOf(const std::string& identity) override {
    const MutexLock lock(mutex_);
    const KeySet* keys = platform_->KeysOf(identity);
    return keys != nullptr ? std::optional(keys->psk) : std::nullopt;
  }
  std::optional<Script> Poll(const std::string& identity,
                             const std::optional<ScriptAnswer>& answer) override {
    const MutexLock lock(mutex_);
    return platform_->Poll(identity, answer, Platform::Clock::now());
  }
  bool Deliver(const std::string& job, Parcel parcel) {
    const MutexLock lock(mutex_);
    return platform_->Deliver(kCard, job, std::move(parcel), Platform::Clock::now());
  }
  std::vector<Platform::Ended> TakeEnded() {
    const MutexLock lock(mutex_);
    return platform_->TakeEnded();
  }

 private:
  Mutex mutex_;
  std::unique_ptr<Platform> platform_;
};

class SessionTest : public ::testing::Test {
 protected:
  void SetUp() override { std::signal(SIGPIPE, SIG_IGN); }  // as every program does
  void Open(double break_off = 0, std::uint64_t seed = 1) {
    auto server = AdminServer::Open(socket_, operator_, {break_off, seed});
    ASSERT_TRUE(server.ok()) << server.error().message;
    server_ = std::move(*server);
  }
  bool OnCard(std::uint8_t file) {
    card_->applet().Reset();
    card_->applet().Transmit(*FromHex("0070000001"));
    card_->applet().Transmit(*FromHex("01a4040007a0000005590010"));
    return card_->applet().Transmit({0x01, 0xb0, 0x00, 0x00, 0x03, 0x83, 0x01, file, 0x00}).size() > 2;
  }

  const std::string socket_ = ::testing::TempDir() + "ota-admin-" + std::to_string(getpid());
  Operator operator_;
  std::unique_ptr<AdminServer> server_;
  std::unique_ptr<Euicc> card_ = Euicc::Make();
  CardAgent agent_{*card_, SessionKeys()};
  AdminAgent admin_{agent_, kCard};
};

TEST_F(SessionTest, ScriptsComeUntilThereIsNone) {
  Open();
  ASSERT_TRUE(operator_.Deliver("job", *PayloadParcel("job", SomeAction(3000))));
  ASSERT_TRUE(operator_.Deliver("next", *PayloadParcel("next", SomeAction(300))));
  ASSERT_TRUE(admin_.Run(socket_, seconds(5)).ok());
  const auto ended = operator_.TakeEnded();
  ASSERT_EQ(ended.size(), 2u);
  EXPECT_FALSE(ended[0].failure || ended[1].failure);
  EXPECT_TRUE(OnCard(kHeadFile));
  EXPECT_FALSE(agent_.in_session());
  EXPECT_TRUE(admin_.Run(socket_, seconds(5)).ok()) << "and again, when there is nothing";
}

TEST_F(SessionTest, ASessionThatBreaksOffGoesOn) {
  for (std::uint64_t seed = 1; seed <= 10; ++seed) {
    Open(0.3, seed);
    const std::string job = "job-" + std::to_string(seed);
    ASSERT_TRUE(operator_.Deliver(job, *PayloadParcel(job, SomeAction(3000))));
    bool over = false;
    for (int i = 0; i < 40 && !over; ++i) over = admin_.Run(socket_, seconds(5), 1).ok();
    EXPECT_TRUE(over) << seed;
    const auto ended = operator_.TakeEnded();
    ASSERT_EQ(ended.size(), 1u) << seed;
    EXPECT_FALSE(ended[0].failure.has_value()) << seed << ' ' << ended[0].failure->reason;
    server_.reset();
  }
  EXPECT_TRUE(OnCard(kHeadFile));
}

TEST_F(SessionTest, NobodyWithoutTheKeyIsLetIn) {
  Open();
  EXPECT_EQ(PskStream::Connect(socket_, kCard, Bytes(16, 0x45), seconds(5)), nullptr);
  EXPECT_EQ(PskStream::Connect(socket_, "8910390000000000001", Bytes(16, 0x44), seconds(5)), nullptr);
  EXPECT_EQ(PskStream::Connect(socket_ + "-none", kCard, Bytes(16, 0x44), seconds(5)), nullptr);
}

TEST_F(SessionTest, WhatIsNoRequestIsRefused) {
  Open();
  for (const char* line : {"GET /ota HTTP/1.1", "POST HTTP/1.1", "POST /ota HTTP/1.0 HTTP/1.1x"}) {
    const auto stream = PskStream::Connect(socket_, kCard, Bytes(16, 0x44), seconds(5));
    ASSERT_NE(stream, nullptr);
    HttpMessage answer;
    ASSERT_TRUE(stream->Say({line, {{"x-admin-protocol", kAdminProtocol}}, {}}));
    ASSERT_TRUE(stream->Hear(answer));
    EXPECT_EQ(answer.first_line, "400 Bad Request") << line;
    EXPECT_FALSE(stream->Hear(answer)) << "its connection ends";
  }
}

// Another implementation of the client: OpenSSL's own command. What it says last is refused, which ends its connection.
TEST_F(SessionTest, OpensslsClientGetsAScript) {
  Open();
  ASSERT_TRUE(operator_.Deliver("job", *PayloadParcel("job", SomeAction(300))));
  const std::string said =
      test::Shell(
          "printf 'POST /ota HTTP/1.1\\r\\nhost: ota\\r\\nx-admin-protocol: "
          "globalplatform-remote-admin/1.0\\r\\n\\r\\nno request\\r\\n\\r\\n' | "
          "timeout 20 openssl s_client -quiet -ign_eof -tls1_2 -cipher PSK-AES128-CBC-SHA256 -psk_identity " +
          std::string(kCard) + " -psk 44444444444444444444444444444444 -unix " + socket_ +
          " 2>/dev/null | head -c 200")
          .output;
  EXPECT_NE(said.find("HTTP/1.1 200 OK"), said.npos) << said;
  EXPECT_NE(said.find("x-admin-next-uri: /ota/1"), said.npos) << said;
}

TEST(HttpMessageTest, IsReadAsItWasWrittenInAnyPieces) {
  const HttpMessage message{"POST /ota HTTP/1.1", {{"x-admin-protocol", kAdminProtocol}}, Bytes(300, 0x0d)};
  const std::string whole = WriteHttp(message);
  std::string octets;
  HttpMessage read;
  for (std::size_t i = 0; i + 1 < whole.size(); ++i) {
    octets.push_back(whole[i]);
    ASSERT_EQ(ReadHttp(octets, read), HttpRead::kMore);
  }
  octets.push_back(whole.back());
  octets += "next";
  ASSERT_EQ(ReadHttp(octets, read), HttpRead::kWhole);
  EXPECT_EQ(octets, "next");
  EXPECT_EQ(read.first_line, message.first_line);
  EXPECT_EQ(read.body, message.body);
  EXPECT_EQ(read.Header("x-admin-protocol"), kAdminProtocol);
}

TEST(HttpMessageTest, WhatIsNoneIsMalformed) {
  HttpMessage read;
  for (std::string octets :
       {"\r\n\r\n", "200 OK\r\nno colon\r\n\r\n", "200 OK\r\na: 1\r\na: 2\r\n\r\n",
        "200 OK\r\ncontent-length: x\r\n\r\n", "200 OK\r\ncontent-length: 99999999\r\n\r\n",
        "200 OK\r\ncontent-length: -1\r\n\r\n", "200 OK\r\ntransfer-encoding: chunked\r\n\r\n"}) {
    EXPECT_EQ(ReadHttp(octets, read), HttpRead::kMalformed) << octets;
  }
  std::string endless(9000, 'a');
  EXPECT_EQ(ReadHttp(endless, read), HttpRead::kMalformed);
}

}  // namespace
}  // namespace registry::sim::ota
