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

template <class Message, class Any>
Result<Any> DecodeAs(const json& data) {
  Result<Message> message = Decode<Message>(data);
  if (!message) return message.error();
  return Any(*std::move(message));
}

template <class Message, class Reply, class Any = Command>
Row<Any> Answered(std::vector<Role> roles) {
  return {Message::kName, Reply::kName, std::move(roles), DecodeAs<Message, Any>};
}

const std::vector<CommandRow>& Commands() {
  constexpr Role kMno = Role::kMno, kAsp = Role::kAsp, kOperator = Role::kOperator;
  static const std::vector<CommandRow> rows{
      Answered<EsimRegister, EsimRegistered>({kMno}),
      Answered<DeviceAttach, DeviceState>({kMno}),
      Answered<CsrSubmit, CertificateIssued>({kMno}),
      Answered<EndpointPublish, EndpointPublished>({kAsp}),
      Answered<DeviceClaim, DeviceState>({kAsp}),
      Answered<DeviceDeactivate, DeviceState>({kAsp, kOperator}),
      Answered<DeviceReactivate, DeviceState>({kAsp, kOperator}),
      Answered<DeviceDelete, DeviceState>({kAsp, kOperator}),
      Answered<FeedReplay, FeedStatus>({kMno, kAsp, kOperator}),
      Answered<FeedAck, FeedStatus>({kMno, kAsp, kOperator}),
      Answered<OrderStart, OrderState>({kMno, kAsp, kOperator}),
      Answered<OrderPause, OrderState>({kMno, kAsp, kOperator}),
      Answered<OrderResume, OrderState>({kMno, kAsp, kOperator}),
      Answered<OrderCancel, OrderState>({kMno, kAsp, kOperator}),
      Answered<DoProgress, JobNoted>({kMno}),
      Answered<DoResult, JobNoted>({kMno}),
  };
  return rows;
}

const std::vector<QueryRow>& Queries() {
  const std::vector<Role> all{Role::kMno, Role::kAsp, Role::kOperator};
  static const std::vector<QueryRow> rows{
      Answered<DeviceGet, DeviceDescribed, Query>(all), Answered<DeviceList, DeviceListed, Query>(all),
      Answered<DeviceTrace, DeviceTraced, Query>(all),  Answered<OrderGet, OrderState, Query>(all),
      Answered<OrderReport, OrderReported, Query>(all),
  };
  return rows;
}

template <class Rows>
auto Find(const Rows& rows, std::string_view name) -> decltype(&rows.front()) {
  const auto row =
      std::find_if(rows.begin(), rows.end(), [name](const auto& each) { return each.name == name; });
  return row == rows.end() ? nullptr : &*row;
}

template <class... Messages>
void Add(MessageName::Kind kind, const std::vector<Role>& roles, std::vector<MessageName>& names) {
  (names.push_back({kind, Messages::kName, Messages::kName, roles}), ...);
}

std::vector<MessageName> MakeCatalogue() {
  using Kind = MessageName::Kind;
  constexpr Role kMno = Role::kMno, kAsp = Role::kAsp, kOperator = Role::kOperator;
  std::vector<MessageName> names;
  for (const CommandRow& row : Commands()) names.push_back({Kind::kCommand, row.name, row.name, row.roles});
  for (const CommandRow& row : Commands()) names.push_back({Kind::kReply, row.name, row.reply, row.roles});
  for (const QueryRow& row : Queries()) names.push_back({Kind::kCommand, row.name, row.name, row.roles});
  for (const QueryRow& row : Queries()) names.push_back({Kind::kReply, row.name, row.reply, row.roles});
  Add<KeyGenerate, PayloadPush, AppletWipe>(Kind::kAction, {kMno}, names);
  Add<DeviceCertified>(Kind::kNotification, {kAsp}, names);
  Add<DeviceActivated, DeviceDeactivated, DeviceReactivated, DeviceDeleted, DeviceFailed>(
      Kind::kNotification, {kMno, kAsp}, names);
  Add<OrderProgress, OrderDone>(Kind::kNotification, {kMno, kAsp, kOperator}, names);
  // Neither has a struct of this folder's: what is said of an error is registry::Error, and the envelope has no data.
  names.push_back({Kind::kDocument, "error", "error", {}});
  Add<RegistryPayload, Bootstrap, Resolver, Endpoint, EndpointTrust, Wifi, Container, DeviceBrief, DeviceWait,
      DeviceStep, OrderSelection, OrderItem>(Kind::kDocument, {}, names);
  names.push_back({Kind::kDocument, "envelope", "envelope", {}});
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
