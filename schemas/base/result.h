// schemas/base/result.h: Result<T>, either a value or an Error. Never thrown, never ignored.
// Threads: plain value. Reading value() of a failed result, or error() of a good one, stops the process.
#pragma once

#include <utility>
#include <variant>

#include "schemas/base/check.h"
#include "schemas/base/error.h"

namespace registry {

template <class T>
class [[nodiscard]] Result {
 public:
  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}      // NOLINT: implicit by design
  Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {}  // NOLINT: implicit by design

  bool ok() const { return state_.index() == 0; }
  explicit operator bool() const { return ok(); }

  const T& value() const& {
    REG_CHECK(ok());
    return *std::get_if<0>(&state_);
  }
  T& value() & {
    REG_CHECK(ok());
    return *std::get_if<0>(&state_);
  }
  // By value: `for (auto& x : *F())` would otherwise walk through what has just been destroyed.
  T value() && {
    REG_CHECK(ok());
    return std::move(*std::get_if<0>(&state_));
  }
  const T& operator*() const& { return value(); }
  T& operator*() & { return value(); }
  T operator*() && { return std::move(*this).value(); }
  const T* operator->() const { return &value(); }
  T* operator->() { return &value(); }

  const Error& error() const {
    REG_CHECK(!ok());
    return *std::get_if<1>(&state_);
  }

 private:
  std::variant<T, Error> state_;
};

// A success without a value.
struct Done {};
using Status = Result<Done>;

}  // namespace registry
