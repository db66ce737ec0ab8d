// simulators/device/card_key.h: a key in the card, dressed as an OpenSSL key: the public part is here,
// signing and key agreement go to the card as APDUs. So CMS decryption and TLS client authentication use it,
// and nothing here ever holds a private octet.
// Owns: the OpenSSL object; borrows the card, which outlives it. Threads: as the card.
// Why EC_KEY_METHOD, deprecated in OpenSSL 3.0: the alternative, a provider of our own, is some 800 lines for
//   two calls; CMS and TLS of 3.0 accept such keys (reference: OpenSSL EC_KEY_METHOD_new(3)).
#pragma once

#include <openssl/evp.h>

#include <memory>
#include <optional>
#include <utility>

#include "simulators/device/card.h"

namespace registry::sim {

class CardKey {
 public:
  // `point` is the public part as the card told it. Null when it is not a point of the curve.
  static std::unique_ptr<CardKey> Make(Card& card, std::uint8_t key, const Bytes& point);
  ~CardKey();
  CardKey(const CardKey&) = delete;
  CardKey& operator=(const CardKey&) = delete;

  EVP_PKEY* handle() const { return handle_; }
  const Bytes& point() const { return point_; }
  // What OpenSSL asks for through the handle.
  Result<Bytes> Sign(const Bytes& digest);
  Result<Bytes> Agree(const Bytes& peer_point) { return card_.Agree(key_, peer_point); }
  // Why the card did not sign when it was asked last: OpenSSL passes no reason through. It is told once.
  std::optional<Error> TakeRefusal() const { return std::exchange(refusal_, std::nullopt); }

 private:
  CardKey(Card& card, std::uint8_t key, Bytes point) : card_(card), key_(key), point_(std::move(point)) {}
  Card& card_;
  const std::uint8_t key_;
  const Bytes point_;
  EVP_PKEY* handle_ = nullptr;
  mutable std::optional<Error> refusal_;
};

}  // namespace registry::sim
