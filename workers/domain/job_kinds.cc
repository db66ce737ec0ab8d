#include "workers/domain/job_kinds.h"

#include <algorithm>

#include "schemas/base/check.h"
#include "schemas/wire/codec.h"

namespace registry::domain {
namespace {

template <class Action>
std::string ByItsSubject(const Job& job) {
  Action action;
  action.job = job.id;
  action.device = job.device();
  action.attempt = job.attempt;
  action.deadline = job.due;
  return wire::Encode(action).dump();
}

constexpr std::uint8_t operator|(Superseding one, Superseding other) {
  return static_cast<std::uint8_t>(static_cast<unsigned>(one) | static_cast<unsigned>(other));
}

constexpr State kForKey[] = {State::kAttached};
constexpr State kForPayload[] = {State::kPublished, State::kActive};
// Attached: reactivated before its wipe has ended.
constexpr State kForWipe[] = {State::kDeactivated, State::kDeleted, State::kAttached};
constexpr State kForZone[] = {State::kRegistered, State::kAttached,    State::kCertified, State::kPublished,
                              State::kActive,     State::kDeactivated, State::kDeleted};

constexpr JobKindRow kRows[] = {
    {JobKind::kKeyGenerate, wire::KeyGenerate::kName, ByItsSubject<wire::KeyGenerate>, Fact::kKeyMade,
     OnFailure::kTold, OnDue::kSentAgain, Superseding::kKeyCertified | Superseding::kRetired, kForKey},
    {JobKind::kPayloadPush, wire::PayloadPush::kName, nullptr, Fact::kDelivered, OnFailure::kTold,
     OnDue::kSentAgain, static_cast<std::uint8_t>(Superseding::kRetired), kForPayload},
    // What an MNO was asked to wipe it may still wipe, so nothing makes it forgotten before it ends.
    {JobKind::kAppletWipe, wire::AppletWipe::kName, ByItsSubject<wire::AppletWipe>, Fact::kWiped,
     OnFailure::kTakenAsWiped, OnDue::kSentAgain, 0, kForWipe},
    {JobKind::kZoneVisible, "zone.visible", nullptr, std::nullopt, OnFailure::kTold, OnDue::kAlarm,
     Superseding::kZoneChanged | Superseding::kZoneShown, kForZone},
};

}  // namespace

DeviceId Job::device() const {
  const auto* device = std::get_if<DeviceId>(&subject);
  return device != nullptr ? *device : DeviceId();
}

std::span<const JobKindRow> JobKinds() { return kRows; }

const JobKindRow& RowOf(JobKind kind) {
  const auto row =
      std::find_if(std::begin(kRows), std::end(kRows), [kind](const auto& one) { return one.kind == kind; });
  REG_CHECK(row != std::end(kRows));
  return *row;
}

std::string_view JobKindName(JobKind kind) { return RowOf(kind).name; }

bool IsSupersededBy(JobKind kind, Superseding cause) {
  return (RowOf(kind).superseded_by & static_cast<std::uint8_t>(cause)) != 0;
}

bool HasUse(State state, JobKind kind) {
  const auto states = RowOf(kind).used_in;
  return std::find(states.begin(), states.end(), state) != states.end();
}

}  // namespace registry::domain
