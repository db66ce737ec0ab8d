#include "tests/integration/follow/feed_script.h"

#include <nlohmann/json.hpp>

#include "schemas/base/check.h"
#include "simulators/lab/probe.h"

namespace registry::test {
namespace {

using nlohmann::json;
using namespace std::chrono_literals;

constexpr std::uint64_t kReplayMax = 1000, kBatch = 100;

json Around(const std::string& type, const json& data) {
  return {
      {"specversion", "1.0"}, {"id", "said-" + type}, {"source", "registry"}, {"type", type}, {"data", data}};
}

}  // namespace

void FeedScript::Connect() {
  mqtt_.reset();
  REG_CHECK(lab::WaitUntil(
      [this] {
        mqtt_ = std::make_unique<RawMqtt>(broker_.ForParty("registryd"));
        return mqtt_->connected();
      },
      20s));
  REG_CHECK(mqtt_->Subscribe("registry/v1/from/#"));
}

std::string FeedScript::Envelope(std::uint64_t seq) {
  json said = Around("registry.v1.event.device.activated", {{"number", seq}});
  said["id"] = "notification-" + std::to_string(seq);
  said["seq"] = std::to_string(seq);
  return said.dump();
}

std::string FeedScript::Odd(const std::string& seq) {
  json said = Around("registry.v1.event.device.activated", json::object());
  if (!seq.empty()) said["seq"] = seq;
  return said.dump();
}

void FeedScript::Notify(const std::string& party, std::uint64_t seq) {
  Feed& feed = of(party);
  feed.last = std::max(feed.last, seq);
  Say(party, "event/device.activated", Envelope(seq));
}

void FeedScript::NotifyBatch(const std::string& party, const std::vector<std::string>& envelopes,
                             std::uint64_t last) {
  of(party).last = last;
  std::string text;
  for (const std::string& envelope : envelopes) text += (text.empty() ? "[" : ",") + envelope;
  Say(party, "batch", text + "]");
}

void FeedScript::Say(const std::string& party, const std::string& topic, const std::string& payload) {
  REG_CHECK(mqtt_->PublishLater("registry/v1/to/" + party + "/" + topic, payload));
}

bool FeedScript::Until(const std::function<bool()>& holds, std::chrono::seconds deadline) {
  const auto until = std::chrono::steady_clock::now() + deadline;
  while (!holds()) {
    if (std::chrono::steady_clock::now() > until) return false;
    if (const auto message = mqtt_->Next(20ms)) Answer(*message);
  }
  return true;
}

void FeedScript::Answer(const RawMessage& message) {
  const json said = json::parse(message.payload);
  const std::string party = said.at("source"), id = said.at("id");
  Feed& feed = of(party);
  if (said.at("type") == "registry.v1.feed.replay") {
    const std::uint64_t from = said.at("data").at("fromSeq");
    feed.replays.push_back(from);
    if (feed.unanswered > 0) {
      --feed.unanswered;
      return;
    }
    Replay(party, feed, from, id);
  } else if (said.at("type") == "registry.v1.feed.ack") {
    feed.acked = std::max<std::uint64_t>(feed.acked, said.at("data").at("seq"));
    Reply(party, "feed.ack", id, 0);
  }
}

void FeedScript::Replay(const std::string& party, Feed& feed, std::uint64_t from, const std::string& cause) {
  if (from > feed.last + 1) {
    json rejection =
        Around("registry.v1.feed.replay.rejected",
               {{"code", 2004}, {"symbol", "seq_unknown"}, {"message", "the feed has not come that far"}});
    rejection["cause"] = cause;
    return Say(party, "feed.replay/rejected", rejection.dump());
  }
  const std::uint64_t first = std::max(from, feed.forgets ? feed.acked + 1 : 1);
  const std::uint64_t last = std::min(feed.last, first + kReplayMax - 1);
  if (feed.reply_first) Reply(party, "feed.replay", cause, last + 1 - first);
  std::vector<std::string> some;
  for (std::uint64_t seq = first; seq <= last; ++seq) {
    if (!feed.batches) {
      Notify(party, seq);
      continue;
    }
    some.push_back(Envelope(seq));
    if (some.size() == kBatch || seq == last) NotifyBatch(party, std::exchange(some, {}), feed.last);
  }
  if (!feed.reply_first) Reply(party, "feed.replay", cause, last + 1 - first);
}

void FeedScript::Reply(const std::string& party, const std::string& command, const std::string& cause,
                       std::uint64_t replayed) {
  const Feed& feed = of(party);
  json reply = Around("registry.v1." + command + ".accepted",
                      {{"lastSeq", feed.last}, {"ackedSeq", feed.acked}, {"replayed", replayed}});
  reply["cause"] = cause;
  Say(party, command + "/accepted", reply.dump());
}

}  // namespace registry::test
