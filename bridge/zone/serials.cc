#include "bridge/zone/serials.h"

#include <charconv>

#include "bridge/zone/key_set_order.h"
#include "bridge/zone/wire.h"

namespace registry::zone {
namespace {

// "ksk/zsk".
bool AllKnown(const std::string& tags, const Serials::KnownKey& known) {
  const auto is_known = [&](std::string_view text) {
    std::uint16_t tag = 0;
    const auto parsed = std::from_chars(text.data(), text.data() + text.size(), tag);
    return parsed.ec == std::errc() && parsed.ptr == text.data() + text.size() && known(tag);
  };
  const std::size_t slash = tags.find('/');
  if (!known || slash == tags.npos) return false;
  return is_known(std::string_view(tags).substr(0, slash)) &&
         is_known(std::string_view(tags).substr(slash + 1));
}

}  // namespace

// State := serial [" " keys]: the highest serial that may have been served, in decimal, and what it was signed with.
Status Serials::Open(const std::string& keys, const std::string& accepted, const KnownKey& known) {
  const MutexLock lock(mutex_);
  const auto state = ledger_.LoadSink(ledger::Sink::kZone);
  if (!state) return state.error();
  cursor_ = state->cursor;
  keys_ = keys;
  if (state->state.empty()) return Done{};
  const char* end = state->state.data() + state->state.size();
  const auto parsed = std::from_chars(state->state.data(), end, reserved_);
  if (parsed.ec != std::errc() || (parsed.ptr != end && *parsed.ptr != ' ')) {
    return Error::Make(Code::kFailed, "zone_state_invalid", "the ledger's zone state is no serial");
  }
  last_ = reserved_;
  const std::string before(parsed.ptr == end ? end : parsed.ptr + 1, end);
  if (keys.empty()) keys_ = before;
  if (before.empty() || keys_ == before || keys_ == accepted || AllKnown(before, known)) return Done{};
  return Error::Make(
      Code::kFailed, "zone_keys_changed",
      "the zone was served with keys " + before + " and the files hold " + keys_ +
          ": put the old ones back, or accept that what caches hold does not validate any more "
          "and set zone.new_keys = \"" +
          keys_ + "\"");
}

Status Serials::SignWith(const std::string& keys) {
  const MutexLock lock(mutex_);
  const std::string before = std::exchange(keys_, keys);
  auto stored = Store(true);
  if (!stored) keys_ = before;
  return stored;
}

bool Serials::MayBeLast(std::uint32_t serial) const {
  const MutexLock lock(mutex_);
  return SerialAhead(serial, reserved_ - kReserve);
}

Result<std::uint32_t> Serials::Next() {
  const MutexLock lock(mutex_);
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
  const MutexLock lock(mutex_);
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
  const MutexLock lock(mutex_);
  --last_;
}

ledger::Seq Serials::cursor() const {
  const MutexLock lock(mutex_);
  return cursor_;
}

Status Serials::Arrived(ledger::Seq cursor) {
  const MutexLock lock(mutex_);
  cursor_ = cursor;
  // Not durable: what is lost with power is published again, which changes nothing.
  return Store(false);
}

Status Serials::Store(bool durable) {
  std::string state = std::to_string(reserved_);
  if (!keys_.empty()) state += " " + keys_;
  return ledger_.Advance(ledger::Sink::kZone, {cursor_, std::move(state)}, durable);
}

Status CanSign(ledger::Ledger& ledger, const KeySet& set, const std::string& accepted) {
  return Serials(ledger).Open(TagsOf(set), accepted,
                              [&set](std::uint16_t tag) { return HasSigned(set, tag); });
}

}  // namespace registry::zone
