#include "simulators/mno/by_hand.h"

#include <algorithm>

#include "schemas/wire/codec.h"
#include "simulators/link/text.h"
#include "simulators/pilot/pilot_files.h"

namespace registry::sim {

using nlohmann::json;

std::optional<json> ByHand::FrameOf(const std::string& verb, const std::string& device,
                                    const std::string& iccid) {
  if (verb == "read_card") {
    read_[iccid] = device;
    return json{{"t", "card_read"}, {"iccid", iccid}};
  }
  const auto of_device = [&](const auto& entry) { return entry.first == device; };
  if (verb == "deliver") {
    const auto found = std::find_if(kept_.rbegin(), kept_.rend(), of_device);
    return found == kept_.rend() ? std::nullopt : std::optional(found->second);
  }
  const auto found = std::find_if(kept_.begin(), kept_.end(), of_device);
  if (found == kept_.end()) return std::nullopt;
  json again = found->second;
  again["job"] = "replay-" + std::to_string(++replays_);
  return again;
}

json ByHand::CardEvent(const json& frame) const {
  const auto asked = read_.find(Text(frame, "iccid"));
  json event{{"event", "card"}, {"device", asked == read_.end() ? "" : asked->second}};
  PilotFiles files;
  const auto list = frame.find("files");
  bool sound = list != frame.end() && list->is_array();
  for (const json& item : sound ? *list : json::array()) {
    auto file = wire::Decode<wire::Container>(item);
    sound = sound && file.ok();
    if (file) files[file->id] = std::move(file->content);
  }
  if (!sound) {
    event["state"] = "unreadable";
    return event;
  }
  const CardSet set = Judge(files);
  event["state"] = WordOf(set.written);
  event["generation"] = set.generation;
  event["reason"] = set.why;
  return event;
}

}  // namespace registry::sim
