// bridge/zone/copied_zone.h: a registry that stands by keeps the zone as the active one serves it: what an answer changes of
// it, as a version of the kept file has it (zone_records.h), and whether its signatures are the zone's own.
// Threads: one at a time.        Errors: in words, in `why`; nothing has changed then.
// Spec: RFC 1995 §4; RFC 4034 §3.1.8.1 (what is signed); RFC 4035 §5.2 (a DNSKEY set is believed when a known key signed
//   it), §5.3.1 (a signature's time).
#pragma once

#include <functional>
#include <memory>

#include "bridge/zone/copied_answer.h"
#include "bridge/zone/verifying_key.h"

namespace registry::zone {

// `step` begins at the zone's version. Blocks that stay as they are stand in no list.
std::optional<Delta> DifferenceIn(const StoredZone& zone, Frames& frames, const CopiedStep& step,
                                  std::string& why);
// Asked now and then: true ends what is under way.
using StopAsked = std::function<bool()>;
// From the zone's version to a whole one; nullopt: stopped.
std::optional<Delta> DifferenceTo(const StoredZone& zone, const CopiedAnswer& whole, const StopAsked& stop);
// `told`: a secondary may take the difference; false: the registry that made it told none.
void MakeStep(StoredZone& zone, const DeltaPtr& step, bool told);

// Whether signatures are of the zone's keys. The TSIG key is known to every secondary, so it does not say that.
class CopyJudge {
 public:
  // `known`: RDATA of the DNSKEYs that are believed from the start.
  CopyJudge(Name zone, const std::vector<Bytes>& known) : zone_(std::move(zone)) { Believe(known); }

  // These, too, from now on: whoever says them is believed as this node's own files are. False: it knew them all.
  bool BelieveToo(const std::vector<Bytes>& dnskeys);
  // The DNSKEY set among the blocks is believed when a believed KSK or CSK has signed it, and its keys from then on, and no
  // others. Each other block needs a good signature, and no bad one, of a key that is believed. One of a key that is in no
  // DNSKEY set (while an algorithm is rolled over) counts as none. So does, on the DNSKEY set and the SOA, one whose time is
  // over or has not come; a start makes the others anew that have run out. A stop ends it with false.
  bool Good(const Delta& step, UtcTime now, const StopAsked& stop, std::string& why);

 private:
  struct Key {
    Bytes rdata;
    std::uint16_t tag;
    std::uint8_t algorithm;
    bool entry;  // Secure Entry Point (RFC 4034 §2.1.1): a KSK or CSK
    VerifyingKey verifying;
  };
  using Keys = std::vector<Key>;
  void Believe(const std::vector<Bytes>& dnskeys);
  bool AllSigned(const Delta& step, UtcTime now, const StopAsked& stop, std::string& why);
  bool Signed(const Block& block, UtcTime now) const;

  const Name zone_;
  std::shared_ptr<const Keys> keys_;
};

}  // namespace registry::zone
