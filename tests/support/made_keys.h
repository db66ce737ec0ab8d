// tests/support/made_keys.h: the private scalar of every pair that P256Key makes. It shows none, so they are taken from
// OpenSSL on the way: whoever links made_keys has the linker send the calls here. One thread.
#pragma once

#include <vector>

#include "schemas/base/bytes.h"

namespace registry::test {

std::vector<Bytes>& MadeKeys();  // 32 octets each, in the order they were made
// Whether `octets` hold one of them, or half of one.
bool HoldMadeKey(const Bytes& octets);

}  // namespace registry::test
