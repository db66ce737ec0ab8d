#include "bridge/ledger/postgres/transaction.h"

namespace registry::ledger {

Transaction::Transaction(const Statements& statements, OrderedWrites& writes, const Place& place, bool sync,
                         Kind kind)
    : statements_(statements), kind_(kind) {
  Add(Statements::kBegin, {});
  if (!sync) Add(Statements::kNoSync, {});
  Add(statements.step, {Int8(place.epoch), Int8(place.number), Int8(place.acked)});
  AddFamilies(writes.InOrder());
  Add(Statements::kCommit, {});
}

Transaction::Transaction(const Statements& statements, OrderedWrites& writes)
    : statements_(statements), kind_(Kind::kUsual) {
  AddFamilies(writes.InOrder());
}

void Transaction::AddFamilies(const std::vector<Write>& all) {
  for (std::size_t from = 0; from < all.size();) {
    const Write& first = all[from];
    if (first.act == OrderedWrites::Act::kDeleteRange) {
      Add(statements_.Of(first.column).erase_range, {std::string(first.key), std::string(first.value)});
      ++from;
      continue;
    }
    std::size_t to = from;
    while (to < all.size() && all[to].column == first.column &&
           all[to].act != OrderedWrites::Act::kDeleteRange)
      ++to;
    AddFamily(all, from, to);
    from = to;
  }
}

void Transaction::Add(const Statement& statement, std::vector<std::string> params) {
  Request request{&statement, {}};
  for (std::string& param : params) request.params.emplace_back(params_.emplace_back(std::move(param)));
  requests_.push_back(std::move(request));
}

void Transaction::AddFamily(const std::vector<Write>& writes, std::size_t from, std::size_t to) {
  std::vector<std::string_view> keys, records, erased;
  for (std::size_t i = from; i < to; ++i) {
    const Write& write = writes[i];
    if (i + 1 < to && writes[i + 1].key == write.key) continue;
    if (write.act == OrderedWrites::Act::kDelete) {
      erased.push_back(write.key);
    } else {
      keys.push_back(write.key);
      records.push_back(write.value);
    }
  }
  const Column column = writes[from].column;
  const auto& of = statements_.Of(column);
  const bool appends = kind_ == Kind::kLoading && column != Column::kMeta;
  if (!erased.empty()) Add(of.erase, {ArrayOf(erased)});
  if (!keys.empty()) Add(appends ? of.append : of.put, {ArrayOf(keys), ArrayOf(records)});
}

}  // namespace registry::ledger
