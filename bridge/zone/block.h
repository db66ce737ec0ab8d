// bridge/zone/block.h: an RRset with its RRSIGs, as the zone, the journal and running transfers share it.
// A Block is immutable but for its place in one ExpiryIndex, which belongs to that index's owner. It gives the octets of
// the wire when they are asked for, and holds only those that are not in its frame (frame.h): 136 octets for a device's
// TLSA, 128 for an NSEC3, in one allocation; 64 or 96 more where two algorithms sign. What fits no frame is held whole.
// Owner names end in a compression pointer to offset 12: in every message this room builds the question stands there and
// names the zone, so the octets go into a message as they are.
// Threads: any, as long as one owner lists it.     Spec: RFC 4034 §3.1; RFC 1035 §4.1.4.
#pragma once

#include <new>

#include "bridge/zone/frame.h"
#include "bridge/zone/nsec3.h"
#include "schemas/ids/ids.h"

namespace registry::zone {

class Block;
using BlockPtr = Counted<const Block>;

class Block : public Countable {
 public:
  enum class Part : std::uint8_t { kAll, kData, kSignature };

  // `wire`: the RRset, then its RRSIGs. Null when the octets are not of this shape.
  static BlockPtr Make(View wire, const BlockShape& shape, Frames& frames);
  ~Block() = default;
  static void operator delete(void* block) { ::operator delete(block); }

  void AppendTo(Bytes& out, Part part) const;
  Bytes wire() const { return Octets(Part::kAll); }
  Bytes data() const { return Octets(Part::kData); }
  Bytes signature() const { return Octets(Part::kSignature); }
  bool DataIs(View data) const;
  std::size_t size() const { return frame_ ? frame_->size() : whole().size; }
  std::size_t size_of(Part part) const;

  const BlockShape& shape() const { return frame_ ? frame_->shape() : whole().shape; }
  std::uint16_t type() const { return frame_ ? frame_->type() : whole().type; }
  // Key tags of its RRSIGs, in their order.
  std::vector<std::uint16_t> signers() const;
  bool SignedBy(const std::vector<std::uint16_t>& tags) const;  // exactly these, in this order
  std::int64_t expires() const { return expires_; }             // UTC seconds
  std::int64_t inception() const { return inception_; }         // UTC seconds, as signed

  Bytes prefix() const;
  // Whose name its owner is; nullopt: of no device, of no NSEC3.
  std::optional<DeviceId> device() const;
  std::optional<Hash> hash() const;
  std::size_t memory() const;  // octets of its allocation

 private:
  friend class ExpiryIndex;
  struct Whole {
    BlockShape shape;
    std::uint32_t size = 0;
    std::uint16_t type = 0;
  };

  Block() = default;
  static Block* Allocate(std::size_t own) { return ::new (::operator new(sizeof(Block) + own)) Block; }
  static BlockPtr MakeWhole(View wire, const BlockShape& shape);
  std::uint8_t* own() { return reinterpret_cast<std::uint8_t*>(this + 1); }
  const std::uint8_t* own() const { return reinterpret_cast<const std::uint8_t*>(this + 1); }
  const Whole& whole() const { return *reinterpret_cast<const Whole*>(own()); }
  View whole_wire() const { return {own() + sizeof(Whole), whole().size}; }
  Bytes Octets(Part part) const;

  mutable std::uint32_t place_ = 0;  // in the ExpiryIndex
  std::uint32_t expires_ = 0, inception_ = 0;
  FramePtr frame_;  // null: a Whole and the octets follow; else the block's own ones
};

}  // namespace registry::zone
