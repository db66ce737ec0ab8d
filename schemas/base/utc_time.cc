#include "schemas/base/utc_time.h"

#include <cstdio>

namespace registry {
namespace {

bool ReadDigits(std::string_view text, std::size_t from, std::size_t count, int* value) {
  if (from + count > text.size()) return false;
  *value = 0;
  for (std::size_t i = from; i < from + count; ++i) {
    if (text[i] < '0' || text[i] > '9') return false;
    *value = *value * 10 + (text[i] - '0');
  }
  return true;
}

// RFC 3339 §5.6 time-secfrac: "." 1*DIGIT, then the mandatory "Z".
std::optional<std::int64_t> ReadFraction(std::string_view rest) {
  if (rest == "Z" || rest == "z") return 0;
  if (rest.size() < 3 || rest.size() > 11 || rest.front() != '.') return std::nullopt;
  if (rest.back() != 'Z' && rest.back() != 'z') return std::nullopt;
  std::int64_t micros = 0;
  std::int64_t weight = 100'000;
  for (char c : rest.substr(1, rest.size() - 2)) {
    if (c < '0' || c > '9') return std::nullopt;
    micros += (c - '0') * weight;
    weight /= 10;
  }
  return micros;
}

// RFC 3339 §5.7 and appendix D: one is added at the end of a month. Which months had one is not known here.
bool MayBeLeapSecond(const std::chrono::year_month_day& date, int hour, int minute) {
  return hour == 23 && minute == 59 && date == date.year() / date.month() / std::chrono::last;
}

}  // namespace

std::string ToRfc3339(UtcTime time) {
  using namespace std::chrono;
  const sys_time<microseconds> point{microseconds(time.micros)};
  const auto day = floor<days>(point);
  const year_month_day date{day};
  const hh_mm_ss clock{point - day};
  char text[64];
  std::snprintf(text, sizeof text, "%04d-%02u-%02uT%02d:%02d:%02d.%06dZ", static_cast<int>(date.year()),
                static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                static_cast<int>(clock.hours().count()), static_cast<int>(clock.minutes().count()),
                static_cast<int>(clock.seconds().count()), static_cast<int>(clock.subseconds().count()));
  return text;
}

std::optional<UtcTime> FromRfc3339(std::string_view text) {
  using namespace std::chrono;
  int y, mo, d, h, mi, s;
  const bool shape = text.size() >= 20 && text[4] == '-' && text[7] == '-' &&
                     (text[10] == 'T' || text[10] == 't') && text[13] == ':' && text[16] == ':';
  if (!shape || !ReadDigits(text, 0, 4, &y) || !ReadDigits(text, 5, 2, &mo) || !ReadDigits(text, 8, 2, &d) ||
      !ReadDigits(text, 11, 2, &h) || !ReadDigits(text, 14, 2, &mi) || !ReadDigits(text, 17, 2, &s)) {
    return std::nullopt;
  }
  const year_month_day date{year(y), month(static_cast<unsigned>(mo)), day(static_cast<unsigned>(d))};
  if (!date.ok() || y < 1970 || h > 23 || mi > 59 || s > 60) return std::nullopt;
  auto fraction = ReadFraction(text.substr(19));
  if (!fraction) return std::nullopt;
  if (s == 60) {
    if (!MayBeLeapSecond(date, h, mi)) return std::nullopt;
    s = 59;
    fraction = 999'999;
  }
  const sys_time<microseconds> point = sys_days(date) + hours(h) + minutes(mi) + seconds(s);
  return UtcTime{point.time_since_epoch().count() + *fraction};
}

}  // namespace registry
