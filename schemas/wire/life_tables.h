// schemas/wire/life_tables.h: the field tables of the messages in life_messages.h. Room-internal.
#pragma once

#include "schemas/wire/fields.h"
#include "schemas/wire/life_messages.h"

namespace registry::wire {

template <>
const Fields<DeviceDetach>& Table<DeviceDetach>();
template <>
const Fields<DeviceRelease>& Table<DeviceRelease>();
template <>
const Fields<DeviceMove>& Table<DeviceMove>();
template <>
const Fields<DeviceSuspend>& Table<DeviceSuspend>();
template <>
const Fields<DeviceResume>& Table<DeviceResume>();
template <>
const Fields<DeviceDisconnect>& Table<DeviceDisconnect>();
template <>
const Fields<DeviceReconnect>& Table<DeviceReconnect>();
template <>
const Fields<DeviceRestore>& Table<DeviceRestore>();
template <>
const Fields<DeviceRekey>& Table<DeviceRekey>();
template <>
const Fields<AuthorisationSet>& Table<AuthorisationSet>();
template <>
const Fields<TransferRequest>& Table<TransferRequest>();
template <>
const Fields<TransferApprove>& Table<TransferApprove>();
template <>
const Fields<TransferReject>& Table<TransferReject>();
template <>
const Fields<TransferCancel>& Table<TransferCancel>();
template <>
const Fields<EndpointWithdraw>& Table<EndpointWithdraw>();
template <>
const Fields<EndpointList>& Table<EndpointList>();
template <>
const Fields<TransferList>& Table<TransferList>();
template <>
const Fields<QuotaGet>& Table<QuotaGet>();
template <>
const Fields<Authorisation>& Table<Authorisation>();
template <>
const Fields<TransferState>& Table<TransferState>();
template <>
const Fields<EndpointWithdrawn>& Table<EndpointWithdrawn>();
template <>
const Fields<EndpointInUse>& Table<EndpointInUse>();
template <>
const Fields<EndpointListed>& Table<EndpointListed>();
template <>
const Fields<TransferListed>& Table<TransferListed>();
template <>
const Fields<QuotaClass>& Table<QuotaClass>();
template <>
const Fields<QuotaTold>& Table<QuotaTold>();
template <>
const Fields<DeviceProfile>& Table<DeviceProfile>();
template <>
const Fields<DeviceCredential>& Table<DeviceCredential>();
template <>
const Fields<ProfileEnable>& Table<ProfileEnable>();
template <>
const Fields<ProfileDisable>& Table<ProfileDisable>();
template <>
const Fields<ProfileDelete>& Table<ProfileDelete>();
template <>
const Fields<DeviceSuspended>& Table<DeviceSuspended>();
template <>
const Fields<DeviceResumed>& Table<DeviceResumed>();
template <>
const Fields<DeviceDisconnected>& Table<DeviceDisconnected>();
template <>
const Fields<DeviceReconnected>& Table<DeviceReconnected>();
template <>
const Fields<DeviceReleased>& Table<DeviceReleased>();
template <>
const Fields<DeviceRestored>& Table<DeviceRestored>();
template <>
const Fields<DeviceAttached>& Table<DeviceAttached>();
template <>
const Fields<DeviceDetached>& Table<DeviceDetached>();
template <>
const Fields<DeviceRenewed>& Table<DeviceRenewed>();
template <>
const Fields<DeviceExpired>& Table<DeviceExpired>();
template <>
const Fields<DeviceMoved>& Table<DeviceMoved>();
template <>
const Fields<TransferRequested>& Table<TransferRequested>();
template <>
const Fields<TransferApproved>& Table<TransferApproved>();
template <>
const Fields<TransferRejected>& Table<TransferRejected>();
template <>
const Fields<TransferCancelled>& Table<TransferCancelled>();
template <>
const Fields<TransferCompleted>& Table<TransferCompleted>();
template <>
const Fields<TransferFailed>& Table<TransferFailed>();
template <>
const Fields<SecondaryLagged>& Table<SecondaryLagged>();
template <>
const Fields<SecondaryRecovered>& Table<SecondaryRecovered>();
// One of `device` and `eid`, and one of `iccid` and `endpoint`.
template <>
Fault Consistent<TransferRequest>(const TransferRequest& request);

}  // namespace registry::wire
