// schemas/base/utc_time.h: a point in UTC, microseconds since 1970-01-01T00:00:00Z.
// Text form is RFC 3339 with a 'Z' and exactly six fractional digits when printed; zero to nine are read, and
// digits past the sixth are dropped. Offsets other than 'Z' are refused. Range: years 1970 to 9999.
// A leap second (RFC 3339 §5.7), 23:59:60 on the last day of a month, is the last microsecond of 23:59:59: of the right
// day, and after nothing that is later. It is printed as that.
#pragma once

#include <chrono>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace registry {

struct UtcTime {
  std::int64_t micros = 0;

  auto operator<=>(const UtcTime&) const = default;
  UtcTime operator+(std::chrono::microseconds d) const { return {micros + d.count()}; }
  UtcTime operator-(std::chrono::microseconds d) const { return {micros - d.count()}; }
  std::chrono::microseconds operator-(UtcTime other) const {
    return std::chrono::microseconds(micros - other.micros);
  }
  std::int64_t seconds() const { return micros / 1'000'000; }
};

std::string ToRfc3339(UtcTime time);
std::optional<UtcTime> FromRfc3339(std::string_view text);

}  // namespace registry
