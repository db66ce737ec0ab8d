// schemas/wire/fields.h: a struct's field table and the one walk that reads, the one that writes, the one
// that describes. Room-internal. Table<Message>() is specialised beside the messages it describes; Decode and
// Encode are instantiated there.
#pragma once

#include <vector>

#include "schemas/wire/codec.h"
#include "schemas/wire/forms.h"

namespace registry::wire {

template <class Message>
struct Field {
  std::string_view name;
  bool required;
  Rule (*rule)();
  Fault (*read)(const json& value, Message* message);
  void (*write)(std::string_view name, const Message& message, json* data);
  std::string_view former = {};  // what senders of earlier versions call it: read, and never written
};
template <class Message>
using Fields = std::vector<Field<Message>>;

template <class Message>
const Fields<Message>& Table();
// What binds several fields of one struct; checked after each has been read.
template <class Message>
Fault Consistent(const Message&) {
  return std::nullopt;
}

// ---- making a row

template <class Class, class Member>
Class OwnerOf(Member Class::*);
template <class Class, class Member>
Member TypeOf(Member Class::*);

template <class Value>
bool IsSet(const Value& value) {
  return value != Value();
}
template <class Value>
bool IsSet(const std::optional<Value>& value) {
  return value.has_value();
}
template <class Value>
bool IsSet(const std::vector<Value>& value) {
  return !value.empty();
}

template <class Form, auto kMember, class Owner = decltype(OwnerOf(kMember))>
Fault ReadMember(const json& value, Owner* message) {
  if constexpr (std::is_same_v<decltype(TypeOf(kMember)), std::optional<typename Form::Value>>) {
    return Form::Read(value, &(message->*kMember).emplace());
  } else {
    return Form::Read(value, &(message->*kMember));
  }
}

template <class Form, auto kMember, class Owner = decltype(OwnerOf(kMember))>
void WriteMember(std::string_view name, const Owner& message, json* data) {
  (*data)[std::string(name)] = Form::Write(message.*kMember);
}

template <class Form, auto kMember, class Owner = decltype(OwnerOf(kMember))>
void WriteIfSet(std::string_view name, const Owner& message, json* data) {
  if (!IsSet(message.*kMember)) return;
  if constexpr (std::is_same_v<decltype(TypeOf(kMember)), std::optional<typename Form::Value>>) {
    (*data)[std::string(name)] = Form::Write(*(message.*kMember));
  } else {
    WriteMember<Form, kMember>(name, message, data);
  }
}

template <class Form, auto kMember, class Owner = decltype(OwnerOf(kMember))>
Field<Owner> Must(std::string_view name, std::string_view former = {}) {
  return {name, true, Form::MakeRule, ReadMember<Form, kMember>, WriteMember<Form, kMember>, former};
}
// Absent means nullopt, or the member's empty value where the struct has no optional.
template <class Form, auto kMember, class Owner = decltype(OwnerOf(kMember))>
Field<Owner> May(std::string_view name) {
  return {name, false, Form::MakeRule, ReadMember<Form, kMember>, WriteIfSet<Form, kMember>, {}};
}

// ---- walking a table

Error NotAnObject();
Error UnknownField(std::string_view name);
Error MissingField(std::string_view name);
Fault Under(std::string_view name, Fault fault);  // prefixes the fault's pointer with "/name"

// Under its former name only where it is not there under its own.
template <class Message>
bool Names(const Field<Message>& field, std::string_view name, const json::object_t& object) {
  if (field.name == name) return true;
  return !field.former.empty() && field.former == name &&
         object.find(std::string(field.name)) == object.end();
}

template <class Message>
bool IsThere(const json::object_t& object, const Field<Message>& field) {
  return object.find(std::string(field.name)) != object.end() ||
         (!field.former.empty() && object.find(std::string(field.former)) != object.end());
}

template <class Message>
Fault ReadObject(const json& data, Message* message) {
  const auto* object = data.get_ptr<const json::object_t*>();
  if (object == nullptr) return NotAnObject();
  const Fields<Message>& table = Table<Message>();
  for (const auto& [name, value] : *object) {
    const auto is_it = [&name = name, object](const Field<Message>& field) {
      return Names(field, name, *object);
    };
    const auto field = std::find_if(table.begin(), table.end(), is_it);
    if (field == table.end()) return UnknownField(name);
    if (Fault fault = Under(name, field->read(value, message))) return fault;
  }
  for (const Field<Message>& field : table) {
    if (field.required && !IsThere(*object, field)) return MissingField(field.name);
  }
  return Consistent(*message);
}

template <class Message>
json WriteObject(const Message& message) {
  json data = json::object();
  for (const Field<Message>& field : Table<Message>()) field.write(field.name, message, &data);
  return data;
}

template <class Message>
std::vector<FieldRule> Describe() {
  std::vector<FieldRule> rules;
  for (const Field<Message>& field : Table<Message>()) {
    rules.push_back({std::string(field.name), field.required, field.rule()});
  }
  return rules;
}

// ---- forms made of tables

Rule PartRule(std::string_view stem);
Rule ArrayRule(std::size_t min, std::size_t max, Rule item);
Fault ReadItems(const json& value, std::size_t min, std::size_t max, const json::array_t** items);

// Stem supplies kName.
template <class Message, class Stem = Message>
struct Part {
  using Value = Message;
  static Rule MakeRule() { return PartRule(Stem::kName); }
  static Fault Read(const json& value, Message* out) { return ReadObject(value, out); }
  static json Write(const Message& value) { return WriteObject(value); }
};

template <class Form, std::size_t kMin, std::size_t kMax>
struct ListOf {
  using Value = std::vector<typename Form::Value>;
  static Rule MakeRule() { return ArrayRule(kMin, kMax, Form::MakeRule()); }
  static Fault Read(const json& value, Value* out) {
    const json::array_t* items = nullptr;
    if (Fault fault = ReadItems(value, kMin, kMax, &items)) return fault;
    out->resize(items->size());
    for (std::size_t i = 0; i < items->size(); ++i) {
      if (Fault fault = Under(std::to_string(i), Form::Read((*items)[i], &(*out)[i]))) return fault;
    }
    return std::nullopt;
  }
  static json Write(const Value& value) {
    json items = json::array();
    for (const auto& item : value) items.push_back(Form::Write(item));
    return items;
  }
};

template <class Message>
Result<Message> Decode(const json& data) {
  Message message;
  if (Fault fault = ReadObject(data, &message)) return *std::move(fault);
  return message;
}
template <class Message>
json Encode(const Message& message) {
  return WriteObject(message);
}

}  // namespace registry::wire
