// bridge/zone/algorithm.h: the DNSSEC algorithms that the zone may be signed with, their names, and what their keys are.
// Others are refused: those of RFC 8624 §3.1 that one must not or need not sign with, and Ed448, which few validate.
// Threads: pure functions.     Spec: RFC 6605 (13, 14), RFC 8080 (15), RFC 8624 §3.1.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "bridge/key_pem.h"

namespace registry::zone {

struct Algorithm {
  std::uint8_t number = 0;
  std::string_view name;  // the mnemonic of IANA's registry
  PemKey key = PemKey::kP256;
  std::size_t signature_size = 0;  // octets; the key in a DNSKEY has as many, but for Ed25519's 32
  std::size_t key_size = 0;
};

inline constexpr std::uint8_t kEcdsaP256Sha256 = 13, kEcdsaP384Sha384 = 14, kEd25519 = 15;
inline constexpr std::array<Algorithm, 3> kAlgorithms{
    Algorithm{kEcdsaP256Sha256, "ECDSAP256SHA256", PemKey::kP256, 64, 64},
    Algorithm{kEcdsaP384Sha384, "ECDSAP384SHA384", PemKey::kP384, 96, 96},
    Algorithm{kEd25519, "ED25519", PemKey::kEd25519, 64, 32}};

// Null: none of these.
inline const Algorithm* AlgorithmOf(std::uint8_t number) {
  const auto* const found = std::ranges::find(kAlgorithms, number, &Algorithm::number);
  return found == kAlgorithms.end() ? nullptr : &*found;
}
inline const Algorithm* AlgorithmNamed(std::string_view name) {
  const auto* const found = std::ranges::find(kAlgorithms, name, &Algorithm::name);
  return found == kAlgorithms.end() ? nullptr : &*found;
}
// "13 (ECDSAP256SHA256)".
inline std::string AlgorithmText(std::uint8_t number) {
  const Algorithm* const known = AlgorithmOf(number);
  return std::to_string(number) + (known == nullptr ? "" : " (" + std::string(known->name) + ")");
}

}  // namespace registry::zone
