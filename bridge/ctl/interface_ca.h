// bridge/ctl/interface_ca.h: the CA of the MQTT interface in a registry's interface/ folder, what it has issued, to parties,
// to registryd and to the broker, and what of that is withdrawn.
//   ca.{pem,key}
//   issued.txt   SERIAL PARTY NOT-AFTER per line, the oldest first: whoever deletes a party's files still finds its serial
//   crl.pem      what the broker reads (crlfile): RFC 5280 §5, signed by the CA, its own only memory
// The key is not registryd's: whoever holds it can be any party. So registryd cannot refresh the CRL, and OpenSSL refuses
// everybody once a CRL's nextUpdate has passed: it is the CA certificate's own end, beyond which nobody is let in anyway.
// A file that is replaced in place needs no date to be fresh.
// Threads: one at a time per folder (folder_lock.h). Errors (2400): those of bridge/signing, crl_invalid, file_failed.
#pragma once

#include <string>
#include <vector>

#include "bridge/signing/ca.h"
#include "workers/domain/changeset.h"

namespace registry::ctl {

Result<signing::Authority> LoadInterfaceCa(const std::string& interface);

// The party's certificate in parties/NAME.pem; certificate_file_invalid when it is of another CA, by which no broker lets it
// in.
Result<Bytes> LoadPartyCertificate(const std::string& interface, const std::string& party);

struct IssuedToParty {
  Bytes serial;
  std::string party, not_after;
};
// Before the certificate is written anywhere, so that none is out that is not recorded.
Status RecordIssued(const std::string& interface, const std::string& party, const Bytes& certificate);
// Empty where nothing was recorded: a folder made by an earlier version.
Result<std::vector<IssuedToParty>> IssuedToParties(const std::string& interface);

std::string SerialText(const Bytes& serial);  // as `openssl x509 -serial` prints it

struct InterfaceCrl {
  std::uint64_t number = 0;  // of the CRL that is there; 0: there is none
  UtcTime this_update;
  std::vector<domain::Revocation> withdrawn;
  bool Lists(const Bytes& serial) const;
};
// One that is of another CA or broken is an error: writing over it would let in again whom it names.
Result<InterfaceCrl> ReadInterfaceCrl(const std::string& interface, const Bytes& ca_certificate);
// With the next number.
Status WriteInterfaceCrl(const std::string& interface, const signing::Authority& ca, const InterfaceCrl& crl,
                         UtcTime now);

}  // namespace registry::ctl
