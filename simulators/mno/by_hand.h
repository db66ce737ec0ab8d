// simulators/mno/by_hand.h: what a person at the console has an MNO say to a device beside its errands, and what it finds on
// the card. It keeps the last few payloads that it has carried, as whoever keeps what passes has them.
// Limits: kMost payloads of all devices together. Plain value; the owner sees to threads.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>

namespace registry::sim {

class ByHand {
 public:
  static constexpr std::size_t kMost = 64;

  void Keep(const std::string& device, const nlohmann::json& frame) {
    kept_.emplace_back(device, frame);
    if (kept_.size() > kMost) kept_.pop_front();
  }
  static bool Knows(const std::string& verb) {
    return verb == "replay" || verb == "deliver" || verb == "read_card";
  }
  // As an MNO may that keeps what passes, or the one that has lost the device.
  // replay: the oldest payload kept, as another job, so that it is no repetition. deliver: the newest, as the same job.
  // read_card: a question for the files. nullopt: there is nothing of the device to send. `iccid`: where it is reached.
  std::optional<nlohmann::json> FrameOf(const std::string& verb, const std::string& device,
                                        const std::string& iccid);
  // {"event":"card", …}: what the files in a frame card_files are, by their mark.
  nlohmann::json CardEvent(const nlohmann::json& frame) const;

 private:
  std::map<std::string, std::string> read_;  // ICCID to the device whose card was asked for
  std::deque<std::pair<std::string, nlohmann::json>> kept_;
  std::uint64_t replays_ = 0;
};

}  // namespace registry::sim
