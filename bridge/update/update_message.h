// bridge/update/update_message.h: one UPDATE message: for each name, what must stand there now and what shall stand there.
// The prerequisites are what was seen, so the whole message does nothing when another has changed one of the names since
// (compare and set). Only RRsets of TLSA and TXT are named; "delete all RRsets from a name" is never used.
// Limits: kUpdateSizeMax octets before the TSIG.        Threads: a value.
// Spec: RFC 2136 §2.3 (zone), §2.4.2, §2.4.3 (prerequisites), §2.5.1, §2.5.2, §2.5.4 (update).
#pragma once

#include "bridge/update/device_records.h"

namespace registry::update {

inline constexpr std::size_t kUpdateSizeMax = 60'000;

struct Move {
  zone::Name name;
  Records from, to;
  bool shared = false;  // somebody else has a TXT there, too: ours are taken away one by one
};

class UpdateMessage {
 public:
  UpdateMessage(zone::Name zone, std::uint32_t ttl);
  // False, and nothing is added: it would be too large.
  bool Add(const Move& move);
  // One record more, whatever stands there: nothing is taken away, and one that is there already is not doubled
  // (§3.4.2.2).
  void AddRecord(const zone::Name& name, std::uint16_t type, std::uint32_t ttl, const Bytes& rdata);
  bool empty() const { return update_count_ == 0; }
  // Without an id and a TSIG.
  Bytes octets() const;

 private:
  void Require(const Bytes& owner, std::uint16_t type, const std::vector<Bytes>& rdatas);
  void Replace(const Bytes& owner, std::uint16_t type, const std::vector<Bytes>& from,
               const std::vector<Bytes>& to);
  void ReplaceEach(const Bytes& owner, std::uint16_t type, const std::vector<Bytes>& from,
                   const std::vector<Bytes>& to);
  std::size_t NextPrerequisite() const;

  const zone::Name zone_;
  const std::uint32_t ttl_;
  Bytes prerequisites_, updates_;
  std::uint16_t prerequisite_count_ = 0, update_count_ = 0;
};

}  // namespace registry::update
