// bridge/ingest/commands.h: one row per command of the interface: everything that is done with it between its arrival and
// its decision. Its row in the wire catalogue (schemas/wire/message_lists.h) says what it is called, who may send it and how
// it reads; the row here refers to that one by its struct, and adds the lane, the decision, whether it is remembered, and
// what it counts as. Both tables hold the same commands: the first use of this one ends the process otherwise.
// Threads: any; the table never changes.
#pragma once

#include <functional>
#include <nlohmann/json.hpp>
#include <string_view>
#include <variant>
#include <vector>

#include "bridge/ingest/feeds.h"
#include "bridge/ingest/limit_class.h"
#include "bridge/ingest/limits.h"
#include "bridge/ingest/register_guard.h"
#include "schemas/wire/queries.h"
#include "workers/csr_sign/csr_sign.h"
#include "workers/domain/decision.h"

namespace registry::ingest {

// A command as its sender said it, decoded.
using Asked = std::variant<wire::Command, wire::Query>;

// kMarks: its identity and its reply are kept, and a repeat gets the same reply. kReads: nothing is written, the reply goes
// aside, and a repeat is executed again.
enum class Way { kMarks, kReads };

// What single rows need beside a case. All of it is safe from any thread and outlives the decision.
struct Desk {
  const csr_sign::Issuer* issuer = nullptr;
  RegisterGuard& register_guard;
  Feeds& feeds;
  Limits& limits;
};

struct CommandRow {
  std::string_view name;
  std::vector<wire::Role> roles;  // who may send it
  Way way = Way::kMarks;
  LimitClass limit = LimitClass::kWrite;
  std::function<Result<Asked>(const nlohmann::json& data)> decode;
  // Which lane: work on one device is serial, what a party says about its feed and endpoints too. A read goes behind what
  // its sender said of the device before.
  std::function<std::size_t(const Asked&, const PartyId& sender)> lane;
  // A read leaves the case's changes empty.
  std::function<Result<domain::Reply>(const Asked&, domain::Case&, const Desk&)> decide;
};

const std::vector<CommandRow>& Commands();
const CommandRow* FindCommand(std::string_view name);  // nullptr: there is no such command

}  // namespace registry::ingest
