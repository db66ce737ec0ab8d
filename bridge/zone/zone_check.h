// bridge/zone/zone_check.h: what is wrong with a zone: against what the ledger wants, against what another server has, in
// its signatures, and in its NSEC3 chain. Pure: who has fetched the zones is fetch_zone.h.
// Owns: nothing. Threads: plain values; each function belongs to one thread.
// Limits: a Differences keeps kDifferencesMax and counts the others.
// Cost: CheckSignatures verifies every RRSIG, two for each device; the others are one walk.
// Spec: RFC 4035 §2.2 (every RRset is signed), §5.3 (what is verified), RFC 5155 §7.1 (the chain).
#pragma once

#include <set>
#include <string>
#include <vector>

#include "bridge/zone/signed_zone.h"
#include "bridge/zone/zone_content.h"

namespace registry::zone {

inline constexpr std::size_t kDifferencesMax = 10'000;

struct Difference {
  std::string place;  // whose zone: "registryd", or a secondary's name
  std::string name, type;
  std::string
      what;  // "missing", "extra", "differs", "unsigned", "bad signature: …", "unsigned by algorithm …"
  auto operator<=>(const Difference&) const = default;
};

class Differences {
 public:
  void Add(Difference difference);
  const std::set<Difference>& kept() const { return kept_; }
  std::size_t total() const { return total_; }
  bool empty() const { return total_ == 0; }
  // Those that were there before as well: what comes and goes is a change on its way. What `before` had no room for
  // counts as having been there.
  Differences AlsoIn(const Differences& before) const;

 private:
  std::set<Difference> kept_;
  std::size_t total_ = 0;
};

// What the zone is to hold, apart from SOA, signatures, NSEC3, CDS and CDNSKEY.
ZoneContent WantedContent(const Name& zone, const std::vector<StaticSet>& fixed,
                          const std::vector<domain::ZoneChange>& devices, std::uint32_t tlsa_ttl);
void CompareWithWanted(const ZoneContent& wanted, const ZoneContent& found, const std::string& place,
                       Differences& differences);
// Everything but the SOA and its RRSIG, which differ with the serial. The owners of what differs, for CheckSignatures.
std::set<Bytes> CompareWithPrimary(const ZoneContent& primary, const ZoneContent& found,
                                   const std::string& place, Differences& differences);
// `dnskeys`: RDATA of the keys that may sign; DNSKEY, CDS and CDNSKEY only by those with the SEP flag. While the algorithm
// is rolled over, a key may sign that the zone does not name. `owners`: of these only.
void CheckSignatures(const ZoneContent& found, const Name& zone, const std::vector<Bytes>& dnskeys,
                     UtcTime now, const std::string& place, Differences& differences,
                     const std::set<Bytes>* owners = nullptr);
void CheckDenial(const ZoneContent& found, const Name& zone, std::uint32_t ttl, const std::string& place,
                 Differences& differences);

}  // namespace registry::zone
