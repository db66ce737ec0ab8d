#include "workers/domain/lifecycle.h"

#include <algorithm>
#include <array>
#include <optional>
#include <string>

#include "schemas/base/check.h"
#include "workers/domain/standing.h"

namespace registry::domain {
namespace {

constexpr std::size_t kStates = 7;

template <class Cell>
using Cells = std::array<Cell, kStates>;  // by current state, in the order of the enum

template <class Cell>
const Cell& CellOf(const Cells<Cell>& cells, State state) {
  return cells[static_cast<std::size_t>(state) - 1];
}

constexpr std::optional<State> kNo = std::nullopt;
constexpr State kReg = State::kRegistered, kAtt = State::kAttached, kCer = State::kCertified,
                kPub = State::kPublished, kAct = State::kActive, kOff = State::kDeactivated,
                kGone = State::kDeleted;

struct CommandRow {
  Command command;
  std::string_view name;
  bool despite_hold;
  Cells<std::optional<State>> next;
  std::string_view rule;
};

struct FactRow {
  Fact fact;
  std::string_view name;
  Cells<State> after;
};

constexpr CommandRow kCommands[] = {
    //                                   registered attached certified published active deactivated deleted
    {Command::kCertify,
     "certify",
     false,
     {kNo, kCer, kNo, kNo, kNo, kNo, kNo},
     "a first certificate is issued to an attached device without a live certificate"},
    {Command::kClaim,
     "claim",
     false,
     {kReg, kAtt, kCer, kPub, kAct, kNo, kNo},
     "a deactivated device is reactivated first"},
    {Command::kDeactivate,
     "deactivate",
     true,
     {kOff, kOff, kOff, kOff, kOff, kNo, kNo},
     "a device is deactivated once"},
    {Command::kReactivate,
     "reactivate",
     false,
     {kNo, kNo, kNo, kNo, kNo, kAtt, kNo},
     "only a deactivated device is reactivated"},
    {Command::kDelete,
     "delete",
     true,
     {kGone, kGone, kGone, kGone, kGone, kGone, kNo},
     "a device is deleted once"},
};

constexpr FactRow kFacts[] = {
    {Fact::kAttached, "attached", {kAtt, kAtt, kCer, kPub, kAct, kOff, kGone}},
    {Fact::kKeyMade, "key made", {kReg, kAtt, kCer, kPub, kAct, kOff, kGone}},
    {Fact::kDelivered, "delivered", {kReg, kAtt, kCer, kAct, kAct, kOff, kGone}},
    {Fact::kVisible, "visible", {kReg, kAtt, kPub, kPub, kAct, kOff, kGone}},
    {Fact::kWiped, "wiped", {kReg, kAtt, kCer, kPub, kAct, kOff, kGone}},
};

template <class Row, std::size_t kRows, class Key>
const Row& Find(const Row (&rows)[kRows], Key Row::*key, Key wanted) {
  const auto row =
      std::find_if(std::begin(rows), std::end(rows), [&](const Row& one) { return one.*key == wanted; });
  REG_CHECK(row != std::end(rows));
  return *row;
}

const CommandRow& RowOf(Command command) { return Find(kCommands, &CommandRow::command, command); }
const FactRow& RowOf(Fact fact) { return Find(kFacts, &FactRow::fact, fact); }

// "deactivated, serverHold"
std::string Standing(const Device& device) {
  std::string text(StateName(device.state));
  for (const DeviceStatus status : device.statuses) text.append(", ").append(StatusName(status));
  return text;
}

Error Refused(const Device& device, Command command, std::string_view why) {
  std::string message = "device is " + Standing(device) + ": ";
  message.append(CommandName(command)).append(" refused, ").append(why);
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

std::string_view CommandName(Command command) { return RowOf(command).name; }
std::string_view FactName(Fact fact) { return RowOf(fact).name; }

Result<State> Next(const Device& device, Command command) {
  const CommandRow& row = RowOf(command);
  if (OnHold(device) && !row.despite_hold) return Refused(device, command, HoldRule(device));
  const auto next = CellOf(row.next, device.state);
  if (!next) return Refused(device, command, row.rule);
  if (command == Command::kReactivate && !Attached(device)) return State::kRegistered;
  return *next;
}

State After(const Device& device, Fact fact) { return CellOf(RowOf(fact).after, device.state); }

bool Leads(State from, State to) {
  if (from == State::kDeactivated && to == State::kRegistered) return true;  // (2)
  const bool by_command = std::any_of(std::begin(kCommands), std::end(kCommands),
                                      [&](const auto& row) { return CellOf(row.next, from) == to; });
  return by_command || std::any_of(std::begin(kFacts), std::end(kFacts),
                                   [&](const auto& row) { return CellOf(row.after, from) == to; });
}

}  // namespace registry::domain
