#include "bridge/ledger/postgres/loading.h"

#include <array>

#include "bridge/ledger/keyed/store.h"
#include "bridge/ledger/postgres/schema.h"
#include "bridge/ledger/postgres/statements.h"

namespace registry::ledger {
namespace {

// Sorting a hundred million keys takes minutes. A server that is gone is noticed much sooner (connection.cc, Settings).
constexpr std::chrono::hours kIndexedWithin{2};

constexpr std::array kFollows = {Column::kHistoryByDevice, Column::kPlaces, Column::kDayMarks};

std::string TableOf(const PostgresOptions& options, Column column) {
  return Quoted(options.schema) + "." + Quoted(NameOf(column));
}

}  // namespace

// The name of the index is the one that PostgreSQL gives the key of a table.
Status BeginLoading(const PostgresOptions& options) {
  std::vector<std::string> all;
  for (const Column column : kFollows) {
    all.push_back("ALTER TABLE " + TableOf(options, column) + " DROP CONSTRAINT IF EXISTS " +
                  Quoted(std::string(NameOf(column)) + "_pkey"));
  }
  // History and what is found by it are in by the same transactions: what is there stays.
  for (const Column column : {Column::kPlaces, Column::kDayMarks})
    all.push_back("TRUNCATE " + TableOf(options, column));
  return Apply(options, std::move(all), options.answer_within);
}

Status EndLoading(const PostgresOptions& options) {
  std::vector<std::string> all;
  for (const Column column : kFollows)
    all.push_back("ALTER TABLE " + TableOf(options, column) + " ADD PRIMARY KEY (key)");
  return Apply(options, std::move(all), kIndexedWithin);
}

}  // namespace registry::ledger
