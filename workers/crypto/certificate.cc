#include "workers/crypto/certificate.h"

namespace registry::crypto {
namespace {

bool BeginsWithVersion3(OctetView to_be_signed) {
  static constexpr std::uint8_t kVersion3[] = {tag::kInteger, 1, 2};
  DerReader reader(to_be_signed);
  const auto version = reader.Next(tag::ContextConstructed(0));
  return version && Same(version->content, kVersion3);
}

}  // namespace

bool HasCertificateForm(OctetView octets) {
  const auto certificate = OnlyElement(octets, tag::kSequence);
  if (!certificate) return false;
  DerReader parts(certificate->content);
  const auto to_be_signed = parts.Next(tag::kSequence);
  const auto algorithm = parts.Next(tag::kSequence);
  const auto signature = parts.Next(tag::kBitString);
  return to_be_signed && algorithm && signature && parts.AtEnd() && BeginsWithVersion3(to_be_signed->content);
}

}  // namespace registry::crypto
