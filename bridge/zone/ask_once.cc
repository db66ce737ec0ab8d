#include "bridge/zone/ask_once.h"

#include <netdb.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <poll.h>
#include <sys/time.h>

#include <cerrno>
#include <cstring>
#include <memory>

#include "bridge/zone/socket.h"

namespace registry::zone {
namespace {

using std::chrono::milliseconds;

constexpr int kTries = 2;  // UDP loses

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

// An answer that has our id, and what its signature is worth.
struct Answered {
  Bytes octets;
  Message message;
  TsigVerdict verdict;
  UtcTime at;
  TsigError tsig() const { return verdict.told != 0 ? TsigError{verdict.told} : verdict.error; }
  bool authority() const { return (message.flags & kFlagAuthoritative) != 0; }
  bool good() const { return verdict.error == TsigError::kNone && message.rcode() == 0 && authority(); }
};

// Why it is none that counts, when it is not for `lacks`.
std::string WhyNot(const Answered& answer, const char* lacks) {
  std::string why = RcodeName(answer.message.rcode());
  if (answer.tsig() != TsigError::kNone) return why + ", " + TsigErrorName(answer.tsig());
  if (answer.message.rcode() == 0) why += answer.authority() ? lacks : ", without authority for the zone";
  return why;
}

AskedSerial JudgeSerial(const Answered& answer, const Name& zone) {
  AskedSerial asked;
  asked.tsig = answer.tsig();
  if (answer.verdict.time_signed != 0)
    asked.clock_behind = answer.at.seconds() - static_cast<std::int64_t>(answer.verdict.time_signed);
  const auto serial = SerialIn(answer.octets, answer.message, zone);
  if (answer.good() && serial)
    asked.serial = serial;
  else
    asked.why = WhyNot(answer, ", without the SOA");
  return asked;
}

AskedSet JudgeSet(const Answered& answer, const Name& owner, std::uint16_t type) {
  const bool whole = (answer.message.flags & kFlagTruncated) == 0;
  if (!answer.good() || !whole) return {std::nullopt, WhyNot(answer, ", truncated")};
  std::vector<Bytes> rdatas;
  for (const Record& record : answer.message.answer) {
    if (record.owner != owner || record.type != type) continue;
    const auto at = answer.octets.begin() + static_cast<std::ptrdiff_t>(record.rdata_at);
    rdatas.emplace_back(at, at + static_cast<std::ptrdiff_t>(record.rdata_size));
  }
  return {std::move(rdatas), ""};
}

struct SignedQuestion {
  const SecondaryAddress& server;
  const Name& owner;
  std::uint16_t type;
  const TsigKey& key;
};

// nullopt: why says it.
std::optional<Answered> AskSigned(const SignedQuestion& asked, const Clock& clock, const std::string& source,
                                  milliseconds patience, std::string& why) {
  const auto socket = ConnectUdp(asked.server.address, asked.server.port, source);
  why = socket ? "no answer" : socket.error().message;
  for (int attempt = 0; socket && attempt < kTries; ++attempt) {
    const std::uint16_t id = FreshId();
    Bytes question = StartMessage(id, 0, asked.owner, asked.type);
    PutEdns(question, false);
    const Bytes mac = SignRequest(question, asked.key, clock.Now());
    if (send(socket->fd(), question.data(), question.size(), MSG_NOSIGNAL) < 0) continue;
    Bytes octets = ReceiveWithin(*socket, patience);
    auto message = ParseMessage(octets);
    if (!message || !message->response() || message->id != id) continue;
    const UtcTime now = clock.Now();
    const TsigVerdict verdict = VerifyTsig(octets, *message, asked.key, now, mac);
    return Answered{std::move(octets), std::move(*message), verdict, now};
  }
  return std::nullopt;
}

using SslContext = std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)>;
using Ssl = std::unique_ptr<SSL, decltype(&SSL_free)>;
using X509Owner = std::unique_ptr<X509, decltype(&X509_free)>;

Error Unreachable(const TlsResolver& resolver, const std::string& why) {
  return Error::Make(Code::kFailed, "resolver_unreachable",
                     resolver.address + " port " + std::to_string(resolver.port) + ": " + why);
}

// Blocking, with a time for each step.
Result<Socket> ConnectTo(const TlsResolver& resolver, milliseconds patience) {
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
  if (!ssl || SSL_set_fd(ssl.get(), fd) != 1 ||
      (!name.empty() && SSL_set1_host(ssl.get(), name.c_str()) != 1))
    return Unreachable(resolver, "TLS could not be begun");
  if (!name.empty())
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
  AskedSerial asked;
  const auto answer = AskSigned({server, zone, kTypeSoa, key}, clock, source, patience, asked.why);
  return answer ? JudgeSerial(*answer, zone) : asked;
}

AskedSet AskSet(const SecondaryAddress& server, const Name& owner, std::uint16_t type, const TsigKey& key,
                const Clock& clock, const std::string& source, milliseconds patience) {
  AskedSet asked;
  const auto answer = AskSigned({server, owner, type, key}, clock, source, patience, asked.why);
  return answer ? JudgeSet(*answer, owner, type) : asked;
}

Result<ResolverAnswer> AskOverTls(const TlsResolver& resolver, const Name& question, std::uint16_t type,
                                  milliseconds patience) {
  const auto socket = ConnectTo(resolver, patience);
  if (!socket) return socket.error();
  const SslContext context = ContextOf(resolver);
  if (!context) return Unreachable(resolver, "its certificate cannot be used");
  const auto ssl = HandShake(resolver, context.get(), socket->fd());
  if (!ssl) return ssl.error();
  const std::uint16_t id = FreshId();
  const Bytes asked = StartMessage(id, kFlagRecursionDesired | kFlagAuthenticData, question, type);
  Bytes framed;  // RFC 7858 §3.3: with the two octets of its length, in one write
  PutFramed(framed, asked);
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

Result<Bytes> CertificateServed(const std::string& address, std::uint16_t port, milliseconds patience) {
  constexpr unsigned char kDot[] = {3, 'd', 'o', 't'};  // RFC 9103 §7.1
  const TlsResolver server{address, "", port, {}};
  const auto socket = ConnectTo(server, patience);
  if (!socket) return socket.error();
  const SslContext context(SSL_CTX_new(TLS_client_method()), SSL_CTX_free);
  if (!context) return Unreachable(server, "no memory for TLS");
  SSL_CTX_set_min_proto_version(context.get(), TLS1_3_VERSION);
  SSL_CTX_set_alpn_protos(context.get(), kDot, sizeof kDot);
  const auto ssl = HandShake(server, context.get(), socket->fd());
  if (!ssl) return ssl.error();
  const X509Owner shown(SSL_get1_peer_certificate(ssl->get()), X509_free);
  unsigned char* octets = nullptr;
  const int size = shown ? i2d_X509(shown.get(), &octets) : 0;
  if (size <= 0) return Unreachable(server, "it shows no certificate");
  const Bytes der(octets, octets + size);
  OPENSSL_free(octets);
  return der;
}

}  // namespace registry::zone
