#include "workers/lifecycle/code_text.h"

#include <algorithm>
#include <optional>

#include "schemas/base/check.h"
#include "schemas/wire/codec.h"
#include "schemas/wire/envelope.h"
#include "schemas/wire/life_messages.h"
#include "schemas/wire/messages.h"
#include "schemas/wire/topics.h"
#include "workers/crypto/digest.h"

namespace registry::lifecycle {
namespace {

constexpr std::size_t kGroup = 4, kGroups = 7, kSigns = kGroup * kGroups;
constexpr std::size_t kGrouped = kSigns + kGroups - 1;
constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
constexpr unsigned kBitsPerSign = 5;
constexpr std::string_view kMember = "\"authorisationCode\":\"";
constexpr std::string_view kBlotted = "[code]";

std::string Base32(crypto::OctetView octets) {
  std::string text;
  std::uint32_t bits = 0;
  unsigned held = 0;
  for (const std::uint8_t octet : octets) {
    bits = bits << 8 | octet;
    for (held += 8; held >= kBitsPerSign; held -= kBitsPerSign) {
      text += kAlphabet[bits >> (held - kBitsPerSign) & 31];
    }
  }
  return text;
}

std::string Grouped(std::string_view signs) {
  std::string text;
  for (std::size_t at = 0; at < signs.size(); at += kGroup) {
    if (at > 0) text += '-';
    text += signs.substr(at, kGroup);
  }
  return text;
}

// No part can be read as the end of one and the beginning of the next.
void AppendPart(Bytes& text, std::string_view part) {
  for (int shift = 24; shift >= 0; shift -= 8) {
    text.push_back(static_cast<std::uint8_t>(part.size() >> shift));
  }
  text.insert(text.end(), part.begin(), part.end());
}

char Large(char sign) { return sign >= 'a' && sign <= 'z' ? static_cast<char>(sign - 'a' + 'A') : sign; }
bool IsSign(char sign) { return kAlphabet.find(Large(sign)) != kAlphabet.npos; }
bool IsWord(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-';
}

// As it was told; nullopt when it has another form.
std::optional<std::string> AsTold(std::string_view given) {
  std::string signs;
  for (const char c : given) {
    if (c == '-') continue;
    if (!IsSign(c) || signs.size() == kSigns) return std::nullopt;
    signs += Large(c);
  }
  if (signs.size() != kSigns) return std::nullopt;
  return Grouped(signs);
}

bool HasForm(std::string_view word) {
  if (word.size() == kSigns) return std::all_of(word.begin(), word.end(), IsSign);
  if (word.size() != kGrouped) return false;
  for (std::size_t i = 0; i < word.size(); ++i) {
    const bool between = i % (kGroup + 1) == kGroup;
    if (between ? word[i] != '-' : !IsSign(word[i])) return false;
  }
  return true;
}

std::optional<CodeMade> MadeFor(const domain::OutgoingMessage& message) {
  const auto envelope = wire::DecodeEnvelope(message.payload);
  const auto reader = wire::ReaderOf(message.topic);
  if (!envelope || !envelope->cause || !reader || !envelope->data.is_object()) return std::nullopt;
  const bool registered = envelope->type == wire::AcceptedType(wire::EsimRegister::kName);
  if (!registered && envelope->type != wire::AcceptedType(wire::AuthorisationSet::kName)) return std::nullopt;
  const auto device = DeviceId::Parse(envelope->data.value("device", std::string()));
  if (!device) return std::nullopt;
  const bool transfer =
      envelope->data.value("purpose", std::string()) == PurposeName(domain::CodePurpose::kTransfer);
  const auto purpose = transfer ? domain::CodePurpose::kTransfer : domain::CodePurpose::kClaim;
  return CodeMade{*device, purpose, *reader, *envelope->cause};
}

// The value of every member that is called so, whatever stands around it: what is no JSON may still hold a code.
std::string WithoutMembers(std::string_view text) {
  constexpr std::string_view kName = "authorisationCode", kBetween = "\"\\ \t\r\n", kEnds = "\"\\,}";
  std::string safe;
  const auto move = [&](std::size_t size) {
    size = std::min(size, text.size());
    safe.append(text.substr(0, size));
    text.remove_prefix(size);
  };
  for (auto at = text.find(kName); at != text.npos; at = text.find(kName)) {
    move(at + kName.size());
    move(text.find_first_not_of(kBetween));
    if (!text.starts_with(':')) continue;
    move(text.find_first_not_of(kBetween, 1));
    const std::size_t size = std::min(text.find_first_of(kEnds), text.size());
    if (size > 0) safe.append(kBlotted);
    text.remove_prefix(size);
  }
  return safe.append(text);
}

}  // namespace

std::string CodeText(const Bytes& key, const CodeMade& made) {
  REG_CHECK(key.size() == kCodeKeySize);
  Bytes text;
  AppendPart(text, "registry authorisation code 1");
  AppendPart(text, made.device.text());
  AppendPart(text, PurposeName(made.purpose));
  AppendPart(text, made.set_by.text());
  AppendPart(text, made.cause.text());
  return Grouped(Base32(crypto::HmacSha256(key, text)).substr(0, kSigns));
}

Bytes CodeHash(std::string_view given) {
  const auto told = AsTold(given);
  return crypto::Sha256OfText(told ? *told : given);
}

void FillInCode(const Bytes& key, domain::OutgoingMessage& message) {
  const std::string member = std::string(kMember) + std::string(kCodePlaceholder) + '"';
  const std::size_t at = message.payload.find(member);
  if (at == message.payload.npos) return;
  const auto made = MadeFor(message);
  if (made) message.payload.replace(at + kMember.size(), kCodePlaceholder.size(), CodeText(key, *made));
}

std::string WithoutCodes(std::string_view text) {
  const std::string named = WithoutMembers(text);
  std::string safe;
  for (std::size_t at = 0; at < named.size();) {
    std::size_t end = at;
    while (end < named.size() && IsWord(named[end])) ++end;
    if (end == at) {
      safe += named[at++];
      continue;
    }
    const std::string_view word = std::string_view(named).substr(at, end - at);
    safe += HasForm(word) ? kBlotted : word;
    at = end;
  }
  return safe;
}

}  // namespace registry::lifecycle
