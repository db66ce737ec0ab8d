#include "bridge/ledger/postgres/questions.h"

namespace registry::ledger {

Questions::Questions(const Statements& statements, const std::vector<Store::Place>& places)
    : places_(places) {
  for (const auto& [column, key] : places) keys_[column].push_back(key);
  arrays_.reserve(keys_.size());
  for (const auto& [column, wanted] : keys_) {
    arrays_.push_back(ArrayOf(wanted));
    requests_.push_back({&statements.Of(column).get_all, {arrays_.back()}});
  }
}

std::vector<Store::Stored> Questions::Of(const std::vector<Rows>& answers, std::size_t from) const {
  std::map<std::pair<Column, std::string_view>, std::string_view> found;
  for (const auto& [column, wanted] : keys_) {
    const Rows& answer = answers[from++];
    for (std::size_t i = 0; i < answer.size(); ++i)
      found[std::pair(column, answer.At(i, 0))] = answer.At(i, 1);
  }
  std::vector<Store::Stored> all(places_.size());
  for (std::size_t i = 0; i < places_.size(); ++i) {
    const auto stored = found.find(std::pair(places_[i].first, std::string_view(places_[i].second)));
    if (stored != found.end()) all[i] = std::string(stored->second);
  }
  return all;
}

}  // namespace registry::ledger
