// workers/domain/job.h: work that waits for somebody and survives restarts (design §4), as a plain value. The kinds of it
// and what each does are in job_kinds.h; how it is made, sent and ended is workers/jobs' business.
// A record is what the ledger stores; its bytes are defined in bridge/ledger/FORMAT.md. Plain values, any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>

#include "schemas/base/utc_time.h"
#include "schemas/ids/ids.h"

namespace registry::domain {

enum class JobKind : std::uint8_t;  // job_kinds.h

// An endpoint's name is its ASP's own, so it takes both to name one.
struct EndpointKey {
  PartyId asp;
  EndpointName name;
  auto operator<=>(const EndpointKey&) const = default;
};

using JobSubject = std::variant<DeviceId, EndpointKey, OrderId>;

struct Job {
  JobId id;
  JobSubject subject;
  JobKind kind{1};
  std::uint32_t attempt = 1;
  UtcTime created;
  UtcTime due;                // when it is retried, or failed after the last attempt
  std::uint64_t version = 0;  // kPayloadPush: payload version; kZoneVisible: zone revision
  std::string last_stage;     // from do.progress
  std::uint64_t last_progress = 0;
  std::string body;  // data member of the command to be sent again, canonical JSON; empty for kZoneVisible
  std::optional<std::string> traceparent;  // of the command that caused it, for what a timer says later
  // Who is to do it, and the only one who reports it, whoever serves the subject later. None: work nobody outside does.
  std::optional<PartyId> to;
  bool unsent = false;  // waits until its addressee has room for it; `due` is then its place in the queue
  UtcTime sent;         // for the first time; 0 in a record from before it was kept: when it was created
  UtcTime told;         // the deadline its addressee was told last; 0: never sent
  // False: it is no longer needed, only waited for, since its addressee may still do it. It is not sent again, and nothing
  // puts its end off beyond `told`.
  bool wanted = true;
  std::optional<OrderId> order;  // that it is an item's work of
  std::uint32_t profile = 0;     // whose applet or subscription it is about; 0: the one that served then

  DeviceId device() const;  // its subject; the nil UUID (RFC 9562 §5.9) of work about something else
};

// What one MNO has to do: jobs sent and not finished, and jobs that wait for room.
struct JobLoad {
  std::size_t open = 0;
  std::size_t unsent = 0;
  bool operator==(const JobLoad&) const = default;
};

}  // namespace registry::domain
