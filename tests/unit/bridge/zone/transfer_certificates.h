// tests/unit/bridge/zone/transfer_certificates.h: a CA, and certificates of it, made by the openssl program with the very
// commands that the page of transfers over TLS shows (bridge/zone/TLS.md).
#pragma once

#include <string>

#include "tests/support/openssl_tool.h"

namespace registry::zone::testing {

class TransferCertificates {
 public:
  // In files NAME.pem and NAME.key, the CA's name being `ca`.
  explicit TransferCertificates(const std::string& ca = "transfer-ca") : ca_(ca) {
    Run("req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 3650 -subj '/CN=" + ca +
        "' -keyout " + ca + ".key -out " + ca + ".pem");
  }
  void Issue(const std::string& file, const std::string& name) const {
    Run("req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 365 -CA " + ca_ + ".pem -CAkey " +
        ca_ + ".key -extensions usr_cert -subj '/CN=" + name + "' -addext subjectAltName=DNS:" + name +
        " -keyout " + file + ".key -out " + file + ".pem");
  }
  std::string path(const std::string& file) const { return folder_.In(file); }
  const test::TemporaryFolder& folder() const { return folder_; }

 private:
  void Run(const std::string& arguments) const {
    const auto ran = test::OpenSsl(folder_, arguments);
    REG_CHECK(ran.ok());
  }

  const std::string ca_;
  const test::TemporaryFolder folder_;
};

}  // namespace registry::zone::testing
