// `registryctl doctor`: what devices are told to trust, held to the keys that are in the DNS (RFC 5011 §2, §4).
#include <algorithm>
#include <map>
#include <set>

#include "bridge/app/trust_anchors.h"
#include "bridge/ctl/finding.h"
#include "bridge/zone/keys.h"

namespace registry::ctl {
namespace {

using app::TrustAnchor;

constexpr char kTrustCheck[] = "trust anchors";
constexpr std::chrono::milliseconds kForKeys{2000};
constexpr std::uint16_t kSep = 0x0001;  // RFC 4034 §2.1.1: a key that a DS or an anchor may be of

struct ZonesKey {
  Bytes rdata;
  std::uint16_t flags() const { return static_cast<std::uint16_t>(rdata[0] << 8 | rdata[1]); }
  bool revoked() const { return (flags() & app::kRevokeFlag) != 0; }
};

std::string Shown(const std::string& owner) { return owner.empty() ? "." : owner; }

std::string KeyText(std::uint16_t tag) { return "key " + std::to_string(tag); }

Result<std::vector<ZonesKey>> KeysOfZone(const std::string& owner, const zone::TlsResolver& resolver) {
  const auto name = zone::NameFromText(Shown(owner));
  if (!name) return Error::Make(Code::kFailed, "resolver_silent", "no name: " + owner);
  const auto answer = zone::AskOverTls(resolver, *name, zone::kTypeDnskey, kForKeys);
  if (!answer) return answer.error();
  if (!answer->authentic())
    return Error::Make(Code::kFailed, "resolver_silent",
                       "the resolver does not say that the keys of " + Shown(owner) + " are authentic (AD)");
  std::vector<ZonesKey> keys;
  for (const zone::Record& record : answer->message.answer) {
    if (record.type != zone::kTypeDnskey || record.owner != *name || record.rdata_size < 5) continue;
    const auto at = answer->octets.begin() + static_cast<std::ptrdiff_t>(record.rdata_at);
    keys.push_back({Bytes(at, at + static_cast<std::ptrdiff_t>(record.rdata_size))});
  }
  return keys;
}

struct Judged {
  std::size_t sound = 0;                   // anchors of a key that is there and not revoked
  std::vector<std::string> says, to_do{};  // what is not as it should be
};

void Note(Judged& judged, const std::string& says, const std::string& todo) {
  judged.says.push_back(says);
  judged.to_do.push_back(todo);
}

void JudgeZone(const std::string& owner, const std::vector<TrustAnchor>& anchors,
               const std::vector<ZonesKey>& keys, Judged& judged) {
  for (const TrustAnchor& anchor : anchors) {
    const auto key = std::find_if(keys.begin(), keys.end(),
                                  [&](const ZonesKey& one) { return app::IsAnchorOf(anchor, one.rdata); });
    const std::string tag = std::to_string(app::KeyTagOf(anchor));
    if (key == keys.end()) {
      Note(judged, "key " + tag + " is not in the DNSKEY set of " + Shown(owner),
           "registryctl anchor revoke " + tag + ", unless it is still to come");
    } else if (key->revoked()) {
      Note(judged, "key " + tag + " of " + Shown(owner) + " is revoked (RFC 5011 §2.1)",
           "registryctl anchor revoke " + tag);
    } else {
      ++judged.sound;
    }
  }
  for (const ZonesKey& key : keys) {
    const bool known = std::any_of(anchors.begin(), anchors.end(), [&](const TrustAnchor& anchor) {
      return app::IsAnchorOf(anchor, key.rdata);
    });
    if (known || key.revoked() || (key.flags() & kSep) == 0) continue;
    Note(judged, KeyText(zone::KeyTag(key.rdata)) + " of " + Shown(owner) + " is not given to devices",
         "registryctl anchor add, when you have verified that it comes to stay");
  }
}

std::string Joined(const std::vector<std::string>& texts) {
  std::string joined;
  for (const std::string& text : texts) joined += (joined.empty() ? "" : "; ") + text;
  return joined;
}

}  // namespace

Finding LookAtAnchors(const app::Config& config, const zone::TlsResolver& resolver) {
  std::map<std::string, std::vector<TrustAnchor>> by_owner;
  for (const std::string& text : config.trust_anchors) {
    if (auto anchor = app::ParseTrustAnchor(text)) by_owner[anchor->owner].push_back(std::move(*anchor));
  }
  Judged judged;
  for (const auto& [owner, anchors] : by_owner) {
    const auto keys = KeysOfZone(owner, resolver);
    if (!keys) return {kTrustCheck, Verdict::kSkipped, keys.error().message};
    JudgeZone(owner, anchors, *keys, judged);
  }
  if (judged.sound == 0)
    return {kTrustCheck, Verdict::kFault, "no device can prove anything: " + Joined(judged.says),
            Joined(judged.to_do)};
  if (!judged.says.empty())
    return {kTrustCheck, Verdict::kWarning, Joined(judged.says), Joined(judged.to_do)};
  return {kTrustCheck, Verdict::kGood,
          "each of the " + std::to_string(judged.sound) + " that devices are given is of a key of its zone"};
}

}  // namespace registry::ctl
