#include "bridge/zone/serials.h"

#include <charconv>

#include "bridge/zone/wire.h"

namespace registry::zone {

Status Serials::Open() {
  const std::lock_guard lock(mutex_);
  const auto state = ledger_.LoadSink(ledger::Sink::kZone);
  if (!state) return state.error();
  cursor_ = state->cursor;
  if (state->state.empty()) return Done{};
  const char* end = state->state.data() + state->state.size();
  const auto parsed = std::from_chars(state->state.data(), end, reserved_);
  if (parsed.ec != std::errc() || parsed.ptr != end) {
    return Error::Make(Code::kFailed, "zone_state_invalid", "the ledger's zone state is no serial");
  }
  last_ = reserved_;
  return Done{};
}

Result<std::uint32_t> Serials::Next() {
  const std::lock_guard lock(mutex_);
  if (last_ == reserved_) {
    reserved_ += kReserve;
    if (auto stored = Store(true); !stored) {
      reserved_ -= kReserve;
      return stored.error();
    }
  }
  return ++last_;
}

Status Serials::Pass(std::uint32_t serial) {
  const std::lock_guard lock(mutex_);
  if (!SerialAhead(serial, last_)) return Done{};
  if (SerialAhead(serial, reserved_)) {
    const std::uint32_t before = reserved_;
    reserved_ = serial + kReserve;
    if (auto stored = Store(true); !stored) {
      reserved_ = before;
      return stored.error();
    }
  }
  last_ = serial;
  return Done{};
}

void Serials::Return() {
  const std::lock_guard lock(mutex_);
  --last_;
}

ledger::Seq Serials::cursor() const {
  const std::lock_guard lock(mutex_);
  return cursor_;
}

Status Serials::Arrived(ledger::Seq cursor) {
  const std::lock_guard lock(mutex_);
  cursor_ = cursor;
  // Not durable: what is lost with power is published again, which changes nothing.
  return Store(false);
}

Status Serials::Store(bool durable) {
  return ledger_.Advance(ledger::Sink::kZone, {cursor_, std::to_string(reserved_)}, durable);
}

}  // namespace registry::zone
