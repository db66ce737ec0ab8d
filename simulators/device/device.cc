#include "simulators/device/device.h"

#include <openssl/sha.h>

#include <algorithm>
#include <iterator>
#include <utility>

#include "simulators/device/containers.h"
#include "simulators/device/csr.h"
#include "simulators/device/verify.h"

namespace registry::sim {
namespace {

Error Lacking(std::string_view symbol, std::string_view what) {
  return Error::Make(Code::kStatusProhibits, symbol, what);
}

// The files in the order to be written: 02 last, since the pilot takes its presence for "provisioned".
Result<std::vector<wire::Container>> ContainersOf(const nlohmann::json& frame) {
  std::vector<wire::Container> containers;
  const auto list = frame.find("containers");
  if (list == frame.end() || !list->is_array()) return containers;
  for (const auto& item : *list) {
    auto container = wire::Decode<wire::Container>(item);
    if (!container) {
      return Error::Make(Code::kFailed, "payload_container",
                         container.error().message + " at " + container.error().field);
    }
    containers.push_back(std::move(*container));
  }
  return containers;
}

Result<Bytes> CmsOf(const nlohmann::json& frame) {
  const auto text = frame.find("cms");
  auto cms = text != frame.end() && text->is_string() ? FromBase64(text->get_ref<const std::string&>())
                                                      : std::nullopt;
  if (!cms) return Error::Make(Code::kValueSyntax, "payload_malformed", "the frame holds no CMS");
  return std::move(*cms);
}

// After its length, so that no two lists of parts are the same octets.
void Append(std::string& content, const nlohmann::json& part) {
  if (part.is_string()) {
    const auto& text = part.get_ref<const std::string&>();
    content += std::to_string(text.size()) + ':' + text;
  } else {
    content += part.dump(-1, ' ', true, nlohmann::json::error_handler_t::replace) + ';';
  }
}

// Over what the registry sent; the members the operator's carriage adds do not matter. The strings as they are:
// writing the whole as JSON again was a tenth of all a device does.
Bytes DigestOf(const nlohmann::json& frame) {
  std::string content;
  for (const char* member : {"version", "cms", "containers"}) {
    const auto part = frame.find(member);
    if (part == frame.end()) continue;
    content += member;
    if (!part->is_array()) {
      Append(content, *part);
      continue;
    }
    for (const auto& container : *part) {
      if (!container.is_object()) Append(content, container);
      for (const auto& [key, value] : container.items()) Append(content += key, value);
    }
  }
  Bytes digest(SHA256_DIGEST_LENGTH);
  SHA256(reinterpret_cast<const std::uint8_t*>(content.data()), content.size(), digest.data());
  return digest;
}

}  // namespace

std::unique_ptr<Device> Device::Make(TrustStore& store, Options options) {
  std::unique_ptr<Device> device(new Device(store, std::move(options)));
  for (auto& profile : device->profiles_) {
    auto euicc = Euicc::Make(*device->options_.layout);
    if (!euicc) return nullptr;
    profile = std::make_unique<Profile>(std::move(euicc));
  }
  return device;
}

Status Device::Boot(const nlohmann::json& bootstrap) {
  auto decoded = wire::Decode<wire::Bootstrap>(bootstrap);
  if (!decoded) return decoded.error();
  // A device keeps what it was given first: nothing proves where a bootstrap comes from, so whoever could replace it
  // could make the device trust another registry. What changes later comes in signed payloads.
  if (booted()) {
    if (wire::Encode(*decoded) == wire::Encode(bootstrap_)) return Done{};
    return Lacking("bootstrap_differs", "another bootstrap is already given");
  }
  auto trust = store_.Of(*decoded);
  if (!trust) return trust.error();
  for (auto& profile : profiles_) {
    const auto point = profile->card.PublicPoint(kAgreementKey);
    if (!point) return point.error();
    if (!profile->agreement) profile->agreement = CardKey::Make(profile->card, kAgreementKey, *point);
    if (!profile->agreement)
      return Error::Make(Code::kFailed, "applet_refused", "the agreement key is no point");
  }
  bootstrap_ = std::move(*decoded);
  trust_ = std::move(*trust);
  return Done{};
}

// The one that is to be, before the one that is.
Device::Identity* Device::IdentityOf(std::size_t profile) {
  for (Identity* identity : {&next_, &live_}) {
    if (identity->signing && identity->profile == profile) return identity;
  }
  return nullptr;
}

Result<std::string> Device::GenerateKey(const std::string& job, std::size_t profile) {
  if (!booted()) return Lacking("bootstrap_missing", "no bootstrap yet");
  const Identity* const known = IdentityOf(profile);
  if (known != nullptr && job == known->job && !known->csr.empty()) return known->csr;
  Card& card = profiles_[profile]->card;
  // What a payload has brought is in use: the new key is made beside it, in the other slot of the same applet.
  const bool same_applet = live_.signing && live_.profile == profile;
  const bool beside = live_.signing && (!same_applet || payload_);
  const std::uint8_t slot =
      beside && same_applet && live_.slot == kSigningKey ? kOtherSigningKey : kSigningKey;
  const auto point = card.GenerateKeyPair(slot);
  if (!point) return point.error();
  Identity& made = beside ? next_ : live_;
  made = Identity{};  // its certificate belonged to the key before
  made.profile = profile;
  made.slot = slot;
  made.signing = CardKey::Make(card, slot, *point);
  if (!made.signing) return Error::Make(Code::kFailed, "applet_refused", "the signing key is no point");
  const auto der = MakeCsr(*made.signing, profiles_[profile]->agreement->point(), name());
  if (!der) return der.error();
  made.job = job;
  made.csr = ToPem("CERTIFICATE REQUEST", *der);
  return made.csr;
}

// It belongs to whichever key it is for.
Status Device::Install(const Bytes& certificate) {
  if (!booted() || (!live_.signing && !next_.signing)) return Lacking("card_empty", "no key to certify");
  OwnedCertificate parsed = ParseCertificate(certificate);
  const auto view = CertificateView::Of(certificate);
  Status good = Error::Make(Code::kValueSyntax, "certificate_malformed", "not a certificate");
  if (!parsed || !view) return good;
  for (Identity* identity : {&next_, &live_}) {
    if (!identity->signing) continue;
    if (certificate == identity->der) return Done{};
    good = CheckCertificate(parsed.get(), *view, *trust_, identity->signing->point(), name());
    if (!good) continue;
    identity->certificate = std::move(parsed);
    identity->der = certificate;
    break;
  }
  return good;
}

Device::PayloadOutcome Device::TakePayload(const std::string& job, const nlohmann::json& frame, UtcTime now,
                                           std::size_t profile, Files files) {
  Bytes digest = DigestOf(frame);
  if (job == payload_job_ && digest == payload_digest_ && payload_status_) {
    const Status mended = *payload_status_ ? WriteAgain(frame, profile, files) : *payload_status_;
    return {mended, true};
  }
  if (!booted() || IdentityOf(profile) == nullptr)
    return {Lacking("bootstrap_missing", "no bootstrap or no key yet")};
  PayloadOutcome outcome{Apply(frame, now, profile, files)};
  if (outcome.retriable()) return outcome;
  // What came damaged after the sound one must not make its repeat a replay.
  if (!outcome.status && job == payload_job_ && payload_status_ && *payload_status_) return outcome;
  payload_status_ = outcome.status;
  payload_job_ = job;
  payload_digest_ = std::move(digest);
  return outcome;
}

bool Device::PayloadOutcome::retriable() const {
  constexpr std::string_view kForTheMoment[] = {"applet_refused", "bootstrap_missing", "card_half_written"};
  return !status && std::find(std::begin(kForTheMoment), std::end(kForTheMoment), status.error().symbol) !=
                        std::end(kForTheMoment);
}

// Its signer is the issuing CA that the device knows, or another one below the root that it knows.
Result<wire::RegistryPayload> Device::Open(const Bytes& cms, UtcTime now, std::size_t profile,
                                           Identity*& brought) {
  auto opened = OpenUnder(*trust_, cms, now, profile, brought);
  if (opened || opened.error().symbol != "signature_invalid") return opened;
  const auto named = IssuingNamedIn(cms, *profiles_[profile]->agreement);
  if (!named) return opened;
  const wire::Bootstrap& known = payload_ ? payload_->bootstrap : bootstrap_;
  const auto trust = TrustInCas(known.root_certificate, *named);
  return trust ? OpenUnder(**trust, cms, now, profile, brought) : opened;
}

// It may bring the certificate of a new key, or once more that of the key in use.
Result<wire::RegistryPayload> Device::OpenUnder(const RegistryTrust& trust, const Bytes& cms, UtcTime now,
                                                std::size_t profile, Identity*& brought) {
  Result<wire::RegistryPayload> opened = Lacking("bootstrap_missing", "no key yet");
  for (Identity* identity : {&next_, &live_}) {
    if (!identity->signing || identity->profile != profile) continue;
    brought = identity;
    PayloadExpectation expected{name(), last_version_, identity->signing->point(), {}, nullptr, now};
    // Judged already, but only under the CA that is known.
    if (&trust == trust_.get()) expected.installed = identity->der;
    if (&trust == trust_.get()) expected.installed_parsed = identity->certificate.get();
    opened = OpenPayload(cms, trust, *profiles_[profile]->agreement, expected);
    if (opened || opened.error().symbol != "payload_certificate") break;
  }
  return opened;
}

Status Device::Apply(const nlohmann::json& frame, UtcTime now, std::size_t profile, Files files) {
  const auto cms = CmsOf(frame);
  if (!cms) return cms.error();
  const auto containers = ContainersOf(frame);
  if (!containers) return containers.error();
  Identity* brought = nullptr;
  auto payload = Open(*cms, now, profile, brought);
  if (!payload) return payload.error();
  Identity& identity = *brought;
  auto trust = store_.Of(payload->bootstrap);
  if (!trust) return trust.error();
  if (auto sound = CheckContainers(*containers, *payload, **trust); !sound) return sound;
  if (auto written = Write(*containers, profile, files); !written) return written;
  if (payload->certificate != identity.der) {
    identity.certificate = ParseCertificate(payload->certificate);
    identity.der = payload->certificate;
  }
  former_.other_certificate = &identity == &next_;
  former_.identity = Identity{};
  if (&identity == &next_) former_.identity = std::exchange(live_, std::exchange(next_, Identity{}));
  if (target_) former_.target = std::move(target_);
  trust_ = std::move(*trust);
  last_version_ = payload->version;
  payload_ = std::move(*payload);
  target_.reset();
  welcome_ = {};
  return Done{};
}

Result<std::string> Device::WifiPassphrase() const {
  if (!has_wifi() || !live_.signing) return Lacking("wifi_absent", "no payload that names a network");
  return OpenSealed(payload_->endpoint->wifi->sealed_passphrase, *live_.signing);
}

Result<PilotFiles> Device::ReadFiles(std::size_t profile) {
  PilotFiles files;
  for (const std::uint8_t id : pilot::kAll) {
    auto content = profiles_[profile]->card.FindFile(id);
    if (!content) return content.error();
    if (*content) files[id] = std::move(**content);
  }
  return files;
}

Status Device::CheckFiles(std::size_t profile) {
  const auto files = ReadFiles(profile);
  if (!files) return files.error();
  const CardSet set = Judge(*files);
  if (set.written == Written::kHalf) return Error::Make(Code::kFailed, "card_half_written", set.why);
  if (*files == profiles_[profile]->files) return Done{};
  return Error::Make(Code::kFailed, "card_outdated", "the files are those of another payload");
}

// Whatever stopped it, what counts is what is on the card now. A card without power is switched on again first.
Status Device::Write(const std::vector<wire::Container>& containers, std::size_t profile, Files by) {
  Euicc& euicc = *profiles_[profile]->euicc;
  const Status written = by == Files::kToWrite ? WriteContainers(containers, euicc) : Status(Done{});
  euicc.PowerOn();
  const auto files = ReadFiles(profile);
  if (!files) return files.error();
  const CardSet set = Judge(*files);
  if (set.written == Written::kHalf) return Error::Make(Code::kFailed, "card_half_written", set.why);
  if (written) profiles_[profile]->files = *files;
  return written;
}

Status Device::WriteAgain(const nlohmann::json& frame, std::size_t profile, Files by) {
  if (CheckFiles(profile)) return Done{};
  const auto containers = ContainersOf(frame);
  return containers ? Write(*containers, profile, by) : Status(containers.error());
}

// 02 goes before anything else changes: without it nobody takes what is there for whole. Without files all go.
Status Device::WriteContainers(const std::vector<wire::Container>& containers, Euicc& euicc) {
  if (auto removed = RemoveFiles(containers.empty() ? pilot::kAll.size() : 1, euicc); !removed)
    return removed;
  for (const wire::Container& container : containers) {
    if (auto written = WriteContainer(container, euicc); !written) return written;
  }
  return Done{};
}

// The first of pilot::kAll.
Status Device::RemoveFiles(std::size_t count, Euicc& euicc) {
  for (std::size_t i = 0; i < count; ++i) {
    const Bytes answer = euicc.ota().Transmit(StoreDataBlocks(DeleteFileScript(pilot::kAll[i])).front());
    if (answer != Bytes{0x90, 0x00} && answer != Bytes{0x6a, 0x82}) {
      return Error::Make(Code::kFailed, "applet_refused", "STORE DATA answered " + ToHex(answer));
    }
  }
  return Done{};
}

// Over the air, by the issuer's door: the device itself could not.
Status Device::WriteContainer(const wire::Container& container, Euicc& euicc) {
  for (const Bytes& block : StoreDataBlocks(WriteFileScript(container.id, container.content))) {
    const Bytes answer = euicc.ota().Transmit(block);
    if (answer != Bytes{0x90, 0x00}) {
      return Error::Make(Code::kFailed, "applet_refused", "STORE DATA answered " + ToHex(answer));
    }
  }
  return Done{};
}

Status Device::Clear(std::size_t profile) {
  for (const Bytes& block : StoreDataBlocks(ClearAllScript())) {
    if (profiles_[profile]->euicc->ota().Transmit(block) != Bytes{0x90, 0x00}) {
      return Error::Make(Code::kFailed, "applet_refused", "the card does not let itself be cleared");
    }
  }
  Forget(profile);
  return Done{};
}

void Device::Forget(std::size_t profile) {
  profiles_[profile]->files.clear();
  for (Identity* identity : {&live_, &next_, &former_.identity}) {
    if (identity->profile == profile) *identity = Identity{};
  }
}

void Device::Wiped(const std::string& job, std::size_t profile) {
  if (job == wipe_jobs_[profile]) return;
  Forget(profile);
  wipe_jobs_[profile] = job;
}

Status Device::Wipe(const std::string& job, std::size_t profile) {
  if (job == wipe_jobs_[profile]) return Done{};
  if (auto cleared = Clear(profile); !cleared) return cleared;
  wipe_jobs_[profile] = job;
  return Done{};
}

Status Device::DeleteProfile(std::size_t profile) { return Clear(profile); }

Status Device::Verify(UtcTime now) {
  if (!payload_ || !live_.certificate) return Lacking("card_empty", "no payload installed");
  if (auto good = CheckDates(live_.certificate.get(), *trust_, now); !good) return good;
  auto target = VerifyInDns(*trust_, *payload_, options_.fallback_asp_address);
  if (!target) return target.error();
  target_ = std::move(*target);
  return Done{};
}

Status Device::TalkToAsp() {
  if (!target_) return Lacking("card_empty", "no verified payload");
  auto welcome =
      sim::TalkToAsp(*target_, CredentialsOf(live_), name(), options_.session_deadline, options_.tls);
  if (!welcome) return welcome.error();
  welcome_ = *welcome;
  return Done{};
}

Status Device::TalkAsBefore() {
  const Identity& identity = former_.other_certificate ? former_.identity : live_;
  if (!former_.target || !identity.signing)
    return Lacking("card_empty", "nothing is left of what was before");
  const auto welcome = sim::TalkToAsp(*former_.target, CredentialsOf(identity), name(),
                                      options_.session_deadline, options_.tls);
  return welcome ? Status(Done{}) : Status(welcome.error());
}

Result<std::unique_ptr<Telemetry>> Device::OpenTelemetry() {
  if (!target_) return Lacking("card_empty", "no verified payload");
  if (!welcome_.mqtt_port) return Lacking("broker_absent", "its ASP has named no broker");
  const auto broker = OtherPortOf(*trust_, *target_, *welcome_.mqtt_port);
  if (!broker) return broker.error();
  return Telemetry::Open(*broker, CredentialsOf(live_), options_.tls, id(), options_.session_deadline);
}

ClientCredentials Device::CredentialsOf(const Identity& identity) const {
  return {identity.certificate.get(), identity.signing.get(), name()};
}

}  // namespace registry::sim
