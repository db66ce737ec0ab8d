// bridge/zone/refusals_said.h: what is refused of peers, as warnings: each kind at most once in kRefusalSayEvery, the next
// line with how many were not said. Whoever sends requests must not fill the log, and must not hide by one kind what
// another one's refusals say.
// Limits: a kind is a line of memory for ever, so nothing that a peer chose may stand in its name. Threads: one.
#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <string>

#include "bridge/clock.h"
#include "bridge/log_line.h"

namespace registry::zone {

inline constexpr std::chrono::seconds kRefusalSayEvery{60};

class RefusalsSaid {
 public:
  explicit RefusalsSaid(LogLine log) : log_(std::move(log)) {}

  // "zone: request refused: BADKEY, key …, from …": `detail` begins with its own comma, or is empty.
  void Say(const std::string& kind, const std::string& detail, const std::string& peer, UtcTime now) {
    Said& said = said_[kind];
    if (said.at && now - *said.at < kRefusalSayEvery && now >= *said.at) {
      ++said.unsaid;
      return;
    }
    std::string line = "zone: request refused: " + kind + detail + ", from " + peer;
    if (said.unsaid > 0) line += " (and " + std::to_string(said.unsaid) + " more since the last such line)";
    said = {now, 0};
    log_.Warning(line);
  }

 private:
  struct Said {
    std::optional<UtcTime> at;  // the last line about this kind
    std::uint64_t unsaid = 0;   // refusals of it since then
  };
  const LogLine log_;
  std::map<std::string, Said> said_;
};

}  // namespace registry::zone
