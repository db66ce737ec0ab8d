#include "simulators/mqtt/attempt.h"

#include <arpa/inet.h>
#include <mosquitto.h>
#include <netdb.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/socket.h>

#include <cstdio>
#include <system_error>

namespace registry::sim {
namespace {

bool IsAddress(const std::string& host) {
  in6_addr parsed{};
  return inet_pton(AF_INET, host.c_str(), &parsed) == 1 || inet_pton(AF_INET6, host.c_str(), &parsed) == 1;
}

std::string HostAndPort(const ClientOptions& options) {
  const bool v6 = options.host.find(':') != std::string::npos;
  return (v6 ? "[" + options.host + "]" : options.host) + ":" + std::to_string(options.port);
}

// "" of a socket that is not connected.
std::string PeerOf(int socket) {
  sockaddr_storage peer{};
  socklen_t size = sizeof(peer);
  char text[NI_MAXHOST] = {};
  auto* const address = reinterpret_cast<sockaddr*>(&peer);
  if (socket < 0 || getpeername(socket, address, &size) != 0) return "";
  return getnameinfo(address, size, text, sizeof text, nullptr, 0, NI_NUMERICHOST) == 0 ? text : "";
}

// "Error[0]: error:0A00010B:SSL routines::wrong version number": what is behind the last colon.
std::string LastPart(const std::string& line) {
  const auto colon = line.rfind(':');
  return colon == std::string::npos ? line : line.substr(colon + 1);
}

Attempt* Of(const SSL* ssl) { return static_cast<Attempt*>(SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl))); }

}  // namespace

Attempt::Attempt(const ClientOptions& options)
    : host_(options.host), where_(HostAndPort(options)), within_(options.connect_within) {}

Attempt::~Attempt() { SSL_CTX_free(context_); }

Result<std::unique_ptr<Attempt>> Attempt::Make(const ClientOptions& options) {
  std::unique_ptr<Attempt> attempt(new Attempt(options));
  const std::string wrong = attempt->Prepare(options);
  if (wrong.empty()) return attempt;
  const char* const why = ERR_reason_error_string(ERR_peek_last_error());
  const std::string because = why != nullptr ? std::string(": ") + why : "";
  ERR_clear_error();
  return Error::Make(Code::kFailed, "client_failed", wrong + because);
}

std::string Attempt::Prepare(const ClientOptions& options) {
  if (!options.user.empty()) return "";  // without TLS
  context_ = SSL_CTX_new(TLS_client_method());
  if (context_ == nullptr) return "OpenSSL did not start";
  SSL_CTX_set_min_proto_version(context_, TLS1_3_VERSION);
  SSL_CTX_set_app_data(context_, this);
  SSL_CTX_set_verify(context_, SSL_VERIFY_PEER, &Verified);
  SSL_CTX_set_info_callback(context_, &Happened);
  X509_VERIFY_PARAM* const wanted = SSL_CTX_get0_param(context_);
  const bool named = IsAddress(host_) ? X509_VERIFY_PARAM_set1_ip_asc(wanted, host_.c_str()) == 1
                                      : X509_VERIFY_PARAM_set1_host(wanted, host_.c_str(), 0) == 1;
  if (!named) return "no host: " + host_;
  if (SSL_CTX_load_verify_locations(context_, options.ca_file.c_str(), nullptr) != 1)
    return "no CA certificate in " + options.ca_file;
  if (SSL_CTX_use_certificate_chain_file(context_, options.certificate_file.c_str()) != 1)
    return "no certificate in " + options.certificate_file;
  if (SSL_CTX_use_PrivateKey_file(context_, options.key_file.c_str(), SSL_FILETYPE_PEM) != 1 ||
      SSL_CTX_check_private_key(context_) != 1)
    return "no key of " + options.certificate_file + " in " + options.key_file;
  return "";
}

void Attempt::Begin() {
  begun_ = Clock::now();
  shaking_ = shaken_ = false;
  for (std::string* said : {&address_, &refused_, &verdict_, &alert_, &logged_, &mqtt_}) said->clear();
}

void Attempt::Called(int code, int error) {
  if (code == MOSQ_ERR_SUCCESS) return;
  // Of a name that does not resolve errno is not about it.
  if (code == MOSQ_ERR_EAI) refused_ = "name look-up: the name has no address";
  if (code == MOSQ_ERR_ERRNO) refused_ = "TCP: " + std::system_category().message(error);
}

void Attempt::At(int socket) {
  if (address_.empty()) address_ = PeerOf(socket);
}

void Attempt::Answered(int reason) {
  if (reason == 0) return;
  char code[16];
  std::snprintf(code, sizeof code, " (0x%02x)", reason);
  mqtt_ = "the broker refused it: " + std::string(mosquitto_reason_string(reason)) + code;
}

void Attempt::NotGranted() {
  mqtt_ =
      "the broker does not grant the subscription at QoS 1; its access list goes by the certificate's name";
}

void Attempt::Logged(const std::string& line) {
  if (line.starts_with("OpenSSL Error")) logged_ = LastPart(line);
}

bool Attempt::TooLate() const { return Clock::now() - begun_ > within_; }

std::string Attempt::Trouble() const {
  const bool resolved = !address_.empty() && address_ != host_;
  return where_ + (resolved ? " (" + address_ + ")" : "") + ": " + StepAndReason();
}

std::string Attempt::StepAndReason() const {
  if (!mqtt_.empty()) return "MQTT: " + mqtt_;
  if (!refused_.empty()) return refused_;
  const bool without_tls = context_ == nullptr && !address_.empty();
  if (without_tls || (shaken_ && alert_.empty())) {
    return TooLate() ? "MQTT: no answer in time" : "MQTT: the broker closed the connection";
  }
  if (context_ == nullptr || (address_.empty() && !shaking_)) return "TCP: no answer in time";
  return "TLS: " + TlsReason();
}

// In TLS 1.3 the broker's word on our certificate comes when our handshake is over (RFC 8446 §4.4.2.4).
std::string Attempt::TlsReason() const {
  if (!verdict_.empty()) return "certificate verify failed: " + verdict_;
  if (!alert_.empty()) return (shaken_ ? "ended by the broker right after the handshake: " : "") + alert_;
  if (!logged_.empty()) return logged_;
  return TooLate() ? "no answer in time" : "the other side closed the connection";
}

int Attempt::Verified(int good, X509_STORE_CTX* store) {
  if (good == 1) return 1;
  const void* const ssl = X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx());
  if (Attempt* const self = ssl != nullptr ? Of(static_cast<const SSL*>(ssl)) : nullptr) {
    self->verdict_ = X509_verify_cert_error_string(X509_STORE_CTX_get_error(store));
    self->At(SSL_get_fd(static_cast<const SSL*>(ssl)));  // once the other side has closed, nobody knows it
  }
  return 0;
}

void Attempt::Happened(const SSL* ssl, int where, int value) {
  Attempt* const self = Of(ssl);
  if (self == nullptr) return;
  if ((where & SSL_CB_HANDSHAKE_START) != 0) self->shaking_ = true;
  if ((where & SSL_CB_HANDSHAKE_DONE) != 0) self->shaken_ = true;
  const bool heard = (where & SSL_CB_READ_ALERT) == SSL_CB_READ_ALERT;
  // A close is how a broker ends that has refused us in MQTT already.
  if (heard && (value & 0xff) != SSL_AD_CLOSE_NOTIFY) {
    self->alert_ = std::string("alert ") + SSL_alert_desc_string_long(value);
  }
}

}  // namespace registry::sim
