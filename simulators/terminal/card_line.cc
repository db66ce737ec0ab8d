#include "simulators/terminal/card_line.h"

namespace registry::sim {
namespace {

constexpr std::uint8_t kManageChannel = 0x70, kCloseChannel = 0x80;

bool Succeeded(const Bytes& answer) {
  return answer.size() >= 2 && answer[answer.size() - 2] == 0x90 && answer.back() == 0x00;
}

}  // namespace

Bytes CardLine::Transmit(const Bytes& apdu) {
  Bytes answer = card_.Transmit(apdu);
  if (apdu.size() < 4 || !Succeeded(answer)) return answer;
  used_[apdu[0] & 0x03] = true;  // also one that SELECT alone has opened
  const bool manages = apdu[1] == kManageChannel;
  if (manages && apdu[2] == 0x00 && answer.size() == 3) used_[answer.front() & 0x03] = true;
  return answer;
}

void CardLine::Reset() {
  card_.Reset();
  used_ = {};
}

// One that the host has closed itself answers 6A86; that is all the same.
void CardLine::Leave() {
  for (std::uint8_t channel = 1; channel < used_.size(); ++channel) {
    if (used_[channel]) card_.Transmit({0x00, kManageChannel, kCloseChannel, channel});
  }
  used_ = {};
}

}  // namespace registry::sim
