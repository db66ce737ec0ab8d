// bridge/ctl/anchor_reach.h: which trust anchors devices believe, as the ledger knows it: those of the payload that a device
// has confirmed last. Which ones a payload had follows from when it was made (bridge/app/anchors_given.h,
// workers/domain/trace.h).
// Counted is who works with an ASP and a payload, published or active: with one confirmed, or with its first one under way,
// which has the anchors of the day when it was made. A device without any gets them of the day when it is given one, and so
// does one that was deactivated.
// Careful: what is not known counts as not believed where somebody relies on it, and as believed where it must be gone.
// Plain values. Threads: any. Errors: the ledger's. Limits: one pass over all devices.
#pragma once

#include <compare>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "bridge/app/anchors_given.h"
#include "workers/domain/device.h"

namespace registry::ctl {

struct BelievedAnchors {
  struct Count {
    std::uint64_t confirmed = 0;
    std::uint64_t under_way = 0;  // in a payload that is not confirmed yet, and not in the one before
  };
  std::vector<app::AnchorsGiven> given;

  explicit BelievedAnchors(std::vector<app::AnchorsGiven> anchors) : given(std::move(anchors)) {}
  void Add(const domain::Device& device);
  // What a device misses of these: a payload that has all of them, or its confirmation; kNothing of one that does not count.
  enum class Lack { kNothing, kConfirmation, kPayload };
  Lack LackOf(const domain::Device& device, const std::set<std::string>& labels) const;
  std::uint64_t devices() const;
  // Those that believe one of these for sure, and those whose payload with one of these is under way.
  Count With(const std::set<std::string>& labels) const;
  // Those that would believe nothing if only these were left: none of these is in the payload that they have confirmed, nor
  // in their first one, which is under way.
  std::uint64_t LostWith(const std::set<std::string>& labels) const;
  // Whether each of these has reached every device: nobody would be lost with it alone.
  bool Everywhere(const std::set<std::string>& labels) const;
  // Those that may still believe it.
  std::uint64_t MayBelieve(const std::string& label) const;

 private:
  // Of one device: places in `given` of the payload that it has confirmed and of the one that is under way.
  struct Held {
    std::size_t confirmed, under_way;
    auto operator<=>(const Held&) const = default;
  };
  std::size_t PlaceOf(const domain::Device& device, std::optional<std::size_t> step) const;
  std::size_t unknown() const { return given.size(); }  // nobody knows which anchors it had
  std::size_t none() const { return given.size() + 1; }
  Held HeldBy(const domain::Device& device) const;
  bool Has(std::size_t place, const std::set<std::string>& labels) const;
  std::uint64_t Sum(const std::function<bool(const Held&)>& counts) const;

  std::map<Held, std::uint64_t> devices_;
};
Result<BelievedAnchors> LookAtDevices(const ledger::LedgerReader& ledger);
// Each device, page by page.
Status ForEachDevice(const ledger::LedgerReader& ledger,
                     const std::function<void(const std::vector<domain::Device>& page)>& take);

}  // namespace registry::ctl
