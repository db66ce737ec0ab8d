// simulators/ota/delivery.h: the operator's side of one parcel, whatever carries it: which commands come next, what the
// card's answers mean, and how a write that was broken off is mended.
//   writes     INSTALL [for personalization], then STORE DATA blocks; the script counts with its last block
//   looks      whether the head is there, when it is not known if the last block arrived
//   makes room removes what an earlier parcel has left, when there is no memory
// The card carries a script out whole or not at all, so that beginning anew with INSTALL is always safe, and drops what was
// half written.
// Threads: plain value, one at a time. Errors: an end with a reason, Failure.
// Limits: restarts_most, rooms_most; then it gives up.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "simulators/ota/parcel.h"
#include "simulators/ota/script.h"

namespace registry::sim::ota {

// What do.result says of it (schemas/ERRORS.md, Reported).
struct Failure {
  std::string stage, reason;
  bool retriable = false;
};

class Delivery {
 public:
  struct Limits {
    int restarts_most = 12, rooms_most = 3;
  };
  Delivery(Parcel parcel, Limits limits);
  explicit Delivery(Parcel parcel) : Delivery(std::move(parcel), Limits()) {}

  // The commands that come next, as many as a script of so many octets has room for; at least one. Empty: it is over.
  std::vector<Bytes> Next(std::size_t octets_most);
  // What the card said of what Next gave last.
  void Answered(const ScriptAnswer& answer);
  // Nobody will ever say whether what Next gave last was carried out.
  void Doubtful();

  bool over() const { return done_ || failure_.has_value(); }
  bool begins() const { return at_ == 0; }  // what Next gives may be carried out any number of times
  const std::optional<Failure>& failure() const { return failure_; }  // none: it is written, once it is over

 private:
  enum class Aim { kWrite, kLook, kMakeRoom };
  void Begin(Aim aim);
  void Restart();
  void NoMemory();
  void Refused(std::uint16_t status);
  void AimReached(const Bytes& last_answer);
  void Fail(const char* stage, const char* reason, bool retriable) { failure_ = {stage, reason, retriable}; }

  const Parcel parcel_;
  const Limits limits_;
  Aim aim_ = Aim::kWrite;
  std::vector<Bytes> commands_;
  std::size_t at_ = 0, given_ = 0;
  bool doubt_ = false, done_ = false;
  int restarts_ = 0, rooms_ = 0;
  std::optional<Failure> failure_;
};

}  // namespace registry::sim::ota
