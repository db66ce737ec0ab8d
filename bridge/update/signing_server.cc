#include "bridge/update/signing_server.h"

#include <algorithm>

#include "bridge/zone/signature_fields.h"

namespace registry::update {
namespace {

using std::chrono::milliseconds;
using zone::kTypeRrsig;
using zone::kTypeSoa;
using zone::kTypeTlsa;
using zone::kTypeTxt;

constexpr milliseconds kForAnswers{5000};
constexpr milliseconds kForChange{30'000};  // it signs in it
constexpr std::uint16_t kTypeCname = 5, kTypeDname = 39;
constexpr std::uint8_t kNxDomain = 3, kYxDomain = 6, kYxRrset = 7, kNxRrset = 8;

Bytes Question(const zone::Name& name, std::uint16_t type) {
  Bytes message = zone::StartMessage(0, 0, name, type);
  zone::PutEdns(message, true);
  return message;
}

zone::View RdataOf(const Answer& answer, const zone::Record& record) {
  return zone::View(answer.octets).subspan(record.rdata_at, record.rdata_size);
}

// Of an RRSIG over `type`; nullopt of every other record.
std::optional<zone::SignatureFields> SignatureOver(std::uint16_t type, const Answer& answer,
                                                   const zone::Record& record) {
  if (record.type != kTypeRrsig) return std::nullopt;
  auto fields = zone::FieldsOf(RdataOf(answer, record));
  return fields && fields->covered == type ? std::move(fields) : std::nullopt;
}

Status Authoritative(const Answer& answer, const zone::Name& name, std::uint16_t type) {
  const zone::Message& message = answer.message;
  if (message.question != name || message.type != type)
    return UpdateFailed("its answer is none to the question");
  if (message.rcode() != 0 && message.rcode() != kNxDomain)
    return UpdateFailed("it answers " + zone::RcodeName(message.rcode()));
  if ((message.flags & zone::kFlagAuthoritative) == 0)
    return UpdateFailed("it has no authority for " + zone::NameToText(name));
  return Done{};
}

// RFC 4035 §5.3.4: made of a wildcard, so nothing of the type stands at the name itself.
bool OfWildcard(const Answer& answer, const zone::Name& name, std::uint16_t type) {
  return std::ranges::any_of(answer.message.answer, [&](const zone::Record& record) {
    const auto signature = record.owner == name ? SignatureOver(type, answer, record) : std::nullopt;
    return signature && signature->labels < zone::LabelCount(name);
  });
}

bool IsAlias(const Answer& answer, const zone::Name& name) {
  return std::ranges::any_of(answer.message.answer, [&](const zone::Record& record) {
    if (record.type == kTypeDname) return zone::PrefixIn(name, record.owner).has_value();
    return record.type == kTypeCname && record.owner == name && !OfWildcard(answer, name, kTypeCname);
  });
}

void TakeRrset(const Answer& answer, const zone::Name& name, std::uint16_t type, const Clock& clock,
               Seen& seen) {
  std::vector<Bytes>& rdatas = type == kTypeTlsa ? seen.records.tlsa : seen.records.txt;
  bool& is_signed = type == kTypeTlsa ? seen.tlsa_signed : seen.txt_signed;
  seen.alias = seen.alias || IsAlias(answer, name);
  if (OfWildcard(answer, name, type)) return;
  for (const zone::Record& record : answer.message.answer) {
    if (record.owner != name) continue;
    const zone::View rdata = RdataOf(answer, record);
    if (record.type == type) rdatas.emplace_back(rdata.begin(), rdata.end());
    const auto signature = SignatureOver(type, answer, record);
    if (signature && !signature->Expired(clock.Now())) is_signed = true;
  }
  std::ranges::sort(rdatas);
}

}  // namespace

Result<Version> SigningServer::AskVersion() {
  const auto answers = dialogue_.Ask({Question(zone_, kTypeSoa)}, kForAnswers);
  if (!answers) return answers.error();
  const Answer& answer = answers->front();
  if (auto heard = Authoritative(answer, zone_, kTypeSoa); !heard) return heard.error();
  std::optional<std::uint32_t> serial;
  Version version;
  bool expired = false;
  for (const zone::Record& record : answer.message.answer) {
    if (record.owner != zone_) continue;
    if (record.type == kTypeSoa) serial = zone::SoaSerial(answer.octets, record);
    const auto signature = SignatureOver(kTypeSoa, answer, record);
    if (!signature) continue;
    if (signature->Expired(dialogue_.clock().Now())) {
      expired = true;
    } else {
      version.signed_until = signature->expires;
    }
  }
  if (expired && version.signed_until == 0) return UpdateFailed("the signature of its SOA has expired");
  if (!serial) return UpdateFailed("its answer has no SOA");
  version.serial = *serial;
  return version;
}

Result<std::vector<Seen>> SigningServer::Look(const std::vector<zone::Name>& names) {
  static constexpr std::uint16_t kTypes[] = {kTypeTlsa, kTypeTxt};
  std::vector<Bytes> questions;
  for (const zone::Name& name : names) {
    for (const std::uint16_t type : kTypes) questions.push_back(Question(name, type));
  }
  const auto answers = dialogue_.Ask(std::move(questions), kForAnswers);
  if (!answers) return answers.error();
  std::vector<Seen> all(names.size());
  bool any_refusal = false;
  for (std::size_t i = 0; i < answers->size(); ++i) {
    const zone::Name& name = names[i / 2];
    const Answer& answer = (*answers)[i];
    if (auto heard = Authoritative(answer, name, kTypes[i % 2]); !heard) {
      all[i / 2].refusal = heard.error().message;
      any_refusal = true;
      continue;
    }
    TakeRrset(answer, name, kTypes[i % 2], dialogue_.clock(), all[i / 2]);
  }
  // Whether it is the names, or the server.
  if (any_refusal) {
    if (auto version = AskVersion(); !version) return version.error();
  }
  return all;
}

Result<SigningServer::Outcome> SigningServer::Change(const UpdateMessage& message, std::string& refusal) {
  const auto answers = dialogue_.Ask({message.octets()}, kForChange);
  if (!answers) return answers.error();
  const std::uint8_t rcode = answers->front().message.rcode();
  if (rcode == 0) return Outcome::kDone;
  if (rcode != kNxDomain && rcode != kYxDomain && rcode != kYxRrset && rcode != kNxRrset)
    return UpdateFailed("it answers " + zone::RcodeName(rcode) + " to an UPDATE");
  refusal = zone::RcodeName(rcode);
  return Outcome::kRefused;
}

}  // namespace registry::update
