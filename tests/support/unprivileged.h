// tests/support/unprivileged.h: what a program without root's rights meets, in tests that run as root or do not.
#pragma once

#include <unistd.h>

#include "schemas/base/check.h"

namespace registry::test {

// Everything in this process is done with nobody's rights while it lives; without effect when we are not root.
class Unprivileged {
 public:
  Unprivileged() : before_(::geteuid()) { REG_CHECK(before_ != 0 || ::seteuid(kNobody) == 0); }
  ~Unprivileged() { REG_CHECK(::seteuid(before_) == 0); }
  Unprivileged(const Unprivileged&) = delete;
  Unprivileged& operator=(const Unprivileged&) = delete;

 private:
  static constexpr uid_t kNobody = 65534;
  const uid_t before_;
};

}  // namespace registry::test
