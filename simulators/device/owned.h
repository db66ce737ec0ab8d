// simulators/device/owned.h: OpenSSL's C objects with owners. Plain, as thread-safe as what they hold.
#pragma once

#include <openssl/bio.h>
#include <openssl/cms.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <memory>

namespace registry::sim {

template <auto Free>
struct Freeing {
  template <class Object>
  void operator()(Object* object) const {
    Free(object);
  }
};
using OwnedKey = std::unique_ptr<EVP_PKEY, Freeing<EVP_PKEY_free>>;
using OwnedCertificate = std::unique_ptr<X509, Freeing<X509_free>>;
using OwnedBio = std::unique_ptr<BIO, Freeing<BIO_free_all>>;
using OwnedCms = std::unique_ptr<CMS_ContentInfo, Freeing<CMS_ContentInfo_free>>;
using OwnedSslContext = std::unique_ptr<SSL_CTX, Freeing<SSL_CTX_free>>;
using OwnedSsl = std::unique_ptr<SSL, Freeing<SSL_free>>;

}  // namespace registry::sim
