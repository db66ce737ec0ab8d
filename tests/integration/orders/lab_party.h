// tests/integration/orders/lab_party.h: one party of a lab over one connection of the test's own. Each thing it is told is
// held to the contract. Threads: the test's own.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <string>

#include "simulators/lab/layout.h"
#include "tests/support/contract.h"
#include "tests/support/raw_mqtt.h"

namespace registry::test {

using nlohmann::json;

inline constexpr std::size_t kAtOnce = 40;  // commands without a reply yet
inline constexpr std::chrono::seconds kPatience{90};

// What it is told and has not asked for is kept.
class Party {
 public:
  struct Reply {
    bool accepted = false;
    json data;
    std::string symbol() const { return data.value("symbol", ""); }
  };

  Party(const lab::Layout& layout, std::string name)
      : name_(std::move(name)),
        client_({layout.mqtt, layout.BrokerCa(), layout.PartyCertificate(name_), layout.PartyKey(name_),
                 name_ + "-orders"}) {
    EXPECT_TRUE(client_.connected());
    EXPECT_TRUE(client_.Subscribe("registry/v1/to/" + name_ + "/#"));
  }

  Reply Ask(const std::string& command, const json& data) { return AskAll(command, {data}).at(0); }

  // In the order of `all`.
  std::vector<Reply> AskAll(const std::string& command, const std::vector<json>& all) {
    std::vector<std::string> ids;
    for (std::size_t heard = 0; heard < all.size(); ++heard) {
      while (ids.size() < all.size() && ids.size() < heard + kAtOnce)
        ids.push_back(Say(command, all[ids.size()]));
      if (!WaitFor([&] { return replies_.contains(ids[heard]); })) break;
    }
    std::vector<Reply> replies;
    for (const std::string& id : ids) replies.push_back(replies_[id]);
    replies.resize(all.size());
    return replies;
  }

  // The one notification of an order's end.
  json Ended(const std::string& order) {
    const auto of_order = [&]() -> const json* {
      for (const json& event : events_) {
        if (event.at("type") == "registry.v1.event.order.done" && event.at("data").at("order") == order)
          return &event.at("data");
      }
      return nullptr;
    };
    EXPECT_TRUE(WaitFor([&] { return of_order() != nullptr; })) << "order " << order << " does not end";
    return of_order() == nullptr ? json::object() : *of_order();
  }

  // Whether the order has told its progress, waiting for it.
  bool HearsProgress(const std::string& order) {
    return WaitFor([&] {
      return std::any_of(events_.begin(), events_.end(), [&](const json& event) {
        return event.at("type") == "registry.v1.event.order.progress" &&
               event.at("data").at("order") == order;
      });
    });
  }

  // What is told again after a kill has the id it had, and counts once.
  std::map<std::string, std::set<std::string>> Deactivated() {
    std::map<std::string, std::set<std::string>> ids;
    for (const json& event : events_) {
      if (event.at("type") == "registry.v1.event.device.deactivated")
        ids[event.at("data").at("device")].insert(event.at("id"));
    }
    return ids;
  }

 private:
  std::string Say(const std::string& command, const json& data) {
    const std::string id = "orders-" + std::to_string(++last_);
    const json envelope = {{"specversion", "1.0"},
                           {"id", id},
                           {"source", name_},
                           {"type", "registry.v1." + command},
                           {"data", data}};
    EXPECT_EQ(client_.Publish("registry/v1/from/" + name_ + "/" + command, envelope.dump()), 0);
    return id;
  }

  template <class Condition>
  bool WaitFor(const Condition& holds) {
    const auto until = std::chrono::steady_clock::now() + kPatience;
    while (!holds()) {
      if (std::chrono::steady_clock::now() > until) return false;
      if (const auto message = client_.Next(std::chrono::seconds(1))) Hear(*message);
    }
    return true;
  }

  void Hear(const RawMessage& message) {
    ExpectContract(message.payload);
    json envelope = json::parse(message.payload);
    const bool accepted = message.topic.ends_with("/accepted");
    if (accepted || message.topic.ends_with("/rejected")) {
      replies_[envelope.at("cause")] = {accepted, envelope.at("data")};
    } else {
      events_.push_back(std::move(envelope));
    }
  }

  const std::string name_;
  RawMqtt client_;
  std::uint64_t last_ = 0;
  std::map<std::string, Reply> replies_;
  std::vector<json> events_;
};

}  // namespace registry::test
