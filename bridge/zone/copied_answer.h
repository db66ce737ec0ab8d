// bridge/zone/copied_answer.h: what another registry answers to an IXFR or an AXFR, message by message: that there is
// nothing newer, the differences to the newest version, or the whole zone as signed blocks (copied_zone.h keeps them).
// Anybody may have sent the answers: what they say counts when every message is covered by the key's signature, the last one
// itself signed. The sets of a whole zone come one after the other, each with its signatures, as registryd sends them.
// Zone, key and clock outlive a reader. Threads: one; never waits.
// Errors: in words, in why(). Limits: kFetchOctetsMax of a transfer (transfer_reader.h), with what it takes to hold it.
// Spec: RFC 1995 §4 (form of an answer), §2 (an answer may be the whole zone); RFC 5936 §2.2; RFC 8945 §5.3.1.
#pragma once

#include "bridge/clock.h"
#include "bridge/zone/copied_set.h"
#include "bridge/zone/stored_zone.h"
#include "bridge/zone/tsig.h"

namespace registry::zone {

struct CopiedRecord {
  Bytes prefix;  // the owner's labels in front of the zone
  std::uint16_t type = 0;
  std::uint32_t ttl = 0;
  Bytes rdata;  // nothing in it is compressed
};

// From one version to the next. What comes holds the new SOA with its signatures, what goes the old one's.
struct CopiedStep {
  std::uint32_t from = 0, to = 0;
  std::vector<CopiedRecord> removed, added;
};

struct CopiedAnswer {
  enum class Kind : std::uint8_t { kCurrent, kDifferences, kWhole } kind = Kind::kCurrent;
  std::uint32_t serial = 0;       // of the newest version
  std::vector<CopiedStep> steps;  // kDifferences
  StoredBlocks blocks;            // kWhole: all but the SOA
  BlockPtr soa;
};

class CopyReader {
 public:
  // `id` and `request_mac`: of the question. `have`: the version that it named; nullopt: it was for the whole zone.
  CopyReader(const Name& zone, const TsigKey& key, const Clock& clock, std::uint16_t id, Bytes request_mac,
             std::optional<std::uint32_t> have)
      : zone_(zone), clock_(clock), id_(id), have_(have), chain_(key, std::move(request_mac)) {}

  bool wants_more() const { return stage_ != Stage::kEnd; }
  // False: nothing more is of use, and why() says it.
  bool Take(const Bytes& octets);
  // When nothing more is wanted; false as Take's.
  bool Finish();
  const std::string& why() const { return why_; }
  CopiedAnswer& answer() { return answer_; }

 private:
  enum class Stage : std::uint8_t { kBegin, kSecond, kWhole, kRemoved, kAdded, kEnd };

  bool No(const std::string& why);
  bool TakeRecord(const Bytes& octets, const Record& record);
  bool TakeSoa(CopiedRecord soa, std::uint32_t serial);
  bool BeginWhole();
  bool TakeOfWhole(CopiedRecord record);
  bool SealSet();
  bool BeginStep(std::uint32_t from);
  bool End(const Bytes& soa);

  const Name& zone_;
  const Clock& clock_;
  const std::uint16_t id_;
  const std::optional<std::uint32_t> have_;
  TsigChain chain_;
  Stage stage_ = Stage::kBegin;
  std::size_t octets_ = 0, held_ = 0;  // of all that came; of the records that are held as they came
  CopiedRecord first_;                 // the newest SOA
  // The set that is being read, of a whole zone.
  Bytes prefix_;
  std::uint16_t type_ = 0;
  SetParts parts_;
  Frames frames_;
  CopiedAnswer answer_;
  std::string why_;
};

}  // namespace registry::zone
