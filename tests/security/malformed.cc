#include "tests/security/malformed.h"

#include <map>
#include <nlohmann/json.hpp>

#include "schemas/wire/envelope.h"
#include "schemas/wire/field_tables.h"

namespace registry::test {
namespace {

using nlohmann::json;
using Texts = std::vector<std::string>;

template <class List>
const auto& OneOf(const List& list, Random& random) {
  return *std::next(std::begin(list), static_cast<std::ptrdiff_t>(random() % std::size(list)));
}

// Data each of an MNO's commands accepts as far as its form goes.
const json& GoodData() {
  static const std::string device = "3f0c9a52-6a1e-4d57-9b1a-2f5c7e9d1b34";
  static const std::string job = "0d9f6c1e-22aa-4c0f-8e55-6b1f0a7c9d12";
  static const json data = {
      {"esim.register", {{"eid", "89049032000000000000000099998336"}, {"iccid", "8988000000009999838"}}},
      {"device.attach", {{"device", device}}},
      {"csr.submit", {{"device", device}, {"csr", "MAMCAQA="}, {"job", job}}},
      {"feed.ack", {{"seq", 0}}},
      {"feed.replay", {{"fromSeq", 1}}},
      {"do.progress",
       {{"job", job}, {"device", device}, {"progress", 1}, {"stage", "queued"}, {"detail", "x"}}},
      {"do.result",
       {{"job", job}, {"device", device}, {"outcome", "failed"}, {"reason", "x"}, {"retriable", false}}}};
  return data;
}

std::string AnyCommand(Random& random) {
  return std::next(GoodData().begin(), static_cast<std::ptrdiff_t>(random() % GoodData().size())).key();
}

const std::string& AnyMember(const json& object, Random& random) {
  return std::next(object.begin(), static_cast<std::ptrdiff_t>(random() % object.size())).key();
}

std::string Nul() { return std::string(1, '\0'); }

class Maker {
 public:
  explicit Maker(std::string party) : party_(std::move(party)) {}

  json Event(const std::string& command, const std::string& id) const {
    return {{"specversion", "1.0"},
            {"id", id},
            {"source", party_},
            {"type", wire::CommandType(command)},
            {"data", GoodData().contains(command) ? GoodData().at(command) : json::object()}};
  }

  // Families that change one thing in a good event.
  template <class Change>
  auto Changed(Change change) const {
    return [*this, change](const std::string& id, Random& random) {
      const std::string command = AnyCommand(random);
      json event = Event(command, id);
      change(&event, command, random);
      return Malformed{command, event.dump()};
    };
  }
  // Families that change the octets of a good one.
  template <class Change>
  auto Rewritten(Change change) const {
    return [*this, change](const std::string& id, Random& random) {
      const std::string command = AnyCommand(random);
      return Malformed{command, change(Event(command, id).dump(), random)};
    };
  }
  // Families that write one data member's value by hand: what no JSON library would print.
  auto Written(std::vector<std::pair<std::string, std::string>> members, Texts values) const {
    return [*this, members, values](const std::string& id, Random& random) {
      const auto& [command, member] = OneOf(members, random);
      json event = Event(command, id);
      event["data"][member] = "@";
      std::string text = event.dump();
      return Malformed{command, text.replace(text.find("\"@\""), 3, OneOf(values, random))};
    };
  }

