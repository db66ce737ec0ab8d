#include "clients/verdict/tls_guard.h"

#include <openssl/err.h>

#include <memory>

#include "clients/verdict/client_identity.h"
#include "clients/verdict/kept_with.h"

namespace registry::clients {
namespace {

using KeptJudgement = KeptWith<Judgement>;

// The draft has one alert for all refusals, handshake_failure, which is what OpenSSL makes of this error.
int JudgeClient(X509_STORE_CTX* path, void* check) noexcept {
  X509_STORE_CTX_set_error(path, X509_V_ERR_APPLICATION_VERIFICATION);
  try {
    auto* const connection =
        static_cast<SSL*>(X509_STORE_CTX_get_ex_data(path, SSL_get_ex_data_X509_STORE_CTX_idx()));
    const auto* const judgement = KeptJudgement::Keep(
        connection, std::make_unique<Judgement>(static_cast<const ClientCheck*>(check)->Judge(
                        X509_STORE_CTX_get0_cert(path), IdentitySent(connection))));
    if (judgement == nullptr || !judgement->status) return 0;
  } catch (...) {
    return 0;  // what is thrown is a lack of memory, and must not cross OpenSSL's frames of C
  }
  X509_STORE_CTX_set_error(path, X509_V_OK);
  return 1;
}

void SwitchResumptionOff(SSL_CTX* context) {
  SSL_CTX_set_num_tickets(context, 0);
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_options(context, SSL_OP_NO_TICKET);
}

}  // namespace

Status TakeAnyClient(SSL_CTX* context, int verify_mode, unsigned identity_extension) {
  SwitchResumptionOff(context);
  SSL_CTX_set_verify(context, verify_mode, nullptr);
  SSL_CTX_set_cert_verify_callback(
      context, [](X509_STORE_CTX*, void*) { return 1; }, nullptr);
  return AskForIdentity(context, identity_extension);
}

Status Guard(SSL_CTX* context, const ClientCheck& check, unsigned identity_extension) {
  if (SSL_CTX_set_min_proto_version(context, TLS1_3_VERSION) != 1) {
    ERR_clear_error();
    return Error::Make(Code::kFailed, "tls_refused", "the TLS library does not speak TLS 1.3");
  }
  SwitchResumptionOff(context);
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
  SSL_CTX_set_cert_verify_callback(context, JudgeClient, const_cast<ClientCheck*>(&check));
  return AskForIdentity(context, identity_extension);
}

const Judgement* JudgementIn(const SSL* connection) { return KeptJudgement::Find(connection); }

}  // namespace registry::clients
