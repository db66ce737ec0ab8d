#include "bridge/mqtt/tls_files.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <memory>

#include "bridge/secret_file.h"

namespace registry::mqtt {
namespace {

constexpr char kUser[] = "registryd";  // as broker-config/acl.conf calls it
constexpr std::size_t kKeyFileMax = 64 * 1024;

using Context = std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)>;

// Mosquitto takes the user name from the certificate's CN, and lets nobody else read what parties say.
bool IsTheRegistrys(const X509* certificate) {
  char name[128] = {};
  X509_NAME* subject = X509_get_subject_name(certificate);
  return X509_NAME_get_text_by_NID(subject, NID_commonName, name, sizeof name) > 0 &&
         std::strcmp(name, kUser) == 0;
}

// What the broker will find of it (RFC 5280 §6.1), which has the same CA: the interface CA issues both. Empty when it
// verifies.
std::string WhyNotIssued(SSL_CTX* context, const std::string& ca_file, const std::string& certificate_file) {
  const std::unique_ptr<X509_STORE_CTX, decltype(&X509_STORE_CTX_free)> check(X509_STORE_CTX_new(),
                                                                              X509_STORE_CTX_free);
  STACK_OF(X509)* chain = nullptr;
  SSL_CTX_get0_chain_certs(context, &chain);
  if (!check ||
      X509_STORE_CTX_init(check.get(), SSL_CTX_get_cert_store(context), SSL_CTX_get0_certificate(context),
                          chain) != 1 ||
      X509_STORE_CTX_set_purpose(check.get(), X509_PURPOSE_SSL_CLIENT) != 1) {
    return "certificate_file: OpenSSL cannot look at it: " + certificate_file;
  }
  if (X509_verify_cert(check.get()) == 1) return "";
  const int why = X509_STORE_CTX_get_error(check.get());
  const bool own = X509_STORE_CTX_get_error_depth(check.get()) == 0;
  const std::string which = own ? "certificate_file: " : "ca_file: its CA ";
  const std::string& file = own ? certificate_file : ca_file;
  switch (why) {
    case X509_V_ERR_CERT_HAS_EXPIRED:
      return which + "has expired: " + file;
    case X509_V_ERR_CERT_NOT_YET_VALID:
      return which + "is not valid yet: " + file;
    case X509_V_ERR_INVALID_PURPOSE:
      return which + "is not made for that (extendedKeyUsage, keyUsage): " + file;
    default:
      return "ca_file: holds no CA that issued certificate_file (" +
             std::string(X509_verify_cert_error_string(why)) + "): " + ca_file;
  }
}

// An encrypted key would make OpenSSL ask on the terminal of a server that has none.
int NoPassphrase(char*, int, int, void*) { return -1; }

// Empty when it is the key of the context's certificate, if that has one.
std::string WhyNotTheKey(SSL_CTX* context, const std::string& key_file) {
  const SecretRead file = ReadSecret(key_file, kKeyFileMax);
  if (!file.ok()) return "key_file: " + file.why;
  const std::unique_ptr<BIO, decltype(&BIO_free)> text(
      BIO_new_mem_buf(file.secret.data(), static_cast<int>(file.secret.size())), BIO_free);
  const std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> key(
      PEM_read_bio_PrivateKey(text.get(), nullptr, &NoPassphrase, nullptr), EVP_PKEY_free);
  if (!key) return "key_file: holds no unencrypted private key (PEM): " + key_file;
  X509* const certificate = SSL_CTX_get0_certificate(context);
  if (certificate == nullptr || X509_check_private_key(certificate, key.get()) == 1) return "";
  return "key_file: is not the key of certificate_file: " + key_file;
}

// A certificate that OpenSSL did not take from this file: for the system's reason, or for what is in it.
std::string NoCertificate(const char* key, const std::string& file) {
  const std::string named = std::string(key) + ": ";
  if (!std::ifstream(file)) return named + "cannot be read: " + file + ": " + std::strerror(errno);
  return named + "holds no certificate (PEM): " + file;
}

}  // namespace

std::vector<std::string> TlsFileFaults(const std::string& ca_file, const std::string& certificate_file,
                                       const std::string& key_file) {
  std::vector<std::string> faults;
  const Context context(SSL_CTX_new(TLS_client_method()), SSL_CTX_free);
  if (!context) return {"ca_file: OpenSSL did not start"};
  const bool ca = SSL_CTX_load_verify_locations(context.get(), ca_file.c_str(), nullptr) == 1;
  if (!ca) faults.push_back(NoCertificate("ca_file", ca_file));
  const bool certificate = SSL_CTX_use_certificate_chain_file(context.get(), certificate_file.c_str()) == 1;
  if (!certificate) {
    faults.push_back(NoCertificate("certificate_file", certificate_file));
  } else if (!IsTheRegistrys(SSL_CTX_get0_certificate(context.get()))) {
    faults.push_back(
        "certificate_file: its CN is not registryd, so the broker would not let it hear anybody: " +
        certificate_file);
  } else if (ca) {
    const std::string why = WhyNotIssued(context.get(), ca_file, certificate_file);
    if (!why.empty()) faults.push_back(why);
  }
  if (const std::string why = WhyNotTheKey(context.get(), key_file); !why.empty()) faults.push_back(why);
  ERR_clear_error();
  return faults;
}

}  // namespace registry::mqtt
