#include "simulators/device/layout_file.h"

#include <fstream>

#include "simulators/euicc/tags.h"

namespace registry::sim {
namespace {

using nlohmann::json;

Error Wrong(const std::string& what) {
  return Error::Make(Code::kValueSyntax, "config_malformed", "card layout: " + what);
}

// Thrown by what is read below and caught at its end, as nlohmann's own exceptions are.
struct WrongMember {
  std::string what;
};

void Only(const json& object, std::initializer_list<std::string_view> members) {
  if (!object.is_object()) throw WrongMember{"an object is wanted for " + object.dump()};
  for (const auto& [name, value] : object.items()) {
    if (std::find(members.begin(), members.end(), name) == members.end())
      throw WrongMember{"no member " + name};
  }
}

Bytes HexOf(const json& object, const char* member, std::size_t size_max) {
  auto octets = FromHex(object.at(member).get<std::string>());
  if (!octets || octets->empty() || octets->size() > size_max)
    throw WrongMember{std::string(member) + " has 1 to " + std::to_string(size_max) + " octets, hexadecimal"};
  return std::move(*octets);
}

std::string LabelIn(const json& object) {
  auto label = object.value("label", "");
  if (label.size() > kLabelMax) throw WrongMember{"a label has at most 60 octets"};
  return label;
}

std::uint8_t FunctionsIn(const json& object) {
  std::uint8_t functions = 0;
  for (const auto& name : object.at("functions")) {
    if (name == "sign")
      functions |= kMaySign;
    else if (name == "generate")
      functions |= kMayGenerate;
    else if (name == "agree")
      functions |= kMayAgree;
    else if (name == "derive")
      functions |= kMayDerive;
    else
      throw WrongMember{"functions are sign, generate, agree and derive"};
  }
  return functions;
}

AppletName NameOf(const json& object) {
  Only(object, {"aid", "pads_files"});
  return {HexOf(object, "aid", 16), object.value("pads_files", false)};
}

CardLayout::Key KeyOf(const json& object) {
  Only(object, {"id", "label", "functions", "foreign", "ephemeral", "made"});
  return {HexOf(object, "id", kIdMax),
          LabelIn(object),
          FunctionsIn(object),
          object.value("foreign", false),
          object.value("ephemeral", false),
          object.value("made", false)};
}

CardLayout::SecretKey SecretFrom(const json& object) {
  Only(object, {"id", "label", "functions", "type", "size"});
  const auto type = object.value("type", "hmac");
  const auto size = object.value("size", type == "aes" ? 16u : 32u);
  if ((type != "aes" && type != "hmac") || size < 1 || size > 64 || (type == "aes" && size != 16))
    throw WrongMember{"a secret is hmac of 1 to 64 octets or aes of 16"};
  return {HexOf(object, "id", kIdMax), LabelIn(object), FunctionsIn(object),
          type == "aes" ? kAesSecret : kHmacSecret, size};
}

CardLayout::FileKind FileFrom(const json& object) {
  Only(object, {"id", "label", "usage", "content"});
  auto content = FromBase64(object.value("content", ""));
  if (!content || content->size() > 0xffff) throw WrongMember{"content is base64 of at most 65535 octets"};
  return {HexOf(object, "id", kIdMax), LabelIn(object), object.value("usage", std::uint8_t{0}),
          std::move(*content)};
}

void ReadHabits(const json& object, Habits& habits) {
  Only(object, {"select_opens_channel", "always_get_response", "short_application", "empty_is_volatile",
                "tells_remote_over"});
  habits.select_opens_channel = object.value("select_opens_channel", habits.select_opens_channel);
  habits.always_get_response = object.value("always_get_response", habits.always_get_response);
  habits.short_application = object.value("short_application", habits.short_application);
  habits.empty_is_volatile = object.value("empty_is_volatile", habits.empty_is_volatile);
  habits.tells_remote_over = object.value("tells_remote_over", habits.tells_remote_over);
}

template <class Object>
void ReadList(const json& object, const char* member, Object (*read)(const json&), std::vector<Object>& out) {
  if (!object.contains(member)) return;
  out.clear();
  for (const json& item : object.at(member)) out.push_back(read(item));
}

const CardLayout& Named(const std::string& name) {
  const CardLayout* layout = FindLayout(name);
  if (layout == nullptr) throw WrongMember{"no layout has the name " + name};
  return *layout;
}

CardLayout FromObject(const json& object) {
  Only(object, {"base", "names", "keys", "secrets", "files", "habits"});
  CardLayout layout = Named(object.value("base", DefaultLayout().name));
  layout.name.clear();
  ReadList(object, "names", &NameOf, layout.applets);
  ReadList(object, "keys", &KeyOf, layout.keys);
  ReadList(object, "secrets", &SecretFrom, layout.secrets);
  ReadList(object, "files", &FileFrom, layout.files);
  if (object.contains("habits")) ReadHabits(object.at("habits"), layout.habits);
  return layout;
}

}  // namespace

Result<CardLayout> ReadLayout(const json& layout) {
  try {
    return layout.is_string() ? Named(layout.get<std::string>()) : FromObject(layout);
  } catch (const WrongMember& wrong) {
    return Wrong(wrong.what);
  } catch (const json::exception& error) {
    return Wrong(error.what());
  }
}

Result<CardLayout> ReadLayoutFile(const std::string& name_or_file) {
  if (const CardLayout* layout = FindLayout(name_or_file)) return *layout;
  std::ifstream in(name_or_file);
  if (!in) return Wrong(name_or_file + " is neither a layout's name nor a file");
  const json object = json::parse(in, nullptr, false);
  if (object.is_discarded()) return Wrong(name_or_file + " is not JSON");
  return ReadLayout(object);
}

}  // namespace registry::sim
