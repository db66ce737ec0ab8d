// schemas/wire/life_messages.h: the messages of a device's life between its activation and its end, as plain structs: holds,
// moves, authorisation codes, transfers, renewal, and what an MNO does with profiles. Their field tables are in
// life_messages.cc, their codec is codec.h's. Plain values, any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "schemas/base/bytes.h"
#include "schemas/base/utc_time.h"
#include "schemas/ids/ids.h"

namespace registry::wire {

// ---- commands

struct DeviceDetach {
  static constexpr std::string_view kName = "device.detach";
  DeviceId device;
  std::uint32_t profile = 0;  // 0: the serving one
};                            // MNO
struct DeviceRelease {
  static constexpr std::string_view kName = "device.release";
  DeviceId device;
  std::string reason;
};  // ASP
struct DeviceMove {
  static constexpr std::string_view kName = "device.move";
  DeviceId device;
  EndpointName endpoint;
};  // ASP
struct DeviceSuspend {
  static constexpr std::string_view kName = "device.suspend";
  DeviceId device;
  std::string reason;
};  // all
struct DeviceResume {
  static constexpr std::string_view kName = "device.resume";
  DeviceId device;
  std::string reason;
};  // all
struct DeviceDisconnect {
  static constexpr std::string_view kName = "device.disconnect";
  DeviceId device;
  std::string reason;
};  // ASP, operator
struct DeviceReconnect {
  static constexpr std::string_view kName = "device.reconnect";
  DeviceId device;
  std::string reason;
};  // ASP, operator
struct DeviceRestore {
  static constexpr std::string_view kName = "device.restore";
  DeviceId device;
  std::string reason;
};  // ASP, operator
struct DeviceRekey {
  static constexpr std::string_view kName = "device.rekey";
  DeviceId device;
  std::string reason;  // "keyCompromise": RFC 5280 §5.3.1
};                     // all
struct AuthorisationSet {
  static constexpr std::string_view kName = "authorisation.set";
  DeviceId device;
  std::string purpose;           // "claim", "transfer"
  std::uint32_t valid_days = 0;  // 0: not said
  std::string reason{};          // kept in the history
};                               // all
struct TransferRequest {
  static constexpr std::string_view kName = "transfer.request";
  std::optional<DeviceId> device;
  std::optional<Eid> eid;  // an MNO may name the device by it
  std::string authorisation_code;
  std::optional<Iccid> iccid;            // MNO: of the new profile
  std::optional<EndpointName> endpoint;  // ASP: of its own
};                                       // MNO, ASP
struct TransferApprove {
  static constexpr std::string_view kName = "transfer.approve";
  TransferId transfer;
  std::string reason;
};  // all
struct TransferReject {
  static constexpr std::string_view kName = "transfer.reject";
  TransferId transfer;
  std::string reason;
};  // all
struct TransferCancel {
  static constexpr std::string_view kName = "transfer.cancel";
  TransferId transfer;
  std::string reason;
};  // MNO, ASP
struct EndpointWithdraw {
  static constexpr std::string_view kName = "endpoint.withdraw";
  EndpointName name;
};  // ASP

// ---- reads

struct EndpointList {
  static constexpr std::string_view kName = "endpoint.list";
  std::optional<EndpointName> after;  // `next` of the page before
  std::uint64_t limit = 0;            // 0: not said
};                                    // ASP
struct TransferList {
  static constexpr std::string_view kName = "transfer.list";
  std::string state;
  std::string after;        // `next` of the page before
  std::uint64_t limit = 0;  // 0: not said
};                          // all
struct QuotaGet {
  static constexpr std::string_view kName = "quota.get";
};  // all

// ---- replies

// To authorisation.set, and to its sender only.
struct Authorisation {
  static constexpr std::string_view kName = "authorisation";
  DeviceId device;
  std::string purpose;
  std::string authorisation_code;
  UtcTime expires;
};
struct TransferState {
  static constexpr std::string_view kName = "transfer.state";
  TransferId transfer;
  DeviceId device;
  std::string kind, state;
  PartyId from, to;
  UtcTime requested, decides_at;
  std::uint32_t profile = 0;  // of the gaining MNO; 0: none yet
};                            // transfer.request, transfer.approve, transfer.reject, transfer.cancel
struct EndpointWithdrawn {
  static constexpr std::string_view kName = "endpoint.withdrawn";
  EndpointName endpoint;
};
struct EndpointInUse {
  static constexpr std::string_view kName = "endpoint-in-use";
  EndpointName endpoint;
  std::uint64_t revision = 0;
  std::string fqdn;
  std::uint16_t port = 0;
};
struct EndpointListed {
  static constexpr std::string_view kName = "endpoint.listed";
  std::vector<EndpointInUse> endpoints;
  std::optional<EndpointName> next;  // none on the last page
};
struct TransferListed {
  static constexpr std::string_view kName = "transfer.listed";
  std::vector<TransferState> transfers;
  std::string next;  // empty on the last page
};
struct QuotaClass {
  static constexpr std::string_view kName = "quota-class";
  std::string limit;             // "write", "read", "bulk", "authorise"
  std::uint64_t per_second = 0;  // what comes back
  std::uint64_t burst = 0;       // what may be used at once
  std::uint64_t left = 0;
};
struct QuotaTold {
  static constexpr std::string_view kName = "quota.told";
  std::vector<QuotaClass> limits;
};

// What device.get says of each profile and certificate.
struct DeviceProfile {
  static constexpr std::string_view kName = "device-profile";
  std::uint32_t number = 0;
  PartyId mno;
  std::string state;
  bool attached = false, serving = false;
  std::optional<Iccid> iccid;  // to its own MNO only
};
struct DeviceCredential {
  static constexpr std::string_view kName = "device-credential";
  std::string serial, phase;
  std::uint32_t profile = 0;
  UtcTime not_after;
};

// ---- actions

struct ProfileEnable {
  static constexpr std::string_view kName = "profile.enable";
  JobId job;
  DeviceId device;
  std::uint32_t attempt = 1;
  UtcTime deadline;
  std::uint32_t profile = 0;
};
struct ProfileDisable {
  static constexpr std::string_view kName = "profile.disable";
  JobId job;
  DeviceId device;
  std::uint32_t attempt = 1;
  UtcTime deadline;
  std::uint32_t profile = 0;
};
struct ProfileDelete {
  static constexpr std::string_view kName = "profile.delete";
  JobId job;
  DeviceId device;
  std::uint32_t attempt = 1;
  UtcTime deadline;
  std::uint32_t profile = 0;
};

// ---- notifications

// `holds`: the statuses that are there then.
struct DeviceSuspended {
  static constexpr std::string_view kName = "device.suspended";
  DeviceId device;
  std::string name;
  PartyId by;
  std::string reason;
  std::vector<std::string> holds;
};
struct DeviceResumed {
  static constexpr std::string_view kName = "device.resumed";
  DeviceId device;
  std::string name;
  PartyId by;
  std::string reason;
  std::vector<std::string> holds;
};
struct DeviceDisconnected {
  static constexpr std::string_view kName = "device.disconnected";
  DeviceId device;
  std::string name;
  PartyId by;
  std::string reason;
};
struct DeviceReconnected {
  static constexpr std::string_view kName = "device.reconnected";
  DeviceId device;
  std::string name;
  PartyId by;
  std::string reason;
};
struct DeviceReleased {
  static constexpr std::string_view kName = "device.released";
  DeviceId device;
  std::string name;
  PartyId by;
  std::string reason;
};
struct DeviceRestored {
  static constexpr std::string_view kName = "device.restored";
  DeviceId device;
  std::string name;
  PartyId by;
  std::string reason;
};
struct DeviceAttached {
  static constexpr std::string_view kName = "device.attached";
  DeviceId device;
  std::string name;
};
struct DeviceDetached {
  static constexpr std::string_view kName = "device.detached";
  DeviceId device;
  std::string name;
};
struct DeviceRenewed {
  static constexpr std::string_view kName = "device.renewed";
  DeviceId device;
  std::string name;
  Bytes certificate;
  UtcTime not_after;
  std::string replaced;  // serial of the one before
};
struct DeviceExpired {
  static constexpr std::string_view kName = "device.expired";
  DeviceId device;
  std::string name;
};
struct DeviceMoved {
  static constexpr std::string_view kName = "device.moved";
  DeviceId device;
  std::string name;
  EndpointName endpoint;
};
#define REGISTRY_TRANSFER_TOLD(Struct, name_)        \
  struct Struct {                                    \
    static constexpr std::string_view kName = name_; \
    TransferId transfer;                             \
    DeviceId device;                                 \
    std::string kind, state;                         \
    PartyId from, to;                                \
    UtcTime requested, decides_at;                   \
    std::uint32_t profile = 0;                       \
    PartyId by;                                      \
    std::string reason;                              \
  }
REGISTRY_TRANSFER_TOLD(TransferRequested, "transfer.requested");
REGISTRY_TRANSFER_TOLD(TransferApproved, "transfer.approved");
REGISTRY_TRANSFER_TOLD(TransferRejected, "transfer.rejected");
REGISTRY_TRANSFER_TOLD(TransferCancelled, "transfer.cancelled");
REGISTRY_TRANSFER_TOLD(TransferCompleted, "transfer.completed");
REGISTRY_TRANSFER_TOLD(TransferFailed, "transfer.failed");
#undef REGISTRY_TRANSFER_TOLD
// Of a secondary of the zone, by the name that it has in the configuration.
struct SecondaryLagged {
  static constexpr std::string_view kName = "secondary.lagged";
  std::string secondary;
  UtcTime since;  // it has served nothing new since
};
struct SecondaryRecovered {
  static constexpr std::string_view kName = "secondary.recovered";
  std::string secondary;
  UtcTime since;  // it had served nothing new since
};

}  // namespace registry::wire
