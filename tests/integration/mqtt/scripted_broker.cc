#include "tests/integration/mqtt/scripted_broker.h"

#include <signal.h>
#include <sys/socket.h>

#include "schemas/base/check.h"

namespace registry::test {
namespace {

bool Take(BIO* peer, std::string& octets) {
  for (std::size_t at = 0, got = 0; at < octets.size(); at += got) {
    if (BIO_read_ex(peer, &octets[at], octets.size() - at, &got) != 1) return false;
  }
  return true;
}

bool Say(BIO* peer, std::string_view octets) {
  std::size_t said = 0;
  return BIO_write_ex(peer, octets.data(), octets.size(), &said) == 1 && BIO_flush(peer) == 1;
}

std::size_t Number(const std::string& octets, std::size_t at) {
  return static_cast<std::size_t>(static_cast<unsigned char>(octets[at])) << 8 |
         static_cast<unsigned char>(octets[at + 1]);
}

// §2.1: false when the connection ended first.
bool TakePacket(BIO* peer, std::string& type, std::string& rest) {
  type.assign(1, '\0');
  std::string digit(1, '\0');
  if (!Take(peer, type)) return false;
  std::size_t size = 0;
  for (int shift = 0; shift < 28; shift += 7) {
    if (!Take(peer, digit)) return false;
    size |= (static_cast<std::size_t>(digit[0]) & 127) << shift;
    if ((digit[0] & 128) == 0) break;
  }
  rest.assign(size, '\0');
  return Take(peer, rest);
}

std::string Connack(const std::string& properties) {
  const auto size = static_cast<char>(properties.size());
  return std::string("\x20") + static_cast<char>(3 + size) + std::string(2, '\0') + size + properties;
}

}  // namespace

ScriptedBroker::ScriptedBroker(const TemporaryFolder& folder, BrokerScript script)
    : script_(std::move(script)) {
  signal(SIGPIPE, SIG_IGN);  // a write to a client that went is an error of the write
  port_ = *ports_.Take();
  context_ = SSL_CTX_new(TLS_server_method());
  REG_CHECK(SSL_CTX_use_certificate_file(context_, folder.In("broker.pem").c_str(), SSL_FILETYPE_PEM) == 1 &&
            SSL_CTX_use_PrivateKey_file(context_, folder.In("broker.key").c_str(), SSL_FILETYPE_PEM) == 1);
  listening_ = BIO_new_accept(("127.0.0.1:" + std::to_string(port_)).c_str());
  BIO_set_accept_bios(listening_, BIO_new_ssl(context_, 0));
  REG_CHECK(BIO_do_accept(listening_) == 1);
  thread_ = std::thread([this] {
    while (Serve()) {
    }
  });
}

ScriptedBroker::~ScriptedBroker() {
  shutdown(BIO_get_fd(listening_, nullptr), SHUT_RDWR);
  thread_.join();
  BIO_free_all(listening_);
  SSL_CTX_free(context_);
}

std::vector<int> ScriptedBroker::keep_alives() const {
  const std::lock_guard lock(mutex_);
  return keep_alives_;
}

// One connection, until either side ends it; false when nobody is listening any more.
bool ScriptedBroker::Serve() {
  if (BIO_do_accept(listening_) != 1) return false;
  BIO* const peer = BIO_pop(listening_);
  BIO_set_accept_bios(listening_, BIO_new_ssl(context_, 0));
  while (Answer(peer)) {
  }
  BIO_free_all(peer);
  return true;
}

// Reads on until the client goes: a socket closed over unread octets takes what was said last with it.
// §3.9: one reason code for each filter of the SUBSCRIBE, whose properties are shorter than 128 octets.
std::string ScriptedBroker::Suback(const std::string& subscribe, unsigned char granted) {
  std::string answer = subscribe.substr(0, 2) + '\0';
  std::size_t at = 3 + static_cast<unsigned char>(subscribe.at(2));
  while (at + 2 < subscribe.size()) {
    at += 3 + Number(subscribe, at);
    answer += static_cast<char>(granted);
  }
  return std::string("\x90") + static_cast<char>(answer.size()) + answer;
}

bool ScriptedBroker::Disconnect(BIO* peer) const {
  (void)Say(peer, script_.disconnect);
  for (std::string octet(1, '\0'); Take(peer, octet);) {
  }
  return false;
}

// Reads one packet and answers it; false when the connection ends.
bool ScriptedBroker::Answer(BIO* peer) {
  std::string type, rest;
  if (!TakePacket(peer, type, rest)) return false;
  switch (type[0] >> 4 & 15) {
    case 1: {  // §3.1.2: the keep alive stands behind name, version and flags
      const std::lock_guard lock(mutex_);
      keep_alives_.push_back(static_cast<int>(Number(rest, 8)));
      return Say(peer, Connack(script_.connack_properties));
    }
    case 8:
      return Say(peer, Suback(rest, script_.granted));
    case 3:
      return rest.size() > script_.packet_max ? Disconnect(peer) : Acknowledge(peer, rest);
    default:
      return type[0] >> 4 == 12 ? Say(peer, std::string_view("\xd0\0", 2)) : false;
  }
}

bool ScriptedBroker::Acknowledge(BIO* peer, const std::string& publish) {
  ++publishes_;
  const std::string identifier = publish.substr(2 + Number(publish, 0), 2);
  return !script_.acknowledges || Say(peer, std::string("\x40\x02", 2) + identifier);
}

}  // namespace registry::test
