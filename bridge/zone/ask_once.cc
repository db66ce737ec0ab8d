#include "bridge/zone/ask_once.h"

#include <netdb.h>
#include <openssl/err.h>
#include <openssl/rand.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <sys/time.h>

#include <cerrno>
#include <cstring>
#include <memory>

#include "bridge/zone/socket.h"
#include "schemas/base/check.h"

namespace registry::zone {
namespace {

using std::chrono::milliseconds;

constexpr int kTries = 2;  // UDP loses

std::uint16_t FreshId() {
  std::uint8_t octets[2];
  REG_CHECK(RAND_bytes(octets, sizeof octets) == 1);
  return static_cast<std::uint16_t>(octets[0] << 8 | octets[1]);
}

// The next datagram; empty: none within the time.
Bytes ReceiveWithin(const Socket& socket, milliseconds time) {
  pollfd look{socket.fd(), POLLIN, 0};
  if (poll(&look, 1, static_cast<int>(time.count())) <= 0) return {};
  Bytes octets(4096);
  const ssize_t size = recv(socket.fd(), octets.data(), octets.size(), 0);
  octets.resize(size > 0 ? static_cast<std::size_t>(size) : 0);
  return octets;
}

std::optional<std::uint32_t> SerialIn(const Bytes& octets, const Message& message, const Name& zone) {
  for (const Record& record : message.answer) {
    if (record.owner == zone) return SoaSerial(octets, record);
  }
  return std::nullopt;
}

// What an answer says that has our id.
AskedSerial Judge(const Bytes& octets, const Message& message, const Name& zone, const TsigKey& key,
                  UtcTime now, const Bytes& mac) {
  AskedSerial asked;
  const TsigVerdict verdict = VerifyTsig(octets, message, key, now, mac);
  asked.tsig = verdict.told != 0 ? TsigError{verdict.told} : verdict.error;
  if (verdict.time_signed != 0)
    asked.clock_behind = now.seconds() - static_cast<std::int64_t>(verdict.time_signed);
  const bool authority = (message.flags & kFlagAuthoritative) != 0;
  const auto serial = SerialIn(octets, message, zone);
  if (verdict.error == TsigError::kNone && message.rcode() == 0 && authority && serial) {
    asked.serial = serial;
    return asked;
  }
  asked.why = RcodeName(message.rcode());
  if (asked.tsig != TsigError::kNone) asked.why += ", " + TsigErrorName(asked.tsig);
  if (asked.tsig == TsigError::kNone && message.rcode() == 0)
    asked.why += authority ? ", without the SOA" : ", without authority for the zone";
  return asked;
}

using SslContext = std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)>;
using Ssl = std::unique_ptr<SSL, decltype(&SSL_free)>;
using X509Owner = std::unique_ptr<X509, decltype(&X509_free)>;

Error Unreachable(const TlsResolver& resolver, const std::string& why) {
  return Error::Make(Code::kFailed, "resolver_unreachable",
                     resolver.address + " port " + std::to_string(resolver.port) + ": " + why);
}

// Blocking, with a time for each step.
Result<Socket> ConnectTcp(const TlsResolver& resolver, milliseconds patience) {
  addrinfo hints{};
  hints.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV;
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  if (getaddrinfo(resolver.address.c_str(), std::to_string(resolver.port).c_str(), &hints, &found) != 0)
    return Unreachable(resolver, "it is no IP address");
  const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> address(found, freeaddrinfo);
  Socket socket(::socket(address->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0));
  timeval time{static_cast<time_t>(patience.count() / 1000),
               static_cast<suseconds_t>(patience.count() % 1000 * 1000)};
  setsockopt(socket.fd(), SOL_SOCKET, SO_SNDTIMEO, &time, sizeof time);
  setsockopt(socket.fd(), SOL_SOCKET, SO_RCVTIMEO, &time, sizeof time);
  if (connect(socket.fd(), address->ai_addr, address->ai_addrlen) != 0)
    return Unreachable(resolver, errno == EINPROGRESS ? "no answer in time" : std::strerror(errno));
  return socket;
}

// RFC 7858 §4.2: that very certificate vouches for the resolver, whoever has issued it.
SslContext ContextOf(const TlsResolver& resolver) {
  const unsigned char* at = resolver.certificate.data();
  const X509Owner certificate(d2i_X509(nullptr, &at, static_cast<long>(resolver.certificate.size())),
                              X509_free);
  SslContext context(SSL_CTX_new(TLS_client_method()), SSL_CTX_free);
  if (!certificate || !context) return {nullptr, SSL_CTX_free};
  SSL_CTX_set_min_proto_version(context.get(), TLS1_2_VERSION);
  SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER, nullptr);
  X509_STORE* const store = SSL_CTX_get_cert_store(context.get());
  X509_STORE_set_flags(store, X509_V_FLAG_PARTIAL_CHAIN);
  if (X509_STORE_add_cert(store, certificate.get()) != 1) context.reset();
  return context;
}

