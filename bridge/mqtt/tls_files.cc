#include "bridge/mqtt/tls_files.h"

#include <openssl/err.h>
#include <openssl/ssl.h>

#include <cstring>
#include <memory>

namespace registry::mqtt {
namespace {

constexpr char kUser[] = "registryd";  // as broker-config/acl.conf calls it

// Mosquitto takes the user name from the certificate's CN, and lets nobody else read what parties say.
bool IsTheRegistrys(const X509* certificate) {
  char name[128] = {};
  X509_NAME* subject = X509_get_subject_name(certificate);
  return X509_NAME_get_text_by_NID(subject, NID_commonName, name, sizeof name) > 0 &&
         std::strcmp(name, kUser) == 0;
}

}  // namespace

std::vector<std::string> TlsFileFaults(const std::string& ca_file, const std::string& certificate_file,
                                       const std::string& key_file) {
  std::vector<std::string> faults;
  const std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> context(SSL_CTX_new(TLS_client_method()),
                                                                  SSL_CTX_free);
  if (!context) return {"ca_file: OpenSSL did not start"};
  if (SSL_CTX_load_verify_locations(context.get(), ca_file.c_str(), nullptr) != 1) {
    faults.push_back("ca_file: holds no certificate (PEM) or cannot be read: " + ca_file);
  }
  const bool certificate = SSL_CTX_use_certificate_chain_file(context.get(), certificate_file.c_str()) == 1;
  if (!certificate) {
    faults.push_back("certificate_file: holds no certificate (PEM) or cannot be read: " + certificate_file);
  }
  if (certificate && !IsTheRegistrys(SSL_CTX_get0_certificate(context.get()))) {
    faults.push_back(
        "certificate_file: its CN is not registryd, so the broker would not let it hear anybody: " +
        certificate_file);
  }
  // OpenSSL compares the key with the certificate while it takes it, and keeps a certificate that does not fit.
  ERR_clear_error();
  if (SSL_CTX_use_PrivateKey_file(context.get(), key_file.c_str(), SSL_FILETYPE_PEM) != 1) {
    const bool other = ERR_GET_REASON(ERR_peek_last_error()) == X509_R_KEY_VALUES_MISMATCH;
    faults.push_back(other ? "key_file: is not the key of certificate_file: " + key_file
                           : "key_file: holds no private key (PEM) or cannot be read: " + key_file);
  } else if (certificate && SSL_CTX_check_private_key(context.get()) != 1) {
    faults.push_back("key_file: is not the key of certificate_file: " + key_file);
  }
  ERR_clear_error();
  return faults;
}

}  // namespace registry::mqtt
