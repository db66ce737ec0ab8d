// bridge/zone/zone_content.h: a whole zone as a set of records, to be compared with another one.
// Owner names and names in RDATA are uncompressed and in lower case, so that what two servers say differs only where it
// means something else. Use: Add all records, then Finish; the rest after that.
// Limits: kept in one run of octets; about 150 octets a record and four records a device.
// Threads: a value.      Spec: RFC 4034 §6.1, §6.2; RFC 3597 §4 (names are compressed in RDATA of old types only).
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "bridge/zone/message.h"

namespace registry::zone {

class ZoneContent {
 public:
  struct Entry {
    View owner, rdata;
    std::uint16_t type = 0;
    std::uint32_t ttl = 0;
  };
  // An RRset, or the RRSIGs over one RRset.
  struct Group {
    View owner;
    std::uint16_t type = 0, covered = 0;  // `covered` of RRSIGs
    std::size_t first = 0, end = 0;       // places of its records
  };

  void Add(View owner, std::uint16_t type, std::uint32_t ttl, View rdata);
  void Finish();  // in order, and each once

  std::size_t size() const { return places_.size(); }
  std::size_t octets() const { return octets_.size(); }
  Entry At(std::size_t place) const;
  Group GroupFrom(std::size_t place) const;
  // Empty where there is none.
  Group Find(View owner, std::uint16_t type, std::uint16_t covered = 0) const;
  std::optional<std::uint32_t> SerialOf(const Name& zone) const;

  // Calls `differs` for each group that is not the same in both, with what is the matter: "missing" in `found`, "extra"
  // there, or "differs".
  static void Compare(const ZoneContent& wanted, const ZoneContent& found,
                      const std::function<void(const Group&, const char* what)>& differs);

 private:
  std::string_view Octets(std::size_t place) const;
  std::string_view Head(std::size_t place) const;
  bool SameGroup(const Group& mine, const ZoneContent& other, const Group& its) const;

  std::string octets_;  // of each: octets of the owner, owner, type, TTL, RDATA
  std::vector<std::uint64_t> places_;
  std::vector<std::uint32_t> sizes_;
};

// The RDATA of a record of this message as ZoneContent has it; nullopt when it is cut short.
std::optional<Bytes> PlainRdata(View octets, const Record& record);
std::string TypeText(std::uint16_t type);  // "TLSA", or "TYPE123" (RFC 3597 §5)

}  // namespace registry::zone
