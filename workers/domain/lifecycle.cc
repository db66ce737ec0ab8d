#include "workers/domain/lifecycle.h"

#include <algorithm>
#include <array>
#include <optional>
#include <string>

#include "workers/domain/standing.h"

namespace registry::domain {
namespace {

using Row = std::array<std::optional<State>, 7>;  // by current state, in the order of the enum
constexpr std::optional<State> kNo = std::nullopt;
constexpr State kAtt = State::kAttached, kCer = State::kCertified, kPub = State::kPublished,
                kAct = State::kActive, kOff = State::kDeactivated, kGone = State::kDeleted;

const Row& RowOf(Trigger trigger) {
  //                              registered attached certified published active deactivated deleted
  static constexpr Row kAttach = {kAtt, kAtt, kCer, kPub, kAct, kNo, kNo};
  static constexpr Row kCertify = {kNo, kCer, kNo, kNo, kNo, kNo, kNo};
  static constexpr Row kVisible = {kNo, kNo, kPub, kPub, kAct, kOff, kGone};
  static constexpr Row kDelivered = {kNo, kNo, kNo, kAct, kAct, kNo, kNo};
  static constexpr Row kDeactivate = {kOff, kOff, kOff, kOff, kOff, kNo, kNo};
  static constexpr Row kReactivate = {kNo, kNo, kNo, kNo, kNo, kAtt, kNo};
  static constexpr Row kDelete = {kGone, kGone, kGone, kGone, kGone, kGone, kNo};
  switch (trigger) {
    case Trigger::kAttach:
      return kAttach;
    case Trigger::kCertify:
      return kCertify;
    case Trigger::kVisible:
      return kVisible;
    case Trigger::kDelivered:
      return kDelivered;
    case Trigger::kDeactivate:
      return kDeactivate;
    case Trigger::kReactivate:
      return kReactivate;
    case Trigger::kDelete:
      return kDelete;
  }
  REG_CHECK(false);
}

std::string_view RuleOf(Trigger trigger) {
  switch (trigger) {
    case Trigger::kAttach:
      return "only a device that is neither deactivated nor deleted attaches";
    case Trigger::kCertify:
      return "a first certificate is issued to an attached device without a live certificate";
    case Trigger::kVisible:
      return "only a certified device is published";
    case Trigger::kDelivered:
      return "a payload is delivered to a published device";
    case Trigger::kDeactivate:
      return "a device is deactivated once";
    case Trigger::kReactivate:
      return "only a deactivated device is reactivated";
    case Trigger::kDelete:
      return "a device is deleted once";
  }
  REG_CHECK(false);
}

Error Refused(const Device& device, Trigger trigger, std::string_view why) {
  std::string message = "device is ";
  message.append(StateName(device.state)).append(": ").append(TriggerName(trigger)).append(" refused, ");
  message.append(why);
  return Error::Make(Code::kStatusProhibits, "state_prohibits", message, "/device");
}

std::string_view HoldRule(const Device& device) {
  if (device.statuses.contains(DeviceStatus::kServerHold))
    return "the operator holds it (serverHold) until the operator reactivates it";
  return device.statuses.contains(DeviceStatus::kClientHold) ? "it is on hold (clientHold)"
                                                             : "its MNO holds it (sponsorHold)";
}

}  // namespace

bool OnHold(const Device& device) {
  constexpr std::array kHolds = {DeviceStatus::kClientHold, DeviceStatus::kServerHold,
                                 DeviceStatus::kSponsorHold};
  return std::any_of(kHolds.begin(), kHolds.end(),
                     [&](DeviceStatus hold) { return device.statuses.contains(hold); });
}

std::string_view TriggerName(Trigger trigger) {
  switch (trigger) {
    case Trigger::kAttach:
      return "attach";
    case Trigger::kCertify:
      return "certify";
    case Trigger::kVisible:
      return "visible";
    case Trigger::kDelivered:
      return "delivered";
    case Trigger::kDeactivate:
      return "deactivate";
    case Trigger::kReactivate:
      return "reactivate";
    case Trigger::kDelete:
      return "delete";
  }
  REG_CHECK(false);
}

Result<State> Next(const Device& device, Trigger trigger) {
  const bool ends = trigger == Trigger::kDeactivate || trigger == Trigger::kDelete;
  if (OnHold(device) && !ends && trigger != Trigger::kVisible)
    return Refused(device, trigger, HoldRule(device));
  const auto next = RowOf(trigger)[static_cast<std::size_t>(device.state) - 1];
  if (!next) return Refused(device, trigger, RuleOf(trigger));
  if (trigger == Trigger::kReactivate && !Attached(device)) return State::kRegistered;
  return *next;
}

bool Leads(State from, State to) {
  if (from == State::kDeactivated && to == State::kRegistered) return true;  // (3)
  constexpr std::array kAll = {Trigger::kAttach,    Trigger::kCertify,    Trigger::kVisible,
                               Trigger::kDelivered, Trigger::kDeactivate, Trigger::kReactivate,
                               Trigger::kDelete};
  return std::any_of(kAll.begin(), kAll.end(), [&](Trigger trigger) {
    return RowOf(trigger)[static_cast<std::size_t>(from) - 1] == to;
  });
}

}  // namespace registry::domain
