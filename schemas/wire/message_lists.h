// schemas/wire/message_lists.h: which structs are messages, of which kind, who says or is told them, and what answers them.
// Each list is said once, here. The catalogue, the variants Command and Query, the codec's instances and the words of
// device-wait are made of the lists. A list is a macro that says X for each row, and needs no header.
#pragma once

// clang-format off

// X(struct, struct of the accepted reply, roles that may say it...)
#define REGISTRY_COMMANDS(X) \
  X(EsimRegister, EsimRegistered, kMno) \
  X(DeviceAttach, DeviceState, kMno) \
  X(CsrSubmit, CertificateIssued, kMno) \
  X(EndpointPublish, EndpointPublished, kAsp) \
  X(DeviceClaim, DeviceState, kAsp) \
  X(WifiSet, DeviceState, kAsp) \
  X(DeviceDeactivate, DeviceState, kAsp, kOperator) \
  X(DeviceReactivate, DeviceState, kAsp, kOperator) \
  X(DeviceDelete, DeviceState, kAsp, kOperator) \
  X(FeedReplay, FeedStatus, kMno, kAsp, kOperator) \
  X(FeedAck, FeedStatus, kMno, kAsp, kOperator) \
  X(OrderStart, OrderState, kMno, kAsp, kOperator) \
  X(OrderPause, OrderState, kMno, kAsp, kOperator) \
  X(OrderResume, OrderState, kMno, kAsp, kOperator) \
  X(OrderCancel, OrderState, kMno, kAsp, kOperator) \
  X(DeviceDetach, DeviceState, kMno) \
  X(DeviceRelease, DeviceState, kAsp) \
  X(DeviceMove, DeviceState, kAsp) \
  X(DeviceSuspend, DeviceState, kMno, kAsp, kOperator) \
  X(DeviceResume, DeviceState, kMno, kAsp, kOperator) \
  X(DeviceDisconnect, DeviceState, kAsp, kOperator) \
  X(DeviceReconnect, DeviceState, kAsp, kOperator) \
  X(DeviceRestore, DeviceState, kAsp, kOperator) \
  X(DeviceRekey, DeviceState, kMno, kAsp, kOperator) \
  X(AuthorisationSet, Authorisation, kMno, kAsp, kOperator) \
  X(TransferRequest, TransferState, kMno, kAsp) \
  X(TransferApprove, TransferState, kMno, kAsp, kOperator) \
  X(TransferReject, TransferState, kMno, kAsp, kOperator) \
  X(TransferCancel, TransferState, kMno, kAsp) \
  X(EndpointWithdraw, EndpointWithdrawn, kAsp) \
  X(DoProgress, JobNoted, kMno) \
  X(DoResult, JobNoted, kMno)

// Commands that only ask.
#define REGISTRY_QUERIES(X) \
  X(DeviceGet, DeviceDescribed, kMno, kAsp, kOperator) \
  X(DeviceList, DeviceListed, kMno, kAsp, kOperator) \
  X(DeviceTrace, DeviceTraced, kMno, kAsp, kOperator) \
  X(OrderGet, OrderState, kMno, kAsp, kOperator) \
  X(OrderReport, OrderReported, kMno, kAsp, kOperator) \
  X(OrderList, OrderListed, kMno, kAsp, kOperator) \
  X(EndpointList, EndpointListed, kAsp) \
  X(TransferList, TransferListed, kMno, kAsp, kOperator) \
  X(QuotaGet, QuotaTold, kMno, kAsp, kOperator)

// X(struct): each reply once, however many commands it answers.
#define REGISTRY_REPLIES(X) \
  X(EsimRegistered) \
  X(DeviceState) \
  X(CertificateIssued) \
  X(EndpointPublished) \
  X(FeedStatus) \
  X(JobNoted) \
  X(OrderState) \
  X(DeviceDescribed) \
  X(DeviceListed) \
  X(DeviceTraced) \
  X(OrderReported) \
  X(OrderListed) \
  X(Authorisation) \
  X(TransferState) \
  X(EndpointWithdrawn) \
  X(EndpointListed) \
  X(TransferListed) \
  X(QuotaTold)

// X(struct, roles that are told...)
#define REGISTRY_ACTIONS(X) \
  X(KeyGenerate, kMno) \
  X(PayloadPush, kMno) \
  X(AppletWipe, kMno) \
  X(ProfileEnable, kMno) \
  X(ProfileDisable, kMno) \
  X(ProfileDelete, kMno)

#define REGISTRY_NOTIFICATIONS(X) \
  X(DeviceCertified, kAsp) \
  X(DeviceActivated, kMno, kAsp) \
  X(DeviceDeactivated, kMno, kAsp) \
  X(DeviceReactivated, kMno, kAsp) \
  X(DeviceDeleted, kMno, kAsp) \
  X(DeviceFailed, kMno, kAsp) \
  X(OrderProgress, kMno, kAsp, kOperator) \
  X(OrderDone, kMno, kAsp, kOperator) \
  X(DeviceSuspended, kMno, kAsp) \
  X(DeviceResumed, kMno, kAsp) \
  X(DeviceDisconnected, kMno, kAsp) \
  X(DeviceReconnected, kMno, kAsp) \
  X(DeviceReleased, kMno, kAsp) \
  X(DeviceRestored, kMno, kAsp) \
  X(DeviceAttached, kAsp) \
  X(DeviceDetached, kAsp) \
  X(DeviceRenewed, kMno, kAsp) \
  X(DeviceExpired, kMno, kAsp) \
  X(DeviceMoved, kMno, kAsp) \
  X(TransferRequested, kMno, kAsp) \
  X(TransferApproved, kMno, kAsp) \
  X(TransferRejected, kMno, kAsp) \
  X(TransferCancelled, kMno, kAsp) \
  X(TransferCompleted, kMno, kAsp) \
  X(TransferFailed, kMno, kAsp) \
  X(SecondaryLagged, kOperator) \
  X(SecondaryRecovered, kOperator)

// X(struct): what is inside messages, and documents. The error and the envelope are not among them, as neither has a struct
// of this folder's.
#define REGISTRY_PARTS(X) \
  X(RegistryPayload) \
  X(Bootstrap) \
  X(Resolver) \
  X(Endpoint) \
  X(EndpointTrust) \
  X(Wifi) \
  X(Container) \
  X(DeviceBrief) \
  X(DeviceWait) \
  X(DeviceStep) \
  X(OrderSelection) \
  X(OrderItem) \
  X(EndpointInUse) \
  X(QuotaClass) \
  X(DeviceProfile) \
  X(DeviceCredential)

// All of them: Many for the rows that say more than the struct, One for the others.
#define REGISTRY_STRUCTS(Many, One) \
  REGISTRY_COMMANDS(Many) \
  REGISTRY_QUERIES(Many) \
  REGISTRY_REPLIES(One) \
  REGISTRY_ACTIONS(Many) \
  REGISTRY_NOTIFICATIONS(Many) \
  REGISTRY_PARTS(One)
// clang-format on
