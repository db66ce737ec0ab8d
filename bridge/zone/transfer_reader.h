// bridge/zone/transfer_reader.h: the whole zone as the answers to an AXFR tell it, message by message. Any server may
// have sent them: a transfer counts when every message of it is covered by the key's signature, the last one itself signed.
// Zone, key and clock outlive it. Threads: one; never waits.
// Errors: in words, in `why`. Limits: kFetchOctetsMax.
// Spec: RFC 5936 §2.2 (SOA first and last), §2.2.1 (header and question of later messages), RFC 8945 §5.3.1.
#pragma once

#include "bridge/clock.h"
#include "bridge/zone/tsig.h"
#include "bridge/zone/zone_content.h"

namespace registry::zone {

inline constexpr std::size_t kFetchOctetsMax = std::size_t{2} << 30;

struct FetchedZone {
  std::optional<ZoneContent> content;  // finished
  std::uint32_t serial = 0;
  TsigError tsig = TsigError::kNone;  // what was wrong with the signature, the question's or an answer's
  std::string why;                    // there is no content; a few words
};

class TransferReader {
 public:
  // `id` and `request_mac`: of the question.
  TransferReader(const Name& zone, const TsigKey& key, const Clock& clock, std::uint16_t id,
                 Bytes request_mac)
      : zone_(zone), clock_(clock), id_(id), chain_(key, std::move(request_mac)) {}

  bool wants_more() const { return !ended_; }
  // False: nothing more is of use, and the result says why.
  bool Take(const Bytes& octets);
  // No message comes any more.
  bool No(const std::string& why);
  // Behind the last message, or behind a No.
  FetchedZone Result();

 private:
  bool TakeRecord(const Bytes& octets, const Record& record);

  const Name& zone_;
  const Clock& clock_;
  const std::uint16_t id_;
  TsigChain chain_;
  ZoneContent content_;
  Bytes soa_;
  bool begun_ = false, ended_ = false;
  FetchedZone fetched_;
};

}  // namespace registry::zone
