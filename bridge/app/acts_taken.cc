#include "bridge/app/acts_taken.h"

#include <charconv>
#include <nlohmann/json.hpp>

#include "bridge/ledger/history_end.h"
#include "workers/domain/compose.h"

namespace registry::app {
namespace {

using ledger::HistoryRecord;
using ledger::Seq;

constexpr std::string_view kActWord = "party act ";
constexpr const char* kTakenName = "party-acts.json";
constexpr std::size_t kEntriesAtOnce = 500;
constexpr Seq kLookedThrough = 100'000;  // entries of others that were committed beside ours

// Which line an entry is of; 0: of none.
std::uint64_t LineOf(const HistoryRecord& record) {
  const std::string& what = record.entry.what;
  if (record.entry.actor != domain::RegistryParty() || !what.starts_with(kActWord)) return 0;
  std::uint64_t number = 0;
  std::from_chars(what.data() + kActWord.size(), what.data() + what.size(), number);
  return number;
}

// 0: it is not among those that are looked through.
Result<Seq> EntryOf(const ledger::LedgerReader& ledger, std::uint64_t line, Seq after) {
  const Seq end = after + kLookedThrough;
  while (after < end) {
    const auto page = ledger.HistoryAfter(after, kEntriesAtOnce);
    if (!page) return page.error();
    if (page->empty()) return Seq{0};
    for (const HistoryRecord& record : *page) {
      if (LineOf(record) == line) return record.seq;
    }
    after = page->back().seq;
  }
  return Seq{0};
}

}  // namespace

std::string ActName(std::uint64_t line) { return std::string(kActWord) + std::to_string(line); }

Result<std::uint64_t> ActsTaken::Lines() {
  if (known_) return lines_;
  if (!Recall()) {
    if (auto read = ReadHistory(); !read) return read.error();
  }
  known_ = true;
  return lines_;
}

bool ActsTaken::Recall() {
  const auto text = kept_.Read(kTakenName);
  if (!text || !*text) return false;
  const auto kept = nlohmann::json::parse(**text, nullptr, false);
  if (!kept.is_object() || kept.value("committing", nlohmann::json()) != false) return false;
  for (const char* name : {"lines", "entry"}) {
    if (!kept.contains(name) || !kept[name].is_number_unsigned()) return false;
  }
  const std::uint64_t lines = kept["lines"];
  const Seq entry = kept["entry"];
  if (entry == 0) return false;
  const auto found = ledger_.HistoryAfter(entry - 1, 1);
  if (!found || found->empty() || found->front().seq != entry || LineOf(found->front()) != lines)
    return false;
  lines_ = lines;
  entry_ = entry;
  return true;
}

// What was committed is never taken again, whatever became of what was kept.
Status ActsTaken::ReadHistory() {
  const auto history = ledger_.HistoryOf(DeviceId());
  if (!history) return history.error();
  for (const HistoryRecord& record : *history) {
    const std::uint64_t line = LineOf(record);
    if (line <= lines_) continue;
    lines_ = line;
    entry_ = record.seq;
  }
  if (lines_ == 0) {  // none: looked through as far as it goes now
    const auto last = ledger::HistoryEnd(ledger_);
    if (!last) return last.error();
    entry_ = *last;
  }
  // Without it the next start reads the history again, and that is all.
  if (entry_ != 0) (void)Keep(false);
  return Done{};
}

Status ActsTaken::Begin() {
  const auto last = ledger::HistoryEnd(ledger_, entry_);
  if (!last) return last.error();
  before_ = *last;
  return Keep(true);
}

Status ActsTaken::End(std::uint64_t lines) {
  lines_ = lines;
  const auto entry = EntryOf(ledger_, lines, before_);
  if (!entry) return entry.error();
  if (*entry == 0) return Done{};
  entry_ = *entry;
  return Keep(false);
}

Status ActsTaken::Keep(bool committing) const {
  const nlohmann::json kept{{"lines", lines_}, {"entry", entry_}, {"committing", committing}};
  return kept_.Write(kTakenName, kept.dump() + "\n");
}

}  // namespace registry::app
