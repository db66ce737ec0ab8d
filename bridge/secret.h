// bridge/secret.h: octets that must leave this process by no other way than the one they are for: no core dump, no swap, no
// memory that is given away unwiped. OpenSSL keeps the numbers of private keys in the same memory by itself.
// Owns: a Secret shares its octets with its copies; the last one wipes them. Immutable; any thread.
// Errors: without ProtectSecrets, or where the system locks no more memory (RLIMIT_MEMLOCK), they are wiped all the same.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "schemas/base/bytes.h"

namespace registry {

// First thing in a program that holds keys, before any other thread: its memory is no other process's (prctl(2),
// PR_SET_DUMPABLE) and secrets get memory that is locked and never dumped (OPENSSL_secure_malloc(3)).
void ProtectSecrets();
// An operator who looks for a fault wants core dumps; secrets stay out of them.
void AllowCoreDumps();

class Secret {
 public:
  Secret() = default;
  explicit Secret(std::size_t size);  // zeros, to be filled before it is copied
  explicit Secret(const Bytes& octets);
  const std::uint8_t* data() const { return octets_.get(); }
  std::uint8_t* fill() { return octets_.get(); }
  std::size_t size() const { return size_; }
  std::string_view text() const { return {reinterpret_cast<const char*>(data()), size_}; }
  void Shorten(std::size_t size) { size_ = size; }

 private:
  std::shared_ptr<std::uint8_t> octets_;
  std::size_t size_ = 0;
};

// RFC 4648 §4, as FromBase64; empty where it is none.
Secret SecretFromBase64(std::string_view text);

}  // namespace registry
