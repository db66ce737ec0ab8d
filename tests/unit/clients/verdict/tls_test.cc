// The verdict inside a real TLS handshake, and the draft's extension on the wire between two ends of OpenSSL.
#include <gtest/gtest.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

#include "clients/verdict/client_identity.h"
#include "clients/verdict/tls_guard.h"
#include "tests/unit/clients/verdict/client_world.h"

namespace registry::clients {
namespace {

using test::Kind;

constexpr unsigned kExtension = 0xff77;

struct Seen {
  bool accepted = false;
  int alert = 0;  // what the client was told
  std::string verdict, device;
  std::optional<std::string> sent;
};

class TlsTest : public test::ClientWorldTest {
 protected:
  void SetUp() override {
    client_ = SSL_CTX_new(TLS_client_method());
    server_ = SSL_CTX_new(TLS_server_method());
    SSL_CTX_use_certificate_file(server_, world_->server().certificate_file.c_str(), SSL_FILETYPE_PEM);
    SSL_CTX_use_PrivateKey_file(server_, world_->server().key_file.c_str(), SSL_FILETYPE_PEM);
    own_.Claimed(world_->device(Kind::kGood).id);
  }
  void TearDown() override {
    SSL_CTX_free(client_);
    SSL_CTX_free(server_);
  }
  void GuardServer(NameFrom from) {
    check_ = *ClientCheck::Create(world_->trust(), &own_, *DaneResolver::Create(world_->resolver()),
                                  {Freshness::kCached, from, 100});
    ASSERT_TRUE(Guard(server_, *check_, kExtension));
  }
  void ShowCertificate(Kind kind) {
    const test::TestDevice& device = world_->device(kind);
    SSL_CTX_use_certificate_file(client_, device.certificate_file.c_str(), SSL_FILETYPE_PEM);
    SSL_CTX_use_PrivateKey_file(client_, device.key_file.c_str(), SSL_FILETYPE_PEM);
  }
  // `name`: of this connection alone.
  Seen Shake(const std::string& name = {}) {
    SSL *client = SSL_new(client_), *server = SSL_new(server_);
    EXPECT_TRUE(name.empty() || GiveIdentity(client, name));
    BIO *one = nullptr, *other = nullptr;
    BIO_new_bio_pair(&one, 0, &other, 0);
    SSL_set_bio(client, one, one);
    SSL_set_bio(server, other, other);
    static int alert;
    alert = 0;
    SSL_set_info_callback(client, [](const SSL*, int where, int value) {
      if ((where & SSL_CB_READ_ALERT) == SSL_CB_READ_ALERT) alert = value & 0xff;
    });
    SSL_set_connect_state(client);
    SSL_set_accept_state(server);
    for (int i = 0; i < 10; ++i) {
      SSL_do_handshake(client);
      SSL_do_handshake(server);
    }
    char octet = 0;
    SSL_read(client, &octet, 1);  // TLS 1.3: the client hears of its refusal behind its own Finished
    Seen seen{SSL_is_init_finished(server) == 1, alert, "", "", IdentitySent(server)};
    if (const Judgement* const judgement = JudgementIn(server)) {
      seen.verdict = SymbolOf(VerdictOf(judgement->status));
      seen.device = judgement->device;
    }
    SSL_free(client);
    SSL_free(server);
    ERR_clear_error();
    return seen;
  }

