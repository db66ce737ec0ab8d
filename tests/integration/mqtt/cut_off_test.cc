// A broker that ends the connection over a packet it finds too large (MQTT 5 §4.13, DISCONNECT 0x95) without
// having said a maximum before: Mosquitto always says it, so this one is scripted, octet by octet. It may give
// another reason, one that Debian's Mosquitto does not give.
#include <gtest/gtest.h>
#include <openssl/ssl.h>
#include <signal.h>
#include <sys/socket.h>

#include <atomic>
#include <future>

#include "bridge/outbox/relay.h"
#include "simulators/lab/probe.h"
#include "tests/integration/mqtt/broker.h"

namespace registry::test {
namespace {

using namespace std::chrono_literals;

class ScriptedBroker {
 public:
  ScriptedBroker(const TemporaryFolder& folder, std::size_t packet_max,
                 std::string disconnect = std::string("\xe0\x02\x95\0", 4))
      : packet_max_(packet_max), disconnect_(std::move(disconnect)) {
    signal(SIGPIPE, SIG_IGN);  // a write to a client that went is an error of the write
    port_ = *ports_.Take();
    context_ = SSL_CTX_new(TLS_server_method());
    REG_CHECK(SSL_CTX_use_certificate_file(context_, folder.In("broker.pem").c_str(), SSL_FILETYPE_PEM) ==
                  1 &&
              SSL_CTX_use_PrivateKey_file(context_, folder.In("broker.key").c_str(), SSL_FILETYPE_PEM) == 1);
    listening_ = BIO_new_accept(("127.0.0.1:" + std::to_string(port_)).c_str());
    BIO_set_accept_bios(listening_, BIO_new_ssl(context_, 0));
    REG_CHECK(BIO_do_accept(listening_) == 1);
    thread_ = std::thread([this] {
      while (Serve()) {
      }
    });
  }
  ~ScriptedBroker() {
    shutdown(BIO_get_fd(listening_, nullptr), SHUT_RDWR);
    thread_.join();
    BIO_free_all(listening_);
    SSL_CTX_free(context_);
  }
  int port() const { return port_; }

 private:
  // One connection, until either side ends it; false when nobody is listening any more.
  bool Serve() {
    if (BIO_do_accept(listening_) != 1) return false;
    BIO* const peer = BIO_pop(listening_);
    BIO_set_accept_bios(listening_, BIO_new_ssl(context_, 0));
    while (Answer(peer)) {
    }
    BIO_free_all(peer);
    return true;
  }
  static bool Take(BIO* peer, std::string& octets) {
    for (std::size_t at = 0, got = 0; at < octets.size(); at += got) {
      if (BIO_read_ex(peer, &octets[at], octets.size() - at, &got) != 1) return false;
    }
    return true;
  }
  static bool Say(BIO* peer, std::string_view octets) {
    std::size_t said = 0;
    return BIO_write_ex(peer, octets.data(), octets.size(), &said) == 1 && BIO_flush(peer) == 1;
  }
  // Reads on until the client goes: a socket closed over unread octets takes what was said last with it.
  bool Disconnect(BIO* peer) const {
    (void)Say(peer, disconnect_);
    for (std::string octet(1, '\0'); Take(peer, octet);) {
    }
    return false;
  }
  // Reads one packet (§2.1) and answers it; false when the connection ends.
  bool Answer(BIO* peer) const {
    std::string type(1, '\0'), digit(1, '\0');
    if (!Take(peer, type)) return false;
    std::size_t size = 0;
    for (int shift = 0; shift < 28; shift += 7) {
      if (!Take(peer, digit)) return false;
      size |= (static_cast<std::size_t>(digit[0]) & 127) << shift;
      if ((digit[0] & 128) == 0) break;
    }
    std::string rest(size, '\0');
    if (!Take(peer, rest)) return false;
    switch (type[0] >> 4 & 15) {
      case 1:
        return Say(peer, std::string_view("\x20\x03\0\0\0", 5));
      case 8:
        return Say(peer, std::string("\x90\x04", 2) + rest.substr(0, 2) + std::string("\0\x01", 2));
      case 3: {
        if (size > packet_max_) return Disconnect(peer);
        const auto topic = static_cast<std::size_t>(static_cast<unsigned char>(rest[1]));
        return Say(peer, std::string("\x40\x02", 2) + rest.substr(2 + topic, 2));
      }
      default:
        return type[0] >> 4 == 12 ? Say(peer, std::string_view("\xd0\0", 2)) : false;
    }
  }

  const std::size_t packet_max_;
  const std::string disconnect_;
  lab::Ports ports_;
  int port_ = 0;
  SSL_CTX* context_ = nullptr;
  BIO* listening_ = nullptr;
  std::thread thread_;
};

TEST(CutOff, AnEntryThatAloneEndsEveryConnectionIsBuriedAndItsNeighboursArrive) {
  Broker real;  // for its certificates
  ScriptedBroker broker(real.folder(), 8192);
  auto ledger = ledger::OpenMemoryLedger();
  auto session_options = real.ForRegistry();
  session_options.port = broker.port();
  mqtt::Session session(session_options, [](ingest::InboundMessage) {});
  outbox::RelayOptions options;
  options.retry_after = 1ms;
  outbox::MqttRelay relay(*ledger, session, options);
  session.Start();
  EXPECT_TRUE(lab::WaitUntil([&] { return session.connected(); }, 15s));
  domain::Changeset changes;
  for (const std::size_t size : {100, 10000, 200, 300}) {
    changes.messages.push_back({"registry/v1/to/mno-a/do/payload.push", std::string(size, 'x'), ""});
  }
  EXPECT_TRUE(ledger->Commit(std::move(changes)).ok());
  relay.Start();
  EXPECT_TRUE(lab::WaitUntil([&] { return relay.Depth() == 0; }, 30s));
  relay.Stop();
  session.Stop(2s);
  const auto letters = *ledger->DeadLettersAfter(0, 10);
  ASSERT_EQ(letters.size(), 1u);
  EXPECT_NE(letters[0].second.reason.find("entry 2 of 10000 octets"), std::string::npos)
      << letters[0].second.reason;
}

// A second registryd with the same client id (§3.1.4) throws the first one out, again and again: its operator must see it.
TEST(CutOff, ATakenOverSessionIsNamedInTheLogWithTheBrokersWords) {
  Broker real;  // for its certificates
  // Reason 0x8e and the Reason String "by two" (§3.14.2.2.3).
  ScriptedBroker broker(real.folder(), 0, std::string("\xe0\x0b\x8e\x09\x1f\0\x06", 7) + "by two");
  std::atomic<int> said{0};
  auto options = real.ForRegistry();
  options.port = broker.port();
  options.log = [&](int level, const std::string& line) {
    said += level == 2 && line == "mqtt: disconnected: the broker says Session taken over (0x8e): by two";
  };
  mqtt::Session session(options, [](ingest::InboundMessage) {});
  session.Start();
  ASSERT_TRUE(lab::WaitUntil([&] { return session.connected(); }, 15s));
  ASSERT_TRUE(session.Publish({"registry/v1/to/mno-a/x", "{}", ""}, [](mqtt::Session::Answer) {}).ok());
  EXPECT_TRUE(lab::WaitUntil([&] { return said > 0; }, 15s));
}

}  // namespace
}  // namespace registry::test
