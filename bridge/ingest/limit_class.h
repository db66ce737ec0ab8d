// bridge/ingest/limit_class.h: what a command counts as where a party's pace is limited (limits.h). Plain values.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace registry::ingest {

// kReport, the last, is not limited and has no bucket.
enum class LimitClass : std::uint8_t { kWrite, kRead, kBulk, kAuthorise, kReport };
inline constexpr std::size_t kLimitClasses = 4;

// As quota.told, errors, metrics and the configuration say it.
constexpr std::string_view LimitName(LimitClass which) {
  constexpr std::string_view kNames[] = {"write", "read", "bulk", "authorise", "report"};
  return kNames[static_cast<std::size_t>(which)];
}

}  // namespace registry::ingest
