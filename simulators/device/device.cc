#include "simulators/device/device.h"

#include <openssl/sha.h>

#include <utility>

#include "simulators/device/containers.h"
#include "simulators/device/csr.h"
#include "simulators/device/verify.h"

namespace registry::sim {
namespace {

constexpr std::uint8_t kPilotFiles[] = {0x02, 0x0a, 0x09, 0x08, 0x03, 0x07, 0x06};

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
    if (!container) return container.error();
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

Device::Device(TrustStore& store, Options options, std::unique_ptr<Euicc> euicc)
    : store_(store), options_(std::move(options)), euicc_(std::move(euicc)), card_(euicc_->applet()) {}

std::unique_ptr<Device> Device::Make(TrustStore& store, Options options) {
  auto euicc = Euicc::Make();
  return euicc ? std::unique_ptr<Device>(new Device(store, std::move(options), std::move(euicc))) : nullptr;
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
  const auto point = card_.PublicPoint(kAgreementKey);
  if (!point) return point.error();
  if (!agreement_) agreement_ = CardKey::Make(card_, kAgreementKey, *point);
  if (!agreement_) return Error::Make(Code::kFailed, "applet_refused", "the agreement key is no point");
  bootstrap_ = std::move(*decoded);
  trust_ = std::move(*trust);
  return Done{};
}

Result<std::string> Device::GenerateKey(const std::string& job) {
  if (!booted()) return Lacking("bootstrap_missing", "no bootstrap yet");
  if (job == key_job_ && !csr_.empty()) return csr_;
  const bool in_use = payload_ && used_.key;
  Identity& made = in_use ? next_ : used_;
  if (in_use) made.slot = used_.slot == kSigningKey ? kOtherSigningKey : kSigningKey;
  const auto point = card_.GenerateKeyPair(made.slot);
  if (!point) return point.error();
  made.Forget();  // what belonged to the key before
  made.key = CardKey::Make(card_, made.slot, *point);
  if (!made.key) return Error::Make(Code::kFailed, "applet_refused", "the signing key is no point");
  const auto der = MakeCsr(*made.key, agreement_->point(), name());
  if (!der) return der.error();
  key_job_ = job;
  csr_ = ToPem("CERTIFICATE REQUEST", *der);
  return csr_;
}

Status Device::Install(const Bytes& certificate) {
  Identity& newest = Newest();
  if (!booted() || !newest.key) return Lacking("card_empty", "no key to certify");
  if (certificate == newest.der || certificate == used_.der) return Done{};
  OwnedCertificate parsed = ParseCertificate(certificate);
  const auto view = CertificateView::Of(certificate);
  if (!parsed || !view) return Error::Make(Code::kValueSyntax, "certificate_malformed", "not a certificate");
  if (auto good = CheckCertificate(parsed.get(), *view, *trust_, newest.key->point(), name()); !good)
    return good;
  newest.certificate = std::move(parsed);
  newest.der = certificate;
  return Done{};
}

Device::PayloadOutcome Device::TakePayload(const std::string& job, const nlohmann::json& frame, UtcTime now) {
  Bytes digest = DigestOf(frame);
  if (job == payload_job_ && digest == payload_digest_ && payload_status_) return {*payload_status_, true};
  if (!booted() || !used_.key) return {Lacking("bootstrap_missing", "no bootstrap or no key yet")};
  PayloadOutcome outcome{Apply(frame, now)};
  if (outcome.retriable()) return outcome;
  // What came damaged after the sound one must not make its repeat a replay.
  if (!outcome.status && job == payload_job_ && payload_status_ && *payload_status_) return outcome;
  payload_status_ = outcome.status;
  payload_job_ = job;
  payload_digest_ = std::move(digest);
  return outcome;
}

bool Device::PayloadOutcome::retriable() const {
  return !status &&
         (status.error().symbol == "applet_refused" || status.error().symbol == "bootstrap_missing");
}

void Device::Identity::Take(const Bytes& octets) {
  if (octets == der) return;
  certificate = ParseCertificate(octets);
  der = octets;
}

void Device::Identity::Forget() {
  key.reset();
  certificate.reset();
  der.clear();
}

// It may bring the certificate of the new key, or once more that of the key in use.
Result<wire::RegistryPayload> Device::Open(const Bytes& cms, UtcTime now) {
  const auto open = [&](const Identity& identity) {
    const PayloadExpectation expected{name(),       last_version_, identity.key->point(),
                                      identity.der, identity.certificate.get(), now};
    return OpenPayload(cms, *trust_, *agreement_, expected);
  };
  if (!next_.key) return open(used_);
  auto brings_next = open(next_);
  if (brings_next) next_.Take(brings_next->certificate);
  const bool of_other = !brings_next && brings_next.error().symbol == "payload_certificate";
  return of_other ? open(used_) : std::move(brings_next);
}

Status Device::Apply(const nlohmann::json& frame, UtcTime now) {
  const auto cms = CmsOf(frame);
  if (!cms) return cms.error();
  const auto containers = ContainersOf(frame);
  if (!containers) return containers.error();
  auto payload = Open(*cms, now);
  if (!payload) return payload.error();
  auto trust = store_.Of(payload->bootstrap);
  if (!trust) return trust.error();
  if (auto sound = CheckContainers(*containers, *payload, **trust); !sound) return sound;
  if (auto written = WriteContainers(*containers); !written) return written;
  // The one for the new key: from now on it is the one in use, and the slot of the old one is free.
  if (next_.key && payload->certificate == next_.der) used_ = std::exchange(next_, {});
  used_.Take(payload->certificate);
  trust_ = std::move(*trust);
  last_version_ = payload->version;
  payload_ = std::move(*payload);
  target_.reset();
  return Done{};
}

// Without files the former ones go, 02 first: middleware that reads files must not go on with what is no more.
Status Device::WriteContainers(const std::vector<wire::Container>& containers) {
  if (containers.empty()) return RemovePilotFiles();
  for (const wire::Container& container : containers) {
    if (auto written = WriteContainer(container); !written) return written;
  }
  return Done{};
}

Status Device::RemovePilotFiles() {
  for (const std::uint8_t file : kPilotFiles) {
    const Bytes answer = euicc_->ota().Transmit(StoreDataBlocks(DeleteFileScript(file)).front());
    if (answer != Bytes{0x90, 0x00} && answer != Bytes{0x6a, 0x82}) {
      return Error::Make(Code::kFailed, "applet_refused", "STORE DATA answered " + ToHex(answer));
    }
  }
  return Done{};
}

// Over the air, by the issuer's door: the device itself could not.
Status Device::WriteContainer(const wire::Container& container) {
  for (const Bytes& block : StoreDataBlocks(WriteFileScript(container.id, container.content))) {
    const Bytes answer = euicc_->ota().Transmit(block);
    if (answer != Bytes{0x90, 0x00}) {
      return Error::Make(Code::kFailed, "applet_refused", "STORE DATA answered " + ToHex(answer));
    }
  }
  return Done{};
}

Status Device::Wipe(const std::string& job) {
  if (job == wipe_job_) return Done{};
  for (const Bytes& block : StoreDataBlocks(ClearAllScript())) {
    if (euicc_->ota().Transmit(block) != Bytes{0x90, 0x00}) {
      return Error::Make(Code::kFailed, "applet_refused", "the card does not let itself be cleared");
    }
  }
  wipe_job_ = job;
  used_.Forget();
  next_.Forget();
  key_job_.clear();
  csr_.clear();
  return Done{};
}

Status Device::Verify(UtcTime now) {
  if (!payload_ || !used_.certificate) return Lacking("card_empty", "no payload installed");
  if (auto good = CheckDates(used_.certificate.get(), *trust_, now); !good) return good;
  auto target = VerifyInDns(*trust_, *payload_, options_.fallback_asp_address);
  if (!target) return target.error();
  target_ = std::move(*target);
  return Done{};
}

Status Device::TalkToAsp() {
  if (!target_) return Lacking("card_empty", "no verified payload");
  const ClientCredentials credentials{used_.certificate.get(), used_.key.get()};
  return sim::TalkToAsp(*target_, credentials, name(), options_.session_deadline);
}

}  // namespace registry::sim
