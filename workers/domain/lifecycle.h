// workers/domain/lifecycle.h: the two tables by which a device's state changes (design §4). Whoever wants to change a state
// asks Next or After; nobody assigns a state by another road. Pure, any thread.
#pragma once

#include <string_view>

#include "schemas/base/result.h"
#include "workers/domain/device.h"

namespace registry::domain {

// Commands ask for something, and the state or a status can refuse them. ROW says what follows from each state, kNo where it
// refuses; what each status does, whether it bars the command (kBar), is one of those that must be there (kOne), or does not
// matter (kAny); and the rule that a refusal names. What differs with who asks has a row for each: EPP's client is the ASP
// here, its server the operator (RFC 5731 §2.3).
// (1) Of a device that has a live certificate, the next one is "renew".
// (2) Registered when the device was never seen on the network.
// (5) Refused when it was never seen: there is nothing to switch off.
// (6) Its applet.wipe is asked for again; refused when it was never seen: there is nothing to wipe.
// A pending transfer lets nothing go on but suspend, the operator's deactivate, and what decides it (RFC 5730 §2.9.3.4).
// clang-format off
#define REGISTRY_LIFECYCLE_COMMANDS(ROW) \
  /*                     registered attached certified published active deactivated deleted */ \
  /*                     pendingTransfer clientHold sponsorHold serverHold transferProhibited disconnected expired */ \
  ROW(kCertify, "certify", (kNo, kCer, kNo/*1*/, kNo/*1*/, kNo/*1*/, kNo, kNo), \
      (kBar, kBar, kBar, kBar, kAny, kAny, kAny), \
      "a first certificate is issued to an attached device without a live certificate") \
  ROW(kRenew, "renew", (kNo, kNo, kCer, kPub, kAct, kNo, kNo), \
      (kAny, kBar, kBar, kBar, kAny, kAny, kAny), \
      "the next certificate is issued beside a live one") \
  ROW(kRekey, "rekey", (kNo, kNo, kNo, kPub, kAct, kNo, kNo), \
      (kBar, kBar, kBar, kBar, kAny, kAny, kAny), \
      "a device is given another key once DNS shows its certificate") \
  ROW(kRevokeKey, "rekey after keyCompromise", (kNo, kNo, kAtt, kAtt, kAtt, kNo, kNo), \
      (kBar, kAny, kAny, kAny, kAny, kAny, kAny), \
      "only a key that was certified can be revoked") \
  ROW(kClaim, "claim", (kReg, kAtt, kCer, kPub, kAct, kNo, kNo), \
      (kBar, kBar, kBar, kBar, kAny, kAny, kAny), \
      "a deactivated device is reactivated first") \
  ROW(kRelease, "release", (kReg, kAtt, kCer, kPub, kPub, kOff, kNo), \
      (kBar, kBar, kBar, kBar, kAny, kAny, kAny), \
      "a deleted device belongs to nobody") \
  ROW(kMove, "move", (kReg, kAtt, kCer, kPub, kAct, kOff, kNo), \
      (kBar, kBar, kBar, kBar, kAny, kAny, kAny), \
      "a deleted device connects to nothing") \
  ROW(kSuspend, "suspend", (kReg, kAtt, kCer, kPub, kAct, kNo, kNo), \
      (kAny, kBar, kAny, kAny, kAny, kAny, kAny), \
      "a deactivated device is trusted no more than a held one") \
  ROW(kSponsorSuspend, "suspend by the MNO", (kReg, kAtt, kCer, kPub, kAct, kNo, kNo), \
      (kAny, kAny, kBar, kAny, kAny, kAny, kAny), \
      "a deactivated device is trusted no more than a held one") \
  ROW(kServerSuspend, "suspend by the operator", (kReg, kAtt, kCer, kPub, kAct, kNo, kNo), \
      (kAny, kAny, kAny, kBar, kAny, kAny, kAny), \
      "a deactivated device is trusted no more than a held one") \
  ROW(kResume, "resume", (kReg, kAtt, kCer, kPub, kAct, kOff, kNo), \
      (kBar, kOne, kAny, kAny, kAny, kAny, kAny), \
      "the ASP lifts the clientHold it has set") \
  ROW(kSponsorResume, "resume by the MNO", (kReg, kAtt, kCer, kPub, kAct, kOff, kNo), \
      (kBar, kAny, kOne, kAny, kAny, kAny, kAny), \
      "the MNO lifts the sponsorHold it has set") \
  ROW(kServerResume, "resume by the operator", (kReg, kAtt, kCer, kPub, kAct, kOff, kNo), \
      (kBar, kOne, kOne, kOne, kAny, kAny, kAny), \
      "the operator lifts whatever hold there is") \
  ROW(kDisconnect, "disconnect", (kNo, kAtt, kCer, kPub, kAct, kOff/*5*/, kNo), \
      (kBar, kAny, kAny, kAny, kAny, kBar, kAny), \
      "a device that was seen on the network is disconnected") \
  ROW(kReconnect, "reconnect", (kNo, kAtt, kCer, kPub, kAct, kOff, kNo), \
      (kBar, kAny, kAny, kBar, kAny, kOne, kAny), \
      "a disconnected device is reconnected") \
  ROW(kServerReconnect, "reconnect by the operator", (kNo, kAtt, kCer, kPub, kAct, kOff, kNo), \
      (kBar, kAny, kAny, kAny, kAny, kOne, kAny), \
      "a disconnected device is reconnected") \
  ROW(kDeactivate, "deactivate", (kOff, kOff, kOff, kOff, kOff, kNo, kNo), \
      (kBar, kAny, kAny, kAny, kAny, kAny, kAny), \
      "a device is deactivated once") \
  ROW(kServerDeactivate, "deactivate by the operator", (kOff, kOff, kOff, kOff, kOff, kOff/*6*/, kNo), \
      (kAny, kAny, kAny, kAny, kAny, kAny, kAny), \
      "a device that was never seen has nothing to wipe") \
  ROW(kReactivate, "reactivate", (kNo, kNo, kNo, kNo, kNo, kAtt/*2*/, kNo), \
      (kBar, kBar, kBar, kBar, kAny, kAny, kAny), \
      "only a deactivated device is reactivated") \
  ROW(kServerReactivate, "reactivate by the operator", (kNo, kNo, kNo, kNo, kNo, kAtt/*2*/, kNo), \
      (kBar, kBar, kBar, kAny, kAny, kAny, kAny), \
      "only a deactivated device is reactivated") \
  ROW(kDelete, "delete", (kGone, kGone, kGone, kGone, kGone, kGone, kNo), \
      (kBar, kAny, kAny, kAny, kAny, kAny, kAny), \
      "a device is deleted once") \
  ROW(kRestore, "restore", (kNo, kNo, kNo, kNo, kNo, kNo, kOff), \
      (kBar, kAny, kAny, kBar, kAny, kAny, kAny), \
      "only a deleted device is restored") \
  ROW(kServerRestore, "restore by the operator", (kNo, kNo, kNo, kNo, kNo, kNo, kOff), \
      (kBar, kAny, kAny, kAny, kAny, kAny, kAny), \
      "only a deleted device is restored") \
  ROW(kAuthorise, "authorise", (kReg, kAtt, kCer, kPub, kAct, kOff, kNo), \
      (kBar, kAny, kAny, kAny, kAny, kAny, kAny), \
      "a deleted device is nobody's to give") \
  ROW(kAddProfile, "add a profile", (kReg, kAtt, kCer, kPub, kAct, kOff, kNo), \
      (kBar, kAny, kAny, kAny, kAny, kAny, kAny), \
      "a deleted device takes no profile") \
  ROW(kTransferAsp, "transfer to another ASP", (kNo, kNo, kNo, kPub, kAct, kNo, kNo), \
      (kBar, kBar, kBar, kBar, kBar, kBar, kAny), \
      "a device is transferred while DNS shows its certificate") \
  ROW(kTransferMno, "transfer to another MNO", (kNo, kNo, kNo, kPub, kAct, kNo, kNo), \
      (kBar, kBar, kBar, kBar, kBar, kBar, kAny), \
      "a device is transferred while DNS shows its certificate") \
  ROW(kApprove, "approve a transfer", (kNo, kNo, kNo, kPub, kAct, kNo, kNo), \
      (kOne, kAny, kAny, kAny, kAny, kAny, kAny), \
      "a pending transfer is approved") \
  ROW(kReject, "reject a transfer", (kReg, kAtt, kCer, kPub, kAct, kOff, kNo), \
      (kOne, kAny, kAny, kAny, kAny, kAny, kAny), \
      "a pending transfer is rejected") \
  ROW(kCancel, "cancel a transfer", (kReg, kAtt, kCer, kPub, kAct, kOff, kNo), \
      (kOne, kAny, kAny, kAny, kAny, kAny, kAny), \
      "a pending transfer is cancelled")

// Facts have happened. No state and no hold refuses one: it is recorded, and what follows from it is decided. Only of a
// deleted device nothing but its wipe and its profiles is heard, since to its parties it does not exist any more. ROW says
// the state after the fact. (3) A re-provisioned payload. (4) Published still, when the payload names no ASP.
#define REGISTRY_LIFECYCLE_FACTS(ROW) \
  /*                                            registered attached certified published active deactivated deleted */ \
  ROW(kAttached,        "attached",         (kAtt, kAtt, kCer, kPub, kAct, kOff, kGone)) \
  ROW(kDetached,        "detached",         (kReg, kAtt, kCer, kPub, kAct, kOff, kGone)) \
  ROW(kKeyMade,         "key made",         (kReg, kAtt, kCer, kPub, kAct, kOff, kGone)) \
  ROW(kDelivered,       "delivered",        (kReg, kAtt, kCer, kAct/*4*/, kAct/*3*/, kOff, kGone)) \
  ROW(kVisible,         "visible",          (kReg, kAtt, kPub, kPub, kAct, kOff, kGone)) \
  ROW(kWiped,           "wiped",            (kReg, kAtt, kCer, kPub, kAct, kOff, kGone)) \
  ROW(kProfileEnabled,  "profile enabled",  (kReg, kAtt, kCer, kPub, kAct, kOff, kGone)) \
  ROW(kProfileDisabled, "profile disabled", (kReg, kAtt, kCer, kPub, kAct, kOff, kGone)) \
  ROW(kProfileDeleted,  "profile deleted",  (kReg, kAtt, kCer, kPub, kAct, kOff, kGone))
// clang-format on

// Of a row its first word: the enumerators are the rows, so none is without one.
#define REGISTRY_ENUMERATOR(name, ...) name,
enum class Command { REGISTRY_LIFECYCLE_COMMANDS(REGISTRY_ENUMERATOR) };
enum class Fact { REGISTRY_LIFECYCLE_FACTS(REGISTRY_ENUMERATOR) };
#undef REGISTRY_ENUMERATOR

std::string_view CommandName(Command command);
std::string_view FactName(Fact fact);

// 2304 "state_prohibits": "device is deactivated, serverHold: " and what is refused, and why.
Error StateProhibits(const Device& device, std::string_view what);

bool OnHold(const Device& device);
// On hold, or its certificate has ended: nobody is to trust the device now, whatever its state.
bool Withheld(const Device& device);
// 2304 "state_prohibits", naming the state, the statuses beside it, and the rule.
Result<State> Next(const Device& device, Command command);
State After(const Device& device, Fact fact);
// Whether any command or fact leads from the one to the other: what a record must obey that somebody has written.
bool Leads(State from, State to);

}  // namespace registry::domain
