// The device certificate: a DER template filled with key, name, serial and time. Building it through X509
// objects costs six times the signature, most of it in decoding the key twice.
#include "workers/crypto/issuer.h"

#include <algorithm>

#include "workers/crypto/der_writer.h"
#include "workers/crypto/p256.h"
#include "workers/csr_sign/csr_sign.h"

namespace registry::csr_sign {
namespace {

using crypto::Der;
using crypto::DerExtension;
using crypto::DerSequence;
using crypto::OctetView;
namespace tag = crypto::tag;

constexpr std::size_t kSerialSize = 20;        // RFC 5280 §4.1.2.2: at most 20 octets
constexpr std::size_t kCommonNameMax = 64;     // RFC 5280 appendix A, ub-common-name
constexpr std::size_t kDeviceLabelsSize = 45;  // "<uuid>._device."

const Bytes& SignatureAlgorithm() {
  static const Bytes algorithm = DerSequence({crypto::DerOid(crypto::kEcdsaWithSha256)});
  return algorithm;
}

// basicConstraints, keyUsage and extendedKeyUsage are the same in every device certificate (design §5).
const Bytes& FixedExtensions() {
  static const Bytes extensions = [] {
    static constexpr std::uint8_t kDigitalSignature[] = {tag::kBitString, 2, 7, 0x80};
    Bytes all = DerExtension("2.5.29.19", true, DerSequence({}));
    const Bytes usage = DerExtension("2.5.29.15", true, kDigitalSignature);
    const Bytes client = DerExtension("2.5.29.37", false, DerSequence({crypto::DerOid("1.3.6.1.5.5.7.3.2")}));
    all.insert(all.end(), usage.begin(), usage.end());
    all.insert(all.end(), client.begin(), client.end());
    return all;
  }();
  return extensions;
}

// One DistributionPoint with one URI (RFC 5280 §4.2.1.13); empty when none is configured.
Bytes CrlExtension(const std::string& url) {
  if (url.empty()) return {};
  const Bytes full_name = Der(tag::ContextConstructed(0), {Der(tag::Context(6), {crypto::View(url)})});
  const Bytes point = DerSequence({Der(tag::ContextConstructed(0), {full_name})});
  return DerExtension("2.5.29.31", false, DerSequence({point}));
}

// RFC 5280 §4.1.2.6: where the name does not fit a CN the subject is empty and the subjectAltName critical.
Bytes Subject(const std::string& name) {
  static const Bytes kCommonName = crypto::DerOid("2.5.4.3");
  if (name.size() > kCommonNameMax) return DerSequence({});
  const Bytes pair = DerSequence({kCommonName, Der(tag::kUtf8String, {crypto::View(name)})});
  return DerSequence({Der(tag::kSet, {pair})});
}

Bytes AlternativeName(const std::string& name) {
  constexpr std::uint8_t kDnsName = 2;
  static const Bytes kAlternativeName = crypto::DerOid("2.5.29.17");
  return DerExtension(kAlternativeName, name.size() > kCommonNameMax,
                      DerSequence({Der(tag::Context(kDnsName), {crypto::View(name)})}));
}

Bytes KeyIdentifierExtension(OctetView point) {
  static const Bytes kKeyIdentifier = crypto::DerOid("2.5.29.14");
  return DerExtension(kKeyIdentifier, false, Der(tag::kOctetString, {crypto::KeyIdentifier(point)}));
}

// Positive, always 20 octets, 158 of its bits random: nobody can guess the next one (CA/B Forum asks for 64).
Bytes NewSerial(const domain::Context& context) {
  Bytes serial(kSerialSize);
  context.random(serial.data(), serial.size());
  serial[0] = static_cast<std::uint8_t>((serial[0] & 0x3f) | 0x40);
  return serial;
}

UtcTime WholeSeconds(UtcTime time) { return {time.seconds() * 1'000'000}; }

Error Misconfigured(std::string_view message) {
  return Error::Make(Code::kFailed, "issuer_invalid", message);
}

}  // namespace

bool ValidCrlUrl(const std::string& url) {
  if (url.empty()) return true;
  const std::size_t scheme = url.starts_with("http://") ? 7 : url.starts_with("https://") ? 8 : url.size();
  return scheme < url.size() && url[scheme] != '/' &&
         std::all_of(url.begin(), url.end(), [](char c) { return c > ' ' && c < 0x7f; });
}

std::uint32_t CrlShardOf(const Bytes& serial, std::uint32_t shards) {
  // Its last octets are random (NewSerial).
  std::uint32_t last = 0;
  for (std::size_t i = serial.size() - std::min<std::size_t>(serial.size(), 4); i < serial.size(); ++i) {
    last = last << 8 | serial[i];
  }
  return last % shards;
}

std::string CrlShardName(const std::string& whole, std::uint32_t shard, std::uint32_t shards) {
  const std::size_t slash = whole.rfind('/');
  const std::size_t dot = whole.rfind('.');
  const bool has_suffix = dot != std::string::npos && (slash == std::string::npos || dot > slash + 1);
  const std::size_t at = has_suffix ? dot : whole.size();
  return whole.substr(0, at) + "-" + std::to_string(shard) + "-of-" + std::to_string(shards) +
         whole.substr(at);
}

Result<Issuer> Issuer::Create(const domain::Policy& policy, const domain::Signer& signer) {
  if (!ValidDomainName(policy.zone) || policy.zone.size() + kDeviceLabelsSize > 253) {
    return Misconfigured("the zone is no domain name with room for device names");
  }
  if (!ValidCrlUrl(policy.certificate.crl_url)) return Misconfigured("crl_url is no URL");
  auto fields = crypto::ReadIssuer(signer.certificate());
  if (!fields) return fields.error();
  Issuer issuer;
  const std::string& url = policy.certificate.crl_url;
  const std::uint32_t shards = url.empty() ? 0 : policy.certificate.crl_shards;
  if (shards == 0) issuer.crl_extensions_.push_back(CrlExtension(url));
  for (std::uint32_t shard = 0; shard < shards; ++shard) {
    issuer.crl_extensions_.push_back(CrlExtension(CrlShardName(url, shard, shards)));
  }
  issuer.zone_ = policy.zone;
  issuer.policy_ = policy.certificate;
  issuer.signer_ = &signer;
  issuer.issuer_name_ = std::move(fields->name);
  issuer.authority_key_extension_ = std::move(fields->authority_key);
  issuer.not_after_ = fields->not_after;
  return issuer;
}

Bytes Issuer::ToBeSigned(const std::string& name, const CheckedCsr& csr,
                         const domain::IssuedCertificate& issued) const {
  static const Bytes kVersion3 = Der(tag::ContextConstructed(0), {crypto::DerInteger(2)});
  const Bytes validity = DerSequence({crypto::DerTime(issued.not_before), crypto::DerTime(issued.not_after)});
  const auto shard = CrlShardOf(issued.serial, static_cast<std::uint32_t>(crl_extensions_.size()));
  const Bytes extensions =
      DerSequence({FixedExtensions(), KeyIdentifierExtension(csr.public_key), authority_key_extension_,
                   AlternativeName(name), crl_extensions_[shard]});
  return DerSequence({kVersion3, Der(tag::kInteger, {issued.serial}), SignatureAlgorithm(), issuer_name_,
                      validity, Subject(name), crypto::P256PublicKeyInfo(csr.public_key),
                      Der(tag::ContextConstructed(3), {extensions})});
}

Result<domain::IssuedCertificate> Issuer::Issue(const DeviceId& device, const CheckedCsr& csr,
                                                const domain::Context& context) const {
  domain::IssuedCertificate issued;
  issued.serial = NewSerial(context);
  issued.not_before = WholeSeconds(context.now - policy_.backdate);
  // Ends no later than the issuing certificate, behind which nothing would verify anyway.
  issued.not_after = std::min(WholeSeconds(context.now + policy_.validity), not_after_);
  if (issued.not_after <= context.now) return Misconfigured("the issuing certificate has expired");
  const Bytes to_be_signed = ToBeSigned(DeviceName(device, zone_), csr, issued);
  const auto signature = signer_->Sign(to_be_signed);
  if (!signature) return signature.error();
  issued.der = DerSequence({to_be_signed, SignatureAlgorithm(), crypto::DerBitString(*signature)});
  issued.sha256 = crypto::ToBytes(crypto::Sha256({issued.der}));
  issued.spki_sha256 = csr.spki_sha256;
  return issued;
}

}  // namespace registry::csr_sign
