#include "bridge/app/anchors_given.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "bridge/app/trust_anchors.h"
#include "bridge/ledger/history_end.h"
#include "bridge/ledger/sound.h"
#include "workers/domain/compose.h"

namespace registry::app {
namespace {

constexpr std::string_view kGiven = "trust anchors given to devices: ";
constexpr std::string_view kBetween = ", ";
constexpr const char* kGivensName = "anchors-given.json";

std::set<std::string> LabelsIn(std::string_view text) {
  std::set<std::string> labels;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(kBetween), text.size());
    labels.emplace(text.substr(0, end));
    text.remove_prefix(std::min(end + kBetween.size(), text.size()));
  }
  return labels;
}

std::string Sentence(const std::set<std::string>& labels) {
  std::string what(kGiven);
  for (const std::string& label : labels) {
    if (what.size() > kGiven.size()) what += kBetween;
    what += label;
  }
  return what;
}

bool IsGiven(const ledger::HistoryRecord& record) {
  return record.entry.actor == domain::RegistryParty() && record.entry.what.starts_with(kGiven);
}

// Without it the next start reads the history, and that is all.
void Keep(ledger::KeptState& kept, const ledger::HistoryRecord& record) {
  const nlohmann::json given{{"entry", record.seq}, {"what", record.entry.what}};
  (void)kept.Write(kGivensName, given.dump() + "\n");
}

// The entry that is kept, if the ledger has it; else empty.
std::string Recalled(const ledger::KeptState& state, const ledger::LedgerReader& ledger) {
  const auto text = state.Read(kGivensName);
  if (!text || !*text) return "";
  const auto kept = nlohmann::json::parse(**text, nullptr, false);
  if (!kept.is_object() || !kept.contains("what") || !kept["what"].is_string()) return "";
  if (!kept.contains("entry") || !kept["entry"].is_number_unsigned() || kept["entry"] == 0u) return "";
  const ledger::Seq entry = kept["entry"];
  const auto found = ledger.HistoryAfter(entry - 1, 1);
  if (!found || found->empty() || found->front().seq != entry || !IsGiven(found->front())) return "";
  return found->front().entry.what == kept["what"] ? found->front().entry.what : "";
}

}  // namespace

Result<std::vector<AnchorsGiven>> ReadAnchorsGiven(const ledger::LedgerReader& ledger) {
  const auto history = ledger.HistoryOf(DeviceId());
  if (!history) return history.error();
  std::vector<AnchorsGiven> given;
  for (const auto& record : *history) {
    if (!IsGiven(record)) continue;
    const std::string_view what = record.entry.what;
    given.push_back({record.entry.at, LabelsIn(what.substr(kGiven.size()))});
  }
  return given;
}

std::set<std::string> LabelsOf(const std::vector<std::string>& anchors) {
  std::set<std::string> labels;
  for (const std::string& text : anchors) {
    if (const auto anchor = ParseTrustAnchor(text)) labels.insert(LabelOf(*anchor));
  }
  return labels;
}

Status SayAnchorsGiven(const std::vector<std::string>& anchors, ledger::KeptState& kept,
                       ledger::Ledger& ledger, const Clock& clock) {
  const std::string what = Sentence(LabelsOf(anchors));
  if (Recalled(kept, ledger) == what) return Done{};
  const auto history = ledger.HistoryOf(DeviceId());
  if (!history) return history.error();
  const auto last = std::find_if(history->rbegin(), history->rend(), IsGiven);
  if (last != history->rend() && last->entry.what == what) {
    Keep(kept, *last);
    return Done{};
  }
  const auto before = ledger::HistoryEnd(ledger);
  if (!before) return before.error();
  // It would name an entry that is not the last any more.
  if (auto forgotten = kept.Write(kGivensName, ""); !forgotten) return forgotten;
  domain::Changeset changes;
  changes.history.push_back(domain::History(domain::RegistryParty(), what, clock.Now()));
  if (auto said = ledger::CommitSound(ledger, std::move(changes)); !said) return said;
  const auto after = ledger.HistoryAfter(*before, 1);
  if (after && !after->empty() && after->front().entry.what == what) Keep(kept, after->front());
  return Done{};
}

}  // namespace registry::app
