// schemas/wire/messages.h: every message of the interface as a plain struct, one per JSON Schema in schemas/messages.
// Parsed once: identifiers are strong types, DER is Bytes. Encoding and strict decoding are in codec.h, the envelope in
// envelope.h. A field is added here with a row in messages.cc; that row without its place in the schema fails
// tests/unit/schemas. Plain values, any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "schemas/base/bytes.h"
#include "schemas/base/error.h"
#include "schemas/base/utc_time.h"
#include "schemas/ids/ids.h"

namespace registry::wire {

enum class Role { kMno, kAsp, kOperator };

// ---- parts

struct Resolver {
  std::string address;  // IP address
  std::uint16_t port = 853;
  std::string name;   // authentication domain name, RFC 8310
  Bytes certificate;  // DER
  Bytes spki_pin;     // SHA-256 over SubjectPublicKeyInfo, RFC 7858 §4.2
};

// What is pre-provisioned at SIM activation (design §1 row 1).
struct Bootstrap {
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
  TrustKind kind = TrustKind::kTlsa;
  Bytes certificate;       // kCa, kCertificate: DER
  std::string tlsa_owner;  // kTlsa: e.g. "_8883._tcp.mqtt.asp-a.test"
};
struct Wifi {
  std::string ssid;               // 1 to 32 octets
  std::string sealed_passphrase;  // opaque to the registry
};
struct Endpoint {
  EndpointName name;
  std::string fqdn;
  std::string url;
  std::uint16_t port = 0;
  std::string protocol;  // "tls" | "mqtts" | "https" | "coaps"
  EndpointTrust trust;
  std::optional<Wifi> wifi;
};

// IoT SAFE file for the pilot's middleware; reference: CIRA pilot containers 02, 03, 06..0A.
struct Container {
  std::uint8_t id = 0;
  Bytes content;
};

// ---- commands: registry/v1/from/{party}/{command}

struct EsimRegister {
  Eid eid;
  Iccid iccid;
};  // MNO, esim.register
struct DeviceAttach {
  DeviceId device;
};  // MNO, device.attach
struct CsrSubmit {
  DeviceId device;
  Bytes csr;
  std::optional<JobId> job;
};  // MNO, csr.submit (PEM or base64 DER)
struct EndpointPublish {
  Endpoint endpoint;
};  // ASP, endpoint.publish
struct DeviceClaim {
  DeviceId device;
  std::string authorisation_code;
  EndpointName endpoint;
};  // ASP, device.claim
struct DeviceDeactivate {
  DeviceId device;
  std::string reason;
};  // ASP, operator
struct DeviceReactivate {
  DeviceId device;
  std::string reason;
};  // ASP, operator
struct DeviceDelete {
  DeviceId device;
  std::string reason;
};  // ASP, operator
struct FeedReplay {
  std::uint64_t from_seq = 0;
};  // all
struct FeedAck {
  std::uint64_t seq = 0;
};  // all

// queued -> submitted -> delivered -> executed, plus waiting_device and retry
struct DoProgress {
  JobId job;
  DeviceId device;
  std::uint64_t progress = 0;
  std::string stage;
  std::string detail;
};
enum class Outcome { kSuccess, kFailed, kUnknown };
struct DoResult {  // MNO, do.result
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
  DeviceId device;
  std::string authorisation_code;
  Bootstrap bootstrap;
};
// `pilot_form_absent`: why there are no containers for the pilot's middleware; empty where there are.
struct DeviceState {
  DeviceId device;
  std::string state;
  std::string pilot_form_absent{};  // in the reply to device.claim
};                                  // attach, claim, deactivate, reactivate, delete
struct CertificateIssued {
  DeviceId device;
  Bytes certificate;
  std::string serial;
  UtcTime not_after;
};
struct EndpointPublished {
  EndpointName endpoint;
  std::uint64_t revision = 0;
  std::string pilot_form_absent{};
};
struct FeedStatus {
  std::uint64_t last_seq = 0;
  std::uint64_t acked_seq = 0;
  std::uint64_t replayed = 0;
};
struct JobNoted {
  JobId job;
};  // do.progress, do.result
// rejected: registry::Error in the form {code, symbol, message, field?, step?, retryAfterSeconds?}

// ---- commands to an MNO: registry/v1/to/{mno}/do/{action}

struct KeyGenerate {
  JobId job;
  DeviceId device;
  std::uint32_t attempt = 1;
  UtcTime deadline;
};
struct PayloadPush {
  JobId job;
  DeviceId device;
  std::uint32_t attempt = 1;
  UtcTime deadline;
  std::uint64_t version = 0;
  Bytes cms;                          // SignedData over AuthEnvelopedData, DER
  std::vector<Container> containers;  // in the order to be written; 02 last
  std::string pilot_form_absent{};
};
struct AppletWipe {
  JobId job;
  DeviceId device;
  std::uint32_t attempt = 1;
  UtcTime deadline;
};

// ---- notifications: registry/v1/to/{party}/event/{type}

struct DeviceCertified {
  DeviceId device;
  std::string name;
  Bytes certificate;
  UtcTime not_after;
};
struct DeviceActivated {
  DeviceId device;
  std::string name;
  EndpointName endpoint;
  Bytes certificate_sha256;
};
struct DeviceDeactivated {
  DeviceId device;
  std::string name;
  PartyId by;
  std::string reason;
};
struct DeviceReactivated {
  DeviceId device;
  std::string name;
  PartyId by;
  std::string reason;
};
struct DeviceDeleted {
  DeviceId device;
  std::string name;
  PartyId by;
  std::string reason;
};
struct DeviceFailed {
  DeviceId device;
  std::string name;
  Error error;
};  // error.step names the step

// ---- what the registry payload says once decrypted (not an MQTT message; schema registry-payload)

struct RegistryPayload {
  std::uint64_t version = 0;  // grows with every payload of the device
  UtcTime issued;
  UtcTime expires;
  Bootstrap bootstrap;
  Bytes certificate;  // the device's, DER
  PartyId asp;
  Endpoint endpoint;
};

}  // namespace registry::wire
