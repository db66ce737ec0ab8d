#include "bridge/tls_server.h"

#include <openssl/err.h>
#include <openssl/pem.h>

#include "bridge/secret_file.h"

namespace registry {
namespace {

constexpr std::size_t kKeyFileMax = 64 * 1024;

Error TlsFault(const std::string& file, const std::string& what) {
  ERR_clear_error();
  return Error::Make(Code::kFailed, "tls_files", file + ": " + what);
}

// No password is asked for: the registry has no terminal.
int NoPassword(char*, int, int, void*) { return 0; }

Status UseKey(SSL_CTX& context, const std::string& file) {
  const SecretRead read = ReadSecret(file, kKeyFileMax);
  if (!read.ok()) return Error::Make(Code::kFailed, "tls_files", read.why);
  const std::unique_ptr<BIO, decltype(&BIO_free)> text(
      BIO_new_mem_buf(read.secret.data(), static_cast<int>(read.secret.size())), BIO_free);
  const std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> key(
      PEM_read_bio_PrivateKey(text.get(), nullptr, NoPassword, nullptr), EVP_PKEY_free);
  if (!key) return TlsFault(file, "is no private key in PEM without a password");
  if (SSL_CTX_use_PrivateKey(&context, key.get()) != 1) return TlsFault(file, "is not the certificate's key");
  return Done{};
}

Status UseCrl(SSL_CTX& context, const std::string& file) {
  if (file.empty()) return Done{};
  X509_STORE* const store = SSL_CTX_get_cert_store(&context);
  X509_LOOKUP* const lookup = X509_STORE_add_lookup(store, X509_LOOKUP_file());
  if (lookup == nullptr || X509_load_crl_file(lookup, file.c_str(), X509_FILETYPE_PEM) < 1)
    return TlsFault(file, "is no list of withdrawn certificates in PEM");
  X509_STORE_set_flags(store, X509_V_FLAG_CRL_CHECK);
  return Done{};
}

Status AskClients(SSL_CTX& context, const TlsServerFiles& files) {
  if (files.client_ca.empty()) return Done{};
  const int must = files.client_must ? SSL_VERIFY_FAIL_IF_NO_PEER_CERT : 0;
  SSL_CTX_set_verify(&context, SSL_VERIFY_PEER | must, nullptr);
  if (SSL_CTX_load_verify_locations(&context, files.client_ca.c_str(), nullptr) != 1)
    return TlsFault(files.client_ca, "is no certificate in PEM");
  SSL_CTX_set_client_CA_list(&context, SSL_load_client_CA_file(files.client_ca.c_str()));
  return UseCrl(context, files.client_crl);
}

}  // namespace

Result<std::shared_ptr<SSL_CTX>> MakeTlsServer(const TlsServerFiles& files) {
  std::shared_ptr<SSL_CTX> context(SSL_CTX_new(TLS_server_method()), SSL_CTX_free);
  if (!context) return TlsFault(files.certificate, "no memory for TLS");
  SSL_CTX_set_min_proto_version(context.get(), TLS1_3_VERSION);
  SSL_CTX_set_session_cache_mode(context.get(), SSL_SESS_CACHE_OFF);
  SSL_CTX_set_num_tickets(context.get(), 0);
  SSL_CTX_set_mode(context.get(), SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  if (SSL_CTX_use_certificate_chain_file(context.get(), files.certificate.c_str()) != 1)
    return TlsFault(files.certificate, "is no certificate in PEM");
  if (auto key = UseKey(*context, files.key); !key) return key.error();
  if (auto clients = AskClients(*context, files); !clients) return clients.error();
  return context;
}

}  // namespace registry
