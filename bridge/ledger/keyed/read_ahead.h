// bridge/ledger/keyed/read_ahead.h: what the checks of one write are going to ask of a store that is far, asked in one round
// trip. What was not foreseen is asked when it is wanted; a store that is near is always asked then.
// Private to bridge/ledger. Store outlives it. Threads: the committer only. Errors: the store's.
#pragma once

#include <functional>
#include <string>
#include <unordered_map>
#include <vector>

#include "bridge/ledger/keyed/encoded.h"

namespace registry::ledger {

class ReadAhead {
 public:
  explicit ReadAhead(const Store& store) : store_(store) {}

  // Forgets the last write's, and asks for what these will be checked against, but for devices that are known.
  using IsKnown = std::function<bool(const std::string& device)>;
  Status Fetch(const std::vector<const Encoded*>& changesets, const IsKnown& is_known);
  // The same in steps, where the questions go with others (SharedWrites::Enter): first forgets the last write's, then says
  // what has not been asked yet, and takes the answers.
  void Begin() { read_.clear(); }
  std::vector<Store::Place> Want(const std::vector<const Encoded*>& changesets, const IsKnown& is_known);
  void Take(const std::vector<Store::Place>& places, std::vector<Store::Stored> stored);

  Result<Store::Stored> Get(Column column, const std::string& key) const;
  const Store& store() const { return store_; }

 private:
  const Store& store_;
  std::unordered_map<std::string, Store::Stored> read_;  // by column and key
};

}  // namespace registry::ledger
