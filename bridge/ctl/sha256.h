// bridge/ctl/sha256.h: SHA-256 (FIPS 180-4) of what comes piece by piece. Threads: one.
#pragma once

#include <openssl/evp.h>

#include <memory>
#include <string_view>

#include "schemas/base/bytes.h"
#include "schemas/base/check.h"

namespace registry::ctl {

class Sha256 {
 public:
  Sha256() : context_(EVP_MD_CTX_new(), EVP_MD_CTX_free) {
    REG_CHECK(context_ && EVP_DigestInit_ex(context_.get(), EVP_sha256(), nullptr) == 1);
  }
  void Add(std::string_view octets) {
    REG_CHECK(EVP_DigestUpdate(context_.get(), octets.data(), octets.size()) == 1);
  }
  Bytes End() {
    Bytes digest(kSize);
    REG_CHECK(EVP_DigestFinal_ex(context_.get(), digest.data(), nullptr) == 1);
    return digest;
  }
  // Of what came until now; more may come.
  Bytes SoFar() const {
    Sha256 copy;
    REG_CHECK(EVP_MD_CTX_copy_ex(copy.context_.get(), context_.get()) == 1);
    return copy.End();
  }
  static constexpr std::size_t kSize = 32;

 private:
  std::unique_ptr<EVP_MD_CTX, void (*)(EVP_MD_CTX*)> context_;
};

}  // namespace registry::ctl
