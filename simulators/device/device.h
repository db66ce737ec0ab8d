// simulators/device/device.h: one device: its card, what it was given, and how it answers what comes over the
// radio.
// Trust: the first bootstrap is believed as it comes (it stands for what is pre-provisioned); the same again changes
//   nothing, another is refused. Later changes come only in payloads signed by the registry trusted so far.
// Jobs are idempotent: a repeated job gives the first answer again; a payload is the same job only with the same
//   content, so that a damaged delivery decides nothing about the sound one. The device's software holds no private
//   key.
// Keys: an applet has two signing pairs. What a payload brought is in use; a new key is made in the other slot beside it.
// Two profiles: each has an applet of its own. A key that is made on the applet that does not serve stands beside the one
//   that does, which goes on serving until a payload comes that brings the other's certificate.
// Owns: the cards. Borrows: the TrustStore, which outlives it. Threads: one call at a time (Fleet sees to it).
// Errors: outcomes in frames and Results; symbols from payload.h, containers.h, verify.h, tls_session.h, card.h;
//   bootstrap_missing, bootstrap_differs, card_empty (nothing installed), broker_absent, card_half_written and card_outdated
//   (CheckFiles).
// Power: a card may lose it in the middle of a delivery. The device reads what is there, goes on with the payload before,
//   which it has in its own memory, and says card_half_written; the same delivery again, or a later one, mends the card.
// Fault model: both applets answer at any time, enabled or not, as on an eUICC with multiple enabled profiles (MEP); one
//   without must be switched for each. A profile is never out of order. Beyond that none of its own; the radio
//   loses, repeats and delays (simulators/link/frames.h).
#pragma once

#include <array>
#include <optional>

#include "schemas/wire/codec.h"
#include "simulators/device/payload.h"
#include "simulators/device/telemetry.h"
#include "simulators/device/tls_session.h"
#include "simulators/euicc/euicc.h"
#include "simulators/pilot/pilot_files.h"

namespace registry::sim {

class Device {
 public:
  struct Options {
    std::string fallback_asp_address;
    std::chrono::milliseconds session_deadline{10000};
    const CardLayout* layout = &DefaultLayout();  // outlives the device
    TlsVersion tls = TlsVersion::k13;
  };
  // Null only when the machine has no randomness.
  static std::unique_ptr<Device> Make(TrustStore& store, Options options);

  Status Boot(const nlohmann::json& bootstrap);
  bool booted() const { return trust_ != nullptr; }
  const std::string& name() const { return bootstrap_.device_name; }
  std::string id() const { return name().substr(0, name().find('.')); }  // the UUID; empty before Boot

  // Of the profile whose applet it is: 0 is the one the device came with, 1 the one it may be given.
  static constexpr std::size_t kProfiles = 2;
  Result<std::string> GenerateKey(const std::string& job, std::size_t profile = 0);  // the CSR, PEM
  Status Install(const Bytes& certificate);

  struct PayloadOutcome {
    Status status;
    bool repeated = false;
    bool retriable() const;  // the same job may succeed later; otherwise its answer stands
  };
  // By whom the pilot's files of a payload are written: at the device's wish, or they are on the card already, since the
  // issuer's platform has put them there (simulators/ota).
  enum class Files { kToWrite, kWritten };
  PayloadOutcome TakePayload(const std::string& job, const nlohmann::json& frame, UtcTime now,
                             std::size_t profile = 0, Files files = Files::kToWrite);
  // Whether the payload installed names a network, and its passphrase, which no other device can open.
  bool has_wifi() const { return payload_ && payload_->endpoint && payload_->endpoint->wifi.has_value(); }
  Result<std::string> WifiPassphrase() const;
  Status Wipe(const std::string& job, std::size_t profile = 0);
  // The issuer's platform has wiped the applet: what was on it is gone.
  void Wiped(const std::string& job, std::size_t profile = 0);
  // The profile is deleted with everything on its applet; one that serves takes the device's certificate with it.
  Status DeleteProfile(std::size_t profile);

  // Whether the payload installed last names an ASP: after a release there is nobody to talk to.
  bool bound() const { return payload_ && payload_->endpoint; }

