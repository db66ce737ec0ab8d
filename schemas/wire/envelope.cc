#include "schemas/wire/envelope.h"

#include <algorithm>

#include "schemas/wire/fields.h"
#include "schemas/wire/strict_json.h"

namespace registry::wire {
namespace {

constexpr std::string_view kTypePrefix = "registry.v1.";
constexpr std::string_view kVersion = "1.0";
constexpr std::string_view kDataType = "application/json";
constexpr std::size_t kIdMax = 128;
constexpr std::size_t kTextMax = 256;          // octets, so the schema's 256 characters are never narrower
constexpr std::size_t kExtensionNameMax = 20;  // CloudEvents §"Naming Conventions": SHOULD NOT exceed 20

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
  if (!value.is_number_unsigned() || value.get<std::uint64_t>() > kIntegerMax) {
    return BadAttribute("seq", "must be an integer from 0 to 2^53-1");
  }
  *seq = value.get<std::uint64_t>();
  return std::nullopt;
}

Fault ReadData(json* value, json* data) {
  if (!value->is_object()) return BadAttribute("data", "must be an object");
  *data = std::move(*value);
  return std::nullopt;
}

Fault CheckContentType(const json& value) {
  if (value.is_string() && value.get_ref<const std::string&>() == kDataType) return std::nullopt;
  return Error::Make(Code::kValueSyntax, "unsupported_content_type", "data must be application/json",
                     "/datacontenttype");
}

Rule PlainRule() { return TextRule(1, kTextMax, kLine.pattern); }
Rule IdRule() { return TextRule(1, kIdMax, "^[!-~]+$"); }

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
      {"datacontenttype", false, [] { return ChoiceRule({std::string(kDataType)}); },
       [](json* value, Envelope*) { return CheckContentType(*value); }},
      {"traceparent", false, PlainRule,
       [](json* value, Envelope* out) {
         return ReadPlain(*value, "traceparent", &out->traceparent.emplace());
       }},
      {"cause", false, IdRule,
       [](json* value, Envelope* out) { return ReadId(*value, "cause", &out->cause.emplace()); }},
      {"seq", false, Count::MakeRule, [](json* value, Envelope* out) { return ReadSeq(*value, &out->seq); }},
  };
  return attributes;
}

// CloudEvents §"Naming Conventions" and §"Type System": other attributes may ride along; nothing here reads
// them.
Fault CheckExtension(const std::string& name, const json& value) {
  const bool syntax = !name.empty() && name.size() <= kExtensionNameMax &&
                      std::all_of(name.begin(), name.end(),
                                  [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); });
  if (!syntax) return Error::Make(Code::kSyntax, "unknown_attribute", "no such attribute is known");
  const bool scalar = value.is_boolean() || value.is_number_integer() ||
                      (value.is_string() && value.get_ref<const std::string&>().size() <= kTextMax);
  if (!scalar)
    return BadAttribute(name, "an extension attribute must be a short text, an integer or a boolean");
  return std::nullopt;
}

Fault ReadAttribute(const std::string& name, json* value, Envelope* envelope) {
  const auto is_it = [&name](const Attribute& each) { return each.name == name; };
  const auto attribute = std::find_if(Attributes().begin(), Attributes().end(), is_it);
  if (attribute == Attributes().end()) return CheckExtension(name, *value);
  return attribute->read(value, envelope);
}

// First of all: what the other members mean depends on it (CloudEvents §"specversion").
Fault CheckVersion(const json& event) {
  const auto version = event.find("specversion");
  if (version == event.end()) {
    return Error::Make(Code::kMissingParameter, "missing_attribute", "a required attribute is missing",
                       "/specversion");
  }
  if (*version != kVersion) {
    return Error::Make(Code::kUnsupportedVersion, "unsupported_version",
                       "only CloudEvents 1.0 is spoken here", "/specversion");
  }
  return std::nullopt;
}

Fault CheckRequired(const json& event) {
  for (const Attribute& attribute : Attributes()) {
    if (!attribute.required || event.contains(attribute.name)) continue;
    return Error::Make(Code::kMissingParameter, "missing_attribute", "a required attribute is missing",
                       "/" + std::string(attribute.name));
  }
  return std::nullopt;
}

std::string Dump(const json& value) { return value.dump(-1, ' ', false, json::error_handler_t::replace); }

class Writer {
 public:
  void Text(std::string_view name, std::string_view value) {
    text_.append(text_.empty() ? "{\"" : ",\"").append(name).append("\":").append(value);
  }
  void Member(std::string_view name, const json& value) { Text(name, Dump(value)); }
  template <class T>
  void Member(std::string_view name, const std::optional<T>& value) {
    if (value) Member(name, json(*value));
  }
  std::string Take() && { return std::move(text_) + "}"; }

 private:
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
  }
  return rules;
}

ExtensionRule EnvelopeExtensions() { return {kExtensionNameMax, kTextMax}; }

Result<Envelope> DecodeEnvelope(std::string_view payload) {
  Result<json> event = ParseStrict(payload, kMessageMax, kDepthMax);
  if (!event) return event.error();
  if (!event->is_object())
    return Error::Make(Code::kSyntax, "not_an_object", "the message is not a JSON object");
  if (Fault fault = CheckVersion(*event)) return *fault;
  if (Fault fault = CheckRequired(*event)) return *fault;
  Envelope envelope;
  for (auto& [name, value] : (*event).get_ref<json::object_t&>()) {
    if (Fault fault = ReadAttribute(name, &value, &envelope)) return *fault;
  }
  return envelope;
}

std::optional<EventId> FindEventId(std::string_view payload) {
  const Result<json> event = ParseStrict(payload, kMessageMax, kDepthMax);
  if (!event || !event->is_object()) return std::nullopt;
  const auto id = event->find("id");
  const auto* text = id == event->end() ? nullptr : id->get_ptr<const std::string*>();
  return text == nullptr ? std::nullopt : EventId::Parse(*text);
}

std::string EncodeEnvelope(const Envelope& envelope) { return EncodeEnvelope(envelope, Dump(envelope.data)); }

std::string EncodeEnvelope(const Envelope& envelope, std::string_view data) {
  Writer writer;
  if (envelope.cause) writer.Member("cause", json(envelope.cause->text()));
  writer.Text("data", data);
  writer.Member("datacontenttype", json(kDataType));
  writer.Member("id", json(envelope.id.text()));
  writer.Member("seq", envelope.seq);
  writer.Member("source", json(envelope.source));
  writer.Member("specversion", json(kVersion));
  writer.Member("subject", envelope.subject);
  if (envelope.time) writer.Member("time", json(ToRfc3339(*envelope.time)));
  writer.Member("traceparent", envelope.traceparent);
  writer.Member("type", json(envelope.type));
  return std::move(writer).Take();
}

std::string CommandType(std::string_view command) { return Typed({command}); }
std::string AcceptedType(std::string_view command) { return Typed({command, ".accepted"}); }
std::string RejectedType(std::string_view command) { return Typed({command, ".rejected"}); }
std::string DoType(std::string_view action) { return Typed({"do.", action}); }
std::string EventType(std::string_view event) { return Typed({"event.", event}); }

Status CheckCommandType(const Envelope& envelope, std::string_view command) {
  if (envelope.type == CommandType(command)) return Done{};
  return Error::Make(Code::kValueSyntax, "type_mismatch",
                     "the type must be registry.v1. and the topic's command", "/type");
}

}  // namespace registry::wire
