// bridge/zone/frame.h: what the octets of many RRsets have in common, held once for all of them.
// The RRset of a device or an NSEC3 with its RRSIG is some 240 octets on the wire. Its own are the owner, one value, two
// times and the signature: 110. Everything else (labels that every owner ends in, type, class, TTL, lengths, the
// parameters of a TLSA, a type bitmap, key tag, signer's name) is the same in thousands of others.
// Two signatures, of two algorithms, are framed as well: every name has them while the algorithm is rolled over.
// Threads: a Frame is immutable and shared; Frames belongs to one thread.      Spec: RFC 4034 §3.1, RFC 5155 §3, RFC 6698.
#pragma once

#include <vector>

#include "bridge/zone/counted.h"
#include "bridge/zone/wire.h"

namespace registry::zone {

inline constexpr std::size_t kRecordFixed = 10;  // type, class, TTL, RDLENGTH behind an owner
inline constexpr std::size_t kOwnerPointer = 2;  // an owner's labels end in a pointer to the zone's name
inline constexpr std::size_t kRrsigFixed = 18;   // RDATA of an RRSIG in front of the signer's name
inline constexpr std::size_t kRrsigTagAt = 16;   // in that RDATA

// What the octets of an RRset with its RRSIGs do not say themselves.
struct BlockShape {
  std::uint32_t data_size = 0;  // octets of the RRset
  std::uint16_t prefix_size = 0;
  std::uint16_t data_count = 0;       // records of the RRset
  std::uint16_t signature_count = 0;  // RRSIGs that follow: more than one where several keys sign
  bool operator==(const BlockShape&) const = default;
};

// The RRSIGs of these octets, one after the other, each with its own length (an algorithm's signatures have their own).
// False when they are not of this shape.
template <typename Visit>
bool EachRrsig(View wire, const BlockShape& shape, const Visit& visit) {
  const std::size_t head = shape.prefix_size + kOwnerPointer + kRecordFixed;
  View rest = wire.subspan(shape.data_size);
  for (std::size_t left = shape.signature_count; left > 0; --left) {
    std::size_t size = rest.size();
    if (left > 1) {
      if (rest.size() < head) return false;
      size = head + static_cast<std::size_t>(rest[head - 2] << 8 | rest[head - 1]);
    }
    if (size > rest.size() || size < head + kRrsigFixed + 1) return false;
    visit(rest.first(size));
    rest = rest.subspan(size);
  }
  return true;
}

class Frame;
using FramePtr = Counted<const Frame>;

class Frame : public Countable {
 public:
  static constexpr std::size_t kSizeMax = 1024;

  // Out of the first of its kind. Null when that has no owner, value or signature of a size that others have, too.
  static FramePtr Of(View wire, const BlockShape& shape);

  // Whether these octets differ from it only in what is their own.
  bool Fits(View wire, const BlockShape& shape) const;
  std::size_t own_size() const { return owner_size() + value_size_ + signatures_size_; }
  // Their own, without the times. False when the owner cannot be told by so few.
  bool TakeOwn(View wire, std::uint8_t* own) const;
  // The other way round: size() octets.
  void Fill(const std::uint8_t* own, std::uint32_t expires, std::uint32_t inception,
            std::uint8_t* wire) const;

  std::size_t size() const { return pattern_.size(); }
  const BlockShape& shape() const { return shape_; }
  std::uint16_t type() const { return type_; }
  const std::vector<std::uint16_t>& signers() const { return signers_; }
  bool of_device() const {
    return of_device_;
  }  // its owner is the 16 octets of a UUID; if not, the 20 of a hash

 private:
  struct Rrsig {
    std::size_t at = 0, end = 0, signature_size = 0;
    std::size_t signature_at() const { return end - signature_size; }
  };
  Frame() = default;
  bool TakeRrsigs(View wire);
  bool TakeKind(View wire);
  bool RrsigFits(View wire, const Rrsig& rrsig) const;
  std::size_t owner_size() const { return of_device_ ? 16 : 20; }
  std::size_t times_at(const Rrsig& rrsig) const {
    return rrsig.at + shape_.prefix_size + kOwnerPointer + kRecordFixed + 8;
  }

  BlockShape shape_;
  std::uint16_t type_ = 0;
  std::vector<Rrsig> rrsigs_;  // all of the same times
  std::vector<std::uint16_t> signers_;
  std::size_t signatures_size_ = 0;
  bool of_device_ = false;
  std::size_t label_size_ = 0;  // of the owner's first label, which is its own
  std::size_t value_at_ = 0, value_size_ = 0;
  Bytes pattern_;
};

// The frames that were used last.
class Frames {
 public:
  static constexpr std::size_t kKept =
      64;  // a zone has about ten, and twice as many while its keys roll over
  FramePtr Of(View wire, const BlockShape& shape);

 private:
  std::vector<FramePtr> known_;
};

}  // namespace registry::zone