  // The certificates' dates, and the payload's content against the DNS; then the ASP. Both need an installed payload.
  Status Verify(UtcTime now);
  bool verified() const { return target_.has_value(); }  // the payload that is installed now
  Status TalkToAsp();
  // As it did before the payload that is installed now: to the ASP of then, with the certificate of then if this payload
  // brought another. For whoever has to see that this does not work any more. card_empty: nothing of it is left.
  Status TalkAsBefore();

  bool has_broker() const { return welcome_.mqtt_port.has_value(); }
  // At the broker that the ASP named in its last welcome. broker_absent: it named none.
  Result<std::unique_ptr<Telemetry>> OpenTelemetry();

  // What the device finds of the pilot's files on that card, as after it was switched on. card_half_written: they were
  // not written whole, or are not all of one delivery. card_outdated: whole, but not those of the payload installed.
  Status CheckFiles(std::size_t profile = 0);
  // For whoever reads them over the air.
  Result<PilotFiles> ReadFiles(std::size_t profile = 0);

  Euicc& card(std::size_t profile = 0) { return *profiles_[profile]->euicc; }
  Result<Bytes> ReadFile(std::uint8_t file, std::size_t profile) {
    return profiles_[profile]->card.ReadFile(file);
  }

 private:
  struct Profile {
    explicit Profile(std::unique_ptr<Euicc> made) : euicc(std::move(made)), card(euicc->applet()) {}
    const std::unique_ptr<Euicc> euicc;
    Card card;
    std::unique_ptr<CardKey> agreement;  // from Boot on
    PilotFiles files;                    // the last that were written whole
  };
  // A key pair and what it was certified as.
  struct Identity {
    std::size_t profile = 0;
    std::uint8_t slot = kSigningKey;  // of that profile's applet
    std::unique_ptr<CardKey> signing;
    std::string job, csr;  // of key.generate
    Bytes der;
    OwnedCertificate certificate;
  };

  // What the last payload replaced.
  struct Former {
    bool other_certificate = false;
    Identity identity;  // then; without a key once its applet has none
    std::optional<AspTarget> target;
  };

  Device(TrustStore& store, Options options) : store_(store), options_(std::move(options)) {}
  Status Clear(std::size_t profile);
  ClientCredentials CredentialsOf(const Identity& identity) const;
  Identity* IdentityOf(std::size_t profile);
  void Forget(std::size_t profile);
  Status Apply(const nlohmann::json& frame, UtcTime now, std::size_t profile, Files files);
  // `brought`: whose certificate is in it, when it could be opened.
  Result<wire::RegistryPayload> Open(const Bytes& cms, UtcTime now, std::size_t profile, Identity*& brought);
  Result<wire::RegistryPayload> OpenUnder(const RegistryTrust& trust, const Bytes& cms, UtcTime now,
                                          std::size_t profile, Identity*& brought);
  // Until they are on the card, whole. Of kWritten it only sees to it.
  Status Write(const std::vector<wire::Container>& containers, std::size_t profile, Files by);
  // What is the same already stays.
  Status WriteAgain(const nlohmann::json& frame, std::size_t profile, Files by);
  static Status WriteContainers(const std::vector<wire::Container>& containers, Euicc& euicc);
  static Status RemoveFiles(std::size_t count, Euicc& euicc);
  static Status WriteContainer(const wire::Container& container, Euicc& euicc);

  TrustStore& store_;
  const Options options_;
  std::array<std::unique_ptr<Profile>, kProfiles> profiles_;
  wire::Bootstrap bootstrap_;
  std::shared_ptr<const RegistryTrust> trust_;
  Identity live_, next_;
  Former former_;
  std::string payload_job_;
  std::array<std::string, kProfiles> wipe_jobs_;
  Bytes payload_digest_;  // SHA-256 of what came with payload_job_
  std::optional<Status> payload_status_;
  std::optional<wire::RegistryPayload> payload_;
  std::uint64_t last_version_ = 0;
  std::optional<AspTarget> target_;
  Welcome welcome_;  // what its ASP said last
};

}  // namespace registry::sim
