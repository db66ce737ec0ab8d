#include "bridge/ledger/keyed/day_marks.h"

#include <algorithm>

#include "bridge/ledger/keyed/erase_family.h"
#include "bridge/ledger/keyed/keys.h"
#include "bridge/ledger/keyed/ordered_writes.h"
#include "bridge/ledger/record_codec.h"

namespace registry::ledger {
namespace {

Result<domain::Day> FirstKept(const Store& store) {
  const auto stored = store.Get(Column::kMeta, keys::kHead);
  if (!stored) return stored.error();
  if (!*stored) return domain::Day{0};
  const auto head = Decode<Head>(**stored);
  if (!head) return head.error();
  return head->marks.from;
}

}  // namespace

std::optional<domain::DayMark> keys::DayMarkOf(std::string_view key) {
  constexpr std::size_t kDaySize = 8;
  const auto end = key.find('\0', std::min(kDaySize, key.size()));
  if (end == std::string_view::npos) return std::nullopt;
  auto source = PartyId::Parse(key.substr(kDaySize, end - kDaySize));
  auto id = EventId::Parse(key.substr(end + 1));
  if (!source || !id) return std::nullopt;
  return domain::DayMark{Fixed64(key.substr(0, kDaySize)), std::move(*source), std::move(*id)};
}

Result<bool> HasDayMarks(const Store& store) {
  const auto rule = store.Get(Column::kMeta, keys::kDayMarks);
  if (!rule) return rule.error();
  return *rule == keys::OfSeq(kDayMarksRule);
}

Result<std::uint64_t> MakeDayMarks(Store& store) {
  const auto first_kept = FirstKept(store);
  if (!first_kept) return first_kept.error();
  std::uint64_t marks = 0;
  OrderedWrites writes;
  writes.Delete(Column::kMeta, keys::kDayMarks);
  if (auto erased = EraseFamily(store, Column::kDayMarks, writes); !erased) return erased.error();
  auto made =
      store.Scan(Column::kEvents, "", "", [&](std::string_view, std::string_view record) -> Result<bool> {
        const auto mark = Decode<domain::EventMark>(record);
        if (!mark) return mark.error();
        // Which of a day that is not kept any more came late is not known: they are all kept once more.
        const domain::Day day = std::max(domain::DayOf(mark->at), *first_kept);
        writes.Put(Column::kDayMarks, writes.Keep(keys::OfDayMark({day, mark->source, mark->id})), "");
        ++marks;
        if (writes.size() < kWritesMax) return true;
        if (auto written = store.Write(writes, false); !written) return written.error();
        return true;
      });
  if (!made) return made.error();
  writes.Put(Column::kMeta, keys::kDayMarks, writes.Keep(keys::OfSeq(kDayMarksRule)));
  if (auto written = store.Write(writes, true); !written) return written.error();
  return marks;
}

}  // namespace registry::ledger
