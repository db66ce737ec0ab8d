// workers/domain/lifecycle.h: the two tables by which a device's state changes (design §4). Whoever wants to change a state
// asks Next or After; nobody assigns a state by another road. Pure, any thread.
#pragma once

#include <string_view>

#include "schemas/base/result.h"
#include "workers/domain/device.h"

namespace registry::domain {

// Commands ask for something, and the state or a status can refuse them. ROW says what follows from each state, kNo where it
// refuses; whether the command is heard despite a hold (clientHold, sponsorHold, serverHold); and the rule that a refusal
// names. serverHold is set by the operator's deactivate and lifted by the operator's reactivate (RFC 5731 §2.3).
// (1) Re-key and renewal: a second live certificate beside the first, old TLSA withdrawn after the new one is served.
// (2) Registered when the device was never seen on the network.
// clang-format off
#define REGISTRY_LIFECYCLE_COMMANDS(ROW) \
  /*                       despite hold  registered attached certified published active deactivated deleted */ \
  ROW(kCertify,    "certify",    false,  kNo,       kCer,    kNo/*1*/, kNo/*1*/, kNo/*1*/, kNo,     kNo, \
      "a first certificate is issued to an attached device without a live certificate") \
  ROW(kClaim,      "claim",      false,  kReg,      kAtt,    kCer,     kPub,     kAct,     kNo,     kNo, \
      "a deactivated device is reactivated first") \
  ROW(kDeactivate, "deactivate", true,   kOff,      kOff,    kOff,     kOff,     kOff,     kNo,     kNo, \
      "a device is deactivated once") \
  ROW(kReactivate, "reactivate", false,  kNo,       kNo,     kNo,      kNo,      kNo,      kAtt/*2*/, kNo, \
      "only a deactivated device is reactivated") \
  ROW(kDelete,     "delete",     true,   kGone,     kGone,   kGone,    kGone,    kGone,    kGone,   kNo, \
      "a device is deleted once")

// Facts have happened. No state and no hold refuses one: it is recorded, and what follows from it is decided. Only of a
// deleted device nothing but its wipe is heard, since to its parties it does not exist any more. ROW says the state
// after the fact. (3) A re-provisioned payload.
#define REGISTRY_LIFECYCLE_FACTS(ROW) \
  /*                             registered attached certified published active deactivated deleted */ \
  ROW(kAttached,  "attached",    kAtt,      kAtt,    kCer,     kPub,     kAct,  kOff,       kGone) \
  ROW(kKeyMade,   "key made",    kReg,      kAtt,    kCer,     kPub,     kAct,  kOff,       kGone) \
  ROW(kDelivered, "delivered",   kReg,      kAtt,    kCer,     kAct, kAct/*3*/, kOff,       kGone) \
  ROW(kVisible,   "visible",     kReg,      kAtt,    kPub,     kPub,     kAct,  kOff,       kGone) \
  ROW(kWiped,     "wiped",       kReg,      kAtt,    kCer,     kPub,     kAct,  kOff,       kGone)
// clang-format on

// Of a row its first word: the enumerators are the rows, so none is without one.
#define REGISTRY_ENUMERATOR(name, ...) name,
enum class Command { REGISTRY_LIFECYCLE_COMMANDS(REGISTRY_ENUMERATOR) };
enum class Fact { REGISTRY_LIFECYCLE_FACTS(REGISTRY_ENUMERATOR) };
#undef REGISTRY_ENUMERATOR

std::string_view CommandName(Command command);
std::string_view FactName(Fact fact);

bool OnHold(const Device& device);
// 2304 "state_prohibits", naming the state, the statuses beside it, and the rule.
Result<State> Next(const Device& device, Command command);
State After(const Device& device, Fact fact);
// Whether any command or fact leads from the one to the other: what a record must obey that somebody has written.
bool Leads(State from, State to);

}  // namespace registry::domain
