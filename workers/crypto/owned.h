// workers/crypto/owned.h: OpenSSL's objects with an owner. Owned<X509_free, X509> frees itself; null is
// "OpenSSL refused".
#pragma once

#include <openssl/err.h>

#include <memory>

namespace registry::crypto {

template <auto Free>
struct FreeWith {
  template <class T>
  void operator()(T* object) const {
    Free(object);
  }
};

template <class T, auto Free>
using Owned = std::unique_ptr<T, FreeWith<Free>>;

// OpenSSL remembers failures per thread; what was judged here must not turn up in somebody else's report.
inline bool Failed() {
  ERR_clear_error();
  return false;
}

}  // namespace registry::crypto
