// tests/support/device_key.h: a device's key pair outside any applet, and the CSR it would send.
#pragma once

#include <string>

#include "schemas/base/bytes.h"

namespace registry::test {

// A fresh key pair of `curve` ("P-256", "P-384") and a PKCS#10 request over it, PEM.
std::string NewCsrPem(const std::string& curve = "P-256");

}  // namespace registry::test
