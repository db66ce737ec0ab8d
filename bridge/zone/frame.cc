#include "bridge/zone/frame.h"

#include <algorithm>

#include "bridge/zone/algorithm.h"
#include "bridge/zone/device_content.h"
#include "bridge/zone/nsec3.h"

namespace registry::zone {
namespace {

constexpr std::size_t kUuidText = 36, kHashText = 32;
constexpr std::size_t kTlsaFixed = 3,
                      kTlsaHash = 32;               // RFC 6698 §2.1: usage, selector, matching type; SHA-256
constexpr std::size_t kNextAt = 6, kNextSize = 20;  // RFC 5155 §3.2, without a salt
constexpr std::size_t kRrsigAlgorithmAt = 2;        // RFC 4034 §3.1
constexpr std::size_t kFramedSignatures = 2, kUnknownSignatureSize = 64;

std::size_t SignatureSizeOf(std::uint8_t algorithm) {
  const Algorithm* const known = AlgorithmOf(algorithm);
  return known == nullptr ? kUnknownSignatureSize : known->signature_size;
}

std::uint16_t U16In(View octets, std::size_t at) {
  return static_cast<std::uint16_t>(octets[at] << 8 | octets[at + 1]);
}

bool SamePart(View a, View b, std::size_t first, std::size_t last) {
  return std::equal(a.begin() + static_cast<std::ptrdiff_t>(first),
                    a.begin() + static_cast<std::ptrdiff_t>(last),
                    b.begin() + static_cast<std::ptrdiff_t>(first));
}

void SetU32(std::uint8_t* at, std::uint32_t value) {
  for (int shift = 24; shift >= 0; shift -= 8) *at++ = static_cast<std::uint8_t>(value >> shift);
}

}  // namespace

FramePtr Frame::Of(View wire, const BlockShape& shape) {
  const bool framed = shape.data_count == 1 && shape.signature_count <= kFramedSignatures &&
                      wire.size() <= kSizeMax &&
                      shape.data_size >= shape.prefix_size + kOwnerPointer + kRecordFixed;
  if (!framed) return nullptr;
  std::unique_ptr<Frame> frame(new Frame);
  frame->shape_ = shape;
  if (!frame->TakeKind(wire) || !frame->TakeRrsigs(wire)) return nullptr;
  frame->pattern_.assign(wire.begin(), wire.end());
  return FramePtr(frame.release());
}

// Whose owner it has, and where its value is.
bool Frame::TakeKind(View wire) {
  const View prefix = wire.first(shape_.prefix_size);
  const std::size_t head = shape_.prefix_size + kOwnerPointer + kRecordFixed;
  const std::size_t rdata = shape_.data_size - head;
  type_ = U16In(wire, shape_.prefix_size + kOwnerPointer);
  if (type_ == kTypeNsec3 && HashAt(prefix) && rdata >= kNextAt + kNextSize) {
    label_size_ = kHashText;
    value_at_ = head + kNextAt;
    value_size_ = kNextSize;
    return true;
  }
  if (!DeviceAt(prefix)) return false;
  of_device_ = true;
  label_size_ = kUuidText;
  if (type_ == kTypeTlsa && rdata == kTlsaFixed + kTlsaHash) {
    value_at_ = head + kTlsaFixed;
    value_size_ = kTlsaHash;
    return true;
  }
  value_at_ = shape_.data_size;
  return type_ == kTypeTxt;
}

bool Frame::TakeRrsigs(View wire) {
  const std::size_t head = shape_.prefix_size + kOwnerPointer + kRecordFixed;
  const View prefix = wire.first(shape_.prefix_size);
  bool fit = true;
  std::size_t at = shape_.data_size;
  const bool whole = EachRrsig(wire, shape_, [&](View rrsig) {
    const Rrsig one{at, at + rrsig.size(), SignatureSizeOf(rrsig[head + kRrsigAlgorithmAt])};
    fit = fit && rrsig.size() >= head + kRrsigFixed + 1 + one.signature_size &&
          std::ranges::equal(rrsig.first(prefix.size()), prefix);
    rrsigs_.push_back(one);
    signers_.push_back(U16In(rrsig, head + kRrsigTagAt));
    signatures_size_ += one.signature_size;
    at = one.end;
  });
  return whole && fit && std::ranges::all_of(rrsigs_, [&](const Rrsig& one) {
           return std::ranges::equal(wire.subspan(times_at(one), 8), wire.subspan(times_at(rrsigs_[0]), 8));
         });
}

bool Frame::Fits(View wire, const BlockShape& shape) const {
  if (wire.size() != pattern_.size() || !(shape == shape_) || wire[0] != pattern_[0]) return false;
  const std::size_t value_end = value_at_ + value_size_;
  return SamePart(wire, pattern_, 1 + label_size_, value_at_) &&
         SamePart(wire, pattern_, value_end, shape_.data_size) &&
         std::ranges::all_of(rrsigs_, [&](const Rrsig& rrsig) { return RrsigFits(wire, rrsig); });
}

bool Frame::RrsigFits(View wire, const Rrsig& rrsig) const {
  const std::size_t behind_label = 1 + label_size_, times = times_at(rrsig);
  return std::ranges::equal(wire.first(behind_label), wire.subspan(rrsig.at, behind_label)) &&
         SamePart(wire, pattern_, rrsig.at + behind_label, times) &&
         std::ranges::equal(wire.subspan(times, 8), wire.subspan(times_at(rrsigs_[0]), 8)) &&
         SamePart(wire, pattern_, times + 8, rrsig.signature_at());
}

bool Frame::TakeOwn(View wire, std::uint8_t* own) const {
  if (of_device_) {
    const auto device = DeviceAt(wire.first(shape_.prefix_size));
    if (!device) return false;
    own = std::ranges::copy(device->octets(), own).out;
  } else {
    const auto hash = HashAt(wire.first(shape_.prefix_size));
    if (!hash) return false;
    own = std::ranges::copy(*hash, own).out;
  }
  own = std::ranges::copy(wire.subspan(value_at_, value_size_), own).out;
  for (const Rrsig& rrsig : rrsigs_)
    own = std::ranges::copy(wire.subspan(rrsig.signature_at(), rrsig.signature_size), own).out;
  return true;
}

void Frame::Fill(const std::uint8_t* own, std::uint32_t expires, std::uint32_t inception,
                 std::uint8_t* wire) const {
  std::ranges::copy(pattern_, wire);
  if (of_device_) {
    DeviceId::Octets octets;
    std::copy_n(own, octets.size(), octets.begin());
    std::ranges::copy(DeviceId::FromOctets(octets).text(), wire + 1);
  } else {
    Hash hash;
    std::copy_n(own, hash.size(), hash.begin());
    std::ranges::copy(Nsec3Prefix(hash), wire);
  }
  own += owner_size();
  std::copy_n(own, value_size_, wire + value_at_);
  own += value_size_;
  for (const Rrsig& rrsig : rrsigs_) {
    std::copy_n(wire + 1, label_size_, wire + rrsig.at + 1);
    SetU32(wire + times_at(rrsig), expires);
    SetU32(wire + times_at(rrsig) + 4, inception);
    std::copy_n(own, rrsig.signature_size, wire + rrsig.signature_at());
    own += rrsig.signature_size;
  }
}

FramePtr Frames::Of(View wire, const BlockShape& shape) {
  const auto found =
      std::ranges::find_if(known_, [&](const FramePtr& frame) { return frame->Fits(wire, shape); });
  if (found != known_.end()) {
    std::rotate(known_.begin(), found, found + 1);
    return known_.front();
  }
  FramePtr fresh = Frame::Of(wire, shape);
  if (fresh == nullptr) return nullptr;
  if (known_.size() >= kKept) known_.pop_back();
  known_.insert(known_.begin(), fresh);
  return fresh;
}

}  // namespace registry::zone
