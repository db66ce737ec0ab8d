#include "bridge/tls_server.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

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

Result<std::shared_ptr<SSL_CTX>> MakeContext(const SSL_METHOD* method, const TlsServerFiles& files) {
  std::shared_ptr<SSL_CTX> context(SSL_CTX_new(method), SSL_CTX_free);
  if (!context) return TlsFault(files.certificate, "no memory for TLS");
  SSL_CTX_set_min_proto_version(context.get(), TLS1_3_VERSION);
  SSL_CTX_set_session_cache_mode(context.get(), SSL_SESS_CACHE_OFF);
  SSL_CTX_set_num_tickets(context.get(), 0);
  SSL_CTX_set_mode(context.get(), SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  if (SSL_CTX_use_certificate_chain_file(context.get(), files.certificate.c_str()) != 1)
    return TlsFault(files.certificate, "is no certificate in PEM");
  if (auto key = UseKey(*context, files.key); !key) return key.error();
  return context;
}

// Certificates in files, ours among them. One that is there is believed, whoever has issued it.
Status BelievePeers(SSL_CTX& context, const TlsServerFiles& files) {
  SSL_CTX_set_verify(&context, SSL_VERIFY_PEER, nullptr);
  X509_VERIFY_PARAM_set_flags(SSL_CTX_get0_param(&context), X509_V_FLAG_PARTIAL_CHAIN);
  for (const std::string& file : {files.certificate, files.client_ca}) {
    if (!file.empty() && SSL_CTX_load_verify_file(&context, file.c_str()) != 1)
      return TlsFault(file, "is no certificate in PEM");
  }
  return Done{};
}

std::string FirstDnsName(X509* certificate) {
  const std::unique_ptr<GENERAL_NAMES, decltype(&GENERAL_NAMES_free)> names(
      static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)),
      GENERAL_NAMES_free);
  for (int i = 0; names && i < sk_GENERAL_NAME_num(names.get()); ++i) {
    const GENERAL_NAME* const name = sk_GENERAL_NAME_value(names.get(), i);
    if (name->type != GEN_DNS) continue;
    const ASN1_IA5STRING* const text = name->d.dNSName;
    return {reinterpret_cast<const char*>(ASN1_STRING_get0_data(text)),
            static_cast<std::size_t>(ASN1_STRING_length(text))};
  }
  return "";
}

}  // namespace

Result<std::shared_ptr<SSL_CTX>> MakeTlsServer(const TlsServerFiles& files) {
  auto context = MakeContext(TLS_server_method(), files);
  if (!context) return context;
  if (auto clients = AskClients(**context, files); !clients) return clients.error();
  return context;
}

Result<TlsToPeer> MakeTlsToPeer(const TlsServerFiles& files) {
  auto context = MakeContext(TLS_client_method(), files);
  if (!context) return context.error();
  if (auto believed = BelievePeers(**context, files); !believed) return believed.error();
  std::string name = FirstDnsName(SSL_CTX_get0_certificate(context->get()));
  return TlsToPeer{std::move(*context), std::move(name)};
}

}  // namespace registry
