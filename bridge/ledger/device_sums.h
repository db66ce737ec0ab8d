// bridge/ledger/device_sums.h: what Verify keeps of a device while it reads all places and all history, which come in other
// orders: sums, by which two sets are compared without keeping either. A few dozen octets for each device.
// Private to bridge/ledger. Plain values. Threads: one.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "bridge/ledger/ledger.h"

namespace registry::ledger {

// Of a device's places in any order, each with what it says: how many, and the sum of what they hash to. A place that
// is wrong in one of a million devices shows, and a million places need not be kept in memory.
struct PlaceSum {
  std::uint64_t count = 0, sum = 0;
  void Add(const domain::DevicePlace& place, const std::string& brief) {
    const auto& group = place.group;
    std::string text = std::to_string(static_cast<int>(group.kind)) + ' ';
    text += (group.party ? group.party->text() : "") + ' ' + (group.endpoint ? group.endpoint->text() : "");
    text += ' ' + std::to_string(group.state ? static_cast<int>(*group.state) : 0);
    text += ' ' + std::to_string(place.position.expires.micros) + ' ' + brief;
    sum += std::hash<std::string>{}(text);
    ++count;
  }
  bool operator==(const PlaceSum&) const = default;
};

// The entries of a device: how many the chain has, how many are found as its own, and whether they are the same ones.
struct HistorySum {
  std::uint64_t chained = 0, found = 0, sum = 0;
  void AddChained(Seq seq) { ++chained, sum += Mixed(seq); }
  void AddFound(Seq seq) { ++found, sum -= Mixed(seq); }
  bool IsTheChains() const { return chained == found && sum == 0; }

 private:
  // Finalizer of SplitMix64 (Steele, Lea, Flood 2014): sums of numbers as they are would be equal too easily.
  static std::uint64_t Mixed(std::uint64_t number) {
    number = (number ^ (number >> 30)) * 0xbf58476d1ce4e5b9;
    number = (number ^ (number >> 27)) * 0x94d049bb133111eb;
    return number ^ (number >> 31);
  }
};

}  // namespace registry::ledger
