// simulators/device/card.h: what the device's software knows of its IoT SAFE card: commands as octets,
// answers as octets.
// Owns: a logical channel, opened at first use and again when the card has lost it. Borrows the card.
// Threads: one at a time. Errors: 2400 applet_refused (the message holds the status word, or says that no answer came).
// Spec: GSMA IoT.05 as the pilot's middleware speaks it (signature mode 03, session 00).
#pragma once

#include <functional>
#include <optional>

#include "schemas/base/result.h"
#include "simulators/euicc/applet.h"

namespace registry::sim {

class Card {
 public:
  // A command to the card, and its answer; empty when no whole one came.
  using Transmit = std::function<Bytes(const Bytes& apdu)>;
  explicit Card(Applet& applet) : Card([&applet](const Bytes& apdu) { return applet.Transmit(apdu); }) {}
  explicit Card(Transmit transmit) : transmit_(std::move(transmit)) {}
  ~Card();  // closes the channel: the card has only four
  Card(const Card&) = delete;
  Card& operator=(const Card&) = delete;

  Result<Bytes> GenerateKeyPair(std::uint8_t key);  // the new public point
  Result<Bytes> PublicPoint(std::uint8_t key);
  Result<Bytes> Sign(std::uint8_t key, const Bytes& digest);       // r || s
  Result<Bytes> Agree(std::uint8_t key, const Bytes& peer_point);  // shared x coordinate
  Result<Bytes> ReadFile(std::uint8_t file);
  Result<std::optional<Bytes>> FindFile(std::uint8_t file);  // nullopt: there is none

 private:
  Status Open();
  Result<Bytes> Send(std::uint8_t ins, std::uint8_t p1, std::uint8_t p2, const Bytes& data);
  Bytes Whole(Bytes answer) const;
  Result<Bytes> Exchange(std::uint8_t ins, std::uint8_t p1, std::uint8_t p2, const Bytes& data);

  const Transmit transmit_;
  std::uint8_t channel_ = 0;  // 0: none open
  std::uint16_t status_ = 0;  // of the last command
};

}  // namespace registry::sim
