#include "simulators/device/telemetry.h"

#include <openssl/err.h>

namespace registry::sim {
namespace {

// libmosquitto makes the SSL object itself and knows nothing of DANE. So the context tells, at the beginning of the
// handshake, which connection to prepare. Where that fails the context's own store counts, which trusts nobody.
class SecureContext {
 public:
  SecureContext(AspTarget target, const ClientCredentials& credentials, TlsVersion version)
      : context_(MakeClientContext(version)), target_(std::move(target)), credentials_(credentials) {
    if (!context_) return;
    SSL_CTX_set_ex_data(context_.get(), Index(), this);
    SSL_CTX_set_info_callback(context_.get(), &Hear);
  }
  SSL_CTX* get() const { return context_.get(); }

  // In place of what libmosquitto says, which is only that TLS failed.
  Error Why(const Error& other) const {
    if (credentials_.key != nullptr) {
      if (auto refusal = credentials_.key->TakeRefusal()) return *refusal;
    }
    if (verified_ != X509_V_OK)
      return Error::Make(Code::kPolicy, "asp_untrusted", X509_verify_cert_error_string(verified_));
    if (!prepared_) return Error::Make(Code::kPolicy, "asp_untrusted", "the broker's trust cannot be used");
    if (alert_ == SSL_AD_CERTIFICATE_REQUIRED)
      return Error::Make(Code::kNotAuthorised, "refused", "refused certificate_required");
    if (alert_ > 0)
      return Error::Make(Code::kNotAuthorised, "refused", "refused alert_" + std::to_string(alert_));
    return other;
  }
  // Whose certificate and key are the device's: they may end before the session does.
  void Forget() { credentials_ = {}; }

 private:
  static int Index() {
    static const int index = SSL_CTX_get_ex_new_index(0, nullptr, nullptr, nullptr, nullptr);
    return index;
  }
  static void Hear(const SSL* ssl, int where, int value) {
    auto* const self = static_cast<SecureContext*>(SSL_CTX_get_ex_data(SSL_get_SSL_CTX(ssl), Index()));
    // The callback's type says const; the object is the library's own and in use by this thread alone.
    if ((where & SSL_CB_HANDSHAKE_START) != 0 && SSL_in_before(ssl))
      self->prepared_ = Prepare(const_cast<SSL*>(ssl), self->target_, self->credentials_);
    if ((where & SSL_CB_READ_ALERT) == SSL_CB_READ_ALERT && value >> 8 == SSL3_AL_FATAL)
      self->alert_ = value & 0xff;
    if ((where & SSL_CB_WRITE_ALERT) == SSL_CB_WRITE_ALERT && value >> 8 == SSL3_AL_FATAL)
      self->verified_ = SSL_get_verify_result(ssl);
  }

  const OwnedSslContext context_;
  const AspTarget target_;
  ClientCredentials credentials_;
  bool prepared_ = false;
  int alert_ = 0;
  long verified_ = X509_V_OK;
};

class OpenTelemetry : public Telemetry {
 public:
  OpenTelemetry(const AspTarget& broker, const ClientCredentials& credentials, TlsVersion version,
                std::string id)
      : secure_(broker, credentials, version), id_(std::move(id)) {}

  Status Begin(const AspTarget& broker, std::chrono::milliseconds deadline) {
    if (secure_.get() == nullptr) return Error::Make(Code::kFailed, "broker_unreachable", "no TLS context");
    auto opened = BrokerLink::Open({broker.address, broker.port, id_, secure_.get()}, deadline);
    ERR_clear_error();
    if (!opened) return opened.error().symbol == "refused" ? opened.error() : secure_.Why(opened.error());
    link_ = std::move(*opened);
    secure_.Forget();
    return Done{};
  }
  Status Send(const std::string& payload, std::chrono::milliseconds deadline) override {
    const Status sent = link_->Publish("devices/" + id_ + "/telemetry", payload, deadline);
    ERR_clear_error();
    return sent;
  }
  BrokerLink& link() override { return *link_; }

 private:
  SecureContext secure_;
  const std::string id_;
  std::unique_ptr<BrokerLink> link_;  // ends before its context
};

}  // namespace

Result<std::unique_ptr<Telemetry>> Telemetry::Open(const AspTarget& broker,
                                                   const ClientCredentials& credentials, TlsVersion version,
                                                   const std::string& id,
                                                   std::chrono::milliseconds deadline) {
  auto telemetry = std::make_unique<OpenTelemetry>(broker, credentials, version, id);
  if (auto begun = telemetry->Begin(broker, deadline); !begun) return begun.error();
  return std::unique_ptr<Telemetry>(std::move(telemetry));
}

}  // namespace registry::sim
