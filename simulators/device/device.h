// simulators/device/device.h: one device: its card, what it was given, and how it answers what comes over the
// radio.
// Trust: the first bootstrap is believed as it comes (it stands for what is pre-provisioned); the same again changes
//   nothing, another is refused. Later changes come only in payloads signed by the registry trusted so far.
// Jobs are idempotent: a repeated job gives the first answer again; a payload is the same job only with the same
//   content, so that a damaged delivery decides nothing about the sound one. The device's software holds no private
//   key.
// Owns: the card. Borrows: the TrustStore, which outlives it. Threads: one call at a time (Fleet sees to it).
// Errors: outcomes in frames and Results; symbols from payload.h, containers.h, verify.h, tls_session.h, card.h;
//   bootstrap_missing, bootstrap_differs, card_empty (nothing installed).
// Keys: the card has two signing pairs. Until a payload was taken there is one key; after that a new key is made in the other
//   slot, and the device goes on with the old one until a payload brings the certificate of the new one.
// Fault model: none of its own; the radio loses, repeats and delays (simulators/link/frames.h).
#pragma once

#include <optional>

#include "schemas/wire/codec.h"
#include "simulators/device/payload.h"
#include "simulators/device/tls_session.h"
#include "simulators/euicc/euicc.h"

namespace registry::sim {

class Device {
 public:
  struct Options {
    std::string fallback_asp_address;
    std::chrono::milliseconds session_deadline{10000};
  };
  // Null only when the machine has no randomness.
  static std::unique_ptr<Device> Make(TrustStore& store, Options options);

  Status Boot(const nlohmann::json& bootstrap);
  bool booted() const { return trust_ != nullptr; }
  const std::string& name() const { return bootstrap_.device_name; }
  std::string id() const { return name().substr(0, name().find('.')); }  // the UUID; empty before Boot

  Result<std::string> GenerateKey(const std::string& job);  // the CSR, PEM
  Status Install(const Bytes& certificate);

  struct PayloadOutcome {
    Status status;
    bool repeated = false;
    bool retriable() const;  // the same job may succeed later; otherwise its answer stands
  };
  PayloadOutcome TakePayload(const std::string& job, const nlohmann::json& frame, UtcTime now);
  Status Wipe(const std::string& job);

  // Whether the payload installed last names an ASP: after a release there is nobody to talk to.
  bool bound() const { return payload_ && payload_->endpoint; }

  // The certificates' dates, and the payload's content against the DNS; then the ASP. Both need an installed payload.
  Status Verify(UtcTime now);
  Status TalkToAsp();

  Euicc& card() { return *euicc_; }

 private:
  Device(TrustStore& store, Options options, std::unique_ptr<Euicc> euicc);
  // A key of the card and its certificate.
  struct Identity {
    std::uint8_t slot = kSigningKey;
    std::unique_ptr<CardKey> key;  // null: none was made
    Bytes der;                     // empty: not certified yet
    OwnedCertificate certificate;
    void Take(const Bytes& octets);
    void Forget();
  };
  Identity& Newest() { return next_.key ? next_ : used_; }
  Status Apply(const nlohmann::json& frame, UtcTime now);
  Result<wire::RegistryPayload> Open(const Bytes& cms, UtcTime now);
  Status WriteContainers(const std::vector<wire::Container>& containers);
  Status RemovePilotFiles();
  Status WriteContainer(const wire::Container& container);

  TrustStore& store_;
  const Options options_;
  const std::unique_ptr<Euicc> euicc_;
  Card card_;
  wire::Bootstrap bootstrap_;
  std::shared_ptr<const RegistryTrust> trust_;
  Identity used_, next_;
  std::unique_ptr<CardKey> agreement_;
  std::string key_job_, csr_;
  std::string payload_job_, wipe_job_;
  Bytes payload_digest_;  // SHA-256 of what came with payload_job_
  std::optional<Status> payload_status_;
  std::optional<wire::RegistryPayload> payload_;
  std::uint64_t last_version_ = 0;
  std::optional<AspTarget> target_;
};

}  // namespace registry::sim
