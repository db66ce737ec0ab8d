// bridge/zone/key_material.h: from the key set to keys that sign, and to the apex's DNSKEY, CDS and CDNSKEY sets.
// Errors: those of keys.h; "zone_key_set_invalid" when a file holds another key than the set says.
// Threads: plain values.
// Spec: RFC 4034 §2; RFC 7344 §3, §4.1 (every KSK signs CDS and CDNSKEY: one of them is in the parent's DS set);
//   RFC 8078 §4 (deletion).
#pragma once

#include "bridge/zone/key_set.h"
#include "bridge/zone/rrset.h"

namespace registry::zone {

struct KeyMaterial {
  std::vector<ZoneKey> ksks;  // all of them sign DNSKEY, CDS and CDNSKEY; the first is what the DS is to name
  std::vector<ZoneKey> unnamed_ksks;  // sign CDS and CDNSKEY, and the DNSKEY set does not name them (rrset.h)
  std::vector<ZoneKey> zsks;          // all of them sign everything else: one, or one of either algorithm
  std::vector<Bytes> dnskeys, cds, cdnskeys;  // RDATA
  std::string tags;                           // "ksk/zsk", as bridge/zone/serials.h stores it
};

Result<KeyMaterial> LoadKeyMaterial(const KeySet& set, const std::string& folder, const Name& zone,
                                    CdsPolicy cds);

Bytes DsRdata(const Name& zone, View dnskey);  // digest SHA-256 (RFC 4509)
// What a parent may publish for it: SHA-256, and SHA-384 (RFC 6605 §2), where it makes the DS from a CDNSKEY.
std::vector<Bytes> DsRdatas(const Name& zone, View dnskey);

}  // namespace registry::zone
