// workers/domain/lifecycle.h: the two tables by which a device's state changes (design §4). Whoever wants to change a state
// asks Next or After; nobody assigns a state by another road. Pure, any thread.
//
// Commands ask for something, and the state or a status can refuse them:
//
//   command      | registered | attached  | certified   | published | active      | deactivated | deleted
//   certify      | refused    | certified | refused (1) | refused(1)| refused (1) | refused     | refused
//   claim        | =          | =         | =           | =         | =           | refused     | refused
//   deactivate   | deactivated| deactivated           … from every state …        | refused     | refused
//   reactivate   | refused    | refused   | refused     | refused   | refused     | attached (2)| refused
//   delete       | deleted    | deleted               … from every state …                      | refused
//   "=": allowed, the state stays.
// (1) re-key and renewal: a second live certificate beside the first, old TLSA withdrawn after the new one is served.
// (2) registered when the device was never seen on the network.
// A hold (clientHold, sponsorHold, serverHold) refuses certify, claim and reactivate. serverHold is set by the operator's
// deactivate and lifted by the operator's reactivate (RFC 5731 §2.3).
//
// Facts have happened. No state and no hold refuses one: it is recorded, and what follows from it is decided. Only of a
// deleted device nothing but its wipe is heard, since to its parties it does not exist any more:
//
//   fact         | registered | attached  | certified   | published | active      | deactivated | deleted
//   attached     | attached   | =         | =           | =         | =           | =           | =
//   key made     | =          | =         | =           | =         | =           | =           | =
//   delivered    | =          | =         | =           | active    | = (3)       | =           | =
//   visible      | =          | =         | published   | =         | =           | =           | =
//   wiped        | =          | =         | =           | =         | =           | =           | =
// (3) a re-provisioned payload.
#pragma once

#include <string_view>

#include "schemas/base/result.h"
#include "workers/domain/device.h"

namespace registry::domain {

enum class Command { kCertify, kClaim, kDeactivate, kReactivate, kDelete };
std::string_view CommandName(Command command);

enum class Fact { kAttached, kKeyMade, kDelivered, kVisible, kWiped };
std::string_view FactName(Fact fact);

bool OnHold(const Device& device);
// 2304 "state_prohibits", naming the state, the statuses beside it, and the rule.
Result<State> Next(const Device& device, Command command);
State After(const Device& device, Fact fact);
// Whether any command or fact leads from the one to the other: what a record must obey that somebody has written.
bool Leads(State from, State to);

}  // namespace registry::domain
