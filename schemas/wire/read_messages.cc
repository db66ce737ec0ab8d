#include "schemas/wire/read_messages.h"

#include <array>

#include "schemas/wire/life_tables.h"
#include "schemas/wire/parts.h"

namespace registry::wire {
namespace {

using Device = IdForm<DeviceId>;
using Party = IdForm<PartyId>;
using EndpointId = IdForm<EndpointName>;

#define REGISTRY_NAME(Action, ...) Action::kName,
struct WaitWords {
  static constexpr std::array kWords{REGISTRY_ACTIONS(REGISTRY_NAME) std::string_view("zone.visible"),
                                     std::string_view("credential.step"),
                                     std::string_view("transfer.decide")};
};
#undef REGISTRY_NAME
using State = Word<StateWords>;

}  // namespace

template <>
const Fields<DeviceGet>& Table<DeviceGet>() {
  static const Fields<DeviceGet> table{Must<Device, &DeviceGet::device>("device")};
  return table;
}
template <>
const Fields<DeviceTrace>& Table<DeviceTrace>() {
  static const Fields<DeviceTrace> table{Must<Device, &DeviceTrace::device>("device")};
  return table;
}
template <>
const Fields<DeviceList>& Table<DeviceList>() {
  static const Fields<DeviceList> table{
      May<State, &DeviceList::state>("state"), May<EndpointId, &DeviceList::endpoint>("endpoint"),
      May<Time, &DeviceList::expires_before>("expiresBefore"), May<Cursor, &DeviceList::after>("after"),
      May<Integer<std::uint64_t, 1, 500>, &DeviceList::limit>("limit")};
  return table;
}

template <>
const Fields<DeviceBrief>& Table<DeviceBrief>() {
  static const Fields<DeviceBrief> table{
      Must<Device, &DeviceBrief::device>("device"),  Must<State, &DeviceBrief::state>("state"),
      May<Holds, &DeviceBrief::holds>("holds"),      Must<Party, &DeviceBrief::sponsor>("sponsor"),
      May<Party, &DeviceBrief::claimer>("claimer"),  May<EndpointId, &DeviceBrief::endpoint>("endpoint"),
      May<Time, &DeviceBrief::not_after>("notAfter")};
  return table;
}
template <>
const Fields<DeviceDescribed>& Table<DeviceDescribed>() {
  static const Fields<DeviceDescribed> table{
      Must<Device, &DeviceDescribed::device>("device"),
      Must<DnsName, &DeviceDescribed::name>("name"),
      Must<State, &DeviceDescribed::state>("state"),
      May<Holds, &DeviceDescribed::holds>("holds"),
      Must<Switch, &DeviceDescribed::attached>("attached"),
      Must<Party, &DeviceDescribed::sponsor>("sponsor"),
      May<Party, &DeviceDescribed::claimer>("claimer"),
      May<EndpointId, &DeviceDescribed::endpoint>("endpoint"),
      May<IdForm<Eid>, &DeviceDescribed::eid>("eid"),
      May<IdForm<Iccid>, &DeviceDescribed::iccid>("iccid"),
      May<SerialHex, &DeviceDescribed::serial>("serial"),
      May<Time, &DeviceDescribed::not_after>("notAfter"),
      May<ListOf<Part<DeviceProfile>, 0, 8>, &DeviceDescribed::profiles>("profiles"),
      May<ListOf<Part<DeviceCredential>, 0, 4>, &DeviceDescribed::credentials>("credentials"),
      May<IdForm<TransferId>, &DeviceDescribed::transfer>("transfer"),
      Must<Time, &DeviceDescribed::created>("created"),
      Must<Time, &DeviceDescribed::updated>("updated")};
  return table;
}
template <>
const Fields<DeviceListed>& Table<DeviceListed>() {
  static const Fields<DeviceListed> table{
      Must<ListOf<Part<DeviceBrief>, 0, 500>, &DeviceListed::devices>("devices"),
      May<Cursor, &DeviceListed::next>("next")};
  return table;
}
template <>
const Fields<DeviceWait>& Table<DeviceWait>() {
  static const Fields<DeviceWait> table{Must<Word<WaitWords>, &DeviceWait::what>("what"),
                                        Must<Party, &DeviceWait::who>("who"),
                                        Must<Attempt, &DeviceWait::attempt>("attempt"),
                                        May<Attempt, &DeviceWait::attempts>("attempts"),
                                        Must<Time, &DeviceWait::due>("due"),
                                        May<Time, &DeviceWait::given_up>("givenUp")};
  return table;
}
template <>
const Fields<DeviceStep>& Table<DeviceStep>() {
  static const Fields<DeviceStep> table{Must<Line, &DeviceStep::step>("step"),
                                        Must<Time, &DeviceStep::at>("at")};
  return table;
}
template <>
const Fields<DeviceTraced>& Table<DeviceTraced>() {
  static const Fields<DeviceTraced> table{
      Must<Device, &DeviceTraced::device>("device"), Must<State, &DeviceTraced::state>("state"),
      Must<LongLine, &DeviceTraced::says>("says"),
      Must<ListOf<Part<DeviceWait>, 0, 16>, &DeviceTraced::waits>("waits"),
      Must<ListOf<Part<DeviceStep>, 0, 32>, &DeviceTraced::steps>("steps")};
  return table;
}

}  // namespace registry::wire
