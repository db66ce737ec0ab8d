// tests/support/device_ca.h: root, issuing CA and its signer, made once per process; a fixed time and real randomness.
#pragma once

#include <openssl/rand.h>

#include "bridge/signing/ca.h"
#include "bridge/signing/signer.h"

namespace registry::test {

struct DeviceCa {
  UtcTime now = *FromRfc3339("2026-11-23T12:00:00Z");
  signing::Authority root = *signing::CreateRoot("Test Root CA", {now, std::chrono::days(3650)});
  signing::Authority issuing =
      *signing::CreateIssuing(root, "Test Issuing CA", {now, std::chrono::days(3650)});
  std::unique_ptr<domain::Signer> signer = *signing::MakeSigner(issuing.key, issuing.certificate);
  domain::Context context{now, [](std::uint8_t* out, std::size_t size) {
                            REG_CHECK(RAND_bytes(out, static_cast<int>(size)) == 1);
                          }};
};
inline const DeviceCa& Ca() {
  static const DeviceCa ca;
  return ca;
}
inline DeviceId NewDevice() {
  DeviceId::Octets octets;
  Ca().context.random(octets.data(), octets.size());
  return DeviceId::FromRandom(octets);
}

}  // namespace registry::test
