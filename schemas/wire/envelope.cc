#include "schemas/wire/envelope.h"

#include <algorithm>
#include <charconv>
#include <limits>

#include "schemas/wire/event_id.h"
#include "schemas/wire/fields.h"
#include "schemas/wire/json_text.h"
#include "schemas/wire/media_type.h"
#include "schemas/wire/queries.h"
#include "schemas/wire/strict_json.h"
#include "schemas/wire/topics.h"
#include "schemas/wire/trace_context.h"

namespace registry::wire {
namespace {

constexpr std::string_view kTypePrefix = "registry.v1.";
constexpr std::string_view kVersion = "1.0";
constexpr std::string_view kDataType = "application/json";
constexpr std::size_t kIdMax = 128;
constexpr std::size_t kTextMax = 256;          // octets, so the schema's 256 characters are never narrower
constexpr std::size_t kExtensionNameMax = 20;  // CloudEvents §"Naming Conventions": SHOULD NOT exceed 20
constexpr std::size_t kSeqMax = 16;            // digits of 2^53-1
constexpr std::size_t kTracestateRead = 8192;  // what is longer than kTracestateMax is read and not kept
using ExtensionInteger = std::numeric_limits<std::int32_t>;  // CloudEvents §"Type System"

Error BadAttribute(std::string_view name, std::string_view message) {
  return Error::Make(Code::kValueSyntax, "bad_attribute", message, "/" + std::string(name));
}

bool PlainText(std::string_view text) {
  return !text.empty() && text.size() <= kTextMax && std::all_of(text.begin(), text.end(), [](char c) {
    return static_cast<unsigned char>(c) >= 0x20 && c != 0x7f;
  });
}

Fault ReadPlain(const json& value, std::string_view name, std::string* text) {
  const auto* read = value.get_ptr<const std::string*>();
  if (read == nullptr || !PlainText(*read)) {
    return BadAttribute(name, "must be text of 1 to 256 octets without control characters");
  }
  *text = *read;
  return std::nullopt;
}

Fault ReadId(const json& value, std::string_view name, EventId* id) {
  const auto* text = value.get_ptr<const std::string*>();
  const std::optional<EventId> read = text == nullptr ? std::nullopt : EventId::Parse(*text);
  if (!read) return BadAttribute(name, "must be 1 to 128 visible ASCII characters");
  *id = *read;
  return std::nullopt;
}

Fault ReadTime(const json& value, std::optional<UtcTime>* time) {
  if (const auto* text = value.get_ptr<const std::string*>()) *time = FromRfc3339(*text);
  if (!*time) return BadAttribute("time", "must be an RFC 3339 time in UTC, ending in Z");
  return std::nullopt;
}

Fault ReadSeq(const json& value, std::optional<std::uint64_t>* seq) {
  const auto* text = value.get_ptr<const std::string*>();
  const bool digits = text != nullptr && !text->empty() && text->size() <= kSeqMax &&
                      text->find_first_not_of("0123456789") == std::string::npos;
  std::uint64_t number = 0;
  if (digits) std::from_chars(text->data(), text->data() + text->size(), number);
  if (!digits || number > kIntegerMax || std::to_string(number) != *text) {
    return BadAttribute("seq", "must be a text of the decimal digits of 0 to 2^53-1");
  }
  *seq = number;
  return std::nullopt;
}

// Trace context is for others: what does not have its form is no reason to refuse a command, and does not go on.
Fault ReadTraceparent(const json& value, std::optional<std::string>* kept) {
  std::string text;
  if (Fault fault = ReadPlain(value, "traceparent", &text)) return fault;
  *kept = PropagatedTraceparent(text);
  return std::nullopt;
}

Fault ReadTracestate(const json& value, std::optional<std::string>* kept) {
  const auto* text = value.get_ptr<const std::string*>();
  if (text == nullptr || text->size() > kTracestateRead) {
    return BadAttribute("tracestate", "must be text of at most 8192 octets");
  }
  *kept = PropagatedTracestate(*text);
  return std::nullopt;
}

Fault ReadData(json* value, json* data) {
  if (!value->is_object()) return BadAttribute("data", "must be an object");
  *data = std::move(*value);
  return std::nullopt;
}

Fault CheckContentType(const json& value) {
  if (value.is_string() && IsUtf8Json(value.get_ref<const std::string&>())) return std::nullopt;
  return Error::Make(Code::kValueSyntax, "unsupported_content_type", "data must be application/json in UTF-8",
                     "/datacontenttype");
}

Rule PlainRule() { return TextRule(1, kTextMax, kLine.pattern); }
Rule IdRule() { return TextRule(1, kIdMax, "^[!-~]+$"); }
Rule SeqRule() { return TextRule(1, kSeqMax, "^(0|[1-9][0-9]*)$"); }
Rule TracestateRule() { return TextRule(0, kTracestateRead, ""); }
Rule ContentTypeRule() {
  return TextRule(1, kMediaTypeMax,
                  "^[Aa][Pp][Pp][Ll][Ii][Cc][Aa][Tt][Ii][Oo][Nn]/[Jj][Ss][Oo][Nn][ \\t]*(;.*)?$");
}

// The envelope's field table. Reading walks it, EnvelopeRules() describes it; the names that are checked first of all
// (CheckVersion) have nothing left to read.
struct Attribute {
  std::string_view name;
  bool required;
  Rule (*rule)();
  Fault (*read)(json* value, Envelope* envelope);
};

const std::vector<Attribute>& Attributes() {
  static const std::vector<Attribute> attributes{
      {"specversion", true, [] { return ChoiceRule({std::string(kVersion)}); },
       [](json*, Envelope*) -> Fault { return std::nullopt; }},
      {"id", true, IdRule, [](json* value, Envelope* out) { return ReadId(*value, "id", &out->id); }},
      {"source", true, PlainRule,
       [](json* value, Envelope* out) { return ReadPlain(*value, "source", &out->source); }},
      {"type", true, PlainRule,
       [](json* value, Envelope* out) { return ReadPlain(*value, "type", &out->type); }},
      {"data", true, [] { return PartRule(""); },
       [](json* value, Envelope* out) { return ReadData(value, &out->data); }},
      {"subject", false, PlainRule,
       [](json* value, Envelope* out) { return ReadPlain(*value, "subject", &out->subject.emplace()); }},
      {"time", false, Time::MakeRule,
       [](json* value, Envelope* out) { return ReadTime(*value, &out->time); }},
      {"datacontenttype", false, ContentTypeRule,
       [](json* value, Envelope*) { return CheckContentType(*value); }},
      {"traceparent", false, PlainRule,
       [](json* value, Envelope* out) { return ReadTraceparent(*value, &out->traceparent); }},
      {"tracestate", false, TracestateRule,
       [](json* value, Envelope* out) { return ReadTracestate(*value, &out->tracestate); }},
      {"cause", false, IdRule,
       [](json* value, Envelope* out) { return ReadId(*value, "cause", &out->cause.emplace()); }},
      {"seq", false, SeqRule, [](json* value, Envelope* out) { return ReadSeq(*value, &out->seq); }},
  };
  return attributes;
}

bool IsInt32(const json& value) {
  if (value.is_number_unsigned()) return value.get<std::uint64_t>() <= std::uint64_t{ExtensionInteger::max()};
  return value.is_number_integer() && value.get<std::int64_t>() >= ExtensionInteger::min();
}

// CloudEvents §"Naming Conventions" and §"Type System": other attributes may ride along; nothing here reads
// them.
Fault CheckExtension(const std::string& name, const json& value) {
  const bool syntax = !name.empty() && name.size() <= kExtensionNameMax &&
                      std::all_of(name.begin(), name.end(),
                                  [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); });
  if (!syntax) {
    return Error::Make(Code::kSyntax, "unknown_attribute",
                       "no attribute; an extension's name is 1 to 20 lower-case letters and digits",
                       MemberPointer(name));
  }
  const bool scalar = value.is_null() || value.is_boolean() || IsInt32(value) ||
                      (value.is_string() && value.get_ref<const std::string&>().size() <= kTextMax);
  if (!scalar) {
    return BadAttribute(
        name, "an extension must be a text of at most 256 octets, an integer of 32 bits or a boolean");
  }
  return std::nullopt;
}

Fault ReadAttribute(const std::string& name, json* value, Envelope* envelope) {
  const auto is_it = [&name](const Attribute& each) { return each.name == name; };
  const auto attribute = std::find_if(Attributes().begin(), Attributes().end(), is_it);
  if (attribute == Attributes().end()) return CheckExtension(name, *value);
  if (value->is_null() && !attribute->required) return std::nullopt;  // JSON format 1.0.1 §2.2: unset
  return attribute->read(value, envelope);
}

Error Missing(std::string_view name) {
  return Error::Make(Code::kMissingParameter, "missing_attribute", "a required attribute is missing",
                     "/" + std::string(name));
}

// First of all: what the other members mean depends on it (CloudEvents §"specversion").
Fault CheckVersion(const json& event) {
  const auto version = event.find("specversion");
  if (version == event.end() || version->is_null()) return Missing("specversion");
  if (*version != kVersion) {
    return Error::Make(Code::kUnsupportedVersion, "unsupported_version",
                       "only CloudEvents 1.0 is spoken here", "/specversion");
  }
  return std::nullopt;
}

Fault CheckRequired(const json& event) {
  for (const Attribute& attribute : Attributes()) {
    if (!attribute.required) continue;
    const auto member = event.find(attribute.name);
    // `data` is no attribute: null is a value of it, of the wrong type.
    if (member == event.end() || (member->is_null() && attribute.name != "data"))
      return Missing(attribute.name);
  }
  return std::nullopt;
}

constexpr std::size_t kAttributesRoom = 512;  // octets that an envelope has beside its data, nearly always

class Writer {
 public:
  explicit Writer(std::size_t data) { text_.reserve(data + kAttributesRoom); }
  // A member whose value is a JSON text already.
  void Text(std::string_view name, std::string_view value) {
    Name(name);
    text_ += value;
  }
  void Member(std::string_view name, std::string_view value) {
    Name(name);
    AppendJsonString(text_, value);
  }
  void MemberIfSet(std::string_view name, const std::optional<std::string>& value) {
    if (value) Member(name, *value);
  }
  std::string Take() && { return std::move(text_ += '}'); }

