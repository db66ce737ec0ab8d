// bridge/zone/counted.h: a pointer that shares what it points to, as large as a plain one. What is counted holds its own
// count, so a million small values take no control block beside each of them, as std::shared_ptr would have.
// Threads: as std::shared_ptr: the count from any thread, one pointer from one thread at a time. Limits: 2^32 − 1 holders.
#pragma once

#include <atomic>
#include <compare>
#include <cstdint>
#include <utility>

namespace registry::zone {

// Base of what is counted; made with new, held by one.
class Countable {
 public:
  Countable(const Countable&) = delete;
  Countable& operator=(const Countable&) = delete;

 protected:
  Countable() = default;
  ~Countable() = default;

 private:
  template <class T>
  friend class Counted;
  mutable std::atomic<std::uint32_t> holders_{1};
};

template <class T>
class Counted {
 public:
  Counted() = default;
  Counted(std::nullptr_t) {}                // NOLINT: as a plain pointer
  explicit Counted(T* made) : to_(made) {}  // the first that holds it
  Counted(const Counted& other) : to_(other.to_) {
    if (to_ != nullptr) to_->holders_.fetch_add(1, std::memory_order_relaxed);
  }
  Counted(Counted&& other) noexcept : to_(std::exchange(other.to_, nullptr)) {}
  Counted& operator=(Counted other) noexcept {
    std::swap(to_, other.to_);
    return *this;
  }
  ~Counted() {
    // Whoever is the last must see what the others have done before they let go.
    if (to_ != nullptr && to_->holders_.fetch_sub(1, std::memory_order_acq_rel) == 1) delete to_;
  }
  T* get() const { return to_; }
  T& operator*() const { return *to_; }
  T* operator->() const { return to_; }
  explicit operator bool() const { return to_ != nullptr; }
  auto operator<=>(const Counted&) const = default;  // by address
  bool operator==(const Counted&) const = default;
  bool operator==(std::nullptr_t) const { return to_ == nullptr; }

 private:
  T* to_ = nullptr;
};

}  // namespace registry::zone
