#include "clients/verdict/tls_guard.h"

#include <openssl/err.h>

#include <memory>

#include "clients/verdict/client_identity.h"

namespace registry::clients {
namespace {

void FreeJudgement(void*, void* judgement, CRYPTO_EX_DATA*, int, long, void*) {
  delete static_cast<Judgement*>(judgement);
}

int JudgementIndex() {
  static const int index = SSL_get_ex_new_index(0, nullptr, nullptr, nullptr, FreeJudgement);
  return index;
}

// The connection owns what it said; a judgement it had before is gone with it. Null: it takes none.
const Judgement* Keep(SSL* connection, std::unique_ptr<Judgement> judgement) {
  auto* const before = static_cast<Judgement*>(SSL_get_ex_data(connection, JudgementIndex()));
  if (SSL_set_ex_data(connection, JudgementIndex(), judgement.get()) != 1) return nullptr;
  delete before;
  return judgement.release();
}

// The draft has one alert for all refusals, handshake_failure, which is what OpenSSL makes of this error.
int JudgeClient(X509_STORE_CTX* path, void* check) noexcept {
  X509_STORE_CTX_set_error(path, X509_V_ERR_APPLICATION_VERIFICATION);
  try {
    auto* const connection =
        static_cast<SSL*>(X509_STORE_CTX_get_ex_data(path, SSL_get_ex_data_X509_STORE_CTX_idx()));
    const auto* const judgement =
        Keep(connection, std::make_unique<Judgement>(static_cast<const ClientCheck*>(check)->Judge(
                             X509_STORE_CTX_get0_cert(path), IdentitySent(connection))));
    if (judgement == nullptr || !judgement->status) return 0;
  } catch (...) {
    return 0;  // what is thrown is a lack of memory, and must not cross OpenSSL's frames of C
  }
  X509_STORE_CTX_set_error(path, X509_V_OK);
  return 1;
}

}  // namespace

Status Guard(SSL_CTX* context, const ClientCheck& check, unsigned identity_extension) {
  if (SSL_CTX_set_min_proto_version(context, TLS1_3_VERSION) != 1) {
    ERR_clear_error();
    return Error::Make(Code::kFailed, "tls_refused", "the TLS library does not speak TLS 1.3");
  }
  SSL_CTX_set_num_tickets(context, 0);
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_options(context, SSL_OP_NO_TICKET);
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
  SSL_CTX_set_cert_verify_callback(context, JudgeClient, const_cast<ClientCheck*>(&check));
  return AskForIdentity(context, identity_extension);
}

const Judgement* JudgementIn(const SSL* connection) {
  return static_cast<const Judgement*>(SSL_get_ex_data(connection, JudgementIndex()));
}

}  // namespace registry::clients
