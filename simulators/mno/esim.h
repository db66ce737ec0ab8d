// simulators/mno/esim.h: what an MNO keeps of one of its eSIMs, and what an action of the registry is about,
// what is said of both over the radio, to the registry and in reports. Plain values.
#pragma once

#include <chrono>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>

#include "simulators/link/text.h"
#include "simulators/mno/config.h"

namespace registry::sim {

struct Esim {
  using Time = std::chrono::steady_clock::time_point;
  InventoryItem item;
  std::optional<DeviceId> device;
  nlohmann::json bootstrap;           // null: its device has one from the MNO before
  std::shared_ptr<Connection> radio;  // set while the SIM is on
  std::uint32_t profile = 0;          // its number within the device, once the registry has named it
  bool attach_said = false;
  int register_tries = 0, attach_tries = 0;
  std::optional<Time> due;           // when its registration was meant to begin
  Time begun;                        // of the registration, then of the attachment: the first try
  nlohmann::json certificate_frame;  // said again before a payload is repeated
};

struct AskedFor {
  JobId job;
  DeviceId device;
};
// nullopt: it does not name both.
inline std::optional<AskedFor> AskedForIn(const nlohmann::json& action) {
  const auto job = JobId::Parse(Text(action, "job"));
  const auto device = DeviceId::Parse(Text(action, "device"));
  if (!job || !device) return std::nullopt;
  return AskedFor{*job, *device};
}

// What is said to the device for a job of this kind, direct.
inline nlohmann::json FrameFor(const char* type, const std::string& iccid, const JobId& job,
                               const nlohmann::json& action) {
  nlohmann::json frame{{"t", type}, {"iccid", iccid}, {"job", job.text()}};
  for (const char* part : {"version", "cms", "containers"}) {
    if (action.contains(part)) frame[part] = action[part];
  }
  return frame;
}

inline nlohmann::json ResultOf(const AskedFor& asked, nlohmann::json answer) {
  answer["job"] = asked.job.text();
  answer["device"] = asked.device.text();
  return answer;
}

// nullopt: of nothing that names a job and a device.
inline std::optional<wire::DoResult> RefusalOf(const nlohmann::json& action, const char* stage,
                                               const char* reason, bool retriable) {
  const auto asked = AskedForIn(action);
  if (!asked) return std::nullopt;
  return wire::DoResult{asked->job, asked->device, wire::Outcome::kFailed, stage, reason, retriable};
}

// ---- what is reported

inline nlohmann::json NotificationEvent(const std::string& type, const nlohmann::json& data) {
  nlohmann::json event{{"event", "notification"}, {"type", type}};
  if (data.contains("device")) event["device"] = data["device"];
  return event;
}

// `result`: of what the network did; without one it keeps silent.
inline nlohmann::json ProfileEvent(const DeviceId& device, bool enabled,
                                   const std::optional<nlohmann::json>& result) {
  nlohmann::json event{{"event", "silent"}, {"device", device.text()}};
  if (!result) return event;
  event["event"] = enabled ? "profile_enable" : "profile_disable";
  event["ok"] = Text(*result, "outcome") == "success";
  return event;
}

inline nlohmann::json AskedEvent(const std::string& action, const nlohmann::json& data) {
  return {{"event", "asked"},
          {"action", action},
          {"job", Text(data, "job")},
          {"attempt", data.value("attempt", 0)}};
}

inline nlohmann::json BootstrapFrame(const Esim& esim) {
  return {{"t", "bootstrap"}, {"iccid", esim.item.iccid.text()}, {"bootstrap", esim.bootstrap}};
}

inline nlohmann::json CertificateFrame(const std::string& iccid, const Bytes& certificate) {
  return {{"t", "certificate"}, {"iccid", iccid}, {"certificate", ToBase64(certificate)}};
}

// What do.result says when the radio's patience is over.
inline nlohmann::json Unreachable() {
  return {{"outcome", "failed"}, {"stage", "radio"}, {"reason", "device_unreachable"}, {"retriable", true}};
}

// What do.result says of what the device has answered.
inline nlohmann::json AnswerIn(const nlohmann::json& frame) {
  nlohmann::json answer{{"outcome", Text(frame, "outcome")},
                        {"retriable", frame.contains("retriable") && frame["retriable"] == true}};
  for (const char* part : {"stage", "reason"}) {
    if (const std::string text = Text(frame, part); !text.empty()) answer[part] = text;
  }
  return answer;
}

}  // namespace registry::sim
