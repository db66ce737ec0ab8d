#include "bridge/ingest/commands.h"

#include <algorithm>
#include <set>

#include "schemas/base/check.h"
#include "workers/lifecycle/lifecycle.h"
#include "workers/lifecycle/reads.h"
#include "workers/orders/orders.h"

namespace registry::ingest {
namespace {

using domain::Case;
using domain::Reply;

template <class Message, class Variant>
struct IsIn;
template <class Message, class... All>
struct IsIn<Message, std::variant<All...>> : std::disjunction<std::is_same<Message, All>...> {};
template <class Message>
constexpr bool kIsRead = IsIn<Message, wire::Query>::value;

template <class Message>
using Said = std::conditional_t<kIsRead<Message>, wire::Query, wire::Command>;

template <class Message>
const Message& As(const Asked& asked) {
  return std::get<Message>(std::get<Said<Message>>(asked));
}

template <class Message>
Result<Asked> DecodeAs(const nlohmann::json& data) {
  auto message = wire::Decode<Message>(data);
  if (!message) return message.error();
  return Asked(Said<Message>(*std::move(message)));
}

// ---- lanes

template <class Message>
std::size_t OfDevice(const Message& message, const PartyId&) {
  return std::hash<DeviceId>{}(message.device);
}
template <class Message>
std::size_t OfSender(const Message&, const PartyId& sender) {
  return std::hash<std::string>{}(sender.text());
}
std::size_t OfEsim(const wire::EsimRegister& message, const PartyId&) {
  return std::hash<std::string>{}(message.eid.text());
}

// Two requests for one device may wait on two lanes; the ledger's versions decide then.
std::size_t OfWanted(const wire::TransferRequest& message, const PartyId& sender) {
  return message.device ? std::hash<DeviceId>{}(*message.device) : OfSender(message, sender);
}
// Its id begins like its device's (lifecycle::NewTransferId), so it goes through the device's lane; any other names none.
template <class Message>
std::size_t OfTransfer(const Message& message, const PartyId& sender) {
  const auto like_device = DeviceId::Parse(message.transfer.text());
  return like_device ? std::hash<DeviceId>{}(*like_device) : OfSender(message, sender);
}

// ---- decisions

// The room that knows the message: overload resolution finds it.
template <class Message>
Result<Reply> ByItsRoom(const Message& message, Case& at, const Desk&) {
  using lifecycle::Decide, orders::Decide, lifecycle::Read, orders::Read;
  if constexpr (kIsRead<Message>) {
    auto told = Read(message, at);
    if (!told) return told.error();
    return wire::Encode(*told);
  } else {
    return Decide(message, at);
  }
}

Result<Reply> Register(const wire::EsimRegister& command, Case& at, const Desk& desk) {
  const PartyId& party = at.origin.party;
  if (auto may = desk.register_guard.MayRegister(party, at.context.now); !may) return may.error();
  auto reply = lifecycle::Decide(command, at);
  const std::string symbol = reply ? "" : reply.error().symbol;
  if (symbol == "esim_unavailable" || symbol == "authorisation_invalid")
    desk.register_guard.Refused(party, at.context.now);
  return reply;
}

Result<Reply> Certify(const wire::CsrSubmit& command, Case& at, const Desk& desk) {
  return csr_sign::Decide(command, at, *desk.issuer);
}
// What its devices have then is not what it says: they are given it by an order.
Result<Reply> Publish(const wire::EndpointPublish& command, Case& at, const Desk&) {
  const auto changes = lifecycle::Replaces(command.endpoint, at);
  if (!changes) return changes.error();
  auto reply = lifecycle::Decide(command, at);
  if (!reply || !*changes) return reply;
  const auto order = orders::StartReprovision(command.endpoint.name, at);
  if (!order) return order.error();
  if (*order) (*reply)["order"] = (*order)->text();
  return reply;
}
Result<Reply> Replay(const wire::FeedReplay& command, Case& at, const Desk& desk) {
  return desk.feeds.Replay(command, at);
}
Result<Reply> TellQuota(const wire::QuotaGet&, Case& at, const Desk& desk) {
  return wire::Encode(desk.limits.Tell(at.origin.party, at.context.now));
}
Result<Reply> Acknowledge(const wire::FeedAck& command, Case& at, const Desk& desk) {
  return desk.feeds.Acknowledge(command, at);
}

// ---- rows

template <class Message>
CommandRow Row(LimitClass limit, std::size_t (*lane)(const Message&, const PartyId&),
               Result<Reply> (*decide)(const Message&, Case&, const Desk&) = ByItsRoom<Message>) {
  return {Message::kName,
          wire::RolesOf(Message::kName),
          kIsRead<Message> ? Way::kReads : Way::kMarks,
          limit,
          DecodeAs<Message>,
          [lane](const Asked& asked, const PartyId& sender) { return lane(As<Message>(asked), sender); },
          [decide](const Asked& asked, Case& at, const Desk& desk) {
            return decide(As<Message>(asked), at, desk);
          }};
}

std::vector<CommandRow> MakeRows() {
  return {
      Row<wire::EsimRegister>(LimitClass::kWrite, OfEsim, Register),
      Row<wire::DeviceAttach>(LimitClass::kReport, OfDevice),
      Row<wire::CsrSubmit>(LimitClass::kReport, OfDevice, Certify),
      Row<wire::EndpointPublish>(LimitClass::kWrite, OfSender, Publish),
      Row<wire::DeviceClaim>(LimitClass::kAuthorise, OfDevice),
      Row<wire::WifiSet>(LimitClass::kWrite, OfDevice),
      Row<wire::DeviceDeactivate>(LimitClass::kWrite, OfDevice),
      Row<wire::DeviceReactivate>(LimitClass::kWrite, OfDevice),
      Row<wire::DeviceDelete>(LimitClass::kWrite, OfDevice),
      Row<wire::FeedReplay>(LimitClass::kBulk, OfSender, Replay),
      Row<wire::FeedAck>(LimitClass::kWrite, OfSender, Acknowledge),
      Row<wire::DoProgress>(LimitClass::kReport, OfDevice),
      Row<wire::DoResult>(LimitClass::kReport, OfDevice),
      Row<wire::DeviceGet>(LimitClass::kRead, OfDevice),
      Row<wire::DeviceList>(LimitClass::kRead, OfSender),
      Row<wire::DeviceTrace>(LimitClass::kRead, OfDevice),
      Row<wire::DeviceDetach>(LimitClass::kReport, OfDevice),
      Row<wire::DeviceRelease>(LimitClass::kWrite, OfDevice),
      Row<wire::DeviceMove>(LimitClass::kWrite, OfDevice),
      Row<wire::DeviceSuspend>(LimitClass::kWrite, OfDevice),
      Row<wire::DeviceResume>(LimitClass::kWrite, OfDevice),
      Row<wire::DeviceDisconnect>(LimitClass::kWrite, OfDevice),
      Row<wire::DeviceReconnect>(LimitClass::kWrite, OfDevice),
      Row<wire::DeviceRestore>(LimitClass::kWrite, OfDevice),
      Row<wire::DeviceRekey>(LimitClass::kWrite, OfDevice),
      Row<wire::AuthorisationSet>(LimitClass::kWrite, OfDevice),
      Row<wire::TransferRequest>(LimitClass::kAuthorise, OfWanted),
      Row<wire::TransferApprove>(LimitClass::kWrite, OfTransfer),
      Row<wire::TransferReject>(LimitClass::kWrite, OfTransfer),
      Row<wire::TransferCancel>(LimitClass::kWrite, OfTransfer),
      Row<wire::EndpointWithdraw>(LimitClass::kWrite, OfSender),
      Row<wire::EndpointList>(LimitClass::kRead, OfSender),
      Row<wire::TransferList>(LimitClass::kRead, OfSender),
      Row<wire::QuotaGet>(LimitClass::kRead, OfSender, TellQuota),
      Row<wire::OrderStart>(LimitClass::kBulk, OfSender),
      Row<wire::OrderPause>(LimitClass::kWrite, OfSender),
      Row<wire::OrderResume>(LimitClass::kWrite, OfSender),
      Row<wire::OrderCancel>(LimitClass::kWrite, OfSender),
      Row<wire::OrderGet>(LimitClass::kRead, OfSender),
      Row<wire::OrderReport>(LimitClass::kRead, OfSender),
      Row<wire::OrderList>(LimitClass::kRead, OfSender),
  };
}

// One that is in the catalogue only could not be decided, one that is here only could not be sent.
std::vector<CommandRow> HeldToCatalogue(std::vector<CommandRow> rows) {
  std::multiset<std::string_view> here, there;
  for (const CommandRow& row : rows) here.insert(row.name);
  for (const wire::MessageName& message : wire::Catalogue()) {
    if (message.kind == wire::MessageName::Kind::kCommand) there.insert(message.name);
  }
  REG_CHECK(here == there);
  REG_CHECK(rows.size() == std::variant_size_v<wire::Command> + std::variant_size_v<wire::Query>);
  return rows;
}

}  // namespace

const std::vector<CommandRow>& Commands() {
  static const std::vector<CommandRow> rows = HeldToCatalogue(MakeRows());
  return rows;
}

const CommandRow* FindCommand(std::string_view name) {
  const auto& rows = Commands();
  const auto row =
      std::find_if(rows.begin(), rows.end(), [name](const auto& each) { return each.name == name; });
  return row == rows.end() ? nullptr : &*row;
}

}  // namespace registry::ingest
