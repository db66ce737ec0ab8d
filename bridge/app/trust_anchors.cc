#include "bridge/app/trust_anchors.h"

#include <openssl/evp.h>

#include <charconv>
#include <iterator>
#include <sstream>

#include "bridge/zone/keys.h"
#include "schemas/ids/ids.h"

namespace registry::app {
namespace {

template <class Integer>
bool Number(const std::string& text, Integer& number) {
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), number);
  return failed == std::errc() && end == text.data() + text.size();
}

bool IsTtl(const std::string& text) {
  std::uint32_t ttl = 0;
  return Number(text, ttl) && ttl <= 0x7fffffff;
}

// IANA, DS RR Type Digest Algorithms; null for one that is not known here.
const EVP_MD* DigestOf(std::uint8_t type) {
  return type == 1 ? EVP_sha1() : type == 2 ? EVP_sha256() : type == 4 ? EVP_sha384() : nullptr;
}

// RFC 4034 appendix A.2, RFC 6605: as long as its digest type says, where that is known.
bool IsWhole(const TrustAnchor& anchor) {
  if (anchor.octets.empty()) return false;
  if (anchor.type == TrustAnchor::Type::kDnskey) return anchor.second == 3;
  const EVP_MD* const digest = DigestOf(anchor.third);
  return digest == nullptr || anchor.octets.size() == static_cast<std::size_t>(EVP_MD_get_size(digest));
}

bool IsAtOrAbove(const std::string& owner, const std::string& zone) {
  return owner.empty() || zone == owner || zone.ends_with("." + owner);
}

// RFC 4034 §5.1.4: digest of owner name and DNSKEY RDATA.
Bytes DigestOfKey(const EVP_MD* digest, const std::string& zone, const Bytes& dnskey) {
  Bytes hashed = zone::NameFromText(zone.empty() ? "." : zone).value_or(Bytes{});
  zone::Put(hashed, dnskey);
  Bytes octets(EVP_MAX_MD_SIZE);
  unsigned int size = 0;
  if (EVP_Digest(hashed.data(), hashed.size(), octets.data(), &size, digest, nullptr) != 1) size = 0;
  octets.resize(size);
  return octets;
}

Bytes DnskeyRdata(const TrustAnchor& anchor) {
  Bytes rdata;
  zone::PutU16(rdata, anchor.first);
  rdata.push_back(anchor.second);
  rdata.push_back(anchor.third);
  zone::Put(rdata, anchor.octets);
  return rdata;
}

enum class Match { kIs, kIsAnother, kClaimsToBe };  // the last: its key tag, and not its key

Match Compare(const TrustAnchor& anchor, const std::string& zone, const zone::ZoneKey& ksk) {
  if (anchor.type == TrustAnchor::Type::kDnskey) {
    return DnskeyRdata(anchor) == ksk.dnskey ? Match::kIs : Match::kIsAnother;
  }
  const EVP_MD* const digest = DigestOf(anchor.third);
  if (anchor.first != ksk.tag || digest == nullptr) return Match::kIsAnother;
  const bool same =
      anchor.second == ksk.algorithm() && DigestOfKey(digest, zone, ksk.dnskey) == anchor.octets;
  return same ? Match::kIs : Match::kClaimsToBe;
}

}  // namespace

std::optional<TrustAnchor> ParseTrustAnchor(const std::string& text) {
  std::istringstream words(text);
  const std::vector<std::string> word{std::istream_iterator<std::string>(words), {}};
  std::size_t at = 1;
  while (at < word.size() && (word[at] == "IN" || IsTtl(word[at]))) ++at;
  if (at + 5 > word.size() || (word[at] != "DS" && word[at] != "DNSKEY")) return std::nullopt;
  TrustAnchor anchor;
  anchor.owner = word[0];
  if (anchor.owner.back() == '.') anchor.owner.pop_back();
  anchor.type = word[at] == "DS" ? TrustAnchor::Type::kDs : TrustAnchor::Type::kDnskey;
  std::string octets;  // white space inside is allowed
  for (std::size_t i = at + 4; i < word.size(); ++i) octets += word[i];
  const auto decoded = anchor.type == TrustAnchor::Type::kDs ? FromHex(octets) : FromBase64(octets);
  const bool good = (anchor.owner.empty() || ValidDomainName(anchor.owner)) &&
                    Number(word[at + 1], anchor.first) && Number(word[at + 2], anchor.second) &&
                    Number(word[at + 3], anchor.third) && decoded;
  if (!good) return std::nullopt;
  anchor.octets = *decoded;
  return IsWhole(anchor) ? std::optional(std::move(anchor)) : std::nullopt;
}

std::uint16_t KeyTagOf(const TrustAnchor& anchor) {
  return anchor.type == TrustAnchor::Type::kDs ? anchor.first : zone::KeyTag(DnskeyRdata(anchor));
}

std::string LabelOf(const TrustAnchor& anchor) {
  constexpr std::size_t kShown = 8;
  const bool ds = anchor.type == TrustAnchor::Type::kDs;
  Bytes digest = ds ? anchor.octets : zone::Sha256(anchor.octets);
  digest.resize(std::min(digest.size(), kShown));
  std::string label = anchor.owner;
  label.append(ds ? ". DS " : ". DNSKEY ").append(std::to_string(KeyTagOf(anchor)));
  label.append(" ").append(std::to_string(ds ? anchor.second : anchor.third));
  if (ds) label.append(" ").append(std::to_string(anchor.third));
  return label.append(" ").append(ToHex(digest));
}

bool IsAnchorOf(const TrustAnchor& anchor, std::span<const std::uint8_t> dnskey) {
  constexpr std::size_t kHead = 4;
  if (dnskey.size() <= kHead) return false;
  Bytes rdata(dnskey.begin(), dnskey.end());
  rdata[1] = static_cast<std::uint8_t>(rdata[1] & ~kRevokeFlag);
  if (anchor.type == TrustAnchor::Type::kDnskey) return DnskeyRdata(anchor) == rdata;
  const EVP_MD* const digest = DigestOf(anchor.third);
  return digest != nullptr && anchor.second == rdata[3] &&
         DigestOfKey(digest, anchor.owner, rdata) == anchor.octets;
}

std::vector<std::string> TrustAnchorFaults(const std::vector<std::string>& anchors, const std::string& zone,
                                           const std::string& ksk_file) {
  std::vector<std::string> faults;
  const auto add = [&faults](const std::string& why) { faults.push_back("registry.trust_anchors: " + why); };
  const auto ksk =
      zone::PublicZoneKey(ksk_file, zone::kKskFlags);  // what is wrong with the file is said elsewhere
  bool own = false, found = false;
  std::string other;
  for (const std::string& text : anchors) {
    const auto anchor = ParseTrustAnchor(text);
    if (!anchor) {
      add("no DS or DNSKEY record: " + text);
    } else if (!IsAtOrAbove(anchor->owner, zone)) {
      std::string why = "is neither for ";
      why.append(zone).append(" nor for a zone above it, so no device could use it: ").append(text);
      add(why);
    } else if (anchor->owner == zone && ksk) {
      own = true;
      const Match match = Compare(*anchor, zone, *ksk);
      found = found || match == Match::kIs;
      if (match == Match::kClaimsToBe) add("is not the digest of zone.ksk: " + text);
      if (match == Match::kIsAnother) other = text;
    }
  }
  if (own && !found && !other.empty())
    add("none is of zone.ksk (key tag " + std::to_string(ksk->tag) + "): " + other);
  return faults;
}

}  // namespace registry::app
