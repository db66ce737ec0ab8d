// bridge/signing/rolling_signer.h: the issuing CA and its former ones, as one signer (workers/domain/several_signers.h).
// Owns: all of them. Threads: as they.
#pragma once

#include <memory>
#include <vector>

#include "workers/domain/several_signers.h"

namespace registry::signing {

class RollingSigner final : public domain::SeveralSigners {
 public:
  RollingSigner(std::unique_ptr<domain::Signer> newest, std::vector<std::unique_ptr<domain::Signer>> former)
      : newest_(std::move(newest)), former_(std::move(former)) {}

  Result<Bytes> Sign(const Bytes& message) const override { return newest_->Sign(message); }
  const Bytes& certificate() const override { return newest_->certificate(); }
  const domain::Signer& Of(const Bytes& certificate) const override;

 private:
  const std::unique_ptr<domain::Signer> newest_;
  const std::vector<std::unique_ptr<domain::Signer>> former_;
};

}  // namespace registry::signing
