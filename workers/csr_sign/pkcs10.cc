#include "workers/csr_sign/pkcs10.h"

#include <algorithm>
#include <string>

#include "schemas/wire/oid.h"
#include "schemas/wire/strict_json.h"
#include "workers/crypto/der_writer.h"

namespace registry::csr_sign {
namespace {

using crypto::DerElement;
using crypto::DerReader;
using crypto::OctetView;
namespace tag = crypto::tag;

Error Malformed(std::string_view what) {
  return Error::Make(Code::kValueSyntax, "csr_malformed",
                     "not a DER CertificationRequest: " + std::string(what), "/csr");
}

// A BIT STRING of whole octets.
std::optional<OctetView> OctetsOf(const std::optional<DerElement>& bits) {
  if (!bits || bits->content.empty() || bits->content[0] != 0) return std::nullopt;
  return bits->content.subspan(1);
}

std::optional<OctetView> ReadAlgorithm(DerReader& reader) {
  const auto sequence = reader.Next(tag::kSequence);
  if (!sequence) return std::nullopt;
  DerReader inside(sequence->content);
  if (!inside.Next(tag::kOid)) return std::nullopt;
  if (!inside.AtEnd() && !inside.Next()) return std::nullopt;
  if (!inside.AtEnd()) return std::nullopt;
  return sequence->content;
}

// emailAddress (RFC 2985 §5.2.1) and domainComponent (RFC 4519 §2.4), whose values are IA5Strings.
bool IsIa5Attribute(OctetView type) {
  static const Bytes email = crypto::DerOid("1.2.840.113549.1.9.1"),
                     domain_component = crypto::DerOid("0.9.2342.19200300.100.1.25");
  return crypto::Same(type, email) || crypto::Same(type, domain_component);
}

bool IsAscii(OctetView text) {
  return std::all_of(text.begin(), text.end(), [](std::uint8_t octet) { return octet < 0x80; });
}

// Characters of `width` octets each, big-endian: code points, and no surrogates (ISO/IEC 10646).
bool IsUnicode(OctetView text, std::size_t width) {
  if (text.size() % width != 0) return false;
  for (std::size_t at = 0; at < text.size(); at += width) {
    std::uint32_t code = 0;
    for (std::size_t i = 0; i < width; ++i) code = code << 8 | text[at + i];
    if (code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff)) return false;
  }
  return true;
}

// The DirectoryString choices of RFC 5280 §4.1.2.4, and IA5String where an attribute has it, each in octets that can be
// its. What no other implementation parses would be refused by whoever else looks at the request.
bool IsAttributeValue(const DerElement& type, const DerElement& value) {
  switch (value.tag) {
    case tag::kUtf8String:
      return wire::ValidUtf8({reinterpret_cast<const char*>(value.content.data()), value.content.size()});
    case tag::kPrintableString:
      return IsAscii(value.content);
    case tag::kTeletexString:
      return true;
    case tag::kBmpString:
      return IsUnicode(value.content, 2);
    case tag::kUniversalString:
      return IsUnicode(value.content, 4);
    case tag::kIa5String:
      return IsIa5Attribute(type.whole) && IsAscii(value.content);
    default:
      return false;
  }
}

// RFC 5280 §4.1.2.4: a sequence of sets, none empty, of type and value. What it says is of no interest here
// (design §5).
bool IsName(OctetView content) {
  DerReader sets(content);
  while (!sets.AtEnd()) {
    const auto set = sets.Next(tag::kSet);
    if (!set || set->content.empty()) return false;
    DerReader pairs(set->content);
    while (!pairs.AtEnd()) {
      const auto pair = pairs.Next(tag::kSequence);
      if (!pair) return false;
      DerReader inside(pair->content);
      const auto type = inside.Next(tag::kOid);
      const auto value = inside.Next();
      if (!type || !value || !inside.AtEnd() || !IsAttributeValue(*type, *value)) return false;
    }
  }
  return true;
}

const Bytes& AgreementKeyOid() {
  static const Bytes oid = crypto::DerOid(wire::kAgreementKeyOid);
  return oid;
}
const Bytes& ExtensionRequestOid() {
  static const Bytes oid = crypto::DerOid("1.2.840.113549.1.9.14");  // RFC 2985 §5.4.2
  return oid;
}

// Reads the attributes for the one thing wanted from them; anything else in them is only checked for its
// form.
class AttributeReader {
 public:
  bool Read(OctetView attributes) {
    DerReader reader(attributes);
    while (!reader.AtEnd()) {
      const auto attribute = reader.Next(tag::kSequence);
      if (!attribute || !ReadAttribute(attribute->content)) return false;
    }
    return true;
  }
  const std::optional<PublicKeyInfo>& agreement_key() const { return agreement_key_; }

