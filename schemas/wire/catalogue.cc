// Which messages exist and who may send them: the lists of message_lists.h as values.
#include "schemas/wire/codec.h"
#include "schemas/wire/queries.h"

namespace registry::wire {
namespace {

#define REGISTRY_ASKED(Message, Reply, ...) {Kind::kCommand, Message::kName, Message::kName, {__VA_ARGS__}},
#define REGISTRY_ANSWERED(Message, Reply, ...) {Kind::kReply, Message::kName, Reply::kName, {__VA_ARGS__}},
#define REGISTRY_ACTION(Message, ...) {Kind::kAction, Message::kName, Message::kName, {__VA_ARGS__}},
#define REGISTRY_NOTIFICATION(Message, ...) \
  {Kind::kNotification, Message::kName, Message::kName, {__VA_ARGS__}},
#define REGISTRY_DOCUMENT(Message) {Kind::kDocument, Message::kName, Message::kName, {}},

std::vector<MessageName> MakeCatalogue() {
  using Kind = MessageName::Kind;
  using enum Role;
  // clang-format off
  return {
      REGISTRY_COMMANDS(REGISTRY_ASKED)
      REGISTRY_COMMANDS(REGISTRY_ANSWERED)
      REGISTRY_QUERIES(REGISTRY_ASKED)
      REGISTRY_QUERIES(REGISTRY_ANSWERED)
      REGISTRY_ACTIONS(REGISTRY_ACTION)
      REGISTRY_NOTIFICATIONS(REGISTRY_NOTIFICATION)
      // Neither has a struct of this folder's: what is said of an error is registry::Error, and the envelope has no data.
      {Kind::kDocument, "error", "error", {}},
      REGISTRY_PARTS(REGISTRY_DOCUMENT)
      {Kind::kDocument, "envelope", "envelope", {}},
  };
  // clang-format on
}

}  // namespace

std::vector<Role> RolesOf(std::string_view command) {
  for (const MessageName& name : Catalogue()) {
    if (name.kind == MessageName::Kind::kCommand && name.name == command) return name.roles;
  }
  return {};
}

const std::vector<MessageName>& Catalogue() {
  static const std::vector<MessageName> names = MakeCatalogue();
  return names;
}

std::string_view RoleName(Role role) {
  switch (role) {
    case Role::kMno:
      return "mno";
    case Role::kAsp:
      return "asp";
    case Role::kOperator:
      return "operator";
  }
  return "operator";
}

}  // namespace registry::wire
