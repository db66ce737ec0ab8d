// The field tables of every message in life_messages.h, in its order.
#include "schemas/wire/life_messages.h"

#include "schemas/wire/life_tables.h"
#include "schemas/wire/parts.h"
#include "schemas/wire/queries.h"

namespace registry::wire {
namespace {

using Device = IdForm<DeviceId>;
using TransferName = IdForm<TransferId>;
using JobName = IdForm<JobId>;
using Party = IdForm<PartyId>;
using EndpointId = IdForm<EndpointName>;
using Limit = Integer<std::uint64_t, 1, 500>;

struct PurposeWords {
  static constexpr std::array<std::string_view, 2> kWords{"claim", "transfer"};
};
struct KindWords {
  static constexpr std::array<std::string_view, 2> kWords{"mno", "asp"};
};
struct TransferStateWords {
  static constexpr std::array<std::string_view, 6> kWords{"pending",   "approved",  "rejected",
                                                          "cancelled", "completed", "failed"};
};
struct ProfileStateWords {
  static constexpr std::array<std::string_view, 4> kWords{"installed", "enabled", "disabled", "deleted"};
};
struct PhaseWords {
  static constexpr std::array<std::string_view, 3> kWords{"next", "live", "retiring"};
};

template <class Message>
Fields<Message> OfDevice() {
  return {Must<Device, &Message::device>("device"), May<Line, &Message::reason>("reason")};
}
template <class Message>
Fields<Message> OfTransfer() {
  return {Must<TransferName, &Message::transfer>("transfer"), May<Line, &Message::reason>("reason")};
}
template <class Message>
Fields<Message> OfProfile() {
  return {Must<JobName, &Message::job>("job"), Must<Device, &Message::device>("device"),
          Must<Attempt, &Message::attempt>("attempt"), Must<Time, &Message::deadline>("deadline"),
          Must<ProfileNumber, &Message::profile>("profile")};
}
template <class Message>
Fields<Message> Named() {
  return {Must<Device, &Message::device>("device"), Must<DnsName, &Message::name>("name")};
}
template <class Message>
Fields<Message> ByWhom() {
  auto fields = Named<Message>();
  fields.push_back(Must<Party, &Message::by>("by"));
  fields.push_back(May<Line, &Message::reason>("reason"));
  return fields;
}
template <class Message>
Fields<Message> Held() {
  auto fields = ByWhom<Message>();
  fields.push_back(May<Holds, &Message::holds>("holds"));
  return fields;
}
template <class Message>
Fields<Message> Standing() {
  return {Must<TransferName, &Message::transfer>("transfer"),
          Must<Device, &Message::device>("device"),
          Must<Word<KindWords>, &Message::kind>("kind"),
          Must<Word<TransferStateWords>, &Message::state>("state"),
          Must<Party, &Message::from>("from"),
          Must<Party, &Message::to>("to"),
          Must<Time, &Message::requested>("requested"),
          Must<Time, &Message::decides_at>("decidesAt"),
          May<ProfileNumber, &Message::profile>("profile")};
}
template <class Message>
Fields<Message> Told() {
  auto fields = Standing<Message>();
  fields.push_back(Must<Party, &Message::by>("by"));
  fields.push_back(May<Line, &Message::reason>("reason"));
  return fields;
}

template <class Message>
Fields<Message> OfSecondary() {
  return {Must<Line, &Message::secondary>("secondary"), Must<Time, &Message::since>("since")};
}

}  // namespace

// ---- commands

template <>
const Fields<DeviceDetach>& Table<DeviceDetach>() {
  static const Fields<DeviceDetach> table{Must<Device, &DeviceDetach::device>("device"),
                                          May<ProfileNumber, &DeviceDetach::profile>("profile")};
  return table;
}
template <>
const Fields<DeviceRelease>& Table<DeviceRelease>() {
  static const auto table = OfDevice<DeviceRelease>();
  return table;
}
template <>
const Fields<DeviceMove>& Table<DeviceMove>() {
  static const Fields<DeviceMove> table{Must<Device, &DeviceMove::device>("device"),
                                        Must<EndpointId, &DeviceMove::endpoint>("endpoint")};
  return table;
}
template <>
const Fields<DeviceSuspend>& Table<DeviceSuspend>() {
  static const auto table = OfDevice<DeviceSuspend>();
  return table;
}
template <>
const Fields<DeviceResume>& Table<DeviceResume>() {
  static const auto table = OfDevice<DeviceResume>();
  return table;
}
template <>
const Fields<DeviceDisconnect>& Table<DeviceDisconnect>() {
  static const auto table = OfDevice<DeviceDisconnect>();
  return table;
}
template <>
const Fields<DeviceReconnect>& Table<DeviceReconnect>() {
  static const auto table = OfDevice<DeviceReconnect>();
  return table;
}
template <>
const Fields<DeviceRestore>& Table<DeviceRestore>() {
  static const auto table = OfDevice<DeviceRestore>();
  return table;
}
template <>
const Fields<DeviceRekey>& Table<DeviceRekey>() {
  static const auto table = OfDevice<DeviceRekey>();
  return table;
}
template <>
const Fields<AuthorisationSet>& Table<AuthorisationSet>() {
  static const Fields<AuthorisationSet> table{
      Must<Device, &AuthorisationSet::device>("device"),
      Must<Word<PurposeWords>, &AuthorisationSet::purpose>("purpose"),
      May<Integer<std::uint32_t, 1, 365>, &AuthorisationSet::valid_days>("validDays"),
      May<Line, &AuthorisationSet::reason>("reason")};
  return table;
}
template <>
const Fields<TransferRequest>& Table<TransferRequest>() {
  static const Fields<TransferRequest> table{
      May<Device, &TransferRequest::device>("device"), May<IdForm<Eid>, &TransferRequest::eid>("eid"),
      Must<AuthorisationCode, &TransferRequest::authorisation_code>("authorisationCode"),
      May<IdForm<Iccid>, &TransferRequest::iccid>("iccid"),
      May<EndpointId, &TransferRequest::endpoint>("endpoint")};
  return table;
}
template <>
Fault Consistent<TransferRequest>(const TransferRequest& request) {
  if (request.device.has_value() == request.eid.has_value())
    return BadValue("transfer_mismatch", "takes one of device and eid");
  if (request.iccid.has_value() == request.endpoint.has_value())
    return BadValue("transfer_mismatch", "takes one of iccid and endpoint");
  return std::nullopt;
}
template <>
const Fields<TransferApprove>& Table<TransferApprove>() {
  static const auto table = OfTransfer<TransferApprove>();
  return table;
}
template <>
const Fields<TransferReject>& Table<TransferReject>() {
  static const auto table = OfTransfer<TransferReject>();
  return table;
}
template <>
const Fields<TransferCancel>& Table<TransferCancel>() {
  static const auto table = OfTransfer<TransferCancel>();
  return table;
}
template <>
const Fields<EndpointWithdraw>& Table<EndpointWithdraw>() {
  static const Fields<EndpointWithdraw> table{Must<EndpointId, &EndpointWithdraw::name>("name")};
  return table;
}

// ---- reads

template <>
const Fields<EndpointList>& Table<EndpointList>() {
  static const Fields<EndpointList> table{May<EndpointId, &EndpointList::after>("after"),
                                          May<Limit, &EndpointList::limit>("limit")};
  return table;
}
template <>
const Fields<TransferList>& Table<TransferList>() {
  static const Fields<TransferList> table{May<Word<TransferStateWords>, &TransferList::state>("state"),
                                          May<Cursor, &TransferList::after>("after"),
                                          May<Limit, &TransferList::limit>("limit")};
  return table;
}
template <>
const Fields<QuotaGet>& Table<QuotaGet>() {
  static const Fields<QuotaGet> table;
  return table;
}

// ---- replies

template <>
const Fields<Authorisation>& Table<Authorisation>() {
  static const Fields<Authorisation> table{
      Must<Device, &Authorisation::device>("device"),
      Must<Word<PurposeWords>, &Authorisation::purpose>("purpose"),
      Must<wire::AuthorisationCode, &Authorisation::authorisation_code>("authorisationCode"),
      Must<Time, &Authorisation::expires>("expires")};
  return table;
}
template <>
const Fields<TransferState>& Table<TransferState>() {
  static const auto table = Standing<TransferState>();
  return table;
}
template <>
const Fields<EndpointWithdrawn>& Table<EndpointWithdrawn>() {
  static const Fields<EndpointWithdrawn> table{Must<EndpointId, &EndpointWithdrawn::endpoint>("endpoint")};
  return table;
}
template <>
const Fields<EndpointInUse>& Table<EndpointInUse>() {
  static const Fields<EndpointInUse> table{Must<EndpointId, &EndpointInUse::endpoint>("endpoint"),
                                           Must<Ordinal, &EndpointInUse::revision>("revision"),
                                           Must<HostName, &EndpointInUse::fqdn>("fqdn"),
                                           Must<Port, &EndpointInUse::port>("port")};
  return table;
}
template <>
const Fields<EndpointListed>& Table<EndpointListed>() {
  static const Fields<EndpointListed> table{
      Must<ListOf<Part<EndpointInUse>, 0, 500>, &EndpointListed::endpoints>("endpoints"),
      May<EndpointId, &EndpointListed::next>("next")};
  return table;
}
template <>
const Fields<TransferListed>& Table<TransferListed>() {
  static const Fields<TransferListed> table{
      Must<ListOf<Part<TransferState>, 0, 500>, &TransferListed::transfers>("transfers"),
      May<Cursor, &TransferListed::next>("next")};
  return table;
}
template <>
const Fields<QuotaClass>& Table<QuotaClass>() {
  static const Fields<QuotaClass> table{
      Must<Word<LimitWords>, &QuotaClass::limit>("limit"), Must<Count, &QuotaClass::per_second>("perSecond"),
      Must<Count, &QuotaClass::burst>("burst"), Must<Count, &QuotaClass::left>("left")};
  return table;
}
template <>
const Fields<QuotaTold>& Table<QuotaTold>() {
  static const Fields<QuotaTold> table{Must<ListOf<Part<QuotaClass>, 0, 8>, &QuotaTold::limits>("limits")};
  return table;
}
template <>
const Fields<DeviceProfile>& Table<DeviceProfile>() {
  static const Fields<DeviceProfile> table{Must<ProfileNumber, &DeviceProfile::number>("number"),
                                           Must<Party, &DeviceProfile::mno>("mno"),
                                           Must<Word<ProfileStateWords>, &DeviceProfile::state>("state"),
                                           Must<Switch, &DeviceProfile::attached>("attached"),
                                           Must<Switch, &DeviceProfile::serving>("serving"),
                                           May<IdForm<Iccid>, &DeviceProfile::iccid>("iccid")};
  return table;
}
template <>
const Fields<DeviceCredential>& Table<DeviceCredential>() {
  static const Fields<DeviceCredential> table{Must<SerialHex, &DeviceCredential::serial>("serial"),
                                              Must<Word<PhaseWords>, &DeviceCredential::phase>("phase"),
                                              Must<ProfileNumber, &DeviceCredential::profile>("profile"),
                                              Must<Time, &DeviceCredential::not_after>("notAfter")};
  return table;
}

// ---- actions

template <>
const Fields<ProfileEnable>& Table<ProfileEnable>() {
  static const auto table = OfProfile<ProfileEnable>();
  return table;
}
template <>
const Fields<ProfileDisable>& Table<ProfileDisable>() {
  static const auto table = OfProfile<ProfileDisable>();
  return table;
}
template <>
const Fields<ProfileDelete>& Table<ProfileDelete>() {
  static const auto table = OfProfile<ProfileDelete>();
  return table;
}

// ---- notifications

template <>
const Fields<DeviceSuspended>& Table<DeviceSuspended>() {
  static const auto table = Held<DeviceSuspended>();
  return table;
}
template <>
const Fields<DeviceResumed>& Table<DeviceResumed>() {
  static const auto table = Held<DeviceResumed>();
  return table;
}
template <>
const Fields<DeviceDisconnected>& Table<DeviceDisconnected>() {
  static const auto table = ByWhom<DeviceDisconnected>();
  return table;
}
template <>
const Fields<DeviceReconnected>& Table<DeviceReconnected>() {
  static const auto table = ByWhom<DeviceReconnected>();
  return table;
}
template <>
const Fields<DeviceReleased>& Table<DeviceReleased>() {
  static const auto table = ByWhom<DeviceReleased>();
  return table;
}
template <>
const Fields<DeviceRestored>& Table<DeviceRestored>() {
  static const auto table = ByWhom<DeviceRestored>();
  return table;
}
template <>
const Fields<DeviceAttached>& Table<DeviceAttached>() {
  static const auto table = Named<DeviceAttached>();
  return table;
}
template <>
const Fields<DeviceDetached>& Table<DeviceDetached>() {
  static const auto table = Named<DeviceDetached>();
  return table;
}
template <>
const Fields<DeviceRenewed>& Table<DeviceRenewed>() {
  static const Fields<DeviceRenewed> table{Must<Device, &DeviceRenewed::device>("device"),
                                           Must<DnsName, &DeviceRenewed::name>("name"),
                                           Must<CertificatePem, &DeviceRenewed::certificate>("certificate"),
                                           Must<Time, &DeviceRenewed::not_after>("notAfter"),
                                           Must<SerialHex, &DeviceRenewed::replaced>("replaced")};
  return table;
}
template <>
const Fields<DeviceExpired>& Table<DeviceExpired>() {
  static const auto table = Named<DeviceExpired>();
  return table;
}
template <>
const Fields<DeviceMoved>& Table<DeviceMoved>() {
  static const Fields<DeviceMoved> table{Must<Device, &DeviceMoved::device>("device"),
                                         Must<DnsName, &DeviceMoved::name>("name"),
                                         Must<EndpointId, &DeviceMoved::endpoint>("endpoint")};
  return table;
}
template <>
const Fields<TransferRequested>& Table<TransferRequested>() {
  static const auto table = Told<TransferRequested>();
  return table;
}
template <>
const Fields<TransferApproved>& Table<TransferApproved>() {
  static const auto table = Told<TransferApproved>();
  return table;
}
template <>
const Fields<TransferRejected>& Table<TransferRejected>() {
  static const auto table = Told<TransferRejected>();
  return table;
}
template <>
const Fields<TransferCancelled>& Table<TransferCancelled>() {
  static const auto table = Told<TransferCancelled>();
  return table;
}
template <>
const Fields<TransferCompleted>& Table<TransferCompleted>() {
  static const auto table = Told<TransferCompleted>();
  return table;
}
template <>
const Fields<TransferFailed>& Table<TransferFailed>() {
  static const auto table = Told<TransferFailed>();
  return table;
}

template <>
const Fields<SecondaryLagged>& Table<SecondaryLagged>() {
  static const auto table = OfSecondary<SecondaryLagged>();
  return table;
}
template <>
const Fields<SecondaryRecovered>& Table<SecondaryRecovered>() {
  static const auto table = OfSecondary<SecondaryRecovered>();
  return table;
}

}  // namespace registry::wire
