// clients/verdict/client_domains.h: whose names may be looked up at all. A client that has proved nothing yet makes its
// server ask the DNS, so only the names of devices in the registry's zones are asked about.
// Plain value, any thread. Errors: name_missing, name_not_allowed, identity_malformed, identity_mismatch.
// Spec: draft-ietf-dance-client-auth-13 (format 2, DevID; allow-lists), draft-ietf-dance-architecture ("a list of allowed
//   client domains" before any look-up), RFC 4343 (case does not matter).
#pragma once

#include <openssl/x509.h>

#include <string>
#include <vector>

#include "schemas/base/result.h"

namespace registry::clients {

class ClientDomains {
 public:
  explicit ClientDomains(const std::vector<std::string>& zones);

  // "<uuid>" of "<uuid>._device.<zone>".
  Result<std::string> DeviceOf(const std::string& name) const;
  // "<uuid>._device.<zone>" for each zone.
  std::vector<std::string> NamesOf(const std::string& device) const;

 private:
  std::vector<std::string> suffixes_;  // "._device.<zone>"
};

// The certificate's name, which must be the only one of its subject alternative names, and a dNSName.
Result<std::string> OnlyDnsName(X509* certificate);
// The name a client sent, in lower case, when the certificate has it among its dNSNames.
Result<std::string> SentName(X509* certificate, std::string sent);

}  // namespace registry::clients
