// tests/fuzz/input.h: takes a fuzzer's octets apart, so that one input can say several things. Past the end everything is
// 0 or empty; nothing of what a target does may depend on anything but these octets. Plain value.
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>

#include "schemas/base/bytes.h"

namespace registry::fuzz {

class Input {
 public:
  Input(const std::uint8_t* data, std::size_t size) : left_(data, size) {}

  bool AtEnd() const { return left_.empty(); }
  std::uint8_t Octet() {
    const std::uint8_t octet = left_.empty() ? 0 : left_.front();
    left_ = left_.subspan(left_.empty() ? 0 : 1);
    return octet;
  }
  Bytes Take(std::size_t size) {
    const auto taken = left_.first(std::min(size, left_.size()));
    left_ = left_.subspan(taken.size());
    return Bytes(taken.begin(), taken.end());
  }
  Bytes Rest() { return Take(left_.size()); }

 private:
  std::span<const std::uint8_t> left_;
};

inline std::string_view AsText(const std::uint8_t* data, std::size_t size) {
  return {reinterpret_cast<const char*>(data), size};
}

}  // namespace registry::fuzz
