// bridge/zone/rrset.h: an RRset as the octets that go on the wire, and its sealing with RRSIGs.
// What is sealed is a Block (block.h). Threads: an Unsigned is a value; a Sealer belongs to one thread.
// Spec: RFC 4034 §3.1.8.1 (what is signed), §6.3 (order); RFC 6605, RFC 8080.
#pragma once

#include <chrono>
#include <memory>
#include <vector>

#include "bridge/zone/block.h"
#include "bridge/zone/keys.h"
#include "schemas/base/utc_time.h"

namespace registry::zone {

// An RRset rendered and sorted, not yet signed.
struct Unsigned {
  Bytes prefix;  // labels of the owner in front of the zone
  std::uint16_t type = 0;
  std::uint16_t count = 0;
  Bytes wire;
};
Unsigned Render(Bytes prefix, std::uint16_t type, std::uint32_t ttl, std::vector<Bytes> rdatas);

// The unsigned part again, to be signed once more before its signature expires.
Unsigned DataOf(const Block& block);

struct SigningProfile {
  Name zone;
  std::vector<ZoneKey> ksks;  // each signs DNSKEY, CDS and CDNSKEY (RFC 7344 §4.1)
  std::vector<ZoneKey>
      zsks;  // each signs the rest: one, or one of either algorithm while that is rolled over
  std::chrono::seconds validity{14 * 86400}, inception_offset{3600};
  std::shared_ptr<KeyPatience> patience = std::make_shared<KeyPatience>();
  // Sign CDS and CDNSKEY beside the KSKs: those of an algorithm roll-over that are not in the DNSKEY set yet, or any more.
  // A cache may have the DNSKEY set that names them, and then wants their algorithm's signature.
  std::vector<ZoneKey> unnamed_ksks = {};

  std::vector<keys::KeySourcePtr> Sources() const;  // of all its keys
};

// What a signature is over: the RRSIG's RDATA without the signature, then every record with its owner written out.
void PutToBeSigned(Bytes& message, const Unsigned& rrset, View rrsig_head, const Name& zone);

class Sealer {
 public:
  explicit Sealer(const SigningProfile& profile);
  BlockPtr Seal(const Unsigned& rrset, UtcTime now);

 private:
  struct Key {
    std::uint16_t tag;
    const Algorithm* algorithm;
    KeySigner signer;
  };
  std::vector<Key>& KeysFor(std::uint16_t type);
  void PutSignature(const Unsigned& rrset, std::int64_t expires, Key& key, UtcTime now);
  std::int64_t Expiry(const Unsigned& rrset, UtcTime now) const;

  Name zone_;
  int zone_labels_;
  std::int64_t validity_, inception_offset_;
  std::vector<Key> ksks_, cds_ksks_, zsks_;
  Bytes message_, wire_;  // reused
  Frames frames_;
};

}  // namespace registry::zone
