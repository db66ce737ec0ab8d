// clients/verdict/kept_with.h: one value of a type kept with an SSL connection, for as long as that lives.
// Owns: the connection owns the value (OpenSSL's ex_data); one it had before is gone with the next.
// Threads: the connection's. Never throws, so that OpenSSL's callbacks in C may call it.
#pragma once

#include <openssl/ssl.h>

#include <memory>

namespace registry::clients {

template <class Value>
class KeptWith {
 public:
  // Null: OpenSSL has no memory for it.
  static const Value* Keep(SSL* connection, std::unique_ptr<Value> value) noexcept {
    auto* const before = static_cast<Value*>(SSL_get_ex_data(connection, Index()));
    if (SSL_set_ex_data(connection, Index(), value.get()) != 1) return nullptr;
    delete before;
    return value.release();
  }
  // Null: there is none.
  static const Value* Find(const SSL* connection) noexcept {
    return static_cast<const Value*>(SSL_get_ex_data(connection, Index()));
  }

 private:
  static void Free(void*, void* value, CRYPTO_EX_DATA*, int, long, void*) {
    delete static_cast<Value*>(value);
  }
  static int Index() noexcept {
    static const int index = SSL_get_ex_new_index(0, nullptr, nullptr, nullptr, Free);
    return index;
  }
};

}  // namespace registry::clients
