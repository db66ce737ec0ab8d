#include "clients/dane/resolver.h"

#include <arpa/inet.h>

#include "clients/dane/getdns_context.h"
#include "clients/dane/quiet_pipe.h"
#include "clients/dane/zone_keys.h"

namespace registry::clients {
namespace {

constexpr std::size_t kAddressesMax = 4096;

// RFC 8020: NXDOMAIN says that nothing is there or below. Its proof was checked with the reply.
Error Absent(const getdns_dict* reply, const std::string& name) {
  if (IntAt(reply, "/replies_tree/0/header/rcode") == GETDNS_RCODE_NXDOMAIN) {
    return Error::Make(Code::kNotFound, "name_absent", name + " is proved not to exist");
  }
  return Error::Make(Code::kNotFound, "record_absent", name + " is proved to have no such record");
}

// Records of the type that belong to the name itself; aliases are not followed.
std::vector<const getdns_dict*> Answers(const getdns_dict* reply, const std::string& name,
                                        std::uint32_t type) {
  std::vector<const getdns_dict*> answers;
  for (const getdns_dict* record : Records(ListAt(reply, "/replies_tree/0/answer"))) {
    if (IntAt(record, "type") == type && NameAt(record, "name") == name) answers.push_back(record);
  }
  return answers;
}

TlsaRecord ToTlsa(const getdns_dict* record) {
  return {static_cast<std::uint8_t>(IntAt(record, "/rdata/certificate_usage")),
          static_cast<std::uint8_t>(IntAt(record, "/rdata/selector")),
          static_cast<std::uint8_t>(IntAt(record, "/rdata/matching_type")),
          OctetsAt(record, "/rdata/certificate_association_data")};
}

}  // namespace

bool ProvedAbsent(const Error& error) {
  return error.symbol == "name_absent" || error.symbol == "record_absent";
}

DaneResolver::DaneResolver(ResolverTrust trust)
    : trust_(std::move(trust)), keys_(std::make_unique<ZoneKeys>()) {}
DaneResolver::~DaneResolver() = default;

Result<std::shared_ptr<DaneResolver>> DaneResolver::Create(ResolverTrust trust) {
  std::shared_ptr<DaneResolver> resolver(new DaneResolver(std::move(trust)));
  auto first = GetdnsContext::Open(resolver->trust_);  // says at once when the trust is malformed
  if (!first) return first.error();
  const MutexLock lock(resolver->mutex_);
  resolver->idle_.push_back(std::move(*first));
  return resolver;
}

std::unique_ptr<GetdnsContext> DaneResolver::TakeIdle() {
  const MutexLock lock(mutex_);
  if (idle_.empty()) return nullptr;
  auto context = std::move(idle_.back());
  idle_.pop_back();
  return context;
}

// A context that got no answer is not kept: libgetdns would hold the resolver off for its back-off time.
void DaneResolver::Return(std::unique_ptr<GetdnsContext> context, const Result<Dict>& reply) {
  if (!reply && reply.error().symbol == "resolver_unreachable") return;
  const MutexLock lock(mutex_);
  idle_.push_back(std::move(context));
}

Result<Dict> DaneResolver::Prove(const std::string& name, std::uint32_t type) {
  const QuietPipe quiet;
  if (auto used = TakeIdle()) {
    used->Until(Clock::now() + trust_.timeout);
    auto reply = keys_->Prove(*used, name, type);
    Return(std::move(used), reply);
    if (reply || reply.error().symbol != "resolver_unreachable") return reply;
    // RFC 7858 §3.4, RFC 7766 §6.2.4: the resolver may have closed the connection while it was idle. libgetdns notices
    // only when it asks, and does not ask again.
  }
  auto fresh = GetdnsContext::Open(trust_);
  if (!fresh) return fresh.error();
  (*fresh)->Until(Clock::now() + trust_.timeout);
  auto reply = keys_->Prove(**fresh, name, type);
  Return(std::move(*fresh), reply);
  return reply;
}

Result<std::vector<TlsaRecord>> DaneResolver::Tlsa(const std::string& owner, Freshness freshness) {
  std::uint64_t forgotten_before = 0;
  if (freshness == Freshness::kCached) {
    if (auto kept = Kept(owner)) return std::move(*kept);
    const MutexLock lock(mutex_);
    forgotten_before = forgotten_;
  }
  auto reply = Prove(owner, kTypeTlsa);
  if (!reply) return reply.error();
  const auto answers = Answers(reply->get(), owner, kTypeTlsa);
  if (answers.empty()) return Absent(reply->get(), owner);
  std::vector<TlsaRecord> records;
  records.reserve(answers.size());
  for (const getdns_dict* record : answers) records.push_back(ToTlsa(record));
  if (freshness == Freshness::kCached) {
    const auto keep = KeepFor(reply->get(), owner, kTypeTlsa, std::time(nullptr));
    Keep(owner, {records, Clock::now() + keep}, forgotten_before);
  }
  return records;
}

std::optional<std::vector<TlsaRecord>> DaneResolver::Kept(const std::string& owner) {
  const MutexLock lock(mutex_);
  const auto found = tlsa_.find(owner);
  if (found == tlsa_.end() || Clock::now() >= found->second.expiry) return std::nullopt;
  return found->second.records;
}

void DaneResolver::Keep(const std::string& owner, Cached cached, std::uint64_t forgotten_before) {
  const MutexLock lock(mutex_);
  if (forgotten_ != forgotten_before) return;  // what was asked before may be what was to be forgotten
  if (tlsa_.size() >= trust_.cache_max && !tlsa_.empty()) tlsa_.erase(tlsa_.begin());
  if (trust_.cache_max > 0) tlsa_[owner] = std::move(cached);
}

void DaneResolver::Forget(const std::string& owner) {
  const MutexLock lock(mutex_);
  tlsa_.erase(owner);
  ++forgotten_;
}

Result<std::string> DaneResolver::Address(const std::string& name) {
  {
    const MutexLock lock(mutex_);
    const auto found = addresses_.find(name);
    if (found != addresses_.end() && Clock::now() < found->second.expiry) return found->second.address;
  }
  auto reply = Prove(name, kTypeA);
  if (!reply) return reply.error();
  const auto answers = Answers(reply->get(), name, kTypeA);
  if (answers.empty()) return Absent(reply->get(), name);
  const Bytes octets = OctetsAt(answers.front(), "/rdata/ipv4_address");
  char text[INET_ADDRSTRLEN] = {};
  if (octets.size() != 4 || inet_ntop(AF_INET, octets.data(), text, sizeof text) == nullptr)
    return Error::Make(Code::kNotFound, "record_absent", name + " has no IPv4 address of four octets");
  const MutexLock lock(mutex_);
  if (addresses_.size() >= kAddressesMax) addresses_.clear();
  addresses_[name] =
      CachedAddress{text, Clock::now() + KeepFor(reply->get(), name, kTypeA, std::time(nullptr))};
  return std::string(text);
}

}  // namespace registry::clients