  SSL_CTX *client_ = nullptr, *server_ = nullptr;
  OwnDevices own_;
  std::unique_ptr<ClientCheck> check_;
};

TEST_F(TlsTest, AClientThatSendsItsNameIsLookedUpUnderThatName) {
  GuardServer(NameFrom::kExtension);
  ShowCertificate(Kind::kGood);
  ASSERT_TRUE(SendIdentity(client_, kExtension, world_->device(Kind::kGood).name));
  const Seen seen = Shake();
  EXPECT_EQ(seen.verdict, "accepted");
  EXPECT_TRUE(seen.accepted);
  EXPECT_EQ(seen.device, world_->device(Kind::kGood).id);
  EXPECT_EQ(seen.sent, world_->device(Kind::kGood).name);
}

TEST_F(TlsTest, AClientThatDoesNotHasNotAskedForDane) {
  GuardServer(NameFrom::kExtension);
  ShowCertificate(Kind::kGood);
  const Seen seen = Shake();
  EXPECT_EQ(seen.verdict, "identity_missing");
  EXPECT_FALSE(seen.accepted);
  EXPECT_EQ(seen.alert, SSL_AD_HANDSHAKE_FAILURE);
  EXPECT_FALSE(seen.sent.has_value());
}

TEST_F(TlsTest, TheCertificatesNameWillDoWhereTheConfigurationSaysSo) {
  GuardServer(NameFrom::kEither);
  ShowCertificate(Kind::kGood);
  EXPECT_EQ(Shake().verdict, "accepted");
}

TEST_F(TlsTest, ARefusedClientIsToldHandshakeFailure) {
  GuardServer(NameFrom::kEither);
  for (const auto& [kind, verdict] : {std::pair(Kind::kOther, "device_not_claimed"),
                                      {Kind::kHeld, "tlsa_missing"},
                                      {Kind::kExpired, "certificate_expired"},
                                      {Kind::kBogus, "dns_bogus"}}) {
    ShowCertificate(kind);
    const Seen seen = Shake();
    EXPECT_EQ(seen.verdict, verdict);
    EXPECT_FALSE(seen.accepted) << verdict;
    EXPECT_EQ(seen.alert, SSL_AD_HANDSHAKE_FAILURE) << verdict;
  }
}

TEST_F(TlsTest, NobodyComesInWithoutACertificateOrWithOlderTls) {
  GuardServer(NameFrom::kEither);
  const Seen bare = Shake();
  EXPECT_FALSE(bare.accepted);
  EXPECT_EQ(bare.alert, SSL_AD_CERTIFICATE_REQUIRED);
  EXPECT_EQ(bare.verdict, "") << "nobody was judged";
  ShowCertificate(Kind::kGood);
  SSL_CTX_set_max_proto_version(client_, TLS1_2_VERSION);
  EXPECT_FALSE(Shake().accepted);
}

// RFC 8446 §4.4.2: an extension that nobody asked for must not come, so it does not.
TEST_F(TlsTest, AServerThatDoesNotAskIsToldNoName) {
  SSL_CTX_set_verify(server_, SSL_VERIFY_PEER, [](int, X509_STORE_CTX*) { return 1; });
  ShowCertificate(Kind::kGood);
  ASSERT_TRUE(SendIdentity(client_, kExtension, world_->device(Kind::kGood).name));
  const Seen seen = Shake();
  EXPECT_TRUE(seen.accepted);
  EXPECT_FALSE(seen.sent.has_value());
}

TEST_F(TlsTest, ANameWhoseLengthIsWrongEndsTheHandshake) {
  GuardServer(NameFrom::kEither);
  ShowCertificate(Kind::kGood);
  static const unsigned char kTooLong[] = {9, 'a'};
  SSL_CTX_add_custom_ext(
      client_, kExtension,
      SSL_EXT_TLS1_3_ONLY | SSL_EXT_TLS1_3_CERTIFICATE_REQUEST | SSL_EXT_TLS1_3_CERTIFICATE,
      [](SSL*, unsigned, unsigned, const unsigned char** out, std::size_t* size, X509*, std::size_t, int*,
         void*) {
        *out = kTooLong;
        *size = sizeof kTooLong;
        return 1;
      },
      nullptr, nullptr,
      [](SSL*, unsigned, unsigned, const unsigned char*, std::size_t, X509*, std::size_t, int*, void*) {
        return 1;
      },
      nullptr);
  const Seen seen = Shake();
  EXPECT_FALSE(seen.accepted);
  EXPECT_EQ(seen.alert, SSL_AD_DECODE_ERROR);
}

TEST_F(TlsTest, ConnectionsOfOneContextSendNamesOfTheirOwn) {
  own_.Claimed(world_->device(Kind::kByKey).id);
  GuardServer(NameFrom::kExtension);
  ASSERT_TRUE(OfferIdentity(client_, kExtension));
  for (const Kind kind : {Kind::kGood, Kind::kByKey}) {
    ShowCertificate(kind);
    const Seen seen = Shake(world_->device(kind).name);
    EXPECT_TRUE(seen.accepted) << seen.verdict;
    EXPECT_EQ(seen.sent, world_->device(kind).name);
  }
  EXPECT_FALSE(Shake().sent.has_value()) << "who was given none sends none";
  SSL* const connection = SSL_new(client_);
  EXPECT_EQ(GiveIdentity(connection, "device.iot.test.").error().symbol, "identity_malformed");
  SSL_free(connection);
}

TEST_F(TlsTest, WhatIsNoNameIsNotSent) {
  EXPECT_EQ(SendIdentity(client_, kExtension, "").error().symbol, "identity_malformed");
  EXPECT_EQ(SendIdentity(client_, kExtension, "device.iot.test.").error().symbol, "identity_malformed");
}

}  // namespace
}  // namespace registry::clients
