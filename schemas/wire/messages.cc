// The field tables of every message in messages.h, in its order.
#include "schemas/wire/messages.h"

#include <map>

#include "schemas/wire/life_tables.h"
#include "schemas/wire/order_tables.h"
#include "schemas/wire/parts.h"
#include "schemas/wire/read_messages.h"

namespace registry::wire {
namespace {

using Device = IdForm<DeviceId>;
using JobName = IdForm<JobId>;
using Party = IdForm<PartyId>;
using EndpointId = IdForm<EndpointName>;

struct StageWords {
  static constexpr std::array<std::string_view, 6> kWords{"queued",   "submitted",      "delivered",
                                                          "executed", "waiting_device", "retry"};
};
struct OutcomeWords {
  static constexpr std::array<std::string_view, 3> kWords{"success", "failed",
                                                          "unknown"};  // order of Outcome
};

struct PilotFormWords {
  static constexpr std::array<std::string_view, 4> kWords{"trust_is_tlsa", "host_too_long", "name_too_long",
                                                          "released"};
};

// Deactivate, reactivate and delete say the same, and so do the notifications about them.
template <class Message>
Fields<Message> WithReason() {
  return {Must<Device, &Message::device>("device"), May<Line, &Message::reason>("reason")};
}
template <class Message>
Fields<Message> Ended() {
  return {Must<Device, &Message::device>("device"), Must<DnsName, &Message::name>("name"),
          Must<Party, &Message::by>("by"), May<Line, &Message::reason>("reason")};
}
template <class Message>
Fields<Message> Job() {
  return {Must<JobName, &Message::job>("job"), Must<Device, &Message::device>("device"),
          Must<Attempt, &Message::attempt>("attempt"), Must<Time, &Message::deadline>("deadline"),
          May<ProfileNumber, &Message::profile>("profile")};
}

}  // namespace

// ---- commands

template <>
const Fields<EsimRegister>& Table<EsimRegister>() {
  static const Fields<EsimRegister> table{
      Must<IdForm<Eid>, &EsimRegister::eid>("eid"), Must<IdForm<Iccid>, &EsimRegister::iccid>("iccid"),
      May<AuthorisationCode, &EsimRegister::authorisation_code>("authorisationCode")};
  return table;
}
template <>
const Fields<DeviceAttach>& Table<DeviceAttach>() {
  static const Fields<DeviceAttach> table{Must<Device, &DeviceAttach::device>("device"),
                                          May<ProfileNumber, &DeviceAttach::profile>("profile")};
  return table;
}
template <>
const Fields<CsrSubmit>& Table<CsrSubmit>() {
  static const Fields<CsrSubmit> table{Must<Device, &CsrSubmit::device>("device"),
                                       Must<Csr, &CsrSubmit::csr>("csr"),
                                       May<JobName, &CsrSubmit::job>("job")};
  return table;
}
template <>
const Fields<EndpointPublish>& Table<EndpointPublish>() {
  static const Fields<EndpointPublish> table{Must<EndpointPart, &EndpointPublish::endpoint>("endpoint")};
  return table;
}
template <>
const Fields<DeviceClaim>& Table<DeviceClaim>() {
  static const Fields<DeviceClaim> table{
      Must<Device, &DeviceClaim::device>("device"),
      Must<AuthorisationCode, &DeviceClaim::authorisation_code>("authorisationCode"),
      Must<EndpointId, &DeviceClaim::endpoint>("endpoint")};
  return table;
}
template <>
const Fields<WifiSet>& Table<WifiSet>() {
  static const Fields<WifiSet> table{Must<Device, &WifiSet::device>("device"),
                                     May<WifiPart, &WifiSet::wifi>("wifi")};
  return table;
}

template <>
const Fields<DeviceDeactivate>& Table<DeviceDeactivate>() {
  static const Fields<DeviceDeactivate> table = [] {
    auto fields = WithReason<DeviceDeactivate>();
    fields.push_back(May<Switch, &DeviceDeactivate::disconnect>("disconnect"));
    fields.push_back(May<Ordinal, &DeviceDeactivate::record_version>("recordVersion"));
    return fields;
  }();
  return table;
}
template <>
const Fields<DeviceReactivate>& Table<DeviceReactivate>() {
  static const auto table = WithReason<DeviceReactivate>();
  return table;
}
template <>
const Fields<DeviceDelete>& Table<DeviceDelete>() {
  static const auto table = WithReason<DeviceDelete>();
  return table;
}
template <>
const Fields<FeedReplay>& Table<FeedReplay>() {
  static const Fields<FeedReplay> table{Must<Count, &FeedReplay::from_seq>("fromSeq", "from_seq")};
  return table;
}
template <>
const Fields<FeedAck>& Table<FeedAck>() {
  static const Fields<FeedAck> table{Must<Count, &FeedAck::seq>("seq")};
  return table;
}
template <>
const Fields<DoProgress>& Table<DoProgress>() {
  static const Fields<DoProgress> table{
      Must<JobName, &DoProgress::job>("job"), Must<Device, &DoProgress::device>("device"),
      Must<Count, &DoProgress::progress>("progress"), Must<Word<StageWords>, &DoProgress::stage>("stage"),
      May<Line, &DoProgress::detail>("detail")};
  return table;
}
template <>
const Fields<DoResult>& Table<DoResult>() {
  static const Fields<DoResult> table{Must<JobName, &DoResult::job>("job"),
                                      Must<Device, &DoResult::device>("device"),
                                      Must<Choice<Outcome, OutcomeWords>, &DoResult::outcome>("outcome"),
                                      May<Symbol, &DoResult::stage>("stage"),
                                      May<Symbol, &DoResult::reason>("reason"),
                                      May<Switch, &DoResult::retriable>("retriable")};
  return table;
}

// ---- replies

template <>
const Fields<EsimRegistered>& Table<EsimRegistered>() {
  static const Fields<EsimRegistered> table{
      Must<Device, &EsimRegistered::device>("device"),
      May<AuthorisationCode, &EsimRegistered::authorisation_code>("authorisationCode"),
      Must<BootstrapPart, &EsimRegistered::bootstrap>("bootstrap"),
      May<ProfileNumber, &EsimRegistered::profile>("profile")};
  return table;
}
template <>
const Fields<DeviceState>& Table<DeviceState>() {
  static const Fields<DeviceState> table{
      Must<Device, &DeviceState::device>("device"), Must<Word<StateWords>, &DeviceState::state>("state"),
      May<Word<PilotFormWords>, &DeviceState::pilot_form_absent>("pilotFormAbsent"),
      May<Holds, &DeviceState::holds>("holds")};
  return table;
}
template <>
const Fields<CertificateIssued>& Table<CertificateIssued>() {
  static const Fields<CertificateIssued> table{
      Must<Device, &CertificateIssued::device>("device"),
      Must<CertificatePem, &CertificateIssued::certificate>("certificate"),
      Must<SerialHex, &CertificateIssued::serial>("serial"),
      Must<Time, &CertificateIssued::not_after>("notAfter")};
  return table;
}
template <>
const Fields<EndpointPublished>& Table<EndpointPublished>() {
  static const Fields<EndpointPublished> table{
      Must<EndpointId, &EndpointPublished::endpoint>("endpoint"),
      Must<Ordinal, &EndpointPublished::revision>("revision"),
      May<Word<PilotFormWords>, &EndpointPublished::pilot_form_absent>("pilotFormAbsent"),
      May<IdForm<OrderId>, &EndpointPublished::order>("order")};
  return table;
}
template <>
const Fields<FeedStatus>& Table<FeedStatus>() {
  static const Fields<FeedStatus> table{Must<Count, &FeedStatus::last_seq>("lastSeq"),
                                        Must<Count, &FeedStatus::acked_seq>("ackedSeq"),
                                        Must<Count, &FeedStatus::replayed>("replayed")};
  return table;
}
template <>
const Fields<JobNoted>& Table<JobNoted>() {
  static const Fields<JobNoted> table{Must<JobName, &JobNoted::job>("job")};
  return table;
}

// ---- commands to an MNO

template <>
const Fields<KeyGenerate>& Table<KeyGenerate>() {
  static const auto table = Job<KeyGenerate>();
  return table;
}
template <>
const Fields<AppletWipe>& Table<AppletWipe>() {
  static const auto table = Job<AppletWipe>();
  return table;
}
template <>
const Fields<PayloadPush>& Table<PayloadPush>() {
  static const Fields<PayloadPush> table = [] {
    Fields<PayloadPush> fields = Job<PayloadPush>();
    fields.push_back(Must<Ordinal, &PayloadPush::version>("version"));
    fields.push_back(Must<Base64<1, 65536>, &PayloadPush::cms>("cms"));
    fields.push_back(Must<ListOf<ContainerPart, 0, 16>, &PayloadPush::containers>("containers"));
    fields.push_back(May<Word<PilotFormWords>, &PayloadPush::pilot_form_absent>("pilotFormAbsent"));
    return fields;
  }();
  return table;
}

// ---- notifications

template <>
const Fields<DeviceCertified>& Table<DeviceCertified>() {
  static const Fields<DeviceCertified> table{
      Must<Device, &DeviceCertified::device>("device"), Must<DnsName, &DeviceCertified::name>("name"),
      Must<CertificatePem, &DeviceCertified::certificate>("certificate"),
      Must<Time, &DeviceCertified::not_after>("notAfter")};
  return table;
}
template <>
const Fields<DeviceActivated>& Table<DeviceActivated>() {
  static const Fields<DeviceActivated> table{
      Must<Device, &DeviceActivated::device>("device"), Must<DnsName, &DeviceActivated::name>("name"),
      Must<EndpointId, &DeviceActivated::endpoint>("endpoint"),
      Must<Sha256Hex, &DeviceActivated::certificate_sha256>("certificateSha256")};
  return table;
}
template <>
const Fields<DeviceDeactivated>& Table<DeviceDeactivated>() {
  static const auto table = Ended<DeviceDeactivated>();
  return table;
}
template <>
const Fields<DeviceReactivated>& Table<DeviceReactivated>() {
  static const auto table = Ended<DeviceReactivated>();
  return table;
}
template <>
const Fields<DeviceDeleted>& Table<DeviceDeleted>() {
  static const auto table = Ended<DeviceDeleted>();
  return table;
}
template <>
const Fields<DeviceFailed>& Table<DeviceFailed>() {
  static const Fields<DeviceFailed> table{Must<Device, &DeviceFailed::device>("device"),
                                          Must<DnsName, &DeviceFailed::name>("name"),
                                          Must<ErrorPart, &DeviceFailed::error>("error")};
  return table;
}

template <>
const Fields<RegistryPayload>& Table<RegistryPayload>() {
  static const Fields<RegistryPayload> table{
      Must<Ordinal, &RegistryPayload::version>("version"),
      Must<Time, &RegistryPayload::issued>("issued"),
      Must<Time, &RegistryPayload::expires>("expires"),
      Must<BootstrapPart, &RegistryPayload::bootstrap>("bootstrap"),
      Must<CertificateDer, &RegistryPayload::certificate>("certificate"),
      May<Party, &RegistryPayload::asp>("asp"),
      May<EndpointPart, &RegistryPayload::endpoint>("endpoint")};
  return table;
}

// ---- the tables by the stem of their schema

namespace {

struct Struct {
  std::vector<FieldRule> (*describe)();
  Result<json> (*recode)(const json& data);
};

template <class Message>
Result<json> RecodeAs(const json& data) {
  Message message;
  if (Fault fault = ReadObject(data, &message)) return *std::move(fault);
  return WriteObject(message);
}

template <class Message>
constexpr Struct kStruct{Describe<Message>, RecodeAs<Message>};

#define REGISTRY_ONE(Message) {Message::kName, kStruct<Message>},
#define REGISTRY_MANY(Message, ...) REGISTRY_ONE(Message)
const std::map<std::string_view, Struct>& Structs() {
  static const std::map<std::string_view, Struct> structs{
      REGISTRY_STRUCTS(REGISTRY_MANY, REGISTRY_ONE){ErrorStem::kName, kStruct<Error>}};
  return structs;
}
#undef REGISTRY_ONE
#undef REGISTRY_MANY

}  // namespace

std::vector<std::string> TableStems() {
  std::vector<std::string> stems;
  for (const auto& [stem, functions] : Structs()) stems.emplace_back(stem);
  return stems;
}

std::vector<FieldRule> FieldRules(std::string_view stem) {
  const auto found = Structs().find(stem);
  return found == Structs().end() ? std::vector<FieldRule>{} : found->second.describe();
}

Result<json> Recode(std::string_view stem, const json& data) {
  const auto found = Structs().find(stem);
  if (found == Structs().end()) return Error::Make(Code::kNotFound, "schema_unknown", "no such schema");
  return found->second.recode(data);
}

#define REGISTRY_ONE(Message)                                 \
  template Result<Message> Decode<Message>(const json& data); \
  template json Encode<Message>(const Message& message);
#define REGISTRY_MANY(Message, ...) REGISTRY_ONE(Message)
REGISTRY_STRUCTS(REGISTRY_MANY, REGISTRY_ONE)
#undef REGISTRY_ONE
#undef REGISTRY_MANY

}  // namespace registry::wire
