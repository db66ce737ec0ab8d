// workers/domain/key_unavailable.h: the error of a Signer whose key does not answer for now (a token that was pulled, an
// HSM that cannot be reached). What needed the signature is not decided; it is tried again, and works when the key is back.
#pragma once

#include <string_view>

namespace registry::domain {

inline constexpr std::string_view kKeyUnavailable = "key_unavailable";

}  // namespace registry::domain
