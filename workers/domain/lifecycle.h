// workers/domain/lifecycle.h: the one transition table of a device (design §4). Whoever wants to change a state asks
// Next; nobody assigns a state by another road. Pure, any thread.
//
//   trigger      | registered | attached  | certified   | published | active      | deactivated | deleted
//   attach       | attached   | =         | =           | =         | =           | refused     | refused
//   certify      | refused    | certified | refused (1) | refused(1)| refused (1) | refused     | refused
//   visible      | refused    | refused   | published   | =         | =           | =           | =
//   delivered    | refused    | refused   | refused     | active    | = (2)       | refused     | refused
//   deactivate   | deactivated| deactivated           … from every state …        | refused     | refused
//   reactivate   | refused    | refused   | refused     | refused   | refused     | attached (3)| refused
//   delete       | deleted    | deleted               … from every state …                      | refused
//   "=": allowed, the state stays.
// (1) re-key and renewal: a second live certificate beside the first, old TLSA withdrawn after the new one is served.
// (2) a re-provisioned payload.  (3) registered when the device was never seen on the network.
// A hold (clientHold, sponsorHold, serverHold) refuses every trigger but deactivate, delete and visible: what DNS shows is
// a fact, not a request. serverHold is set by the operator's deactivate and lifted by the operator's reactivate
// (RFC 5731 §2.3).
// Reserved rows, whose statuses exist already in DeviceStatus: suspend and resume (clientHold), transfer request,
// approve, reject, cancel (pendingTransfer, transferProhibited), renew, re-provision. They arrive with their commands.
#pragma once

#include <string_view>

#include "schemas/base/result.h"
#include "workers/domain/device.h"

namespace registry::domain {

enum class Trigger { kAttach, kCertify, kVisible, kDelivered, kDeactivate, kReactivate, kDelete };
std::string_view TriggerName(Trigger trigger);

bool OnHold(const Device& device);
// 2304 "state_prohibits", naming the state and the rule.
Result<State> Next(const Device& device, Trigger trigger);
// Whether any trigger leads from the one to the other: what a record must obey that somebody has written.
bool Leads(State from, State to);

}  // namespace registry::domain
