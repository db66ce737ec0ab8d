#include "workers/domain/lifecycle.h"

#include <algorithm>
#include <array>
#include <optional>
#include <string>

#include "workers/domain/standing.h"

namespace registry::domain {
namespace {

constexpr std::size_t kStateCount = 7;

template <class Cell>
using Cells = std::array<Cell, kStateCount>;  // by current state, in the order of the enum

template <class Cell>
const Cell& CellOf(const Cells<Cell>& cells, State state) {
  return cells[static_cast<std::size_t>(state) - 1];
}

constexpr std::optional<State> kNo = std::nullopt;
constexpr State kReg = State::kRegistered, kAtt = State::kAttached, kCer = State::kCertified,
                kPub = State::kPublished, kAct = State::kActive, kOff = State::kDeactivated,
                kGone = State::kDeleted;

// What a status does to a command while it is there.
enum class Effect { kAny, kBar, kOne };
constexpr Effect kAny = Effect::kAny, kBar = Effect::kBar, kOne = Effect::kOne;

// In the order of a row's second list.
struct StatusColumn {
  DeviceStatus status;
  std::string_view why;  // a command is barred
};
constexpr StatusColumn kStatuses[] = {
    {DeviceStatus::kPendingTransfer, "a transfer goes on (pendingTransfer)"},
    {DeviceStatus::kClientHold, "its ASP holds it (clientHold)"},
    {DeviceStatus::kSponsorHold, "its MNO holds it (sponsorHold)"},
    {DeviceStatus::kServerHold, "the operator holds it (serverHold) until the operator lifts it"},
    {DeviceStatus::kTransferProhibited, "it may not be transferred (transferProhibited)"},
    {DeviceStatus::kDisconnected, "it is disconnected (disconnected)"},
    {DeviceStatus::kExpired, "its certificate has ended (expired)"},
};

constexpr std::string_view kCarriedOut = "a transfer that was approved is being carried out";

struct CommandRow {
  Command command;
  std::string_view name;
  Cells<std::optional<State>> next;
  std::array<Effect, std::size(kStatuses)> effects;
  std::string_view rule;
};

struct FactRow {
  Fact fact;
  std::string_view name;
  Cells<State> after;
};

#define REGISTRY_LIST(...) \
  { __VA_ARGS__ }
#define REGISTRY_COMMAND_ROW(command, name, states, statuses, rule) \
  {Command::command, name, REGISTRY_LIST states, REGISTRY_LIST statuses, rule},
#define REGISTRY_FACT_ROW(fact, name, states) {Fact::fact, name, REGISTRY_LIST states},
constexpr CommandRow kCommands[] = {REGISTRY_LIFECYCLE_COMMANDS(REGISTRY_COMMAND_ROW)};
constexpr FactRow kFacts[] = {REGISTRY_LIFECYCLE_FACTS(REGISTRY_FACT_ROW)};
#undef REGISTRY_COMMAND_ROW
#undef REGISTRY_FACT_ROW
#undef REGISTRY_LIST

// Rows stand in the order of the enumerators, which are made of them.
const CommandRow& RowOf(Command command) { return kCommands[static_cast<std::size_t>(command)]; }
const FactRow& RowOf(Fact fact) { return kFacts[static_cast<std::size_t>(fact)]; }

Error Refused(const Device& device, Command command, std::string_view why) {
  return StateProhibits(device, std::string(CommandName(command)).append(" refused, ").append(why));
}

// An approved transfer bars what a pending one does until it is carried out; but lifting a hold lets it go on.
bool IsBarred(const Device& device, Command command, DeviceStatus status) {
  if (device.statuses.contains(status)) return true;
  const bool lifts =
      command == Command::kResume || command == Command::kSponsorResume || command == Command::kServerResume;
  return status == DeviceStatus::kPendingTransfer && InTransfer(device) && !lifts;
}

// Why the statuses refuse the command; empty when they do not.
std::string_view Barred(const Device& device, const CommandRow& row) {
  bool one_needed = false, one_there = false;
  for (std::size_t column = 0; column < std::size(kStatuses); ++column) {
    const bool there = device.statuses.contains(kStatuses[column].status);
    if (row.effects[column] == kBar && IsBarred(device, row.command, kStatuses[column].status))
      return there ? kStatuses[column].why : kCarriedOut;
    if (row.effects[column] != kOne) continue;
    one_needed = true;
    one_there = one_there || there;
  }
  return one_needed && !one_there ? row.rule : std::string_view();
}

}  // namespace

Error StateProhibits(const Device& device, std::string_view what) {
  std::string message = "device is ";
  message += StateName(device.state);
  for (const DeviceStatus status : device.statuses) message.append(", ").append(StatusName(status));
  return Error::Make(Code::kStatusProhibits, "state_prohibits", message.append(": ").append(what), "/device");
}

bool OnHold(const Device& device) {
  constexpr std::array kHolds = {DeviceStatus::kClientHold, DeviceStatus::kServerHold,
                                 DeviceStatus::kSponsorHold};
  return std::any_of(kHolds.begin(), kHolds.end(),
                     [&](DeviceStatus hold) { return device.statuses.contains(hold); });
}

bool Withheld(const Device& device) {
  return OnHold(device) || device.statuses.contains(DeviceStatus::kExpired);
}

std::string_view CommandName(Command command) { return RowOf(command).name; }
std::string_view FactName(Fact fact) { return RowOf(fact).name; }

Result<State> Next(const Device& device, Command command) {
  const CommandRow& row = RowOf(command);
  const auto next = CellOf(row.next, device.state);
  const std::string_view barred = Barred(device, row);
  // What is deleted is no longer held by anybody: its state is the reason.
  if (!next && (barred.empty() || device.state == State::kDeleted)) return Refused(device, command, row.rule);
  if (!barred.empty()) return Refused(device, command, barred);
  if (command == Command::kDisconnect && !EverSeen(device)) return Refused(device, command, row.rule);  // (5)
  const bool again = command == Command::kServerDeactivate && device.state == State::kDeactivated;
  if (again && !EverSeen(device)) return Refused(device, command, row.rule);  // (6)
  const bool comes_back = command == Command::kReactivate || command == Command::kServerReactivate;
  if (comes_back && !EverSeen(device)) return State::kRegistered;  // (2)
  return *next;
}

State After(const Device& device, Fact fact) {
  const bool to_nobody = fact == Fact::kDelivered && LiveBinding(device) == nullptr;
  return to_nobody ? device.state : CellOf(RowOf(fact).after, device.state);  // (4)
}

bool Leads(State from, State to) {
  if (from == State::kDeactivated && to == State::kRegistered) return true;  // (2)
  const bool by_command = std::any_of(std::begin(kCommands), std::end(kCommands),
                                      [&](const auto& row) { return CellOf(row.next, from) == to; });
  return by_command || std::any_of(std::begin(kFacts), std::end(kFacts),
                                   [&](const auto& row) { return CellOf(row.after, from) == to; });
}

}  // namespace registry::domain
