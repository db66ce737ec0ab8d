#include "clients/dane/zone_keys.h"

#include <ctime>

namespace registry::clients {
namespace {

constexpr std::size_t kZonesMax = 256;
constexpr const char* kFirstStatus = "/replies_tree/0/dnssec_status";

Error Bogus() {
  return Error::Make(Code::kPolicy, "dns_bogus", "no chain of signatures from a trust anchor");
}

// RFC 4035 §4.3: a signed ancestor proves that nothing below it need be signed. Nothing of it is believed for that, but
// whoever looks for the mistake is told.
Error Unproved(std::uint32_t dnssec_status) {
  if (dnssec_status != GETDNS_DNSSEC_INSECURE) return Bogus();
  return Error::Make(Code::kPolicy, "dns_insecure", "the zone is proved not to be signed");
}

// RFC 4035 §5.3.1: the signer is the zone that holds the name, so an ancestor of it or the name itself.
bool Holds(const std::string& zone, const std::string& name) {
  return zone.empty() || name == zone || name.ends_with("." + zone);
}

std::string SignerIn(const getdns_dict* reply, const char* section) {
  for (const getdns_dict* record : Records(ListAt(reply, section))) {
    if (IntAt(record, "type") == kTypeRrsig) return NameAt(record, "/rdata/signers_name");
  }
  return {};
}

// Who signed the reply; empty when nobody did (a name of the root itself counts as unsigned: nobody asks for
// one).
std::string SignerOf(const getdns_dict* reply) {
  const std::string signer = SignerIn(reply, "/replies_tree/0/answer");
  return !signer.empty() ? signer : SignerIn(reply, "/replies_tree/0/authority");
}

bool Proves(const getdns_list* keys, const getdns_dict* reply) {
  const getdns_list* replies = ListAt(reply, "replies_tree");
  const List no_chain(getdns_list_create());
  return getdns_validate_dnssec2(replies, no_chain.get(), keys, std::time(nullptr), 0) ==
         static_cast<getdns_return_t>(GETDNS_DNSSEC_SECURE);
}

}  // namespace

Result<Dict> ZoneKeys::Prove(GetdnsContext& context, const std::string& name, std::uint32_t type) {
  return Prove(context, name, type, Trust::kKept);
}

Result<Dict> ZoneKeys::Prove(GetdnsContext& context, const std::string& name, std::uint32_t type,
                             Trust trust) {
  auto reply = context.AskUnjudged(name, type);
  if (!reply) return reply;
  const std::string zone = SignerOf(reply->get());
  if (zone.empty()) return WhyUnsigned(context, name, type);
  if (!Holds(zone, name)) return Bogus();
  auto keys = trust == Trust::kKept ? Find(zone) : nullptr;
  const bool kept = keys != nullptr;
  if (!kept) {
    auto fetched = Fetch(context, zone);
    if (!fetched) return fetched.error();
    keys = *fetched;
  }
  if (Proves(keys.get(), reply->get())) return reply;
  if (!kept) return Bogus();
  Forget(zone);
  return Prove(context, name, type,
               Trust::kFresh);  // once more and no oftener, whatever others keep meanwhile
}

// Nobody signed the reply: by right, or somebody has taken the signatures away?
Error ZoneKeys::WhyUnsigned(GetdnsContext& context, const std::string& name, std::uint32_t type) {
  const auto judged = context.AskJudged(name, type);
  return judged ? Unproved(IntAt(judged->get(), kFirstStatus)) : judged.error();
}

std::shared_ptr<const getdns_list> ZoneKeys::Find(const std::string& zone) {
  const MutexLock lock(mutex_);
  const auto found = zones_.find(zone);
  return found != zones_.end() && Clock::now() < found->second.expiry ? found->second.list : nullptr;
}

void ZoneKeys::Forget(const std::string& zone) {
  const MutexLock lock(mutex_);
  zones_.erase(zone);
}

Result<std::shared_ptr<const getdns_list>> ZoneKeys::Fetch(GetdnsContext& context, const std::string& zone) {
  auto reply = context.AskJudged(zone, kTypeDnskey);
  if (!reply) return reply.error();
  if (const auto status = IntAt(reply->get(), kFirstStatus); status != GETDNS_DNSSEC_SECURE) {
    return Unproved(status);
  }
  std::shared_ptr<getdns_list> keys(getdns_list_create(), GetdnsFree());
  std::size_t count = 0;
  for (const getdns_dict* record : Records(ListAt(reply->get(), "/replies_tree/0/answer"))) {
    if (IntAt(record, "type") != kTypeDnskey || NameAt(record, "name") != zone) continue;
    getdns_list_set_dict(keys.get(), count++, record);
  }
  if (count == 0) return Bogus();
  const auto keep = KeepFor(reply->get(), zone, kTypeDnskey, std::time(nullptr));
  const MutexLock lock(mutex_);
  if (zones_.size() >= kZonesMax) zones_.clear();
  zones_[zone] = Keys{keys, Clock::now() + keep};
  return std::shared_ptr<const getdns_list>(keys);
}

}  // namespace registry::clients