 private:
  void Name(std::string_view name) { text_.append(text_.empty() ? "{\"" : ",\"").append(name).append("\":"); }

  std::string text_;
};

std::string Typed(std::initializer_list<std::string_view> parts) {
  std::string type(kTypePrefix);
  for (std::string_view part : parts) type.append(part);
  return type;
}

}  // namespace

std::vector<FieldRule> EnvelopeRules() {
  std::vector<FieldRule> rules;
  for (const Attribute& attribute : Attributes()) {
    rules.push_back({std::string(attribute.name), attribute.required, attribute.rule()});
    rules.back().rule.nullable = !attribute.required;
  }
  return rules;
}

ExtensionRule EnvelopeExtensions() {
  return {kExtensionNameMax, kTextMax, ExtensionInteger::min(), ExtensionInteger::max()};
}

namespace {

Result<Envelope> DecodeWithin(std::string_view payload, std::size_t values_max) {
  Result<json> event = ParseStrict(payload, {kMessageMax, kDepthMax, values_max});
  if (!event) return event.error();
  if (!event->is_object())
    return Error::Make(Code::kSyntax, "not_an_object", "the message is not a JSON object");
  if (Fault fault = CheckVersion(*event)) return *fault;
  if (Fault fault = CheckRequired(*event)) return *fault;
  Envelope envelope;
  for (auto& [name, value] : (*event).get_ref<json::object_t&>()) {
    if (Fault fault = ReadAttribute(name, &value, &envelope)) return *fault;
  }
  // §3.3.1: without a traceparent of the form there is no trace its state could belong to.
  if (!envelope.traceparent) envelope.tracestate.reset();
  return envelope;
}

}  // namespace