 private:
  std::string party_;
};

// A value of another JSON type than the field's.
json OtherType(wire::Shape shape, Random& random) {
  static const std::vector<json> values{nullptr, json::array(), json::object(), true, 7, "text"};
  for (;;) {
    const json& value = OneOf(values, random);
    const bool same = (shape == wire::Shape::kText && value.is_string()) ||
                      (shape == wire::Shape::kInteger && value.is_number()) ||
                      (shape == wire::Shape::kBoolean && value.is_boolean());
    if (!same) return value;
  }
}

void WrongType(json* event, const std::string& command, Random& random) {
  const auto fields = wire::FieldRules(command);
  const wire::FieldRule& field = OneOf(fields, random);
  (*event)["data"][field.name] = OtherType(field.rule.shape, random);
}

void RequiredMissing(json* event, const std::string& command, Random& random) {
  Texts required;
  for (const wire::FieldRule& field : wire::FieldRules(command)) {
    if (field.required) required.push_back(field.name);
  }
  event->at("data").erase(OneOf(required, random));
}

void UnknownMember(json* event, const std::string&, Random& random) {
  static const Texts names{"extra", "Device", "", "device ", "ü", "a/b~c", "__proto__", "\x01"};
  (*event)["data"][OneOf(names, random)] = OtherType(wire::Shape::kObject, random);
}

void WrongValue(json* event, const std::string&, Random& random) {
  static const std::map<std::string, json> values{
      {"device",
       {"x", "3F0C9A52-6A1E-4D57-9B1A-2F5C7E9D1B34", "3f0c9a52-6a1e-1d57-9b1a-2f5c7e9d1b34", Nul()}},
      {"job", {"", "0d9f6c1e"}},
      {"eid", {"89049032000000000000000099998337", "8904903200000000000000009999833"}},
      {"iccid", {"8988000000009999839", "abc"}},
      {"csr", {"%%%%", "MAMCAQA", "MAMCAQA=\n"}},
      {"stage", {"finished", ""}},
      {"outcome", {"maybe", "SUCCESS"}},
      {"reason", {"Upper", "a b"}},
      {"detail", {"\x1b[2J", "a" + Nul() + "b"}}};
  for (;;) {
    json& data = event->at("data");
    const std::string& member = AnyMember(data, random);
    if (values.contains(member)) {
      data[member] = OneOf(values.at(member), random);
      return;
    }
    data["device"] = "x";  // feed.ack and feed.replay hold numbers only; there it is a member too many
  }
}

void WrongAttribute(json* event, const std::string&, Random& random) {
  static const std::vector<std::pair<std::string, json>> values{{"id", 7},
                                                                {"id", json::array()},
                                                                {"id", ""},
                                                                {"id", "a b"},
                                                                {"id", Nul()},
                                                                {"source", 1},
                                                                {"source", json::array()},
                                                                {"source", ""},
                                                                {"source", "a\nb"},
                                                                {"type", json::object()},
                                                                {"type", std::string(300, 't')},
                                                                {"time", "today"},
                                                                {"time", 0},
                                                                {"data", "text"},
                                                                {"data", json::array()},
                                                                {"data", nullptr},
                                                                {"seq", -1},
                                                                {"seq", 1},
                                                                {"cause", json::object()},
                                                                {"subject", false},
                                                                {"urgent", json::object()},
                                                                {"urgent", 1.5},
                                                                {"id", true},
                                                                {"source", "\ax"},
                                                                {"id", std::string(129, 'i')}};
  const auto& [name, value] = OneOf(values, random);
  (*event)[name] = value;
}

std::string InsertedAt(std::string text, std::size_t at, const std::string& what) {
  return text.insert(at, what);
}

std::string BadUtf8(std::string text, Random& random) {
  // RFC 3629 §3, §10: a lone tail, forms too long, a surrogate, beyond U+10FFFF, cut sequences.
  static const Texts octets{"\xff",         "\x80",         std::string("\xc0\x80"),
                            "\xe0\x80\xaf", "\xed\xa0\x80", "\xf4\x90\x80\x80",
                            "\xc3",         "\xe2\x82",     "\xf0\x9f\x98"};
  const std::size_t at = random() % text.size();  // arguments are evaluated in any order
  return InsertedAt(std::move(text), at, OneOf(octets, random));
}

std::string Twice(std::string text, Random& random) {
  const json event = json::parse(text);
  if (random() % 2 == 0) {
    const std::string& name = AnyMember(event, random);
    return text.insert(1, json(name).dump() + ":" + event.at(name).dump() + ",");
  }
  const json& data = event.at("data");
  const std::string& name = AnyMember(data, random);
  const std::string opened = "\"data\":{";
  return text.insert(text.find(opened) + opened.size(), json(name).dump() + ":" + data.at(name).dump() + ",");
}

std::string Deep(std::string text, Random& random) {
  const std::size_t levels = wire::kDepthMax + 1 + random() % 5000;
  if (random() % 2 == 0) return std::string(levels, '[');
  const std::string opened = "\"data\":{";
  return text.insert(text.find(opened) + opened.size(),
                     "\"a\":" + std::string(levels, '[') + std::string(levels, ']') + ",");
}

std::string NotAnObject(std::string, Random& random) {
  static const Texts texts{"[]", "7", "\"text\"", "null", "true", " [1, 2] ", "1e5"};
  return OneOf(texts, random);
}

// The catalogue's names, altered; each is well-formed, so that it can be answered.
Malformed UnknownCommand(const Maker& maker, const std::string& id, Random& random) {
  static const Texts names{"no.such.command",
                           "esim.registers",
                           "esim",
                           "device.activated",
                           "key.generate",
                           "do.key.generate",
                           "do",
                           "event.device.activated",
                           "a",
                           ".",
                           "feed..ack",
                           std::string(64, 'x')};
  const std::string command = OneOf(names, random);
  return {command, maker.Event(command, id).dump()};
}

// Well-formed messages on topics that name no command.
Malformed NoCommand(const Maker& maker, const std::string& id, Random& random) {
  static const Texts names{"Esim.Register",
                           "esim.register/more",
                           "",
                           "esim_register",
                           std::string(65, 'x'),
                           "a b",
                           "esim.register/accepted",
                           "ü",
                           "//",
                           "1"};
  return {OneOf(names, random), maker.Event("esim.register", id).dump()};
}

// Whole texts that are not JSON, or JSON no number of ours fits into.
std::vector<Family> OctetFamilies(const Maker& maker) {
  const std::vector<std::pair<std::string, std::string>> numbers{
      {"feed.ack", "seq"}, {"feed.replay", "fromSeq"}, {"do.progress", "progress"}};
  const Texts out_of_range{"-1", "9007199254740992", "18446744073709551615", "-9223372036854775808"};
  const Texts no_integers{"18446744073709551616",   "1e3", "1.5", "-0.0", "1E+2", "-1e-9",
                          "99999999999999999999999"};
  const Texts huge{"1e400", "-1e999", std::string(400, '9'), std::string(5000, '7'),
                   "1e99999999999999999999"};
  return {
      {"bad UTF-8", {"bad_utf8"}, maker.Rewritten(BadUtf8), kShare},
      {"cut short",
       {"bad_json"},
       maker.Rewritten(
           [](std::string text, Random& random) { return text.substr(0, random() % text.size()); }),
       kShare},
      {"bad JSON",
       {"bad_json"},
       maker.Rewritten([](std::string text, Random& random) {
         const std::size_t at = random() % text.size();
         return InsertedAt(std::move(text), at, "{\"a\":");
       }),
       kShare},
      {"with NUL",
       {"bad_json"},
       maker.Rewritten([](std::string text, Random& random) {
         if (random() % 4 == 0) return std::string(random() % 64, '\0');
         const std::size_t at = random() % text.size();
         return InsertedAt(std::move(text), at, std::string(1 + random() % 3, '\0'));
       }),
       kShare},
      {"a member twice", {"duplicate_member"}, maker.Rewritten(Twice), kShare},
      {"deep nesting", {"too_deep"}, maker.Rewritten(Deep), kShare},
      {"no object", {"not_an_object"}, maker.Rewritten(NotAnObject), kShare},
      {"too large",
       {"message_too_large"},
       maker.Rewritten([](std::string text, Random& random) {
         return text + std::string(wire::kMessageMax + random() % 5000, ' ');
       }),
       8},
      {"a number out of range", {"out_of_range"}, maker.Written(numbers, out_of_range), kShare},
      {"a number that is no integer", {"not_an_integer"}, maker.Written(numbers, no_integers), kShare},
      {"a number beyond a double", {"number_too_large"}, maker.Written(numbers, huge), kShare},
  };
}

std::vector<Family> EventFamilies(const Maker& maker) {
  const auto set = [&maker](const std::string& name, std::vector<json> values) {
    return maker.Changed([name, values](json* event, const std::string&, Random& random) {
      (*event)[name] = OneOf(values, random);
    });
  };
  return {
      {"unknown specversion",
       {"unsupported_version"},
       set("specversion", {"9.7", "0.3", 1, "", "1.0.1"}),
       kShare},
      {"an attribute missing",
       {"missing_attribute"},
       maker.Changed([](json* event, const std::string&, Random& random) {
         const std::string name = AnyMember(*event, random);
         event->erase(name);
         if (name != "data" && random() % 2 == 0)
           (*event)[name] = nullptr;  // absent (CloudEvents JSON format)
       }),
       kShare},
      {"an attribute's type or form", {"bad_attribute"}, maker.Changed(WrongAttribute), kShare},
      {"an unknown attribute",
       {"unknown_attribute"},
       maker.Changed([](json* event, const std::string&, Random& random) {
         static const Texts names{"Id", "data_base64", "", "x-y", "abcdefghijklmnopqrstu", "ü"};
         (*event)[OneOf(names, random)] = "x";
       }),
       kShare},
      {"another content type",
       {"unsupported_content_type"},
       set("datacontenttype", {"text/xml", "", 1, "application/json; charset=latin1"}),
       kShare},
      {"another source",
       {"source_mismatch"},
       set("source", {"mno-a", "registry", "guest", "operator"}),
       kShare},
      {"a type of another version",
       {"type_mismatch"},
       maker.Changed([](json* event, const std::string& command, Random& random) {
         static const Texts prefixes{"registry.v2.",   "registry.v10.", "registry.", "",
                                     "registry.v1.x.", "Registry.v1."};
         (*event)["type"] = OneOf(prefixes, random) + command;
       }),
       kShare},
  };
}

std::vector<Family> DataFamilies(const Maker& maker) {
  return {
      {"a member's type", {"wrong_type"}, maker.Changed(WrongType), kShare},
      {"a member missing", {"missing_field"}, maker.Changed(RequiredMissing), kShare},
      {"an unknown member", {"unknown_field"}, maker.Changed(UnknownMember), kShare},
      {"a member's value",
       {"bad_device", "bad_job", "bad_eid", "bad_iccid", "bad_base64", "bad_choice", "bad_symbol", "bad_text",
        "unknown_field"},
       maker.Changed(WrongValue),
       kShare},
      {"an unknown command",
       {"unknown_command"},
       [maker](const std::string& id, Random& random) { return UnknownCommand(maker, id, random); },
       kShare},
      {"a topic without command",
       {"topic_malformed"},
       [maker](const std::string& id, Random& random) { return NoCommand(maker, id, random); },
       kShare,
       false},
      {"a byte order mark",
       {"byte_order_mark"},
       maker.Rewritten([](const std::string& text, Random&) { return "\xef\xbb\xbf" + text; }),
       kShare},
  };
}

}  // namespace

std::vector<Family> Families(const std::string& party) {
  const Maker maker(party);
  std::vector<Family> families;
  for (auto& part : {OctetFamilies(maker), EventFamilies(maker), DataFamilies(maker)})
    families.insert(families.end(), part.begin(), part.end());
  return families;
}

}  // namespace registry::test
