#include "clients/conformance/bench.h"

#include <algorithm>

#include "schemas/wire/codec.h"

namespace registry::conformance {

using nlohmann::json;

std::chrono::milliseconds Bench::Silence() const {
  return std::clamp(repeat_after * 5 / 2, options_.quiet, std::max(options_.quiet, options_.timeout));
}

// ---- jobs

json Bench::JobData() {
  return {{"job", NewUuid()},
          {"device", device->text()},
          {"attempt", 1},
          {"deadline", ToRfc3339(WallClock() + std::chrono::hours(1))},
          {"profile", 1}};
}

// No device takes such a payload: what is asked here is how its fate is told.
json Bench::PayloadData() {
  json data = JobData();
  data["version"] = ++payload_version_;
  data["cms"] = "MIAGCSqGSIb3DQEHAqCAAAA=";
  data["containers"] = json::array();
  data["pilotFormAbsent"] = "trust_is_tlsa";
  return data;
}

std::optional<Command> Bench::ReportOf(const std::string& job, std::size_t from) const {
  const auto& heard = desk_.heard();
  for (std::size_t i = from; i < heard.size(); ++i) {
    const bool report = heard[i].name == wire::CsrSubmit::kName || heard[i].name == wire::DoResult::kName;
    if (report && TextIn(heard[i].data, "job") == job) return heard[i];
  }
  return std::nullopt;
}

std::optional<Command> Bench::WaitReport(const std::string& job, std::size_t from) {
  Wait([&] { return ReportOf(job, from).has_value(); });
  return ReportOf(job, from);
}

std::optional<Command> Bench::Ask(const Saying& saying) {
  const std::size_t from = desk_.heard().size();
  desk_.Say(saying);
  return WaitReport(TextIn(saying.envelope.data, "job"), from);
}

// ---- notifications

Saying Bench::News() {
  wire::DeviceActivated activated;
  activated.device = *device;
  activated.name = desk_.DeviceName(*device);
  activated.endpoint = *EndpointName::Parse("conformance");
  activated.certificate_sha256 = Bytes(32, 0xc0);
  return desk_.Notification(wire::DeviceActivated::kName, wire::Encode(activated));
}

json Bench::DeviceData() const {
  return {{"device", device->text()}, {"name", desk_.DeviceName(*device)}, {"by", desk_.party().text()}};
}

json Bench::TransferData(const std::string& state) const {
  const UtcTime now = WallClock();
  return {{"transfer", NewUuid()},        {"device", device->text()},
          {"kind", mno_ ? "mno" : "asp"}, {"state", state},
          {"from", desk_.party().text()}, {"to", "another-party"},
          {"requested", ToRfc3339(now)},  {"decidesAt", ToRfc3339(now + std::chrono::hours(120))},
          {"by", "another-party"}};
}

bool Bench::WaitAcked(std::uint64_t seq) {
  return Wait([&] { return desk_.acked() >= seq; });
}

// ---- whichever the party is

Saying Bench::Probe() { return mno_ ? desk_.Action(wire::PayloadPush::kName, PayloadData()) : News(); }

bool Bench::Handled(const Saying& saying, std::size_t from) {
  if (saying.envelope.seq) return WaitAcked(*saying.envelope.seq);
  return WaitReport(TextIn(saying.envelope.data, "job"), from).has_value();
}

std::optional<Command> Bench::Provoke(const Answer& first) {
  const Saying saying = Probe();
  const std::string job = TextIn(saying.envelope.data, "job");
  std::optional<Command> provoked;
  desk_.SetAnswering([&provoked, first, job](const Command& command) -> std::optional<Answer> {
    if (provoked) return std::nullopt;
    const bool is_it = job.empty()
                           ? command.name == wire::FeedAck::kName
                           : command.name == wire::DoResult::kName && TextIn(command.data, "job") == job;
    if (!is_it || command.again) return std::nullopt;
    provoked = command;
    return first;
  });
  desk_.Say(saying);
  Wait([&] { return provoked.has_value(); });
  desk_.SetAnswering(nullptr);
  return provoked;
}

std::optional<Command> Bench::WaitAgain(const Command& command, std::optional<Command>* other) {
  std::optional<Command> again;
  const auto& heard = desk_.heard();
  const auto first =
      std::find_if(heard.begin(), heard.end(), [&](const Command& one) { return one.id == command.id; });
  const auto from = static_cast<std::size_t>(first - heard.begin()) + 1;
  Wait([&] {
    for (std::size_t i = from; i < desk_.heard().size(); ++i) {
      const Command& one = desk_.heard()[i];
      if (one.id == command.id) again = one;
      if (one.id != command.id && one.name == command.name && one.data == command.data) *other = one;
    }
    return again || *other;
  });
  return again;
}

void Bench::Cut() {
  broker_.relay().Cut();
  desk_.Until(std::chrono::seconds(2), [this] { return broker_.relay().connections() == 0; });
}

}  // namespace registry::conformance
