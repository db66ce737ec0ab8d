#include "simulators/ota/parcel.h"

#include "simulators/euicc/issuer_script.h"
#include "simulators/link/text.h"
#include "simulators/pilot/pilot_files.h"

namespace registry::sim::ota {
namespace {

using nlohmann::json;

void AppendScript(Bytes& script, const Bytes& step) { script.insert(script.end(), step.begin(), step.end()); }

std::optional<std::uint8_t> FileOf(const json& container) {
  const auto id = FromHex(Text(container, "id"));
  return id && id->size() == 1 ? std::optional(id->front()) : std::nullopt;
}

Bytes HeadOf(const json& head) { return AsBytes(head.dump()); }

// As a device writes them (schemas/PAYLOAD.md): 02 goes first, the files come in the order in which the registry puts them,
// with the mark behind those that it is over and 02 behind all. The script is carried out whole or not at all, but a card of
// the field may carry out one command after the other. Without files all go.
void AppendRemoval(bool all, Bytes& script) {
  for (const std::uint8_t file : pilot::kAll) {
    if (all || file == pilot::kClient) AppendScript(script, RemoveFileScript(file));
  }
}

bool AppendFiles(const json& containers, Bytes& script, json& ids) {
  for (const json& container : containers) {
    const auto file = FileOf(container);
    const auto content = FromBase64(Text(container, "content"));
    if (!file || !content) return false;
    AppendScript(script, WriteFileScript(*file, *content));
    ids.push_back(Text(container, "id"));
  }
  return true;
}

}  // namespace

std::optional<Parcel> PayloadParcel(const std::string& job, const json& action) {
  const auto cms = FromBase64(Text(action, "cms"));
  const auto containers = action.find("containers");
  if (!cms || cms->empty() || containers == action.end() || !containers->is_array()) return std::nullopt;
  Parcel parcel;
  json ids = json::array();
  AppendRemoval(containers->empty(), parcel.script);
  if (!AppendFiles(*containers, parcel.script, ids)) return std::nullopt;
  parcel.head = HeadOf(
      {{"t", "payload"}, {"job", job}, {"version", action.value("version", json())}, {"containers", ids}});
  if (parcel.head.size() > kHeadMax) return std::nullopt;
  AppendScript(parcel.script, WriteFileScript(kPayloadFile, *cms));
  AppendScript(parcel.script, WriteFileScript(kHeadFile, parcel.head));
  return parcel;
}

Parcel WipeParcel(const std::string& job) {
  Parcel parcel{ClearAllScript(), HeadOf({{"t", "wipe"}, {"job", job}})};
  AppendScript(parcel.script, WriteFileScript(kHeadFile, parcel.head));
  return parcel;
}

Bytes ReadHeadScript() { return ReadFileScript(kHeadFile); }

Bytes MakeRoomScript() {
  Bytes script = RemoveFileScript(kHeadFile);
  AppendScript(script, RemoveFileScript(kPayloadFile));
  return script;
}

json FrameFromCard(const std::function<std::optional<Bytes>(std::uint8_t file)>& read) {
  const auto head = read(kHeadFile);
  if (!head) return {};
  json frame = json::parse(head->begin(), head->end(), nullptr, false);
  if (!frame.is_object() || Text(frame, "job").empty()) return {};
  if (Text(frame, "t") != "payload") return frame;
  const auto cms = read(kPayloadFile);
  if (!cms || !frame.contains("containers") || !frame["containers"].is_array()) return {};
  frame["cms"] = ToBase64(*cms);
  for (json& container : frame["containers"]) {
    const auto file = FileOf({{"id", container}});
    const auto content = file ? read(*file) : std::nullopt;
    if (!content) return {};
    container = {{"id", container}, {"content", ToBase64(*content)}};
  }
  return frame;
}

}  // namespace registry::sim::ota
