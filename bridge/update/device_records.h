// bridge/update/device_records.h: what the registry keeps at a device's name in a zone that is not its own, and how it
//   knows its own records there.
// Ours: a name whose TXT RRset has our marker, "v=iotreg1 owner=OWNER" (as RFC 4703 §3.1 does it with DHCID). Its TLSA,
//   the marker and "state=…" are ours then; another TXT beside them is somebody's and stays. A name that has neither
//   TLSA nor TXT is free. Everything else is foreign. Other types at the name are nobody's business here: they are not
//   touched, except an alias, beside which nothing can stand. Plain values; pure.
#pragma once

#include <string>
#include <vector>

#include "bridge/zone/wire.h"
#include "workers/domain/changeset.h"

namespace registry::update {

// The RDATA of the two RRsets, each in canonical order.
struct Records {
  std::vector<Bytes> tlsa, txt;
  bool empty() const { return tlsa.empty() && txt.empty(); }
  bool operator==(const Records&) const = default;
};

// What a server answers for a name.
struct Seen {
  Records records;
  bool tlsa_signed = false, txt_signed = false;  // an RRSIG came with it
  bool alias = false;                            // CNAME or DNAME, not of a wildcard
  std::string
      refusal;  // why nothing is known of the name, though the server has the zone: a delegation, an RCODE
  bool all_signed() const {
    return (records.tlsa.empty() || tlsa_signed) && (records.txt.empty() || txt_signed);
  }
};

Bytes MarkerRdata(const std::string& owner);
// What shall stand there: nothing at all once the device is deleted.
Records Wanted(const domain::ZoneChange& change, const Bytes& marker);
// What shall stand at a name of ours: `wanted`, and what somebody else has in the TXT RRset.
Records Beside(Records wanted, const Records& seen, const Bytes& marker);
bool IsForeign(const Seen& seen, const Bytes& marker);

// `<uuid>._device.` in front of the zone.
zone::Name NameOf(const DeviceId& device, const zone::Name& zone);

}  // namespace registry::update
