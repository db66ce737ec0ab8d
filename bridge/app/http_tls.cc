#include "bridge/app/http_tls.h"

#include <openssl/err.h>
#include <openssl/pem.h>

#include "bridge/secret_file.h"

namespace registry::app {
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

std::filesystem::file_time_type TimeOf(const std::string& file) {
  std::error_code none;
  return file.empty() ? std::filesystem::file_time_type{} : std::filesystem::last_write_time(file, none);
}

}  // namespace

Result<std::shared_ptr<HttpTls>> HttpTls::Load(HttpTlsFiles files) {
  std::shared_ptr<HttpTls> tls(new HttpTls(std::move(files)));
  tls->crl_time_ = TimeOf(tls->files_.crl);
  auto made = tls->Make();
  if (!made) return made.error();
  tls->context_ = std::move(*made);
  return tls;
}

Result<HttpTls::Context> HttpTls::Make() const {
  const Context context(SSL_CTX_new(TLS_server_method()), SSL_CTX_free);
  if (!context) return TlsFault(files_.certificate, "no memory for TLS");
  SSL_CTX_set_min_proto_version(context.get(), TLS1_3_VERSION);
  SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
  // A resumed session would let a certificate in that was withdrawn since.
  SSL_CTX_set_session_cache_mode(context.get(), SSL_SESS_CACHE_OFF);
  SSL_CTX_set_num_tickets(context.get(), 0);
  SSL_CTX_set_mode(context.get(), SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  if (SSL_CTX_use_certificate_chain_file(context.get(), files_.certificate.c_str()) != 1)
    return TlsFault(files_.certificate, "is no certificate in PEM");
  if (auto key = UseKey(*context, files_.key); !key) return key.error();
  if (SSL_CTX_load_verify_locations(context.get(), files_.ca.c_str(), nullptr) != 1)
    return TlsFault(files_.ca, "is no certificate in PEM");
  SSL_CTX_set_client_CA_list(context.get(), SSL_load_client_CA_file(files_.ca.c_str()));
  if (auto crl = UseCrl(*context, files_.crl); !crl) return crl.error();
  return context;
}

HttpTls::Context HttpTls::Current(std::chrono::steady_clock::time_point now, const LogLine& log) const {
  if (files_.crl.empty() || now - looked_ < kCrlLookEvery) return context_;
  looked_ = now;
  const auto time = TimeOf(files_.crl);
  if (time == crl_time_) return context_;
  auto made = Make();
  if (!made) {
    log.Error("the list of withdrawn parties stays as it was read before: " + made.error().message);
    return context_;
  }
  crl_time_ = time;
  context_ = std::move(*made);
  return context_;
}

}  // namespace registry::app
