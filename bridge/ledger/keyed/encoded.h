// bridge/ledger/keyed/encoded.h: a changeset as it will be stored, as far as that does not depend on what was committed
// before it. It is made by the thread that brings the changeset, so that the one that writes gives out numbers, compares
// and copies, and encodes next to nothing.
// A version is known beforehand: it is the expected one and one more, or nothing is written.
// Private to bridge/ledger. Plain value; what its views say lies in the value itself, which does not move.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "bridge/ledger/job_table.h"
#include "bridge/ledger/keyed/place_keys.h"
#include "bridge/ledger/keyed/places.h"

namespace registry::ledger {

struct Encoded {
  explicit Encoded(domain::Changeset changeset);
  Encoded(const Encoded&) = delete;
  Encoded& operator=(const Encoded&) = delete;

  struct Octets {  // of `octets`
    std::size_t at = 0, size = 0;
  };
  struct Write {
    Column column;
    Octets key, value;
    bool deletes = false;
  };
  struct Mark {
    std::string key;
    domain::DayMark day;  // it is forgotten with, if that is kept
  };
  struct Versioned {
    Column column;
    std::string key;
    std::uint64_t expected = 0;
  };
  struct Erased {  // an endpoint that nothing may be bound to
    Versioned endpoint;
    keys::KeyRange bound;  // of `places`
  };
  struct Claim {
    std::string value, device;  // no device: released
  };
  struct Push {
    Sink sink;
    Octets record;
  };
  struct History {
    std::string device;
    Octets record;
  };
  struct Notification {
    PartyId to;
    Octets fields;  // without its feed's number
  };

  std::string_view operator()(const Octets& of) const {
    return std::string_view(octets).substr(of.at, of.size);
  }

  std::string octets;
  std::vector<Write> writes;
  std::optional<domain::Day> marks_from;
  std::vector<domain::DayMark> marks_erase;
  std::optional<Mark> mark;
  std::vector<Versioned> versioned;  // devices, endpoints, orders
  std::vector<Versioned> seen;       // endpoints, as they must still be
  std::vector<Erased> endpoints_erase;
  // Of the devices, which come first in `versioned`.
  std::vector<std::shared_ptr<const DevicePlaces>> places;
  std::vector<std::shared_ptr<const domain::Device>> devices;
  std::vector<Claim> claims;  // releases first
  JobChanges jobs;
  std::vector<OrderId> orders_erase;
  std::vector<History> history;
  std::vector<Octets> dead_letters;
  std::vector<Push> pushes;
  std::vector<domain::FeedAcked> feed_acks;
  std::vector<Notification> notifications;
};

}  // namespace registry::ledger
