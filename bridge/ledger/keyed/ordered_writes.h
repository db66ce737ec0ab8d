// bridge/ledger/keyed/ordered_writes.h: what one write puts and deletes, given to the store in the order of families
// and keys: RocksDB's tables in memory are sorted lists, where the place of a key beside the last one is found at once and
// any other is searched from the top. It saves a fifth of a write.
// What is said of one key keeps its order, and nothing moves past the deletion of a range.
// Private to bridge/ledger. Owns: the octets given to Keep; all others outlive Clear. Threads: none of its own.
#pragma once

#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "bridge/ledger/keyed/store.h"

namespace registry::ledger {

class OrderedWrites {
 public:
  enum class Act : std::uint8_t { kPut, kDelete, kDeleteRange };
  struct Write {
    Act act;
    Column column;
    std::string_view key, value;  // or from, to
  };

  std::string_view Keep(std::string octets) { return kept_.emplace_back(std::move(octets)); }
  void Put(Column column, std::string_view key, std::string_view value) {
    writes_.push_back({Act::kPut, column, key, value});
  }
  void Delete(Column column, std::string_view key) { writes_.push_back({Act::kDelete, column, key, {}}); }
  void DeleteRange(Column column, std::string_view from, std::string_view to) {
    writes_.push_back({Act::kDeleteRange, column, from, to});
  }
  bool empty() const { return writes_.empty(); }
  std::size_t size() const { return writes_.size(); }
  // Brings them into that order.
  const std::vector<Write>& InOrder();
  void Clear();

 private:
  std::deque<std::string> kept_;  // stay where they are
  std::vector<Write> writes_;
};

}  // namespace registry::ledger