Result<Ssl> HandShake(const TlsResolver& resolver, SSL_CTX* context, int fd) {
  Ssl ssl(SSL_new(context), SSL_free);
  std::string name = resolver.name;  // what the macro SSL_set_tlsext_host_name does, without its cast
  if (!ssl || SSL_set_fd(ssl.get(), fd) != 1 || SSL_set1_host(ssl.get(), name.c_str()) != 1)
    return Unreachable(resolver, "TLS could not be begun");
  SSL_ctrl(ssl.get(), SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name, name.data());
  ERR_clear_error();
  if (SSL_connect(ssl.get()) == 1) return ssl;
  const long verdict = SSL_get_verify_result(ssl.get());
  if (verdict != X509_V_OK)
    return Error::Make(Code::kFailed, "resolver_untrusted", X509_verify_cert_error_string(verdict));
  const char* const reason = ERR_reason_error_string(ERR_peek_last_error());
  return Unreachable(resolver, std::string("TLS: ") + (reason != nullptr ? reason : "no answer in time"));
}

bool ReadAll(SSL* ssl, std::uint8_t* to, std::size_t size) {
  while (size > 0) {
    const int got = SSL_read(ssl, to, static_cast<int>(size));
    if (got <= 0) return false;
    to += got;
    size -= static_cast<std::size_t>(got);
  }
  return true;
}

}  // namespace

AskedSerial AskSerial(const SecondaryAddress& server, const Name& zone, const TsigKey& key,
                      const Clock& clock, const std::string& source, milliseconds patience) {
  const auto socket = ConnectUdp(server.address, server.port, source);
  AskedSerial asked;
  if (!socket) {
    asked.why = socket.error().message;
    return asked;
  }
  asked.why = "no answer";
  for (int attempt = 0; attempt < kTries; ++attempt) {
    const std::uint16_t id = FreshId();
    Bytes question = StartMessage(id, 0, zone, kTypeSoa);
    const Bytes mac = SignRequest(question, key, clock.Now());
    if (send(socket->fd(), question.data(), question.size(), MSG_NOSIGNAL) < 0) continue;
    const Bytes octets = ReceiveWithin(*socket, patience);
    const auto message = ParseMessage(octets);
    if (!message || !message->response() || message->id != id) continue;
    return Judge(octets, *message, zone, key, clock.Now(), mac);
  }
  return asked;
}

Result<ResolverAnswer> AskOverTls(const TlsResolver& resolver, const Name& question, std::uint16_t type,
                                  milliseconds patience) {
  const auto socket = ConnectTcp(resolver, patience);
  if (!socket) return socket.error();
  const SslContext context = ContextOf(resolver);
  if (!context) return Unreachable(resolver, "its certificate cannot be used");
  const auto ssl = HandShake(resolver, context.get(), socket->fd());
  if (!ssl) return ssl.error();
  const std::uint16_t id = FreshId();
  const Bytes asked = StartMessage(id, kFlagRecursionDesired | kFlagAuthenticData, question, type);
  Bytes framed;  // RFC 7858 §3.3: with the two octets of its length, in one write
  PutU16(framed, static_cast<std::uint16_t>(asked.size()));
  Put(framed, asked);
  std::uint8_t length[2];
  const Error silent = Error::Make(Code::kFailed, "resolver_silent",
                                   "it does not answer a question for " + NameToText(question));
  if (SSL_write(ssl->get(), framed.data(), static_cast<int>(framed.size())) <= 0) return silent;
  if (!ReadAll(ssl->get(), length, sizeof length)) return silent;
  ResolverAnswer answer;
  answer.octets.resize(static_cast<std::size_t>(length[0] << 8 | length[1]));
  if (!ReadAll(ssl->get(), answer.octets.data(), answer.octets.size())) return silent;
  SSL_shutdown(ssl->get());
  auto message = ParseMessage(answer.octets);
  if (!message || message->id != id || !message->response() || message->question != question) return silent;
  answer.message = std::move(*message);
  return answer;
}

}  // namespace registry::zone
