// workers/domain/several_signers.h: issuing CAs beside each other, as long as certificates of a former one live (roll-over).
// The newest signs what is new. What a device is given that has a certificate of a former one is signed by that one, and
// names it, so that a device sees one issuing CA at a time and changes to the next with its own certificate.
// Threads: as Signer.
#pragma once

#include "workers/domain/decision.h"

namespace registry::domain {

class SeveralSigners : public Signer {
 public:
  // The one whose key has signed this certificate; the newest where none has.
  virtual const Signer& Of(const Bytes& certificate) const = 0;
};

inline const Signer& SignerOf(const Signer& signer, const Bytes& certificate) {
  const auto* const several = dynamic_cast<const SeveralSigners*>(&signer);
  return several != nullptr ? several->Of(certificate) : signer;
}

}  // namespace registry::domain
