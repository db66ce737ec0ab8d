#include "bridge/signing/ca_request.h"

#include "workers/crypto/der_writer.h"
#include "workers/crypto/issuer.h"
#include "workers/crypto/p256.h"

namespace registry::signing {
namespace {

using crypto::Der;
using crypto::DerExtension;
using crypto::DerSequence;
namespace tag = crypto::tag;

constexpr std::uint8_t kUtf8String = 0x0c;
constexpr std::size_t kCommonNameMax = 64;  // RFC 5280 appendix A, ub-common-name

Bytes NameOf(const std::string& common_name) {
  const Bytes value = Der(kUtf8String, {crypto::View(common_name)});
  return DerSequence({Der(tag::kSet, {DerSequence({crypto::DerOid("2.5.4.3"), value})})});
}

// RFC 2985 §5.4.2: extensionRequest. RFC 5280 §4.2.1.9, §4.2.1.3: bits 0 (digitalSignature), 5 and 6.
Bytes Wanted() {
  const std::uint8_t constraints[] = {tag::kSequence, 6, tag::kBoolean, 1, 0xff, tag::kInteger, 1, 0};
  const std::uint8_t usage[] = {tag::kBitString, 2, 1, 0x86};
  const Bytes extensions =
      DerSequence({DerExtension("2.5.29.19", true, constraints), DerExtension("2.5.29.15", true, usage)});
  return DerSequence({crypto::DerOid("1.2.840.113549.1.9.14"), Der(tag::kSet, {extensions})});
}

}  // namespace

Result<Bytes> MakeCaRequest(const keys::KeySource& key, const std::string& common_name) {
  if (common_name.empty() || common_name.size() > kCommonNameMax)
    return Error::Make(Code::kFailed, "name_invalid", "a common name has 1 to 64 octets: " + common_name);
  const Bytes info =
      DerSequence({crypto::DerInteger(0), NameOf(common_name), crypto::P256PublicKeyInfo(key.point()),
                   Der(tag::ContextConstructed(0), {Wanted()})});
  const auto signature = key.Sign(crypto::Sha256({info}));
  if (!signature) return signature.error();
  return DerSequence(
      {info, DerSequence({crypto::DerOid(crypto::kEcdsaWithSha256)}), crypto::DerBitString(*signature)});
}

}  // namespace registry::signing
