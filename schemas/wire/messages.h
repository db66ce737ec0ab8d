// schemas/wire/messages.h: every message of the interface as a plain struct, one per JSON Schema in schemas/messages.
// Parsed once: identifiers are strong types, DER is Bytes. Encoding and strict decoding are in codec.h, the envelope in
// envelope.h. A field is added here with a row in messages.cc; that row without its place in the schema fails
// tests/unit/schemas. kName is what a message is called on the wire, and the stem of its schema; nothing else says it.
// Plain values, any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "schemas/base/bytes.h"
#include "schemas/base/error.h"
#include "schemas/base/utc_time.h"
#include "schemas/ids/ids.h"

namespace registry::wire {

enum class Role { kMno, kAsp, kOperator };

// ---- parts

struct Resolver {
  static constexpr std::string_view kName = "resolver";
  std::string address;  // IP address
  std::uint16_t port = 853;
  std::string name;   // authentication domain name, RFC 8310
  Bytes certificate;  // DER
  Bytes spki_pin;     // SHA-256 over SubjectPublicKeyInfo, RFC 7858 §4.2
};

// What is pre-provisioned at SIM activation (design §1 row 1).
struct Bootstrap {
  static constexpr std::string_view kName = "bootstrap";
  std::string registry_profile;  // "iot-registry-1"
  std::string device_name;       // <uuid>._device.<zone>
  Bytes root_certificate;        // DER
  Bytes issuing_certificate;     // DER
  Resolver resolver;
  std::vector<std::string>
      trust_anchors;  // DNSKEY or DS in presentation form, e.g. ". IN DS 20326 8 2 E06D..."
};

enum class TrustKind { kCa, kCertificate, kTlsa };
struct EndpointTrust {
  static constexpr std::string_view kName = "endpoint-trust";
  TrustKind kind = TrustKind::kTlsa;
  Bytes certificate;       // kCa, kCertificate: DER
  std::string tlsa_owner;  // kTlsa: e.g. "_8883._tcp.mqtt.asp-a.test"
};
struct Wifi {
  static constexpr std::string_view kName = "wifi";
  std::string ssid;               // 1 to 32 octets
  std::string sealed_passphrase;  // opaque to the registry
  bool operator==(const Wifi&) const = default;
};
struct Endpoint {
  static constexpr std::string_view kName = "endpoint";
  EndpointName name;
  std::string fqdn;
  std::string url;
  std::uint16_t port = 0;
  std::string protocol;  // "tls" | "mqtts" | "https" | "coaps"
  EndpointTrust trust;
  std::optional<Wifi> wifi;
};

// IoT SAFE file for the pilot's middleware; reference: CIRA pilot containers 02, 03, 06..0A; 0F is ours.
struct Container {
  static constexpr std::string_view kName = "container";
  std::uint8_t id = 0;
  Bytes content;
};

// ---- commands: registry/v1/from/{party}/{command}

struct EsimRegister {
  static constexpr std::string_view kName = "esim.register";
  Eid eid;
  Iccid iccid;
  std::string authorisation_code{};  // of a device that is registered already
};                                   // MNO
struct DeviceAttach {
  static constexpr std::string_view kName = "device.attach";
  DeviceId device;
  std::uint32_t profile = 0;  // 0: the serving one
};                            // MNO
struct CsrSubmit {
  static constexpr std::string_view kName = "csr.submit";
  DeviceId device;
  Bytes csr;
  std::optional<JobId> job;
};  // MNO; PEM or base64 of DER
struct EndpointPublish {
  static constexpr std::string_view kName = "endpoint.publish";
  Endpoint endpoint;
};  // ASP
struct DeviceClaim {
  static constexpr std::string_view kName = "device.claim";
  DeviceId device;
  std::string authorisation_code;
  EndpointName endpoint;
};  // ASP
struct WifiSet {
  static constexpr std::string_view kName = "wifi.set";
  DeviceId device;
  std::optional<Wifi> wifi;  // none: what was set is taken back
};                           // ASP
struct DeviceDeactivate {
  static constexpr std::string_view kName = "device.deactivate";
  DeviceId device;
  std::string reason;
  bool disconnect = false;           // the profile is disabled too, after the wipe
  std::uint64_t record_version = 0;  // refused when the device's record has another one; 0: whatever it has
};                                   // ASP, operator
struct DeviceReactivate {
  static constexpr std::string_view kName = "device.reactivate";
  DeviceId device;
  std::string reason;
};  // ASP, operator
struct DeviceDelete {
  static constexpr std::string_view kName = "device.delete";
  DeviceId device;
  std::string reason;
};  // ASP, operator
struct FeedReplay {
  static constexpr std::string_view kName = "feed.replay";
  std::uint64_t from_seq = 0;
};  // all
struct FeedAck {
  static constexpr std::string_view kName = "feed.ack";
  std::uint64_t seq = 0;
};  // all

// queued -> submitted -> delivered -> executed, plus waiting_device and retry
struct DoProgress {
  static constexpr std::string_view kName = "do.progress";
  JobId job;
  DeviceId device;
  std::uint64_t progress = 0;
  std::string stage;
  std::string detail;
};
enum class Outcome { kSuccess, kFailed, kUnknown };
struct DoResult {  // MNO
  static constexpr std::string_view kName = "do.result";
  JobId job;
  DeviceId device;
  Outcome outcome = Outcome::kFailed;
  std::string stage;   // where a failure happened: "radio", "applet", "payload", "certificate", ...
  std::string reason;  // machine-readable symbol, e.g. "payload_replayed", "payload_wrong_device",
                       // "signature_invalid"
  bool retriable = false;
};

// ---- replies: registry/v1/to/{party}/{command}/accepted

struct EsimRegistered {
  static constexpr std::string_view kName = "esim.registered";
  DeviceId device;
  std::string authorisation_code;  // empty for one more profile of a device
  Bootstrap bootstrap;
  std::uint32_t profile = 0;
};
// `pilot_form_absent`: why there are no containers for the pilot's middleware; empty where there are.
struct DeviceState {
  static constexpr std::string_view kName = "device.state";
  DeviceId device;
  std::string state;
  std::string pilot_form_absent{};   // in the reply to device.claim
  std::vector<std::string> holds{};  // every status beside the state
};                                   // what a command about a device comes to
struct CertificateIssued {
  static constexpr std::string_view kName = "certificate.issued";
  DeviceId device;
  Bytes certificate;
  std::string serial;
  UtcTime not_after;
};
struct EndpointPublished {
  static constexpr std::string_view kName = "endpoint.published";
  EndpointName endpoint;
  std::uint64_t revision = 0;
  std::string pilot_form_absent{};
  std::optional<OrderId> order{};  // that tells the devices in use
};
struct FeedStatus {
  static constexpr std::string_view kName = "feed.status";
  std::uint64_t last_seq = 0;
  std::uint64_t acked_seq = 0;
  std::uint64_t replayed = 0;
};
struct JobNoted {
  static constexpr std::string_view kName = "job.noted";
  JobId job;
};  // do.progress, do.result
// rejected: registry::Error in the form {code, symbol, message, field?, step?, retryAfterSeconds?}

// ---- commands to an MNO: registry/v1/to/{mno}/do/{action}

struct KeyGenerate {
  static constexpr std::string_view kName = "key.generate";
  JobId job;
  DeviceId device;
  std::uint32_t attempt = 1;
  UtcTime deadline;
  std::uint32_t profile = 0;
};
struct PayloadPush {
  static constexpr std::string_view kName = "payload.push";
  JobId job;
  DeviceId device;
  std::uint32_t attempt = 1;
  UtcTime deadline;
  std::uint64_t version = 0;
  Bytes cms;                          // SignedData over AuthEnvelopedData, DER
  std::vector<Container> containers;  // in the order to be written; 02 last
  std::string pilot_form_absent{};
  std::uint32_t profile = 0;
};
struct AppletWipe {
  static constexpr std::string_view kName = "applet.wipe";
  JobId job;
  DeviceId device;
  std::uint32_t attempt = 1;
  UtcTime deadline;
  std::uint32_t profile = 0;
};

// ---- notifications: registry/v1/to/{party}/event/{type}

struct DeviceCertified {
  static constexpr std::string_view kName = "device.certified";
  DeviceId device;
  std::string name;
  Bytes certificate;
  UtcTime not_after;
};
struct DeviceActivated {
  static constexpr std::string_view kName = "device.activated";
  DeviceId device;
  std::string name;
  EndpointName endpoint;
  Bytes certificate_sha256;
};
struct DeviceDeactivated {
  static constexpr std::string_view kName = "device.deactivated";
  DeviceId device;
  std::string name;
  PartyId by;
  std::string reason;
};
struct DeviceReactivated {
  static constexpr std::string_view kName = "device.reactivated";
  DeviceId device;
  std::string name;
  PartyId by;
  std::string reason;
};
struct DeviceDeleted {
  static constexpr std::string_view kName = "device.deleted";
  DeviceId device;
  std::string name;
  PartyId by;
  std::string reason;
};
struct DeviceFailed {
  static constexpr std::string_view kName = "device.failed";
  DeviceId device;
  std::string name;
  Error error;
};  // error.step names the step

// ---- what the registry payload says once decrypted (not an MQTT message; schema registry-payload)

struct RegistryPayload {
  static constexpr std::string_view kName = "registry-payload";
  std::uint64_t version = 0;  // grows with every payload of the device
  UtcTime issued;
  UtcTime expires;
  Bootstrap bootstrap;
  Bytes certificate;  // the device's, DER
  // Both or none: a device that was released belongs to no ASP.
  std::optional<PartyId> asp;
  std::optional<Endpoint> endpoint;
};

}  // namespace registry::wire
