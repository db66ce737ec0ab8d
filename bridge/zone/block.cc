#include "bridge/zone/block.h"

#include <algorithm>

#include "bridge/zone/device_content.h"

namespace registry::zone {
namespace {

constexpr std::size_t kRrsigHead = kOwnerPointer + kRecordFixed;  // behind the owner's labels
constexpr std::size_t kExpirationAt = kRrsigHead + 8, kInceptionAt = kRrsigHead + 12,
                      kSignerAt = kRrsigHead + kRrsigTagAt;

std::uint32_t NumberFrom(View octets, std::size_t at, std::size_t size) {
  std::uint32_t number = 0;
  for (std::size_t i = 0; i < size; ++i) number = number << 8 | octets[at + i];
  return number;
}

bool ShapeHolds(View wire, const BlockShape& shape) {
  if (shape.data_count == 0 || shape.signature_count == 0 || shape.data_size > wire.size()) return false;
  if (shape.data_size < shape.prefix_size + kRrsigHead) return false;
  return EachRrsig(wire, shape, [](View) {});
}

}  // namespace

BlockPtr Block::Make(View wire, const BlockShape& shape, Frames& frames) {
  if (!ShapeHolds(wire, shape)) return nullptr;
  FramePtr frame = frames.Of(wire, shape);
  std::array<std::uint8_t, Frame::kSizeMax> own;
  if (!frame || !frame->TakeOwn(wire, own.data())) return MakeWhole(wire, shape);
  const std::size_t size = frame->own_size();
  Block* const block = Allocate(size);
  std::copy_n(own.begin(), size, block->own());
  const View rrsig = wire.subspan(shape.data_size + shape.prefix_size);
  block->expires_ = NumberFrom(rrsig, kExpirationAt, 4);
  block->inception_ = NumberFrom(rrsig, kInceptionAt, 4);
  block->frame_ = std::move(frame);
  return BlockPtr(block);
}

BlockPtr Block::MakeWhole(View wire, const BlockShape& shape) {
  Block* const block = Allocate(sizeof(Whole) + wire.size());
  const View rrsig = wire.subspan(shape.data_size + shape.prefix_size);
  block->expires_ = NumberFrom(rrsig, kExpirationAt, 4);
  block->inception_ = NumberFrom(rrsig, kInceptionAt, 4);
  ::new (block->own())
      Whole{shape, static_cast<std::uint32_t>(wire.size()),
            static_cast<std::uint16_t>(NumberFrom(wire, shape.prefix_size + kOwnerPointer, 2))};
  std::ranges::copy(wire, block->own() + sizeof(Whole));
  return BlockPtr(block);
}

std::size_t Block::size_of(Part part) const {
  if (part == Part::kAll) return size();
  return part == Part::kData ? shape().data_size : size() - shape().data_size;
}

void Block::AppendTo(Bytes& out, Part part) const {
  const std::size_t first = part == Part::kSignature ? shape().data_size : 0, count = size_of(part);
  if (!frame_) return Put(out, whole_wire().subspan(first, count));
  std::array<std::uint8_t, Frame::kSizeMax> octets;
  frame_->Fill(own(), expires_, inception_, octets.data());
  Put(out, View(octets).subspan(first, count));
}

Bytes Block::Octets(Part part) const {
  Bytes octets;
  octets.reserve(size_of(part));
  AppendTo(octets, part);
  return octets;
}

bool Block::DataIs(View data) const {
  if (data.size() != shape().data_size) return false;
  if (!frame_) return std::ranges::equal(whole_wire().first(data.size()), data);
  std::array<std::uint8_t, Frame::kSizeMax> octets;
  frame_->Fill(own(), expires_, inception_, octets.data());
  return std::ranges::equal(View(octets).first(data.size()), data);
}

Bytes Block::prefix() const {
  Bytes octets = data();
  octets.resize(shape().prefix_size);
  return octets;
}

std::optional<DeviceId> Block::device() const {
  if (!frame_) return DeviceAt(whole_wire().first(shape().prefix_size));
  if (!frame_->of_device()) return std::nullopt;
  DeviceId::Octets octets;
  std::copy_n(own(), octets.size(), octets.begin());
  return DeviceId::FromOctets(octets);
}

std::optional<Hash> Block::hash() const {
  if (type() != kTypeNsec3) return std::nullopt;
  if (!frame_) return HashAt(whole_wire().first(shape().prefix_size));
  Hash hash;
  std::copy_n(own(), hash.size(), hash.begin());
  return hash;
}

std::vector<std::uint16_t> Block::signers() const {
  if (frame_) return frame_->signers();
  std::vector<std::uint16_t> tags;
  EachRrsig(whole_wire(), whole().shape, [&](View rrsig) {
    tags.push_back(static_cast<std::uint16_t>(NumberFrom(rrsig, whole().shape.prefix_size + kSignerAt, 2)));
  });
  return tags;
}

bool Block::SignedBy(const std::vector<std::uint16_t>& tags) const {
  return frame_ ? frame_->signers() == tags : signers() == tags;
}

std::size_t Block::memory() const {
  return sizeof(Block) + (frame_ ? frame_->own_size() : sizeof(Whole) + whole().size);
}

}  // namespace registry::zone
