// Transfers over TLS on real sockets (RFC 9103): who is let in, who is not and with what alert, and that a peer that
// does not go on holds nobody up. The client is OpenSSL's own.
#include "bridge/zone/transfer_tls.h"

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <openssl/err.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <condition_variable>
#include <mutex>

#include "bridge/zone/server.h"
#include "tests/unit/bridge/zone/served_zone.h"
#include "tests/unit/bridge/zone/transfer_certificates.h"

namespace registry::zone::testing {
namespace {

using ::testing::HasSubstr;

constexpr char kPrimary[] = "primary.iotregistry.test";
constexpr char kDotOffer[] =
    "\x03"
    "dot";

Socket Connected(std::uint16_t port, const char* from = "127.0.0.1") {
  Socket socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in own{}, to{};
  own.sin_family = to.sin_family = AF_INET;
  inet_pton(AF_INET, from, &own.sin_addr);
  to.sin_port = htons(port);
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const timeval patience{10, 0};
  setsockopt(socket.fd(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  EXPECT_EQ(bind(socket.fd(), reinterpret_cast<sockaddr*>(&own), sizeof own), 0);
  EXPECT_EQ(connect(socket.fd(), reinterpret_cast<sockaddr*>(&to), sizeof to), 0);
  return socket;
}

struct Offer {
  std::string ca, certificate, key, alpn = kDotOffer;
  int version_max = TLS1_3_VERSION;
};

class TlsClient {
 public:
  TlsClient(std::uint16_t port, const Offer& offer)
      : socket_(Connected(port)), context_(SSL_CTX_new(TLS_client_method()), SSL_CTX_free) {
    SSL_CTX_set_max_proto_version(context_.get(), offer.version_max);
    SSL_CTX_set_verify(context_.get(), SSL_VERIFY_PEER, nullptr);
    EXPECT_EQ(SSL_CTX_load_verify_locations(context_.get(), offer.ca.c_str(), nullptr), 1);
    if (!offer.certificate.empty()) {
      EXPECT_EQ(SSL_CTX_use_certificate_chain_file(context_.get(), offer.certificate.c_str()), 1);
      EXPECT_EQ(SSL_CTX_use_PrivateKey_file(context_.get(), offer.key.c_str(), SSL_FILETYPE_PEM), 1);
    }
    const auto* alpn = reinterpret_cast<const unsigned char*>(offer.alpn.data());
    if (!offer.alpn.empty())
      SSL_CTX_set_alpn_protos(context_.get(), alpn, static_cast<unsigned>(offer.alpn.size()));
    tls_.reset(SSL_new(context_.get()));
    SSL_set1_host(tls_.get(), kPrimary);
    SSL_set_fd(tls_.get(), socket_.fd());
    ERR_clear_error();
    if (SSL_connect(tls_.get()) != 1) Note();
  }
  void Send(const Bytes& octets) {
    if (trouble_.empty() && SSL_write(tls_.get(), octets.data(), static_cast<int>(octets.size())) !=
                                static_cast<int>(octets.size()))
      Note();
  }
  // One message; empty when there is none.
  Bytes Receive() {
    const Bytes size = Exactly(2);
    return size.empty() ? size : Exactly(static_cast<std::size_t>(size[0]) << 8 | size[1]);
  }
  // Empty: it is let in, and answered. In TLS 1.3 a client hears of its certificate only behind its own handshake; what
  // it asks meanwhile may cost it the alert, for a connection that is closed with octets unread is reset.
  std::string TroubleWith(const Bytes& question) {
    Send(question);
    if (trouble_.empty() && Receive().empty() && trouble_.empty()) trouble_ = "no answer";
    return trouble_;
  }
  std::string alpn() const {
    const unsigned char* selected = nullptr;
    unsigned size = 0;
    SSL_get0_alpn_selected(tls_.get(), &selected, &size);
    return {reinterpret_cast<const char*>(selected), size};
  }

 private:
  void Note() {
    const char* const reason = ERR_reason_error_string(ERR_peek_error());
    trouble_ = reason != nullptr ? reason : "the connection was ended";
    ERR_clear_error();
  }
  Bytes Exactly(std::size_t size) {
    Bytes octets(size);
    for (std::size_t got = 0; got < size;) {
      const int part = SSL_read(tls_.get(), octets.data() + got, static_cast<int>(size - got));
      if (part <= 0) {
        Note();
        return {};
      }
      got += static_cast<std::size_t>(part);
    }
    return octets;
  }

  Socket socket_;
  std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> context_;
  std::unique_ptr<SSL, decltype(&SSL_free)> tls_{nullptr, SSL_free};
  std::string trouble_;
};

class TransferTlsTest : public ServedZone {
 protected:
  TransferTlsTest() {
    signal(SIGPIPE, SIG_IGN);  // as registryd does: OpenSSL writes to peers that have gone
    certificates_.Issue("transfer", kPrimary);
    certificates_.Issue("ns1", "ns1.example");
    others_.Issue("ns1", "ns1.example");
  }
  void Serve(bool clients, bool must = true, const std::vector<std::string>& names = {}) {
    TlsServerFiles files{certificates_.path("transfer.pem"), certificates_.path("transfer.key"), "", "",
                         must};
    if (clients) files.client_ca = certificates_.path("transfer-ca.pem");
    auto tls = TransferTls::Load(files, names);
    ASSERT_TRUE(tls.ok()) << tls.error().message;
    tls_ = std::move(*tls);
    ASSERT_TRUE(server_.ListenTls("127.0.0.1", 0, *tls_).ok());
    ASSERT_TRUE(server_.Start("127.0.0.1", 0).ok());
  }
  Offer Stranger() const {
    return {.ca = certificates_.path("transfer-ca.pem"), .certificate = "", .key = ""};
  }
  Offer With(const TransferCertificates& issued, const std::string& name) const {
    Offer offer = Stranger();
    offer.certificate = issued.path(name + ".pem");
    offer.key = issued.path(name + ".key");
    return offer;
  }
  std::string TroubleOf(const Offer& offer) {
    return TlsClient(server_.tls_port(), offer).TroubleWith(Framed(kTypeSoa, 3));
  }
  bool Says(const std::string& what) {
    std::unique_lock lock(mutex_);
    return more_.wait_for(lock, std::chrono::seconds(60), [&] { return said_.find(what) != said_.npos; });
  }

  TransferCertificates certificates_, others_{"another-ca"};
  std::mutex mutex_;
  std::condition_variable more_;
  std::string said_;
  std::unique_ptr<TransferTls> tls_;
  TransferServer server_{responder_, [this](int, const std::string& line) {
                           const std::lock_guard lock(mutex_);
                           said_ += line + "\n";
                           more_.notify_all();
                         }};
};

TEST_F(TransferTlsTest, AWholeZoneComesAndAnAnswerBehindIt) {
  Serve(false);
  TlsClient client(server_.tls_port(), Stranger());
  EXPECT_EQ(client.alpn(), "dot");
  ExpectZoneAndAnswer(client);
  EXPECT_EQ(server_.tls_made(), 1u);
  EXPECT_EQ(server_.tls_refused(), 0u);
}

// BIND does so at the end of each transfer.
TEST_F(TransferTlsTest, APeerThatEndsWithoutCloseNotifyOrWithoutAWordIsNoRefusal) {
  Serve(false);
  { EXPECT_EQ(TroubleOf(Stranger()), ""); }
  { const Socket looks = Connected(server_.tls_port()); }
  EXPECT_EQ(TroubleOf(Stranger()), "") << "and the two before have been noticed by now";
  EXPECT_EQ(server_.tls_made(), 2u);
  EXPECT_EQ(server_.tls_refused(), 0u);
}

// One TLS record holds more than is read at a time, and poll(2) does not see the rest.
TEST_F(TransferTlsTest, Rfc7766_RequestsOfOneRecordAreAllAnswered) {
  Serve(false);
  TlsClient client(server_.tls_port(), Stranger());
  Bytes all;
  for (std::uint16_t id = 1; id <= 90; ++id) Put(all, Framed(kTypeSoa, id));
  ASSERT_GT(all.size(), 8192u);
  ASSERT_LT(all.size(), 16384u);
  client.Send(all);
  for (int id = 1; id <= 90; ++id) ASSERT_EQ(IdOf(client.Receive()), id);
}

TEST_F(TransferTlsTest, Rfc9103_7_OnlyTls13WithTheAlpnOfDnsIsSpoken) {
  Serve(false);
  Offer offer = Stranger();
  offer.version_max = TLS1_2_VERSION;
  EXPECT_THAT(TroubleOf(offer), HasSubstr("protocol version"));
  EXPECT_TRUE(Says("no TLS handshake: unsupported protocol, from 127.0.0.1 port"));
  offer = Stranger();
  offer.alpn = "";
  EXPECT_THAT(TroubleOf(offer), HasSubstr("no application protocol"));
  EXPECT_TRUE(Says("no TLS handshake: no application protocol"));
  offer.alpn = "\x02h2\x08http/1.1";
  EXPECT_THAT(TroubleOf(offer), HasSubstr("no application protocol"));
  offer.alpn =
      "\x02h2\x03"
      "dot";
  EXPECT_EQ(TroubleOf(offer), "");
  EXPECT_EQ(server_.tls_refused(), 3u);
}

TEST_F(TransferTlsTest, WhoSpeaksNoTlsIsRefusedAndTheServerLives) {
  Serve(false);
  const Socket plain = Connected(server_.tls_port());
  const Bytes question = Framed(kTypeSoa, 1);
  ASSERT_EQ(send(plain.fd(), question.data(), question.size(), MSG_NOSIGNAL),
            static_cast<ssize_t>(question.size()));
  EXPECT_TRUE(Says("no TLS handshake: "));
  std::uint8_t octets[64];
  ssize_t size = recv(plain.fd(), octets, sizeof octets, 0);
  if (size > 0) {
    EXPECT_EQ(octets[0], 21) << "an alert of TLS (RFC 8446 §5.1), and nothing of the zone";
  }
  EXPECT_EQ(TroubleOf(Stranger()), "");
}

TEST_F(TransferTlsTest, ASecondaryNeedsACertificateOfTheCaThatTheRegistryNames) {
  Serve(true);
  EXPECT_NE(TroubleOf(Stranger()), "");
  EXPECT_TRUE(Says("no TLS handshake: peer did not return a certificate"));
  EXPECT_NE(TroubleOf(With(others_, "ns1")), "");
  EXPECT_TRUE(Says("no TLS handshake: unable to get local issuer certificate"));
  EXPECT_EQ(TroubleOf(With(certificates_, "ns1")), "");
}

TEST_F(TransferTlsTest, TheCertificateIsForTheNameOfASecondary) {
  Serve(true, true, {"ns2.example", "ns1.example"});
  EXPECT_EQ(TroubleOf(With(certificates_, "ns1")), "");
  EXPECT_NE(TroubleOf(With(certificates_, "transfer")), "") << "of the same CA, and for another name";
  EXPECT_TRUE(Says("no TLS handshake: hostname mismatch")) << said_;
}

TEST_F(TransferTlsTest, WhereNoneMustHaveACertificateAWrongOneIsStillRefused) {
  Serve(true, false);
  EXPECT_EQ(TroubleOf(Stranger()), "");
  EXPECT_NE(TroubleOf(With(others_, "ns1")), "");
  EXPECT_TRUE(Says("no TLS handshake: unable to get local issuer certificate"));
}

TEST_F(TransferTlsTest, ACertificateIsReadAgainAndABrokenOneChangesNothing) {
  Serve(false);
  TlsClient before(server_.tls_port(), Stranger());
  others_.Issue("transfer", kPrimary);
  namespace fs = std::filesystem;
  for (const char* end : {".pem", ".key"}) {
    fs::copy_file(others_.path("transfer" + std::string(end)),
                  certificates_.path("transfer" + std::string(end)), fs::copy_options::overwrite_existing);
  }
  EXPECT_EQ(TroubleOf(Stranger()), "") << "not before it is told to";
  ASSERT_TRUE(tls_->ReadAgain().ok());
  EXPECT_THAT(TroubleOf(Stranger()), HasSubstr("certificate verify failed"));
  Offer offer = Stranger();
  offer.ca = others_.path("another-ca.pem");
  EXPECT_EQ(TroubleOf(offer), "");
  EXPECT_EQ(before.TroubleWith(Framed(kTypeSoa, 3)), "") << "an open connection goes on";
  certificates_.folder().Write("transfer.pem", "no certificate\n");
  const Status read = tls_->ReadAgain();
  ASSERT_FALSE(read.ok());
  EXPECT_EQ(read.error().symbol, "tls_files");
  EXPECT_THAT(read.error().message, HasSubstr("transfer.pem: is no certificate in PEM"));
  EXPECT_EQ(TroubleOf(offer), "");
}

TEST_F(TransferTlsTest, AHandshakeThatDoesNotEndHoldsUpNobodyAndIsGivenUp) {
  Serve(false);
  const Socket silent = Connected(server_.tls_port());
  EXPECT_EQ(TroubleOf(Stranger()), "");
  int ends[2] = {-1, -1};
  ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends), 0);
  const Socket peer(ends[1]);
  const Steady::time_point begun(std::chrono::hours(1));
  const auto context = tls_->Current();
  Socket own(ends[0]);
  Connection connection(Channel(std::move(own), context.get()), begun);
  const std::uint8_t half[] = {22, 3, 1, 2, 0, 1};  // of a ClientHello
  ASSERT_EQ(send(peer.fd(), half, sizeof half, 0), static_cast<ssize_t>(sizeof half));
  EXPECT_TRUE(connection.Turn(POLLIN, responder_, begun + kShakeLimit - std::chrono::seconds(1)));
  EXPECT_FALSE(connection.made());
  EXPECT_FALSE(connection.ready()) << "a part of a record is nothing to go on with: the server rests";
  EXPECT_FALSE(connection.Turn(0, responder_, begun + kShakeLimit));
}

TEST_F(TransferTlsTest, APeerThatDoesNotReadHoldsUpNobody) {
  Serve(false);
  TlsClient silent(server_.tls_port(), Stranger());
  for (std::uint16_t id = 1; id < 20; ++id) silent.Send(Framed(kTypeAxfr, id));
  EXPECT_EQ(TroubleOf(Stranger()), "");
  server_.Stop();  // at once, whatever is under way
}

// RFC 9103 §11: where transfers are to go over TLS alone. Nobody reads what passes between two programs of one host.
TEST_F(TransferTlsTest, AnOpenTransferIsRefusedWhereThereIsToBeNone) {
  std::string said;
  Responder strict(
      store_, key_, clock_, [&said](int, const std::string& line) { said += line + "\n"; }, true);
  const auto outcome = [&](std::uint16_t type, Transport transport) {
    const Bytes framed = Framed(type, 5);
    auto reply = strict.Answer(View(framed).subspan(2), transport, "192.0.2.7 port 1");
    Bytes message;
    EXPECT_TRUE(reply && reply->Next(message));
    return message.size() > 3 ? message[3] & 15 : -1;
  };
  const int refused = static_cast<int>(Rcode::kRefused);
  EXPECT_EQ(outcome(kTypeAxfr, Transport::kTcp), refused);
  EXPECT_THAT(said, HasSubstr("request refused: a transfer without TLS, from 192.0.2.7 port 1"));
  EXPECT_EQ(outcome(kTypeAxfr, Transport::kTls), 0);
  EXPECT_EQ(outcome(kTypeAxfr, Transport::kTcpOfThisHost), 0);
  EXPECT_EQ(outcome(kTypeSoa, Transport::kTcp), 0);
  EXPECT_EQ(outcome(kTypeSoa, Transport::kUdp), 0);
}

TEST_F(TransferTlsTest, WhoIsOnThisHostIsToldByTheAddresses) {
  const Socket listener = *ListenTcp("127.0.0.1", 0);
  for (const auto& [from, here] : {std::pair("127.0.0.1", true), {"127.0.0.2", false}}) {
    const Socket client = Connected(LocalPort(listener), from);
    pollfd polled{listener.fd(), POLLIN, 0};
    ASSERT_EQ(poll(&polled, 1, 10'000), 1);
    const Socket accepted = AcceptTcp(listener);
    ASSERT_TRUE(accepted);
    EXPECT_EQ(IsOfThisHost(accepted), here) << from;
  }
}

TEST_F(TransferTlsTest, AFileThatCannotBeUsedIsNamed) {
  const auto error = [&](const TlsServerFiles& files) {
    const auto loaded = TransferTls::Load(files, {});
    EXPECT_FALSE(loaded.ok());
    return loaded.ok() ? "" : loaded.error().symbol + " " + loaded.error().message;
  };
  const std::string certificate = certificates_.path("transfer.pem"),
                    key = certificates_.path("transfer.key");
  EXPECT_THAT(error({certificates_.path("none.pem"), key, "", ""}), HasSubstr("none.pem: is no certificate"));
  EXPECT_THAT(error({certificate, certificates_.path("ns1.key"), "", ""}),
              HasSubstr("ns1.key: is not the certificate's key"));
  EXPECT_THAT(error({certificate, key, certificates_.path("none.pem"), ""}), HasSubstr("tls_files "));
  ASSERT_EQ(chmod(key.c_str(), 0644), 0);
  EXPECT_THAT(error({certificate, key, "", ""}), HasSubstr("transfer.key"));
}

}  // namespace
}  // namespace registry::zone::testing
