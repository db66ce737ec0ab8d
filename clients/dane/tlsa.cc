#include "clients/dane/tlsa.h"

#include <openssl/asn1.h>
#include <openssl/evp.h>

#include <algorithm>

namespace registry::clients {
namespace {

constexpr std::uint8_t kWhole = 0, kSha256 = 1, kSha512 = 2;  // RFC 6698 §2.1.3

Bytes Digest(const Bytes& octets, const EVP_MD* hash) {
  Bytes out(static_cast<std::size_t>(EVP_MD_get_size(hash)));
  EVP_Digest(octets.data(), octets.size(), out.data(), nullptr, hash, nullptr);
  return out;
}

// A window over DER octets; Enter and Skip say whether the next value was there and well-formed.
struct Reader {
  const std::uint8_t* at;
  const std::uint8_t* end;

  bool Next(const std::uint8_t*& begin, long& length, int& tag) {
    begin = at;
    int tag_class = 0;
    const std::uint8_t* content = at;
    if ((ASN1_get_object(&content, &length, &tag, &tag_class, end - at) & 0x80) != 0) return false;
    at = content;
    if (tag_class == V_ASN1_CONTEXT_SPECIFIC) tag = -1 - tag;
    return true;
  }
  bool Enter() {
    const std::uint8_t* begin = nullptr;
    long length = 0;
    int tag = 0;
    if (!Next(begin, length, tag) || tag != V_ASN1_SEQUENCE) return false;
    end = at + length;
    return true;
  }
  bool Skip() {
    const std::uint8_t* begin = nullptr;
    long length = 0;
    int tag = 0;
    if (!Next(begin, length, tag)) return false;
    at += length;
    return true;
  }
};

bool Outdone(const TlsaRecord& record, const std::vector<TlsaRecord>& records) {
  return record.matching == kSha256 &&
         std::any_of(records.begin(), records.end(), [&](const TlsaRecord& other) {
           return other.usage == record.usage && other.selector == record.selector &&
                  other.matching == kSha512;
         });
}

}  // namespace

// RFC 5280 §4.1: Certificate { tbs { [0] version, serial, algorithm, issuer, validity, subject, spki … } … }.
// OpenSSL's own parser would decode the key as well, which costs more than everything else a device does.
Result<CertificateView> CertificateView::Of(const Bytes& der) {
  const Error malformed = Error::Make(Code::kValueSyntax, "certificate_malformed", "not a DER certificate");
  Reader reader{der.data(), der.data() + der.size()};
  if (!reader.Enter() || reader.end != der.data() + der.size() || !reader.Enter()) return malformed;
  for (int field = 0; field < 6; ++field) {
    if (!reader.Skip()) return malformed;
  }
  const std::uint8_t* begin = reader.at;
  if (!reader.Skip() || *begin != 0x30) return malformed;
  return CertificateView{der, Bytes(begin, reader.at)};
}

bool Matches(const TlsaRecord& record, const CertificateView& certificate) {
  if (record.selector > 1) return false;
  const Bytes& covered = record.selector == 0 ? certificate.der : certificate.spki;
  switch (record.matching) {
    case kWhole:
      return record.data == covered;
    case kSha256:
      return record.data == Digest(covered, EVP_sha256());
    case kSha512:
      return record.data == Digest(covered, EVP_sha512());
    default:
      return false;
  }
}

bool MatchesAny(const std::vector<TlsaRecord>& records, std::uint8_t usage,
                const CertificateView& certificate) {
  return std::any_of(records.begin(), records.end(), [&](const TlsaRecord& record) {
    return record.usage == usage && !Outdone(record, records) && Matches(record, certificate);
  });
}

}  // namespace registry::clients