 private:
  bool ReadAttribute(OctetView content) {
    DerReader reader(content);
    const auto type = reader.Next(tag::kOid);
    const auto values = reader.Next(tag::kSet);
    if (!type || !values || !reader.AtEnd() || values->content.empty()) return false;
    if (crypto::Same(type->whole, AgreementKeyOid())) return Keep(values->content);
    if (!crypto::Same(type->whole, ExtensionRequestOid())) return true;
    const auto extensions = crypto::OnlyElement(values->content, tag::kSequence);
    return extensions && ReadExtensions(extensions->content);
  }

  bool ReadExtensions(OctetView content) {
    DerReader reader(content);
    while (!reader.AtEnd()) {
      const auto extension = reader.Next(tag::kSequence);
      if (!extension) return false;
      DerReader inside(extension->content);
      const auto id = inside.Next(tag::kOid);
      if (inside.Peek(tag::kBoolean) && !inside.Next()) return false;
      const auto value = inside.Next(tag::kOctetString);
      if (!id || !value || !inside.AtEnd()) return false;
      if (crypto::Same(id->whole, AgreementKeyOid()) && !Keep(value->content)) return false;
    }
    return true;
  }

  // Named once only: with two, the applet and the registry could each believe another one.
  bool Keep(OctetView value) {
    if (agreement_key_ || !crypto::IsStrictDer(value)) return false;
    agreement_key_ = ReadPublicKeyInfo(value);
    return agreement_key_.has_value();
  }

  std::optional<PublicKeyInfo> agreement_key_;
};

// CertificationRequestInfo, RFC 2986 §4.1.
Status ReadInfo(OctetView content, Pkcs10& request) {
  static constexpr std::uint8_t kVersion1[] = {tag::kInteger, 1, 0};
  DerReader reader(content);
  const auto version = reader.Next(tag::kInteger);
  if (!version || !crypto::Same(version->whole, kVersion1)) return Malformed("version is not v1(0)");
  const auto subject = reader.Next(tag::kSequence);
  if (!subject || !IsName(subject->content)) return Malformed("subject is no Name");
  const auto key = reader.Next(tag::kSequence);
  const auto key_info = key ? ReadPublicKeyInfo(key->whole) : std::nullopt;
  if (!key_info) return Malformed("subjectPKInfo");
  request.key = *key_info;
  // Not OPTIONAL in RFC 2986, yet left out by some card firmware; OpenSSL takes such requests and so does
  // this.
  if (reader.AtEnd()) return Done{};
  const auto attributes = reader.Next(tag::ContextConstructed(0));
  AttributeReader attribute_reader;
  if (!attributes || !reader.AtEnd() || !attribute_reader.Read(attributes->content))
    return Malformed("attributes");
  request.agreement_key = attribute_reader.agreement_key();
  return Done{};
}

}  // namespace

std::optional<PublicKeyInfo> ReadPublicKeyInfo(OctetView der) {
  const auto sequence = crypto::OnlyElement(der, tag::kSequence);
  if (!sequence) return std::nullopt;
  DerReader reader(sequence->content);
  const auto algorithm = ReadAlgorithm(reader);
  const auto key = OctetsOf(reader.Next(tag::kBitString));
  if (!algorithm || !key || !reader.AtEnd()) return std::nullopt;
  return PublicKeyInfo{*algorithm, *key, sequence->whole};
}

Result<Pkcs10> ReadPkcs10(OctetView der) {
  if (!crypto::IsStrictDer(der)) return Malformed("not one whole, strictly encoded element");
  const auto request_element = crypto::OnlyElement(der, tag::kSequence);
  if (!request_element) return Malformed("no SEQUENCE");
  DerReader reader(request_element->content);
  const auto info = reader.Next(tag::kSequence);
  if (!info) return Malformed("no CertificationRequestInfo");
  Pkcs10 request;
  request.signed_part = info->whole;
  const auto algorithm = ReadAlgorithm(reader);
  const auto signature = OctetsOf(reader.Next(tag::kBitString));
  if (!algorithm || !signature || !reader.AtEnd()) return Malformed("signatureAlgorithm or signature");
  request.signature_algorithm = *algorithm;
  request.signature = *signature;
  if (const auto read = ReadInfo(info->content, request); !read) return read.error();
  return request;
}

}  // namespace registry::csr_sign