Result<Envelope> DecodeEnvelope(std::string_view payload) { return DecodeWithin(payload, kValuesMax); }
Result<Envelope> DecodeReply(std::string_view payload) { return DecodeWithin(payload, kReplyValuesMax); }

std::optional<EventId> FindEventId(std::string_view payload) {
  const Result<json> event = ParseStrict(payload, {kMessageMax, kDepthMax, kValuesMax});
  if (!event && event.error().symbol != "bad_json" && payload.size() <= kMessageMax) {
    return ScanEventId(payload.substr(payload.starts_with(kByteOrderMark) ? kByteOrderMark.size() : 0));
  }
  if (!event || !event->is_object()) return std::nullopt;
  const auto id = event->find("id");
  const auto* text = id == event->end() ? nullptr : id->get_ptr<const std::string*>();
  return text == nullptr ? std::nullopt : EventId::Parse(*text);
}

std::string EncodeEnvelope(const Envelope& envelope) {
  return EncodeEnvelope(envelope, JsonText(envelope.data));
}

std::string EncodeEnvelope(const Envelope& envelope, std::string_view data) {
  Writer writer(data.size());
  if (envelope.cause) writer.Member("cause", envelope.cause->text());
  writer.Text("data", data);
  writer.Member("datacontenttype", kDataType);
  writer.Member("id", envelope.id.text());
  if (envelope.seq) writer.Member("seq", std::to_string(*envelope.seq));
  writer.Member("source", envelope.source);
  writer.Member("specversion", kVersion);
  writer.MemberIfSet("subject", envelope.subject);
  if (envelope.time) writer.Member("time", ToRfc3339(*envelope.time));
  writer.MemberIfSet("traceparent", envelope.traceparent);
  writer.MemberIfSet("tracestate", envelope.tracestate);
  writer.Member("type", envelope.type);
  return std::move(writer).Take();
}

std::string CommandType(std::string_view command) { return Typed({command}); }
std::optional<std::string> CommandOfType(std::string_view type) {
  if (!type.starts_with(kTypePrefix)) return std::nullopt;
  type.remove_prefix(kTypePrefix.size());
  return IsCommandName(type) ? std::optional(std::string(type)) : std::nullopt;
}
std::string AcceptedType(std::string_view command) { return Typed({command, ".accepted"}); }
std::string RejectedType(std::string_view command) {
  return command.empty() ? Typed({"rejected"}) : Typed({command, ".rejected"});
}
std::string DoType(std::string_view action) { return Typed({"do.", action}); }
std::string EventType(std::string_view event) { return Typed({"event.", event}); }

Status CheckCommandType(const Envelope& envelope, std::string_view command) {
  if (envelope.type == CommandType(command)) return Done{};
  return Error::Make(Code::kValueSyntax, "type_mismatch",
                     "the type must be registry.v1. and the topic's command", "/type");
}

}  // namespace registry::wire
