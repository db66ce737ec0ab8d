#include "workers/domain/lifecycle.h"

#include <algorithm>
#include <array>
#include <optional>
#include <string>

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

#define REGISTRY_COMMAND_ROW(command, name, despite_hold, reg, att, cer, pub, act, off, gone, rule) \
  {Command::command, name, despite_hold, {reg, att, cer, pub, act, off, gone}, rule},
#define REGISTRY_FACT_ROW(fact, name, reg, att, cer, pub, act, off, gone) \
  {Fact::fact, name, {reg, att, cer, pub, act, off, gone}},
constexpr CommandRow kCommands[] = {REGISTRY_LIFECYCLE_COMMANDS(REGISTRY_COMMAND_ROW)};
constexpr FactRow kFacts[] = {REGISTRY_LIFECYCLE_FACTS(REGISTRY_FACT_ROW)};
#undef REGISTRY_COMMAND_ROW
#undef REGISTRY_FACT_ROW

// Rows stand in the order of the enumerators, which are made of them.
const CommandRow& RowOf(Command command) { return kCommands[static_cast<std::size_t>(command)]; }
const FactRow& RowOf(Fact fact) { return kFacts[static_cast<std::size_t>(fact)]; }

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
