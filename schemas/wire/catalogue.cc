// Which messages exist, who may send them and which struct reads them: the catalogue behind codec.h and
// field_tables.h.
#include <algorithm>

#include "schemas/wire/codec.h"
#include "schemas/wire/field_tables.h"

namespace registry::wire {
namespace {

using nlohmann::json;

struct CommandRow {
  std::string_view name;
  std::string_view reply;  // stem of the accepted reply's schema
  std::vector<Role> roles;
  Result<Command> (*decode)(const json& data);
};

template <class Message>
Result<Command> DecodeAs(const json& data) {
  Result<Message> message = Decode<Message>(data);
  if (!message) return message.error();
  return Command(*std::move(message));
}

const std::vector<CommandRow>& Commands() {
  constexpr Role kMno = Role::kMno, kAsp = Role::kAsp, kOperator = Role::kOperator;
  static const std::vector<CommandRow> rows{
      {"esim.register", "esim.registered", {kMno}, DecodeAs<EsimRegister>},
      {"device.attach", "device.state", {kMno}, DecodeAs<DeviceAttach>},
      {"csr.submit", "certificate.issued", {kMno}, DecodeAs<CsrSubmit>},
      {"endpoint.publish", "endpoint.published", {kAsp}, DecodeAs<EndpointPublish>},
      {"device.claim", "device.state", {kAsp}, DecodeAs<DeviceClaim>},
      {"device.deactivate", "device.state", {kAsp, kOperator}, DecodeAs<DeviceDeactivate>},
      {"device.reactivate", "device.state", {kAsp, kOperator}, DecodeAs<DeviceReactivate>},
      {"device.delete", "device.state", {kAsp, kOperator}, DecodeAs<DeviceDelete>},
      {"feed.replay", "feed.status", {kMno, kAsp, kOperator}, DecodeAs<FeedReplay>},
      {"feed.ack", "feed.status", {kMno, kAsp, kOperator}, DecodeAs<FeedAck>},
      {"do.progress", "job.noted", {kMno}, DecodeAs<DoProgress>},
      {"do.result", "job.noted", {kMno}, DecodeAs<DoResult>},
  };
  return rows;
}

const CommandRow* FindCommand(std::string_view name) {
  const auto row = std::find_if(Commands().begin(), Commands().end(),
                                [name](const CommandRow& each) { return each.name == name; });
  return row == Commands().end() ? nullptr : &*row;
}

std::vector<MessageName> MakeCatalogue() {
  using Kind = MessageName::Kind;
  constexpr Role kMno = Role::kMno, kAsp = Role::kAsp;
  std::vector<MessageName> names;
  for (const CommandRow& row : Commands()) names.push_back({Kind::kCommand, row.name, row.name, row.roles});
  for (const CommandRow& row : Commands()) names.push_back({Kind::kReply, row.name, row.reply, row.roles});
  for (std::string_view action : {"key.generate", "payload.push", "applet.wipe"}) {
    names.push_back({Kind::kAction, action, action, {kMno}});
  }
  names.push_back({Kind::kNotification, "device.certified", "device.certified", {kAsp}});
  for (std::string_view event :
       {"device.activated", "device.deactivated", "device.reactivated", "device.deleted", "device.failed"}) {
    names.push_back({Kind::kNotification, event, event, {kMno, kAsp}});
  }
  for (std::string_view document : {"error", "registry-payload", "bootstrap", "resolver", "endpoint",
                                    "endpoint-trust", "wifi", "container", "envelope"}) {
    names.push_back({Kind::kDocument, document, document, {}});
  }
  return names;
}

}  // namespace

Result<Command> DecodeCommand(std::string_view command, const json& data) {
  const CommandRow* row = FindCommand(command);
  if (row == nullptr)
    return Error::Make(Code::kUnknownCommand, "unknown_command", "there is no such command");
  return row->decode(data);
}

std::vector<Role> RolesOf(std::string_view command) {
  const CommandRow* row = FindCommand(command);
  return row == nullptr ? std::vector<Role>{} : row->roles;
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
