#include "tests/support/device_key.h"

#include <openssl/evp.h>
#include <openssl/x509.h>

#include "schemas/base/check.h"

namespace registry::test {

std::string NewCsrPem(const std::string& curve) {
  EVP_PKEY* key = EVP_EC_gen(curve.c_str());
  X509_REQ* request = X509_REQ_new();
  REG_CHECK(key != nullptr && request != nullptr);
  X509_REQ_set_version(request, X509_REQ_VERSION_1);
  X509_REQ_set_pubkey(request, key);
  REG_CHECK(X509_REQ_sign(request, key, EVP_sha256()) > 0);
  unsigned char* der = nullptr;
  const int size = i2d_X509_REQ(request, &der);
  REG_CHECK(size > 0);
  const std::string pem = ToPem("CERTIFICATE REQUEST", Bytes(der, der + size));
  OPENSSL_free(der);
  X509_REQ_free(request);
  EVP_PKEY_free(key);
  return pem;
}

}  // namespace registry::test
