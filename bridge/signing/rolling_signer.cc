#include "bridge/signing/rolling_signer.h"

#include "bridge/signing/read_x509.h"

namespace registry::signing {

// By the signature: two CAs of one name differ in nothing else that could not be left out.
const domain::Signer& RollingSigner::Of(const Bytes& certificate) const {
  for (const auto& former : former_) {
    if (IsIssuedBy(certificate, former->certificate())) return *former;
  }
  return *newest_;
}

}  // namespace registry::signing
