#include "tests/crash/campaign_witness.h"

#include <nlohmann/json.hpp>

#include "schemas/base/check.h"
#include "simulators/lab/probe.h"

namespace registry::test {
namespace {

using nlohmann::json;
using std::chrono::steady_clock;

constexpr std::chrono::seconds kSayAgainAfter{5}, kListensWithin{120};
constexpr std::chrono::milliseconds kListenFor{500};
constexpr int kPort = 1024;  // of the endpoint; each command names the next one

}  // namespace

CampaignWitness::CampaignWitness(const lab::Layout& layout)
    : options_{layout.mqtt, layout.BrokerCa(), layout.PartyCertificate(kParty), layout.PartyKey(kParty),
               "witness"},
      client_(std::make_unique<RawMqtt>(options_)) {
  REG_CHECK(lab::WaitUntil([this] { return Listen(); }, kListensWithin));
}

// libmosquitto gives up for good when a broker that has just been started ends the handshake (loop_forever, MOSQ_ERR_TLS).
bool CampaignWitness::Listen() {
  if (!client_->connected()) client_ = std::make_unique<RawMqtt>(options_);
  return client_->connected() &&
         client_->Subscribe(std::string("registry/v1/to/") + kParty + "/endpoint.publish/+");
}

void CampaignWitness::Say() { SayAgain(++said_); }

void CampaignWitness::SayAgain(int number) {
  const int port = kPort + number;
  const json endpoint = {
      {"name", "witness"},
      {"fqdn", "mqtt.guest.example"},
      {"url", "mqtts://mqtt.guest.example:" + std::to_string(port)},
      {"port", port},
      {"protocol", "mqtts"},
      {"trust", {{"kind", "tlsa"}, {"tlsaOwner", "_" + std::to_string(port) + "._tcp.mqtt.guest.example"}}}};
  const json envelope = {{"specversion", "1.0"},
                         {"id", IdOf(number)},
                         {"source", kParty},
                         {"type", "registry.v1.endpoint.publish"},
                         {"data", {{"endpoint", endpoint}}}};
  client_->Publish(std::string("registry/v1/from/") + kParty + "/endpoint.publish", envelope.dump());
}

// A refusal for the moment (a disk that is nearly full, a registry that is busy) decides nothing, and is no reply to keep.
void CampaignWitness::Take(const RawMessage& message) {
  const json reply = json::parse(message.payload, nullptr, false);
  const std::string id = reply.is_object() ? reply.value("cause", "") : "";
  const bool accepted = message.topic.ends_with("/accepted");
  if (!accepted && message.payload.find("retryAfterSeconds") != std::string::npos) return;
  if (id.empty() || !accepted) faults_ += "answered by " + message.topic + ": " + message.payload + "\n";
  const auto [first, is_first] = replies_.emplace(id, message.payload);
  if (!is_first && first->second != message.payload)
    faults_ += id + " was answered by " + first->second + " and by " + message.payload + "\n";
  ++times_[id];
}

bool CampaignWitness::Await(std::chrono::seconds within) {
  const auto until = steady_clock::now() + within;
  auto again = steady_clock::now() + kSayAgainAfter;
  while (answered_ < said_) {
    if (const auto message = client_->Next(kListenFor)) Take(*message);
    while (answered_ < said_ && replies_.contains(IdOf(answered_ + 1))) ++answered_;
    if (steady_clock::now() >= until) return answered_ == said_;
    if (steady_clock::now() < again) continue;
    (void)Listen();  // a connection that broke has forgotten it
    for (int number = answered_ + 1; number <= said_; ++number) SayAgain(number);
    again = steady_clock::now() + kSayAgainAfter;
  }
  return true;
}

bool CampaignWitness::RepeatLast(std::chrono::seconds within) {
  const std::string id = IdOf(said_);
  const int before = times_[id];
  const auto until = steady_clock::now() + within;
  while (times_[id] == before && steady_clock::now() < until) {
    (void)Listen();
    SayAgain(said_);
    const auto again = steady_clock::now() + kSayAgainAfter;
    while (times_[id] == before && steady_clock::now() < again) {
      if (const auto message = client_->Next(kListenFor)) Take(*message);
    }
  }
  return times_[id] > before;
}

}  // namespace registry::test
