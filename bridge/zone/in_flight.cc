#include "bridge/zone/in_flight.h"

namespace registry::zone {
namespace {

// Changes of neighbouring versions that are told together, when they wait long.
constexpr std::size_t kSpanMax = 10'000;

}  // namespace

bool InFlight::Keep(Batch batch) {
  changes_ += batch.count;
  if (changes_ <= max_) {
    batches_.push_back(std::move(batch));
    return true;
  }
  batch.changes.reset();
  if (JoinsLast(batch)) {
    Batch& last = batches_.back();
    last.serial = batch.serial;
    last.last = batch.last;
    last.count += batch.count;
  } else {
    batches_.push_back(std::move(batch));
  }
  return false;
}

// One that refused a device is told by itself: what it refused is left out of it alone.
bool InFlight::JoinsLast(const Batch& batch) const {
  if (batches_.empty()) return false;
  const Batch& last = batches_.back();
  return !last.changes && last.refused.empty() && batch.refused.empty() &&
         last.count + batch.count <= kSpanMax;
}

void InFlight::DropFirst(std::size_t changes) {
  changes_ -= changes;
  batches_.pop_front();
}

void InFlight::Renumber(std::uint32_t serial) {
  for (Batch& batch : batches_) batch.serial = serial;
}

}  // namespace registry::zone
