// bridge/app/material.h: keys and certificates the configuration names, loaded and held against each other;
// everything a start needs that is not a socket or a folder, so --check-config finds what is wrong with them
// too.
// Threads: immutable after Load. Errors: those of bridge/signing and workers/csr_sign, with the key of the
// configuration in the message; chain_invalid when the issuing certificate is not the root's, or one of both is no CA
// certificate that is valid now, or is too large for the pilot's containers, and when
// the resolver's certificate is not for its name or not valid now; key_mismatch when the key does not sign for
// its certificate.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "bridge/app/config.h"
#include "bridge/signing/blocked_keys.h"
#include "workers/csr_sign/csr_sign.h"
#include "workers/domain/decision.h"
#include "workers/lifecycle/lifecycle.h"

namespace registry::app {

// pki.crl_url by itself, which needs no file.
Status CheckCrlUrl(const std::string& url);

struct Material {
  Bytes root_certificate, issuing_certificate;  // DER
  std::unique_ptr<domain::Signer> signer;  // the issuing key, and those of the former CAs (several_signers.h)
  struct Former {
    const domain::Signer* signer;  // part of the above
    std::string crl_file;
  };
  std::vector<Former> former;  // whose certificates have not ended
  std::vector<Bytes> keyless;  // certificates of former CAs whose key is lost (DER)
  std::vector<Bytes> coming;   // certificates of the CAs that sign nothing yet (DER)
  // All that stand at the zone's apex, first the root.
  std::vector<Bytes> Authorities() const;
  std::unique_ptr<csr_sign::Issuer> issuer;
  domain::Policy policy;
  Bytes intake_key;          // seals what waits in the intake
  std::string blocked_keys;  // their digest
  Bytes zone_keys_key;       // seals the zone's keys beside a ledger in PostgreSQL

  static Result<Material> Load(const Config& config);
};

}  // namespace registry::app
