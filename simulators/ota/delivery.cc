#include "simulators/ota/delivery.h"

#include <algorithm>

#include "simulators/euicc/ota.h"

namespace registry::sim::ota {
namespace {

constexpr std::uint16_t kDoneWord = 0x9000, kNoMemoryWord = 0x6a84, kOutOfOrder = 0x6a86;
constexpr std::size_t kTlvHeadMost = 3, kTemplateMost = 8;  // octets around one command and around the script

std::uint16_t WordOf(const Bytes& answer) {
  if (answer.size() < 2) return 0;
  return static_cast<std::uint16_t>(answer[answer.size() - 2] << 8 | answer.back());
}

}  // namespace

Delivery::Delivery(Parcel parcel, Limits limits) : parcel_(std::move(parcel)), limits_(limits) {
  Begin(Aim::kWrite);
}

void Delivery::Begin(Aim aim) {
  aim_ = aim;
  at_ = given_ = 0;
  commands_ = {InstallForPersonalization()};
  const Bytes script = aim == Aim::kWrite  ? parcel_.script
                       : aim == Aim::kLook ? ReadHeadScript()
                                           : MakeRoomScript();
  for (Bytes& block : StoreDataBlocks(script)) commands_.push_back(std::move(block));
  if (aim == Aim::kWrite) doubt_ = false;
}

std::vector<Bytes> Delivery::Next(std::size_t octets_most) {
  std::vector<Bytes> next;
  std::size_t octets = kTemplateMost;
  for (std::size_t i = at_; i < commands_.size() && !over(); ++i) {
    octets += kTlvHeadMost + commands_[i].size();
    if (!next.empty() && (octets > octets_most || next.size() == kCommandsMost)) break;
    next.push_back(commands_[i]);
  }
  given_ = next.size();
  return next;
}

void Delivery::Answered(const ScriptAnswer& answer) {
  if (over() || given_ == 0) return;  // none was given: it answers what an earlier parcel asked
  if (answer.bad_format || answer.answers.size() > given_) return Fail("applet", "applet_refused", false);
  for (const Bytes& said : answer.answers) {
    if (WordOf(said) != kDoneWord) return Refused(WordOf(said));
  }
  if (answer.answers.size() < given_) return Restart();
  at_ += given_;
  given_ = 0;
  if (at_ == commands_.size()) AimReached(answer.answers.empty() ? Bytes() : answer.answers.back());
}

// The next commands tell: a block whose predecessor is missing is refused. Behind the last block there is none.
void Delivery::Doubtful() {
  if (over() || given_ == 0) return;
  if (aim_ != Aim::kWrite) return Begin(aim_);
  at_ += given_;
  given_ = 0;
  doubt_ = true;
  if (at_ == commands_.size()) Begin(Aim::kLook);
}

void Delivery::AimReached(const Bytes& last_answer) {
  if (aim_ == Aim::kMakeRoom) return Begin(Aim::kWrite);
  if (aim_ == Aim::kWrite) {
    done_ = true;
    return;
  }
  const Bytes head(last_answer.begin(),
                   last_answer.end() - std::min<std::ptrdiff_t>(2, std::ssize(last_answer)));
  if (head == parcel_.head) {
    done_ = true;
  } else {
    Restart();
  }
}

void Delivery::Restart() {
  if (++restarts_ > limits_.restarts_most) return Fail("radio", "device_unreachable", true);
  Begin(Aim::kWrite);
}

// The first time it is what was half written, which INSTALL drops; then what an earlier parcel has left.
void Delivery::NoMemory() {
  if (++rooms_ > limits_.rooms_most) return Fail("applet", "card_memory_full", true);
  Begin(rooms_ > 1 ? Aim::kMakeRoom : Aim::kWrite);
}

void Delivery::Refused(std::uint16_t status) {
  if (status == kNoMemoryWord) return NoMemory();
  // 6A82 when it looks: there is no head. 6A86: a block that was thought to be there is not.
  if (status == kOutOfOrder || aim_ == Aim::kLook) return Restart();
  Fail("applet", "applet_refused", false);
}

}  // namespace registry::sim::ota
