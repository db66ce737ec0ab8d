// bridge/zone/tsig_keys.h: the keys by which peers sign, each known by its name: one for all secondaries, or one for each,
// and beside it the one that it is exchanged for.
// Threads: a value; nothing is added once it is in use. Find's answer lives as long as this object, which is not moved.
// Errors: tsig_key_twice when two secrets stand under one name, and those of LoadTsigKey.
// Spec: RFC 8945 §5.2: the name in a request says which key it is to be checked with. §8: a secret is shared by two.
#pragma once

#include <map>
#include <memory>

#include "bridge/zone/publisher.h"
#include "bridge/zone/tsig.h"

namespace registry::zone {

class TsigKeys {
 public:
  TsigKeys(TsigKey first);  // NOLINT(google-explicit-constructor): one key is a set of one
  Status Add(TsigKey key);
  const TsigKey* Find(const Name& name) const;  // null: none
  const TsigKey& first() const { return *first_; }

 private:
  std::map<Name, std::shared_ptr<const TsigKey>> keys_;
  std::shared_ptr<const TsigKey> first_;
};

// All that the options name.
Result<TsigKeys> LoadTsigKeys(const Options& options);

// What one secondary is spoken to with.
struct SecondaryKeys {
  SecondaryKeys(const TsigKey& only) : now(&only) {}  // NOLINT(google-explicit-constructor)
  SecondaryKeys(const TsigKey& current, const TsigKey* before) : now(&current), former(before) {}
  const TsigKey* now;
  const TsigKey* former = nullptr;  // it may not have got the new one yet
};
SecondaryKeys KeysOf(const SecondaryAddress& secondary, const Options& options, const TsigKeys& keys);

}  // namespace registry::zone
