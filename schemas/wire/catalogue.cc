// Which messages exist, who may send them and which struct reads them: the catalogue behind codec.h and
// field_tables.h.
#include <algorithm>

#include "schemas/wire/codec.h"
#include "schemas/wire/field_tables.h"
#include "schemas/wire/queries.h"

namespace registry::wire {
namespace {

using nlohmann::json;

template <class Any>
struct Row {
  std::string_view name;
  std::string_view reply;  // stem of the accepted reply's schema
  std::vector<Role> roles;
  Result<Any> (*decode)(const json& data);
};
using CommandRow = Row<Command>;
using QueryRow = Row<Query>;

template <class Message, class Any = Command>
Result<Any> DecodeAs(const json& data) {
  Result<Message> message = Decode<Message>(data);
  if (!message) return message.error();
  return Any(*std::move(message));
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

const std::vector<QueryRow>& Queries() {
  static const std::vector<Role> all{Role::kMno, Role::kAsp, Role::kOperator};
  static const std::vector<QueryRow> rows{
      {"device.get", "device.described", all, DecodeAs<DeviceGet, Query>},
      {"device.list", "device.listed", all, DecodeAs<DeviceList, Query>},
      {"device.trace", "device.traced", all, DecodeAs<DeviceTrace, Query>},
  };
  return rows;
}

template <class Rows>
auto Find(const Rows& rows, std::string_view name) -> decltype(&rows.front()) {
  const auto row =
      std::find_if(rows.begin(), rows.end(), [name](const auto& each) { return each.name == name; });
  return row == rows.end() ? nullptr : &*row;
}

std::vector<MessageName> MakeCatalogue() {
  using Kind = MessageName::Kind;
  constexpr Role kMno = Role::kMno, kAsp = Role::kAsp;
  std::vector<MessageName> names;
  for (const CommandRow& row : Commands()) names.push_back({Kind::kCommand, row.name, row.name, row.roles});
  for (const CommandRow& row : Commands()) names.push_back({Kind::kReply, row.name, row.reply, row.roles});
  for (const QueryRow& row : Queries()) names.push_back({Kind::kCommand, row.name, row.name, row.roles});
  for (const QueryRow& row : Queries()) names.push_back({Kind::kReply, row.name, row.reply, row.roles});
  for (std::string_view action : {"key.generate", "payload.push", "applet.wipe"}) {
    names.push_back({Kind::kAction, action, action, {kMno}});
  }
  names.push_back({Kind::kNotification, "device.certified", "device.certified", {kAsp}});
  for (std::string_view event :
       {"device.activated", "device.deactivated", "device.reactivated", "device.deleted", "device.failed"}) {
    names.push_back({Kind::kNotification, event, event, {kMno, kAsp}});
  }
  for (std::string_view document :
       {"error", "registry-payload", "bootstrap", "resolver", "endpoint", "endpoint-trust", "wifi",
        "container", "device-brief", "device-wait", "device-step", "envelope"}) {
    names.push_back({Kind::kDocument, document, document, {}});
  }
  return names;
}

}  // namespace

Result<Command> DecodeCommand(std::string_view command, const json& data) {
  const CommandRow* row = Find(Commands(), command);
  if (row == nullptr)
    return Error::Make(Code::kUnknownCommand, "unknown_command", "there is no such command");
  return row->decode(data);
}

Result<Query> DecodeQuery(std::string_view command, const json& data) {
  const QueryRow* row = Find(Queries(), command);
  if (row == nullptr)
    return Error::Make(Code::kUnknownCommand, "unknown_command", "there is no such command");
  return row->decode(data);
}

std::vector<Role> RolesOf(std::string_view command) {
  if (const CommandRow* row = Find(Commands(), command)) return row->roles;
  const QueryRow* query = Find(Queries(), command);
  return query == nullptr ? std::vector<Role>{} : query->roles;
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
