#include "bridge/zone/transfer_tls.h"

#include <openssl/err.h>
#include <openssl/x509v3.h>

namespace registry::zone {
namespace {

// RFC 9103 §7.1: who has not selected "dot" speaks something else on this port.
int NeedsAlpn(SSL* tls, int* alert, void*) {
  const unsigned char* offered = nullptr;
  std::size_t size = 0;
  if (SSL_client_hello_get0_ext(tls, TLSEXT_TYPE_application_layer_protocol_negotiation, &offered, &size) ==
      1)
    return SSL_CLIENT_HELLO_SUCCESS;
  ERR_new();  // the reason that is said
  ERR_set_error(ERR_LIB_SSL, SSL_R_NO_APPLICATION_PROTOCOL, nullptr);
  *alert = SSL_AD_NO_APPLICATION_PROTOCOL;
  return SSL_CLIENT_HELLO_ERROR;
}

int SelectDot(SSL*, const unsigned char** selected, unsigned char* size, const unsigned char* offered,
              unsigned int offered_size, void*) {
  unsigned char* found = nullptr;
  const int outcome = SSL_select_next_proto(&found, size, kDot, sizeof kDot, offered, offered_size);
  if (outcome != OPENSSL_NPN_NEGOTIATED) return SSL_TLSEXT_ERR_ALERT_FATAL;
  *selected = found;
  return SSL_TLSEXT_ERR_OK;
}

Result<TransferTls::Context> MakeContext(const TlsServerFiles& files, const std::vector<std::string>& names) {
  auto context = MakeTlsServer(files);
  if (!context) return context;
  SSL_CTX_set_client_hello_cb(context->get(), NeedsAlpn, nullptr);
  SSL_CTX_set_alpn_select_cb(context->get(), SelectDot, nullptr);
  X509_VERIFY_PARAM* const judged = SSL_CTX_get0_param(context->get());
  X509_VERIFY_PARAM_set_hostflags(judged, X509_CHECK_FLAG_NO_WILDCARDS | X509_CHECK_FLAG_NEVER_CHECK_SUBJECT);
  for (const std::string& name : names) {
    if (X509_VERIFY_PARAM_add1_host(judged, name.data(), name.size()) != 1)
      return Error::Make(Code::kFailed, "tls_files", files.client_ca + ": no certificate can be for " + name);
  }
  return context;
}

}  // namespace

Result<std::unique_ptr<TransferTls>> TransferTls::Load(TlsServerFiles files,
                                                       std::vector<std::string> client_names) {
  std::unique_ptr<TransferTls> tls(new TransferTls(std::move(files), std::move(client_names)));
  if (auto read = tls->ReadAgain(); !read) return read.error();
  return tls;
}

Status TransferTls::ReadAgain() {
  auto context = MakeContext(files_, client_names_);
  if (!context) return context.error();
  const MutexLock lock(mutex_);
  context_ = std::move(*context);
  return Done{};
}

TransferTls::Context TransferTls::Current() const {
  const MutexLock lock(mutex_);
  return context_;
}

}  // namespace registry::zone
