// bridge/zone/rrset.h: an RRset as the octets that go on the wire, and its sealing with RRSIGs.
// A Block is immutable and shared by the zone, the journal and running transfers, so that none of them copies
// it. Owner names end in a compression pointer to offset 12: in every message this room builds the question
// stands there and names the zone, so a block is copied into a message as it is. Threads: Block and Unsigned
// are values; a Sealer belongs to one thread. Spec: RFC 4034 §3.1.8.1 (what is signed), §6.3 (order); RFC
// 6605; RFC 1035 §4.1.4.
#pragma once

#include <chrono>
#include <memory>
#include <vector>

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

struct Block {
  Bytes wire;                         // the RRset, then its RRSIGs
  std::uint32_t data_size = 0;        // octets of the RRset
  std::uint16_t data_count = 0;       // records of the RRset
  std::uint16_t signature_count = 0;  // RRSIGs that follow: more than one only where several KSKs sign
  std::uint16_t signer = 0;           // tag of the key of the first of them
  std::uint16_t type = 0;
  std::uint16_t prefix_size = 0;
  std::int64_t expires = 0;  // UTC seconds

  View data() const { return View(wire).first(data_size); }
  View signature() const { return View(wire).subspan(data_size); }
  std::int64_t inception() const;  // UTC seconds, as signed
};
using BlockPtr = std::shared_ptr<const Block>;

// The unsigned part again, to be signed once more before its signature expires.
Unsigned DataOf(const Block& block);

struct SigningProfile {
  Name zone;
  std::vector<ZoneKey> ksks;  // each signs DNSKEY, CDS and CDNSKEY (RFC 7344 §4.1)
  ZoneKey zsk;                // signs the rest; it is one of the KSKs when keys are combined
  std::chrono::seconds validity{14 * 86400}, inception_offset{3600};
  std::shared_ptr<KeyPatience> patience = std::make_shared<KeyPatience>();
};

class Sealer {
 public:
  explicit Sealer(const SigningProfile& profile);
  BlockPtr Seal(const Unsigned& rrset, UtcTime now);

 private:
  struct Key {
    std::uint16_t tag;
    KeySigner signer;
  };
  void PutSignature(const Unsigned& rrset, Block& block, Key& key, UtcTime now);
  void PutToBeSigned(const Unsigned& rrset, View rrsig_head);
  std::int64_t Expiry(const Unsigned& rrset, UtcTime now) const;

  Name zone_;
  int zone_labels_;
  std::int64_t validity_, inception_offset_;
  std::vector<Key> ksks_;
  Key zsk_;
  Bytes message_;  // reused
};

}  // namespace registry::zone
