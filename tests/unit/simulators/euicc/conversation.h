// tests/unit/simulators/euicc/conversation.h: a card laid out as wanted, and commands to it in hexadecimal, as in the logs
// of clients. One thread. A card that cannot be made stops the test program.
#pragma once

#include <functional>
#include <string>

#include "schemas/base/check.h"
#include "simulators/euicc/euicc.h"

namespace registry::sim {

class Conversation {
 public:
  explicit Conversation(CardLayout layout = DefaultLayout())
      : layout_(std::move(layout)), card_(Euicc::Make(layout_)) {
    REG_CHECK(card_ != nullptr);
  }
  static CardLayout Field(Habits habits = FindLayout("field")->habits) {
    CardLayout layout = *FindLayout("field");
    layout.habits = habits;
    return layout;
  }

  static std::string Repeated(const std::string& octet, std::size_t count) {
    std::string hex;
    for (std::size_t i = 0; i < count; ++i) hex += octet;
    return hex;
  }
  // `head`, the length of the data, the data.
  static std::string With(const std::string& head, const std::string& data) {
    return head + ToHex({static_cast<std::uint8_t>(data.size() / 2)}) + data;
  }

  std::string Say(const std::string& hex) {
    return ToHex(door_ ? door_(*FromHex(hex)) : card_->applet().Transmit(*FromHex(hex)));
  }
  // As the issuer: every block of the script; the last answer.
  std::string Issue(const std::string& script) {
    std::string last;
    for (const Bytes& block : StoreDataBlocks(*FromHex(script))) last = ToHex(card_->ota().Transmit(block));
    return last;
  }
  std::string Write(std::uint8_t file, const Bytes& content) {
    return Issue(ToHex(WriteFileScript(file, content)));
  }
  // A channel with the applet selected under GSMA's name; its number, 01 at first.
  std::string Select() {
    const std::string channel = Say("0070000001").substr(0, 2);
    REG_CHECK(Say(channel + "a4040007a0000005590010") == "9000");
    return channel;
  }
  // A new pair in slot `id`, on channel 1; its point.
  Bytes Generate(const std::string& id = "01") {
    const std::string answer = Say("01b90000038401" + id + "00");
    REG_CHECK(answer.ends_with("9000"));
    return *FromHex(answer.substr(24, 130));
  }
  // From here on commands go this way to the applet.
  void Through(std::function<Bytes(const Bytes&)> door) { door_ = std::move(door); }
  Applet& applet() { return card_->applet(); }
  OtaChannel& ota() { return card_->ota(); }

 private:
  std::function<Bytes(const Bytes&)> door_;
  const CardLayout layout_;
  std::unique_ptr<Euicc> card_;
};

}  // namespace registry::sim
