// schemas/wire/codec.h: struct <-> JSON "data" member, strict in, canonical out.
// Every message has one field table (JSON name, member, required, limits) in messages.cc; Decode and Encode
// walk it, and tests compare it with the JSON Schema (field_tables.h). Decode<T> refuses unknown and missing
// members, wrong types, limits and bad identifiers with code, symbol and the JSON pointer of the field. No
// exception leaves.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "schemas/base/result.h"
#include "schemas/wire/life_messages.h"
#include "schemas/wire/message_lists.h"
#include "schemas/wire/messages.h"
#include "schemas/wire/order_messages.h"

namespace registry::wire {

template <class Message>
Result<Message> Decode(const nlohmann::json& data);  // instantiated for every struct of message_lists.h
template <class Message>
nlohmann::json Encode(const Message& message);
nlohmann::json EncodeError(const Error& error);
// "/name" as a JSON pointer (RFC 6901) into `data`, fit to be said back: a sender's own name is cut at 64 octets, and
// control characters in it are replaced.
std::string MemberPointer(std::string_view name);
std::optional<Error> DecodeError(const nlohmann::json& data);  // nullopt: `data` does not say an error

// A list of message_lists.h as a variant: VariantOf<void REGISTRY_COMMANDS(REGISTRY_AND)>.
#define REGISTRY_AND(Message, ...) , Message
template <class Nothing, class... Messages>
using VariantOf = std::variant<Messages...>;

using Command = VariantOf<void REGISTRY_COMMANDS(REGISTRY_AND)>;

// Which roles may send a command (design §4); empty when the command is unknown.
std::vector<Role> RolesOf(std::string_view command);

// The names of every message by direction, for the parity tests and for metrics labels.
struct MessageName {
  enum class Kind { kCommand, kReply, kAction, kNotification, kDocument } kind;
  std::string_view name;    // "csr.submit", "key.generate", "device.activated", "registry-payload"
  std::string_view schema;  // stem of schemas/messages/<schema>.schema.json
  std::vector<Role> roles;  // who sends it (commands) or is told (the others); empty for documents
};
const std::vector<MessageName>& Catalogue();

std::string_view RoleName(Role role);

}  // namespace registry::wire
