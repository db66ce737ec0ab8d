#include "bridge/app/deciding_terms.h"

#include <nlohmann/json.hpp>

#include "schemas/wire/codec.h"
#include "workers/crypto/digest.h"

namespace registry::app {
namespace {

using nlohmann::json;

constexpr const char* kTermsName = "terms-of-deciding";

std::string DigestOfTerms(const json& said) { return ToHex(crypto::Sha256OfText(said.dump())); }

json OfParties(const Config& config) {
  json parties = json::object();
  for (const auto& [party, role] : config.parties) parties[party.text()] = wire::RoleName(role);
  return parties;
}

json OfPlan(const domain::RetryPlan& plan) {
  return {plan.first.count(), plan.attempts_max, plan.progress.count(), plan.reported.count(), plan.open_max};
}

json OfRetries(const Config& config) {
  json own = json::object();
  for (const auto& [party, plan] : config.retry.own) own[party.text()] = OfPlan(plan);
  return {OfPlan(config.retry.usual), own, config.visible_within_seconds};
}

json OfTransfers(const domain::TransferPolicy& policy) {
  json unasked = json::array();
  for (const PartyId& party : policy.auto_approve) unasked.push_back(party.text());
  return {policy.decide_within.count(), policy.approve_unanswered, unasked};
}

json OfRenewals(const domain::RenewalPolicy& policy) {
  return {policy.from_percent, policy.jitter_percent, policy.tlsa_ttl.count(), policy.again.count()};
}

json OfCertificates(const domain::CertificatePolicy& policy, const std::string& blocked_keys) {
  return {policy.validity.count(), policy.backdate.count(),       policy.crl_url,
          policy.crl_shards,       static_cast<int>(policy.tlsa), blocked_keys};
}

json OfPayloads(const Config& config, const domain::PayloadPolicy& policy) {
  const wire::Resolver& resolver = policy.bootstrap.resolver;
  return {policy.validity.count(), config.profile, config.trust_anchors,       resolver.address,
          resolver.port,           resolver.name,  ToHex(resolver.certificate)};
}

}  // namespace

DecidingTerms DecidingTermsOf(const Config& config, const Material& material) {
  const domain::Policy& policy = material.policy;
  DecidingTerms terms;
  terms["release"] = REGISTRY_VERSION;
  terms["zone"] = DigestOfTerms(config.zone);
  terms["certificate authorities"] =
      DigestOfTerms({ToHex(material.root_certificate), ToHex(material.issuing_certificate)});
  terms["authorisation"] = DigestOfTerms(
      {ToHex(material.intake_key), policy.authorisation.validity.count(), policy.restore_within.count()});
  terms["certificates"] = DigestOfTerms(OfCertificates(policy.certificate, material.blocked_keys));
  terms["payloads"] = DigestOfTerms(OfPayloads(config, policy.payload));
  terms["renewal"] = DigestOfTerms(OfRenewals(policy.renewal));
  terms["parties"] = DigestOfTerms(OfParties(config));
  terms["retry"] = DigestOfTerms(OfRetries(config));
  terms["transfer"] = DigestOfTerms(OfTransfers(config.transfer));
  return terms;
}

Status KeepTerms(const DecidingTerms& terms, ledger::KeptState& kept) {
  return kept.Write(kTermsName, json(terms).dump() + "\n");
}

Result<std::optional<DecidingTerms>> KeptTerms(const ledger::KeptState& kept) {
  const auto text = kept.Read(kTermsName);
  if (!text) return text.error();
  if (!*text) return std::optional<DecidingTerms>();
  const json said = json::parse(**text, nullptr, false);
  DecidingTerms terms;
  if (!said.is_object()) return std::optional(std::move(terms));
  for (const auto& [part, digest] : said.items()) {
    if (digest.is_string()) terms[part] = digest.get<std::string>();
  }
  return std::optional(std::move(terms));
}

std::string Differing(const DecidingTerms& one, const DecidingTerms& other) {
  DecidingTerms all = one;
  all.insert(other.begin(), other.end());
  std::string parts;
  for (const auto& [part, digest] : all) {
    const auto mine = one.find(part), others = other.find(part);
    if (mine != one.end() && others != other.end() && mine->second == others->second) continue;
    parts.append(parts.empty() ? "" : ", ").append(part);
  }
  return parts;
}

}  // namespace registry::app
