// schemas/wire/forms.h: the kinds of values a field may hold, each with how it is read, written and
// described. Room-internal. A form has Value, MakeRule(), Read(json, Value*) and Write(Value). Read answers a
// fault without a field; the walk over the table adds the JSON pointer. Pure, any thread.
#pragma once

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "schemas/base/bytes.h"
#include "schemas/base/error.h"
#include "schemas/base/utc_time.h"
#include "schemas/ids/ids.h"
#include "schemas/wire/field_tables.h"

namespace registry::wire {

using nlohmann::json;
using Fault = std::optional<Error>;

inline constexpr std::uint64_t kIntegerMax =
    (1ull << 53) - 1;  // RFC 8259 §6: what every reader keeps exactly

Rule TextRule(std::size_t min, std::size_t max, std::string_view pattern);
// The text itself, or a fault when `value` is none or its length in characters is outside.
Fault ReadText(const json& value, std::size_t min, std::size_t max, const std::string** text);
Fault ReadInteger(const json& value, std::uint64_t min, std::uint64_t max, std::uint64_t* number);
Error BadValue(std::string_view symbol, std::string_view message);

// ---- texts

struct TextKind {
  std::size_t min, max;  // characters
  const char* pattern;   // as in the schema; `valid` decides
  const char* symbol;
  const char* message;
  bool (*valid)(std::string_view text);
};

template <const TextKind& kKind>
struct TextForm {
  using Value = std::string;
  static Rule MakeRule() { return TextRule(kKind.min, kKind.max, kKind.pattern); }
  static Fault Read(const json& value, std::string* out) {
    const std::string* text = nullptr;
    if (Fault fault = ReadText(value, kKind.min, kKind.max, &text)) return fault;
    if (!kKind.valid(*text)) return BadValue(kKind.symbol, kKind.message);
    *out = *text;
    return std::nullopt;
  }
  static json Write(const std::string& value) { return value; }
};

extern const TextKind kLine, kLongLine, kSsid, kAuthorisationCode, kSymbol, kUrl, kHostName, kDnsName,
    kAddress, kPointer, kSerialHex;
using Line = TextForm<kLine>;
using LongLine = TextForm<kLongLine>;
using Ssid = TextForm<kSsid>;
using AuthorisationCode = TextForm<kAuthorisationCode>;
using Symbol = TextForm<kSymbol>;
// Whose refusal names the rule that is broken.
struct Url : TextForm<kUrl> {
  static Fault Read(const json& value, std::string* out);
};
using HostName = TextForm<kHostName>;
using DnsName = TextForm<kDnsName>;
using Address = TextForm<kAddress>;
using Pointer = TextForm<kPointer>;
using SerialHex = TextForm<kSerialHex>;

// A text that is one of a few words. Words supplies kWords, an array of string_view.
Rule ChoiceRule(std::vector<std::string> words);
Fault ReadAnyText(const json& value, const std::string** text);
Error BadChoice();

template <class Words>
struct Word {
  using Value = std::string;
  static Rule MakeRule() { return ChoiceRule({Words::kWords.begin(), Words::kWords.end()}); }
  static Fault Read(const json& value, std::string* out) {
    const std::string* text = nullptr;
    if (Fault fault = ReadAnyText(value, &text)) return fault;
    if (std::find(Words::kWords.begin(), Words::kWords.end(), *text) == Words::kWords.end())
      return BadChoice();
    *out = *text;
    return std::nullopt;
  }
  static json Write(const std::string& value) { return value; }
};

// The same for an enumeration, whose values are the words' positions.
template <class Enum, class Words>
struct Choice {
  using Value = Enum;
  static Rule MakeRule() { return Word<Words>::MakeRule(); }
  static Fault Read(const json& value, Enum* out) {
    std::string word;
    if (Fault fault = Word<Words>::Read(value, &word)) return fault;
    *out = static_cast<Enum>(std::find(Words::kWords.begin(), Words::kWords.end(), word) -
                             Words::kWords.begin());
    return std::nullopt;
  }
  static json Write(Enum value) { return Words::kWords.at(static_cast<std::size_t>(value)); }
};

// ---- identifiers

struct IdFacts {
  std::size_t min, max;
  std::string_view pattern, symbol, message;
};
template <class Id>
const IdFacts& FactsOf();  // DeviceId, Eid, Iccid, PartyId, JobId, OrderId, EndpointName

template <class Id>
struct IdForm {
  using Value = Id;
  static Rule MakeRule() { return TextRule(FactsOf<Id>().min, FactsOf<Id>().max, FactsOf<Id>().pattern); }
  // One symbol whatever is wrong with an identifier's text: its length is part of its form.
  static Fault Read(const json& value, Id* out) {
    const std::string* text = nullptr;
    if (Fault fault = ReadAnyText(value, &text)) return fault;
    std::optional<Id> id = Id::Parse(*text);
    if (!id) return BadValue(FactsOf<Id>().symbol, FactsOf<Id>().message);
    *out = *std::move(id);
    return std::nullopt;
  }
  static json Write(const Id& value) { return value.text(); }
};

// ---- octets

Rule Base64Rule(std::size_t min, std::size_t max);
Fault ReadBase64(const json& value, std::size_t min, std::size_t max, Bytes* out);

template <std::size_t kMin, std::size_t kMax>
struct Base64 {
  using Value = Bytes;
  static Rule MakeRule() { return Base64Rule(kMin, kMax); }
  static Fault Read(const json& value, Bytes* out) { return ReadBase64(value, kMin, kMax, out); }
  static json Write(const Bytes& value) { return ToBase64(value); }
};
inline constexpr std::size_t kCertificateMax = 4096;  // octets of DER
using CertificateDer = Base64<1, kCertificateMax>;

struct CertificatePem {  // RFC 7468 §5, one certificate, the form ToPem writes
  using Value = Bytes;
  static Rule MakeRule();
  static Fault Read(const json& value, Bytes* out);
  static json Write(const Bytes& value);
};
// PEM text (kept as its octets, from the first -----BEGIN on) or base64 of DER (kept as DER). Whether it is a CSR is the
// worker's question, also whether it is too large for one.
struct Csr {
  using Value = Bytes;
  static Rule MakeRule();
  static Fault Read(const json& value, Bytes* out);
  static json Write(const Bytes& value);
};
struct Sha256Hex {  // as dig and kdig print a TLSA record's data, in lower case
  using Value = Bytes;
  static Rule MakeRule();
  static Fault Read(const json& value, Bytes* out);
  static json Write(const Bytes& value) { return ToHex(value); }
};
struct ContainerId {  // "02", "0A": the pilot's names of containers
  using Value = std::uint8_t;
  static Rule MakeRule();
  static Fault Read(const json& value, std::uint8_t* out);
  static json Write(std::uint8_t value);
};

// ---- numbers, times, switches

template <class Number, std::uint64_t kMin, std::uint64_t kMax>
struct Integer {
  using Value = Number;
  static Rule MakeRule() {
    Rule rule;
    rule.shape = Shape::kInteger;
    rule.min = kMin;
    rule.max = kMax;
    return rule;
  }
  static Fault Read(const json& value, Number* out) {
    std::uint64_t number = 0;
    if (Fault fault = ReadInteger(value, kMin, kMax, &number)) return fault;
    *out = static_cast<Number>(number);
    return std::nullopt;
  }
  static json Write(Number value) { return value; }
};
using Count = Integer<std::uint64_t, 0, kIntegerMax>;
using Ordinal = Integer<std::uint64_t, 1, kIntegerMax>;
using Attempt = Integer<std::uint32_t, 1, 1000>;
using Port = Integer<std::uint16_t, 1, 65535>;

struct Time {
  using Value = UtcTime;
  static Rule MakeRule();
  static Fault Read(const json& value, UtcTime* out);
  static json Write(UtcTime value) { return ToRfc3339(value); }
};
struct Switch {
  using Value = bool;
  static Rule MakeRule();
  static Fault Read(const json& value, bool* out);
  static json Write(bool value) { return value; }
};

}  // namespace registry::wire
