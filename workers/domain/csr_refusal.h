// workers/domain/csr_refusal.h: that a CSR was refused, as a step of the device's trace, so that whoever asks why a device
// hangs is told. There is one such step for each key.generate at most: the last refusal. Pure, any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "workers/domain/device.h"

namespace registry::domain {

// The CSR that came for this attempt of key.generate. Whether the device's last refusal said something else, or there was
// none: what is worth a write.
bool NoteCsrRefused(Device& device, std::string_view symbol, std::uint32_t attempt, UtcTime now);

struct CsrRefusal {
  std::string why;  // "<symbol>, attempt <number>"
  UtcTime at;
  bool IsOfAttempt(std::uint32_t attempt) const;
};
// Of the key.generate that was asked for last, unless a certificate has come of it since.
std::optional<CsrRefusal> LastCsrRefusal(const Device& device);

}  // namespace registry::domain
