#include "bridge/ctl/anchor_set.h"

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>

#include "bridge/app/anchors_given.h"
#include "bridge/signing/file_write.h"

namespace registry::ctl {
namespace {

using Stored = nlohmann::ordered_json;

constexpr int kFormat = 1;
constexpr mode_t kForAll = 0644;
constexpr std::array kAnchorStates{AnchorState::kComing, AnchorState::kValid, AnchorState::kLeaving,
                                   AnchorState::kRemoved};

Error NotRead(const std::string& file, const std::string& why) {
  return Error::Make(Code::kFailed, "config_invalid", file + ": " + why);
}

std::string TimeText(UtcTime time) { return time == UtcTime{} ? "" : ToRfc3339(time); }

std::optional<UtcTime> TimeIn(const Stored& entry, const char* name) {
  const std::string text = entry.value(name, "");
  return text.empty() ? std::optional(UtcTime{}) : FromRfc3339(text);
}

std::optional<KnownAnchor> AnchorIn(const Stored& entry) {
  if (!entry.is_object()) return std::nullopt;
  const auto state = std::find_if(kAnchorStates.begin(), kAnchorStates.end(),
                                  [&](AnchorState one) { return NameOf(one) == entry.value("state", ""); });
  const auto since = TimeIn(entry, "since"), until = TimeIn(entry, "until");
  KnownAnchor anchor;
  anchor.record = entry.value("record", "");
  if (state == kAnchorStates.end() || !since || !until || !app::ParseTrustAnchor(anchor.record))
    return std::nullopt;
  anchor.state = *state;
  anchor.since = *since;
  anchor.until = *until;
  return anchor;
}

Result<AnchorSet> Parsed(const std::string& file, const std::string& text) {
  AnchorSet set;
  try {
    const Stored stored = Stored::parse(text);
    if (stored.value("format", 0) != kFormat) return NotRead(file, "is of another format than 1");
    for (const Stored& entry : stored.at("anchors")) {
      auto anchor = AnchorIn(entry);
      if (!anchor) return NotRead(file, "has an anchor that cannot be read: " + entry.dump());
      set.anchors.push_back(std::move(*anchor));
    }
  } catch (const Stored::exception& why) {
    return NotRead(file, why.what());
  }
  return set;
}

// What the configuration says holds, whoever wrote it.
void Follow(const std::vector<std::string>& given, AnchorSet& set) {
  const auto labels = app::LabelsOf(given);
  std::erase_if(set.anchors, [&](const KnownAnchor& one) {
    return one.state == AnchorState::kValid && !labels.contains(one.label());
  });
  for (const std::string& record : given) {
    const auto parsed = app::ParseTrustAnchor(record);
    if (!parsed) continue;  // said by --check-config
    const std::string label = app::LabelOf(*parsed);
    const auto known = std::find_if(set.anchors.begin(), set.anchors.end(),
                                    [&](const KnownAnchor& one) { return one.label() == label; });
    if (known == set.anchors.end()) {
      set.anchors.push_back({record, AnchorState::kValid, {}, {}});
    } else if (known->state != AnchorState::kValid) {
      *known = {record, AnchorState::kValid, {}, {}};
    }
  }
}

}  // namespace

std::string_view NameOf(AnchorState state) {
  switch (state) {
    case AnchorState::kComing:
      return "coming";
    case AnchorState::kValid:
      return "valid";
    case AnchorState::kLeaving:
      return "leaving";
    case AnchorState::kRemoved:
      break;
  }
  return "removed";
}

std::string KnownAnchor::label() const {
  const auto parsed = app::ParseTrustAnchor(record);
  return parsed ? app::LabelOf(*parsed) : record;
}

Error AnchorRefused(const std::string& why) { return Error::Make(Code::kFailed, "anchor_refused", why); }

Result<std::size_t> AnchorSet::Find(const std::string& key) const {
  const auto record = app::ParseTrustAnchor(key);
  std::optional<std::size_t> found;
  for (std::size_t i = 0; i < anchors.size(); ++i) {
    const auto one = app::ParseTrustAnchor(anchors[i].record);
    const bool is = record ? anchors[i].label() == app::LabelOf(*record)
                           : one && std::to_string(app::KeyTagOf(*one)) == key;
    if (!is) continue;
    if (found) return AnchorRefused("several anchors have the key tag " + key + ": give the whole record");
    found = i;
  }
  if (!found) return AnchorRefused("no anchor is known by this: " + key);
  return *found;
}

std::vector<std::string> AnchorSet::Given() const {
  std::vector<std::string> given;
  for (const KnownAnchor& one : anchors) {
    if (one.state == AnchorState::kValid) given.push_back(one.record);
  }
  return given;
}

Result<AnchorSet> ReadAnchorSet(const std::string& file, const std::vector<std::string>& given) {
  AnchorSet set;
  if (std::filesystem::exists(file)) {
    std::ifstream in(file);
    const std::string text(std::istreambuf_iterator<char>(in), {});
    if (!in) return Error::Make(Code::kFailed, "file_failed", file + ": cannot be read");
    auto parsed = Parsed(file, text);
    if (!parsed) return parsed.error();
    set = std::move(*parsed);
  }
  Follow(given, set);
  return set;
}

Status WriteAnchorSet(const std::string& file, const AnchorSet& set) {
  Stored stored{{"format", kFormat}, {"anchors", Stored::array()}};
  const auto removed = static_cast<std::size_t>(
      std::count_if(set.anchors.begin(), set.anchors.end(),
                    [](const KnownAnchor& one) { return one.state == AnchorState::kRemoved; }));
  std::size_t forget = removed - std::min(removed, AnchorSet::kRemovedMax);
  for (const KnownAnchor& one : set.anchors) {
    if (one.state == AnchorState::kRemoved && forget > 0) {
      --forget;
      continue;
    }
    stored["anchors"].push_back({{"record", one.record},
                                 {"state", NameOf(one.state)},
                                 {"since", TimeText(one.since)},
                                 {"until", TimeText(one.until)}});
  }
  return signing::ReplaceFile(file, stored.dump(1) + "\n", kForAll);
}

}  // namespace registry::ctl
