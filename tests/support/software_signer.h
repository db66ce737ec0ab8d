// tests/support/software_signer.h: a CA key in memory, made with OpenSSL's plain API so that it shares nothing with
// bridge/signing.
#pragma once

#include <memory>
#include <string>

#include "workers/domain/decision.h"

namespace registry::test {

class SoftwareSigner : public domain::Signer {
 public:
  explicit SoftwareSigner(
      const std::string& common_name);  // a new P-256 key and a self-signed CA certificate
  ~SoftwareSigner() override;
  Result<Bytes> Sign(const Bytes& message) const override;
  const Bytes& certificate() const override { return certificate_; }

 private:
  struct Key;
  std::unique_ptr<Key> key_;
  Bytes certificate_;
};

}  // namespace registry::test
