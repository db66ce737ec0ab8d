#include "bridge/zone/tsig_keys.h"

namespace registry::zone {
namespace {

Status AddFile(const TsigKeyFile& file, TsigKeys& keys) {
  if (!file.given()) return Done{};
  auto key = LoadTsigKey(file.name, file.secret_file);
  return key ? keys.Add(std::move(*key)) : Status(key.error());
}

// What LoadTsigKeys has loaded.
const TsigKey* Loaded(const TsigKeyFile& file, const TsigKeys& keys) {
  return file.given() ? keys.Find(*NameFromText(file.name)) : nullptr;
}

}  // namespace

TsigKeys::TsigKeys(TsigKey first) : first_(std::make_shared<const TsigKey>(std::move(first))) {
  keys_.emplace(first_->name, first_);
}

Status TsigKeys::Add(TsigKey key) {
  const auto found = keys_.find(key.name);
  if (found == keys_.end()) {
    keys_.emplace(key.name, std::make_shared<const TsigKey>(key));
    return Done{};
  }
  if (found->second->secret.text() == key.secret.text()) return Done{};
  return Error::Make(
      Code::kFailed, "tsig_key_twice",
      "two secrets stand under the name " + NameToText(key.name) + "; give each a name of its own");
}

const TsigKey* TsigKeys::Find(const Name& name) const {
  const auto found = keys_.find(name);
  return found == keys_.end() ? nullptr : found->second.get();
}

Result<TsigKeys> LoadTsigKeys(const Options& options) {
  auto first = LoadTsigKey(options.tsig_name, options.tsig_secret_file);
  if (!first) return first.error();
  TsigKeys keys(std::move(*first));
  if (auto added = AddFile(options.former_key, keys); !added) return added.error();
  for (const SecondaryAddress& secondary : options.secondaries) {
    for (const TsigKeyFile* const file : {&secondary.key, &secondary.former_key}) {
      if (auto added = AddFile(*file, keys); !added) return added.error();
    }
  }
  return keys;
}

SecondaryKeys KeysOf(const SecondaryAddress& secondary, const Options& options, const TsigKeys& keys) {
  if (const TsigKey* const own = Loaded(secondary.key, keys))
    return {*own, Loaded(secondary.former_key, keys)};
  const TsigKey* const former = Loaded(secondary.former_key, keys);
  return {keys.first(), former != nullptr ? former : Loaded(options.former_key, keys)};
}

}  // namespace registry::zone
