// bridge/ledger/postgres/questions.h: places whose records are asked for together: a request for each family.
// Private to this folder. Owns: what its requests point to, but for statements and places, which outlive it. Threads: one.
#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "bridge/ledger/postgres/statements.h"

namespace registry::ledger {

class Questions {
 public:
  Questions(const Statements& statements, const std::vector<Store::Place>& places);
  Questions(const Questions&) = delete;
  Questions& operator=(const Questions&) = delete;

  const std::vector<Request>& requests() const { return requests_; }
  // Of the answers to these requests, which begin at `from`: the records in the order of the places.
  std::vector<Store::Stored> Of(const std::vector<Rows>& answers, std::size_t from) const;

 private:
  const std::vector<Store::Place>& places_;
  std::map<Column, std::vector<std::string_view>> keys_;
  std::vector<std::string> arrays_;
  std::vector<Request> requests_;
};

}  // namespace registry::ledger
