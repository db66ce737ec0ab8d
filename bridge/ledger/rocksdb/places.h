// bridge/ledger/rocksdb/places.h: keeps the index of devices (family `places`) in step with the devices: what one commit
// changes of them, and how they are made anew in a folder that has none.
// The mark `places` in family `meta` says by which rule they were made. It is written last, so a making that was cut
// short, and places of another rule, are made anew at the next opening for writing.
// Private to this folder. Threads: the committer, and whoever opens the ledger.
#pragma once

#include <string>
#include <unordered_map>
#include <vector>

#include "bridge/ledger/rocksdb/store.h"

namespace registry::ledger {

// Raised with every change of domain::PlacesOf, domain::BriefOf or their octets. Stored: A NUMBER IS NEVER USED AGAIN.
inline constexpr std::uint64_t kPlacesRule = 1;

Result<bool> HasPlaces(const Store& store);
// All of them anew, from all devices. The number of devices; kLedgerDamaged when one cannot be read.
Result<std::uint64_t> MakePlaces(Store& store);

// What a batch of changesets makes of the places, device by device.
class PlaceChanges {
 public:
  // What is kept of one device: at each of these keys the same brief.
  struct Kept {
    std::vector<std::string> keys;
    std::string brief;
  };
  using ByDevice = std::unordered_map<std::string, Kept>;        // under the device's key
  using Records = std::unordered_map<std::string, std::string>;  // as stored, under the same

  explicit PlaceChanges(const Store& store) : store_(store) {}
  // The places that each device of the changeset has now, so that Stage cannot fail. `stored` has the record of each that is
  // in the database and was not staged before.
  Result<ByDevice> Before(const domain::Changeset& changeset, const Records& stored) const;
  void Stage(const domain::Device& device, ByDevice& before, rocksdb::WriteBatch& writes);

 private:
  static Result<Kept> Of(const std::string& device, const Records& stored);

  const Store& store_;
  ByDevice staged_;
};

}  // namespace registry::ledger
