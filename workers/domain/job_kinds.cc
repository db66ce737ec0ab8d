#include "workers/domain/job_kinds.h"

#include <algorithm>

#include "schemas/base/check.h"

namespace registry::domain {

DeviceId Job::device() const {
  const auto* device = std::get_if<DeviceId>(&subject);
  return device != nullptr ? *device : DeviceId();
}

const JobKindRow& RowOf(JobKind kind) {
  const auto row = std::find_if(std::begin(kJobKinds), std::end(kJobKinds),
                                [kind](const auto& one) { return one.kind == kind; });
  REG_CHECK(row != std::end(kJobKinds));
  return *row;
}

std::string_view JobKindName(JobKind kind) { return RowOf(kind).name; }

bool IsSupersededBy(JobKind kind, Superseding cause) { return RowOf(kind).superseded_by.Has(cause); }

bool NeedsDevice(JobKind kind) {
  return kind == JobKind::kKeyGenerate || kind == JobKind::kPayloadPush || kind == JobKind::kAppletWipe;
}

bool IsOfProfile(JobKind kind) {
  return kind == JobKind::kProfileEnable || kind == JobKind::kProfileDisable ||
         kind == JobKind::kProfileDelete;
}

bool ReachesEsim(JobKind kind) { return kind == JobKind::kAppletWipe || IsOfProfile(kind); }

bool HasUse(State state, JobKind kind) { return RowOf(kind).used_in.Has(state); }

}  // namespace registry::domain
