// schemas/base/descriptor.h: one open file descriptor, closed with its owner.
// Owns: the descriptor, which moves and is not copied. Below 0: there is none, as the calls of POSIX say it.
// Threads: as the owner's.
#pragma once

#include <utility>

namespace registry {

class Descriptor {
 public:
  explicit Descriptor(int fd = -1) : fd_(fd) {}
  Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~Descriptor();  // standard_descriptors.cc, the one file below bridge/ that knows the calls of POSIX
  int fd() const { return fd_; }

 private:
  int fd_;
};

}  // namespace registry
