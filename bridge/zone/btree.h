// bridge/zone/btree.h: ordered containers that hold several elements in a node: absl::btree_map and absl::btree_set.
// A std::map takes 48 octets beside each element, these take 2 to 16. Adding and removing move other elements: nobody may
// point to one meanwhile.
// Abseil's headers give GUARDED_BY and ACQUIRED_BEFORE meanings of their own; behind this one they are those of
// schemas/base/mutex.h, whichever was included first. And they assert with every comparison that the order is one, by up to
// five more: only in builds that do not optimise. Nobody includes Abseil but through here.
#pragma once

#include <endian.h>

#include <cstdint>
#include <cstring>

#pragma push_macro("GUARDED_BY")
#pragma push_macro("ACQUIRED_BEFORE")
#pragma push_macro("NDEBUG")
#undef GUARDED_BY
#undef ACQUIRED_BEFORE
#ifdef __OPTIMIZE__
#undef NDEBUG
#define NDEBUG
#endif
#include <absl/container/btree_map.h>
#include <absl/container/btree_set.h>
#pragma pop_macro("GUARDED_BY")
#pragma pop_macro("ACQUIRED_BEFORE")
#pragma pop_macro("NDEBUG")
#include <cassert>  // with the NDEBUG of whoever includes this

#include "bridge/zone/nsec3.h"
#include "schemas/ids/ids.h"

namespace registry::zone {

// Device ids and hashes in the order of their octets. These are random, so the first eight decide.
struct ByOctets {
  static const DeviceId::Octets& Of(const DeviceId& device) { return device.octets(); }
  static const Hash& Of(const Hash& hash) { return hash; }
  template <class Key>
  bool operator()(const Key& a, const Key& b) const {
    const auto &x = Of(a), &y = Of(b);
    std::uint64_t first = 0, second = 0;
    std::memcpy(&first, x.data(), sizeof first);
    std::memcpy(&second, y.data(), sizeof second);
    if (first != second) return be64toh(first) < be64toh(second);
    return std::memcmp(x.data(), y.data(), x.size()) < 0;
  }
};
template <class Key, class Value>
using OctetMap = absl::btree_map<Key, Value, ByOctets>;

}  // namespace registry::zone
