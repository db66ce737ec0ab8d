// bridge/zone/device_content.h: what stands in the zone for devices and for the registry itself, whoever serves and signs
// that: names of devices, and RDATA.
// Threads: plain functions.        Spec: RFC 1035 §3.3.14, RFC 6698 §2.1.
#pragma once

#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "bridge/zone/wire.h"
#include "workers/domain/changeset.h"

namespace registry::zone {

Bytes DeviceLabel();  // `_device`, under which all of them are
Bytes DevicePrefix(
    const DeviceId& device);  // the labels `<uuid>._device` in front of the zone, without a root octet
// The other way round; nullopt: no device's.
std::optional<DeviceId> DeviceAt(View prefix);
Bytes TlsaRdata(const domain::TlsaRecord& record);
Bytes TxtRdata(std::string_view text);
inline constexpr std::string_view kApexText = "v=iotreg1";  // TXT at the apex
// How a device or an ASP finds the registry's CA certificates under DNSSEC: TLSA at the apex, of certificates in DER. The
// first, which is the root, as `0 0 1` (PKIX-TA: what is issued must chain to it and stand the usual path validation), the
// others as `2 0 1` (DANE-TA: whoever trusts this record needs no other anchor). Hashes, not certificates: two certificates
// make an answer of 2 KB, too large for UDP.
std::vector<Bytes> AuthorityTlsa(const std::vector<Bytes>& certificates);
// The last word on every device, in a stable order; they point into `changes`.
std::vector<const domain::ZoneChange*> LastPerDevice(std::span<const domain::ZoneChange> changes);

}  // namespace registry::zone
