#include "clients/verdict/client_check.h"

#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <ctime>

#include "clients/verdict/verdict.h"

namespace registry::clients {
namespace {

Bytes DerOf(X509* certificate) {
  std::uint8_t* octets = nullptr;
  const int size = i2d_X509(certificate, &octets);
  if (size <= 0) return {};
  Bytes der(octets, octets + size);
  OPENSSL_free(octets);
  return der;
}

std::string Sha256Of(const Bytes& der) {
  std::array<unsigned char, 32> digest{};
  EVP_Digest(der.data(), der.size(), digest.data(), nullptr, EVP_sha256(), nullptr);
  return {digest.begin(), digest.end()};
}

std::string Described(const TlsaRecord& record) {
  return std::to_string(record.usage) + ' ' + std::to_string(record.selector) + ' ' +
         std::to_string(record.matching);
}

std::string Described(const std::vector<TlsaRecord>& records) {
  std::string text;
  for (const TlsaRecord& record : records) text += (text.empty() ? "" : ", ") + Described(record);
  return text;
}

}  // namespace

Result<std::unique_ptr<ClientCheck>> ClientCheck::Create(const Trust& trust, const OwnDevices* own,
                                                         std::shared_ptr<DaneResolver> resolver,
                                                         const CheckOptions& options) {
  auto chain = Chain::Create(trust.root, trust.issuing, options.cache_max);
  if (!chain) return chain.error();
  std::unique_ptr<ClientCheck> check(new ClientCheck(trust, own, std::move(resolver), options));
  check->chain_ = std::move(*chain);
  return check;
}

// draft-ietf-dance-client-auth-13: a client that sends no name, or an empty one, has not asked for DANE.
Result<std::string> ClientCheck::NameOf(X509* certificate, const std::optional<std::string>& sent) const {
  const bool named = sent && !sent->empty() && options_.name_from != NameFrom::kCertificate;
  if (!named && options_.name_from == NameFrom::kExtension) return Refusal(Verdict::kIdentityMissing);
  auto name = named ? SentName(certificate, *sent) : OnlyDnsName(certificate);
  if (!name) return name;
  if (auto device = domains_.DeviceOf(*name); !device) return device.error();
  return name;
}

Status ClientCheck::CheckChain(X509* certificate, const Bytes& der) const {
  return chain_->Judge(certificate, Sha256Of(der), std::time(nullptr));
}

Result<std::vector<TlsaRecord>> ClientCheck::RecordsOf(const std::string& name, Freshness freshness) const {
  if (freshness == Freshness::kCached) {
    if (auto kept = resolver_->Kept(name)) {
      counters_.FromCache();
      return std::move(*kept);
    }
  }
  const auto begun = std::chrono::steady_clock::now();
  auto records = resolver_->Tlsa(name, freshness);
  counters_.LookedUp(
      std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::steady_clock::now() - begun));
  return records;
}

Status ClientCheck::Fits(const Result<std::vector<TlsaRecord>>& records, const Bytes& der) {
  if (!records && records.error().symbol == "record_absent") return Refusal(Verdict::kTlsaMissing);
  if (!records) return records.error();
  const auto view = CertificateView::Of(der);
  if (!view || !MatchesAny(*records, kDaneEe, *view)) return Refusal(Verdict::kTlsaMismatch);
  return Done{};
}

Status ClientCheck::Mine(const std::string& name) const {
  return own_ == nullptr ? Status(Done{}) : own_->MayTalk(name.substr(0, name.find('.')), options_.whose);
}

Status ClientCheck::Check(X509* certificate, const std::string& name) const {
  const Bytes der = DerOf(certificate);
  if (auto chain = CheckChain(certificate, der); !chain) return chain;
  if (auto fits = Fits(RecordsOf(name, options_.freshness), der); !fits) return fits;
  return Mine(name);
}

Judgement ClientCheck::Judge(X509* certificate, const std::optional<std::string>& sent) const {
  Judgement judged;
  if (certificate == nullptr) {
    judged.status = Refusal(Verdict::kCertificateRequired);
  } else if (auto name = NameOf(certificate, sent); !name) {
    judged.status = name.error();
  } else {
    judged.name = *name;
    judged.device = name->substr(0, name->find('.'));
    judged.status = Check(certificate, *name);
  }
  counters_.Said(VerdictOf(judged.status));
  return judged;
}

std::vector<Finding> ClientCheck::Explain(X509* certificate, const std::optional<std::string>& sent) const {
  std::vector<Finding> findings;
  const Bytes der = DerOf(certificate);
  const auto name = NameOf(certificate, sent);
  findings.push_back({"name", name ? Status(Done{}) : name.error(), name ? *name : ""});
  findings.push_back({"chain", CheckChain(certificate, der), ""});
  if (!name) {
    for (const char* question : {"dnssec", "tlsa", "own"}) findings.push_back({question, std::nullopt, ""});
    return findings;
  }
  const auto records = RecordsOf(*name, Freshness::kNow);
  // A proof of absence is a proof: then DNSSEC holds, and the record is what is missing.
  const bool proved = records || ProvedAbsent(records.error());
  findings.push_back({"dnssec", proved ? Status(Done{}) : records.error(),
                      records ? std::to_string(records->size()) + " proved: " + Described(*records) : ""});
  findings.push_back({"tlsa", proved ? std::optional(Fits(records, der)) : std::nullopt, ""});
  findings.push_back({"own", own_ == nullptr ? std::nullopt : std::optional(Mine(*name)), ""});
  return findings;
}

void ClientCheck::Forget(const std::string& device) const {
  for (const std::string& name : domains_.NamesOf(device)) resolver_->Forget(name);
  counters_.Heard();
}

}  // namespace registry::clients
