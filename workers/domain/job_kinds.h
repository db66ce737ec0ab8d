// workers/domain/job_kinds.h: the kinds of jobs, and one row per kind: all that differs between them. A new kind is a number
// and a row here and, when its success is a new fact, what follows from that fact. Pure, any thread.
#pragma once

#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>

#include "schemas/wire/codec.h"
#include "workers/domain/device.h"
#include "workers/domain/job.h"
#include "workers/domain/lifecycle.h"

namespace registry::domain {

// Stored: DO NOT CHANGE THESE NUMBERS.
enum class JobKind : std::uint8_t {
  kKeyGenerate = 1,
  kPayloadPush = 2,
  kAppletWipe = 3,
  kZoneVisible = 4,
  kProfileEnable = 5,
  kProfileDisable = 6,
  kProfileDelete = 7,
  kCredentialStep = 8,
  kTransferDecide = 9,
};

// What makes waiting jobs pointless. Each is said by the decision that causes it (jobs::EndSuperseded).
enum class Superseding {
  kKeyCertified,     // a CSR was answered
  kZoneChanged,      // the zone shall hold something else from now on
  kZoneShown,        // every secondary serves what it shall
  kRetired,          // the device was deactivated or deleted
  kHeld,             // it was suspended
  kPayloadReplaced,  // another payload is made
  kDisconnected,     // its profile is to be disabled
  kReconnected,      // its profile is to be enabled
  kKeyLost,          // its key is another's too: what was asked of it is not trusted any more
  kTransferDecided,  // a pending transfer was decided, or called off
};

enum class OnFailure {
  kTold,          // the device's parties hear of it
  kTakenAsWiped,  // they do, and what waited for the wipe goes on
};

enum class OnDue {
  kSentAgain,  // with backoff, until the attempts are used up
  kAlarm,      // the parties are told that it takes long, and it goes on waiting
  kCarriesOn,  // the registry itself looks what can go on
  kDecided,    // the registry decides by its policy what nobody else has decided
};

// An action's data where the job's subject says it all.
template <class Action>
std::string BySubject(const Job& job) {
  Action action;
  action.job = job.id;
  action.device = job.device();
  action.attempt = job.attempt;
  action.deadline = job.due;
  action.profile = job.profile;
  return wire::Encode(action).dump();
}

template <class Value>
class SetOf {
 public:
  constexpr SetOf(std::initializer_list<Value> values) {
    for (const Value value : values) bits_ |= Bit(value);
  }
  constexpr bool Has(Value value) const { return (bits_ & Bit(value)) != 0; }
  constexpr bool empty() const { return bits_ == 0; }

 private:
  static constexpr unsigned Bit(Value value) { return 1u << static_cast<unsigned>(value); }
  unsigned bits_ = 0;
};

struct JobKindRow {
  JobKind kind;
  std::string_view name;                  // of the action to the MNO where there is one
  std::string (*encode)(const Job& job);  // the action's data; nullptr: its maker gives it
  std::optional<Fact> on_success;         // what its addressee reports then; none: nobody reports it
  OnFailure on_failure;
  OnDue on_due;
  SetOf<Superseding> superseded_by;
  SetOf<State> used_in;  // states in which a device has a use for it
};

inline constexpr SetOf<State> kAnyState{State::kRegistered, State::kAttached, State::kCertified,
                                        State::kPublished,  State::kActive,   State::kDeactivated,
                                        State::kDeleted};

inline constexpr JobKindRow kJobKinds[] = {
    {JobKind::kKeyGenerate,
     wire::KeyGenerate::kName,
     BySubject<wire::KeyGenerate>,
     Fact::kKeyMade,
     OnFailure::kTold,
     OnDue::kSentAgain,
     {Superseding::kKeyCertified, Superseding::kRetired, Superseding::kHeld, Superseding::kKeyLost},
     // Of a device that has a certificate: for the next one.
     {State::kAttached, State::kCertified, State::kPublished, State::kActive}},
    {JobKind::kPayloadPush,
     wire::PayloadPush::kName,
     nullptr,
     Fact::kDelivered,
     OnFailure::kTold,
     OnDue::kSentAgain,
     {Superseding::kRetired, Superseding::kHeld, Superseding::kPayloadReplaced, Superseding::kKeyLost},
     {State::kPublished, State::kActive}},
    // What an MNO was asked to wipe it may still wipe, so nothing makes it forgotten before it ends.
    {JobKind::kAppletWipe,
     wire::AppletWipe::kName,
     BySubject<wire::AppletWipe>,
     Fact::kWiped,
     OnFailure::kTakenAsWiped,
     OnDue::kSentAgain,
     {},
     // Attached: reactivated before its wipe has ended.
     {State::kDeactivated, State::kDeleted, State::kAttached}},
    {JobKind::kProfileEnable,
     wire::ProfileEnable::kName,
     BySubject<wire::ProfileEnable>,
     Fact::kProfileEnabled,
     OnFailure::kTold,
     OnDue::kSentAgain,
     // Reconnected: whoever was asked before may have done it before it was disabled.
     {Superseding::kDisconnected, Superseding::kReconnected},
     kAnyState},
    {JobKind::kProfileDisable,
     wire::ProfileDisable::kName,
     BySubject<wire::ProfileDisable>,
     Fact::kProfileDisabled,
     OnFailure::kTold,
     OnDue::kSentAgain,
     {Superseding::kReconnected},
     kAnyState},
    {JobKind::kProfileDelete,
     wire::ProfileDelete::kName,
     BySubject<wire::ProfileDelete>,
     Fact::kProfileDeleted,
     OnFailure::kTold,
     OnDue::kSentAgain,
     {},
     kAnyState},
    // A time that a change of certificates waits for (workers/lifecycle/renewal.h).
    {JobKind::kCredentialStep,
     "credential.step",
     nullptr,
     std::nullopt,
     OnFailure::kTold,
     OnDue::kCarriesOn,
     {Superseding::kRetired, Superseding::kKeyLost},
     {State::kCertified, State::kPublished, State::kActive}},
    {JobKind::kZoneVisible,
     "zone.visible",
     nullptr,
     std::nullopt,
     OnFailure::kTold,
     OnDue::kAlarm,
     {Superseding::kZoneChanged, Superseding::kZoneShown},
     kAnyState},
    {JobKind::kTransferDecide,
     "transfer.decide",
     nullptr,
     std::nullopt,
     OnFailure::kTold,
     OnDue::kDecided,
     {Superseding::kTransferDecided, Superseding::kRetired},
     {State::kPublished, State::kActive}},
};

const JobKindRow& RowOf(JobKind kind);
std::string_view JobKindName(JobKind kind);

bool IsSupersededBy(JobKind kind, Superseding cause);
// Whether it is done on the device itself, over the air: while that is off the network it waits, and uses no attempts up.
// What is done to a profile needs no device that is on the network.
bool NeedsDevice(JobKind kind);
// Whether it is done to a profile by that profile's own MNO: enable, disable, delete.
bool IsOfProfile(JobKind kind);
// Whether it names the eSIM, so that whatever is registered there next would be struck by it.
bool ReachesEsim(JobKind kind);
// Whether a device in that state has a use for such a job.
bool HasUse(State state, JobKind kind);

}  // namespace registry::domain
