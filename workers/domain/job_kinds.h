// workers/domain/job_kinds.h: one row per kind of job: all that differs between kinds. A new kind is a row here and, when
// its success is a new fact, what follows from that fact. Pure, any thread.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "workers/domain/device.h"
#include "workers/domain/job.h"
#include "workers/domain/lifecycle.h"

namespace registry::domain {

// What makes waiting jobs pointless. Each is said by the decision that causes it (jobs::EndSuperseded).
enum class Superseding : std::uint8_t {
  kKeyCertified = 1,  // a CSR was answered
  kZoneChanged = 2,   // the zone shall hold something else from now on
  kZoneShown = 4,     // every secondary serves what it shall
  kRetired = 8,       // the device was deactivated or deleted
};

enum class OnFailure {
  kTold,          // the device's parties hear of it
  kTakenAsWiped,  // they do, and what waited for the wipe goes on
};

enum class OnDue {
  kSentAgain,  // with backoff, until the attempts are used up
  kAlarm,      // the parties are told that it takes long, and it goes on waiting
};

struct JobKindRow {
  JobKind kind;
  std::string_view name;  // of the action to the MNO where there is one
  std::string (*encode)(
      const Job& job);             // the action's data where the subject says it all; else its maker gives it
  std::optional<Fact> on_success;  // what its addressee reports then; none: nobody reports it
  OnFailure on_failure;
  OnDue on_due;
  std::uint8_t superseded_by;  // of Superseding
  std::span<const State> used_in;
};

std::span<const JobKindRow> JobKinds();
const JobKindRow& RowOf(JobKind kind);
std::string_view JobKindName(JobKind kind);

bool IsSupersededBy(JobKind kind, Superseding cause);
// Whether a device in that state has a use for such a job.
bool HasUse(State state, JobKind kind);

}  // namespace registry::domain
