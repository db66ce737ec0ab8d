// The tables that decide say, cell by cell, what schemas/life-cycle.json says, of which the README's tables are made.
#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <nlohmann/json.hpp>

#include "tests/support/device_maker.h"
#include "workers/domain/lifecycle.h"

namespace registry::domain {
namespace {

using nlohmann::json;

#define REGISTRY_COMMAND(name, ...) Command::name,
#define REGISTRY_FACT(name, ...) Fact::name,
constexpr Command kCommands[] = {REGISTRY_LIFECYCLE_COMMANDS(REGISTRY_COMMAND)};
constexpr Fact kFacts[] = {REGISTRY_LIFECYCLE_FACTS(REGISTRY_FACT)};
#undef REGISTRY_COMMAND
#undef REGISTRY_FACT

const json& Said() {
  static const json said = json::parse(std::ifstream(REGISTRY_SOURCE_DIR "/schemas/life-cycle.json"));
  return said;
}

constexpr DeviceStatus kStatuses[] = {
    DeviceStatus::kPendingTransfer, DeviceStatus::kClientHold,         DeviceStatus::kSponsorHold,
    DeviceStatus::kServerHold,      DeviceStatus::kTransferProhibited, DeviceStatus::kDisconnected,
    DeviceStatus::kExpired};

// None, each, and every two of them.
std::vector<std::set<DeviceStatus>> Sets() {
  std::vector<std::set<DeviceStatus>> sets = {{}};
  for (const DeviceStatus one : kStatuses) {
    for (const DeviceStatus other : kStatuses) {
      if (one <= other) sets.push_back({one, other});
    }
  }
  return sets;
}

bool Names(const json& row, const char* member, const std::set<DeviceStatus>& statuses) {
  for (const json& name : row.value(member, json::array())) {
    for (const DeviceStatus status : statuses) {
      if (StatusName(status) == name) return true;
    }
  }
  return false;
}

Device Seen(State state, std::set<DeviceStatus> statuses = {}) {
  Device device;
  device.state = state;
  device.statuses = std::move(statuses);
  test::SetAttached(device);
  return device;
}

json Where(const Result<State>& next) { return next ? json(StateName(*next)) : json(); }

const json& RowOf(const char* table, const char* key, std::string_view name) {
  for (const json& row : Said().at(table)) {
    if (row.at(key) == name) return row;
  }
  ADD_FAILURE() << "life-cycle.json lacks " << name;
  static const json none = {{"to", json::array({{}, {}, {}, {}, {}, {}, {}})}};
  return none;
}

TEST(LifeCycleTable, HasTheStatesTheStatusesAndTheRowsThereAre) {
  for (std::size_t column = 0; column < Said().at("states").size(); ++column) {
    EXPECT_EQ(Said().at("states").at(column), StateName(static_cast<State>(column + 1)));
  }
  json statuses = json::array();
  for (const DeviceStatus status : kStatuses) statuses.push_back(StatusName(status));
  EXPECT_EQ(Said().at("statuses"), statuses);
  EXPECT_EQ(Said().at("commands").size(), std::size(kCommands));
  EXPECT_EQ(Said().at("facts").size(), std::size(kFacts));
}

TEST(LifeCycleTable, EveryCommandInEveryStateAndBesideEveryStatus) {
  std::size_t cells = 0;
  for (const Command command : kCommands) {
    const json& row = RowOf("commands", "command", CommandName(command));
    for (std::size_t column = 0; column < row.at("to").size(); ++column) {
      const auto state = static_cast<State>(column + 1);
      for (const auto& statuses : Sets()) {
        const bool barred = Names(row, "refusedWhile", statuses);
        const bool lacking = row.contains("onlyWhile") && !Names(row, "onlyWhile", statuses);
        const json expected = barred || lacking ? json() : row.at("to").at(column);
        const auto next = Next(Seen(state, statuses), command);
        ++cells;
        EXPECT_EQ(Where(next), expected)
            << CommandName(command) << ", " << StateName(state) << ", " << json(statuses);
        if (next) continue;
        EXPECT_EQ(next.error().symbol, "state_prohibits");
        EXPECT_TRUE(next.error().message.starts_with("device is " + std::string(StateName(state))));
        for (const DeviceStatus status : statuses) {
          EXPECT_NE(next.error().message.find(StatusName(status)), std::string::npos);
        }
      }
    }
  }
  EXPECT_EQ(cells, std::size(kCommands) * 7 * 29);
}

TEST(LifeCycleTable, WhatWasNeverSeenComesBackAsItIsSaid) {
  for (const Command command : kCommands) {
    const json& row = RowOf("commands", "command", CommandName(command));
    if (!row.contains("neverSeen")) continue;
    Device device = Seen(State::kDeactivated);
    test::SetAttached(device, false);
    EXPECT_EQ(Where(Next(device, command)), row.at("neverSeen")) << CommandName(command);
  }
}

TEST(LifeCycleTable, EveryFactInEveryStateWhateverTheStatuses) {
  for (const Fact fact : kFacts) {
    const json& row = RowOf("facts", "fact", FactName(fact));
    for (std::size_t column = 0; column < row.at("to").size(); ++column) {
      const auto state = static_cast<State>(column + 1);
      for (const auto& statuses : Sets()) {
        Device device = Seen(state, statuses);
        test::BindingOf(device);
        EXPECT_EQ(json(StateName(After(device, fact))), row.at("to").at(column))
            << FactName(fact) << ", " << StateName(state);
      }
    }
  }
}

TEST(LifeCycleTable, ADeliveryThatNamesNoAspActivatesNothing) {
  EXPECT_EQ(json(StateName(After(Seen(State::kPublished), Fact::kDelivered))),
            RowOf("facts", "fact", "delivered").at("withoutAsp"));
}

}  // namespace
}  // namespace registry::domain
